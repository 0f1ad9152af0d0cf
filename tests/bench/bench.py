#!/usr/bin/env python3
"""make bench: rnc beside the other ways to run the same network on this machine's CPU.

For each network all programs get the same graph, weights and picture, must agree on
the answer, and then run in turn (measure.py).  Also cold starts and memory (cold.py),
the sizes of the C (sizes.py) and rnc's steps one by one (layers.py).  Tables go to
stdout, progress to stderr.
"""
import argparse
import json
import os
import subprocess
import sys
import tempfile

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
import peers  # noqa: E402
import plot  # noqa: E402
import tables  # noqa: E402
from case import make_case  # noqa: E402
from cold import cold  # noqa: E402
from layers import layers  # noqa: E402
from machine import Machine  # noqa: E402
from measure import TOLERANCE, answers, difference, rounds  # noqa: E402
from process import Failed, Process, environment, reason  # noqa: E402
from rncside import PORTS, Built  # noqa: E402
from sizes import sizes  # noqa: E402

HERE = os.path.dirname(os.path.abspath(__file__))
DEFAULT = ["resnet50", "resnet18", "resnet34", "resnet101", "resnet152", "wide_resnet50_2",
           "resnext50_32x4d", "seresnet50", "mobilenet_v2", "densenet121", "resnet20",
           "tutorial/resnet50-keras", "resnet50:8", "resnet50:32"]
PARTS = ["speed", "cold", "sizes", "layers"]
TITLES = {"rnc": "rnc", "onnxruntime": "ONNX Runtime", "openvino": "OpenVINO", "ncnn": "ncnn",
          "mnn": "MNN", "torch": "PyTorch", "litert": "LiteRT"}


def say(text):
    print(text, file=sys.stderr, flush=True)


def worker(*argv):
    return [sys.executable, os.path.join(HERE, "worker.py"), *map(str, argv)]


def prepare(name, case, args):
    """Converts the case for a peer; raises Failed."""
    if name in args.missing:
        raise Failed(f"not installed: {args.missing[name]}")
    log = case.path(name + ".prepare.log")
    with open(log, "w") as stderr:
        status = subprocess.run(worker("prepare", name, case.folder), stderr=stderr,
                                stdout=stderr, env=environment(os.cpu_count())).returncode
    if status:
        raise Failed(reason(log, status))


def speed(row, commands, case, args, threads):
    """Starts every program, compares answers, measures in turn; fills row["programs"]."""
    processes, ours = {}, None
    try:
        for name, argv in commands.items():
            found = row["programs"][name]
            try:
                process = Process(argv, threads, case.path(f"{name}.log"))
                process.stop()
                processes[name] = process
                given = answers(process, case, name)
            except Failed as why:
                if name == "rnc":
                    raise
                found["why"] = str(why)
                processes.pop(name, None)
                continue
            found.update({k: process.ready[k] for k in ("version", "note") if k in process.ready})
            if name == "rnc":
                ours, row["isa"] = given, process.ready["isa"]
                continue
            found["difference"] = difference(ours, given)
            if not found["difference"] <= TOLERANCE:
                found["why"] = f"its answer differs from rnc's by {found['difference']:.0e}"
                row["agree"] = False
                processes.pop(name).close()
        figures, row["conditions"] = rounds(processes, args.rounds, args.per_turn)
        ours = answers(processes["rnc"], case, "rnc")
        for name in figures:  # still the same, after that many inferences
            found = row["programs"][name]
            again = difference(ours, answers(processes[name], case, name))
            if not again <= TOLERANCE:
                found["why"] = f"its later answer differs from rnc's by {again:.0e}"
                row["agree"] = False
            else:
                found.update(figures[name])
    finally:
        for process in processes.values():
            process.close()


def cold_starts(row, commands, case, args, threads, mapped):
    for name, argv in commands.items():
        found = row["programs"][name]
        if "why" not in found:
            try:
                found["cold"] = cold(argv, threads, case.path(f"{name}.log"), args.starts,
                                     mapped if name == "rnc" else None)
            except Failed as why:
                found["why"] = str(why)


def parse(spec, args):
    """(model, its file, batch, rnc's options) of MODEL[,NAME=VALUE]...[:BATCH]."""
    model, _, batch = spec.partition(":")
    stem, *given = model.split(",")
    options = [*PORTS, *args.rncflags]
    for one in given:
        options += ["-D", one]
    count = int(batch) if batch else args.batch
    if count > 1:
        options += ["--batch", str(count)]
    return model, os.path.join(args.models_dir, stem + ".net"), count, options


def measure(spec, args, folder, machine, threads):
    """A row of the results: one network at one batch and number of threads."""
    model, net, batch, options = parse(spec, args)
    weights = dict(w.split("=", 1) for w in args.weights).get(model)
    row = {"model": model, "batch": batch, "threads": threads, "agree": True, "programs": {}}
    with tempfile.TemporaryDirectory(dir=folder) as at:
        case = make_case(at, args.rnc, net, options, weights)
        built = Built(args, net, case, options)
        row["macs"], row["arena"] = built.report["macs"], built.report["arena"]["bytes"]
        commands = {"rnc": built.argv(threads)}
        row["programs"]["rnc"] = {}
        wanted = args.peers if {"speed", "cold"} & set(args.parts) else []
        for name in wanted:
            row["programs"][name] = {}
            try:
                prepare(name, case, args)
                commands[name] = worker("serve", name, case.folder, threads)
            except Failed as why:
                row["programs"][name]["why"] = str(why)
        isa = Process(built.argv(threads), threads, case.path("rnc.log"))
        row["isa"] = isa.ready["isa"]
        isa.close()
        row["floor_ms"] = 2e-6 * row["macs"] / machine.peak(row["isa"], threads)
        if "speed" in args.parts:
            speed(row, commands, case, args, threads)
        if "cold" in args.parts:
            cold_starts(row, commands, case, args, threads, built.weights)
        if "sizes" in args.parts:
            row["sizes"] = sizes(args, net, case, options, row["isa"])
        if "layers" in args.parts:
            row["layers"] = layers(args, net, case, options, threads, machine)
    for name, found in row["programs"].items():
        took = f"{found['ms']:9.2f} ms, ratio {found['ratio']:.2f}" if "ms" in found else ""
        say(f"{tables.named(row):18} {threads} thread(s) {TITLES[name]:13} "
            + (f"not measured: {found['why']}" if "why" in found else took))
    return row


def text_of(rows, args, machine):
    """Everything measured, in Markdown."""
    out = ["\n".join(machine.describe())]
    versions = {n: p["version"] for r in rows for n, p in r["programs"].items() if "version" in p}
    if versions:
        out.append(", ".join(f"{TITLES[n]} {v}" for n, v in versions.items()) + ".")
    for threads in args.threads:
        some = [r for r in rows if r["threads"] == threads]
        heading = f"{threads} thread{'s' if threads > 1 else ''}"
        if "speed" in args.parts:
            lost = max(r["conditions"]["stolen"] for r in some)
            out += [f"## Speed, {heading}",
                    f"{args.rounds} rounds; processor time that the hypervisor took, at worst: "
                    f"{100 * lost:.1f} %.", tables.speed(some, TITLES, threads)]
            if args.peers:
                out += ["Worst difference from rnc's answer, relative to the largest element:",
                        tables.agreement(some, TITLES)]
        if "cold" in args.parts:
            out += [f"## Cold start and memory, {heading}", tables.starts(some, TITLES)]
        if "layers" in args.parts:
            for row in some:
                out += [f"## Steps of {tables.named(row)}, {heading}", tables.layers(row, threads)]
    if "sizes" in args.parts:
        out += ["## Sizes", tables.sizes([r for r in rows if r["threads"] == args.threads[0]],
                                         args)]
    return "\n\n".join(out) + "\n"


def numbers(text):
    return [int(x) for x in text.split(",")]


def arguments():
    p = argparse.ArgumentParser(description=__doc__,
                                formatter_class=argparse.RawDescriptionHelpFormatter)
    p.add_argument("models", nargs="*", metavar="MODEL[,NAME=VALUE][:BATCH]",
                   help=f"networks of models/, or 'all' (default: {' '.join(DEFAULT)})")
    p.add_argument("--rnc", default="./rnc")
    p.add_argument("--runtime", default="./librncrt.a")
    p.add_argument("--include", default="../runtime", help="where rncrt.h is")
    p.add_argument("--models-dir", default="../models")
    p.add_argument("--cc", default="gcc")
    p.add_argument("--weights", action="append", default=[], metavar="MODEL=FILE",
                   help="trained weights (safetensors); random ones otherwise")
    p.add_argument("--threads", type=numbers, default=[1], help="1, or 1,2 for both")
    p.add_argument("--batch", type=int, default=1, help="of the networks that name none")
    p.add_argument("--peers", type=lambda s: [x for x in s.split(",") if x], default=peers.ALL,
                   help=f"of {','.join(peers.ALL)} (default: all); '' for none")
    p.add_argument("--parts", type=lambda s: s.split(","), default=PARTS,
                   help=f"of {','.join(PARTS)} (default: all)")
    p.add_argument("--rounds", type=int, default=20)
    p.add_argument("--per-turn", type=int, default=0,
                   help="inferences that count in a turn (default: about 40 ms of them, 3 to 40)")
    p.add_argument("--starts", type=int, default=5, help="cold starts")
    p.add_argument("--rncflags", type=str.split, default=[], help="further options of rnc")
    p.add_argument("--missing", metavar="FILE", help="JSON: peers that could not be installed")
    p.add_argument("--json", metavar="FILE", help="write all figures there")
    p.add_argument("--plot", metavar="FILE.svg", help="write a picture of the ratios there")
    p.add_argument("--table", metavar="FILE", help="write the tables there, too")
    args = p.parse_args()
    for kind, known in (("peers", peers.ALL), ("parts", PARTS)):
        for name in getattr(args, kind):
            if name not in known:
                p.error(f"--{kind}: no '{name}'; there are {', '.join(known)}")
    for name in args.models:
        if name != "all" and \
                not os.path.exists(parse(name, args)[1]):
            p.error(f"no network '{name}' in {args.models_dir}")
    if min(args.threads) < 1 or max(args.threads) > len(os.sched_getaffinity(0)):
        p.error(f"--threads: this machine has {len(os.sched_getaffinity(0))} processors")
    return args


def main():
    args = arguments()
    missing = {}
    if args.missing:
        with open(args.missing) as f:
            missing = json.load(f)
    args.missing = missing
    names = args.models or DEFAULT
    if names == ["all"]:
        names = sorted(f[:-4] for f in os.listdir(args.models_dir) if f.endswith(".net"))
    rows = []
    with tempfile.TemporaryDirectory() as folder:
        machine = Machine(args, folder, args.threads)
        say("\n".join(machine.describe()))
        for threads in args.threads:
            for name in names:
                rows.append(measure(name, args, folder, machine, threads))
                if args.json:  # after each, in case the next one is interrupted
                    with open(args.json, "w") as f:
                        json.dump({"machine": machine.as_json(), "rows": rows}, f, indent=1)
    text = text_of(rows, args, machine)
    print(text)
    if args.table:
        with open(args.table, "w") as f:
            f.write(text)
    if args.plot:
        first = [r for r in rows if r["threads"] == args.threads[0]]
        heading = f"{machine.name}, {args.threads[0]} thread(s)"
        plot.ratios(first, TITLES, heading, args.plot)
    disagree = [tables.named(r) for r in rows if not r["agree"]]
    if disagree:
        sys.exit("answers differ: " + ", ".join(disagree))


if __name__ == "__main__":
    main()
