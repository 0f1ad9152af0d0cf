"""ncnn: a .param and .bin written from the simple graph, f32 throughout.

ncnn computes one picture; a batch is a loop over its pictures.
"""
import importlib.metadata

import ncnn
import numpy as np

from simple import simplify

TITLE = "ncnn"


def version():
    return importlib.metadata.version("ncnn")


class Writer:
    """Layers in order, their weights behind each other."""

    def __init__(self):
        self.layers, self.data, self.blobs = [], [], 0

    def add(self, kind, name, inputs, outputs, **params):
        """params: k0=value for the key 0; a list is an array."""
        words = []
        for key, value in params.items():
            key = int(key[1:])
            if isinstance(value, list):
                words.append(f"-{23300 + key}={len(value)}," + ",".join(map(str, value)))
            else:
                words.append(f"{key}={value}")
        self.layers.append(" ".join([kind, name, str(len(inputs)), str(len(outputs))] +
                                    inputs + outputs + words))
        self.blobs += len(outputs)

    def weights(self, array, flagged=False):
        """flagged: the array may have other types, and says that it is f32."""
        if flagged:
            self.data.append(b"\0\0\0\0")
        self.data.append(np.ascontiguousarray(array, np.float32).tobytes())

    def save(self, stem):
        with open(stem + ".param", "w") as f:
            f.write(f"7767517\n{len(self.layers)} {self.blobs}\n" + "\n".join(self.layers) + "\n")
        with open(stem + ".bin", "wb") as f:
            f.write(b"".join(self.data))


def window(step):
    """Keys of the window's size, dilation, stride and padding, as Convolution has them."""
    (kh, kw), (sh, sw), (dh, dw) = (step.pair(k) for k in ("kernel", "stride", "dilation"))
    top, left, bottom, right = step.padding()
    return dict(k1=kw, k11=kh, k2=dw, k12=dh, k3=sw, k13=sh, k4=left, k15=right, k14=top,
                k16=bottom)


def activation(step):
    return {None: {}, "relu": {"k9": 1}, "relu6": {"k9": 3, "k10": [0.0, 6.0]}}[step.act]


def add_conv(w, step, x, out, channels):
    weight, groups = step.arrays["weight"], int(step.attrs.get("groups", 1))
    keys = dict(k0=step.dims[1], **window(step), k5=1, k6=weight.size, **activation(step))
    if groups > 1:
        keys["k7"] = groups
    w.add("ConvolutionDepthWise" if groups > 1 else "Convolution", step.name, x, out, **keys)
    w.weights(weight, flagged=True)
    w.weights(step.arrays["bias"])


def add_pool(w, step, x, out, source):
    (kh, kw), (sh, sw) = step.pair("kernel"), step.pair("stride")
    top, left, bottom, right = step.padding()
    kind = int(step.op == "avgpool")
    if (kh, kw) == source.dims[2:] and not any(step.padding()):
        w.add("Pooling", step.name, x, out, k0=kind, k4=1)
        return
    counted = int(step.attrs.get("count_padding", "true") == "true")
    w.add("Pooling", step.name, x, out, k0=kind, k1=kw, k11=kh, k2=sw, k12=sh, k3=left, k14=right,
          k13=top, k15=bottom, k5=1, k6=counted)


def add_join(w, step, x, out, steps):
    operation = {"add": 0, "mul": 2}[step.op]
    inputs = []
    for i, (name, operand) in enumerate(zip(x, step.operands)):
        small = steps[operand]
        if small.dims != step.dims:  # one number a channel, a vector in ncnn
            w.add("Reshape", f"{step.name}/shape{i}", [name], [f"{step.name}/shaped{i}"],
                  k0=1, k1=1, k2=small.dims[1])
            name = f"{step.name}/shaped{i}"
        inputs.append(name)
    total = inputs[0]
    for i, other in enumerate(inputs[1:]):
        last = i == len(inputs) - 2
        result = out if last and not step.act else [f"{step.name}/sum{i}"]
        w.add("BinaryOp", f"{step.name}/{i}", [total, other], result, k0=operation)
        total = result[0]
    if step.act:
        add_activation(w, step.act, step.name + "/act", [total], out)


def add_activation(w, op, name, x, out):
    if op == "relu6":
        w.add("Clip", name, x, out, k0=0.0, k1=6.0)
    else:
        w.add({"relu": "ReLU", "sigmoid": "Sigmoid", "tanh": "TanH"}[op], name, x, out)


def add_affine(w, step, x, out):
    result = [step.name + "/affine"] if step.act else out
    w.add("Scale", step.name, x, result, k0=step.dims[1], k1=1)
    w.weights(step.arrays["scale"])
    w.weights(step.arrays["shift"])
    if step.act:
        add_activation(w, step.act, step.name + "/act", result, out)


def add_step(w, step, x, out, steps):
    first = steps[step.operands[0]] if step.operands else None
    if step.op == "input":
        w.add("Input", step.name, [], out, k0=step.dims[3], k1=step.dims[2], k2=step.dims[1])
    elif step.op == "conv":
        add_conv(w, step, x, out, first.dims[1])
    elif step.op == "affine":
        add_affine(w, step, x, out)
    elif step.op in ("maxpool", "avgpool"):
        add_pool(w, step, x, out, first)
    elif step.op == "subsample":
        sh, sw = step.pair("stride")
        w.add("Pooling", step.name, x, out, k0=0, k1=1, k11=1, k2=sw, k12=sh, k5=1)
    elif step.op == "zeropad":
        top, left, bottom, right = step.padding()
        front, behind = step.pair("channels", 0)
        w.add("Padding", step.name, x, out, k0=top, k1=bottom, k2=left, k3=right, k7=front,
              k8=behind)
    elif step.op == "dense":
        w.add("InnerProduct", step.name, x, out, k0=step.dims[1], k1=1,
              k2=step.arrays["weight"].size, **activation(step))
        w.weights(step.arrays["weight"], flagged=True)
        w.weights(step.arrays["bias"])
    elif step.op in ("add", "mul"):
        add_join(w, step, x, out, steps)
    elif step.op == "concat":
        w.add("Concat", step.name, x, out, k0=0)
    elif step.op == "softmax":
        w.add("Softmax", step.name, x, out, k0=0, k1=1)
    elif step.op in ("relu", "relu6", "sigmoid", "tanh"):
        add_activation(w, step.op, step.name, x, out)
    elif step.op == "flatten" and step.attrs.get("order", "nchw") == "nchw":
        w.add("Flatten", step.name, x, out)
    else:
        raise ValueError(f"no ncnn layer is written for the operator '{step.op}'")


def prepare(case):
    steps = simplify(case.graph(), case.tensors())
    users = {}
    for step in steps.values():
        for x in step.operands:
            users[x] = users.get(x, 0) + 1
    for port in case.outputs:
        users[port["name"]] = users.get(port["name"], 0) + 1
    w, given = Writer(), {}
    for step in steps.values():
        inputs = []
        for x in step.operands:  # each consumer has its own copy's name
            inputs.append(given[x].pop(0))
        add_step(w, step, inputs, [step.name], steps)
        count = users.get(step.name, 0)
        given[step.name] = [step.name]
        if count > 1:
            given[step.name] = [f"{step.name}/{i}" for i in range(count)]
            w.add("Split", step.name + "/split", [step.name], given[step.name])
    # The copy that is left of each output is its value.
    with open(case.path("ncnn.outputs"), "w") as f:
        f.write("\n".join(given[p["name"]][-1] for p in case.outputs))
    w.save(case.path("ncnn"))


class Peer:
    def __init__(self, case, threads, pictures):
        ncnn.set_omp_num_threads(threads)
        self.net = ncnn.Net()
        option = self.net.opt
        option.num_threads = threads
        option.use_vulkan_compute = False
        for name in dir(option):  # f32, as everybody else computes
            if name.startswith(("use_fp16", "use_bf16", "use_int8")):
                setattr(option, name, False)
        if self.net.load_param(case.path("ncnn.param")) or \
                self.net.load_model(case.path("ncnn.bin")):
            raise RuntimeError("ncnn does not load what was written for it")
        with open(case.path("ncnn.outputs")) as f:
            self.names = f.read().split()
        self.inputs = [p["name"] for p in case.inputs]
        self.dims = [p["dims"] for p in case.outputs]
        self.mats = [[ncnn.Mat(p[n]).clone() for p in pictures] for n in range(case.batch())]
        self.results = []

    def run(self):
        self.results = []
        for mats in self.mats:
            extractor = self.net.create_extractor()
            for name, mat in zip(self.inputs, mats):
                extractor.input(name, mat)
            outputs = []
            for name in reversed(self.names):  # a tap comes before what is computed from it
                status, mat = extractor.extract(name)
                if status:
                    raise RuntimeError(f"ncnn cannot compute '{name}'")
                outputs.append(mat)
            self.results.append(outputs[::-1])

    def answers(self):
        return [np.concatenate([np.array(r[i]).reshape(1, *d[1:]) for r in self.results])
                for i, d in enumerate(self.dims)]
