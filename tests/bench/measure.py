"""Times: programs in turn, each at its best.

A round gives every program one turn.  In a turn it alone runs: some inferences that
do not count, for caches, clocks and threads that slept, then a few that do.  The
ratio of a round is the quotient of the turns' medians, so that what disturbs a
round disturbs both; the ratio of a run is the median of its rounds'.
"""
import statistics

import numpy as np

from machine import stolen

TURN_NS = 40e6  # a turn's counted inferences take about this long, 3 to 40 of them
TOLERANCE = 1e-4


def answers(process, case, tag):
    process.ask("answer " + case.path(f"out_{tag}_"))
    return [np.fromfile(case.path(f"out_{tag}_{i}.f32"), np.float32)
            for i in range(len(case.outputs))]


def difference(ours, theirs):
    """The worst of all outputs, relative to the largest element of each."""
    return max(float(np.max(np.abs(a - b)) / np.max(np.abs(b))) if a.shape == b.shape
               else float("inf") for a, b in zip(ours, theirs))


def turn(process, count):
    """Wall and CPU times in ns of `count` inferences; a quarter more go first, uncounted."""
    skip = max(1, count // 4)
    times = process.ask(f"run {skip + count}")
    return times["wall"][skip:], times["cpu"][skip:]


def quartiles(values):
    return [float(q) for q in np.percentile(values, [25, 50, 75])]


def rounds(processes, count, per_turn=0):
    """{name: figures} of the processes; the first is rnc's, which the others are divided by."""
    names = list(processes)
    for name in names:
        turn(processes[name], 2)
    fastest = min(min(turn(processes[name], 2)[0]) for name in names)
    per_turn = per_turn or int(min(40, max(3, TURN_NS // fastest)))
    wall = {name: [] for name in names}
    cpu = {name: [] for name in names}
    before = stolen()
    for r in range(count):
        order = names[r % len(names):] + names[:r % len(names)]
        for name in order if r % 2 else reversed(order):
            w, c = turn(processes[name], per_turn)
            wall[name].append(w)
            cpu[name].append(c)
    after = stolen()
    figures = {}
    for name in names:
        ratios = [statistics.median(theirs) / statistics.median(ours)
                  for theirs, ours in zip(wall[name], wall[names[0]])]
        cpu_ratios = [statistics.median(theirs) / statistics.median(ours)
                      for theirs, ours in zip(cpu[name], cpu[names[0]])]
        all_wall, all_cpu = sum(wall[name], []), sum(cpu[name], [])
        figures[name] = {
            "ms": statistics.median(all_wall) * 1e-6, "ms_min": min(all_wall) * 1e-6,
            "cpu_ms": statistics.median(all_cpu) * 1e-6,
            "ratio": statistics.median(ratios), "ratio_quartiles": quartiles(ratios),
            "cpu_ratio": statistics.median(cpu_ratios)}
    taken = (after[1] - before[1]) / max(1, after[0] - before[0])
    return figures, {"rounds": count, "per_turn": per_turn, "stolen": taken}
