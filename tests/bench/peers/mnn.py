"""MNN: the ONNX model through its converter, high precision (f32), the session's interface."""
import importlib.metadata
import os
import subprocess
import sys

import MNN
import numpy as np

TITLE = "MNN"


def version():
    return importlib.metadata.version("MNN")


def prepare(case):
    subprocess.run([sys.executable, "-m", "MNN.tools.mnnconvert", "-f", "ONNX", "--modelFile",
                    case.onnx(), "--MNNModel", case.path("net.mnn"), "--bizCode",
                    "bench"], check=True, stdout=sys.stderr,
                   # The converter installs a package that reports its use, unless pip may not.
                   env=dict(os.environ, PIP_NO_INDEX="1"))


class Peer:
    def __init__(self, case, threads, pictures):
        self.net = MNN.Interpreter(case.path("net.mnn"))
        self.session = self.net.createSession({"backend": "CPU", "precision": "high",
                                               "numThread": threads})
        self.inputs = [(self.net.getSessionInput(self.session, port["port"]),
                        MNN.Tensor(tuple(port["dims"]), MNN.Halide_Type_Float, picture,
                                   MNN.Tensor_DimensionType_Caffe))
                       for port, picture in zip(case.inputs, pictures)]
        self.outputs = case.outputs

    def run(self):
        for to, picture in self.inputs:  # a session reuses its inputs' memory
            to.copyFrom(picture)
        self.net.runSession(self.session)

    def answers(self):
        results = []
        for port in self.outputs:
            result = self.net.getSessionOutput(self.session, port["port"])
            to = MNN.Tensor(result.getShape(), MNN.Halide_Type_Float,
                            np.zeros(result.getShape(), np.float32), MNN.Tensor_DimensionType_Caffe)
            result.copyToHostTensor(to)
            results.append(np.array(to.getNumpyData(), np.float32).reshape(port["dims"]))
        return results
