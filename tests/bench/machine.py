"""The machine: its name, and what it can do at most (peaks.c)."""
import json
import os
import re
import subprocess

from process import cpus_for

HERE = os.path.dirname(os.path.abspath(__file__))
FLAGS = ("sse4_2", "avx2", "fma", "avx512f", "avx512_vnni", "avx512_bf16", "amx_bf16", "asimd",
         "sve")


def read(path, default=""):
    try:
        with open(path) as f:
            return f.read()
    except OSError:
        return default


def caches():
    """{"L2": "512K", ...} of the last processor we may use."""
    found, cpu = {}, cpus_for(1)[0]
    for i in range(8):
        at = f"/sys/devices/system/cpu/cpu{cpu}/cache/index{i}/"
        kind, level = read(at + "type").strip(), read(at + "level").strip()
        if kind in ("Data", "Unified"):
            found[("L1d" if level == "1" else "L" + level)] = read(at + "size").strip()
    return found


def stolen():
    """Ticks of this machine's processors, and those that a hypervisor or others took."""
    ticks = [int(x) for x in read("/proc/stat").split("\n", 1)[0].split()[1:]]
    return sum(ticks[:8]), ticks[7]


class Machine:
    def __init__(self, args, folder, threads):
        text = read("/proc/cpuinfo")
        name = re.search(r"model name\s*: (.*)", text)
        flags = re.search(r"(?:flags|Features)\s*: (.*)", text)
        family = [re.search(rf"{key}\s*: (\d+)", text) for key in ("cpu family", "model")]
        self.name = name[1].strip() if name else os.uname().machine
        if all(family):
            self.name += f" (family {family[0][1]}, model {family[1][1]})"
        self.flags = [x for x in FLAGS if flags and x in flags[1].split()]
        self.cpus, self.caches = os.cpu_count(), caches()
        self.kernel = os.uname().release
        self.cc = subprocess.run([*args.cc.split(), "--version"], check=True, stdout=subprocess.PIPE,
                                 text=True).stdout.splitlines()[0]
        program = os.path.join(folder, "peaks")
        top = os.path.join(HERE, "..", "..")
        files = ["tests/bench/peaks.c", "compiler/tool/measure_loops.c", "runtime/cpu.c"]
        subprocess.run([*args.cc.split(), "-O2", "-I" + top, "-I" + os.path.join(top, "compiler"),
                        *(os.path.join(top, f) for f in files), "-o", program, "-lpthread"],
                       check=True)
        self.peaks = {}  # threads: {"flops": {isa: GFLOP/s}, "read": {bytes: GB/s}}
        for n in sorted({1, *threads}):
            cpus = cpus_for(n)
            out = subprocess.run([program, str(n)], check=True, stdout=subprocess.PIPE,
                                 preexec_fn=lambda: os.sched_setaffinity(0, cpus)).stdout
            self.peaks[n] = json.loads(out)

    def peak(self, isa, threads):
        """GFLOP/s of an instruction set; the portable one's where it has no name of its own."""
        flops = self.peaks[threads]["flops"]
        return flops.get(isa, flops["portable"])

    def dram(self, threads):
        reads = self.peaks[threads]["read"]
        return reads[max(reads, key=int)]

    def describe(self):
        lines = [f"{self.name}, {self.cpus} CPUs, {' '.join(self.flags)}; caches "
                 + ", ".join(f"{k} {v}" for k, v in self.caches.items())
                 + f"; Linux {self.kernel}; {self.cc}"]
        for n, peaks in self.peaks.items():
            flops = ", ".join(f"{isa} {value:.0f}" for isa, value in peaks["flops"].items())
            reads = ", ".join(f"{size(int(b))} {value:.0f}" for b, value in peaks["read"].items())
            lines.append(f"Measured peak of {n} thread{'s' if n > 1 else ''}: {flops} GFLOP/s; "
                         f"reading a buffer of {reads} GB/s, in one to eight places side by side")
        return lines

    def as_json(self):
        return {"name": self.name, "cpus": self.cpus, "flags": self.flags, "caches": self.caches,
                "kernel": self.kernel, "cc": self.cc, "peaks": self.peaks}


def size(n):
    return f"{n >> 20} MB" if n >= 1 << 20 else f"{n >> 10} KB"
