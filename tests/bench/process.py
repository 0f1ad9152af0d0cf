"""A program under measurement, in a process of its own.

It reads commands from stdin and answers each with one line of JSON, the first one
unasked when its first inference is done.  Outside its turns it is stopped (SIGSTOP),
so that threads which spin when they are idle cannot disturb the others.
"""
import json
import os
import re
import select
import signal
import subprocess
import time


class Failed(Exception):
    """The program could not do it; str() is the reason in a line."""


def environment(threads):
    """The environment of every program: no more threads than asked for."""
    env = dict(os.environ, CUDA_VISIBLE_DEVICES="")
    for name in ("OMP_NUM_THREADS", "MKL_NUM_THREADS", "OPENBLAS_NUM_THREADS"):
        env[name] = str(threads)
    return env


def cpus_for(threads):
    """The processors that all programs are bound to: the last `threads` of those we have."""
    have = sorted(os.sched_getaffinity(0))
    return have[-threads:] if threads < len(have) else have


def reason(log, status):
    """The line of a program's stderr that says why it ended."""
    with open(log, errors="replace") as f:
        lines = [line.strip() for line in f if line.strip()]
    named = [line for line in lines if re.match(r"[\w.]*(Error|Exception|Failed|error)\b", line)]
    text = (named or lines or ["no message"])[-1]
    return f"{text[:160]} (status {status})"


class Process:
    """argv started; `ready` is its first line, `seconds` the time from start to that."""

    def __init__(self, argv, threads, log, patience=600):
        self.log, self.patience, self.peak_kb = log, patience, 0
        cpus = cpus_for(threads)
        with open(log, "w") as stderr:
            begin = time.perf_counter()
            self.process = subprocess.Popen(
                argv, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=stderr,
                env=environment(threads), preexec_fn=lambda: os.sched_setaffinity(0, cpus))
        try:
            self.ready = self._answer()
        except Failed:
            self.close()
            raise
        self.seconds = time.perf_counter() - begin

    def _answer(self):
        out = self.process.stdout
        if not select.select([out], [], [], self.patience)[0]:
            raise Failed(f"no answer within {self.patience} s")
        line = out.readline()
        if not line:
            raise Failed(reason(self.log, self.process.wait()))
        return json.loads(line)

    def ask(self, command):
        """The answer to a command, the program running for just that long."""
        os.kill(self.process.pid, signal.SIGCONT)
        try:
            self.process.stdin.write(command.encode() + b"\n")
            self.process.stdin.flush()
            return self._answer()
        except BrokenPipeError:
            raise Failed(reason(self.log, self.process.wait())) from None
        finally:
            self.stop()

    def stop(self):
        """Stops all its threads; returns when they stand."""
        if self.process.poll() is None:
            os.kill(self.process.pid, signal.SIGSTOP)
            os.waitid(os.P_PID, self.process.pid, os.WSTOPPED | os.WEXITED | os.WNOWAIT)

    def memory(self, mapped=None):
        """Bytes: the most that was resident, and how much of the file `mapped` is now."""
        with open(f"/proc/{self.process.pid}/status") as f:
            status = dict(line.split(":", 1) for line in f)
        figures = {"peak": int(status["VmHWM"].split()[0]) * 1024,
                   "file": int(status["RssFile"].split()[0]) * 1024,
                   "anonymous": int(status["RssAnon"].split()[0]) * 1024, "mapped": 0}
        if mapped:
            with open(f"/proc/{self.process.pid}/smaps") as f:
                inside = False
                for line in f:
                    if re.match(r"[0-9a-f]+-[0-9a-f]+ ", line):
                        inside = line.rstrip().endswith(os.path.basename(mapped))
                    elif inside and line.startswith("Rss:"):
                        figures["mapped"] += int(line.split()[1]) * 1024
        return figures

    def close(self):
        if self.process.poll() is None:
            os.kill(self.process.pid, signal.SIGKILL)
        self.process.wait()
        self.process.stdin.close()
        self.process.stdout.close()
