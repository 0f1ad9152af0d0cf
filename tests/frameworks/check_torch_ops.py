#!/usr/bin/env python3
"""Operators with windows or moves against PyTorch, over random shapes.

A case is a network of one operator with random attributes, input and weights. `rnc eval` computes
it in double, PyTorch as well: they agree to a few roundings of the largest element, and so do their
shapes, which are where such operators differ most.

    check_torch_ops.py RNC [OPERATOR...]      (make check-frameworks; packages: keras.txt)

Ends with "N passed, N failed".
"""
import os
import subprocess
import sys
import tempfile

import numpy as np
import torch
import torch.nn.functional as F
from safetensors.numpy import save_file

CASES = 25         # of each operator
COMPILED = 5       # of these, whose C is compared with the interpreter as well
TOLERANCE = 1e-12  # of the largest element


class Draw:
    """A random case: the statement in the language, the input's shape, weights by name."""

    def __init__(self, seed):
        self.random = np.random.default_rng(seed)
        self.weights = {}

    def int(self, least, most):
        return int(self.random.integers(least, most + 1))

    def bool(self):
        return bool(self.random.integers(2))

    def pair(self, least, most):
        return self.int(least, most), self.int(least, most)

    def word(self, *words):
        """One of them."""
        return words[self.int(0, len(words) - 1)]

    def weight(self, name, *shape):
        """Floats, which is what rnc reads; PyTorch computes with them in double."""
        self.weights[name] = self.random.uniform(-1, 1, shape).astype(np.float32)
        return torch.from_numpy(self.weights[name].astype(np.float64))

    def image(self, channels=None, least=1, most=12):
        return (channels or self.int(1, 6), *self.pair(least, most))


def text(value):
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, tuple):
        return "(" + ", ".join(map(str, value)) + ")"
    return str(value)


def call(word, *values, **attributes):
    return " ".join([word, *map(text, values), *(f"{k}={text(v)}" for k, v in attributes.items())])


# Each returns the statement, the shape of the input and a function of it.


def maxpool(d):
    kernel, stride, ceil = d.pair(1, 4), d.pair(1, 4), d.bool()
    padding = tuple(d.int(0, k // 2) for k in kernel)
    return (call("maxpool", kernel, stride=stride, padding=padding, ceil_mode=ceil),
            d.image(least=4), lambda x: F.max_pool2d(x, kernel, stride, padding, ceil_mode=ceil))


def avgpool(d):
    kernel, stride, ceil, count = d.pair(1, 4), d.pair(1, 4), d.bool(), d.bool()
    padding = tuple(d.int(0, k // 2) for k in kernel)
    divisor = d.int(0, 5)
    return (call("avgpool", kernel, stride=stride, padding=padding, ceil_mode=ceil,
                 count_padding=count, divisor=divisor), d.image(least=4),
            lambda x: F.avg_pool2d(x, kernel, stride, padding, ceil, count, divisor or None))


def pad(d):
    shape = d.image(least=2)
    mode = d.word("reflect", "replicate", "circular")
    most = [n - (mode == "reflect") for n in (shape[1], shape[2]) * 2]
    top, left, bottom, right = (d.int(0, min(3, n)) for n in most)
    return (call("pad", (top, left, bottom, right), mode=mode), shape,
            lambda x: F.pad(x, (left, right, top, bottom), mode))


def conv_padding_mode(d):
    groups = d.int(1, 2)
    channels, filters = groups * d.int(1, 3), groups * d.int(1, 3)
    kernel, stride, dilation = d.pair(1, 3), d.pair(1, 2), d.pair(1, 2)
    mode, padding = d.word("reflect", "replicate", "circular"), d.pair(0, 3)
    layer = torch.nn.Conv2d(channels, filters, kernel, stride, padding, dilation, groups,
                            padding_mode=mode).double()
    layer.weight.data = d.weight("conv1.weight", *layer.weight.shape)
    layer.bias.data = d.weight("conv1.bias", filters)
    return (call("conv", kernel, filters, stride=stride, padding=padding, dilation=dilation,
                 groups=groups, bias=True, padding_mode=mode), d.image(channels, least=5), layer)


def conv_transpose(d):
    groups = d.int(1, 3)
    channels, filters = groups * d.int(1, 3), groups * d.int(1, 3)
    kernel, stride, dilation = d.pair(1, 4), d.pair(1, 4), d.pair(1, 3)
    padding = tuple(d.int(0, b * (k - 1)) for b, k in zip(dilation, kernel))
    more = tuple(d.int(0, max(s, b) - 1) for s, b in zip(stride, dilation))
    weight = d.weight("conv_transpose1.weight", channels, filters // groups, *kernel)
    bias = d.weight("conv_transpose1.bias", filters) if d.bool() else None
    return (call("conv_transpose", kernel, filters, stride=stride, padding=padding,
                 output_padding=more, dilation=dilation, groups=groups, bias=bias is not None),
            d.image(channels, least=4),
            lambda x: F.conv_transpose2d(x, weight, bias, stride, padding, more, groups, dilation))


def resize_size(d):
    size = d.pair(1, 25)
    mode, corners = d.word(("bilinear", "half_pixel"), ("bilinear", "align_corners"),
                           ("nearest", "asymmetric"), ("nearest", "half_pixel"))
    name = "nearest-exact" if (mode, corners) == ("nearest", "half_pixel") else mode
    align = corners == "align_corners" if mode == "bilinear" else None
    return (call("resize", size, mode=mode, corners=corners), d.image(),
            lambda x: F.interpolate(x, size, mode=name, align_corners=align))


def resize_scale(d):
    scale = tuple(d.int(1, 16) / 4 for _ in range(2))
    mode, corners = d.word(("bilinear", "half_pixel"), ("nearest", "asymmetric"))
    return (call("resize", scale=scale, mode=mode, corners=corners), d.image(least=4),
            lambda x: F.interpolate(x, scale_factor=scale, mode=mode))


def upsample(d):
    scale = d.pair(1, 4)
    return (call("upsample", scale), d.image(),
            lambda x: F.interpolate(x, scale_factor=tuple(map(float, scale)), mode="nearest"))


def depth_to_space(d):
    block = d.int(1, 4)
    return (call("depth_to_space", block, order="crd"), d.image(block * block * d.int(1, 3)),
            lambda x: F.pixel_shuffle(x, block))


def space_to_depth(d):
    block = d.int(1, 3)
    h, w = d.pair(1, 4)
    return (call("space_to_depth", block, order="crd"), (d.int(1, 4), block * h, block * w),
            lambda x: F.pixel_unshuffle(x, block))


def channel_shuffle(d):
    groups = d.int(1, 5)
    return (call("channel_shuffle", groups), d.image(groups * d.int(1, 6)),
            lambda x: F.channel_shuffle(x, groups))


def unflatten(d):
    shape = d.image(d.int(1, 20))
    return (f"flatten ; {call('unflatten', shape[:0:-1])}", shape,
            lambda x: x.flatten(1).view(-1, shape[0], shape[2], shape[1]))


def reshape(d):
    factors = [d.int(1, 4) for _ in range(6)]  # of the operand's axes, two each
    shape = tuple(factors[i] * factors[i + 1] for i in (0, 2, 4))
    d.random.shuffle(factors)
    channels, height, width = (factors[i] * factors[i + 1] for i in (0, 2, 4))
    return (call("reshape", channels, (height, width)), shape,
            lambda x: x.reshape(-1, channels, height, width))


def transpose(d):
    axes = d.word("cwh", "hcw", "hwc", "wch", "whc")
    perm = ["nchw".index(axis) for axis in axes]
    return call("transpose", axes), d.image(d.int(1, 40)), lambda x: x.permute(0, *perm)


def arithmetic(d):
    shape, word = d.image(), d.word("add", "sub", "mul", "div")
    numbers = d.random.uniform(0.25, 4, shape[0] if d.bool() else 1)
    function = {"add": torch.add, "sub": torch.sub, "mul": torch.mul, "div": torch.div}[word]
    operand = torch.from_numpy(numbers).view(1, -1, 1, 1)
    value = tuple(numbers.tolist()) if len(numbers) > 1 else numbers[0]
    return call(word, value), shape, lambda x: function(x, operand)


def dilated(d):
    """Windows that reach far beyond the image."""
    kernel, filters = (d.word(1, 3, 5), d.word(1, 3, 5)), d.int(1, 40)
    dilation, stride = d.pair(1, 12), d.pair(1, 2)
    padding = tuple(k // 2 * step for k, step in zip(kernel, dilation))
    shape = d.image(d.int(1, 20), 5, 16)
    weight, bias = d.weight("conv1.weight", filters, shape[0], *kernel), d.weight("conv1.bias", filters)
    return (call("conv", kernel, filters, dilation=dilation, stride=stride, bias=True), shape,
            lambda x: F.conv2d(x, weight, bias, stride, padding, dilation))


def crop(d):
    top, left, bottom, right, before, after = (d.int(0, 2) for _ in range(6))
    return (call("crop", (top, left, bottom, right), channels=(before, after)),
            d.image(d.int(5, 40), least=5),
            lambda x: x[:, before:x.shape[1] - after, top:x.shape[2] - bottom,
                        left:x.shape[3] - right])


def split_sizes(d):
    sizes = tuple(d.int(1, 20) for _ in range(d.int(2, 4)))
    names = [f"part{i}" for i in range(len(sizes))]
    which = d.int(0, len(sizes) - 1)
    return (f"{', '.join(names)}: {call('split', sizes=sizes)}\n  from part{which}",
            d.image(sum(sizes)), lambda x: torch.split(x, sizes, 1)[which])


def blurpool(d):
    """timm's BlurPool2d."""
    size, stride = d.int(2, 5), d.int(1, 3)
    padding = (stride - 1 + size - 1) // 2
    mode = d.word("reflect", "replicate", "zeros")
    row = np.poly1d((0.5, 0.5)) ** (size - 1)
    kernel = torch.from_numpy(np.outer(row.coeffs, row.coeffs))

    def function(x):
        filters = kernel.expand(x.shape[1], 1, size, size)
        x = F.pad(x, [padding] * 4, "constant" if mode == "zeros" else mode)
        return F.conv2d(x, filters, stride=stride, groups=x.shape[1])

    return (call("blurpool", size, stride=stride, padding=padding, padding_mode=mode),
            d.image(least=5), function)


OPERATORS = {f.__name__: f for f in (
    maxpool, avgpool, pad, conv_padding_mode, conv_transpose, resize_size, resize_scale, upsample,
    depth_to_space, space_to_depth, channel_shuffle, unflatten, reshape, transpose, arithmetic, dilated,
    crop, split_sizes, blurpool)}


def by_rnc(rnc, folder, statement, x, weights):
    def path(name):
        return os.path.join(folder, name)

    shape = ", ".join(map(str, x.shape[1:]))
    with open(path("case.net"), "w", encoding="ascii") as net:
        net.write(f"net one {{\n  batch {x.shape[0]}\n  input image[{shape}]\n  {statement}\n"
                  "  output y\n}\n")
    np.save(path("image.npy"), x.astype(np.float32))
    command = [rnc, "eval", path("case.net"), "--input", path("image.npy"), "--output-dir", folder]
    if weights:
        save_file(weights, path("case.safetensors"))
        command += ["-w", path("case.safetensors")]
    else:
        command += ["--init", "zeros"]  # there is nothing to fill
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode != 0:
        raise RuntimeError(done.stderr.splitlines()[0])
    return np.load(path("y.npy"))


def compiled(rnc, folder, weights):
    """Whether the C that rnc makes of the case differs from the interpreter."""
    command = [rnc, "verify", os.path.join(folder, "case.net")]
    command += ["-w", os.path.join(folder, "case.safetensors")] if weights else ["--init", "zeros"]
    return subprocess.run(command, capture_output=True, check=False).returncode != 0


def check(rnc, name, number):
    """The statement and what is wrong with its result, or ""."""
    d = Draw([number, *name.encode()])
    statement, shape, function = OPERATORS[name](d)
    x = d.random.uniform(-4, 4, (d.int(1, 2), *shape)).astype(np.float32).astype(np.float64)
    wanted = function(torch.from_numpy(x)).detach().numpy()
    with tempfile.TemporaryDirectory() as folder:
        try:
            got = by_rnc(rnc, folder, statement, x, d.weights)
        except RuntimeError as error:
            return statement, str(error)
        if number < COMPILED and compiled(rnc, folder, d.weights):
            return statement, "the C differs from the interpreter (rnc verify)"
    if got.ndim == 2:  # one pixel
        got = got[:, :, None, None]
    if got.shape != wanted.shape:
        return statement, f"of {x.shape}: the shape is {got.shape}, PyTorch's {wanted.shape}"
    apart = np.abs(got - wanted).max() / (np.abs(wanted).max() or 1)
    return statement, f"apart by {apart:.1e} of the largest" if apart > TOLERANCE else ""


def main():
    if len(sys.argv) < 2:
        sys.exit(__doc__)
    passed = failed = 0
    for name in sys.argv[2:] or OPERATORS:
        for number in range(CASES):
            statement, wrong = check(sys.argv[1], name, number)
            passed, failed = passed + (not wrong), failed + bool(wrong)
            if wrong:
                print(f"FAIL `{statement}`: {wrong}")
        print(f"{name}: {CASES} cases", flush=True)
    print(f"{passed} passed, {failed} failed")
    sys.exit(failed > 0)


if __name__ == "__main__":
    main()
