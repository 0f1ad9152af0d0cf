"""PyTorch: TorchScript, frozen and optimised for inference (oneDNN), channels last."""
import numpy as np
import torch
import torch.nn.functional as F

from netgraph import normalize_affine

TITLE = "PyTorch"


def version():
    return torch.__version__.split("+")[0]


class Net(torch.nn.Module):
    """The graph as a module, to be traced."""

    def __init__(self, graph, tensors, outputs):
        super().__init__()
        self.graph, self.outputs = graph, outputs
        for node in graph.nodes.values():
            for role, (alias, _) in node.params.items():
                self.keep(node, role, torch.from_numpy(tensors[alias].copy()))
            if node.op == "normalize":
                for role, value in zip(("scale", "shift"), normalize_affine(node)):
                    self.keep(node, role, torch.from_numpy(value.astype(np.float32))
                              .reshape(1, -1, 1, 1))

    def keep(self, node, role, tensor):
        self.register_buffer(f"{node.name}/{role}".replace(".", "/"), tensor)

    def parameter(self, node, role):
        return getattr(self, f"{node.name}/{role}".replace(".", "/"), None)

    def forward(self, *pictures):
        values = dict(zip((name for _, name in self.graph.inputs), pictures))
        for node in self.graph.nodes.values():
            if node.op != "input":
                values[node.name] = apply(self, node, [values[x] for x in node.operands])
        return tuple(values[name] for name in self.outputs)


def pool(node, x):
    kernel, stride = node.pair("kernel"), node.pair("stride")
    top, left, bottom, right = node.padding()
    if node.op == "avgpool" and tuple(kernel) == tuple(x.shape[2:]) and not any(node.padding()):
        return F.adaptive_avg_pool2d(x, 1)
    if (top, left) != (bottom, right):
        if node.op != "maxpool":
            raise ValueError(f"{node.name}: no mean here with another padding at the end")
        x = F.pad(x, (left, right, top, bottom), value=-float("inf"))
        top = left = 0
    if node.op == "maxpool":
        return F.max_pool2d(x, kernel, stride, (top, left))
    counted = node.attrs.get("count_padding", "true") == "true"
    return F.avg_pool2d(x, kernel, stride, (top, left), count_include_pad=counted)


def conv(net, node, x):
    top, left, bottom, right = node.padding()
    padding = (top, left)
    if (top, left) != (bottom, right):
        x, padding = F.pad(x, (left, right, top, bottom)), (0, 0)
    return F.conv2d(x, net.parameter(node, "weight"), net.parameter(node, "bias"),
                    node.pair("stride"), padding, node.pair("dilation"),
                    int(node.attrs.get("groups", 1)))


def apply(net, node, x):
    """The node's value, [n][c][h][w]."""
    plain = {"relu": F.relu, "relu6": F.relu6, "sigmoid": torch.sigmoid, "tanh": torch.tanh,
             "silu": F.silu, "hard_sigmoid": F.hardsigmoid, "hard_swish": F.hardswish}
    if node.op in plain:
        return plain[node.op](x[0])
    if node.op == "normalize":
        return x[0] * net.parameter(node, "scale") + net.parameter(node, "shift")
    if node.op == "conv":
        return conv(net, node, x[0])
    if node.op == "bn":
        return F.batch_norm(x[0], *(net.parameter(node, r) for r in
                                    ("running_mean", "running_var", "weight", "bias")),
                            eps=float(node.attrs.get("epsilon", 1e-5)))
    if node.op in ("maxpool", "avgpool"):
        return pool(node, x[0])
    if node.op in ("add", "mul"):
        total = x[0]
        for other in x[1:]:
            total = total + other if node.op == "add" else total * other
        return total
    if node.op == "concat":
        return torch.cat(x, 1)
    if node.op == "dense":
        y = F.linear(torch.flatten(x[0], 1), net.parameter(node, "weight"),
                     net.parameter(node, "bias"))
        return y.reshape(node.n, node.c, 1, 1)
    if node.op == "softmax":
        return F.softmax(x[0], 1)
    if node.op == "flatten":
        y = x[0] if node.attrs.get("order", "nchw") == "nchw" else x[0].permute(0, 2, 3, 1)
        return y.reshape(node.n, node.c, 1, 1)
    if node.op == "subsample":
        sh, sw = node.pair("stride")
        return x[0][:, :, ::sh, ::sw]
    if node.op == "zeropad":
        top, left, bottom, right = node.padding()
        front, behind = node.pair("channels", 0)
        return F.pad(x[0], (left, right, top, bottom, front, behind))
    raise ValueError(f"{node.name}: no PyTorch for the operator '{node.op}'")


def prepare(case):
    names = [p["name"] for p in case.outputs]
    net = Net(case.graph(), case.tensors(), names).eval()
    for key, value in net.named_buffers():
        if value.dim() == 4:
            value.data = value.data.contiguous(memory_format=torch.channels_last)
    pictures = [torch.from_numpy(p).contiguous(memory_format=torch.channels_last)
                for p in case.pictures()]
    with torch.no_grad():
        traced = torch.jit.freeze(torch.jit.trace(net, pictures, check_trace=False))
        torch.jit.save(traced, case.path("net.pt"))


class Peer:
    def __init__(self, case, threads, pictures):
        torch.set_num_threads(threads)
        torch.set_grad_enabled(False)
        self.net = torch.jit.optimize_for_inference(torch.jit.load(case.path("net.pt")))
        self.pictures = [torch.from_numpy(p).contiguous(memory_format=torch.channels_last)
                         for p in pictures]
        self.results = None

    def run(self):
        self.results = self.net(*self.pictures)

    def answers(self):
        return [r.contiguous().numpy() for r in self.results]
