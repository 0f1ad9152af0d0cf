#!/usr/bin/env python3
"""make check-frameworks: every network of models/ by rnc's C and by ONNX Runtime.

The same graph, weights and picture; every output, logits included, must agree to 2e-5 of the largest
element or, where it is one number that a dense layer gives, of its summands' magnitudes.  Networks for streams, whose state ONNX has no words for, are left out
(tests/streams.sh).  Ends with "N passed, N failed".
"""
import argparse
import os
import sys
import tempfile

import numpy as np

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "bench"))
from case import make_case  # noqa: E402
from measure import answers, difference  # noqa: E402
from netgraph import Graph  # noqa: E402
from peers import onnxruntime  # noqa: E402
from process import Process  # noqa: E402
from rncside import Built, add_places, ports  # noqa: E402


STREAMS = {"tcn"}


def single(graph):
    """The dense layer whose result is one number, and its operand, or None.

    Such a number may be as near to 0 as the rounding of the sum that it is: siamese's logit is -0.336, the
    sum of 33 numbers whose magnitudes add up to 118.  rnc is 1e-5 away from the sum in double (4e-6 with
    --exact), ONNX Runtime 2e-5: both less than two roundings of 118, and 3e-5 and 6e-5 of the logit."""
    dense = [node for node in graph.nodes.values() if node.op == "dense"]
    return (dense[-1], dense[-1].operands[0]) if dense and dense[-1].c == 1 else None


def apart(case, ours, theirs, one):
    """The worst difference of all outputs, relative to what the rounding of each is relative to."""
    if not one:
        return difference(ours, theirs)
    layer, operand = one
    names = [port["name"] for port in case.outputs]
    x = theirs[names.index(operand)].astype(np.float64)
    tensors = case.tensors()
    weight, bias = (tensors[layer.params[role][0]].astype(np.float64) for role in ("weight", "bias"))
    summands = np.abs(weight.ravel() * x).sum() + np.abs(bias).sum()
    at = names.index(layer.name)
    rest = [i for i in range(len(names)) if i != at]
    return max(np.abs(ours[at] - theirs[at]).max() / summands,
               difference([ours[i] for i in rest], [theirs[i] for i in rest]))


def worst(model, args):
    """The difference between the two answers."""
    net = os.path.join(args.models_dir, model + ".net")
    with tempfile.TemporaryDirectory() as folder:
        one = single(Graph.of(args.rnc, net))
        options = [*ports(args.rnc, net), "--batch", "1", *(["--tap", one[1]] if one else [])]
        case = make_case(folder, args.rnc, net, options)
        built = Built(args, net, case, options)
        process = Process(built.argv(1), 1, case.path("log"))
        try:
            ours = answers(process, case, "rnc")
        finally:
            process.close()
        onnxruntime.prepare(case)
        peer = onnxruntime.Peer(case, 2, case.pictures())
        peer.run()
        return apart(case, ours, [a.ravel() for a in peer.answers()], one)


def main():
    p = argparse.ArgumentParser(description=__doc__,
                                formatter_class=argparse.RawDescriptionHelpFormatter)
    p.add_argument("models", nargs="*")
    add_places(p)
    args = p.parse_args()
    models = args.models or sorted(f[:-4] for f in os.listdir(args.models_dir)
                                   if f.endswith(".net") and f[:-4] not in STREAMS)
    passed = failed = 0
    for model in models:
        try:
            error = worst(model, args)
        except ValueError as why:  # the second opinion needs ONNX
            if "ONNX has nothing like it" not in str(why):
                raise
            print(f"skipped: {model}: {why}", flush=True)
            continue
        good = error <= 2e-5
        passed, failed = passed + good, failed + (not good)
        print(f"{'' if good else 'FAIL '}{model}: worst difference {error:.1e} of the largest",
              flush=True)
    print(f"{passed} passed, {failed} failed")
    return failed > 0


if __name__ == "__main__":
    sys.exit(main())
