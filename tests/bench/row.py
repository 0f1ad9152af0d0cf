"""A row of the results: one network at one batch and number of threads.

All programs are prepared, answer, are measured in turn, and started cold.
"""
import os
import subprocess
import sys
import tempfile

import tables
from case import make_case
from cold import cold
from layers import layers
from measure import TOLERANCE, answers, difference, rounds
from networks import parse
from process import Failed, Process, environment, reason
from rncside import Built, ports
from sizes import sizes
from tables import TITLES

HERE = os.path.dirname(os.path.abspath(__file__))


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


def measure(spec, args, folder, machine, threads):
    """A row of the results: one network at one batch and number of threads."""
    model, stem, defines, batch = parse(spec)
    batch = batch or args.batch
    net = os.path.join(args.models_dir, stem + ".net")
    network = [*ports(args.rnc, net, defines), "--batch", str(batch), *defines]
    options = [*network, "--machine", "native", "--threads", str(threads), *args.rncflags]
    weights = dict(w.split("=", 1) for w in args.weights).get(model)
    row = {"model": model, "batch": batch, "threads": threads, "agree": True, "programs": {}}
    with tempfile.TemporaryDirectory(dir=folder) as at:
        case = make_case(at, args.rnc, net, network, weights)
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
        row["floor_ms"] = 2e-6 * batch * row["macs"] / machine.peak(row["isa"], threads)
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
