#!/usr/bin/env python3
"""make bench: rnc's networks measured, beside ONNX Runtime in one interleaved run.

For each model: the arena and its bound, the size of the C and of its code, the
time of rnc and of the C compiler, and the time of an inference as a paired ratio:
one inference of each in turn, many times, medians quoted.  Every answer is
compared before anything is timed.  Writes a table in Markdown, and JSON.
"""
import argparse
import json
import os
import platform
import re
import statistics
import subprocess
import sys
import tempfile
import time

import numpy as np

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
from engine import Engine  # noqa: E402
from netgraph import Graph, read_safetensors, to_onnx, write_safetensors  # noqa: E402

MODELS = ["resnet18", "resnet34", "resnet50", "resnet101", "resnet152", "resnext50_32x4d",
          "wide_resnet50_2", "seresnet50", "mobilenet_v2", "densenet121", "resnet20"]


class OnnxRuntime:
    """The same graph and weights in ONNX Runtime."""
    name = "ONNX Runtime"

    def __init__(self, model, threads):
        import onnxruntime as ort
        options = ort.SessionOptions()
        options.intra_op_num_threads = threads
        options.inter_op_num_threads = 1
        self.version = ort.__version__
        self.session = ort.InferenceSession(model, options, providers=["CPUExecutionProvider"])
        self.names = [i.name for i in self.session.get_inputs()]

    def run(self, *inputs):
        return self.session.run(None, dict(zip(self.names, inputs)))


def cpu_name():
    with open("/proc/cpuinfo") as f:
        text = f.read()
    name = re.search(r"model name\s*: (.*)", text)
    flags = re.search(r"flags\s*: (.*)", text)
    has = [x for x in ("avx2", "avx512f", "avx512_vnni") if flags and x in flags[1].split()]
    return f"{name[1] if name else platform.machine()}, {os.cpu_count()} cores, {' '.join(has)}"


def timed(runner, inputs, threads):
    if threads > 1:
        time.sleep(0.02)  # the other's workers spin for a while when they are done
    begin = time.perf_counter()
    runner.run(*inputs)
    return time.perf_counter() - begin


def report(rnc, net, weights):
    """rnc's own figures, from --report json."""
    with tempfile.TemporaryDirectory() as folder:
        done = subprocess.run([rnc, net, "-w", weights, "--report", "json", "--quiet",
                               "-o", os.path.join(folder, "x.c")],
                              check=True, stdout=subprocess.PIPE, text=True)
    return json.loads(done.stdout)


def measure(model, args, folder):
    net = os.path.join(args.models, model + ".net")
    graph = Graph.of(args.rnc, net, "--tap", "dense1", *args.rncflags)
    given = dict(w.split("=", 1) for w in args.weights)
    weights = given.get(model)
    if weights:
        tensors = read_safetensors(weights)
    else:
        weights = os.path.join(folder, model + ".safetensors")
        tensors = graph.random_weights(1)
        write_safetensors(weights, tensors)
    onnx_file = os.path.join(folder, model + ".onnx")
    to_onnx(graph, tensors, onnx_file)
    engine = Engine(args.rnc, args.runtime, args.include, net, weights, folder,
                    ["--tap", "dense1", *args.rncflags], args.threads, args.cc)
    peer = OnnxRuntime(onnx_file, args.threads)
    rng = np.random.default_rng(2)
    inputs = [rng.uniform(0, 255, (n.n, n.c, n.h, n.w)).astype(np.float32)
              for n in (graph.nodes[name] for _, name in graph.inputs)]
    error = 0.0
    for ours, theirs in zip(engine.run(*inputs), peer.run(*inputs)):
        error = max(error, float(np.max(np.abs(ours - theirs)) / np.max(np.abs(theirs))))
    if not error < 1e-4:
        raise SystemExit(f"{model}: the answers differ by {error:.1e} of the largest: not timed")
    engines = [engine, peer]
    times = [[], []]
    for _ in range(args.warmup):
        for e in engines:
            e.run(*inputs)
    for r in range(args.rounds):
        for i in ((0, 1) if r % 2 else (1, 0)):
            times[i].append(timed(engines[i], inputs, args.threads))
    ratio = statistics.median(t / o for o, t in zip(*times))
    figures = report(args.rnc, net, weights)
    return {"model": model, "error": error, "peer": f"{peer.name} {peer.version}",
            "ms": statistics.median(times[0]) * 1e3, "ms_min": min(times[0]) * 1e3,
            "peer_ms": statistics.median(times[1]) * 1e3, "peer_ms_min": min(times[1]) * 1e3,
            "ratio": ratio, "arena": engine.arena_bytes, "bound": figures["arena"]["bound"],
            "weights": engine.weights_bytes, "c_bytes": engine.c_bytes,
            "text_bytes": engine.text_bytes, "cc_s": engine.cc_seconds,
            "rnc_s": engine.rnc_seconds}


def table(rows, args):
    out = [f"Measured on {cpu_name()}; {args.threads} thread{'s' if args.threads > 1 else ''}, "
           f"batch 1, {args.rounds} rounds in turn with {rows[0]['peer']}; "
           f"C by `{args.cc} -O2`{', ' + ' '.join(args.rncflags) if args.rncflags else ''}. "
           "MB is 10^6 bytes; ratio is the median over the rounds of the peer's time over rnc's.",
           "",
           "| model | arena MB | bound MB | C KB | text KB | rnc s | cc s | rnc ms (min) "
           "| ONNX Runtime ms (min) | ratio | worst difference |",
           "|---|---|---|---|---|---|---|---|---|---|---|"]
    for r in rows:
        out.append(f"| {r['model']} | {r['arena'] / 1e6:.2f} | {r['bound'] / 1e6:.2f} "
                   f"| {r['c_bytes'] / 1e3:.0f} | {r['text_bytes'] / 1e3:.0f} | {r['rnc_s']:.2f} "
                   f"| {r['cc_s']:.1f} | {r['ms']:.2f} ({r['ms_min']:.2f}) "
                   f"| {r['peer_ms']:.2f} ({r['peer_ms_min']:.2f}) | **{r['ratio']:.2f}** "
                   f"| {r['error']:.0e} |")
    return "\n".join(out) + "\n"


def main():
    p = argparse.ArgumentParser(description=__doc__,
                                formatter_class=argparse.RawDescriptionHelpFormatter)
    p.add_argument("models", nargs="*", help="names in models/ (default: all that are measured)")
    p.add_argument("--rnc", default="./rnc")
    p.add_argument("--runtime", default="./librncrt.a")
    p.add_argument("--include", default="../runtime", help="where rncrt.h is")
    p.add_argument("--models-dir", dest="models_dir", default="../models")
    p.add_argument("--weights", action="append", default=[], metavar="MODEL=FILE",
                   help="trained weights (safetensors); random ones otherwise")
    p.add_argument("--threads", type=int, default=1)
    p.add_argument("--rounds", type=int, default=40)
    p.add_argument("--warmup", type=int, default=3)
    p.add_argument("--cc", default="gcc")
    p.add_argument("--rncflags", default="", help="further options of rnc")
    p.add_argument("--json", help="write the figures there")
    p.add_argument("--table", help="write the table there (default: print it)")
    args = p.parse_args()
    args.rncflags = args.rncflags.split()
    names = args.models or MODELS
    args.models = args.models_dir
    rows = []
    with tempfile.TemporaryDirectory() as folder:
        for name in names:
            rows.append(measure(name, args, folder))
            r = rows[-1]
            print(f"{name:18} {r['ms']:8.2f} ms, {r['peer']} {r['peer_ms']:8.2f} ms, "
                  f"ratio {r['ratio']:.2f}", file=sys.stderr, flush=True)
    text = table(rows, args)
    if args.table:
        with open(args.table, "w") as f:
            f.write(text)
    else:
        print(text)
    if args.json:
        with open(args.json, "w") as f:
            json.dump({"machine": cpu_name(), "threads": args.threads, "rows": rows}, f, indent=1)


if __name__ == "__main__":
    main()
