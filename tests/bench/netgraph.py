"""A network as `rnc --dump ir` prints it: the graph before any of rnc's passes."""
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
