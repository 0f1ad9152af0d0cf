"""OpenVINO: its own IR made from the ONNX model, the CPU plugin, latency hint, f32."""
import openvino as ov

TITLE = "OpenVINO"


def version():
    return ov.__version__.split("-")[0]


def prepare(case):
    model = ov.convert_model(case.onnx())
    ov.save_model(model, case.path("openvino.xml"), compress_to_fp16=False)


class Peer:
    def __init__(self, case, threads, pictures):
        core = ov.Core()
        compiled = core.compile_model(case.path("openvino.xml"), "CPU", {
            "PERFORMANCE_HINT": "LATENCY", "INFERENCE_NUM_THREADS": threads,
            "INFERENCE_PRECISION_HINT": "f32", "NUM_STREAMS": 1, "ENABLE_CPU_PINNING": False})
        self.request = compiled.create_infer_request()
        self.pictures = [ov.Tensor(p, shared_memory=True) for p in pictures]
        for i, tensor in enumerate(self.pictures):
            self.request.set_input_tensor(i, tensor)
        self.outputs = range(len(case.outputs))
        self.note = f"{compiled.get_property('INFERENCE_NUM_THREADS')} threads"

    def run(self):
        self.request.infer()

    def answers(self):
        return [self.request.get_output_tensor(i).data for i in self.outputs]
