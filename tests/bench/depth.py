"""What depth costs: bytes of C, seconds of rnc and of the C compiler, arena, run time.

make bench-depth prints a table for ResNet-18 to -152 and for the CIFAR networks of 20 to
1202 layers, and draws it relative to the shallowest of each family.  Times are the least
CPU time of several turns, of one thread, so that other programs hardly disturb them.
"""
import argparse
import json
import os
import re
import resource
import subprocess
import tempfile

import depthplot
from rncside import add_places

# Title, model, how often to run it, depths: of one kind of block each, but for ResNet-50.
FAMILIES = (
    ("ResNet, 224 x 224", "resnet.net", 8, (18, 34, 50, 101, 152)),
    ("ResNet of CIFAR-10, 32 x 32", "resnet-cifar.net", 100, (20, 32, 44, 56, 110, 1202)),
)
COLUMNS = (
    ("layers", "layers", "%d"),
    ("steps", "steps", "%d"),
    ("kinds", "different", "%d"),
    ("c", "C, KB", "%.1f"),
    ("rnc", "rnc, s", "%.3f"),
    ("cc", "cc -O2, s", "%.2f"),
    ("text", "text, KB", "%.1f"),
    ("arena", "arena, MB", "%.3f"),
    ("run", "run, ms", "%.2f"),
)


def cpu_seconds(argv):
    """CPU time of a program that must succeed."""
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    subprocess.run(argv, check=True, stdout=subprocess.DEVNULL)
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    return after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime


def run_ms(args, place, weights, turns):
    """The least CPU time of an inference: serve.c with zeros as the picture."""
    server, picture = os.path.join(place, "serve"), os.path.join(place, "picture")
    here = os.path.dirname(os.path.abspath(__file__))
    subprocess.run([*args.cc.split(), "-std=gnu11", "-O2", f"-I{args.include}",
                    "-DNET_INFO=depth_info", "-include", os.path.join(place, "depth.h"),
                    os.path.join(here, "serve.c"), os.path.join(place, "depth.o"), args.runtime,
                    "-pthread", "-lm", "-o", server], check=True)
    with open(picture, "wb") as f:
        f.write(bytes(4 * 3 * 224 * 224))
    answer = subprocess.run([server, weights, "1", picture], input=f"run {turns}\n",
                            check=True, capture_output=True, text=True).stdout
    return min(json.loads(answer.splitlines()[1])["cpu"]) / 1e6


def measure(args, model, turns, layers):
    """A row of the table."""
    with tempfile.TemporaryDirectory() as place:
        source = os.path.join(place, "depth.c")
        net = [args.rnc, os.path.join(args.models_dir, model), "-D", f"layers={layers}", "--isa",
               args.isa, "-q", "-o", source]
        compiler = [*args.cc.split(), "-O2", f"-I{args.include}", "-c", source, "-o",
                    source[:-2] + ".o"]
        row = {"layers": layers, "rnc": min(cpu_seconds(net) for _ in range(5))}
        subprocess.run([*net, "--init", "he:1"], check=True)
        with open(source) as f:
            text = f.read()
        steps = re.search(r"(\d+) steps of (\d+) kinds", text)
        with open(os.path.join(place, "depth.h")) as f:
            arena = re.search(r"_ARENA_BYTES (\d+)", f.read())
        row.update(steps=int(steps[1]), kinds=int(steps[2]), c=len(text.encode()) / 1e3,
                   cc=min(cpu_seconds(compiler) for _ in range(2)), arena=int(arena[1]) / 1e6)
        size = subprocess.run(["size", source[:-2] + ".o"], check=True, capture_output=True,
                              text=True).stdout
        row["text"] = int(size.splitlines()[1].split()[0]) / 1e3
        row["run"] = run_ms(args, place, os.path.join(place, "depth.weights"), turns)
        return row


def table(rows):
    """The rows as a table of the manual."""
    lines = ["| " + " | ".join(title for _, title, _ in COLUMNS) + " |",
             "|" + "---:|" * len(COLUMNS)]
    for row in rows:
        lines.append("| " + " | ".join(form % row[key] for key, _, form in COLUMNS) + " |")
    return "\n".join(lines)


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    add_places(parser)
    machine = "neon" if os.uname().machine == "aarch64" else "avx2"
    parser.add_argument("--isa", default=machine, help="the one instruction set to compile for")
    parser.add_argument("--plot", metavar="FILE.svg", help="draw it")
    args = parser.parse_args()
    families = []
    for title, model, turns, depths in FAMILIES:
        rows = [measure(args, model, turns, layers) for layers in depths]
        families.append((title, rows))
        print(f"{title}, {args.isa}:\n\n{table(rows)}\n", flush=True)
    if args.plot:
        with open(args.plot, "w") as f:
            f.write(depthplot.svg(families))


if __name__ == "__main__":
    main()
