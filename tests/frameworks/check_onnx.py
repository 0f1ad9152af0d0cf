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

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path[:0] = [HERE, os.path.join(HERE, "..", "bench")]
from case import Case  # noqa: E402
from measure import answers, difference  # noqa: E402
from process import Process  # noqa: E402
from randomise import randomise  # noqa: E402
from rncside import Built, add_places  # noqa: E402

TOLERANCE = 2e-5

# Of torchvision, and after "timm/" of timm.
NETWORKS = """
resnet18 resnet50 resnext50_32x4d densenet121 alexnet mobilenet_v2 mobilenet_v3_small
mobilenet_v3_large efficientnet_b0 regnet_x_400mf regnet_y_400mf mnasnet0_5 squeezenet1_1 googlenet
inception_v3 vgg11_bn timm/resnet50d timm/seresnet50 timm/res2net50_26w_4s timm/cspresnet50
timm/hrnet_w18_small timm/repvgg_a0 timm/resnetv2_50 timm/ghostnet_100 timm/tf_efficientnet_b0
timm/tf_mobilenetv3_small_100 timm/dla34 timm/lcnet_050 timm/fbnetc_100 timm/xception41
timm/selecsls42b timm/inception_v4 timm/darknet53 timm/gernet_s shufflenet_v2_x1_0 convnext_tiny
timm/ecaresnet50d timm/skresnet18 timm/dpn68 timm/rexnet_100 timm/resnest14d timm/resnest50d_4s2x40d
""".split()

# What rnc has no words for: the network, and what the message must name.
REFUSED = {}


def make(name):
    if name.startswith("timm/"):
        import timm
        return randomise(timm.create_model(name[5:], pretrained=False), kernels=False)
    import torchvision
    more = {"init_weights": False} if name in ("googlenet", "inception_v3") else {}
    return randomise(getattr(torchvision.models, name)(weights=None, **more), kernels=False)


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
    add_places(p)
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
