"""The results as tables in Markdown, for a terminal and for docs/performance.md."""
TITLES = {"rnc": "rnc", "onnxruntime": "ONNX Runtime", "openvino": "OpenVINO", "ncnn": "ncnn",
          "mnn": "MNN", "torch": "PyTorch", "litert": "LiteRT"}


def table(head, rows):
    """Columns padded to the same width."""
    rows = [head] + [[str(cell) for cell in row] for row in rows]
    widths = [max(len(row[i]) for row in rows) for i in range(len(head))]
    lines = ["| " + " | ".join(cell.ljust(w) for cell, w in zip(row, widths)) + " |"
             for row in rows]
    lines.insert(1, "|" + "|".join("-" * (w + 2) for w in widths) + "|")
    return "\n".join(lines)


def named(row):
    """resnet50, resnet50 x 8."""
    return row["model"] + (f" x {row['batch']}" if row["batch"] > 1 else "")


def measured(rows, key):
    """The programs that have figures of this kind in any of the rows, rnc first."""
    names = dict.fromkeys(name for row in rows for name, p in row["programs"].items() if key in p)
    return list(names)


def milliseconds(value):
    return f"{value:.2f}" if value < 100 else f"{value:.1f}"


def speed(rows, titles, threads):
    """Medians (minima), and the ratio over rnc's of each."""
    names = measured(rows, "ms")
    head = ["network"] + [titles[n] + " ms (min)" for n in names]
    if len(names) > 1:
        head += ["ratio to the fastest peer (quartiles)", "its name"]
    head += ["direct floor ms"]
    body, ratios = [], []
    for row in rows:
        cells = [named(row)]
        for name in names:
            p = row["programs"].get(name, {})
            cells.append(f"{milliseconds(p['ms'])} ({milliseconds(p['ms_min'])})"
                         if "ms" in p else "-")
        peers = {n: p for n, p in row["programs"].items() if n != "rnc" and "ms" in p}
        fastest = min(peers, key=lambda n: peers[n]["ratio"]) if peers else None
        if fastest:
            low, _, high = peers[fastest]["ratio_quartiles"]
            cells += [f"**{peers[fastest]['ratio']:.2f}** ({low:.2f}-{high:.2f})",
                      titles[fastest]]
        elif len(names) > 1:
            cells += ["-", "-"]
        cells.append(milliseconds(row["floor_ms"]))
        body.append(cells)
        ratios.append([named(row)] + [f"{peers[n]['ratio']:.2f}" if n in peers else "-"
                                      for n in names if n != "rnc"])
        if threads == 1:
            ratios[-1] += [f"{peers[n]['cpu_ratio']:.2f}" if n in peers else "-"
                           for n in names if n != "rnc"]
    text = table(head, body)
    peers = [titles[n] for n in names if n != "rnc"]
    if peers:
        heads = [p + " / rnc" for p in peers] + ([p + ", CPU time" for p in peers]
                                                 if threads == 1 else [])
        text += "\n\nThe time of each peer over rnc's, medians of the rounds:\n\n" + \
            table(["network"] + heads, ratios)
    return text


def agreement(rows, titles):
    """How far each peer's answer is from rnc's, and what was not measured and why."""
    names = [n for n in dict.fromkeys(n for row in rows for n in row["programs"]) if n != "rnc"]
    body, missing = [], []
    for row in rows:
        cells = [named(row)]
        for name in names:
            p = row["programs"].get(name, {})
            cells.append(f"{p['difference']:.0e}" if "difference" in p else "not measured")
            if "why" in p:
                missing.append(f"- {titles[name]}, {named(row)}: not measured: {p['why']}")
        body.append(cells)
    return table(["network"] + [titles[n] for n in names], body) + \
        ("\n\n" + "\n".join(missing) if missing else "")


def starts(rows, titles):
    """Cold start and memory, a line a program."""
    body = []
    for row in rows:
        for name, p in row["programs"].items():
            if "cold" not in p:
                continue
            c = p["cold"]
            m = c["memory"]
            body.append([named(row), titles[name], f"{c['whole_s'] * 1e3:.0f}",
                         f"{c['import_s'] * 1e3:.0f}",
                         f"{(c['load_s'] + c['first_s']) * 1e3:.1f}",
                         f"{c['first_s'] * 1e3:.1f}", f"{m['peak'] / 1e6:.1f}",
                         f"{m['anonymous'] / 1e6:.1f}",
                         f"{m['mapped'] / 1e6:.1f}" if name == "rnc" else "-"])
    return table(["network", "program", "start to first answer ms", "of that imports ms",
                  "load and first inference ms", "first inference ms", "peak resident MB",
                  "of that private MB", "weights file mapped MB"], body) if body else ""


def sizes(rows, args):
    body = []
    compilers = [c for c in (args.cc, "clang") if any(c + "_s" in r["sizes"]["one"] for r in rows)]
    for row in rows:
        s = row["sizes"]
        cells = [named(row), f"{s['arena'] / 1e6:.2f}", f"{s['bound'] / 1e6:.2f}",
                 f"{s['weights'] / 1e6:.1f}"]
        for kind in ("one", "all"):
            f = s[kind]
            cells += [f"{f['c_bytes'] / 1e3:.0f}", f"{f['text_bytes'] / 1e3:.0f}",
                      f"{f['rnc_s']:.2f}"] + [f"{f[c + '_s']:.1f}" for c in dict.fromkeys(compilers)]
        body.append(cells)
    head = ["network", "arena MB", "bound MB", "weights MB"]
    for kind in ("one ISA", "all"):
        head += [f"{kind}: C KB", "text KB", "rnc s"] + \
            [c.split("/")[-1] + " s" for c in dict.fromkeys(compilers)]
    return table(head, body)


def layers(row, threads):
    """The steps in time order."""
    found = row["layers"]
    body = [[r["step"], r["layer"], r["kernel"], f"{r['macs'] / 1e6:.2f}", f"{r['us']:.1f}",
             f"{r['gflops']:.1f}", f"{r['percent']:.0f}" if r["macs"] else ""]
            for r in found["rows"]]
    macs = sum(r["macs"] for r in found["rows"])
    total = 2e-6 * macs / found["sum_ms"]
    body.append(["", "all", "", f"{macs / 1e6:.2f}", f"{found['sum_ms'] * 1e3:.1f}", f"{total:.1f}",
                 f"{100 * total / found['peak']:.0f}"])
    text = table(["step", "layer", "kernel", "MMAC", "us", "GFLOP/s", "% of peak"], body)
    return text + (
        f"\n\nShortest times, {found['isa']}, {threads} thread{'s' if threads > 1 else ''}; peak "
        f"{found['peak']:.0f} GFLOP/s. MACs are those of direct convolution, so a method that "
        f"multiplies less may be above 100 %. Floors: all MACs at the peak {found['floor_ms']:.2f} ms; "
        f"the multiplications of the chosen methods, transforms not counted, "
        f"{found['floor_method_ms']:.2f} ms; with each step's weights read at {found['dram']:.0f} "
        f"GB/s where that takes longer {found['floor_read_ms']:.2f} ms.")
