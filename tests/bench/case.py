"""One network to measure: its graph, weights and picture in a folder that all programs read.

    net.ir              the graph as rnc lowers it, before any pass
    net.safetensors     its weights
    net.onnx            both, as `rnc export` writes them, or net.onnx.why, why it does not
    input0.f32 ...      the inputs, float, [n][c][h][w]
    case.json           the ports' names and dims
"""
import json
import os
import subprocess

import numpy as np

from netgraph import Graph, read_safetensors, write_safetensors


class Case:
    """The folder as a program sees it; nothing is read before it is asked for."""

    def __init__(self, folder):
        self.folder = folder
        with open(self.path("case.json")) as f:
            ports = json.load(f)
        self.inputs, self.outputs = ports["inputs"], ports["outputs"]  # [{name, port, dims}]

    def path(self, name):
        return os.path.join(self.folder, name)

    def onnx(self):
        """The path of net.onnx; ValueError says why there is none."""
        if os.path.exists(self.path("net.onnx.why")):
            with open(self.path("net.onnx.why")) as f:
                raise ValueError(f"no ONNX: {f.readline().strip()}")
        return self.path("net.onnx")

    def pictures(self):
        """The inputs as arrays."""
        return [np.fromfile(self.path(f"input{i}.f32"), np.float32).reshape(p["dims"])
                for i, p in enumerate(self.inputs)]

    def graph(self):
        with open(self.path("net.ir")) as f:
            return Graph(f.read())

    def tensors(self):
        return self.graph().reordered(read_safetensors(self.path("net.safetensors")), False)

    def batch(self):
        return self.inputs[0]["dims"][0]


def make_case(folder, rnc, net, options, weights=None):
    """Fills the folder; random weights without a file of trained ones.

    The options say which network it is (-D, --tap, --batch), not how rnc computes it.
    """
    text = subprocess.run([rnc, net, "--dump", "ir", *options], check=True,
                          stdout=subprocess.PIPE, text=True).stdout
    graph = Graph(text)
    with open(os.path.join(folder, "net.ir"), "w") as f:
        f.write(text)
    tensors = read_safetensors(weights) if weights \
        else graph.reordered(graph.random_weights(1), True)
    write_safetensors(os.path.join(folder, "net.safetensors"), tensors)
    exported = subprocess.run([rnc, "export", net, "-q", *options, "-w",
                               os.path.join(folder, "net.safetensors"), "-o",
                               os.path.join(folder, "net.onnx")], stderr=subprocess.PIPE, text=True)
    if exported.returncode:
        with open(os.path.join(folder, "net.onnx.why"), "w") as f:
            f.write(exported.stderr)
    rng = np.random.default_rng(2)
    ports = {"inputs": [], "outputs": []}
    for kind, names in (("inputs", graph.inputs), ("outputs", graph.outputs)):
        for port, name in names:
            node = graph.nodes[name]
            ports[kind].append({"name": name, "port": port,
                                "dims": [node.n, node.c, node.h, node.w]})
    for i, port in enumerate(ports["inputs"]):
        picture = rng.uniform(0, 255, port["dims"]).astype(np.float32)
        picture.tofile(os.path.join(folder, f"input{i}.f32"))
    with open(os.path.join(folder, "case.json"), "w") as f:
        json.dump(ports, f)
    return Case(folder)
