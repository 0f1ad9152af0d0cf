"""ONNX Runtime: the ONNX model, all graph optimisations, buffers bound once."""
import numpy as np
import onnxruntime as ort

TITLE = "ONNX Runtime"


def version():
    return ort.__version__


def prepare(case):
    case.onnx()


class Peer:
    def __init__(self, case, threads, pictures):
        options = ort.SessionOptions()
        options.intra_op_num_threads = threads
        options.inter_op_num_threads = 1
        options.graph_optimization_level = ort.GraphOptimizationLevel.ORT_ENABLE_ALL
        self.session = ort.InferenceSession(case.onnx(), options,
                                            providers=["CPUExecutionProvider"])
        self.binding = self.session.io_binding()
        self.results = []
        for port, picture in zip(self.session.get_inputs(), pictures):
            self.binding.bind_cpu_input(port.name, picture.reshape(port.shape))
        for port in self.session.get_outputs():
            result = np.empty(port.shape, np.float32)
            self.results.append(result)
            self.binding.bind_output(port.name, "cpu", 0, np.float32, port.shape,
                                     result.ctypes.data)

    def run(self):
        self.session.run_with_iobinding(self.binding)

    def answers(self):
        return self.results
