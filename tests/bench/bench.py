#!/usr/bin/env python3
"""make bench: rnc beside the other ways to run the same network on this machine's CPU.

For each network all programs get the same graph, weights and picture, must agree on
the answer, and then run in turn (measure.py).  Also cold starts and memory (cold.py),
the sizes of the C (sizes.py) and rnc's steps one by one (layers.py).  Tables go to
stdout, progress to stderr.
"""
import argparse
import importlib
import json
import os
import sys
import tempfile

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
import networks  # noqa: E402
import peers  # noqa: E402
import plot  # noqa: E402
import tables  # noqa: E402
from machine import Machine  # noqa: E402
from rncside import add_places  # noqa: E402
from tables import TITLES  # noqa: E402

PARTS = ["speed", "cold", "sizes", "layers"]


def say(text):
    print(text, file=sys.stderr, flush=True)


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
                   help=f"networks of models/; 'models': each of them; 'all': those of its folders as well, and "
                   f"{' '.join(networks.BATCHES)} (default: {' '.join(networks.DEFAULT)})")
    p.add_argument("--list", action="store_true", help="print the networks, measure nothing")
    add_places(p)
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
    try:
        args.models = networks.chosen(args.models, args.models_dir)
    except ValueError as why:
        p.error(str(why))
    if min(args.threads) < 1 or max(args.threads) > len(os.sched_getaffinity(0)):
        p.error(f"--threads: this machine has {len(os.sched_getaffinity(0))} processors")
    return args


def importing(name):
    """The module; it needs packages that only make bench installs."""
    try:
        return importlib.import_module(name)
    except ModuleNotFoundError as why:
        sys.exit(f"bench.py: error: Python has no '{why.name}' here; 'make bench' in the build "
                 "folder installs what this needs and starts it, with options in BENCHFLAGS")


def main():
    args = arguments()
    if args.list:
        print("\n".join(args.models))
        return
    row = importing("row")
    missing = {}
    if args.missing:
        with open(args.missing) as f:
            missing = json.load(f)
    args.missing = missing
    rows = []
    with tempfile.TemporaryDirectory() as folder:
        machine = Machine(args, folder, args.threads)
        say("\n".join(machine.describe()))
        for threads in args.threads:
            for name in args.models:
                rows.append(row.measure(name, args, folder, machine, threads))
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
