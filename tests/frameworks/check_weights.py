#!/usr/bin/env python3
"""Weights as PyTorch and Keras write them, in every way that people do.

    check_weights.py RNC MODELS    (make check-tutorial; packages: keras.txt)

Each file is written by the framework itself, and `rnc eval` computes with it what the
framework computes, to 2e-5 of the largest element; or rnc refuses it with the words that are
given.  Ends with "N passed, N failed".
"""
import argparse
import collections
import json
import os
import subprocess
import sys
import tempfile

os.environ.setdefault("KERAS_BACKEND", "torch")
os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
import keras  # noqa: E402
import numpy as np  # noqa: E402
import torch  # noqa: E402
from keras import layers as L  # noqa: E402

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
import tinynets  # noqa: E402

TOLERANCE = 2e-5  # of the largest element

TORCH_NET = """
net m {
  input a[3, 5, 5]
  conv1: conv 3x3 4 ; bn1: bn ; relu
  avgpool global ; flatten ; fc: dense 2
  output y
}
"""

KERAS_NET = """
include "lib/keras.net"
include "lib/separable.net"
naming mine {
  "conv1" -> "c1"
  "bn1"   -> "b1"
  "bn2"   -> "b2"
  "head"  -> "dense"
  include keras_parameters
}
default bn epsilon=1e-3
net m {
  use naming mine
  input a[3, 6, 6] order=nhwc
  conv1: conv 3x3 4 ; bn1: bn ; relu
  sep: separable(3x3, 5)
  dw: conv 3x3 5 groups=5 bias=true ; bn2: bn
  ic: conv 1x1 4 bias=true ; ib: bn
  avgpool global ; flatten ; head: dense 2
  output y
}
"""


class Checks:
    """Runs rnc on files of one folder and counts."""

    def __init__(self, rnc, models, folder):
        self.rnc, self.models, self.folder = rnc, models, folder
        self.passed = self.failed = 0

    def path(self, name):
        return os.path.join(self.folder, name)

    def evaluate(self, net, weights, x, *options):
        """rnc's first output, or what it says."""
        np.save(self.path("x.npy"), x)
        out = self.path("out")
        os.makedirs(out, exist_ok=True)
        for old in os.listdir(out):
            os.remove(os.path.join(out, old))
        run = subprocess.run([self.rnc, "eval", net, "-I", self.models, "-w", weights, "--input",
                              self.path("x.npy"), "-q", "--output-dir", out, *options],
                             capture_output=True, text=True)
        if run.returncode:
            return None, run.stderr
        return np.load(os.path.join(out, os.listdir(out)[0])).ravel(), run.stderr

    def count(self, label, good, why):
        self.passed, self.failed = self.passed + good, self.failed + (not good)
        print(f"{'' if good else 'FAIL '}{label}{'' if good else ': ' + why}", flush=True)

    def same(self, label, net, weights, x, y, *options):
        ours, said = self.evaluate(net, self.path(weights), x, *options)
        if ours is None:
            self.count(label, False, said)
            return
        y = np.asarray(y).ravel()
        error = np.abs(ours - y).max() / np.abs(y).max()
        self.count(label, error <= TOLERANCE, f"differs by {error:.1e} of the largest")

    def refused(self, label, net, weights, x, words):
        ours, said = self.evaluate(net, self.path(weights), x)
        self.count(label, ours is None and words in said, f"not refused with '{words}': {said}")


# ---- PyTorch ----

class Module(torch.nn.Module):
    def __init__(self):
        super().__init__()
        self.conv1 = torch.nn.Conv2d(3, 4, 3, padding=1, bias=False)
        self.bn1 = torch.nn.BatchNorm2d(4)
        self.fc = torch.nn.Linear(4, 2)
        self.register_buffer("scratch", torch.zeros(3), persistent=False)

    def forward(self, x):
        return self.fc(torch.relu(self.bn1(self.conv1(x))).mean((2, 3)))


def trained():
    """A module with random numbers everywhere, and the state of an optimizer that knows it."""
    torch.manual_seed(0)
    module = Module()
    optimizer = torch.optim.Adam(module.parameters())
    module(torch.randn(8, 3, 5, 5)).sum().backward()
    optimizer.step()
    with torch.no_grad():
        module.bn1.running_mean.normal_()
        module.bn1.running_var.uniform_(0.5, 2)
        module.bn1.weight.normal_()
        module.bn1.bias.normal_()
    return module.eval(), optimizer.state_dict()


def views(state):
    """The same numbers sliced, transposed, channels last, lazily negated."""
    state = collections.OrderedDict(state)
    wide = torch.zeros(10, 40)
    wide[2:4, 5:9] = state["fc.weight"]
    state["fc.weight"] = wide[2:4, 5:9]
    state["conv1.weight"] = state["conv1.weight"].to(memory_format=torch.channels_last)
    state["bn1.weight"] = torch.complex(torch.zeros(4), -state["bn1.weight"]).conj().imag
    assert state["bn1.weight"].is_neg()
    return state


def check_normed(c, net, x):
    """Weight and spectral normalisation, which keep what a kernel is computed from."""
    nn = torch.nn.utils
    ways = {
        "weight_norm of before": lambda m: nn.weight_norm(m),
        "weight_norm of before, one norm": lambda m: nn.weight_norm(m, dim=None),
        "weight_norm": lambda m: nn.parametrizations.weight_norm(m),
        "weight_norm, other axis": lambda m: nn.parametrizations.weight_norm(m, dim=1),
        "spectral_norm of before": lambda m: nn.spectral_norm(m),
        "spectral_norm": lambda m: nn.parametrizations.spectral_norm(m),
    }
    for label, way in ways.items():
        torch.manual_seed(2)
        module = Module()
        way(module.conv1)
        way(module.fc)
        with torch.no_grad():
            for p in module.parameters():
                p.add_(torch.randn_like(p) * 0.1)
        module(x)  # spectral_norm iterates its vectors
        module.eval()
        torch.save(module.state_dict(), c.path("normed.pt"))
        with torch.no_grad():
            c.same(f"PyTorch, {label}", net, "normed.pt", x.numpy(), module(x).numpy())


def check_torch(c):
    module, optimizer = trained()
    state = module.state_dict()
    x = torch.randn(1, 3, 5, 5)
    y = module(x).detach().numpy()
    net = c.path("torch.net")
    with open(net, "w") as f:
        f.write(TORCH_NET)
    checkpoint = {"epoch": 3, "arch": "m", "state_dict": state, "best_acc1": torch.tensor(71.0),
                  "optimizer": optimizer, "args": argparse.Namespace(lr=0.1), "big": 2 ** 100,
                  "loss": np.float64(3.5), "rng": torch.get_rng_state(), "seen": {1, 2}}
    saved = {
        "state dict": state,
        "checkpoint": checkpoint,
        "checkpoint of Lightning": {"state_dict": {"model." + k: v for k, v in state.items()},
                                    "pytorch-lightning_version": "2.5", "callbacks": {},
                                    "optimizer_states": [optimizer]},
        "nested checkpoint": {"params": {"generator": state}},
        "DataParallel": {"module." + k: v for k, v in state.items()},
        "torch.compile": {"_orig_mod." + k: v for k, v in state.items()},
        "Parameters": {k: torch.nn.Parameter(v) if v.is_floating_point() else v
                       for k, v in state.items()},
        "views": views(state),
        "whole module": module,
        "whole module in DataParallel": torch.nn.DataParallel(module),
        "module in a checkpoint": {"model": module, "epoch": 3},
        "double": {k: v.double() if v.is_floating_point() else v for k, v in state.items()},
    }
    for label, what in saved.items():
        for form, archive in (("archive", True), ("stream", False)):
            name = f"{label.replace(' ', '_')}_{form}.pt"
            torch.save(what, c.path(name), _use_new_zipfile_serialization=archive)
            c.same(f"PyTorch, {label}, {form}", net, name, x.numpy(), y)
    for protocol in (1, 2, 3, 4, 5):
        torch.save(state, c.path("protocol.pt"), pickle_protocol=protocol)
        c.same(f"PyTorch, pickle protocol {protocol}", net, "protocol.pt", x.numpy(), y)
    torch.save({"model": state, "ema": {k: v + 1 for k, v in state.items()}}, c.path("two.pt"))
    c.same("PyTorch, FILE:KEY", net, "two.pt:model", x.numpy(), y)
    c.refused("PyTorch, two dicts", net, "two.pt", x.numpy(), "several sets of tensors")
    check_normed(c, net, x)
    names = sorted(state)
    shards = {"pytorch_model-1.bin": names[:3], "pytorch_model-2.bin": names[3:]}
    for name, part in shards.items():
        torch.save({k: state[k] for k in part}, c.path(name))
    with open(c.path("pytorch_model.bin.index.json"), "w") as f:
        json.dump({"weight_map": {k: name for name, part in shards.items() for k in part}}, f)
    c.same("PyTorch, an index of two files", net, "pytorch_model.bin.index.json", x.numpy(), y)
    script = Module()
    del script.scratch
    script.load_state_dict(state)
    torch.jit.trace(script.eval(), x).save(c.path("traced.pt"))
    c.same("PyTorch, TorchScript", net, "traced.pt", x.numpy(), y)
    odd = dict(state)
    odd["fc.weight"] = state["fc.weight"].to_sparse()
    torch.save(odd, c.path("sparse.pt"))
    c.refused("PyTorch, sparse", net, "sparse.pt", x.numpy(), "numbers of type sparse")
    torch.save(list(module.parameters()), c.path("list.pt"))
    c.refused("PyTorch, a list", net, "list.pt", x.numpy(), "no dict of tensors")


# ---- Keras ----

def random_weights(model):
    random = np.random.default_rng(1)
    for w in model.weights:
        name = w.path.split("/")[-1]
        if "kernel" in name:  # keeps the size of what it multiplies; depthwise ones end with 1
            fan = np.prod(w.shape[:2] if w.shape[-1] == 1 else w.shape[:-1])
            w.assign(random.normal(0, (2 / fan) ** 0.5, w.shape))
        elif "seed" not in name:
            low, high = (0.8, 1.2) if name in ("gamma", "moving_variance") else (-0.1, 0.1)
            w.assign(random.uniform(low, high, w.shape))


def keras_model():
    keras.utils.set_random_seed(0)
    keras.Sequential([keras.Input((4,)), L.Dense(2), L.Dense(2)])  # uses up numbers
    i = keras.Input((6, 6, 3), name="picture")
    x = L.ReLU()(L.BatchNormalization(scale=False, name="b1")(
        L.Conv2D(4, 3, padding="same", use_bias=False, name="c1")(i)))
    x = L.SeparableConv2D(5, 3, padding="same", name="sep")(x)
    x = L.DepthwiseConv2D(3, padding="same", name="dw")(x)
    x = L.BatchNormalization(center=False, name="b2")(x)
    inner = keras.Sequential([keras.Input((6, 6, 5)), L.Conv2D(4, 1, name="ic"),
                              L.BatchNormalization(scale=False, center=False, name="ib")])
    x = L.Dropout(0.1)(L.GlobalAveragePooling2D()(inner(x)))
    model = keras.Model(i, L.Dense(2)(x))
    inner.compile("adam", "mse")
    model.compile("adam", "mse", metrics=["mae"])
    model.fit(np.zeros((1, 6, 6, 3)), np.zeros((1, 2)), verbose=0)
    random_weights(model)
    return model


def check_keras(c):
    model = keras_model()
    x = np.random.default_rng(2).normal(size=(1, 6, 6, 3)).astype("f4")
    y = model.predict(x, verbose=0)
    net = c.path("keras.net")
    with open(net, "w") as f:
        f.write(KERAS_NET)
    for name in ("m.keras", "m.h5"):
        model.save(c.path(name))
        c.same(f"Keras, {name}", net, name, x, y)
    outer = keras.Sequential([keras.Input((6, 6, 3)), L.Rescaling(1.0), model])
    outer.save(c.path("outer.keras"))
    c.same("Keras, a model inside of a model", net, "outer.keras", x, y)


def networks():
    """Networks of models/, each with Keras' own and a picture of it as rnc takes it and as Keras does:
    (name, options of rnc, model, for rnc, for Keras)."""
    apps = keras.applications
    applications = (
        ("keras-resnet50", (), apps.ResNet50, apps.resnet.preprocess_input, (224, 224)),
        ("keras-resnet50", ("layers=101",), apps.ResNet101, apps.resnet.preprocess_input, (97, 131)),
        ("keras-resnet50v2", (), apps.ResNet50V2, apps.resnet_v2.preprocess_input, (224, 224)),
        ("keras-resnet50v2", ("layers=101",), apps.ResNet101V2, apps.resnet_v2.preprocess_input,
         (97, 131)),
        ("mobilenet_v1", (), apps.MobileNet, apps.mobilenet.preprocess_input, (224, 224)),
        ("mobilenet_v1", ("alpha=0.5",), lambda **a: apps.MobileNet(alpha=0.5, **a),
         apps.mobilenet.preprocess_input, (97, 131)),
        ("resnet8", (), mlperf(tinynets.resnet8), lambda x: x, (32, 32)),
        ("resnet8", (), mlperf(tinynets.resnet8), lambda x: x, (37, 29)),
        ("mobilenet_v1_025", (), mlperf(tinynets.mobilenet_v1_025), lambda x: x / 255, (96, 96)),
        ("mobilenet_v1_025", (), mlperf(tinynets.mobilenet_v1_025), lambda x: x / 255, (65, 97)),
        ("ds_cnn", (), mlperf(tinynets.ds_cnn), None, (49, 10)),
        ("ds_cnn", (), mlperf(tinynets.ds_cnn), None, (37, 13)),
        ("autoencoder", (), mlperf(tinynets.autoencoder), None, (640,)))
    for name, defines, make, preprocess, size in applications:
        keras.backend.clear_session()
        keras.utils.set_random_seed(1)
        shape = size if len(size) == 1 else (*size, 3 if preprocess else 1)
        model = make(weights=None, input_shape=shape)
        random_weights(model)
        x = np.random.default_rng(3).uniform(0, 255, (1, *shape)).astype("f4")
        if not preprocess:
            x /= 255
        theirs = preprocess(x.copy()) if preprocess else x
        if name == "keras-resnet50":
            x = x[..., ::-1].copy()  # blue, green, red
        values = [f"size={size[0]}x{size[1]}", *defines] if len(size) == 2 else defines
        order = ["--input-order", "nhwc"] if name == "resnet8" else []
        yield name, [*order, *(word for v in values for word in ("-D", v))], model, x, theirs


def unsaturated(model, x):
    """Makes the last layer's kernel smaller until no class has all of a softmax."""
    kernel = [w for w in model.weights if "kernel" in w.path][-1]
    y = model.predict(x, verbose=0)
    while y.max() > 0.9 and abs(y.sum() - 1) < 1e-3:
        kernel.assign(kernel * 0.25)
        y = model.predict(x, verbose=0)
    return y


def mlperf(make):
    return lambda weights, input_shape: make(input_shape)


def check_networks(c):
    for name, options, model, x, theirs in networks():
        y = unsaturated(model, theirs)
        other = model.predict(-theirs, verbose=0)
        label = f"Keras, {name} {' '.join(options)}"
        net = os.path.join(c.models, name + ".net")
        said = subprocess.run([c.rnc, "summary", net, *options], capture_output=True, text=True)
        c.count(label + ", parameters", f"parameters  {model.count_params():,}: " in said.stdout,
                f"{model.count_params():,} in Keras")
        c.count(label + ", the input matters",
                np.abs(other - y).max() > 50 * TOLERANCE * np.abs(y).max(), "it does not")
        for end in (".keras",) if "layers=101" in options else (".keras", ".weights.h5", ".h5"):
            (model.save_weights if end == ".weights.h5" else model.save)(c.path(name + end))
            c.same(label + end, net, name + end, x, y, *options)


def main():
    rnc, models = sys.argv[1:]
    with tempfile.TemporaryDirectory() as folder:
        c = Checks(os.path.abspath(rnc), models, folder)
        check_torch(c)
        check_keras(c)
        check_networks(c)
    print(f"{c.passed} passed, {c.failed} failed")
    return c.failed > 0


if __name__ == "__main__":
    sys.exit(main())
