#!/usr/bin/env python3
"""install.py PEERS FILE: puts the peers (with commas, or all) into this Python's environment.

Writes to FILE, as JSON, why those are missing that could not be installed; they are
reported as not measured.
"""
import json
import os
import subprocess
import sys

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, HERE)
import peers  # noqa: E402


def pip(name):
    """None, or why not."""
    commands = [[sys.executable, "-m", "pip", "install", "-q", "-r",
                 os.path.join(HERE, "requirements", name + ".txt")]]
    if name == "torch":
        commands.append([sys.executable, os.path.join(HERE, "cputorch.py")])
    for command in commands:
        done = subprocess.run(command, stderr=subprocess.PIPE, text=True)
        sys.stderr.write(done.stderr)
        if done.returncode:
            lines = [x.strip() for x in done.stderr.splitlines() if "rror" in x] or ["pip failed"]
            return lines[-1][:200]
    return None


def main():
    asked, file = sys.argv[1:]
    names = peers.ALL if asked == "all" else asked.split(",")
    if pip("base"):
        sys.exit("the benchmark's own packages cannot be installed")
    missing = {name: "not among BENCH_PEERS" for name in peers.ALL if name not in names}
    for name in names:
        print(f"installing {name}", file=sys.stderr, flush=True)
        why = pip(name)
        if why:
            missing[name] = why
    with open(file, "w") as f:
        json.dump(missing, f)


if __name__ == "__main__":
    main()
