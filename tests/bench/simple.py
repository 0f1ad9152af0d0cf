"""The graph with what every converter folds already folded, for peers that have no ONNX.

normalize and a bn that follows no convolution become `affine` (arrays scale and
shift, a number a channel); a bn behind a convolution goes into its weights; relu and
relu6 behind a conv, dense, affine or add become its `act`; flatten of one pixel goes.
"""
import numpy as np

from netgraph import normalize_affine

ACTS = ("relu", "relu6")


class Step:
    """A node of the simple graph: arrays by role, act one of ACTS or None."""

    def __init__(self, node, operands):
        self.name, self.op, self.operands, self.node = node.name, node.op, operands, node
        self.dims = (node.n, node.c, node.h, node.w)
        self.arrays, self.act = {}, None

    def __getattr__(self, name):
        return getattr(self.node, name)


def bn_affine(node, tensors):
    """scale and shift of a bn, in double."""
    gamma, beta, mean, var = (tensors[node.params[r][0]].astype(np.float64) for r in
                              ("weight", "bias", "running_mean", "running_var"))
    scale = gamma / np.sqrt(var + float(node.attrs.get("epsilon", 1e-5)))
    return scale, beta - mean * scale


def simplify(graph, tensors):
    """Steps in order, by name; the outputs of the graph keep their names."""
    uses = {}
    for node in graph.nodes.values():
        for x in node.operands:
            uses[x] = uses.get(x, 0) + 1
    kept = {name for _, name in graph.outputs}
    steps, alias = {}, {}
    for node in graph.nodes.values():
        operands = [alias.get(x, x) for x in node.operands]
        before = steps.get(operands[0]) if operands else None
        alone = before and uses[node.operands[0]] == 1 and before.name not in kept
        step = Step(node, operands)
        if node.op == "normalize":
            step.op = "affine"
            step.arrays["scale"], step.arrays["shift"] = normalize_affine(node)
        elif node.op == "bn":
            scale, shift = bn_affine(node, tensors)
            if alone and before.op == "conv" and not before.act:
                before.arrays["weight"] *= scale.reshape(-1, 1, 1, 1)
                before.arrays["bias"] = before.arrays["bias"] * scale + shift
                step = None
            else:
                step.op, step.arrays = "affine", {"scale": scale, "shift": shift}
        elif node.op in ACTS and alone and not before.act and \
                before.op in ("conv", "dense", "affine", "add"):
            before.act, step = node.op, None
        elif node.op == "flatten" and before.dims[2:] == (1, 1):
            step = None
        elif node.op in ("conv", "dense"):
            for role, (name, _) in node.params.items():
                step.arrays[role] = tensors[name].astype(np.float64)
            step.arrays.setdefault("bias", np.zeros(node.c))
        if step:
            steps[node.name] = step
        elif node.name in kept:  # the value is the one before, under this name
            steps[node.name] = steps.pop(before.name)
            steps[node.name].name = node.name
            alias[before.name] = node.name
            for old, new in alias.items():
                alias[old] = node.name if new == before.name else new
        else:
            alias[node.name] = before.name
    for step in steps.values():
        step.operands = [alias.get(x, x) for x in step.operands]
        step.arrays = {k: np.ascontiguousarray(v, np.float32) for k, v in step.arrays.items()}
    return steps
