#!/usr/bin/env python3
"""make check-frameworks: single nodes of ONNX with the attributes that are easy to get wrong.

Each is a model of one or two nodes, on images of ordinary extents and with axes of one element.  What
rnc imports must compute what ONNX Runtime does; what rnc has no words for it must refuse.

    check_onnx_nodes.py RNC

Ends with "N passed, N failed"; before it, how many of those that passed were refused.
"""
import itertools
import os
import subprocess
import sys
import tempfile

import numpy as np
import onnx
import onnxruntime
from onnx import TensorProto, helper, numpy_helper

IMAGE = [1, 2, 4, 5]
SHAPES = (IMAGE, [1, 1, 1, 6], [1, 1, 6, 1], [1, 5, 1, 1], [1, 1, 1, 1])
# Of resizes by the nearest pixel: roundings of places between two pixels that rnc does not have.
REFUSED_MOST = 39
SIZES = ((8, 10), (2, 5), (7, 9), (4, 3))


def ints(*values):
    return np.array(values, np.int64)


def weights(*shape):
    return np.random.default_rng(0).uniform(-1, 1, shape).astype(np.float32)


def node(op, *inputs, **attributes):
    return [helper.make_node(op, ["x", *inputs], ["y"], **attributes)]


def edges():
    """Axes that may have one element."""
    for shape in SHAPES:
        for axis in (1, 2, 3):
            pads = np.zeros(8, np.int64)
            pads[axis], pads[4 + axis] = 1, 2
            yield shape, node("Pad", "p"), {"p": pads}, 18
            yield shape, node("Softmax", axis=axis), {}, 18
            yield shape, node("LogSoftmax", axis=axis), {}, 11
            yield shape, node("ReduceSum", "a", keepdims=0), {"a": ints(axis)}, 18
            yield shape, [helper.make_node("Relu", ["x"], ["r"]),
                          helper.make_node("Concat", ["x", "r"], ["y"], axis=axis)], {}, 18
        yield shape, node("Pad", "p", "", "a", mode="edge"), {"p": ints(1, 2), "a": ints(-1)}, 18
        yield shape, node("ReduceMean"), {}, 18
    pads = ints(0, 0, -1, 2, 0, 0, 1, -1)
    yield IMAGE, node("Pad", "p", "v"), {"p": pads, "v": np.float32(0.7)}, 18


def resizes():
    places = ("half_pixel", "pytorch_half_pixel", "align_corners", "asymmetric", "half_pixel_symmetric")
    roundings = ("round_prefer_floor", "round_prefer_ceil", "floor", "ceil")
    for place, rounding, size in itertools.product((*places, "tf_half_pixel_for_nn"), roundings, SIZES):
        yield IMAGE, node("Resize", "", "", "s", mode="nearest", nearest_mode=rounding,
                          coordinate_transformation_mode=place), {"s": ints(1, 2, *size)}, 18
    for place, size in itertools.product(places, SIZES):
        yield IMAGE, node("Resize", "", "", "s", mode="linear",
                          coordinate_transformation_mode=place), {"s": ints(1, 2, *size)}, 18
    for scale in (2, 1.5, 0.6, 3, 0.5):
        scales = {"s": np.array([1, 1, scale, scale], np.float32)}
        yield IMAGE, node("Resize", "", "s", mode="linear"), scales, 18
        yield IMAGE, node("Resize", "", "s", mode="nearest", nearest_mode="floor",
                          coordinate_transformation_mode="asymmetric"), scales, 18


def windows():
    for auto_pad, shape in (("SAME_UPPER", None), ("SAME_LOWER", None), ("NOTSET", [7, 11]), ("VALID", None)):
        more = {"output_shape": shape} if shape else {}
        yield IMAGE, node("ConvTranspose", "w", strides=[2, 2], auto_pad=auto_pad, **more), \
            {"w": weights(2, 2, 3, 4)}, 18
    yield [1, 3, 6], node("ConvTranspose", "w", strides=[2]), {"w": weights(3, 2, 3)}, 18
    for ceil, count in itertools.product((0, 1), (0, 1)):
        yield [1, 2, 6, 7], node("AveragePool", kernel_shape=[3, 3], strides=[2, 2], pads=[1, 0, 0, 1],
                                 ceil_mode=ceil, count_include_pad=count), {}, 19


def check(rnc, shape, nodes, known, opset):
    """'as ONNX Runtime', 'refused' or what is wrong."""
    with tempfile.TemporaryDirectory() as folder:
        def path(name):
            return os.path.join(folder, name)
        graph = helper.make_graph(
            nodes, "g", [helper.make_tensor_value_info("x", TensorProto.FLOAT, shape)],
            [helper.make_tensor_value_info("y", TensorProto.FLOAT, None)],
            [numpy_helper.from_array(np.asarray(v), k) for k, v in known.items()])
        onnx.save(helper.make_model(graph, opset_imports=[helper.make_opsetid("", opset)], ir_version=9),
                  path("m.onnx"))
        x = np.random.default_rng(1).uniform(-1, 1, shape).astype(np.float32)
        session = onnxruntime.InferenceSession(path("m.onnx"), providers=["CPUExecutionProvider"])
        np.savez(path("in.npz"), x)
        np.savez(path("out.npz"), session.run(None, {"x": x})[0])
        r = subprocess.run([rnc, "import", path("m.onnx"), "-q", "-o", path("m.net"),
                            "--check", path("in.npz"), path("out.npz")], stderr=subprocess.PIPE, text=True)
    if r.returncode == 0:
        return "as ONNX Runtime"
    return "refused" if "cannot be said in rnc's language" in r.stderr else r.stderr[:300]


def main():
    rnc = os.path.abspath(sys.argv[1])
    onnxruntime.set_default_logger_severity(3)
    passed = refused = failed = 0
    for case in (*edges(), *resizes(), *windows()):
        said = check(rnc, *case)
        good = said in ("as ONNX Runtime", "refused")
        passed, failed, refused = passed + good, failed + (not good), refused + (said == "refused")
        if not good:
            shown = helper.printable_node(case[1][-1])
            print(f"FAIL {shown} of {case[0]}: {said}", flush=True)
    print(f"{refused} of them refused")
    if refused > REFUSED_MOST:
        failed += 1
        print(f"FAIL {REFUSED_MOST} were refused before")
    print(f"{passed} passed, {failed} failed")
    return failed > 0


if __name__ == "__main__":
    sys.exit(main())
