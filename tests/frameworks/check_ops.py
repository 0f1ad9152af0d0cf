#!/usr/bin/env python3
"""Every operator of the language against ONNX Runtime.

Each case is a small network in the language and the same one in ONNX, both with
the same random weights and input.  `rnc eval` computes the first in double, ONNX
Runtime the second in float: they agree to a few roundings of the largest element.

    check_ops.py RNC        (make check-frameworks; packages: requirements.txt)

Ends with "N passed, N failed".
"""
import os
import subprocess
import sys
import tempfile

import numpy as np
import onnx
import onnxruntime
from onnx import helper, numpy_helper
from safetensors.numpy import save_file

TOLERANCE = 5e-6  # of the largest element


class Graph:
    """An ONNX graph under construction, with the weights rnc is given."""

    def __init__(self, seed):
        self.random = np.random.default_rng(seed)
        self.nodes, self.initializers, self.weights = [], [], {}

    def op(self, kind, *inputs, outputs=1, **attributes):
        names = [f"t{len(self.nodes)}_{i}" for i in range(outputs)]
        self.nodes.append(helper.make_node(kind, list(inputs), names, **attributes))
        return names[0]

    def constant(self, array):
        name = f"c{len(self.initializers)}"
        self.initializers.append(numpy_helper.from_array(np.asarray(array), name))
        return name

    def floats(self, *values):
        return self.constant(np.array(values, np.float32))

    def shape(self, *extents):
        return self.constant(np.array(extents, np.int64))

    def floats1(self, value):
        return self.constant(np.float32(value))

    def weight(self, name, shape, low=-1.0, high=1.0):
        """A random parameter: `name` in rnc's weights, a constant here."""
        array = self.random.uniform(low, high, shape).astype(np.float32)
        self.weights[name] = array
        return self.constant(array)


def conv(shape, bias=False, **attributes):
    def build(g, x):
        inputs = [x, g.weight("conv1.weight", shape)]
        if bias:
            inputs.append(g.weight("conv1.bias", shape[:1]))
        return g.op("Conv", *inputs, **attributes)

    return build


def unary(kind, **attributes):
    return lambda g, x: g.op(kind, x, **attributes)


def bn(epsilon):
    def build(g, x):
        return g.op("BatchNormalization", x, g.weight("bn1.weight", (5,)),
                    g.weight("bn1.bias", (5,)), g.weight("bn1.running_mean", (5,)),
                    g.weight("bn1.running_var", (5,), 0.1, 2.0), epsilon=epsilon)

    return build


def normalize(g, x):
    def channels(*values):
        return g.constant(np.array(values, np.float32).reshape(1, -1, 1, 1))

    scaled = g.op("Mul", x, g.floats(1 / 255))
    return g.op("Div", g.op("Sub", scaled, channels(0.4, 0.5, 0.6)), channels(0.2, 0.3, 0.25))


def dense(bias):
    def build(g, x):
        inputs = [g.op("Flatten", x), g.weight("dense1.weight", (7, 60))]
        if bias:
            inputs.append(g.weight("dense1.bias", (7,)))
        return g.op("Gemm", *inputs, transB=1)

    return build


def silu(g, x):
    return g.op("Mul", x, g.op("Sigmoid", x))


def layer_norm(g, x):
    last = g.op("LayerNormalization", g.op("Transpose", x, perm=[0, 2, 3, 1]),
                g.weight("layer_norm1.weight", (5,)), g.weight("layer_norm1.bias", (5,)),
                axis=-1, epsilon=1e-6)
    return g.op("Transpose", last, perm=[0, 3, 1, 2])


def join(kind):
    """x with its mean (spread over the pixels) and one channel of it."""

    def build(g, x):
        mean = g.op("GlobalAveragePool", x)
        one = g.op("Conv", x, g.weight("c.conv1.weight", (1, 5, 1, 1)))
        return g.op(kind, g.op(kind, x, mean), one)

    return build


def concat(g, x):
    return g.op("Concat", x, g.op("Relu", x), x, axis=1)


def flatten_nhwc(g, x):
    return g.op("Flatten", g.op("Transpose", x, perm=[0, 2, 3, 1]))


def zeropad(g, x):
    return g.op("Pad", x, g.constant(np.array([0, 2, 1, 2, 0, 1, 3, 4], np.int64)), g.floats(0))


def subsample(g, x):
    ints = [g.constant(np.array(v, np.int64)) for v in ([0, 0], [99, 99], [2, 3], [2, 3])]
    return g.op("Slice", x, ints[0], ints[1], ints[2], ints[3])


def upsample(g, x):
    return g.op("Resize", x, "", g.floats(1, 1, 2, 3), mode="nearest",
                coordinate_transformation_mode="asymmetric", nearest_mode="floor")


JOIN_ARMS = "a {{ }}\n b {{ avgpool global }}\n c {{ conv 1x1 1 }}\n {0}"

# name, channels/height/width of the input, the layers, the same in ONNX
CASES = [
    ("conv", (5, 9, 7), "conv 3x3 8", conv((8, 5, 3, 3), pads=[1, 1, 1, 1])),
    ("conv stride", (5, 9, 7), "conv 3x2 8 stride=(2, 3) padding=valid bias=true",
     conv((8, 5, 3, 2), True, strides=[2, 3])),
    ("conv padding", (5, 9, 7), "conv 3x4 8 padding=(1, 2, 3, 0)",
     conv((8, 5, 3, 4), pads=[1, 2, 3, 0])),
    ("conv dilation", (5, 9, 11), "conv 3x3 4 dilation=(2, 3) stride=2",
     conv((4, 5, 3, 3), pads=[2, 3, 2, 3], dilations=[2, 3], strides=[2, 2])),
    ("conv groups", (6, 9, 7), "conv 3x3 9 groups=3 bias=true",
     conv((9, 2, 3, 3), True, group=3, pads=[1, 1, 1, 1])),
    ("conv depthwise", (6, 9, 7), "conv 5x3 6 groups=6",
     conv((6, 1, 5, 3), group=6, pads=[2, 1, 2, 1])),
    ("conv depthwise x 2", (6, 9, 7), "conv 3x3 12 groups=6 padding=valid",
     conv((12, 1, 3, 3), group=6)),
    ("conv same", (5, 8, 7), "conv 3x3 4 stride=2 padding=same",
     conv((4, 5, 3, 3), auto_pad="SAME_UPPER", strides=[2, 2])),
    ("conv same even", (5, 8, 7), "conv 4x2 4 padding=same",
     conv((4, 5, 4, 2), auto_pad="SAME_UPPER")),
    ("conv same 1x1", (5, 8, 7), "conv 1x1 4 stride=3 padding=same",
     conv((4, 5, 1, 1), auto_pad="SAME_UPPER", strides=[3, 3])),
    ("bn", (5, 6, 4), "bn", bn(1e-5)),
    ("bn epsilon", (5, 6, 4), "bn epsilon=0.01", bn(0.01)),
    ("normalize", (3, 6, 4), "normalize scale=1/255 mean=(0.4, 0.5, 0.6) std=(0.2, 0.3, 0.25)", normalize),
    ("relu", (5, 6, 4), "relu", unary("Relu")),
    ("relu6", (5, 6, 4), "relu6", lambda g, x: g.op("Clip", x, g.floats(0), g.floats(6))),
    ("leaky_relu", (5, 6, 4), "leaky_relu 0.2", unary("LeakyRelu", alpha=0.2)),
    ("leaky_relu default", (5, 6, 4), "leaky_relu", unary("LeakyRelu")),
    ("sigmoid", (5, 6, 4), "sigmoid", unary("Sigmoid")),
    ("tanh", (5, 6, 4), "tanh", unary("Tanh")),
    ("hard_sigmoid", (5, 6, 4), "hard_sigmoid", unary("HardSigmoid", alpha=1 / 6, beta=0.5)),
    ("hard_sigmoid slope", (5, 6, 4), "hard_sigmoid slope=0.2 offset=0.4",
     unary("HardSigmoid", alpha=0.2, beta=0.4)),
    ("hard_swish", (5, 6, 4), "hard_swish", unary("HardSwish")),
    ("elu", (5, 6, 4), "elu", unary("Elu")),
    ("elu alpha", (5, 6, 4), "elu 0.3", unary("Elu", alpha=0.3)),
    ("selu", (5, 6, 4), "selu", unary("Selu")),
    ("softplus", (5, 6, 4), "softplus", unary("Softplus")),
    ("mish", (5, 6, 4), "mish", unary("Mish")),
    ("clip", (5, 6, 4), "clip (-0.5) 1.5", lambda g, x: g.op("Clip", x, g.floats1(-0.5), g.floats1(1.5))),
    ("clip min", (5, 6, 4), "clip min=0.5", lambda g, x: g.op("Clip", x, g.floats1(0.5))),
    ("clip max", (5, 6, 4), "clip max=0.5", lambda g, x: g.op("Clip", x, "", g.floats1(0.5))),
    ("silu", (5, 6, 4), "silu", silu),
    ("gelu", (5, 6, 4), "gelu", unary("Gelu")),
    ("maxpool", (5, 9, 7), "maxpool 3x3 stride=2 padding=1",
     unary("MaxPool", kernel_shape=[3, 3], strides=[2, 2], pads=[1, 1, 1, 1])),
    ("maxpool same", (5, 8, 7), "maxpool 3x2 stride=2 padding=same",
     unary("MaxPool", kernel_shape=[3, 2], strides=[2, 2], auto_pad="SAME_UPPER")),
    ("maxpool global", (5, 9, 7), "maxpool global", unary("GlobalMaxPool")),
    ("avgpool", (5, 9, 7), "avgpool 3x2 stride=2 padding=(1, 0)",
     unary("AveragePool", kernel_shape=[3, 2], strides=[2, 2], pads=[1, 0, 1, 0],
           count_include_pad=1)),
    ("avgpool uncounted", (5, 9, 7), "avgpool 3x3 stride=2 padding=same count_padding=false",
     unary("AveragePool", kernel_shape=[3, 3], strides=[2, 2], auto_pad="SAME_UPPER")),
    ("avgpool global", (5, 9, 7), "avgpool global", unary("GlobalAveragePool")),
    ("dense", (5, 4, 3), "flatten ; dense 7", dense(True)),
    ("dense without bias", (5, 4, 3), "flatten ; dense 7 bias=false", dense(False)),
    ("softmax", (5, 4, 3), "softmax", unary("Softmax", axis=1)),
    ("add", (5, 4, 3), JOIN_ARMS.format("add"), join("Add")),
    ("mul", (5, 4, 3), JOIN_ARMS.format("mul"), join("Mul")),
    ("sub", (5, 4, 3), "a {{ }}\n b {{ avgpool global }}\n sub".format(),
     lambda g, x: g.op("Sub", x, g.op("GlobalAveragePool", x))),
    ("div", (5, 4, 3), "a {{ avgpool global ; softplus }}\n b {{ softplus }}\n div".format(),
     lambda g, x: g.op("Div", g.op("Softplus", g.op("GlobalAveragePool", x)),
                       g.op("Softplus", x))),
    ("prelu", (5, 6, 4), "prelu",
     lambda g, x: g.op("PRelu", x, g.weight("prelu1.weight", (5, 1, 1)))),
    ("prelu shared", (5, 6, 4), "prelu shared=true",
     lambda g, x: g.op("PRelu", x, g.weight("prelu1.weight", (1,)))),
    ("scale", (5, 6, 4), "scale bias=true",
     lambda g, x: g.op("Add", g.op("Mul", x, g.weight("scale1.weight", (5, 1, 1))),
                       g.weight("scale1.bias", (5, 1, 1)))),
    ("affine", (5, 6, 4), "affine scale=-2 shift=0.5",
     lambda g, x: g.op("Add", g.op("Mul", x, g.floats(-2)), g.floats(0.5))),
    ("group_norm", (6, 6, 4), "group_norm 3",
     lambda g, x: g.op("Reshape", g.op("Add", g.op("Mul", g.op("Reshape", g.op(
         "InstanceNormalization", g.op("Reshape", x, g.shape(2, 3, 2, 24)),
         g.floats(1, 1, 1), g.floats(0, 0, 0), epsilon=1e-5), g.shape(2, 6, 6, 4)),
         g.weight("group_norm1.weight", (6, 1, 1))), g.weight("group_norm1.bias", (6, 1, 1))),
                       g.shape(2, 6, 6, 4))),
    ("instance_norm", (5, 6, 4), "instance_norm epsilon=0.01",
     lambda g, x: g.op("InstanceNormalization", x, g.weight("instance_norm1.weight", (5,)),
                       g.weight("instance_norm1.bias", (5,)), epsilon=0.01)),
    ("layer_norm", (5, 6, 4), "layer_norm epsilon=1e-6", layer_norm),
    ("layer_norm image", (5, 6, 4), "layer_norm image",
     lambda g, x: g.op("LayerNormalization", x, g.weight("layer_norm1.weight", (5, 6, 4)),
                       g.weight("layer_norm1.bias", (5, 6, 4)), axis=1, epsilon=1e-5)),
    ("l2_normalize", (5, 6, 4), "l2_normalize", unary("LpNormalization", axis=1, p=2)),
    ("softmax height", (5, 4, 3), "softmax over=height", unary("Softmax", axis=2)),
    ("softmax width", (5, 4, 3), "softmax over=width", unary("Softmax", axis=3)),
    ("log_softmax", (5, 4, 3), "log_softmax", unary("LogSoftmax", axis=1)),
    ("log_softmax width", (5, 4, 3), "log_softmax over=width", unary("LogSoftmax", axis=3)),
    ("softmax space", (5, 4, 3), "softmax over=space",
     lambda g, x: g.op("Reshape", g.op("Softmax", g.op("Reshape", x, g.shape(2, 5, 12)), axis=2),
                       g.shape(2, 5, 4, 3))),
    ("softmax image", (5, 4, 3), "softmax over=image",
     lambda g, x: g.op("Reshape", g.op("Softmax", g.op("Flatten", x), axis=1),
                       g.shape(2, 5, 4, 3))),
    *[(f"reduce {by} {over}", (5, 4, 3), f"reduce {by} over={over}",
       lambda g, x, by=by, axes=axes: g.op("Reduce" + by.capitalize(), x, g.shape(*axes)))
      for by in ("mean", "max", "sum")
      for over, axes in (("channels", [1]), ("space", [2, 3]), ("height", [2]), ("width", [3]),
                         ("image", [1, 2, 3]))],
    ("concat", (5, 4, 3), "a { }\n b { relu }\n c { }\n concat", concat),
    ("flatten", (5, 4, 3), "flatten", unary("Flatten")),
    ("flatten nhwc", (5, 4, 3), "flatten nhwc", flatten_nhwc),
    ("transpose", (5, 4, 3), "transpose whc", lambda g, x: g.op("Transpose", x, perm=[0, 3, 2, 1])),
    ("reshape", (5, 4, 3), "reshape 6 (5, 2)", lambda g, x: g.op("Reshape", x, g.shape(2, 6, 5, 2))),
    ("mul by a number", (5, 4, 3), "mul 0.1", lambda g, x: g.op("Mul", x, g.floats(0.1))),
    ("div by a number", (5, 4, 3), "div 6", lambda g, x: g.op("Div", x, g.floats(6))),
    ("sub of a number", (5, 4, 3), "sub 0.5", lambda g, x: g.op("Sub", x, g.floats(0.5))),
    ("zeropad", (5, 4, 3), "zeropad (1, 2, 3, 4) channels=(2, 1)", zeropad),
    ("subsample", (5, 7, 8), "subsample 2x3", subsample),
    ("upsample", (5, 4, 3), "upsample 2x3", upsample),
]


def by_onnxruntime(graph, output, values):
    floats = onnx.TensorProto.FLOAT
    onnx_graph = helper.make_graph(
        graph.nodes, "case", [helper.make_tensor_value_info("x", floats, values.shape)],
        [helper.make_tensor_value_info(output, floats, None)], graph.initializers)
    model = helper.make_model(onnx_graph, opset_imports=[helper.make_opsetid("", 20)],
                              ir_version=9)
    session = onnxruntime.InferenceSession(model.SerializeToString(),
                                           providers=["CPUExecutionProvider"])
    return session.run(None, {"x": values})[0]


def by_rnc(rnc, folder, shape, layers, graph, values):
    def path(name):
        return os.path.join(folder, name)

    with open(path("case.net"), "w", encoding="ascii") as net:
        net.write(f"net one {{\n batch {values.shape[0]}\n input image[{', '.join(map(str, shape))}]\n"
                  f" {layers}\n output y\n}}\n")
    command = [rnc, "eval", path("case.net"), "--input", path("image.npy"),
               "--output-dir", folder]
    if graph.weights:
        save_file(graph.weights, path("case.safetensors"))
        command += ["-w", path("case.safetensors")]
    else:
        command += ["--init", "zeros"]  # there is nothing to fill
    np.save(path("image.npy"), values)
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode != 0:
        raise RuntimeError(done.stderr)
    return np.load(path("y.npy"))


def check(rnc, number, name, shape, layers, build):
    """The largest difference, over the largest element."""
    graph = Graph(number)
    scale = 127.5 if name == "normalize" else 4.0
    shift = scale if name == "normalize" else 0.0
    values = graph.random.uniform(-scale, scale, (2, *shape)).astype(np.float32) + np.float32(shift)
    wanted = by_onnxruntime(graph, build(graph, "x"), values)
    with tempfile.TemporaryDirectory() as folder:
        got = by_rnc(rnc, folder, shape, layers, graph, values)
    if got.size != wanted.size or got.shape[:2] != wanted.shape[:2]:
        raise RuntimeError(f"the shape is {got.shape}, ONNX Runtime's {wanted.shape}")
    return np.abs(got.reshape(wanted.shape) - wanted).max() / np.abs(wanted).max()


def main():
    if len(sys.argv) != 2:
        sys.exit("usage: check_ops.py RNC")
    failed = 0
    for number, (name, shape, layers, build) in enumerate(CASES):
        try:
            apart = check(sys.argv[1], number, name, shape, layers, build)
        except RuntimeError as error:
            print(f"FAIL {name}: {error}")
            failed += 1
            continue
        good = apart <= TOLERANCE
        failed += not good
        print(f"{'ok  ' if good else 'FAIL'} {name}: apart by {apart:.1e} of the largest element")
    print(f"{len(CASES) - failed} passed, {failed} failed")
    sys.exit(failed > 0)


if __name__ == "__main__":
    main()
