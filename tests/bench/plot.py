"""The tables as pictures, SVG."""


def start():
    """matplotlib without a display, the same bytes for the same figures."""
    import matplotlib
    matplotlib.use("Agg")
    matplotlib.rcParams["svg.hashsalt"] = "rnc"
    import matplotlib.pyplot as plt
    return plt


def ratios(rows, titles, heading, path):
    """Writes an SVG: how many times as long as rnc each peer takes, on the same network."""
    from tables import measured, named
    plt = start()
    peers = [n for n in measured(rows, "ms") if n != "rnc"]
    figure, axes = plt.subplots(figsize=(max(6, 0.35 * len(rows) * (len(peers) + 1) + 2), 4.5))
    width = 0.8 / max(1, len(peers))
    for k, name in enumerate(peers):
        at = [i + (k - (len(peers) - 1) / 2) * width for i, row in enumerate(rows)
              if "ratio" in row["programs"].get(name, {})]
        found = [row["programs"][name] for row in rows
                 if "ratio" in row["programs"].get(name, {})]
        ratios = [p["ratio"] for p in found]
        spread = [[p["ratio"] - p["ratio_quartiles"][0] for p in found],
                  [p["ratio_quartiles"][2] - p["ratio"] for p in found]]
        axes.bar(at, ratios, width, label=titles[name], yerr=spread, error_kw={"linewidth": 0.7})
    axes.axhline(1, color="black", linewidth=1)
    axes.set_ylabel("time / rnc's time")
    axes.set_xticks(range(len(rows)), [named(r) for r in rows], rotation=30, ha="right")
    axes.set_title(heading, fontsize=8)
    if peers:
        axes.legend(fontsize=8, ncols=3)
    figure.tight_layout()
    figure.savefig(path, metadata={"Date": None})
