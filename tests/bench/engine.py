"""A network compiled by rnc, loaded into this process."""
import ctypes as c
import os
import subprocess
import time

import numpy as np


class Port(c.Structure):
    _fields_ = [("name", c.c_char_p), ("n", c.c_int), ("h", c.c_int), ("w", c.c_int),
                ("c", c.c_int), ("u8", c.c_int), ("nhwc", c.c_int),
                ("labels", c.POINTER(c.c_char_p)), ("n_labels", c.c_int)]


class Info(c.Structure):
    """rnc_net_info of runtime/rncrt.h."""
    _fields_ = [("name", c.c_char_p), ("n_inputs", c.c_int), ("n_outputs", c.c_int),
                ("inputs", c.POINTER(Port)), ("outputs", c.POINTER(Port)),
                ("arena_bytes", c.c_size_t), ("weight_bytes", c.c_size_t), ("plan", c.c_uint64),
                ("engine_bytes", c.c_size_t),
                ("init", c.CFUNCTYPE(c.c_int, c.c_void_p, c.c_void_p, c.c_void_p, c.c_size_t,
                                     c.c_void_p)),
                ("use", c.CFUNCTYPE(c.c_int, c.c_void_p, c.c_int)),
                ("run", c.CFUNCTYPE(None, c.c_void_p, c.POINTER(c.c_void_p),
                                    c.POINTER(c.c_void_p))),
                ("why", c.CFUNCTYPE(c.c_char_p, c.c_void_p))]


def aligned(size, align=64):
    """A byte array whose data is aligned."""
    raw = np.zeros(size + align, np.uint8)
    at = -raw.ctypes.data % align
    return raw[at:at + size]


class Engine:
    """build/NAME.c made from a .net and its weights, compiled and opened.

    Attributes with what was measured on the way: rnc_seconds, cc_seconds,
    c_bytes, text_bytes, arena_bytes.
    """

    def __init__(self, rnc, runtime, include, net, weights, folder, options=(), threads=1,
                 cc="gcc"):
        name = os.path.splitext(os.path.basename(net))[0]
        source = os.path.join(folder, name + ".c")
        library = os.path.join(folder, name + ".so")
        begin = time.monotonic()
        subprocess.run([rnc, net, "-w", weights, "-o", source, "--quiet", *options], check=True)
        self.rnc_seconds = time.monotonic() - begin
        begin = time.monotonic()
        subprocess.run([cc, "-O2", "-fPIC", "-c", source, "-I", include, "-o", source[:-2] + ".o"],
                       check=True)
        self.cc_seconds = time.monotonic() - begin
        subprocess.run([cc, "-shared", source[:-2] + ".o", "-Wl,--whole-archive", runtime,
                        "-Wl,--no-whole-archive", "-o", library, "-lm", "-lpthread"] +
                       (["-lopenblas"] if "openblas" in options else []), check=True)
        size = subprocess.run(["size", source[:-2] + ".o"], check=True, stdout=subprocess.PIPE,
                              text=True)
        self.text_bytes = int(size.stdout.splitlines()[1].split()[0])
        self.c_bytes = os.path.getsize(source)
        self.weights_bytes = os.path.getsize(source[:-2] + ".weights")
        lib = c.CDLL(library)
        self.info = Info.in_dll(lib, name + "_info")
        self.arena_bytes = self.info.arena_bytes
        self._weights = aligned(512)
        if lib.rnc_weights_open(c.c_void_p(self._weights.ctypes.data),
                                (source[:-2] + ".weights").encode()):
            raise RuntimeError("the weights file does not open")
        self._arena = aligned(self.info.arena_bytes)
        self._net = aligned(self.info.engine_bytes)
        self._pool = c.c_void_p(None)
        if threads > 1 and lib.rnc_pool_new(c.byref(self._pool), threads):
            raise RuntimeError("no threads")
        if self.info.init(self._net.ctypes.data, self._weights.ctypes.data,
                          self._arena.ctypes.data, self.info.arena_bytes, self._pool):
            raise RuntimeError(self.info.why(self._net.ctypes.data).decode())
        self.outputs = [np.zeros((p.n, p.c, p.h, p.w), np.float32)
                        for p in self.info.outputs[:self.info.n_outputs]]
        self._out = (c.c_void_p * len(self.outputs))(*[o.ctypes.data for o in self.outputs])

    def use(self, isa):
        """Another instruction set: a number of rnc_isa."""
        return self.info.use(self._net.ctypes.data, isa) == 0

    def run(self, *inputs):
        """Float NCHW arrays in, self.outputs out."""
        at = (c.c_void_p * len(inputs))(*[i.ctypes.data for i in inputs])
        self.info.run(self._net.ctypes.data, at, self._out)
        return self.outputs
