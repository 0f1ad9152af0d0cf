#!/usr/bin/env python3
"""Part of make check-tutorial: steps of training by rnc and by PyTorch.

First the interpreter, `rnc eval --train`: for each network rnc draws the weights (--init random) and PyTorch computes with the same numbers,
images and labels, in training mode: logits, loss, the gradient by every parameter and every running
statistic after the step.  PyTorch's autograd computes in double, as rnc's interpreter does, and
each tensor must agree to 1e-9 of its largest element; how much it differs in float32, as people
train, is reported beside that.  A gradient below 1e-12 of the largest of all is
rounding, as that of a bias before a normalisation is: it must be so small in both.
Then the emitted C with --exact, in float32, whose loss, gradients and statistics may be no further
from PyTorch's in double than NEAR, or twice as far as PyTorch's own in float32 are; and STEPS steps of
Adam: their losses, and the parameters after them.
Ends with "N passed, N failed".
"""
import argparse
import os
import re
import subprocess
import sys
import tempfile
import warnings

import numpy as np
import torch
import torch.nn.functional as F

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path[:0] = [HERE, os.path.join(HERE, "..", "bench")]
from emitted_step import Step  # noqa: E402
from netgraph import Graph, normalize_affine, read_safetensors  # noqa: E402
from rncside import add_places  # noqa: E402
from peers import torch as peer  # noqa: E402

warnings.filterwarnings("ignore", "CUDA initialization")  # there is none (cputorch.py)

TOLERANCE = 1e-9  # of the largest element, both in double
NOTHING = 1e-12   # of the largest gradient or statistic: what is smaller is rounding
# net, options, label smoothing
NETS = [("tutorial/resnet50-keras", ["--batch", "4"], 0),
        ("tutorial/resnet50-keras", ["--batch", "3", "-D", "size=48x40"], 0.1),
        ("tutorial/resnet-v2", ["--batch", "2", "-D", "size=64x64"], 0),
        ("resnet20", ["--batch", "8"], 0),
        ("resnet20", ["--batch", "8", "-D", "option=B"], 0.1),
        ("mobilenet_v2", ["--batch", "3", "-D", "size=64x64"], 0.1),
        ("seresnet50", ["--batch", "2", "-D", "size=64x64"], 0),
        ("densenet121", ["--batch", "2", "-D", "size=64x64"], 0)]
NEAR = 1e-5       # of the largest element, in float32
STEPS, RATE = 10, 1e-4
COMMON = ["--input-type", "f32", "--input-order", "nchw"]


class Training(peer.Net):
    """The graph with parameters that are trained, and normalisation by the batch."""

    def __init__(self, graph, tensors, outputs, dtype):
        super().__init__(graph, tensors, outputs)
        self.to(dtype)
        self.trained, self.after = {}, {}  # the running statistics after the step
        for node in graph.nodes.values():
            if node.op == "normalize":
                for role, value in zip(("scale", "shift"), normalize_affine(node)):
                    self.keep(node, role, torch.from_numpy(value).to(dtype).reshape(1, -1, 1, 1))
            for role in node.params:
                if not role.startswith("running"):
                    self.trained[f"{node.name}.{role}"] = self.parameter(node, role)
        for tensor in self.trained.values():
            tensor.requires_grad_(True)

    def normalise(self, node, x):
        old = [self.parameter(node, role) for role in ("running_mean", "running_var")]
        mean, variance = (tensor.clone() for tensor in old)
        momentum = float(node.attrs.get("momentum", 0.1))
        y = F.batch_norm(x, mean, variance, self.parameter(node, "weight"),
                         self.parameter(node, "bias"), training=True, momentum=momentum,
                         eps=float(node.attrs.get("epsilon", 1e-5)))
        if node.attrs.get("variance", "unbiased") == "biased":
            variance = x.detach().var((0, 2, 3), correction=0).lerp(old[1], 1 - momentum)
        self.after[f"{node.name}.running_mean"] = mean
        self.after[f"{node.name}.running_var"] = variance
        return y

    def forward(self, *pictures):
        values = dict(zip((name for _, name in self.graph.inputs), pictures))
        for node in self.graph.nodes.values():
            x = [values[name] for name in node.operands]
            if node.op == "bn":
                values[node.name] = self.normalise(node, x[0])
            elif node.op != "input":
                values[node.name] = peer.apply(self, node, x)
        return tuple(values[name] for name in self.outputs)


def theirs(graph, tensors, logits, picture, labels, smoothing, dtype):
    """{name: array}: logits, loss, gradients, statistics."""
    net = Training(graph, tensors, [logits], dtype)
    out = net(torch.from_numpy(picture).to(dtype))[0].flatten(1)
    loss = F.cross_entropy(out, torch.from_numpy(labels), label_smoothing=smoothing)
    loss.backward()
    found = {"logits": out, "loss": loss}
    for name, tensor in net.trained.items():
        found["gradient " + name] = tensor.grad
    for name, tensor in net.after.items():
        found["statistic " + name] = tensor
    return {name: t.detach().double().numpy() for name, t in found.items()}


def ours(rnc, net, options, logits, folder, smoothing):
    path = {n: os.path.join(folder, n) for n in ("image.npy", "labels.npy", "out", "g.safetensors")}
    subprocess.run([rnc, "eval", net, "-w", os.path.join(folder, "w.safetensors"), *options, "-q",
                    "--train", "--loss", f"cross_entropy:{smoothing}", "--tensor", logits,
                    "--input", "image=" + path["image.npy"],
                    "--input", "labels=" + path["labels.npy"],
                    "--output-dir", path["out"], "-o", path["g.safetensors"]],
                   check=True, stdout=subprocess.DEVNULL)
    found = {"logits": np.load(os.path.join(path["out"], logits + ".npy")),
             "loss": np.load(os.path.join(path["out"], "loss.npy")).reshape(())}
    for name, array in read_safetensors(path["g.safetensors"]).items():
        kind = "statistic" if re.search(r"\.running_\w+$", name) else "gradient"
        found[f"{kind} {name}"] = array
    return found


def is_rounding(values):
    """The gradients and the statistics that would be 0 but for rounding."""
    names = set()
    for kind in ("gradient", "statistic"):
        most = {name: np.abs(a).max() for name, a in values.items() if name.startswith(kind)}
        names |= {name for name, x in most.items() if x <= NOTHING * max(most.values())}
    return names


def images(shape, most, rng):
    """Random patches of colour, so that images differ as photographs do; noise alone would be
    much the same image again and again, and normalisation by the batch would amplify rounding."""
    n, c, h, w = shape
    patches = rng.uniform(0, 1, (n, c, 4, 4)).repeat(-(-h // 4), 2).repeat(-(-w // 4), 3)
    noise = rng.uniform(0, 1, shape)
    return (most * (0.8 * patches[:, :, :h, :w] + 0.2 * noise)).astype(np.float32)


def worst(got, wanted, names):
    """The largest difference relative to a tensor's largest, and the tensor."""
    return max((float(np.abs(got[name].reshape(wanted[name].shape) - wanted[name]).max()
                      / np.abs(wanted[name]).max()), name) for name in names)


def optimize(graph, tensors, logits, picture, labels, smoothing, dtype):
    """{name: array}: the losses of STEPS steps of Adam, and the parameters after them."""
    net = Training(graph, tensors, [logits], dtype)
    optimizer = torch.optim.Adam(net.trained.values(), lr=RATE)
    losses = []
    for _ in range(STEPS):
        optimizer.zero_grad()
        out = net(torch.from_numpy(picture).to(dtype))[0].flatten(1)
        loss = F.cross_entropy(out, torch.from_numpy(labels), label_smoothing=smoothing)
        loss.backward()
        optimizer.step()
        losses.append(loss.item())
    found = {name: t.detach().double().numpy() for name, t in net.trained.items()}
    return {"losses": np.array(losses), **found}


def near(label, what, got, double, single, names):
    """Whether the emitted C is as near to PyTorch in double as PyTorch in float32 is; says how near."""
    apart, where = worst(got, double, names)
    usual, there = worst(single, double, names)
    good = apart <= max(NEAR, 2 * usual)
    print(f"{'' if good else 'FAIL '}{label}, {what}: {len(names)} tensors, worst difference "
          f"{apart:.1e} ({where}); PyTorch in float32: {usual:.1e} ({there})", flush=True)
    return good


def check_emitted(args, net, options, label, case, double, single, names):
    """How many comparisons of the emitted C are good, of two."""
    graph, tensors, logits, picture, labels, smoothing, folder = case
    with open(net, encoding="utf-8") as f:
        name = re.findall(r"(?m)^net (\w+)", f.read())[-1]
    batch = options.index("--batch")
    loss = f"loss cross_entropy smoothing={smoothing}"
    options = options[:batch] + options[batch + 2:] + ["--exact"]
    numbers = labels.astype(np.int32)
    # With two batches for an update, the gradient of the first stays in the state.
    once = Step(args.rnc, net, name, len(labels), f"accumulate 2 ; optimizer sgd 1 ; {loss}", options,
                folder)
    once.set(tensors)
    got = {"loss": np.array(once.step(picture, numbers, 1))}
    got.update({"gradient " + n: x for n, x in once.get("gradient").items()})
    got.update({"statistic " + n: x for n, x in once.get("statistic").items()})
    good = near(label, "the emitted C", got, double, single, [n for n in names if n != "logits"])
    adam = Step(args.rnc, net, name, len(labels), f"optimizer adam {RATE} ; {loss}", options,
                tempfile.mkdtemp(dir=folder))
    adam.set(tensors)
    losses = np.array([adam.step(picture, numbers, RATE) for _ in range(STEPS)])
    got = {"losses": losses, **adam.get("parameter")}
    double, single = (optimize(graph, tensors, logits, picture, labels, smoothing, dtype)
                      for dtype in (torch.float64, torch.float32))
    # A gradient that is only rounding has any sign, which is all that Adam sees of it.
    moved = [n for n in double if n == "losses" or "gradient " + n in names]
    return good + near(label, f"{STEPS} steps of Adam", got, double, single, moved)


def check(args, net, options, smoothing, folder):
    """How many comparisons are good, of three; says how well."""
    label = " ".join([os.path.basename(net), *options])
    net, options = os.path.join(args.models_dir, net + ".net"), options + COMMON
    weights = os.path.join(folder, "w.safetensors")
    defines = [x for i, x in enumerate(options) if x == "-D" or options[i - 1] == "-D"]
    subprocess.run([args.rnc, "convert", net, "--init", args.init, "-q", "-o", weights, *defines],
                   check=True)
    text = subprocess.run([args.rnc, net, "--dump", "ir", *options], check=True,
                          stdout=subprocess.PIPE, text=True).stdout
    graph = Graph(re.sub(r"(?m)^(    \w+ (?:\[\d+\])+) .*$", r"\1", text))  # rnc's own names
    last = graph.nodes[graph.outputs[0][1]]
    logits = last.operands[0] if last.op == "softmax" else last.name
    (_, image), = graph.inputs
    shape = [getattr(graph.nodes[image], k) for k in "nchw"]
    rng = np.random.default_rng(5)
    most = 255 if any(n.op == "normalize" for n in graph.nodes.values()) else 1
    picture = images(shape, most, rng)
    labels = rng.integers(0, last.c, shape[0])
    np.save(os.path.join(folder, "image.npy"), picture)
    np.save(os.path.join(folder, "labels.npy"), labels)
    tensors = read_safetensors(weights)
    got = ours(args.rnc, net, options, logits, folder, smoothing)
    double, single = (theirs(graph, tensors, logits, picture, labels, smoothing, dtype)
                      for dtype in (torch.float64, torch.float32))
    names = [name for name in double if name not in is_rounding(double)]
    apart, where = worst(got, double, names)
    usual, there = worst(got, single, names)
    good = (apart <= TOLERANCE and got.keys() == double.keys()
            and is_rounding(got) == is_rounding(double))
    print(f"{'' if good else 'FAIL '}{label}, smoothing {smoothing}: {len(names)} tensors, worst "
          f"difference {apart:.1e} ({where}); {len(double) - len(names)} are rounding; PyTorch in "
          f"float32: {usual:.1e} ({there})", flush=True)
    return good + check_emitted(
        args, net, options, label, (graph, tensors, logits, picture, labels, smoothing, folder), double,
        single, names)


def main():
    p = argparse.ArgumentParser(description=__doc__,
                                formatter_class=argparse.RawDescriptionHelpFormatter)
    add_places(p)
    p.add_argument("--init", default="random:1", help="how rnc draws the weights")
    p.add_argument("nets", nargs="*", help="only those whose name has one of these words")
    args = p.parse_args()
    passed = failed = 0
    for net, options, smoothing in NETS:
        if args.nets and not any(word in net for word in args.nets):
            continue
        with tempfile.TemporaryDirectory() as folder:
            good = check(args, net, options, smoothing, folder)
        passed, failed = passed + good, failed + 3 - good
    print(f"{passed} passed, {failed} failed")
    return failed > 0


if __name__ == "__main__":
    sys.exit(main())
