#!/usr/bin/env python3
"""make check-frameworks: every network of models/ by rnc's C and by ONNX Runtime.

The same graph, weights and picture; every output, logits included, must agree to
2e-5 of the largest element.  Networks for streams, whose state ONNX has no words for, are left out
(tests/streams.sh).  Ends with "N passed, N failed".
"""
import argparse
import os
import sys
import tempfile

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "bench"))
from case import make_case  # noqa: E402
from measure import answers, difference  # noqa: E402
from peers import onnxruntime  # noqa: E402
from process import Process  # noqa: E402
from rncside import Built, add_places, ports  # noqa: E402


STREAMS = {"tcn"}


def worst(model, args):
    """The difference between the two answers."""
    net = os.path.join(args.models_dir, model + ".net")
    with tempfile.TemporaryDirectory() as folder:
        options = [*ports(args.rnc, net), "--batch", "1"]
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
        return difference(ours, [a.ravel() for a in peer.answers()])


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
