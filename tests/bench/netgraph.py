"""A network as `rnc --dump ir` prints it, and the same network as an ONNX model.

The second opinion for numbers and for speed: the graph before any of rnc's
passes, with the weights of the same safetensors file, run by ONNX Runtime.
"""
import json
import re
import struct
import subprocess

import numpy as np

DTYPES = {"F32": np.float32, "F64": np.float64, "F16": np.float16}


def read_safetensors(path):
    """{name: array} of a file of F64, F32 and F16 tensors."""
    with open(path, "rb") as f:
        (size,) = struct.unpack("<Q", f.read(8))
        head = json.loads(f.read(size))
        data = f.read()
    tensors = {}
    for name, t in head.items():
        if name != "__metadata__" and t["dtype"] in DTYPES:
            begin, end = t["data_offsets"]
            array = np.frombuffer(data[begin:end], DTYPES[t["dtype"]])
            tensors[name] = array.reshape(t["shape"])
    return tensors


def write_safetensors(path, tensors):
    """Writes {name: float32 array}."""
    head, at = {}, 0
    for name, array in tensors.items():
        head[name] = {"dtype": "F32", "shape": list(array.shape),
                      "data_offsets": [at, at + array.nbytes]}
        at += array.nbytes
    text = json.dumps(head).encode()
    text += b" " * (-len(text) % 8)
    with open(path, "wb") as f:
        f.write(struct.pack("<Q", len(text)) + text)
        for array in tensors.values():
            f.write(np.ascontiguousarray(array, np.float32).tobytes())


class Node:
    """One line of the text: name, op, operands, attributes, type, parameters."""

    def __init__(self, name, op, operands, attrs, dims):
        self.name, self.op, self.operands, self.attrs = name, op, operands, attrs
        self.n, self.h, self.w, self.c = dims
        self.params = {}  # role: (alias, dims)
        self.axes = {}    # role: their order in the file, where it is not that of dims
        self.results = [name]  # of the operator, of which this one is the node

    def pair(self, key, default=1):
        value = self.attrs.get(key)
        return [int(x) for x in value.split("x")] if value else [default, default]

    def padding(self):
        value = self.attrs.get("padding", "(0, 0, 0, 0)")
        return [int(x) for x in value.strip("()").split(",")]

    def reals(self, key, default):
        value = self.attrs.get(key)
        if not value:
            return [default]
        return [float(x) for x in value.strip("()").split(",")]


class Graph:
    """nodes in order, inputs and outputs as (port name, node name)."""

    def __init__(self, text):
        self.nodes, self.inputs, self.outputs = {}, [], []
        node = None
        for line in text.splitlines():
            line = re.sub(r"\s+#.*$", "", line)
            port = re.match(r"port (in|out) (\S+) = (\S+)", line)
            param = re.match(r"    (\w+) ((?:\[\d+\])+)(?: \"(.*)\")?(?: (\w+))?$", line)
            shared = re.match(r"    (\w+) ((?:\[\d+\])+) is (\S+)\.(\w+)$", line)
            head = re.match(r"(\S+(?:, \S+)*) = (\w+)(?:\(([^)]*)\))?(.*?) : ((?:f32|u8) nchw.*)$", line)
            if port:
                (self.inputs if port[1] == "in" else self.outputs).append((port[2], port[3]))
            elif param and node:
                dims = [int(d) for d in re.findall(r"\d+", param[2])]
                node.params[param[1]] = (param[3] or f"{node.name}.{param[1]}", dims)
                if param[4]:
                    node.axes[param[1]] = param[4]
            elif shared and node:
                node.params[shared[1]] = self.nodes[shared[3]].params[shared[4]]
            elif head:
                attrs = dict(re.findall(r"(\w+)=(\([^)]*\)|\S+)", head[4]))
                operands = [x.strip() for x in head[3].split(",")] if head[3] else []
                results = head[1].split(", ")
                for name, dims in zip(results, re.findall(r"nchw((?:\[\d+\]){4})", head[5])):
                    n, c, h, w = (int(d) for d in re.findall(r"\d+", dims))
                    node = self.nodes[name] = Node(name, head[2], operands, attrs, (n, h, w, c))
                    node.results = results

    @staticmethod
    def of(rnc, net, *options):
        """The network of a .net file, as rnc lowers it."""
        done = subprocess.run([rnc, net, "--dump", "ir", *options], check=True,
                              stdout=subprocess.PIPE, text=True)
        return Graph(done.stdout)

    def reordered(self, tensors, to_file):
        """The tensors with axes as the file has them, or from there as dims has them."""
        orders = {"hwio": ((2, 3, 1, 0), (3, 2, 0, 1)), "io": ((1, 0), (1, 0))}
        result = dict(tensors)
        for node in self.nodes.values():
            for role, axes in node.axes.items():
                alias = node.params[role][0]
                result[alias] = tensors[alias].transpose(orders[axes][0 if to_file else 1])
        return result

    def random_weights(self, seed):
        """Plausible trained values: activations keep their size from layer to layer."""
        rng = np.random.default_rng(seed)
        tensors = {}
        for node in self.nodes.values():
            for role, (alias, dims) in node.params.items():
                if role == "weight" and len(dims) > 1:
                    fan_in = int(np.prod(dims[1:]))
                    value = rng.standard_normal(dims) * np.sqrt(1 / fan_in)
                elif role in ("weight", "running_var"):
                    value = rng.uniform(0.5, 1.25, dims)
                else:
                    value = rng.standard_normal(dims) * 0.1
                tensors[alias] = value.astype(np.float32)
        return tensors


def normalize_affine(node):
    """scale and shift of a normalize, in double: (x * scale - mean) / std."""
    mean = np.resize(np.array(node.reals("mean", 0)), node.c)
    std = np.resize(np.array(node.reals("std", 1)), node.c)
    return float(node.attrs["scale"]) / std, -mean / std


def to_onnx(graph, tensors, path):
    """Writes the ONNX model; images are float NCHW, pixels 0..255 as rnc takes them."""
    import onnx
    from onnx import TensorProto, helper, numpy_helper

    ops, constants = [], []

    def constant(name, array):
        constants.append(numpy_helper.from_array(np.ascontiguousarray(array), name))
        return name

    def add(kind, inputs, output, **attributes):
        ops.append(helper.make_node(kind, inputs, [output], name=output, **attributes))

    def channels(values):
        return values.astype(np.float32).reshape(1, -1, 1, 1)

    for node in graph.nodes.values():
        x, out = node.operands, node.name
        params = {role: constant(f"{out}/{role}", tensors[alias])
                  for role, (alias, _) in node.params.items()}
        top, left, bottom, right = node.padding()
        window = dict(kernel_shape=node.pair("kernel"), strides=node.pair("stride"),
                      pads=[top, left, bottom, right])
        ceil_mode = int(node.attrs.get("ceil_mode") == "true")
        if node.op == "input":
            continue
        if node.op == "normalize":
            scale, shift = normalize_affine(node)
            add("Mul", [x[0], constant(out + "/scale", channels(scale))], out + "/scaled")
            add("Add", [out + "/scaled", constant(out + "/shift", channels(shift))], out)
        elif node.op == "conv":
            inputs = [x[0], params["weight"]] + ([params["bias"]] if "bias" in params else [])
            add("Conv", inputs, out, dilations=node.pair("dilation"),
                group=int(node.attrs.get("groups", 1)), **window)
        elif node.op == "bn":
            add("BatchNormalization", [x[0], params["weight"], params["bias"],
                                       params["running_mean"], params["running_var"]], out,
                epsilon=float(node.attrs.get("epsilon", 1e-5)))
        elif node.op == "affine":
            scale, shift = (np.resize(np.array(node.reals(*k)), node.c)
                            for k in (("scale", 1), ("shift", 0)))
            add("Mul", [x[0], constant(out + "/factors", channels(scale))], out + "/scaled")
            add("Add", [out + "/scaled", constant(out + "/shift", channels(shift))], out)
        elif node.op == "group_norm":  # each group as one channel, then a factor for each channel
            groups = int(node.attrs["groups"])
            ones = constant(out + "/ones", np.ones(groups, np.float32))
            zeros = constant(out + "/zeros", np.zeros(groups, np.float32))
            add("Reshape", [x[0], constant(out + "/grouped", np.array([node.n, groups, -1], np.int64))],
                out + "/groups")
            add("InstanceNormalization", [out + "/groups", ones, zeros], out + "/normal",
                epsilon=float(node.attrs.get("epsilon", 1e-5)))
            shape = np.array([node.n, node.c, node.h, node.w], np.int64)
            add("Reshape", [out + "/normal", constant(out + "/shape", shape)], out + "/image")
            factor, addend = (tensors[node.params[role][0]] for role in ("weight", "bias"))
            add("Mul", [out + "/image", constant(out + "/factors", channels(factor))], out + "/scaled")
            add("Add", [out + "/scaled", constant(out + "/shift", channels(addend))], out)
        elif node.op == "relu6":
            add("Clip", [x[0], constant(out + "/least", np.float32(0)),
                         constant(out + "/most", np.float32(6))], out)
        elif node.op == "leaky_relu":
            add("LeakyRelu", x, out, alpha=float(node.attrs.get("alpha", 0.01)))
        elif node.op == "hard_sigmoid":
            add("HardSigmoid", x, out, alpha=1 / 6, beta=0.5)
        elif node.op == "prelu":
            slopes = tensors[node.params["weight"][0]].reshape(-1, 1, 1)
            add("PRelu", [x[0], constant(out + "/slopes", slopes)], out)
        elif node.op == "scale":
            result = x[0]
            for role, kind in (("weight", "Mul"), ("bias", "Add")):
                if role in params:
                    numbers = tensors[node.params[role][0]].reshape(-1, 1, 1)
                    last = role == "bias" or "bias" not in params
                    target = out if last else out + "/scaled"
                    add(kind, [result, constant(f"{out}/{role}s", numbers)], target)
                    result = target
        elif node.op == "layer_norm" and node.attrs.get("over", "channels") == "channels":
            add("Transpose", x, out + "/nhwc", perm=[0, 2, 3, 1])
            add("LayerNormalization", [out + "/nhwc", params["weight"], params["bias"]],
                out + "/normal", axis=-1, epsilon=float(node.attrs.get("epsilon", 1e-5)))
            add("Transpose", [out + "/normal"], out, perm=[0, 3, 1, 2])
        elif node.op == "silu":
            add("Sigmoid", x, out + "/gate")
            add("Mul", [x[0], out + "/gate"], out)
        elif node.op in ("relu", "sigmoid", "tanh", "hard_swish", "gelu"):
            kind = {"hard_swish": "HardSwish"}.get(node.op, node.op.capitalize())
            add(kind, x, out)
        elif node.op == "maxpool":
            add("MaxPool", x, out, ceil_mode=ceil_mode, **window)
        elif node.op == "avgpool":
            counted = node.attrs.get("count_padding", "true") == "true"
            add("AveragePool", x, out, count_include_pad=int(counted), ceil_mode=ceil_mode,
                **window)
        elif node.op == "dense":
            add("Flatten", [x[0]], out + "/vector", axis=1)
            add("Gemm", [out + "/vector", params["weight"]] +
                ([params["bias"]] if "bias" in params else []), out + "/product", transB=1)
            shape = constant(out + "/shape", np.array([node.n, node.c, 1, 1], np.int64))
            add("Reshape", [out + "/product", shape], out)
        elif node.op == "softmax":
            add("Softmax", x, out, axis=1)
        elif node.op in ("add", "mul", "sub", "div"):
            total = x[0]
            for i, other in enumerate(x[1:]):
                result = out if i == len(x) - 2 else f"{out}/{i}"
                add(node.op.capitalize(), [total, other], result)
                total = result
        elif node.op == "split":
            if out == node.results[0]:
                parts = [graph.nodes[name].c for name in node.results]
                sizes = constant(out + "/sizes", np.array(parts, np.int64))
                ops.append(helper.make_node("Split", [x[0], sizes], node.results, name=out, axis=1))
        elif node.op == "channel_shuffle":
            groups = int(node.attrs["groups"])
            apart = np.array([node.n, groups, node.c // groups, node.h, node.w], np.int64)
            shape = np.array([node.n, node.c, node.h, node.w], np.int64)
            add("Reshape", [x[0], constant(out + "/apart", apart)], out + "/groups")
            add("Transpose", [out + "/groups"], out + "/mixed", perm=[0, 2, 1, 3, 4])
            add("Reshape", [out + "/mixed", constant(out + "/shape", shape)], out)
        elif node.op == "resize":
            shape = np.array([node.n, node.c, node.h, node.w], np.int64)
            corners = node.attrs.get("corners", "half_pixel")
            add("Resize", [x[0], "", "", constant(out + "/size", shape)], out,
                mode={"bilinear": "linear"}.get(node.attrs["mode"], "nearest"),
                coordinate_transformation_mode=corners,
                nearest_mode="floor" if corners == "asymmetric" else "round_prefer_ceil")
        elif node.op == "concat":
            add("Concat", x, out, axis=1)
        elif node.op == "flatten":
            source = x[0]
            if node.attrs.get("order", "nchw") == "nhwc":
                add("Transpose", x, out + "/nhwc", perm=[0, 2, 3, 1])
                source = out + "/nhwc"
            shape = constant(out + "/shape", np.array([node.n, node.c, 1, 1], np.int64))
            add("Reshape", [source, shape], out)
        elif node.op == "zeropad":
            front, behind = node.pair("channels", 0)
            pads = np.array([0, front, top, left, 0, behind, bottom, right], np.int64)
            add("Pad", [x[0], constant(out + "/pads", pads)], out)
        elif node.op == "subsample":
            stride = node.pair("stride")
            add("Slice", [x[0], constant(out + "/from", np.array([0, 0], np.int64)),
                          constant(out + "/to", np.array([2**31, 2**31], np.int64)),
                          constant(out + "/axes", np.array([2, 3], np.int64)),
                          constant(out + "/steps", np.array(stride, np.int64))], out)
        elif node.op == "upsample":
            scale = [1.0, 1.0] + [float(s) for s in node.pair("scale")]
            add("Resize", [x[0], "", constant(out + "/scale", np.array(scale, np.float32))], out,
                mode="nearest", coordinate_transformation_mode="asymmetric", nearest_mode="floor")
        else:
            raise ValueError(f"{node.name}: no ONNX for the operator '{node.op}'")

    def value(name):
        node = graph.nodes[name]
        return helper.make_tensor_value_info(name, TensorProto.FLOAT,
                                             [node.n, node.c, node.h, node.w])

    model = helper.make_model(
        helper.make_graph(ops, "net", [value(n) for _, n in graph.inputs],
                          [value(n) for n in dict.fromkeys(n for _, n in graph.outputs)],
                          constants),
        opset_imports=[helper.make_opsetid("", 20)], ir_version=9)
    onnx.save(model, path)
