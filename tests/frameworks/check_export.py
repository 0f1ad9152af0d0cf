#!/usr/bin/env python3
"""make check-frameworks: every network of models/ exported to ONNX, and back.

onnx.checker (full) must accept the model, ONNX Runtime must compute from it what rnc's interpreter
computes of the .net file, to 2e-5 of the largest element; exported once more it must be the same
bytes; and imported again, it must give the same outputs, too, and the same text as the network
itself (its --dump ir, imported) but for what ONNX cannot hold.  So must each operator of
tests/import/onnx/operators.txt by itself.

    check_export.py RNC MODELS [NAME ...]        (the name "operators" stands for those)

Ends with "N passed, N failed".
"""
import os
import re
import subprocess
import sys
import tempfile

import numpy as np
import onnx
import onnxruntime

TOLERANCE = 2e-5
# Networks of photographs are checked on smaller ones, since the interpreter is slow.
SMALL = "64x64"
# What ONNX has no words for: a state that goes from run to run.
REFUSED = {"tcn"}
# Nor for how a layer is trained.
TRAINING = re.compile(r" (momentum|variance)=[^ ]+")
OPERATORS = os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "import", "onnx", "operators.txt")


def run(*argv):
    return subprocess.run(argv, check=True, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)


def difference(ours, theirs):
    return max(float(np.abs(a.ravel() - b.ravel()).max() / max(np.abs(b).max(), 1e-6))
               for a, b in zip(ours, theirs))


def answers(path, seed=3):
    """Inputs by name, and what ONNX Runtime computes of them."""
    session = onnxruntime.InferenceSession(path, providers=["CPUExecutionProvider"])
    rng = np.random.default_rng(seed)
    kinds = {"tensor(float)": np.float32, "tensor(uint8)": np.uint8}
    inputs = {i.name: rng.uniform(0, 255, [d if isinstance(d, int) else 1 for d in i.shape])
              .astype(np.uint8).astype(kinds[i.type]) for i in session.get_inputs()}
    return inputs, session.run(None, inputs), [o.name for o in session.get_outputs()]


def interpreted(rnc, net, options, inputs, folder):
    """What rnc eval computes; images without the batch in front."""
    argv = [rnc, "eval", net, *options, "--output-dir", folder]
    for name, array in inputs.items():
        path = os.path.join(folder, f"in_{name}.npy")
        np.save(path, array)
        argv += ["--input", f"{name}={path}" if len(inputs) > 1 else path]
    run(*argv)


def options_of(rnc, net):
    """-D size where the net has the parameter and its picture is large."""
    with open(net) as f:
        text = f.read()
    large = re.search(r"size *= *\d{3}x\d{3}", text) or re.search(r"= *(resnet|plain)\(", text) or \
        "input image[3, 224" in text
    if not large:
        return []
    tried = subprocess.run([rnc, net, "-D", f"size={SMALL}", "--dump", "ir"],
                           stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    return [] if tried.returncode else ["-D", f"size={SMALL}"]


def logits(rnc, net, options):
    """What the last dense layer gives as well, which differs more than probabilities do."""
    text = run(rnc, net, *options, "--dump", "ir").stdout
    dense = re.findall(r"(?m)^(\S+) = dense\(", text)
    given = re.findall(r"(?m)^port out \S+ = (\S+)", text)
    return ["--tap", dense[-1]] if dense and dense[-1] not in given else []


def text(path):
    """The lines of a .net file without remarks and what is lost."""
    with open(path) as f:
        lines = [TRAINING.sub("", line.rstrip()) for line in f if not line.startswith("#")]
    return [line for line in lines if line and line != "default bn"]


def other_line(rnc, net, options, folder):
    """The first line that differs between the text of the network and that of what was exported of
    it, or None."""
    ir, itself, model, back = (os.path.join(folder, n) for n in
                               ("itself.ir", "itself.net", "text.onnx", "text.net"))
    with open(ir, "w") as f:
        f.write(run(rnc, net, *options, "--dump", "ir").stdout)
    run(rnc, "import", ir, "-q", "-o", itself)
    run(rnc, "export", net, *options, "--init", "random:1", "-q", "-o", model)
    run(rnc, "import", model, "-q", "-o", back)
    wanted, got = text(itself), text(back)
    for a, b in zip(wanted, got):
        if a != b:
            return f"'{b.strip()}' instead of '{a.strip()}'"
    return None if len(wanted) == len(got) else "a text of another length"


def check_operators(rnc):
    """Every operator, in a network of its own."""
    with open(OPERATORS) as f:
        lines = [line.strip() for line in f if not line.startswith("#")]
    bad = []
    for line in lines:
        with tempfile.TemporaryDirectory() as folder:
            net, model = os.path.join(folder, "one.net"), os.path.join(folder, "one.onnx")
            with open(net, "w") as f:
                f.write("net one {\n  input x[8, 6, 10]\n  " + line.replace(" ; ", "\n  ") +
                        "\n  output y\n}\n")
            run(rnc, "export", net, "--init", "random:1", "-q", "-o", model)
            onnx.checker.check_model(model, full_check=True)
            inputs, outputs, names = answers(model)
            interpreted(rnc, net, ["--init", "random:1"], inputs, folder)
            error = difference([np.load(os.path.join(folder, f"{n}.npy")) for n in names], outputs)
            if not error <= TOLERANCE:
                bad.append(f"{line}: {error:.1e} of the largest")
    return not bad, "; ".join(bad) or f"{len(lines)} layers as ONNX Runtime computes them"


def check(rnc, net, name):
    if name == "operators":
        return check_operators(rnc)
    sizes = options_of(rnc, net)
    options = [*sizes, *logits(rnc, net, sizes), "--init", "random:1"]
    with tempfile.TemporaryDirectory() as folder:
        def path(end):
            return os.path.join(folder, end)
        export = [rnc, "export", net, *options, "-q", "-o"]
        tried = subprocess.run([*export, path("a.onnx")], stderr=subprocess.PIPE, text=True)
        if tried.returncode:
            return name in REFUSED and "ONNX has nothing like" in tried.stderr, tried.stderr.strip()[:300]
        run(*export, path("b.onnx"))
        with open(path("a.onnx"), "rb") as a, open(path("b.onnx"), "rb") as b:
            if a.read() != b.read():
                return False, "the bytes differ from one time to the next"
        onnx.checker.check_model(path("a.onnx"), full_check=True)
        inputs, outputs, names = answers(path("a.onnx"))
        interpreted(rnc, net, options, inputs, folder)
        ours = [np.load(path(f"{n}.npy")) for n in names]
        error = difference(ours, outputs)
        run(rnc, "import", path("a.onnx"), "-o", path("again.net"), "-q")
        run(rnc, "export", path("again.net"), "-w", path("again.safetensors"), "-q", "-o", path("c.onnx"))
        _, again, _ = answers(path("c.onnx"))
        back = difference(again, outputs)
        other = other_line(rnc, net, sizes, folder)
        return error <= TOLERANCE and back <= TOLERANCE and not other, \
            f"worst difference {error:.1e} of the largest, imported again {back:.1e}" + \
            (f", with {other}" if other else "")


def main():
    rnc, models = os.path.abspath(sys.argv[1]), sys.argv[2]
    names = sys.argv[3:] or ["operators", *sorted(f[:-4] for f in os.listdir(models)
                                                  if f.endswith(".net"))]
    passed = failed = 0
    for name in names:
        try:
            good, what = check(rnc, os.path.join(models, name + ".net"), name)
        except subprocess.CalledProcessError as e:
            good, what = False, f"{' '.join(e.cmd[:2])}: {e.stderr.strip()[:600]}"
        except Exception as e:  # noqa: BLE001 - one network must not stop the others
            good, what = False, f"{type(e).__name__}: {str(e)[:300]}"
        passed, failed = passed + good, failed + (not good)
        print(f"{'' if good else 'FAIL '}{name}: {what}", flush=True)
    print(f"{passed} passed, {failed} failed")
    return failed > 0


if __name__ == "__main__":
    sys.exit(main())
