#!/usr/bin/env python3
"""The tutorial's training by rnc and by PyTorch, step by step on the same pictures.

    peers/bin/python ../tests/experiments/signs_torch.py ./rnc ../../shared/data/signs/jpg64 [--seed 2] [--after 19]

rnc's emitted step begins with the weights that models/tutorial/signs.net draws and trains for --after
epochs, on the pictures in the order of --seed.  Then PyTorch takes over its whole state, parameters and
Adam's moments, in double and in float32, and all three go on to the end of epoch --epochs.  Prints the losses
of every step, and what the epochs' were.  With --after 0 the three share only the beginning.
`make peers/installed` makes the Python with PyTorch.
"""
import argparse
import glob
import os
import re
import subprocess
import sys
import tempfile

import numpy as np
import torch
import torch.nn.functional as F
from PIL import Image

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path[:0] = [os.path.join(HERE, "..", "frameworks"), os.path.join(HERE, "..", "bench")]
from check_training import Training  # noqa: E402
from emitted_step import ISA, Step  # noqa: E402
from netgraph import Graph  # noqa: E402

BATCH, RATE = 32, 0.001
TRAINING = f"optimizer adam {RATE} like=keras ; loss cross_entropy ; init glorot_uniform"
OPTIONS = ["--input-type", "f32", "--input-order", "nchw", "-D", "classes=6"]


def pictures(root, *folders):
    """float32 [n][3][64][64] of 0..255, and their classes."""
    files = sorted(f for folder in folders for f in glob.glob(os.path.join(root, folder, "*.jpg")))
    if not files:
        sys.exit(f"signs_torch.py: {root} has no pictures in {' or '.join(folders)}")
    images = np.stack([np.asarray(Image.open(f).convert("RGB"), np.float32) for f in files])
    return (np.ascontiguousarray(images.transpose(0, 3, 1, 2)),
            np.array([int(os.path.basename(f)[0]) for f in files]))


def batches(n, epochs, seed):
    """For each epoch its batches, as lists of indices; the last batch of an epoch is what is left."""
    rng = np.random.default_rng(seed)
    orders = (rng.permutation(n) for _ in range(epochs))
    return [[order[i:i + BATCH] for i in range(0, n, BATCH)] for order in orders]


class Torch:
    """PyTorch's network in the given type, and Adam as Keras computes it, from rnc's state after `t` steps."""

    def __init__(self, graph, state, dtype, t):
        tensors = {n: a for role in ("parameter", "statistic") for n, a in state[role].items()}
        last = graph.nodes[graph.outputs[0][1]]  # softmax, which is part of the loss
        self.net, self.dtype, self.t = Training(graph, tensors, [last.operands[0]], dtype), dtype, t
        self.first, self.second = ({n: torch.from_numpy(state[role][n]).to(dtype).reshape(p.shape)
                                    for n, p in self.net.trained.items()} for role in ("first", "second"))

    def step(self, images, labels):
        """The loss before it."""
        for node in self.net.graph.nodes.values():
            node.n = len(labels)
        out = self.net(torch.from_numpy(images).to(self.dtype))[0].flatten(1)
        loss = F.cross_entropy(out, torch.from_numpy(labels))
        loss.backward()
        self.t += 1
        rate = RATE * np.sqrt(1 - 0.999 ** self.t) / (1 - 0.9 ** self.t)
        with torch.no_grad():
            for name, p in self.net.trained.items():
                m, v = self.first[name], self.second[name]
                m.lerp_(p.grad, 0.1)
                v.mul_(0.999).addcmul_(p.grad, p.grad, value=0.001)
                p.addcdiv_(m, v.sqrt().add_(1e-7), value=-rate)
                p.grad = None
        return loss.item()


def main():
    p = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    p.add_argument("rnc")
    p.add_argument("root")
    p.add_argument("--models-dir", default=os.path.join(HERE, "..", "..", "models"))
    p.add_argument("--isa", default=ISA)
    p.add_argument("--seed", type=int, default=2)
    p.add_argument("--after", type=int, default=19)
    p.add_argument("--epochs", type=int, default=20)
    args = p.parse_args()
    torch.set_num_threads(1)
    images, labels = pictures(args.root, "train_signs", "val_signs")
    net = os.path.join(args.models_dir, "tutorial", "signs.net")
    ours = Step(os.path.abspath(args.rnc), net, "signs", BATCH, TRAINING, OPTIONS, tempfile.mkdtemp(), args.isa)
    ours.initialise(0)
    text = subprocess.run([args.rnc, net, "--dump", "ir", "--batch", str(BATCH), *OPTIONS], check=True,
                          stdout=subprocess.PIPE, text=True).stdout
    graph = Graph(re.sub(r"(?m)^(    \w+ (?:\[\d+\])+) .*$", r"\1", text))  # rnc's own names
    steps, theirs = 0, []
    for epoch, order in enumerate(batches(len(images), args.epochs, args.seed)):
        if epoch == args.after:
            state = {role: ours.get(role) for role in ("parameter", "statistic", "first", "second")}
            theirs = [Torch(graph, state, dtype, steps) for dtype in (torch.float64, torch.float32)]
            print("step    rnc       PyTorch in double, in float32")
        losses = []
        for batch in order:
            row = [ours.step(images[batch], labels[batch].astype(np.int32), RATE)]
            row += [their.step(images[batch], labels[batch]) for their in theirs]
            losses.append(row)
            steps += 1
            if theirs:
                print(f"{steps:4d}  " + "  ".join(f"{x:.6f}" for x in row), flush=True)
        means = np.average(losses, axis=0, weights=[len(batch) for batch in order])
        print(f"epoch {epoch + 1}: loss " + ", ".join(f"{x:.4f}" for x in means), flush=True)


if __name__ == "__main__":
    main()
