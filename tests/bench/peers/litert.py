"""LiteRT (TensorFlow Lite) with XNNPACK: a .tflite written from the simple graph, NHWC.

Its pictures are given to it as [n][h][w][c]: the conversion is not measured.
"""
import importlib.metadata

import flatbuffers
import numpy as np
from ai_edge_litert import schema_py_generated as schema
from ai_edge_litert.interpreter import Interpreter

from simple import simplify

TITLE = "LiteRT"
OPS = schema.BuiltinOperator
ACTS = {None: schema.ActivationFunctionType.NONE, "relu": schema.ActivationFunctionType.RELU,
        "relu6": schema.ActivationFunctionType.RELU6}


def version():
    return importlib.metadata.version("ai-edge-litert")


def nhwc(dims):
    n, c, h, w = dims
    return [n, h, w, c]


class Writer:
    """One subgraph: tensors by number, operators in order."""

    def __init__(self):
        self.model, self.graph = schema.ModelT(), schema.SubGraphT()
        self.model.version, self.model.subgraphs = 3, [self.graph]
        self.model.buffers, self.model.operatorCodes = [schema.BufferT()], []
        self.graph.tensors, self.graph.operators = [], []
        self.codes = {}

    def tensor(self, name, dims, kind=schema.TensorType.FLOAT32, data=None):
        t = schema.TensorT()
        t.name, t.shape, t.type, t.buffer = name, list(dims), kind, 0
        if data is not None:
            buffer = schema.BufferT()
            buffer.data = np.frombuffer(data.tobytes(), np.uint8)
            t.buffer = len(self.model.buffers)
            self.model.buffers.append(buffer)
        self.graph.tensors.append(t)
        return len(self.graph.tensors) - 1

    def floats(self, name, array):
        array = np.ascontiguousarray(array, np.float32)
        return self.tensor(name, array.shape, data=array)

    def integers(self, name, values):
        array = np.array(values, np.int32)
        return self.tensor(name, array.shape, schema.TensorType.INT32, array)

    def add(self, code, inputs, output, kind=None, **options):
        """An operator; kind names its options' class, options are that one's members."""
        if code not in self.codes:
            self.codes[code] = len(self.codes)
            entry = schema.OperatorCodeT()
            entry.builtinCode, entry.deprecatedBuiltinCode = code, min(code, 127)
            entry.version = 1
            self.model.operatorCodes.append(entry)
        op = schema.OperatorT()
        op.opcodeIndex, op.inputs, op.outputs = self.codes[code], inputs, [output]
        if kind:
            op.builtinOptionsType = getattr(schema.BuiltinOptions, kind)
            op.builtinOptions = getattr(schema, kind + "T")()
            for key, value in options.items():
                assert hasattr(op.builtinOptions, key), key
                setattr(op.builtinOptions, key, value)
        self.graph.operators.append(op)

    def save(self, path):
        builder = flatbuffers.Builder(1 << 20)
        builder.Finish(self.model.Pack(builder), b"TFL3")
        with open(path, "wb") as f:
            f.write(builder.Output())


def same(step, source):
    """Does the padding `SAME` mean this window's padding?"""
    pads = step.padding()
    kernel, stride, dilation = (step.pair(k) for k in ("kernel", "stride", "dilation"))
    for axis in (0, 1):
        extent = source.dims[2 + axis]
        out = -(-extent // stride[axis])
        total = max(0, (out - 1) * stride[axis] + (kernel[axis] - 1) * dilation[axis] + 1 - extent)
        if (pads[axis], pads[axis + 2]) != (total // 2, total - total // 2) or \
                out != step.dims[2 + axis]:
            return False
    return True


def padded(w, step, source, x, least=False):
    """(tensor, Padding): x, padded in a step of its own where SAME and VALID are not it.

    Zeros serve a maximum too where nothing is negative; otherwise -inf."""
    if not any(step.padding()):
        return x, schema.Padding.VALID
    if same(step, source):
        return x, schema.Padding.SAME
    top, left, bottom, right = step.padding()
    n, h, width, c = nhwc(source.dims)
    result = w.tensor(step.name + "/padded", [n, h + top + bottom, width + left + right, c])
    pads = w.integers(step.name + "/pads", [[0, 0], [top, bottom], [left, right], [0, 0]])
    if least and source.act is None and source.op != "relu":
        value = w.floats(step.name + "/least", np.array([np.finfo(np.float32).min]))
        w.add(OPS.PADV2, [x, pads, value], result, "PadV2Options")
    else:
        w.add(OPS.PAD, [x, pads], result, "PadOptions")
    return result, schema.Padding.VALID


def add_conv(w, step, source, x, out):
    weight, groups = step.arrays["weight"], int(step.attrs.get("groups", 1))
    (sh, sw), (dh, dw) = step.pair("stride"), step.pair("dilation")
    x, padding = padded(w, step, source, x)
    common = dict(padding=padding, strideH=sh, strideW=sw, dilationHFactor=dh,
                  dilationWFactor=dw, fusedActivationFunction=ACTS[step.act])
    bias = w.floats(step.name + "/bias", step.arrays["bias"])
    if groups > 1 and groups == source.dims[1]:
        taps = w.floats(step.name + "/weight", weight[:, 0].transpose(1, 2, 0)[None])
        w.add(OPS.DEPTHWISE_CONV_2D, [x, taps, bias], out, "DepthwiseConv2DOptions",
              depthMultiplier=step.dims[1] // groups, **common)
        return
    taps = w.floats(step.name + "/weight", weight.transpose(0, 2, 3, 1))
    w.add(OPS.CONV_2D, [x, taps, bias], out, "Conv2DOptions", **common)


def add_pool(w, step, source, x, out):
    if step.op == "avgpool" and tuple(step.pair("kernel")) == source.dims[2:] and \
            not any(step.padding()):
        w.add(OPS.MEAN, [x, w.integers(step.name + "/axes", [1, 2])], out, "ReducerOptions",
              keepDims=True)
        return
    if step.op == "avgpool" and any(step.padding()):
        raise ValueError(f"{step.name}: no padded mean is written for LiteRT")
    x, padding = padded(w, step, source, x, least=True)
    (kh, kw), (sh, sw) = step.pair("kernel"), step.pair("stride")
    w.add(OPS.MAX_POOL_2D if step.op == "maxpool" else OPS.AVERAGE_POOL_2D, [x], out,
          "Pool2DOptions", padding=padding, strideH=sh, strideW=sw, filterHeight=kh,
          filterWidth=kw)


def add_join(w, step, x, out):
    code, kind = {"add": (OPS.ADD, "AddOptions"), "mul": (OPS.MUL, "MulOptions")}[step.op]
    total = x[0]
    for i, other in enumerate(x[1:]):
        last = i == len(x) - 2
        result = out if last else w.tensor(f"{step.name}/{i}", nhwc(step.dims))
        w.add(code, [total, other], result, kind,
              fusedActivationFunction=ACTS[step.act if last else None])
        total = result


def add_affine(w, step, x, out):
    scaled = w.tensor(step.name + "/scaled", nhwc(step.dims))
    w.add(OPS.MUL, [x, w.floats(step.name + "/scale", step.arrays["scale"])], scaled, "MulOptions")
    w.add(OPS.ADD, [scaled, w.floats(step.name + "/shift", step.arrays["shift"])], out,
          "AddOptions", fusedActivationFunction=ACTS[step.act])


def add_dense(w, step, x, out):
    n, channels = step.dims[:2]
    flat, product = (w.tensor(step.name + end, dims) for end, dims in
                     (("/flat", [n, step.arrays["weight"].shape[1]]), ("/2d", [n, channels])))
    w.add(OPS.RESHAPE, [x, w.integers(step.name + "/to", [n, -1])], flat)
    w.add(OPS.FULLY_CONNECTED, [flat, w.floats(step.name + "/weight", step.arrays["weight"]),
                                w.floats(step.name + "/bias", step.arrays["bias"])], product,
          "FullyConnectedOptions", fusedActivationFunction=ACTS[step.act])
    w.add(OPS.RESHAPE, [product, w.integers(step.name + "/back", nhwc(step.dims))], out)


def add_step(w, step, source, x, out):
    plain = {"relu": OPS.RELU, "relu6": OPS.RELU6, "sigmoid": OPS.LOGISTIC, "tanh": OPS.TANH}
    if step.op == "conv":
        add_conv(w, step, source, x[0], out)
    elif step.op in ("maxpool", "avgpool"):
        add_pool(w, step, source, x[0], out)
    elif step.op in ("add", "mul"):
        add_join(w, step, x, out)
    elif step.op == "affine":
        add_affine(w, step, x[0], out)
    elif step.op == "dense":
        add_dense(w, step, x[0], out)
    elif step.op == "concat":
        w.add(OPS.CONCATENATION, x, out, "ConcatenationOptions", axis=3)
    elif step.op == "softmax":
        w.add(OPS.SOFTMAX, x, out, "SoftmaxOptions", beta=1.0)
    elif step.op in plain:
        w.add(plain[step.op], x, out)
    elif step.op == "zeropad":
        top, left, bottom, right = step.padding()
        pads = [[0, 0], [top, bottom], [left, right], step.pair("channels", 0)]
        w.add(OPS.PAD, [x[0], w.integers(step.name + "/pads", pads)], out, "PadOptions")
    elif step.op == "subsample":
        at = [w.integers(step.name + end, values) for end, values in
              (("/begin", [0, 0, 0, 0]), ("/end", nhwc(source.dims)),
               ("/stride", [1, *step.pair("stride"), 1]))]
        w.add(OPS.STRIDED_SLICE, [x[0], *at], out, "StridedSliceOptions")
    else:
        raise ValueError(f"{step.name}: no LiteRT is written for the operator '{step.op}'")


def prepare(case):
    steps, w, number = simplify(case.graph(), case.tensors()), Writer(), {}
    for step in steps.values():
        number[step.name] = w.tensor(step.name, nhwc(step.dims))
        if step.op != "input":
            add_step(w, step, steps[step.operands[0]], [number[x] for x in step.operands],
                     number[step.name])
    w.graph.inputs = [number[p["name"]] for p in case.inputs]
    w.graph.outputs = [number[p["name"]] for p in case.outputs]
    w.save(case.path("net.tflite"))


class Peer:
    def __init__(self, case, threads, pictures):
        self.net = Interpreter(case.path("net.tflite"), num_threads=threads)
        self.net.allocate_tensors()
        for entry, picture in zip(self.net.get_input_details(), pictures):
            self.net.set_tensor(entry["index"],
                                np.ascontiguousarray(picture.transpose(0, 2, 3, 1)))

    def run(self):
        self.net.invoke()

    def answers(self):
        return [self.net.get_tensor(entry["index"]).transpose(0, 3, 1, 2)
                for entry in self.net.get_output_details()]
