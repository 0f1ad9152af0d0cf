#!/usr/bin/env python3
"""scaling.py NET...: what threads should gain, computed from the times of one thread.

Each step of a network is measured on one thread (-DRNC_TRACE).  Then for each number of threads
the plan for so many says into how many parts each step is cut; threads take parts in turn, as
the runtime's pool hands them out, so a step of p parts takes ceil(p / threads) of its p-th parts,
and a wake-up.  A step is no faster than its weights can be read by all threads together.  What
is not known is how caches and clocks behave with so many threads: this is a bound, not a promise.

Printed for each number of threads: ms, times as fast as one thread, the share of all threads'
time that is idle, the arena, and the steps that lose most.
"""
import argparse
import array
import json
import os
import random
import re
import subprocess
import tempfile

from rncside import add_places

HERE = os.path.dirname(os.path.abspath(__file__))


def run(argv, **how):
    return subprocess.run(argv, check=True, stdout=subprocess.PIPE, text=True, **how).stdout


def plan_of(args, net, threads):
    """[(name, parts, bytes of weights)], arena bytes."""
    options = [args.rnc, net, "--init", "he:1", "--threads", str(threads), *args.rncflags]
    text = run([*options, "--dump", "plan"])
    parts = [int(re.search(r" parts (\d+)", line + " parts 1").group(1))
             for line in re.findall(r"(?m)^ +\d+  \S+ +.*\n +(\[.*)$", text)]
    with tempfile.TemporaryDirectory() as at:
        report = json.loads(run([*options, "--quiet", "--report", "json", "-o", f"{at}/net.c"]))
    steps = report["steps"]
    if len(steps) != len(parts):
        raise SystemExit(f"error: {len(parts)} steps in the plan, {len(steps)} in the report")
    return [(s["name"], n, s["weight_bytes"]) for s, n in zip(steps, parts)], report


def times_of(args, net):
    """Seconds of each step on one thread, the shortest of some inferences."""
    with tempfile.TemporaryDirectory() as at:
        c = os.path.join(at, "net.c")
        report = json.loads(run([args.rnc, net, "--init", "he:1", "--threads", "1", "-o", c,
                                 "--quiet", "--report", "json", *args.rncflags]))
        info = re.search(r"(\w+_info);", open(c[:-2] + ".h").read()).group(1)
        run([args.cc, "-O2", "-DRNC_TRACE", "-I", args.include, "-include", c[:-2] + ".h",
             f"-DNET_INFO={info}", os.path.join(HERE, "serve.c"), c, args.runtime, "-o",
             c[:-2], "-lm", "-lpthread"])
        inputs = []
        for i, port in enumerate(report["inputs"]):
            size = 1
            for n in port["dims"]:
                size *= n
            inputs.append(os.path.join(at, f"input{i}.f32"))
            with open(inputs[-1], "wb") as f:
                array.array("f", (random.random() for _ in range(size))).tofile(f)
        out = run([c[:-2], c[:-2] + ".weights", "1", *inputs],
                  input=f"layers 2\nlayers {args.rounds}\n")
        return [ns * 1e-9 for ns in json.loads(out.splitlines()[-1])["least"]]


def step_seconds(seconds, parts, weights, threads, args):
    """Of a step on so many threads, and how long all of them together are idle in it."""
    if parts <= 1 or threads == 1:
        return seconds, seconds * (threads - 1)
    rounds = -(-parts // threads)
    took = max(seconds * rounds / parts, weights / (args.memory * 1e9)) + args.wake * 1e-6
    return took, took * threads - seconds


def simulate(args, net, times, threads):
    steps, report = plan_of(args, net, threads)
    if len(steps) != len(times):
        raise SystemExit("error: the plan for another number of threads has other steps")
    total = idle = 0.0
    losses = []
    for (name, parts, weights), seconds in zip(steps, times):
        took, lost = step_seconds(seconds, parts, weights, threads, args)
        total += took
        idle += lost
        losses.append((lost, name, parts))
    worst = ", ".join(f"{name} ({parts} parts)" for _, name, parts in sorted(losses)[:-4:-1])
    return (f"| {threads} | {1e3 * total:.2f} | {sum(times) / total:.2f} | "
            f"{100 * idle / (total * threads):.0f} % | {report['arena']['bytes'] / 1e6:.1f} | {worst} |")


def main():
    p = argparse.ArgumentParser(description=__doc__,
                                formatter_class=argparse.RawDescriptionHelpFormatter)
    p.add_argument("nets", nargs="+", metavar="NET", help="a .net file")
    p.add_argument("--threads", default="1,2,4,8,16,32,64")
    add_places(p)
    p.add_argument("--rncflags", type=str.split, default=["--machine", "native"])
    p.add_argument("--rounds", type=int, default=10)
    p.add_argument("--wake", type=float, default=3.0, help="microseconds to start a shared step")
    p.add_argument("--memory", type=float, default=100.0, help="GB/s that all threads read")
    args = p.parse_args()
    for net in args.nets:
        times = times_of(args, net)
        print(f"{os.path.basename(net)}, {1e3 * sum(times):.2f} ms on one thread\n")
        print("| threads | ms | times as fast | idle | arena MB | most idle time |")
        print("|---|---|---|---|---|---|")
        for threads in map(int, args.threads.split(",")):
            print(simulate(args, net, times, threads))
        print()


if __name__ == "__main__":
    main()
