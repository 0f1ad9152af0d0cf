"""make bench-train: a step of training by the C that rnc emits and by PyTorch, in turns.

Both train the same network with the same optimizer on random pictures: forward, backward,
update.  PyTorch is at its best on CPUs: eager, channels last, Adam or SGD fused; both have huge
pages, and the C is made for this machine (`--machine native`).  Each round has a turn of each
program with each number of threads, so that whatever else the machine does meets all of them;
medians and the best of all steps are printed.  `floor` is the time that the convolutions' and
dense layers' multiplications take at the peak that `--machine measure` finds, by their definition:
forward, and two products backward (the first layer has one).
"""
import argparse
import os
import re
import statistics
import subprocess
import sys
import tempfile
import time

HERE = os.path.dirname(os.path.abspath(__file__))
os.environ.setdefault("THP_MEM_ALLOC_ENABLE", "1")  # huge pages for PyTorch's tensors, too
sys.path[:0] = [os.path.join(HERE, ".."), os.path.join(HERE, "..", "..", "frameworks")]
try:
    import torch
    import torch.nn.functional as F
    from netgraph import Graph
    from peers import torch as peer
    from rncside import add_places
except ImportError as e:
    sys.exit(f"Python has no '{e.name}' here; 'make bench-train' in the build folder installs it")

ADAM, SGD = "adam 0.001", "sgd 0.1 momentum=0.9"
# model, batch, optimizer
CASES = (("tutorial/signs", 32, ADAM), ("resnet20", 32, SGD), ("resnet20", 128, SGD))
# Minutes each: measured where they are named.
LONG = (("resnet56", 128, SGD), ("resnet18", 32, SGD), ("resnet50", 32, SGD))


class Net(peer.Net):
    """The graph with trained parameters and normalisation by the batch, channels last."""

    def __init__(self, graph, logits):
        super().__init__(graph, graph.random_weights(1), [logits])
        for tensor in self.buffers():
            if tensor.dim() == 4:
                tensor.data = tensor.data.contiguous(memory_format=torch.channels_last)
        names = [(node, role) for node in graph.nodes.values() for role in node.params]
        self.trained = [self.parameter(node, role) for node, role in names
                        if not role.startswith("running")]
        for tensor in self.trained:
            tensor.requires_grad_(True)

    def value(self, node, x):
        if node.op != "bn":
            return peer.apply(self, node, x)
        running = (self.parameter(node, r) for r in ("running_mean", "running_var"))
        return F.batch_norm(x[0], *running, self.parameter(node, "weight"),
                            self.parameter(node, "bias"), training=True,
                            momentum=float(node.attrs.get("momentum", 0.1)),
                            eps=float(node.attrs.get("epsilon", 1e-5)))

    def forward(self, picture):
        values = {self.graph.inputs[0][1]: picture}
        for node in self.graph.nodes.values():
            if node.op != "input" and node.name != self.graph.outputs[0][1]:
                values[node.name] = self.value(node, [values[name] for name in node.operands])
        return values[self.outputs[0]]


class Theirs:
    def __init__(self, graph, optimizer):
        last = graph.nodes[graph.outputs[0][1]]
        first = graph.nodes[graph.inputs[0][1]]
        torch.manual_seed(1)
        self.net = Net(graph, last.operands[0])
        shape = (first.n, first.c, first.h, first.w)
        self.x = (255 * torch.rand(shape)).contiguous(memory_format=torch.channels_last)
        self.labels = torch.arange(first.n) % last.c
        if optimizer == ADAM:
            self.optimizer = torch.optim.Adam(self.net.trained, fused=True)
        else:
            self.optimizer = torch.optim.SGD(self.net.trained, 0.1, momentum=0.9, fused=True)

    def turn(self, threads, steps):
        torch.set_num_threads(threads)
        times = []
        for _ in range(steps):
            begin = time.perf_counter()
            loss = F.cross_entropy(self.net(self.x).flatten(1), self.labels)
            self.optimizer.zero_grad(set_to_none=True)
            loss.backward()
            self.optimizer.step()
            times.append(time.perf_counter() - begin)
        return times


class Ours:
    """The emitted step, a process for each number of threads."""

    def __init__(self, args, net, folder):
        c, program = os.path.join(folder, "step.c"), os.path.join(folder, "turns")
        subprocess.run([args.rnc, net, "--train", "-q", "--machine", "native", "--name", "trained",
                        "-o", c, *args.rncflags.split()], check=True)
        subprocess.run([*args.cc.split(), "-std=gnu11", "-O2", "-I" + args.include,
                        "-DTRAIN_INFO=trained_info", "-include", c[:-1] + "h",
                        os.path.join(HERE, "turns.c"), c, args.runtime, "-pthread", "-lm", "-o",
                        program], check=True)
        self.processes = {n: subprocess.Popen([program, str(n)], stdin=subprocess.PIPE,
                                              stdout=subprocess.PIPE, text=True)
                          for n in args.threads}
        for process in self.processes.values():
            process.stdout.readline()

    def turn(self, threads, steps):
        process = self.processes[threads]
        process.stdin.write(f"{steps}\n")
        process.stdin.flush()
        return [int(ns) / 1e9 for ns in process.stdout.readline().split()]

    def end(self):
        for process in self.processes.values():
            process.communicate()


def operations(graph):
    """Multiplications and additions of a step."""
    total, first = 0, None
    for node in graph.nodes.values():
        if node.op in ("conv", "dense"):
            inputs = graph.nodes[node.operands[0]].c // int(node.attrs.get("groups", 1))
            h, w = node.pair("kernel") if node.op == "conv" else (1, 1)
            products = node.n * node.h * node.w * node.c * h * w * inputs
            first = products if first is None else first
            total += 3 * products
    return 2 * (total - (first or 0))


def peak(args, folder):
    """Operations a second of one core."""
    net, c = os.path.join(folder, "peak.net"), os.path.join(folder, "peak.c")
    with open(net, "w") as f:
        f.write("net peak { input x[4, 4, 4] ; conv 1x1 4 ; output y }\n")
    subprocess.run([args.rnc, net, "--init", "he:1", "--machine", "measure", "-q", "-o", c],
                   check=True)
    with open(c) as f:
        numbers = dict(re.findall(r"([\w-]+)=([\d.]+)", re.search("--machine (.*)", f.read())[1]))
    return 1e9 * max(float(numbers[isa]) for isa in ("avx512", "avx2", "neon", "portable"))


def with_training(args, model, batch, optimizer, folder):
    """A net file that says how it is trained."""
    path = os.path.join(folder, "case.net")
    name = os.path.basename(model)
    with open(path, "w") as f:
        f.write(f'include "{os.path.abspath(args.models_dir)}/{model}.net"\n'
                f"net measured = {name}\ntrain turns {{\n  network measured\n  epochs 1\n  batch {batch}\n"
                f"  optimizer {optimizer}\n}}\n")
    return path


def measure(args, model, batch, optimizer, rate):
    with tempfile.TemporaryDirectory() as folder:
        net = with_training(args, model, batch, optimizer, folder)
        graph = Graph.of(args.rnc, net, "--batch", str(batch), "--input-type", "f32",
                         "--input-order", "nchw")
        ours, theirs = Ours(args, net, folder), Theirs(graph, optimizer)
        times = {(who, n): [] for who in (ours, theirs) for n in args.threads}
        for i in range(args.rounds + 1):
            for who, n in times:
                took = who.turn(n, args.steps)
                times[who, n] += took if i else []  # the first round warms up
        ours.end()
    for n in args.threads:
        a, b = ([statistics.median(times[w, n]), min(times[w, n])] for w in (ours, theirs))
        floor = operations(graph) / (rate * n)
        print(f"{model} {batch:4d} {optimizer.split()[0]:5s} {n:2d} threads: rnc {a[0] * 1e3:7.1f} "
              f"({a[1] * 1e3:7.1f}), PyTorch {b[0] * 1e3:7.1f} ({b[1] * 1e3:7.1f}), ratio "
              f"{b[0] / a[0]:4.2f} ({b[1] / a[1]:4.2f}), floor {floor * 1e3:6.1f}, "
              f"{100 * floor / a[0]:3.0f} % ({100 * floor / a[1]:3.0f} %)", flush=True)


def main():
    p = argparse.ArgumentParser(description=__doc__,
                                formatter_class=argparse.RawDescriptionHelpFormatter)
    add_places(p)
    p.add_argument("--rncflags", default="", help="more options for rnc")
    p.add_argument("--threads", default="1,2", type=lambda s: [int(x) for x in s.split(",")])
    p.add_argument("--rounds", default=7, type=int, help="of turns, after one that warms up")
    p.add_argument("--steps", default=3, type=int, help="in a turn")
    p.add_argument("nets", nargs="*", help="only those whose model and batch have one of these words; "
                   f"without it all but {', '.join(case[0] for case in LONG)}")
    args = p.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        rate = peak(args, folder)
    print(f"peak {rate / 1e9:.0f} GFLOP/s a core; ms a step: median (best)", flush=True)
    for case in CASES + LONG if args.nets else CASES:
        if not args.nets or any(word in f"{case[0]}:{case[1]}" for word in args.nets):
            measure(args, *case, rate)


if __name__ == "__main__":
    main()
