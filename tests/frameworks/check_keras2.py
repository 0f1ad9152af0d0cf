#!/usr/bin/env python3
"""make check-keras2: models that Keras 2 itself has saved, and what tf2onnx makes of them.

    check_keras2.py RNC [NAME...]            (packages: keras2.txt)
    check_keras2.py --make KERAS ONNX        the small ones, for tests/import/keras and /onnx

Small models with TensorFlow's own operations between layers, and networks of tf_keras.applications,
with random weights and statistics.  `rnc import` reads the .h5 file and the ONNX model of set 17, and
each must compute what Keras does, to 2e-5 of the largest; the .keras file and the ONNX model of set 13
must be the same networks.  Ends with "N passed, N failed".
"""
import os
import re
import subprocess
import sys
import tempfile
import zipfile

os.environ["TF_USE_LEGACY_KERAS"] = "1"
os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
import numpy as np  # noqa: E402
import tensorflow as tf  # noqa: E402
import tf2onnx  # noqa: E402
import tf_keras as keras  # noqa: E402
from tf_keras import layers as L  # noqa: E402

NETWORKS = """ResNet50 ResNet50V2 MobileNet MobileNetV2 MobileNetV3Small EfficientNetB0 EfficientNetV2B0
DenseNet121 Xception InceptionV3 ConvNeXtTiny VGG16""".split()
SETS = (17, 13)
# TensorFlow's layer normalisation is x * r - mean * r there, r being 1 / sqrt(variance + epsilon); rnc
# reads it as (x - mean) / sqrt(variance + epsilon) alone.
REFUSED = {"ConvNeXtTiny": "PartitionedCall"}


def operations():
    """Functions of TensorFlow, which are TFOpLambda and SlicingOpLambda layers."""
    x = keras.Input((8, 8, 8), name="a")
    y = tf.nn.relu6(x * 0.1 + 1.0) - tf.reduce_mean(x * 0.01, axis=[1, 2], keepdims=True)
    y = tf.concat([y[:, :, :, :4], tf.nn.silu(y)[:, :, :, 4:]], -1)
    y = tf.nn.depth_to_space(tf.maximum(y, tf.abs(x)), 2)
    y = tf.nn.l2_normalize(y[:, 1:-1, ::2, :], axis=-1)
    return keras.Model(x, tf.reduce_max(y, axis=[1, 2]), name="operations")


def residual_block(x, filters, stride):
    y = L.Conv2D(filters, 3, strides=stride, padding="same", use_bias=False)(x)
    y = L.ReLU()(L.BatchNormalization()(y))
    y = L.BatchNormalization()(L.Conv2D(filters, 3, padding="same", use_bias=False)(y))
    if stride != 1 or x.shape[-1] != filters:
        x = L.BatchNormalization()(L.Conv2D(filters, 1, strides=stride, use_bias=False)(x))
    return L.ReLU()(L.Add()([x, y]))


def residual():
    """A Rescaling that two layers use."""
    x = keras.Input((16, 16, 3), name="a")
    y = residual_block(L.Rescaling(1 / 255)(x), 4, 1)
    y = residual_block(residual_block(y, 6, 2), 6, 1)
    return keras.Model(x, L.Dense(5, activation="softmax")(L.GlobalAveragePooling2D()(y)),
                       name="residual")


def sequential():
    return keras.Sequential([
        keras.Input((12, 12, 3), name="a"), L.Conv2D(4, 3, activation="relu"), L.MaxPooling2D(),
        L.DepthwiseConv2D(3, padding="same"), L.LeakyReLU(), L.UnitNormalization(), L.Flatten(),
        L.Dense(5, activation="hard_sigmoid")], name="sequential")


def normed():
    """A layer norm, which tf2onnx writes step by step, and a dense layer of each pixel."""
    return keras.Sequential([
        keras.Input((6, 6, 3), name="a"), L.Conv2D(4, 3, name="c1"),
        L.LayerNormalization(epsilon=1e-6, name="n1"), L.Dense(5, activation="gelu", name="d1"),
        L.GlobalAveragePooling2D(), L.LayerNormalization(name="n2"), L.Dense(3, name="d2")],
        name="normed")


SMALL = {f.__name__: f for f in (operations, residual, sequential, normed)}


def build(name):
    keras.backend.clear_session()
    if name in SMALL:
        return SMALL[name]()
    return getattr(keras.applications, name)(weights=None, input_shape=(96, 96, 3), classes=10,
                                             classifier_activation=None)


def randomise(model, seed=0):
    r = np.random.default_rng(seed)
    for w in model.weights:
        if "gamma" in w.name or "variance" in w.name:
            value = r.uniform(0.5, 1.5, w.shape)
        elif len(w.shape) < 2:
            value = r.normal(0, 0.2, w.shape)
        else:
            value = r.normal(0, 1 / np.sqrt(max(1, np.prod(w.shape[:-1]))), w.shape)
        w.assign(value.astype(np.float32))
    return model


def to_onnx(model, path, opset):
    spec = tf.TensorSpec((1, *model.input_shape[1:]), tf.float32, name="image")
    tf2onnx.convert.from_keras(model, input_signature=[spec], opset=opset, output_path=path)


def answers(model, path):
    """Saves an input, 0..255 as pictures are, and the output."""
    x = np.random.default_rng(1).uniform(0, 255, (1, *model.input_shape[1:])).astype(np.float32)
    if model.name in SMALL:
        x = x / 127.5 - 1
    np.savez(path + ".in.npz", x)
    np.savez(path + ".out.npz", np.asarray(model(x)))


def imported(rnc, path, base, compare):
    """The text and weights that rnc makes of the file, or its message."""
    more = ["--check", base + ".in.npz", base + ".out.npz"] if compare else []
    net = base + ".net"
    run = subprocess.run([rnc, "import", path, "-q", "-o", net, *more], capture_output=True, text=True)
    if run.returncode:
        return None, run.stderr[:600]
    weights = base + ".safetensors"
    with open(net) as f:
        text = re.sub(r"(?m)^#.*\n|(?<=^net )\w+", "", f.read())
    data = b""
    if os.path.exists(weights):
        with open(weights, "rb") as f:
            data = f.read()
        os.remove(weights)
    return (text, data), f"as Keras computes it, {len(text.splitlines())} lines"


def check(rnc, name, folder):
    """(file, good, what) for each file of a model."""
    base = os.path.join(folder, "m")
    model = randomise(build(name))
    answers(model, base)
    for ending in ("h5", "keras"):
        model.save(f"{base}.{ending}")
    for opset in SETS:
        to_onnx(model, f"{base}-{opset}.onnx", opset)
    for first, second in ((".h5", ".keras"), (f"-{SETS[0]}.onnx", f"-{SETS[1]}.onnx")):
        net, what = imported(rnc, base + first, base, True)
        if net is None and first.endswith("onnx") and name in REFUSED:
            yield first, f"note: {REFUSED[name]}: " in what, "refused, as it must be"
            continue
        yield first, net is not None, what
        other, what = imported(rnc, base + second, base, False)
        same = net is not None and other is not None and other[0] == net[0]
        yield second, same, "the same network" if same else what if other is None else "another text"


def repack(path):
    """The archive deflated, without the date on which it was made."""
    with zipfile.ZipFile(path) as z:
        members = [(n, z.read(n)) for n in z.namelist() if n != "metadata.json"]
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as z:
        for name, data in members:
            z.writestr(zipfile.ZipInfo(name, (1980, 1, 1, 0, 0, 0)), data, zipfile.ZIP_DEFLATED)
        z.writestr(zipfile.ZipInfo("metadata.json", (1980, 1, 1, 0, 0, 0)),
                   '{"keras_version": "%s"}' % keras.__version__)


def make(keras_folder, onnx_folder):
    for name in SMALL:
        model = randomise(build(name))
        base = os.path.join(keras_folder, f"keras2-{name}")
        answers(model, base)
        if name == "operations":
            model.save(base + ".h5")
        model.save(base + ".keras")
        repack(base + ".keras")
        base = os.path.join(onnx_folder, f"keras2-{name}")
        answers(model, base)
        to_onnx(model, base + ".onnx", SETS[0])


def main():
    if sys.argv[1] == "--make":
        make(*sys.argv[2:])
        return 0
    rnc = os.path.abspath(sys.argv[1])
    passed = failed = 0
    for name in sys.argv[2:] or [*SMALL, *NETWORKS]:
        with tempfile.TemporaryDirectory() as folder:
            for file, good, what in check(rnc, name, folder):
                passed, failed = passed + good, failed + (not good)
                print(f"{'' if good else 'FAIL '}{name} {file}: {what}", flush=True)
    print(f"{passed} passed, {failed} failed")
    return failed > 0


if __name__ == "__main__":
    sys.exit(main())
