#!/usr/bin/env python3
"""Makes the models of tests/import/onnx: small ones by PyTorch's exporters, and what other exporters
write, node by node.  Each NAME.onnx has NAME.in.npz and NAME.out.npz, what ONNX Runtime computes of
one picture; what must be refused is called refused-NAME.onnx.

    make_onnx.py FOLDER        (packages: onnx.txt; the files are committed, and this shows how)
"""
import os
import sys
import warnings

import numpy as np
import onnx
import onnxruntime
from onnx import TensorProto as T
from onnx import helper, numpy_helper
import torch
from torch import nn


class Block(nn.Module):
    def __init__(self, inputs, outputs, stride):
        super().__init__()
        self.conv1 = nn.Conv2d(inputs, outputs, 3, stride, 1, bias=False)
        self.bn1 = nn.BatchNorm2d(outputs)
        self.relu = nn.ReLU()
        self.conv2 = nn.Conv2d(outputs, outputs, 3, 1, 1, bias=False)
        self.bn2 = nn.BatchNorm2d(outputs)
        self.downsample = None
        if stride != 1 or inputs != outputs:
            self.downsample = nn.Sequential(nn.Conv2d(inputs, outputs, 1, stride, bias=False),
                                            nn.BatchNorm2d(outputs))

    def forward(self, x):
        y = self.bn2(self.conv2(self.relu(self.bn1(self.conv1(x)))))
        return self.relu(y + (self.downsample(x) if self.downsample else x))


class Residual(nn.Module):
    def __init__(self):
        super().__init__()
        self.conv1 = nn.Conv2d(3, 4, 3, 2, 1, bias=False)
        self.bn1 = nn.BatchNorm2d(4)
        self.maxpool = nn.MaxPool2d(3, 2, 1, ceil_mode=True)
        self.layer1 = nn.Sequential(Block(4, 4, 1), Block(4, 4, 1))
        self.layer2 = nn.Sequential(Block(4, 6, 2), Block(6, 6, 1))
        self.fc = nn.Linear(6, 5)

    def forward(self, x):
        x = self.maxpool(torch.relu(self.bn1(self.conv1(x))))
        x = self.layer2(self.layer1(x))
        return self.fc(torch.flatten(x.mean((2, 3), keepdim=True), 1)).softmax(1)


class Squeeze(nn.Module):
    def __init__(self, channels):
        super().__init__()
        self.fc1 = nn.Conv2d(channels, 2, 1)
        self.fc2 = nn.Conv2d(2, channels, 1)

    def forward(self, x):
        y = self.fc2(torch.relu(self.fc1(x.mean((2, 3), keepdim=True))))
        return x * nn.functional.hardsigmoid(y)


class Mobile(nn.Module):
    def __init__(self):
        super().__init__()
        self.stem = nn.Conv2d(3, 6, 3, 2, 1)
        self.depthwise = nn.Conv2d(6, 6, 3, 1, 1, groups=6)
        self.se = Squeeze(6)
        self.project = nn.Conv2d(6, 8, 1)
        self.head = nn.Linear(8 * 4 * 4, 3)

    def forward(self, x):
        x = nn.functional.hardswish(self.stem(x))
        x = nn.functional.silu(self.se(nn.functional.relu6(self.depthwise(x))))
        x = nn.functional.gelu(self.project(x))
        a, b = x.chunk(2, 1)
        x = torch.cat((nn.functional.elu(b), nn.functional.mish(a)), 1)
        return self.head(x.flatten(1))


class Slices(nn.Module):
    """Channels taken apart at places that are no equal parts."""

    def __init__(self):
        super().__init__()
        self.conv = nn.Conv2d(3, 10, 3, padding=1)
        self.second = nn.Conv2d(7, 4, 1)
        self.classes = nn.Linear(4 + 3, 5)

    def forward(self, x):
        first, rest = torch.split(self.conv(x), [3, 7], 1)
        rest = self.second(rest).relu()
        return self.classes(torch.cat([first.mean((2, 3)), rest.mean((2, 3))], 1))


class Decoder(nn.Module):
    """What comes after a classifier's operators: pixels put elsewhere, norms, other axes."""

    def __init__(self):
        super().__init__()
        self.conv = nn.Conv2d(3, 8, 3, padding=1, padding_mode="reflect")
        self.norm = nn.GroupNorm(4, 8)
        self.grow = nn.ConvTranspose2d(32, 8, 3, 2, 1, output_padding=1)
        self.deeper = nn.Conv2d(8, 16, 1)

    def forward(self, x):
        x = nn.functional.pixel_unshuffle(self.norm(self.conv(x)), 2).relu()
        n, c, h, w = x.shape
        x = x.view(n, 4, c // 4, h, w).transpose(1, 2).reshape(n, c, h, w)
        x = nn.functional.interpolate(self.grow(x), size=(10, 12), mode="bilinear")
        x = nn.functional.normalize(x[:, :, 1:-1, 2:-2], dim=1)
        x = nn.functional.pixel_shuffle(self.deeper(x), 2)
        x = nn.functional.avg_pool2d(x, 3, 2, 1, ceil_mode=True)
        x = x - x.amax(1, keepdim=True) * x.mean((1, 2, 3), keepdim=True)
        return nn.functional.log_softmax(nn.functional.pad(x, (1, 2, 0, 1), "replicate"), dim=-1)


class Attention(nn.Module):
    """Efficient channel attention, as timm writes it: a convolution along the channels."""

    def __init__(self):
        super().__init__()
        self.conv = nn.Conv2d(3, 8, 3, padding=1)
        self.along = nn.Conv1d(1, 1, 3, padding=1, bias=False)
        self.dense = nn.Linear(8, 4)

    def forward(self, x):
        x = self.conv(x).relu()
        gate = self.along(x.mean((2, 3)).view(x.shape[0], 1, -1)).sigmoid().view(x.shape[0], -1, 1, 1)
        return self.dense((x * gate.expand_as(x)).amax((2, 3)))


class Parts(nn.Module):
    """Parts of the channels as an axis of their own: selective kernels, as timm writes them, and the
    split attention of ResNeSt; the larger of tensors."""

    def __init__(self):
        super().__init__()
        self.stem = nn.Conv2d(3, 8, 3, padding=1)
        self.kernels = nn.ModuleList(nn.Conv2d(4, 6, 3, padding=d, dilation=d) for d in (1, 2))
        self.select = nn.Conv2d(6, 12, 1)
        self.grow = nn.Conv2d(6, 12, 3, padding=1, groups=2)
        self.radix = nn.Conv2d(6, 12, 1)

    def forward(self, x):
        x = self.stem(x).relu()
        paths = torch.stack([k(p) for k, p in zip(self.kernels, torch.split(x, 4, 1))], 1)
        chosen = self.select(paths.sum(1).mean((2, 3), keepdim=True))
        x = (paths * chosen.view(-1, 2, 6, 1, 1).softmax(1)).sum(1)
        x = torch.maximum(nn.functional.softsign(x), x.abs() - 0.5)
        y = self.grow(x).reshape(-1, 2, 6, 8, 8)
        gate = self.radix(y.sum(1).mean((2, 3), keepdim=True)).view(-1, 1, 2, 6).transpose(1, 2)
        y = (y * gate.softmax(1).reshape(-1, 2, 6, 1, 1)).sum(1)
        return torch.minimum(nn.functional.celu(y, 0.5), x).amin((2, 3))


class Joined(nn.Module):
    """Images one below and beside the other, and the rows of two levels, as a detector's heads give
    them; gelu by tanh."""

    def __init__(self):
        super().__init__()
        self.first = nn.Conv2d(3, 4, 3, padding=1)
        self.second = nn.Conv2d(3, 4, 1)
        self.head = nn.Conv2d(4, 6, 3, padding=1)

    def forward(self, x):
        x = torch.cat([self.first(x), self.second(x)[:, :, 1:4]], 2)
        x = nn.functional.gelu(torch.cat([x, x.mean(3, keepdim=True)], 3), approximate="tanh")
        levels = [self.head(level) for level in (x, nn.functional.max_pool2d(x, 2))]
        rows = [y.view(1, 2, 3, y.shape[2], y.shape[3]).permute(0, 3, 4, 1, 2).reshape(1, -1, 3)
                for y in levels]
        return torch.cat(rows, 1).softmax(-1)


class Cardinal(nn.Module):
    """ResNeSt's split attention with a cardinality of 2, whose parts change places; and channels of a
    vector that do."""

    def __init__(self):
        super().__init__()
        self.grow = nn.Conv2d(3, 24, 3, padding=1)
        self.radix = nn.Conv2d(8, 24, 1, groups=2)
        self.dense = nn.Linear(12, 4)

    def forward(self, x):
        y = self.grow(x).relu().reshape(1, 3, 8, 8, 8)
        gate = self.radix(y.sum(1).mean((2, 3), keepdim=True))
        gate = gate.view(1, 2, 3, 4).transpose(1, 2).softmax(1).reshape(1, -1).view(1, -1, 1, 1)
        y = (y * gate.reshape(1, 3, 8, 1, 1)).sum(1).mean((2, 3))
        y = torch.cat([y, y[:, 2:6]], 1)
        return self.dense(y.view(1, 3, 4).transpose(1, 2).reshape(1, 12))


def torch_models():
    torch.manual_seed(5)
    for name, model in (("residual", Residual()), ("mobile", Mobile()), ("slices", Slices()),
                        ("decoder", Decoder()), ("attention", Attention()),
                        ("parts", Parts()), ("joined", Joined()), ("cardinal", Cardinal())):
        for key, t in model.state_dict().items():
            if key.endswith("running_var"):
                t.uniform_(0.5, 1.5)
            elif t.is_floating_point() and t.dim() == 1:
                t.add_(torch.rand(t.shape) * 0.3)
        for dynamo in (False, True):
            path = f"{name}-{'dynamo' if dynamo else 'torchscript'}.onnx"
            x = (torch.rand(1, 3, 8, 8),)
            if dynamo:
                torch.onnx.export(model.eval(), x, path, dynamo=True, external_data=False,
                                  dynamic_shapes=({0: torch.export.Dim.DYNAMIC},)
                                  if name == "mobile" else None, verbose=False)
            else:
                torch.onnx.export(model.eval(), x, path, dynamo=False, opset_version=14,
                                  input_names=["image"], output_names=["scores"],
                                  dynamic_axes={"image": {0: "n"}} if name == "mobile" else None)
            yield path


def without_traces(path):
    """Without what names files of the machine it was made on."""
    model = onnx.load(path)
    for node in model.graph.node:
        kept = [p for p in node.metadata_props if "stack_trace" not in p.key]
        del node.metadata_props[:]
        node.metadata_props.extend(kept)
        node.doc_string = ""
    del model.graph.value_info[:]
    onnx.save(model, path)


class Graph:
    def __init__(self, seed):
        self.random = np.random.default_rng(seed)
        self.nodes, self.tensors = [], []

    def op(self, kind, *inputs, outputs=1, name="", **attributes):
        names = [f"v{len(self.nodes)}_{i}" for i in range(outputs)]
        self.nodes.append(helper.make_node(kind, list(inputs), names, name, **attributes))
        return names[0] if outputs == 1 else names

    def known(self, array, kind=None, name=None):
        name = name or f"c{len(self.tensors)}"
        array = np.asarray(array)
        if kind is None:
            self.tensors.append(numpy_helper.from_array(array, name))
        else:
            self.tensors.append(helper.make_tensor(name, kind, array.shape, array.ravel().tolist()))
        return name

    def random_known(self, *shape, **more):
        return self.known(self.random.uniform(-1, 1, shape).astype(np.float32), **more)

    def save(self, path, inputs, outputs, opset, ir, initializers_are_inputs=False):
        ins = [helper.make_tensor_value_info(n, T.FLOAT, d) for n, d in inputs]
        if initializers_are_inputs:
            ins += [helper.make_tensor_value_info(t.name, t.data_type, t.dims) for t in self.tensors]
        outs = [helper.make_tensor_value_info(n, T.FLOAT, None) for n in outputs]
        graph = helper.make_graph(self.nodes, "g", ins, outs, self.tensors)
        model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", opset)],
                                  ir_version=ir, producer_name="make_onnx.py")
        onnx.save(model, path)
        return path


def tf2onnx():
    """Channels last, as TensorFlow has them, around convolutions that have them first."""
    g = Graph(1)
    x = g.op("Transpose", "image", perm=[0, 3, 1, 2], name="model/conv/Conv2D__5")
    x = g.op("Conv", x, g.random_known(4, 3, 3, 3), auto_pad="SAME_UPPER", strides=[2, 2],
             kernel_shape=[3, 3], name="model/conv/Conv2D")
    x = g.op("Transpose", x, perm=[0, 2, 3, 1])
    x = g.op("Add", x, g.random_known(4), name="model/conv/BiasAdd")
    x = g.op("Relu", x, name="model/relu/Relu")
    x = g.op("Pad", x, g.known(np.array([0, 1, 1, 0, 0, 1, 1, 0])), name="model/pad/Pad")
    x = g.op("Transpose", x, perm=[0, 3, 1, 2])
    x = g.op("MaxPool", x, kernel_shape=[3, 3], strides=[2, 2], name="model/pool/MaxPool")
    x = g.op("Transpose", x, perm=[0, 2, 3, 1])
    x = g.op("Reshape", x, g.known(np.array([-1, 16])), name="model/flatten/Reshape")
    x = g.op("MatMul", x, g.random_known(16, 5), name="model/dense/MatMul")
    x = g.op("Add", x, g.random_known(5), name="model/dense/BiasAdd")
    x = g.op("Softmax", x, name="model/dense/Softmax")
    return g.save("tf2onnx.onnx", [("image", ["n", 8, 8, 3])], [x], 13, 7)


def old():
    """Opset 7, IR 3: initializers among the inputs, attributes that became inputs later."""
    g = Graph(2)
    x = g.op("Conv", "data", g.random_known(4, 3, 3, 3, name="conv0_weight"), pads=[1, 1, 1, 1])
    x = g.op("BatchNormalization", x, g.random_known(4), g.random_known(4), g.random_known(4),
             g.known(np.array([0.5, 1, 2, 1], np.float32)), epsilon=1e-3)
    x = g.op("LeakyRelu", x, alpha=0.1)
    x = g.op("Upsample", x, mode="nearest", scales=[1.0, 1.0, 2.0, 2.0])
    x = g.op("AveragePool", x, kernel_shape=[3, 3], strides=[2, 2], pads=[1, 1, 1, 1])
    x = g.op("Dropout", x, ratio=0.5)
    x = g.op("Clip", x, min=-0.5, max=0.5)
    x = g.op("GlobalAveragePool", x)
    x = g.op("Flatten", x)
    x = g.op("Gemm", x, g.random_known(4, 3), g.random_known(1, 3), alpha=0.5, beta=2.0)
    x = g.op("Sum", x, x, x)
    return g.save("old.onnx", [("data", [1, 3, 8, 8])], [x], 7, 3, True)


def shapes():
    """Arithmetic of shapes, numbers of 16 bits, hard_swish in pieces, known factors."""
    g = Graph(3)
    x = g.op("Mul", "x", g.known(np.float32(1 / 255)))
    x = g.op("Sub", x, g.known(np.array([.5, .4, .3], np.float32).reshape(1, 3, 1, 1)))
    x = g.op("Div", x, g.known(np.array([.2, .3, .25], np.float32).reshape(3, 1, 1)))
    w = g.random.uniform(-1, 1, (6, 3, 1, 1)).astype(np.float32)
    w16 = g.op("Cast", g.known(w.astype(np.float16)), to=T.FLOAT)
    b16 = g.op("Cast", g.known(g.random.uniform(-1, 1, 6), T.BFLOAT16), to=T.FLOAT)
    x = g.op("Conv", x, w16, b16)
    y = g.op("Clip", g.op("Add", x, g.known(np.float32(3))), g.known(np.float32(0)),
             g.known(np.float32(6)))
    x = g.op("Div", g.op("Mul", x, y), g.known(np.float32(6)))
    n = g.op("Gather", g.op("Shape", x), g.known(np.array(0)))
    n = g.op("Unsqueeze", n, g.known(np.array([0])))
    shape = g.op("Concat", n, g.known(np.array([-1])), axis=0)
    x = g.op("Reshape", x, shape)
    x = g.op("Gemm", x, g.random_known(4, 6 * 16), transB=1)
    return g.save("shapes.onnx", [("x", ["n", 3, 4, 4])], [x], 17, 8)


def newest():
    """Opset 23, IR 13: what were attributes are inputs, and the channels are split without sizes."""
    g = Graph(11)
    x = g.op("Pad", "x", g.known(np.array([1, 1, 1, 1])), "", g.known(np.array([2, 3])))
    x = g.op("Conv", x, g.random_known(8, 3, 3, 3))
    x = g.op("GroupNormalization", x, g.random_known(8), g.random_known(8), num_groups=4)
    a, b = g.op("Split", x, axis=1, num_outputs=2, outputs=2)
    x = g.op("Concat", g.op("Gelu", b), g.op("Mish", a), axis=1)
    x = g.op("ReduceMax", g.op("Clip", x, g.known(np.float32(-0.5))), g.known(np.array([2, 3])), keepdims=0)
    x = g.op("Reshape", x, g.known(np.array([0, 8])), allowzero=0)
    x = g.op("Gemm", x, g.random_known(8, 5))
    x = g.op("Squeeze", g.op("Unsqueeze", x, g.known(np.array([1]))), g.known(np.array([1])))
    return g.save("newest.onnx", [("x", [1, 3, 6, 6])], [g.op("Softmax", x)], 23, 13)


def moments():
    """A batch norm by the mean and variance that it has itself, of a matrix that is turned."""
    g = Graph(12)
    x = g.op("Transpose", g.op("Reshape", "x", g.known(np.array([1, 1, 2, 3]))), perm=[0, 1, 3, 2])
    mean = g.op("ReduceMean", x, axes=[0, 2, 3])
    squares = g.op("ReduceSumSquare", g.op("Sub", x, mean), axes=[0, 2, 3], keepdims=0)
    variance = g.op("Div", squares, g.known(np.float32(6)))
    mean = g.op("Squeeze", mean, g.known(np.array([0, 2, 3])))
    ones, zeros = g.known(np.ones(1, np.float32)), g.known(np.zeros(1, np.float32))
    x = g.op("BatchNormalization", x, ones, zeros, mean, variance, epsilon=1e-3)
    x = g.op("Gemm", g.op("Reshape", x, g.known(np.array([1, 6]))), g.random_known(6, 4))
    return g.save("moments.onnx", [("x", [1, 6])], [x], 17, 8)


def numbered():
    """Tensors with numbers for names, as PyTorch's older exporter writes them: no names of the language."""
    g = Graph(13)
    x = g.op("Conv", "input.1", g.random_known(4, 3, 3, 3))
    g.nodes.append(helper.make_node("Relu", [x], ["30"]))
    g.nodes.append(helper.make_node("GlobalAveragePool", ["30"], ["31"]))
    return g.save("numbered.onnx", [("input.1", [1, 3, 5, 4])], ["31", "30"], 17, 8)


def external():
    g = Graph(4)
    x = g.op("Conv", "x", g.random_known(4, 3, 3, 3))
    g.save("external.onnx", [("x", [1, 3, 4, 4])], [x], 17, 8)
    model = onnx.load("external.onnx")
    if os.path.exists("external.data"):
        os.remove("external.data")
    onnx.save(model, "external.onnx", save_as_external_data=True, location="external.data",
              size_threshold=0)
    return "external.onnx"


def refused():
    g = Graph(5)
    scale, zero = g.known(np.float32(0.1)), g.known(np.int8(0))
    x = g.op("QuantizeLinear", "x", scale, zero, name="quantize")
    x = g.op("DequantizeLinear", x, scale, zero, name="dequantize")
    x = g.op("Conv", x, g.random_known(4, 3, 3, 3), name="conv")
    g.save("refused-quantized.onnx", [("x", [1, 3, 4, 4])], [x], 17, 8)
    g = Graph(6)
    x = g.op("Det", g.op("Det", "x", name="first"), name="second")
    y = g.op("NonZero", "x", name="nonzero")
    y = g.op("Cast", y, to=T.FLOAT, name="cast")
    g.save("refused-kinds.onnx", [("x", [1, 3, 4, 4])], [x, y], 17, 8)
    g = Graph(6)
    x = g.op("Dropout", g.op("Relu", "x", name="relu"), g.known(np.float32(0.5)), g.known(np.bool_(True)),
             name="dropout")
    g.save("refused-training.onnx", [("x", [1, 3, 4, 4])], [x], 17, 8)
    g = Graph(6)
    weight = np.zeros((2, 3, 1, 1), np.float32)
    weight[1, 2] = np.nan
    x = g.op("Conv", "x", g.known(weight), name="conv")
    g.save("refused-nan.onnx", [("x", [1, 3, 4, 4])], [x], 17, 8)
    g = Graph(7)
    x = g.op("Conv", "x", g.random_known(4, 2, 3, 3, name="conv.weight"), name="/conv/Conv")
    g.save("refused-shape.onnx", [("x", [1, 3, 4, 4])], [x], 17, 8)
    g = Graph(8)
    x = g.op("Relu", "x")
    g.save("refused-open.onnx", [("x", [1, 3, "height", 4])], [x], 17, 8)
    g.save("refused-set5.onnx", [("x", [1, 3, 4, 4])], [x], 5, 3)
    g = Graph(9)
    x = g.op("Conv", "x", g.random_known(4, 3, 3, 3))
    g.save("refused-outside.onnx", [("x", [1, 3, 4, 4])], [x], 17, 8)
    model = onnx.load("refused-outside.onnx")
    t = model.graph.initializer[0]
    t.ClearField("raw_data")
    t.data_location = T.EXTERNAL
    t.external_data.add(key="location", value="../../../etc/passwd")
    with open("refused-outside.onnx", "wb") as f:
        f.write(model.SerializeToString())
    g = Graph(10)
    x = g.op("GlobalAveragePool", "x", name="pool")
    x = g.op("Expand", x, g.known(np.array([1, 3, 4, 4])), name="expand")
    x = g.op("Conv", x, g.random_known(2, 3, 1, 1), name="conv")
    g.save("refused-expand.onnx", [("x", [1, 3, 4, 4])], [x], 17, 8)
    alike()
    with open("external.onnx", "rb") as f:
        whole = f.read()
    with open("refused-cut.onnx", "wb") as f:
        f.write(whole[:len(whole) // 2])


def alike():
    """What looks like an instance norm, a gelu, a softplus or a sum of vectors, and is none."""
    g = Graph(13)

    def normed(name, mean, factor):
        d = g.op("Sub", "x", mean)
        variance = g.op("GlobalAveragePool", g.op("Mul", d, d))
        variance = g.op("Mul", variance, g.known(np.float32(factor)))
        root = g.op("Sqrt", g.op("Add", variance, g.known(np.float32(1e-3))), name=name)
        return g.op("Div", d, root)

    mean = g.op("GlobalAveragePool", "x")
    half = g.op("Mul", g.op("GlobalAveragePool", "x"), g.known(np.float32(0.5)))
    corner = g.op("AveragePool", "x", kernel_shape=[4, 4], pads=[1, 1, 1, 1], strides=[5, 5])
    outputs = [normed("unbiased", mean, 16 / 15), normed("half", half, 1),
               normed("corner", corner, 1)]
    turned = g.op("Transpose", "x", perm=[0, 1, 3, 2])
    x = g.op("Erf", g.op("Mul", turned, g.known(np.float32(np.sqrt(0.5)))), name="erf")
    x = g.op("Add", x, g.known(np.float32(1)), name="plus")
    outputs.append(g.op("Mul", g.op("Mul", "x", x), g.known(np.float32(0.5))))
    above = g.op("Greater", "x", g.known(np.float32(20)), name="above")
    outputs.append(g.op("Where", above, "x", g.op("Softplus", turned), name="where"))
    row = g.op("Flatten", mean)
    x = g.op("Sum", row, g.op("Reshape", row, g.known(np.array([3, 1]))), name="outer")
    outputs.append(g.op("ReduceMax", x, axes=[1]))
    g.save("refused-alike.onnx", [("x", [1, 3, 4, 4])], outputs, 17, 8)


def main():
    warnings.simplefilter("ignore")
    os.chdir(sys.argv[1])
    for path in [*torch_models(), tf2onnx(), old(), newest(), moments(), shapes(), numbered(), external()]:
        if "external" not in path:
            without_traces(path)
        session = onnxruntime.InferenceSession(path, providers=["CPUExecutionProvider"])
        port = session.get_inputs()[0]
        dims = [d if isinstance(d, int) else 1 for d in port.shape]
        x = np.random.default_rng(7).uniform(0, 1, dims).astype(np.float32)
        y = session.run(None, {port.name: x})
        np.savez(path[:-5] + ".in.npz", x=x)
        several = dict(zip((o.name for o in session.get_outputs()), y)) if len(y) > 1 else {}
        np.savez(path[:-5] + ".out.npz", *([] if several else y), **several)
    refused()


if __name__ == "__main__":
    main()
