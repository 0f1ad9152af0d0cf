#!/usr/bin/env python3
"""make check-tutorial: the tutorial's ResNet-50 and ResNet V2-50 by rnc, Keras and PyTorch.

rnc draws the weights (--init); Keras, whose models are written layer by layer in
kerasnets.py, and PyTorch compute with the same numbers.  Both outputs, logits and
probabilities, must agree to 2e-5 of the largest element.  The weights then go through
files: what Keras and NumPy save, rnc must read back to the bit.  A framework that is
not installed is skipped.  Ends with "N passed, N failed".
"""
import argparse
import filecmp
import importlib.util
import json
import os
import re
import subprocess
import sys
import tempfile

import numpy as np

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path[:0] = [HERE, os.path.join(HERE, "..", "bench")]
from case import Case  # noqa: E402
from measure import answers, difference  # noqa: E402
from netgraph import Graph, read_safetensors  # noqa: E402
from process import Process  # noqa: E402
from rncside import Built, add_places, run  # noqa: E402

TOLERANCE = 2e-5  # of the largest element
# net, the Keras model, its logits' layer, --init
NETS = [("resnet50-keras", "resnet50", "dense1", "glorot_uniform:0"),
        ("resnet50-keras", "resnet50", "dense1", "random:1"),
        ("resnet-v2", "resnet50_v2", "logits", "glorot_uniform:0"),
        ("resnet-v2", "resnet50_v2", "logits", "random:1")]


class Trial:
    """One network with its weights, in a folder; what passed and failed."""

    def __init__(self, args, folder, row):
        self.args, self.folder = args, folder
        name, self.model, logits, self.init = row
        self.net = os.path.join(args.models_dir, "tutorial", name + ".net")
        self.label = f"{name} --init {self.init}"
        self.options = ["--tap", logits, "--input-type", "f32", "--input-order", "nchw",
                        "--batch", "2"]
        self.passed = self.failed = 0

    def path(self, name):
        return os.path.join(self.folder, name)

    def result(self, good, what):
        self.passed, self.failed = self.passed + good, self.failed + (not good)
        print(f"{'' if good else 'FAIL '}{self.label}: {what}", flush=True)

    def prepare(self):
        """The files of a case (case.py): graph, weights by the network's own names, picture."""
        run([self.args.rnc, "convert", self.net, "--init", self.init, "-q", "-o",
             self.path("net.safetensors")])
        text = run([self.args.rnc, self.net, "--dump", "ir", *self.options])
        # What files call a parameter: layer and name, by its own name.
        self.aliases = {}
        node = None
        for line in text.splitlines():
            head = re.match(r"(\S+) = ", line)
            param = re.match(r'    (\w+) (?:\[\d+\])+(?: "(.*)\.(\w+)")?', line)
            node = head[1] if head else node
            if param:
                self.aliases[f"{node}.{param[1]}"] = (param[2] or node, param[3] or param[1])
        text = re.sub(r"(?m)^(    \w+ (?:\[\d+\])+) .*$", r"\1", text)
        with open(self.path("net.ir"), "w") as f:
            f.write(text)
        self.graph = Graph(text)
        self.tensors = read_safetensors(self.path("net.safetensors"))
        dims = [[n.n, n.c, n.h, n.w] for n in self.graph.nodes.values()
                if n.name in [name for _, name in self.graph.inputs + self.graph.outputs]]
        self.picture = np.random.default_rng(4).uniform(0, 255, dims[0]).astype(np.float32)
        self.picture.tofile(self.path("input0.f32"))
        outputs = [self.graph.nodes[n] for _, n in self.graph.outputs]
        with open(self.path("case.json"), "w") as f:
            json.dump({"inputs": [{"name": self.graph.inputs[0][1], "dims": dims[0]}],
                       "outputs": [{"name": n.name, "dims": [n.n, n.c, n.h, n.w]}
                                   for n in outputs]}, f)

    def ours(self):
        case = Case(self.folder)
        process = Process(Built(self.args, self.net, case, self.options).argv(1), 1,
                          case.path("log"))
        try:
            return answers(process, case, "rnc")
        finally:
            process.close()

    def agree(self, ours, theirs, who):
        error = difference(ours, [np.ascontiguousarray(a).ravel() for a in theirs])
        self.result(error <= TOLERANCE, f"{who}: worst difference {error:.1e} of the largest")

    def read_back(self, file):
        """The file's weights, converted, are those that it was made of."""
        back = self.path("back.safetensors")
        done = subprocess.run([self.args.rnc, "convert", self.net, "-w", self.path(file), "-q",
                               "-o", back], stderr=subprocess.PIPE, text=True)
        same = done.returncode == 0 and filecmp.cmp(back, self.path("net.safetensors"), False)
        self.result(same, f"{file} is read back {'to the bit' if same else 'wrong'}")
        sys.stdout.write(done.stderr)

    def files_order(self, array):
        """As Keras has kernels: [height][width][in][out], [in][out]."""
        return array.transpose(2, 3, 1, 0) if array.ndim == 4 else array.T

    def keras(self, ours):
        import kerasnets
        n, channels, height, width = self.picture.shape
        classes = len(ours[0]) // n
        model = getattr(kerasnets, self.model)((height, width, channels), classes)
        values = {}
        for own, (layer, name) in self.aliases.items():
            values[layer, name] = self.files_order(self.tensors[own])
        for layer in model.layers:
            layer.set_weights([values.pop((layer.name, w.name)) for w in layer.weights])
        self.result(not values, f"Keras has {model.count_params():,} parameters"
                    + "".join(f", and not {x}" for x in values))
        theirs = model(self.picture.transpose(0, 2, 3, 1), training=False)
        self.agree(ours, [np.asarray(t) for t in theirs], "Keras")
        model.save_weights(self.path("keras3.weights.h5"))
        model.save(self.path("keras2.h5"))
        self.read_back("keras3.weights.h5")
        self.read_back("keras2.h5")

    def numpy(self):
        arrays = {f"{layer}/{name}": self.files_order(self.tensors[own])
                  for own, (layer, name) in self.aliases.items()}
        np.savez(self.path("numpy.npz"), **arrays)
        self.read_back("numpy.npz")

    def torch(self, ours):
        import torch
        from peers.torch import Net
        with torch.no_grad():
            net = Net(self.graph, self.tensors, [name for _, name in self.graph.outputs])
            theirs = net(torch.from_numpy(self.picture))
        self.agree(ours, [t.numpy() for t in theirs], "PyTorch")


def main():
    p = argparse.ArgumentParser(description=__doc__,
                                formatter_class=argparse.RawDescriptionHelpFormatter)
    add_places(p)
    args = p.parse_args()
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "2")
    there = {name: importlib.util.find_spec(name) for name in ("keras", "torch")}
    for name, spec in there.items():
        if not spec:
            print(f"skipped: {name} is not installed")
    passed = failed = 0
    for row in NETS:
        with tempfile.TemporaryDirectory() as folder:
            trial = Trial(args, folder, row)
            trial.prepare()
            ours = trial.ours()
            trial.numpy()
            if there["keras"]:
                trial.keras(ours)
            if there["torch"]:
                trial.torch(ours)
        passed, failed = passed + trial.passed, failed + trial.failed
    print(f"{passed} passed, {failed} failed")
    return failed > 0


if __name__ == "__main__":
    sys.exit(main())
