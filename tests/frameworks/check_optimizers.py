#!/usr/bin/env python3
"""make check-frameworks: ONNX's own test vectors for Adam and Momentum against the kernels that steps of
training have.

    check_optimizers.py SOURCE CC

compiles kernels/train/adam.c and sgd.c as emitted code has them, for each of INSTRUCTIONS, gives
them the operands of each test of onnx.backend.test for an optimizer that rnc has, and compares
parameters and moments: within 1e-6 of what ONNX says (of 1, where that is less).
Ends with "N passed, N failed".
"""
import ctypes
import os
import subprocess
import sys
import tempfile
import warnings

import numpy as np
import onnx

warnings.filterwarnings("ignore", category=RuntimeWarning)  # what other nodes' tests compute
from onnx.backend.test.case.node import collect_testcases  # noqa: E402

INSTRUCTIONS = ("scalar", "portable")
TOLERANCE = 1e-6
EXPECTED = {"test_adam", "test_adam_multiple", "test_momentum", "test_momentum_multiple",
            "test_nesterov_momentum"}
DRIVER = """
#include "kernels/train/cuts.h"
#include "kernels/train/rates.h"
#include <math.h>
#include <string.h>
#define RNC_FN(name) name##_tested
#define RNC_HALVES 1
#include "kernels/isa/isa_%s.h"
#if RNC_VL > 1
#include "kernels/isa/vector.h"
#endif
#include "kernels/f32/act.h"
#include "kernels/train/parts.h"
#include "kernels/train/adam.c"
#include "kernels/train/sgd.c"

/* Step `t` of ONNX; f: alpha, beta (or 0), epsilon, norm_coefficient. */
void step(int adam, int n, float *p, const float *grad, float *first, float *second, double rate,
          int t, const float *f, int nesterov)
{
    rnc_update_shape s = {0};
    rnc_knobs k = {0};
    rnc_operands o = {0};
    rnc_rates r;
    if (!adam)
        rnc_sgd_rates(rate, 1.0 - (double)f[1], 0.0, t + 1, &r);
    else if (t > 0)
        rnc_adam_rates(rate, (double)f[0], (double)f[1], 0.0, t, 0, &r);
    else /* no correction */
        r.step = (float)rate, r.root = 1.0f, r.decay = 0.0f, r.gradient = 1.0f;
    r.scale = 1.0f;
    s.floats = n;
    s.beta1 = f[0], s.rest1 = 1.0f - f[0];
    s.beta2 = f[1], s.rest2 = 1.0f - f[1];
    s.epsilon = f[2], s.coupled = f[3], s.nesterov = nesterov;
    o.in[0] = grad, o.in[1] = &r;
    o.out[0] = p, o.out[1] = first, o.out[2] = adam ? second : NULL;
    if (adam)
        adam_tested(&s, &k, &o, 0, 1);
    else
        sgd_tested(&s, &k, &o, 0, 1);
}
"""


def compiled(source, cc, isa, folder):
    path = os.path.join(folder, isa)
    with open(path + ".c", "w", encoding="utf-8") as f:
        f.write(DRIVER % isa)
    subprocess.run([*cc.split(), "-O1", "-w", "-shared", "-fPIC", "-I", source, "-I",
                    os.path.join(source, "runtime"), path + ".c", "-o", path + ".so", "-lm"],
                   check=True)
    return ctypes.CDLL(path + ".so")


def aligned(array):
    """A copy of a few floats, at an address that kernels take."""
    raw = np.zeros(array.size * 4 + 128, np.uint8)
    own = raw[-raw.ctypes.data % 64:][:array.size * 4].view(np.float32)
    own[:] = array.reshape(-1)
    return own


def pointer(array):
    return ctypes.c_void_p(array.ctypes.data)


def worst(library, case):
    """The largest difference from what ONNX says, of all results of a test."""
    node = case.model.graph.node[0]
    of = {a.name: onnx.helper.get_attribute_value(a) for a in node.attribute}
    inputs, outputs = case.data_sets[0]
    rate, t, tensors = float(inputs[0]), int(inputs[1]), [np.asarray(x) for x in inputs[2:]]
    adam = node.op_type == "Adam"
    kinds = 4 if adam else 3
    count = len(tensors) // kinds
    factors = np.array([of["alpha"], of["beta"], of.get("epsilon", 0), of["norm_coefficient"]],
                       np.float32)
    apart = 0.0
    for i in range(count):
        own = [aligned(tensors[i + k * count]) for k in range(kinds)]
        library.step(int(adam), own[0].size, *map(pointer, own), *([] if adam else [None]),
                     ctypes.c_double(rate), t, pointer(factors), int(of.get("mode") == b"nesterov"))
        for k, got in enumerate([own[0], *own[2:]]):
            wanted = np.asarray(outputs[i + k * count], np.float64)
            wanted = wanted.reshape(-1)
            apart = max(apart, float((np.abs(got - wanted) / np.maximum(1, np.abs(wanted))).max()))
    return apart


def main(source, cc):
    cases = {c.name: c for c in collect_testcases(None)
             if c.model and c.model.graph.node[0].op_type in ("Adam", "Momentum")}
    passed = failed = 0
    if set(cases) != EXPECTED:
        print(f"FAIL onnx has the tests {sorted(cases)}")
        failed += 1
    with tempfile.TemporaryDirectory() as folder:
        for isa in INSTRUCTIONS:
            library = compiled(source, cc, isa, folder)
            for name, case in sorted(cases.items()):
                apart = worst(library, case)
                good = apart <= TOLERANCE
                print(f"{'' if good else 'FAIL '}{name}, {isa}: {apart:.1e}")
                passed, failed = passed + good, failed + (not good)
    print(f"{passed} passed, {failed} failed")
    return failed > 0


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
