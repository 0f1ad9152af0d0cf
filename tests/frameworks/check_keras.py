#!/usr/bin/env python3
"""make check-frameworks: networks of keras.applications, saved, imported, compiled, compared.

    check_keras.py [NAME...]

Each is saved as .keras, with random weights and statistics; `rnc import` reads it, and the C that
rnc makes of it must agree with Keras to 2e-5 of the largest element, at the size that people use and
at an odd one.  Saved as .h5, and as Keras 2 saved it (keras2.py), it must be the same network.  Ends
with "N passed, N failed".
"""
import argparse
import hashlib
import json
import os
import re
import subprocess
import sys
import tempfile

os.environ.setdefault("KERAS_BACKEND", "torch")
os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
HERE = os.path.dirname(os.path.abspath(__file__))
sys.path[:0] = [HERE, os.path.join(HERE, "..", "bench")]
import keras  # noqa: E402
import numpy as np  # noqa: E402

import keras2  # noqa: E402
from case import Case  # noqa: E402
from make_keras import randomise  # noqa: E402
from measure import answers, difference  # noqa: E402
from process import Process  # noqa: E402
from rncside import Built, add_places  # noqa: E402

TOLERANCE = 2e-5  # of the largest element
# The size that people use, and an odd one that the network takes.
NETWORKS = {
    "ResNet50": (224, (97, 131)), "ResNet101": (224, (75, 64)), "ResNet50V2": (224, (97, 131)),
    "MobileNet": (224, (97, 131)), "MobileNetV2": (224, (97, 131)),
    "MobileNetV3Small": (224, (97, 131)), "MobileNetV3Large": (224, (97, 131)),
    "DenseNet121": (224, (97, 131)), "EfficientNetB0": (224, (97, 131)),
    "EfficientNetV2B0": (224, (97, 131)), "Xception": (299, (97, 131)),
    "InceptionV3": (299, (97, 131)), "InceptionResNetV2": (299, (97, 131)),
    "VGG16": (224, (65, 97)), "VGG19": (224, (65, 97)), "ConvNeXtTiny": (224, (97, 131)),
    "NASNetMobile": (224, (97, 131)),
}


def build(name, size):
    """The network with random numbers everywhere, its logits as its output."""
    options = {"weights": None, "input_shape": (*size, 3), "classifier_activation": None}
    if name == "NASNetMobile":  # keras.applications does not build it on PyTorch by this name
        from keras.src.applications import nasnet
        model = nasnet.NASNet((*size, 3), penultimate_filters=1056, num_blocks=4,
                              stem_block_filters=32, skip_reduction=False, filter_multiplier=2,
                              include_top=True, weights=None, classes=1000, default_size=224,
                              classifier_activation=None)
    else:
        model = getattr(keras.applications, name)(**options)
    randomise(model)
    return model


def save(model, path):
    if path.endswith(".old.h5"):
        keras2.save(model, path)
    else:
        model.save(path)


class Checks:
    def __init__(self, args, folder):
        self.args, self.folder = args, folder
        self.passed = self.failed = 0

    def path(self, name):
        return os.path.join(self.folder, name)

    def count(self, label, good, what):
        self.passed, self.failed = self.passed + good, self.failed + (not good)
        print(f"{'' if good else 'FAIL '}{label}: {what}", flush=True)

    def ours(self, x, outputs):
        """What the C of imported.net answers to the picture x, in Keras' order of axes."""
        x.transpose(0, 3, 1, 2).tofile(self.path("input0.f32"))
        n, height, width, channels = x.shape
        with open(self.path("case.json"), "w") as f:
            json.dump({"inputs": [{"name": "x", "dims": [n, channels, height, width]}],
                       "outputs": [{"name": "y", "dims": [1, outputs, 1, 1]}]}, f)
        case = Case(self.folder)
        process = Process(Built(self.args, self.path("imported.net"), case,
                                ["--input-order", "nchw", *self.args.options.split()]).argv(1), 1, case.path("log"))
        try:
            return answers(process, case, "rnc")
        finally:
            process.close()

    def imported(self, label, file, model):
        """The text that rnc makes of the model, or None."""
        save(model, self.path(file))
        run = subprocess.run([self.args.rnc, "import", self.path(file), "-o",
                              self.path("imported.net")], capture_output=True, text=True)
        os.remove(self.path(file))
        if run.returncode:
            self.count(label, False, run.stderr)
            return None
        with open(self.path("imported.net")) as f:
            text = f.read()
        with open(self.path("imported.safetensors"), "rb") as f:
            return re.sub(r"(?m)^#.*\n|(?<=^net )\w+", "", text), hashlib.sha256(f.read()).digest()

    def compiled(self, label, text, x, y):
        # The name by which Built looks for weights.
        os.replace(self.path("imported.safetensors"), self.path("net.safetensors"))
        error = difference(self.ours(x, y.size), [y.ravel()])
        self.count(label, error <= TOLERANCE,
                   f"differs by {error:.1e} of the largest; {len(text.splitlines())} lines")

    def others(self, name, model, text):
        for file in ("imported.h5", "imported.old.h5"):
            label = f"{name} {file[9:]}"
            again = self.imported(label, file, model)
            if again:
                self.count(label, again == text, "the same network")

    def network(self, name):
        usual, odd = NETWORKS[name]
        for size in ((usual, usual), odd):
            keras.backend.clear_session()
            model = build(name, size)
            x = np.random.default_rng(1).uniform(0, 1, (1, *size, 3)).astype(np.float32)
            if any(isinstance(l, (keras.layers.Rescaling, keras.layers.Normalization))
                   for l in model.layers):
                x *= 255
            label = f"{name} {size[0]}x{size[1]}"
            text = self.imported(label, "imported.keras", model)
            if not text:
                continue
            self.compiled(label, text[0], x, np.asarray(model.predict(x, verbose=0)))
            if size == odd:
                self.others(name, model, text)


def main():
    p = argparse.ArgumentParser(description=__doc__,
                                formatter_class=argparse.RawDescriptionHelpFormatter)
    p.add_argument("names", nargs="*")
    add_places(p)
    p.add_argument("--options", default="", help="of the compiler: '--isa avx2'")
    args = p.parse_args()
    passed = failed = 0
    for name in args.names or NETWORKS:
        with tempfile.TemporaryDirectory() as folder:
            checks = Checks(args, folder)
            checks.network(name)
            passed, failed = passed + checks.passed, failed + checks.failed
    print(f"{passed} passed, {failed} failed")
    return failed > 0


if __name__ == "__main__":
    sys.exit(main())
