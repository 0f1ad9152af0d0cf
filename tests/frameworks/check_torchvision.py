#!/usr/bin/env python3
"""Networks of models/ against torchvision's, with random weights and statistics.

torchvision makes the network, random numbers are its parameters and statistics, and the file of
weights has its names. rnc's network has as many parameters, and its outputs agree to 2e-5 of the
largest.

    check_torchvision.py RNC MODELS [NETWORK...]      (packages: keras.txt)

Ends with "N passed, N failed".
"""
import os
import subprocess
import sys
import tempfile

import numpy as np
import torch
import torchvision
from safetensors.torch import save_file

TOLERANCE = 2e-5
NETWORKS = ("squeezenet1_1", "densenet161", "densenet169", "densenet201", "resnext101_32x8d")
SIZES = ((224, 224), (193, 127))
MEAN, STD = (0.485, 0.456, 0.406), (0.229, 0.224, 0.225)


def random_network(name):
    torch.manual_seed(len(name))
    network = getattr(torchvision.models, name)(weights=None).eval()
    with torch.no_grad():
        for key, value in network.state_dict().items():
            if key.endswith("running_var"):
                value.uniform_(0.5, 1.5)
            elif key.endswith("running_mean"):
                value.normal_(0, 0.1)
            elif value.dim() == 1 and ("norm" in key or "bn" in key):
                value.uniform_(0.5, 1.0) if key.endswith("weight") else value.normal_(0, 0.1)
    return network


def by_rnc(rnc, net, folder, weights, pixels):
    np.save(os.path.join(folder, "image.npy"), pixels)
    done = subprocess.run(
        [rnc, "eval", net, "-w", weights, "--input", os.path.join(folder, "image.npy"),
         "-D", f"size={pixels.shape[2]}x{pixels.shape[3]}", "--output-dir", folder],
        capture_output=True, text=True, check=False)
    if done.returncode:
        raise RuntimeError(done.stderr.splitlines()[0])
    return np.load(os.path.join(folder, "probabilities.npy"))


def parameters(rnc, net):
    text = subprocess.run([rnc, "summary", net], capture_output=True, text=True, check=True).stdout
    return next(line for line in text.splitlines() if line.startswith("parameters "))


def check(rnc, net, name, folder):
    network = random_network(name)
    weights = os.path.join(folder, "weights.safetensors")
    save_file({k: v.contiguous() for k, v in network.state_dict().items()}, weights)
    wanted_count = f"{sum(p.numel() for p in network.parameters()):,}"
    if wanted_count not in parameters(rnc, net):
        return f"torchvision has {wanted_count} parameters: {parameters(rnc, net)}"
    worst = 0
    network = network.double()
    for size in SIZES:
        pixels = np.random.default_rng(1).integers(0, 256, (1, 3, *size)).astype(np.float32)
        x = torch.from_numpy(pixels).double() / 255
        x = (x - torch.tensor(MEAN).view(3, 1, 1)) / torch.tensor(STD).view(3, 1, 1)
        with torch.no_grad():
            wanted = torch.softmax(network(x), 1).numpy()
        got = by_rnc(rnc, net, folder, weights, pixels)
        worst = max(worst, np.abs(got.reshape(wanted.shape) - wanted).max() / wanted.max())
    print(f"{name}: {wanted_count} parameters, apart by {worst:.1e} of the largest", flush=True)
    return f"apart by {worst:.1e}" if worst > TOLERANCE else ""


def main():
    if len(sys.argv) < 3:
        sys.exit(__doc__)
    failed = 0
    names = sys.argv[3:] or NETWORKS
    for name in names:
        with tempfile.TemporaryDirectory() as folder:
            try:
                wrong = check(sys.argv[1], os.path.join(sys.argv[2], name + ".net"), name, folder)
            except RuntimeError as error:
                wrong = str(error)
        failed += bool(wrong)
        if wrong:
            print(f"FAIL {name}: {wrong}")
    print(f"{len(names) - failed} passed, {failed} failed")
    sys.exit(failed > 0)


if __name__ == "__main__":
    main()
