#!/usr/bin/env python3
"""make check-frameworks: networks of models/ against those of torchvision and timm that they are.

The library makes the network, random numbers are its parameters and statistics, and the file of
weights has its names. rnc's network has as many parameters, and its outputs, logits included, agree
to 2e-5 of the largest element, at the size that people use and at an odd one.

    check_sources.py RNC MODELS [NETWORK...]      (packages: onnx.txt, exporters.txt)

Ends with "N passed, N failed".
"""
import collections
import os
import subprocess
import sys
import tempfile
import warnings

import numpy as np
import timm
import torch
import torchvision
from safetensors.torch import save_file

from randomise import randomise

TOLERANCE = 2e-5
IMAGENET = ((0.485, 0.456, 0.406), (0.229, 0.224, 0.225))
HALVES = ((0.5, 0.5, 0.5), (0.5, 0.5, 0.5))
SMALL = ((160, 160), (97, 131))  # of pictures for networks whose work is several times a ResNet's
AUX = {"weights_backbone": None, "aux_loss": True}

# library: a word of MAKERS; name: of the function there; sizes of the picture; the values of
# parameters of rnc's net, -D; what the library's function is given besides; mean and deviation of
# the pixels that the library's network gets.
Source = collections.namedtuple("Source", "library name sizes defines arguments pixels",
                                defaults=(((224, 224), (193, 127)), (), {}, IMAGENET))

SOURCES = {
    **{name: Source("torchvision", name) for name in """
        resnet18 resnet34 resnet50 resnet101 resnet152 resnext50_32x4d resnext101_32x8d
        wide_resnet50_2 densenet121 densenet161 densenet169 densenet201 mobilenet_v2
        mobilenet_v3_large efficientnet_b0 convnext_tiny squeezenet1_1 regnet_x_400mf
        regnet_y_400mf""".split()},
    **{name: Source("timm", name) for name in "seresnet50 resnet50d ecaresnet50d resnet50_gn resnest50d".split()},
    "regnet": Source("torchvision", "regnet_x_8gf", ((97, 64),), ("variant=x_8gf",)),
    "shufflenet_v2": Source("torchvision", "shufflenet_v2_x1_0"),
    "googlenet": Source("torchvision", "googlenet", arguments={
        "aux_logits": False, "transform_input": True, "init_weights": False}),
    "res2net50": Source("timm", "res2net50_26w_4s"),
    "resnetv2_50": Source("timm", "resnetv2_50", pixels=HALVES),
    "resnetv2_50d_gn": Source("timm", "resnetv2_50d_gn", pixels=HALVES),
    "cspresnet50": Source("timm", "cspresnet50", ((256, 256), (193, 127))),
    "fcn_resnet50": Source("segmentation", "fcn_resnet50", SMALL, ("aux=true",), AUX),
    "deeplabv3_resnet50": Source("segmentation", "deeplabv3_resnet50", SMALL, ("aux=true",), AUX),
    "skresnet": Source("timm", "skresnet50"),
    "inception_resnet_v2": Source("timm", "inception_resnet_v2", ((299, 299), (193, 127)), pixels=HALVES),
    "retinanet_resnet50": Source("detection", "retinanet_resnet50_fpn", SMALL),
    "unet_resnet34": Source("smp", "resnet34"),
}


def classifier(logits):
    return {"probabilities": torch.softmax(logits, 1), "logits": logits}


def of_torchvision(source):
    return getattr(torchvision.models, source.name)(weights=None, **source.arguments), classifier


def of_timm(source):
    return timm.create_model(source.name, pretrained=False, **source.arguments), classifier


def of_segmentation(source):
    network = getattr(torchvision.models.segmentation, source.name)(weights=None, **source.arguments)
    return network, dict


class Levels(torch.nn.Module):
    """A detector without what makes boxes of its answers: those of each level."""

    def __init__(self, detector):
        super().__init__()
        self.backbone, self.head = detector.backbone, detector.head

    def forward(self, x):
        answers = {}
        for i, level in enumerate(self.backbone(x).values()):
            kinds, places = self.head.classification_head, self.head.regression_head
            answers[f"classes{i + 3}"] = kinds.cls_logits(kinds.conv(level))
            answers[f"boxes{i + 3}"] = places.bbox_reg(places.conv(level))
        return answers


def of_detection(source):
    return Levels(getattr(torchvision.models.detection, source.name)(
        weights=None, weights_backbone=None, **source.arguments)), dict


def of_smp(source):
    import segmentation_models_pytorch as smp
    network = smp.Unet(source.name, encoder_weights=None, **source.arguments)
    return network, lambda masks: {"masks": masks}


# What makes the library's network, and from its answer the outputs of rnc's by their names.
MAKERS = {"torchvision": of_torchvision, "timm": of_timm, "segmentation": of_segmentation, "detection": of_detection,
          "smp": of_smp}


def last_layer(rnc, net, defines):
    """The path of the layer whose result the last softmax takes: the logits."""
    text = subprocess.run([rnc, net, "--dump", "ir", *defines], capture_output=True, text=True,
                          check=True).stdout
    softmax = [line for line in text.splitlines() if " = softmax(" in line]
    return softmax[-1].split("softmax(")[1].split(")")[0] if softmax else None


def by_rnc(rnc, net, folder, weights, pixels, defines):
    """rnc's outputs by their names; the logits as `logits`."""
    np.save(os.path.join(folder, "image.npy"), pixels)
    defines = [*defines, "-D", f"size={pixels.shape[2]}x{pixels.shape[3]}"]
    logits = last_layer(rnc, net, defines)
    out = os.path.join(folder, "out")
    os.makedirs(out, exist_ok=True)
    done = subprocess.run(
        [rnc, "eval", net, "-w", weights, "--input", os.path.join(folder, "image.npy"), *defines,
         "--output-dir", out, *(["--tap", logits] if logits else [])],
        capture_output=True, text=True, check=False)
    if done.returncode:
        raise RuntimeError(done.stderr)
    return {"logits" if name[:-4] == logits else name[:-4]: np.load(os.path.join(out, name))
            for name in os.listdir(out)}


def parameters(rnc, net, defines):
    text = subprocess.run([rnc, "summary", net, *defines], capture_output=True, text=True,
                          check=True).stdout
    return next(line for line in text.splitlines() if line.startswith("parameters "))


def apart(wanted, got):
    """The largest difference of one output, of its largest element."""
    worst = 0
    for name, values in wanted.items():
        values = values.numpy()
        if name not in got or got[name].size != values.size:
            raise RuntimeError(f"no output '{name}' of {values.size} elements among {sorted(got)}")
        error = np.abs(got[name].reshape(values.shape) - values).max() / np.abs(values).max()
        worst = max(worst, error if np.isfinite(error) else np.inf)
    return worst


def check(rnc, models, name, folder):
    """What is wrong with a network, or ""."""
    source = SOURCES[name]
    net = os.path.join(models, name + ".net")
    defines = [word for value in source.defines for word in ("-D", value)]
    torch.manual_seed(len(name))
    network, outputs = MAKERS[source.library](source)
    network = randomise(network, kernels=True)
    weights = os.path.join(folder, "weights.safetensors")
    save_file({k: v.contiguous() for k, v in network.state_dict().items()}, weights)
    count = f"{sum(p.numel() for p in network.parameters()):,}"
    if f" {count} trainable" not in parameters(rnc, net, defines):
        return f"{source.library} has {count} parameters: {parameters(rnc, net, defines)}"
    worst = 0
    network = network.double()
    mean, std = (torch.tensor(values, dtype=torch.float64).view(3, 1, 1)
                 for values in source.pixels)
    for size in source.sizes:
        pixels = np.random.default_rng(1).integers(0, 256, (1, 3, *size)).astype(np.float32)
        x = (torch.from_numpy(pixels).double() / 255 - mean) / std
        with torch.no_grad():
            wanted = outputs(network(x))
            other = outputs(network(-x))
        if apart(wanted, {k: v.numpy() for k, v in other.items()}) < 50 * TOLERANCE:
            return "another picture has the same answer"
        worst = max(worst, apart(wanted, by_rnc(rnc, net, folder, weights, pixels, defines)))
    print(f"{name}: {count} parameters, apart by {worst:.1e} of the largest", flush=True)
    return f"apart by {worst:.1e}" if worst > TOLERANCE else ""


def main():
    if len(sys.argv) < 3:
        sys.exit(__doc__)
    warnings.simplefilter("ignore")
    failed = 0
    names = sys.argv[3:] or SOURCES
    for name in names:
        with tempfile.TemporaryDirectory() as folder:
            try:
                wrong = check(sys.argv[1], sys.argv[2], name, folder)
            except RuntimeError as error:
                wrong = str(error)
        failed += bool(wrong)
        if wrong:
            print(f"FAIL {name}: {wrong}")
    print(f"{len(names) - failed} passed, {failed} failed")
    sys.exit(failed > 0)


if __name__ == "__main__":
    main()
