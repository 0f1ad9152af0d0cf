#!/usr/bin/env python3
"""Small models as Keras saves them, with what Keras computes: tests/import/keras/.

    make_keras.py FOLDER [SEEDS]    (packages: keras.txt)

NAME.keras are models, NAME.h5 and NAME.old.h5 the same as Keras 3 and Keras 2 save whole models in
HDF5, NAME.in.npz and NAME.out.npz an input and its output.  refused-NAME are models that rnc cannot read.  SEEDS gets the
descriptions alone, for fuzzing: tests/fuzz/corpus/keras/.
"""
import json
import os
import random
import re
import sys
import zipfile

os.environ.setdefault("KERAS_BACKEND", "torch")
os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
import keras  # noqa: E402
import numpy as np  # noqa: E402
from keras import layers as L  # noqa: E402
from keras import ops  # noqa: E402

import keras2  # noqa: E402

STAMP = (1980, 1, 1, 0, 0, 0)


def randomise(model, seed=0):
    """Numbers that show each weight: statistics, scales and biases as well."""
    r = np.random.default_rng(seed)
    for w in model.weights:
        name = w.path.split("/")[-1]
        if name in ("gamma", "moving_variance", "variance", "scale"):
            w.assign(r.uniform(0.5, 1.5, w.shape))
        elif name in ("beta", "moving_mean", "bias", "mean", "alpha"):
            w.assign(r.normal(0, 0.2, w.shape))
        elif name.startswith("variable"):  # of LayerScale
            w.assign(r.uniform(0.05, 0.5, w.shape))
        elif "kernel" in name:
            w.assign(r.normal(0, 1 / np.sqrt(max(1, np.prod(w.shape[:-1]))), w.shape))


def repack(path):
    """The archive deflated, with nothing that differs from run to run."""
    with zipfile.ZipFile(path) as z:
        members = [(n, z.read(n)) for n in z.namelist()]
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as z:
        for name, data in members:
            if name == "metadata.json":
                data = json.dumps({"keras_version": json.loads(data)["keras_version"]}).encode()
            z.writestr(zipfile.ZipInfo(name, STAMP), data, zipfile.ZIP_DEFLATED)


# ---- models that rnc reads ----

def sequential():
    """Paddings of even sizes and strides, normalisations without scale or centre, a flatten."""
    return keras.Sequential([
        keras.Input((10, 9, 3), name="picture"),
        L.Rescaling(1 / 127.5, offset=-1, name="scale"),
        L.Conv2D(4, 3, strides=2, padding="same", use_bias=False, name="c1"),
        L.BatchNormalization(scale=False, name="b1"), L.ReLU(max_value=6, name="r1"),
        L.ZeroPadding2D(((1, 0), (0, 2)), name="pad"),
        L.DepthwiseConv2D(2, depth_multiplier=2, name="deep", activation="silu"),
        L.BatchNormalization(center=False, epsilon=0.01, momentum=0.9, name="b2"),
        L.SeparableConv2D(6, (4, 3), padding="same", depth_multiplier=2, name="sep",
                          activation="relu"),
        L.Dropout(0.5), L.RandomFlip(),
        L.AveragePooling2D(2, strides=1, padding="same", name="mean"),
        L.MaxPooling2D((3, 2), padding="same", name="most"),
        L.Flatten(name="flat"), L.Dense(5, activation="tanh", name="d1"),
        L.Dense(3, activation="softmax", name="probabilities")], name="sequential")


def nested():
    """A model as a layer, called twice; a Dense called twice; a model in it; arithmetic."""
    inner = keras.Sequential([keras.Input((3, 3, 4)), L.Conv2D(4, 1, name="narrow")], name="inner")
    x = keras.Input((8, 8, 3))
    y = L.Conv2D(4, 3, strides=2, name="c1", activation="relu")(x)
    y = L.Add(name="sum")([inner(y), y])
    backbone = keras.Model(x, L.BatchNormalization(name="b1")(y), name="backbone")
    left, right = keras.Input((8, 8, 3), name="left"), keras.Input((8, 8, 3), name="right")
    head = L.Dense(5, name="head")
    a = L.GlobalAveragePooling2D(name="left_mean")(backbone(left / 255.0))
    b = L.Flatten(name="right_flat")(backbone(right))
    b = L.Dense(4, name="narrow")(b)
    both = L.Average(name="average")([head(a), head(b)])
    return keras.Model([left, right], [both * 2.0 - 1.0, backbone(right * 0.5)], name="pair")


def gates():
    """Joins of every kind; a gate; hard sigmoids; a sum of three; a difference."""
    x = keras.Input((6, 6, 8), name="a")
    y = L.Conv2D(8, 3, padding="same", name="c1")(x)
    g = L.GlobalAveragePooling2D(keepdims=True, name="squeeze")(y)
    g = L.Conv2D(8, 1, name="excite")(g)
    g = L.ReLU(6.0)(g + 3.0) * (1 / 6)
    y = L.Multiply(name="gated")([y, g])
    v = L.Dense(8, activation="sigmoid", name="gate")(L.GlobalMaxPooling2D(name="top")(y))
    v = L.Reshape((1, 1, 8), name="as_image")(v)
    y = L.Add(name="three")([y, x, L.Multiply(name="by_vector")([x, v])])
    z = L.Subtract(name="difference")([y, L.LeakyReLU(negative_slope=0.25, name="leak")(y)])
    y = L.Concatenate(name="both")([y, z, L.UpSampling2D(2, name="up")(L.MaxPooling2D(2)(y))])
    y = L.Activation("softmax", name="shares")(L.Dense(4, name="pixels")(y))
    return keras.Model(x, y, name="gates")


def activations():
    x = keras.Input((4, 4, 6), name="a")
    parts = []
    for i, name in enumerate(["relu", "relu6", "leaky_relu", "sigmoid", "tanh", "hard_sigmoid",
                              "hard_silu", "silu", "gelu", "elu", "selu", "softplus", "mish",
                              "linear"]):
        parts.append(L.Conv2D(3, 1, activation=name, name=f"c{i}")(x))
    parts.append(L.Conv2D(3, 1, activation=L.ReLU(negative_slope=0.1), name="object")(x))
    a, b = ops.split(x, 2, axis=-1)
    parts += [ops.silu(b), ops.relu6(ops.negative(a)), ops.clip(a, -0.5, 0.75),
              L.ReLU(max_value=1.5)(b), L.ELU(0.5)(a), L.PReLU(shared_axes=[1, 2], name="slopes")(b),
              L.PReLU(shared_axes=[1, 2, 3], name="slope")(a), ops.divide(a, ops.sigmoid(b))]
    return keras.Model(x, L.Concatenate(name="all")(parts), name="activations")


def sequence():
    """One dimension: a sequence is an image one pixel wide."""
    return keras.Sequential([
        keras.Input((16, 4), name="steps"), L.Conv1D(6, 3, padding="causal", dilation_rate=2,
                                                     name="c1", activation="relu"),
        L.BatchNormalization(name="b1"), L.ZeroPadding1D((1, 2)), L.MaxPooling1D(2, name="most"),
        L.SeparableConv1D(5, 3, padding="same", name="sep"), L.SpatialDropout1D(0.1),
        L.DepthwiseConv1D(3, strides=2, name="deep"), L.Dense(6, activation="gelu", name="each"),
        L.AveragePooling1D(2, strides=1, name="mean"), L.UpSampling1D(2),
        L.Flatten(), L.Dense(3, name="scores")], name="sequence")


def preprocessing():
    x = keras.Input((6, 5, 3), name="pixels")
    known = L.Normalization(mean=[0.485, 0.456, 0.406], variance=[0.05, 0.05, 0.05], name="known")
    learnt = L.Normalization(name="learnt")
    learnt.adapt(np.random.default_rng(5).uniform(0, 9, (20, 6, 5, 3)))
    y = known(L.Rescaling(1 / 255, name="scale")(x))
    z = learnt(L.Resizing(6, 5)(x))
    w = ops.subtract(x, np.float32([103.939, 116.779, 123.68]))
    return keras.Model(x, L.Concatenate(name="all")([y, z, L.Rescaling([1.0, 0.5, 0.25])(w)]),
                       name="preprocessing")


def sizes():
    """Transposed convolutions of both paddings, kernels below and above the stride; other sizes."""
    x = keras.Input((5, 4, 6), name="a")
    y = L.LayerNormalization(epsilon=0.01, name="ln")(L.Conv2DTranspose(4, 3, strides=2,
                                                                        padding="same", name="t1")(x))
    z = L.GroupNormalization(2, scale=False, name="gn")(L.Conv2DTranspose(4, 2, strides=2,
                                                                          name="t2")(x))
    w = L.UpSampling2D(2, interpolation="bilinear", name="up")(L.Conv2DTranspose(
        3, (1, 4), strides=(2, 3), use_bias=False, name="t3", activation="relu")(x))
    w = L.Resizing(10, 8, name="to_size")(L.Cropping2D(((1, 0), (0, 2)), name="cut")(w))
    return keras.Model(x, L.Concatenate(name="all")([y, z, w]), name="sizes")


def joined():
    """Images one below and beside the other; gelu by tanh."""
    x = L.Input((6, 5, 3), name="picture")
    a, b = L.Conv2D(4, 3, padding="same", name="first")(x), L.Conv2D(4, 1, name="second")(x)
    y = L.Concatenate(axis=1, name="below")([a, b[:, 1:3]])
    y = keras.ops.gelu(L.Concatenate(axis=-2, name="beside")([y, y[:, :, :2]]))
    rows = [L.Reshape((-1, 2), name=f"rows{i}")(t) for i, t in enumerate((y, a))]
    z = L.Concatenate(axis=1, name="all")(rows)
    return keras.Model(x, L.Softmax(name="chosen")(z), name="joined")


def axes():
    """What goes over whole axes, the larger of tensors, parts of them, blocks of pixels."""
    a = keras.Input((6, 8, 8), name="a")
    x = L.Rescaling(0.5, name="scale")(a)
    y = L.Maximum(name="larger")([x, L.Conv2D(8, 1, name="c1")(x)])
    y = L.Minimum(name="smallest")([y, ops.maximum(x, 0.25), ops.abs(x)])
    y = ops.multiply(y, ops.sigmoid(ops.max(y, axis=-1, keepdims=True)))
    y = ops.subtract(y, ops.mean(y, axis=(1, 2), keepdims=True))
    b, c, d = ops.split(L.UnitNormalization(name="unit")(y), [2, 5], axis=-1)
    z = L.Concatenate(name="turned")([d, c, ops.square(b)])[:, 1:-1, ::2, 1:]
    z = L.Conv2DTranspose(4, 3, strides=2, padding="same", output_padding=0, name="t1")(z)
    z = L.Conv2DTranspose(8, 2, strides=3, output_padding=(1, 2), name="t2")(z)[:, :-1, :, :]
    z = ops.nn.space_to_depth(L.Softmax(axis=[1, 2])(ops.nn.depth_to_space(z, 2)), 2)
    z = L.Conv2D(3, 1, activation="log_softmax", name="c2")(ops.max_pool(z, 2))
    v = ops.normalize(L.Dense(4, name="d1")(ops.min(y, axis=(1, 2))))
    return keras.Model(a, [z, v, ops.sum(ops.abs(y), axis=(1, 2))], name="axes")


# ---- models that it refuses ----

def many():
    x = keras.Input((8, 8, 3), name="x")
    y = L.Conv3D(2, 1)(L.Reshape((8, 8, 3, 1))(x))
    y = L.Reshape((8, 8, 6))(y)
    z = L.Reshape((64, 3))(x)
    z = L.LSTM(4, name="memory")(z)
    w = L.Lambda(lambda t: t * 2, name="double")(x)
    w = L.Lambda(lambda t: t + 1, name="more")(w)
    w = L.MultiHeadAttention(1, 2, name="heads")(w, w)
    return keras.Model(x, [y, z, L.Conv2D(2, 3, activation="hard_shrink", name="last")(w)], name="many")


def open_size():
    x = keras.Input((None, None, 3), name="any_size")
    return keras.Model(x, L.Conv2D(2, 3, name="c1")(x))


class Subclass(keras.Model):
    def __init__(self):
        super().__init__()
        self.d = L.Dense(2)

    def call(self, x):
        return self.d(x)

    def get_config(self):
        return {}


def subclassed():
    model = Subclass()
    model(np.zeros((1, 3), "f"))
    return model


def one_layer():
    return keras.Sequential([keras.Input((3, 3, 2), name="x"), L.Conv2D(2, 2, name="c1")],
                            name="one")


def edit(folder, name, change):
    """one_layer() with its JSON changed."""
    path = os.path.join(folder, f"refused-{name}.keras")
    one_layer().save(path)
    with zipfile.ZipFile(path) as z:
        members = {n: z.read(n) for n in z.namelist()}
    config = json.loads(members["config.json"])
    members["config.json"] = json.dumps(change(config) or config).encode()
    with zipfile.ZipFile(path, "w") as z:
        for n, data in members.items():
            z.writestr(n, data)
    repack(path)


def layer(config, i):
    return config["config"]["layers"][i]["config"]


def doubled(depth):
    """Models in models, each of which is called twice: 2^depth calls of the innermost layer."""
    inner = {"class_name": "ReLU", "config": {"name": "a"}}
    for i in range(depth + 1):
        calls = [[["x", 0, 0, {}]]] + ([[["m", 0, 0, {}]]] if i else [])
        inner = {"class_name": "Functional", "config": {"name": "m", "layers": [
            {"class_name": "InputLayer", "config": {"name": "x", "batch_shape": [None, 8, 8, 3]},
             "inbound_nodes": []},
            {**inner, "name": "m", "inbound_nodes": calls}],
            "input_layers": [["x", 0, 0]], "output_layers": [["m", 1 if i else 0, 0]]}}
        if not i:
            inner["config"]["layers"][1]["config"]["name"] = "m"
    return inner


def refused(folder):
    for make in (many, open_size, subclassed):
        path = os.path.join(folder, f"refused-{make.__name__.replace('_', '-')}.keras")
        make().save(path)
        repack(path)
    one_layer().save_weights(os.path.join(folder, "refused-weights.weights.h5"))
    edit(folder, "filters", lambda c: layer(c, 1).update(filters=5))
    edit(folder, "name", lambda c: layer(c, 1).update(use_bias=True, name="c2", kernel_size=[2]))
    edit(folder, "missing", lambda c: layer(c, 1).update(use_bias=True, filters=2) or
         c["config"]["layers"].append({"class_name": "Dense", "config": {"name": "d", "units": 2}}))
    edit(folder, "channels-first", lambda c: layer(c, 1).update(data_format="channels_first"))
    edit(folder, "quantized", lambda c: layer(c, 1).update(
        dtype={"class_name": "QuantizedDTypePolicy", "config": {"mode": "int8"}}))
    edit(folder, "twice", lambda c: c["config"]["layers"].append(c["config"]["layers"][1]))
    edit(folder, "no-layers", lambda c: c["config"].update(layers=[]))
    edit(folder, "own-result", lambda c: {"class_name": "Functional", "config": {
        "name": "loop", "layers": [
            {"class_name": "ReLU", "config": {"name": "a"}, "inbound_nodes": [[["b", 0, 0, {}]]]},
            {"class_name": "ReLU", "config": {"name": "b"}, "inbound_nodes": [[["a", 0, 0, {}]]]}],
        "input_layers": [], "output_layers": [["b", 0, 0]]}})
    edit(folder, "split-at", lambda c: {"class_name": "Functional", "config": {
        "name": "cut", "layers": [
            {"class_name": "InputLayer", "config": {"name": "x", "batch_shape": [None, 8, 8, 16]},
             "inbound_nodes": []},
            {"class_name": "Split", "config": {"name": "s", "indices_or_sections": [4, 4],
                                               "axis": -1},
             "inbound_nodes": [[["x", 0, 0, {}]]]}],
        "input_layers": [["x", 0, 0]], "output_layers": [["s", 0, 1]]}})
    edit(folder, "no-input", lambda c: {"class_name": "Functional", "config": {
        "name": "odd", "layers": [
            {"class_name": "ReLU", "config": {"name": "a"}, "inbound_nodes": []},
            {"class_name": "InputLayer", "config": {"name": "x", "batch_shape": [None, 8, 8, 3]},
             "inbound_nodes": []}],
        "input_layers": [5], "output_layers": [["x", 0, 0]]}})
    edit(folder, "doubled", lambda c: doubled(26))
    edit(folder, "unknown", lambda c: {"class_name": "Functional", "config": {
        "name": "unknown", "layers": [
            {"class_name": "ReLU", "config": {"name": "a"}, "inbound_nodes": [[["z", 0, 0, {}]]]}],
        "input_layers": [], "output_layers": [["a", 0, 0]]}})


def seeds(model, folder, name):
    """The description in the forms of Keras 3 and 2, without what rnc does not read."""
    old, texts = json.loads(model.to_json()), {"": model.to_json()}
    if name != "axes":  # whose operations keras2.py does not have
        texts["-old"] = json.dumps({"class_name": old["class_name"],
                                    "config": keras2.Model(old["config"]).config})
    for ending, text in texts.items():
        text = re.sub(r', "[a-z_]*_(initializer|regularizer|constraint)": (null|\{[^{}]*\{[^{}]*\}'
                      r'[^{}]*\})', "", text)
        with open(os.path.join(folder, f"{name}{ending}.json"), "w") as f:
            f.write(text)


def main():
    folder = sys.argv[1]
    os.makedirs(folder, exist_ok=True)
    for make in (sequential, nested, gates, activations, sequence, preprocessing, sizes,
                 axes, joined):
        random.seed(0)
        keras.backend.clear_session()
        model, name = make(), os.path.join(folder, make.__name__)
        if make is not preprocessing:
            randomise(model)
        r = np.random.default_rng(1)
        inputs = {t.name: r.uniform(-2, 2, (2,) + t.shape[1:]).astype(np.float32)
                  for t in model.inputs}
        outputs = model.predict(list(inputs.values()) if len(inputs) > 1 else
                                list(inputs.values())[0], verbose=0)
        outputs = outputs if isinstance(outputs, list) else [outputs]
        names = getattr(model, "output_names", [model.layers[-1].name])
        np.savez(name + ".in.npz", **inputs)
        np.savez(name + ".out.npz", **dict(zip(names, outputs)))
        if len(sys.argv) > 2 and make not in (activations, preprocessing, sizes, joined):
            seeds(model, sys.argv[2], make.__name__)
        model.save(name + ".keras")
        repack(name + ".keras")
        if make in (sequential, nested):
            model.save(name + ".h5")
        if make in (sequential, nested, gates):
            keras2.save(model, name + ".old.h5", fixed=make is sequential)
    refused(folder)


if __name__ == "__main__":
    main()
