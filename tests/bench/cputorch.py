"""PyTorch from PyPI without CUDA's libraries.

The wheel for Linux is built for CUDA and does not load without NVIDIA's libraries,
3 GB that nothing on a CPU calls.  So it is installed alone, and beside it go
libraries of the names it asks for, made here by the C compiler, whose functions
do nothing but report failure: PyTorch then finds no GPU and computes on the CPU with
its own code, unchanged.
"""
import collections
import glob
import os
import re
import subprocess
import sys
import sysconfig
import tempfile

VERSION = "2.15.0"


def output(*argv):
    return subprocess.run(argv, check=True, stdout=subprocess.PIPE, text=True).stdout


def wanted(folder):
    """{library: {(function, version)}} that PyTorch's libraries ask for, and lack."""
    needed, named, plain = set(), collections.defaultdict(set), set()
    for library in glob.glob(folder + "/lib*.so"):
        needed.update(re.findall(r"NEEDED.*\[(.*)\]", output("readelf", "-d", library)))
        owner = {}
        for block in output("readelf", "-VW", library).split("Version: 1  File: ")[1:]:
            for version in re.findall(r"Name: (\S+)", block):
                owner[version] = block.split()[0]
        for name, version in re.findall(r" U (\w+)(?:@(\S+))?$",
                                        output("nm", "-D", "--undefined-only", library), re.M):
            if version:
                named[owner.get(version)].add((name, version))
            else:
                plain.add(name)
    missing = {}
    for library in needed:
        if re.match(r"lib(cu|nv|nccl)", library):
            stem = re.match(r"lib([A-Za-z]+)", library)[1].lower()
            missing[library] = named[library] | {(name, None) for name in plain
                                                 if name.lower().startswith(stem)}
    return missing


def make(library, functions, folder):
    """A library whose functions return 1, which is an error to all of NVIDIA's, or a text."""
    versions = collections.defaultdict(list)
    source = []
    for name, version in sorted(functions, key=str):
        kind, value = ("const char *", '"no CUDA"') if "String" in name else ("int ", "1")
        source.append(f"{kind}{name}(void) {{ return {value}; }}")
        if version:
            versions[version].append(name)
    with tempfile.TemporaryDirectory() as at:
        script = os.path.join(at, "versions.map")
        with open(script, "w") as f:
            f.write("".join(f"{v} {{ {'; '.join(names)}; }};\n" for v, names in versions.items()))
        command = ["cc", "-shared", "-fPIC", "-w", "-x", "c", "-", "-o",
                   os.path.join(folder, library), "-Wl,-soname," + library]
        if versions:
            command.append("-Wl,--version-script=" + script)
        subprocess.run(command, input="\n".join(source) + "\n", text=True, check=True)


def install():
    subprocess.run([sys.executable, "-m", "pip", "install", "-q", "--no-deps",
                    "torch==" + VERSION], check=True)
    folder = os.path.join(sysconfig.get_path("platlib"), "torch", "lib")
    for library, functions in wanted(folder).items():
        if not os.path.exists(os.path.join(folder, library)):
            make(library, functions, folder)
    subprocess.run([sys.executable, "-c", "import torch; torch.ones(3) + 1"], check=True)


if __name__ == "__main__":
    install()
