#!/usr/bin/env python3
"""A peer as a process (process.py has the other end).

    worker.py prepare PEER FOLDER           convert the case to what the peer loads
    worker.py serve PEER FOLDER THREADS     load it, run it once, then obey stdin:
        run N         N inferences: their wall and CPU times in ns
        answer STEM   the outputs of the last one, to STEM0.f32 ...
"""
import importlib
import json
import os
import sys
import time

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
import numpy as np  # noqa: E402

from case import Case  # noqa: E402


def timed(peer, count):
    wall, cpu = [], []
    for _ in range(count):
        used, begin = time.process_time_ns(), time.perf_counter_ns()
        peer.run()
        wall.append(time.perf_counter_ns() - begin)
        cpu.append(time.process_time_ns() - used)
    return {"wall": wall, "cpu": cpu}


def answer(peer, stem):
    for i, array in enumerate(peer.answers()):
        np.ascontiguousarray(array, np.float32).tofile(f"{stem}{i}.f32")
    return {}


def serve(name, folder, threads, out):
    case = Case(folder)
    pictures = case.pictures()
    begin = time.perf_counter()
    module = importlib.import_module("peers." + name)
    imported = time.perf_counter()
    peer = module.Peer(case, threads, pictures)
    loaded = time.perf_counter()
    peer.run()
    first = time.perf_counter()
    ready = {"version": module.version(), "import_s": imported - begin,
             "load_s": loaded - imported, "first_s": first - loaded,
             "note": getattr(peer, "note", "")}
    print(json.dumps(ready), file=out, flush=True)
    for line in sys.stdin:
        command, value = line.split(None, 1)
        reply = timed(peer, int(value)) if command == "run" else answer(peer, value.strip())
        print(json.dumps(reply), file=out, flush=True)


def main():
    out = os.fdopen(os.dup(1), "w")  # some peers print to stdout
    os.dup2(2, 1)
    if sys.argv[1] == "prepare":
        module = importlib.import_module("peers." + sys.argv[2])
        module.prepare(Case(sys.argv[3]))
    else:
        serve(sys.argv[2], sys.argv[3], int(sys.argv[4]), out)
    out.flush()
    os._exit(0)  # some peers' destructors fail


if __name__ == "__main__":
    main()
