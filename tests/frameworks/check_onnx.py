#!/usr/bin/env python3
"""make check-frameworks: networks of torchvision and timm, by both of PyTorch's exporters.

Each network gets random weights and statistics, is exported, imported by rnc and compiled; what the
C computes must be what PyTorch computes, to 2e-5 of the largest element.  Networks that rnc cannot
say are in `refused` with the operators that it must name.

    check_onnx.py [--size N] [NAME ...]

Ends with "N passed, N failed".
"""
import argparse
import json
import logging
import os
import subprocess
import sys
import tempfile
import warnings

import numpy as np
import torch

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "bench"))
from case import Case  # noqa: E402
from measure import answers, difference  # noqa: E402
from process import Process  # noqa: E402
from rncside import Built  # noqa: E402

TOLERANCE = 2e-5

# Of torchvision, and after "timm/" of timm.
NETWORKS = """
resnet18 resnet50 resnext50_32x4d densenet121 alexnet mobilenet_v2 mobilenet_v3_small
mobilenet_v3_large efficientnet_b0 regnet_x_400mf regnet_y_400mf mnasnet0_5 squeezenet1_1 googlenet
inception_v3 vgg11_bn timm/resnet50d timm/seresnet50 timm/res2net50_26w_4s timm/cspresnet50
timm/hrnet_w18_small timm/repvgg_a0 timm/resnetv2_50 timm/ghostnet_100 timm/tf_efficientnet_b0
timm/tf_mobilenetv3_small_100 timm/dla34 timm/lcnet_050 timm/fbnetc_100 timm/xception41
timm/selecsls42b timm/inception_v4 timm/darknet53 timm/gernet_s shufflenet_v2_x1_0 convnext_tiny
timm/ecaresnet50d timm/skresnet18 timm/dpn68 timm/rexnet_100 timm/resnest14d
""".split()

# What rnc has no words for: the network, and what the message must name.
REFUSED = {
    "timm/ecaresnet50d": ["Expand: that repeats elements"],
    "timm/skresnet18": ["Concat: of other axes"],  # 5 axes
    "timm/resnest14d": ["cannot be said"],
}


def random_numbers(model):
    """Weights as they come, but nothing of a normalisation is 0 or 1."""
    g = torch.Generator().manual_seed(1)
    with torch.no_grad():
        for name, t in model.state_dict().items():
            if name.endswith("running_var"):
                t.copy_(torch.rand(t.shape, generator=g) + 0.5)
            elif name.endswith("running_mean"):
                t.copy_(torch.randn(t.shape, generator=g) * 0.1)
            elif t.is_floating_point() and t.dim() == 1:
                low, span = (0.8, 0.4) if name.endswith("weight") else (-0.1, 0.2)
                t.copy_(torch.rand(t.shape, generator=g) * span + low)
    return model.eval()


def make(name):
    if name.startswith("timm/"):
        import timm
        return random_numbers(timm.create_model(name[5:], pretrained=False))
    import torchvision
    more = {"init_weights": False} if name in ("googlenet", "inception_v3") else {}
    return random_numbers(getattr(torchvision.models, name)(weights=None, **more))


def export(model, picture, path, dynamo):
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        torch.onnx.export(model, (picture,), path, dynamo=dynamo, verbose=False,
                          **({} if dynamo else {"opset_version": 17}))


def compiled(args, folder, onnx, picture, outputs):
    """What the C computes of the picture; the import's message if it is refused."""
    net = os.path.join(folder, "model.net")
    run = subprocess.run([args.rnc, "import", onnx, "-o", net, "-q"], stderr=subprocess.PIPE, text=True)
    if run.returncode:
        return run.stderr
    picture.numpy().tofile(os.path.join(folder, "input0.f32"))
    os.rename(os.path.join(folder, "model.safetensors"), os.path.join(folder, "net.safetensors"))
    with open(os.path.join(folder, "case.json"), "w") as f:
        json.dump({"inputs": [{"name": "input", "dims": list(picture.shape)}],
                   "outputs": [{"name": "", "dims": list(o.shape)} for o in outputs]}, f)
    case = Case(folder)
    built = Built(args, net, case, ["--isa", args.isa] if args.isa else [])
    process = Process(built.argv(1), 1, case.path("log"))
    try:
        return answers(process, case, "rnc")
    finally:
        process.close()


def check(args, name, dynamo):
    size = max(args.size, {"inception_v3": 299, "timm/inception_v4": 299}.get(name, 0))
    torch.manual_seed(3)
    model, picture = make(name), torch.rand(1, 3, size, size)
    with tempfile.TemporaryDirectory() as folder:
        path = os.path.join(folder, "model.onnx")
        export(model, picture, path, dynamo)
        with torch.no_grad():
            expected = model(picture)
        outputs = expected if isinstance(expected, (list, tuple)) else [expected]
        got = compiled(args, folder, path, picture, outputs)
        lines = 0
        if os.path.exists(os.path.join(folder, "model.net")):
            with open(os.path.join(folder, "model.net")) as f:
                lines = len(f.readlines())
    if isinstance(got, str):
        wanted = REFUSED.get(name)
        good = wanted is not None and all(w in got for w in wanted)
        return good, f"refused: {got.strip()}" if not good else "refused, as it must be"
    error = difference(got, [o.numpy().ravel() for o in outputs])
    return error <= TOLERANCE and name not in REFUSED, \
        f"worst difference {error:.1e} of the largest, {lines} lines"


def main():
    p = argparse.ArgumentParser(description=__doc__,
                                formatter_class=argparse.RawDescriptionHelpFormatter)
    p.add_argument("names", nargs="*")
    p.add_argument("--size", type=int, default=224)
    p.add_argument("--rnc", default="./rnc")
    p.add_argument("--runtime", default="./librncrt.a")
    p.add_argument("--include", default="../runtime")
    p.add_argument("--cc", default="gcc")
    p.add_argument("--exporters", default="dynamo,torchscript")
    p.add_argument("--isa", help="rnc's --isa: one instruction set takes a third of the time of three")
    args = p.parse_args()
    logging.disable(logging.WARNING)
    passed = failed = 0
    for name in args.names or NETWORKS:
        for exporter in args.exporters.split(","):
            try:
                good, what = check(args, name, exporter == "dynamo")
            except Exception as e:  # noqa: BLE001 - one network must not stop the others
                good, what = False, f"{type(e).__name__}: {str(e)[:300]}"
            passed, failed = passed + good, failed + (not good)
            print(f"{'' if good else 'FAIL '}{name} by {exporter}: {what}", flush=True)
    print(f"{passed} passed, {failed} failed")
    return failed > 0


if __name__ == "__main__":
    sys.exit(main())
