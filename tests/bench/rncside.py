"""rnc's side of a measurement: a network compiled, linked with serve.c, described."""
import json
import os
import re
import subprocess
import time

HERE = os.path.dirname(os.path.abspath(__file__))


def add_places(parser):
    """The options that say where rnc, its runtime and the networks are, as Makefile.am's bench_places
    gives them; the defaults are those of a build folder."""
    parser.add_argument("--rnc", default="./rnc")
    parser.add_argument("--runtime", default="./librncrt.a")
    parser.add_argument("--include", default="../runtime", help="where rncrt.h is")
    parser.add_argument("--models-dir", default="../models")
    parser.add_argument("--cc", default="gcc")


def run(argv):
    return subprocess.run(argv, check=True, stdout=subprocess.PIPE, text=True).stdout


def ports(rnc, net, defines=()):
    """Options: pictures as the peers take them; what the last dense layer gives as well, the
    logits, which differ more than probabilities do."""
    text = run([rnc, net, "--dump", "ir", *defines])
    dense = re.findall(r"(?m)^(\S+) = dense\(", text)
    given = re.findall(r"(?m)^port out \S+ = (\S+)", text)
    tap = ["--tap", dense[-1]] if dense and dense[-1] not in given else []
    return [*tap, "--input-type", "f32", "--input-order", "nchw"]


class Built:
    """serve for one case, in the case's folder; `tag` keeps several apart.

    args has rnc, runtime, include, cc; options are rnc's.
    """

    def __init__(self, args, net, case, options, tag=""):
        self.case, self.options = case, options
        name = os.path.splitext(os.path.basename(net))[0]
        self.c = case.path(f"{name}{tag}.c")
        self.weights = self.c[:-2] + ".weights"
        self.program = self.c[:-2]
        begin = time.monotonic()
        report = run([args.rnc, net, "-w", case.path("net.safetensors"), "-o", self.c, "--quiet",
                      "--report", "json", *options])
        self.rnc_s = time.monotonic() - begin
        identifier = re.sub(r"\W", "_", name + tag)
        run([*args.cc.split(), "-O2", "-I", args.include, "-include", self.c[:-2] + ".h",
             f"-DNET_INFO={identifier}_info", os.path.join(HERE, "serve.c"), self.c, args.runtime,
             "-o", self.program, "-lm", "-lpthread"] +
            (["-lopenblas"] if "openblas" in options else []))
        self.report = json.loads(report)
        self.weights_bytes = os.path.getsize(self.weights)

    def argv(self, threads):
        inputs = [self.case.path(f"input{i}.f32") for i in range(len(self.case.inputs))]
        return [self.program, self.weights, str(threads), *inputs]
