"""What rnc's C costs before it runs: arena, bytes, seconds of the compilers."""
import json
import os
import shutil
import resource
import subprocess
import time

from rncside import run


def cpu_seconds(argv):
    """Processor time of a program, and of those that it starts, to its end."""
    begin = resource.getrusage(resource.RUSAGE_CHILDREN)
    subprocess.run(argv, check=True)
    end = resource.getrusage(resource.RUSAGE_CHILDREN)
    return end.ru_utime + end.ru_stime - begin.ru_utime - begin.ru_stime


def compile_time(cc, args, source):
    """Seconds, the shorter of two, and bytes of code of cc -O2."""
    target = source[:-2] + ".o"
    argv = [*cc.split(), "-O2", "-c", source, "-I", args.include, "-o", target]
    seconds = min(cpu_seconds(argv) for _ in range(2))
    return seconds, int(run(["size", target]).splitlines()[1].split()[0])


def sizes(args, net, case, options, isa):
    """For all instruction sets and for the machine's own alone."""
    result = {}
    named = any(o.startswith("--isa") for o in options)
    for kind, more in (("all", []), ("one", [] if named else ["--isa", isa])):
        source = case.path(f"size_{kind}.c")
        begin = time.monotonic()
        report = run([args.rnc, net, "-w", case.path("net.safetensors"), "-o", source, "--quiet",
                      "--report", "json", *options, *more])
        figures = {"rnc_s": time.monotonic() - begin, "c_bytes": os.path.getsize(source)}
        arena = json.loads(report)["arena"]
        result.update(arena=arena["bytes"], bound=arena["bound"],
                      weights=os.path.getsize(source[:-2] + ".weights"))
        for cc in dict.fromkeys([args.cc, "clang"]):
            if shutil.which(cc.split()[0]):
                figures[cc + "_s"], text = compile_time(cc, args, source)
                figures.setdefault("text_bytes", text)
        result[kind] = figures
    return result
