#!/usr/bin/env python3
"""make check-frameworks: every network of models/ by rnc's C and by ONNX Runtime.

The same graph, weights and picture; every output, logits included, must agree to
2e-5 of the largest element.  Ends with "N passed, N failed".
"""
import argparse
import os
import sys
import tempfile

import numpy as np

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "bench"))
from bench import MODELS, OnnxRuntime  # noqa: E402
from engine import Engine  # noqa: E402
from netgraph import Graph, to_onnx, write_safetensors  # noqa: E402


def main():
    p = argparse.ArgumentParser(description=__doc__,
                                formatter_class=argparse.RawDescriptionHelpFormatter)
    p.add_argument("models", nargs="*")
    p.add_argument("--rnc", default="./rnc")
    p.add_argument("--runtime", default="./librncrt.a")
    p.add_argument("--include", default="../runtime")
    p.add_argument("--models-dir", default="../models")
    p.add_argument("--cc", default="gcc")
    args = p.parse_args()
    passed = failed = 0
    for model in args.models or MODELS:
        net = os.path.join(args.models_dir, model + ".net")
        with tempfile.TemporaryDirectory() as folder:
            graph = Graph.of(args.rnc, net, "--tap", "dense1")
            tensors = graph.random_weights(3)
            weights = os.path.join(folder, "w.safetensors")
            write_safetensors(weights, tensors)
            to_onnx(graph, tensors, os.path.join(folder, "m.onnx"))
            engine = Engine(args.rnc, args.runtime, args.include, net, weights, folder,
                            ["--tap", "dense1"], 1, args.cc)
            peer = OnnxRuntime(os.path.join(folder, "m.onnx"), 2)
            rng = np.random.default_rng(4)
            node = graph.nodes[graph.inputs[0][1]]
            image = rng.uniform(0, 255, (node.n, node.c, node.h, node.w)).astype(np.float32)
            error = max(float(np.max(np.abs(a - b)) / np.max(np.abs(b)))
                        for a, b in zip(engine.run(image), peer.run(image)))
        good = error <= 2e-5
        passed, failed = passed + good, failed + (not good)
        print(f"{'' if good else 'FAIL '}{model}: worst difference {error:.1e} of the largest")
    print(f"{passed} passed, {failed} failed")
    return failed > 0


if __name__ == "__main__":
    sys.exit(main())
