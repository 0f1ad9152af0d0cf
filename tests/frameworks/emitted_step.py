"""The C that `rnc --train` makes, compiled and called: for check_training.py."""
import ctypes
import os
import platform
import re
import subprocess

import numpy as np

ISA = "avx2" if platform.machine() == "x86_64" else "neon"


class Metrics(ctypes.Structure):
    """rnc_metrics of rnctrain.h."""
    _fields_ = [("loss", ctypes.c_double), ("hits", ctypes.c_int), ("images", ctypes.c_int),
                ("norm", ctypes.c_double), ("bad", ctypes.c_int), ("spoiled", ctypes.c_int)]


class Tensor(ctypes.Structure):
    """rnc_tensor_info."""
    _fields_ = [("name", ctypes.c_char_p), ("role", ctypes.c_int), ("trained", ctypes.c_int),
                ("rank", ctypes.c_int), ("dims", ctypes.c_int * 4)]


class Info(ctypes.Structure):
    """The beginning of rnc_train_info."""
    _fields_ = [("name", ctypes.c_char_p), ("n_inputs", ctypes.c_int), ("n_outputs", ctypes.c_int),
                ("inputs", ctypes.c_void_p), ("outputs", ctypes.c_void_p), ("ranks", ctypes.c_int),
                ("accumulate", ctypes.c_int), ("n_steps", ctypes.c_int), ("n_layers", ctypes.c_int),
                ("tables", ctypes.c_void_p * 4),
                ("n_tensors", ctypes.c_int), ("tensors", ctypes.POINTER(Tensor))]


ROLES = ["parameter", "statistic", "first", "second", "average", "gradient"]


def aligned(size):
    raw = np.zeros(size + 64, np.uint8)
    return raw[-raw.ctypes.data % 64:][:size]


class Step:
    """A step of training of `net`, whose file the folder gets: `train` has what the declaration says
    besides the network, the epochs and the batch."""

    def __init__(self, rnc, net, name, batch, train, options, folder, isa=ISA):
        path = {ending: os.path.join(folder, "trained" + ending) for ending in (".net", ".c", ".h", ".so")}
        with open(path[".net"], "w", encoding="utf-8") as f:
            f.write(f'include "{os.path.abspath(net)}"\n'
                    f"train step {{ network {name} ; epochs 1 ; batch {batch} ; {train} }}\n")
        subprocess.run([rnc, path[".net"], "--train", "--isa", isa, "-q", "-o", path[".c"], *options],
                       check=True)
        source = os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "..")
        subprocess.run([*os.environ.get("CC", "cc").split(), "-O1", "-w", "-shared", "-fPIC", "-I",
                        source, "-I", os.path.join(source, "runtime"), path[".c"],
                        *(os.path.join(source, "runtime", f + ".c")
                          for f in ("cpu", "net", "status", "train", "why")),
                        "-o", path[".so"]], check=True)
        with open(path[".h"], encoding="utf-8") as f:
            size = {n: int(x) for n, x in re.findall(r"#define TRAINED_(\w+_BYTES) (\d+)", f.read())}
        self.memory = [aligned(size["STATE_BYTES"]), aligned(size["ARENA_BYTES"]), aligned(1 << 16)]
        self.lib = ctypes.CDLL(path[".so"])
        info = Info.in_dll(self.lib, "trained_info")
        self.tensors = [(t.name.decode(), ROLES[t.role], tuple(t.dims[:t.rank]))
                        for t in info.tensors[:info.n_tensors]]
        state, arena, self.net = (ctypes.c_void_p(m.ctypes.data) for m in self.memory)
        status = self.lib.trained_init(self.net, state, ctypes.c_size_t(len(self.memory[0])), arena,
                                    ctypes.c_size_t(len(self.memory[1])), None, None)
        assert status == 0, f"init returned {status}"

    def initialise(self, seed):
        self.lib.trained_initialise(self.net, ctypes.c_uint64(seed))

    def set(self, values):
        """Parameters and statistics."""
        self.initialise(1)
        for i, (name, role, dims) in enumerate(self.tensors):
            if role in ("parameter", "statistic"):
                x = np.ascontiguousarray(values[name], np.float32)
                assert x.size == np.prod(dims), name
                self.lib.trained_set(self.net, i, ctypes.c_void_p(x.ctypes.data))

    def step(self, picture, labels, rate):
        """The mean loss of the batch."""
        m = Metrics()
        status = self.lib.trained_step(self.net, ctypes.c_void_p(picture.ctypes.data),
                                    ctypes.c_void_p(labels.ctypes.data), len(labels),
                                    ctypes.c_double(rate), ctypes.byref(m))
        assert status == 0 and m.bad < 0
        return m.loss / m.images

    def get(self, role):
        """{name: array} of the tensors with this role."""
        found = {}
        for i, (name, own, dims) in enumerate(self.tensors):
            if own == role:
                x = np.zeros(dims, np.float32)
                self.lib.trained_get(self.net, i, ctypes.c_void_p(x.ctypes.data))
                found[name] = x.astype(np.float64)
        return found
