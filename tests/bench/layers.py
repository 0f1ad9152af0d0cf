"""rnc's steps one by one, beside what the machine can do."""
from process import Process
from rncside import Built


def layers(args, net, case, options, threads, machine):
    """Rows in time order, and the floors of the network, in ms."""
    built = Built(args, net, case, options, "_trace")
    process = Process(built.argv(threads), threads, case.path("trace.log"))
    isa = process.ready["isa"]
    for _ in range(2):
        times = process.ask("layers 3")
    best = None
    for _ in range(args.rounds):
        times = process.ask("layers 4")
        best = times if best is None else {
            "least": [min(pair) for pair in zip(best["least"], times["least"])],
            "median": [min(pair) for pair in zip(best["median"], times["median"])]}
    process.close()
    peak, dram = machine.peak(isa, threads), machine.dram(threads)
    rows = []
    steps = built.report["steps"]
    for i, (step, ns, median) in enumerate(zip(steps, best["least"], best["median"])):
        macs = step["macs"]
        flops = 2 * macs / max(ns, 1)
        rows.append({"step": i, "layer": step["name"], "kernel": step["kernel"], "macs": macs, "us": ns / 1e3, "us_median": median / 1e3,
                     "gflops": flops, "percent": 100 * flops / peak,
                     "multiplications": step["multiplications"]})
    compute = [2e-6 * r["macs"] / peak for r in rows]
    method = [2e-6 * r["multiplications"] / peak for r in rows]
    reads = [1e-6 * s["weight_bytes"] / dram for s in steps]
    return {"isa": isa, "peak": peak, "dram": dram, "rows": rows,
            "floor_ms": sum(compute), "floor_method_ms": sum(method),
            "floor_read_ms": sum(map(max, zip(method, reads))),
            "sum_ms": sum(best["least"]) * 1e-6}
