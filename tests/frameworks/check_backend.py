#!/usr/bin/env python3
"""make check-frameworks: the cases of ONNX's own tests of backends, which are in its Python package.

Each is a model with inputs and outputs.  rnc must give those outputs, or refuse the model because of
an operator or a shape that it does not have; which were refused, and why, is printed with --verbose.

    check_backend.py RNC [--verbose] [KIND/NAME ...]

Ends with "N passed, N failed"; before it, how many of each kind were imported and refused.
"""
import argparse
import collections
import glob
import os
import re
import subprocess
import sys
import tempfile

import numpy as np
import onnx
from onnx import numpy_helper

KINDS = ("light", "pytorch-converted", "pytorch-operator", "simple")
TOLERANCE = "1e-3"  # ONNX's own, relative to each element; here to the largest


def tensor(path):
    t = onnx.TensorProto()
    with open(path, "rb") as f:
        t.ParseFromString(f.read())
    return numpy_helper.to_array(t)


def array(case, which, i, port):
    """Input or output i; light models get what ONNX's own runner gives them."""
    if not case.endswith(".onnx"):
        data = sorted(glob.glob(os.path.join(case, "test_data_set_*")))[0]
        return tensor(os.path.join(data, f"{which}_{i}.pb"))
    if which == "output":
        return tensor(f"{case[:-5]}_output_{i}.pb")
    shape = [d.dim_value or 1 for d in port.type.tensor_type.shape.dim]
    return (np.arange(np.prod(shape)).reshape(shape) / np.prod(shape)).astype(np.float32)


def port(name, kind, n):
    """What rnc calls a port: names of the language, and old exporters number theirs."""
    name = re.sub(r"\W", "_", name)
    return name if re.match(r"[A-Za-z_]", name) else kind if n == 1 else f"{kind}_{name}"


def check(rnc, case, folder):
    """'imported', 'refused: why' or 'FAIL: why'."""
    path = case if case.endswith(".onnx") else os.path.join(case, "model.onnx")
    model = onnx.load(path, load_external_data=False)
    known = {t.name for t in model.graph.initializer}
    inputs = [i for i in model.graph.input if i.name not in known]
    for which, ports in (("input", inputs), ("output", model.graph.output)):
        try:
            arrays = {p.name: array(case, which, i, p) for i, p in enumerate(ports)}
        except Exception as e:  # noqa: BLE001 - sequences and the like
            return f"refused: its {which} is no tensor ({type(e).__name__})"
        if any(a.dtype.kind not in "fiub" for a in arrays.values()):
            return f"refused: its {which} is no tensor of numbers"
        np.savez(os.path.join(folder, which + ".npz"),
                 **{port(n, which, len(arrays)): a.astype(np.float32) for n, a in arrays.items()})
    r = subprocess.run([rnc, "import", path, "-q", "-o",
                        os.path.join(folder, "m.net"), "--check", os.path.join(folder, "input.npz"),
                        os.path.join(folder, "output.npz"), "--tolerance", TOLERANCE],
                       stderr=subprocess.PIPE, text=True)
    if r.returncode == 0:
        return "imported"
    said = r.stderr
    wrong = "is not what the imported" in said or "internal" in said or r.returncode not in (1,)
    notes = [line.split("note: ", 1)[1] for line in said.splitlines() if ": note: " in line]
    return ("FAIL: " if wrong else "refused: ") + (said.splitlines()[0].split("error: ")[-1]
                                                   + (" | " + notes[0] if notes else ""))[:200]


def main():
    p = argparse.ArgumentParser(description=__doc__,
                                formatter_class=argparse.RawDescriptionHelpFormatter)
    p.add_argument("rnc")
    p.add_argument("names", nargs="*")
    p.add_argument("--verbose", action="store_true")
    args = p.parse_args()
    root = os.path.join(os.path.dirname(onnx.__file__), "backend", "test", "data")
    failed = passed = 0
    for kind in KINDS:
        counts = collections.Counter()
        cases = [os.path.dirname(m) for m in glob.glob(os.path.join(root, kind, "*", "model.onnx"))]
        for case in sorted(cases + glob.glob(os.path.join(root, kind, "*.onnx"))):
            name = f"{kind}/{os.path.basename(case)}"
            if args.names and name not in args.names and kind not in args.names:
                continue
            if not case.endswith(".onnx") and not glob.glob(os.path.join(case, "test_data_set_*")):
                continue
            with tempfile.TemporaryDirectory() as folder:
                what = check(os.path.abspath(args.rnc), case, folder)
            counts[what.split(":")[0]] += 1
            if args.verbose or what.startswith("FAIL"):
                print(f"{what} - {name}", flush=True)
        failed += counts["FAIL"]
        passed += counts["imported"]
        print(f"{kind}: {counts['imported']} imported, {counts['refused']} refused")
    print(f"{passed} passed, {failed} failed")
    return failed > 0


if __name__ == "__main__":
    sys.exit(main())
