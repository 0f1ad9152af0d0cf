"""The tables as pictures, SVG."""
import re


def start():
    """matplotlib without a display, the same bytes for the same figures."""
    import matplotlib
    matplotlib.use("Agg")
    matplotlib.rcParams["svg.hashsalt"] = "rnc"
    import matplotlib.pyplot as plt
    return plt


def depth(rows, heading, path):
    """Time, arena and C of networks against their layers, a line a family."""
    plt = start()
    families = {}
    for row in rows:
        family, layers = re.fullmatch(r"(.*?)(?:,layers=)?(\d+)", row["model"]).groups()
        kind = family + (", bottlenecks" if family == "resnet" and int(layers) >= 50 else "")
        families.setdefault(kind, []).append((int(layers), row))
    kinds = (("ms", lambda r: r["programs"]["rnc"]["ms"]), ("arena MB", lambda r: r["arena"] / 1e6),
             ("C KB", lambda r: r["sizes"]["one"]["c_bytes"] / 1e3))
    figure, all_axes = plt.subplots(1, len(kinds), figsize=(12, 4))
    for axes, (label, value) in zip(all_axes, kinds):
        for family, members in families.items():
            members.sort(key=lambda m: m[0])
            axes.plot([n for n, _ in members], [value(r) for _, r in members], "o-", label=family)
        depths = sorted({n for members in families.values() for n, _ in members})
        axes.set_xscale("log")
        axes.set_xticks(depths, depths, rotation=90, fontsize=7)
        axes.minorticks_off()
        axes.set_xlabel("layers")
        axes.set_ylabel(label)
        if label == "ms":
            axes.set_yscale("log")
        else:
            axes.set_ylim(bottom=0)
        axes.legend(fontsize=8)
    figure.suptitle(heading, fontsize=8)
    figure.tight_layout()
    figure.savefig(path, metadata={"Date": None})


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
