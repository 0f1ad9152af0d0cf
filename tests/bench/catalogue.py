#!/usr/bin/env python3
"""What make bench measured, into the tables of docs/models.md: how fast each network is beside ONNX
Runtime.

    make bench BENCHFLAGS="models --parts speed --peers onnxruntime --rounds 5 --json RESULTS.json"
    tests/bench/catalogue.py RESULTS.json docs/models.md

The column `beside ONNX Runtime` has ONNX Runtime's time divided by rnc's, one thread, batch 1; `-` where
ONNX Runtime does not run the network, with the reason on stdout.  Rows that were not measured keep what
they have.  The line that begins with `*Beside ONNX Runtime*` says of what machine the numbers are.
Networks with a ratio below 1 are named on stderr, and the status is 1.
"""
import json
import re
import sys

COLUMN = "beside ONNX Runtime"
AFTER = "arena"  # the column before it
LEGEND = f"- *{COLUMN[0].upper()}{COLUMN[1:]}*"
PEER = "onnxruntime"


def cells_of(line):
    return [cell.strip() for cell in line.strip().strip("|").split("|")]


def line_of(cells):
    return "| " + " | ".join(cells) + " |\n"


def ratios(rows):
    """{network: cell}, and the reasons of those without a number."""
    found, why = {}, {}
    for row in rows:
        if row["threads"] != 1 or row["batch"] != 1 or re.search("[,:/]", row["model"]):
            continue
        peer = row["programs"].get(PEER, {"why": "not asked for"})
        if "ratio" in peer and "why" not in peer:
            found[row["model"]] = f"{peer['ratio']:.2f}"
        else:
            found[row["model"]], why[row["model"]] = "-", peer.get("why", "not measured")
    return found, why


def legend(results):
    """The line that explains the column."""
    rounds = {row["conditions"]["rounds"] for row in results["rows"] if "conditions" in row}
    machine = results["machine"]
    versions = {row["programs"][PEER]["version"] for row in results["rows"]
                if "version" in row["programs"].get(PEER, {})}
    return (f"{LEGEND}: ONNX Runtime's time divided by rnc's, one thread, batch 1, the median of "
            f"{'-'.join(str(n) for n in sorted(rounds)) or 'no'} rounds of `make bench`; "
            f"{machine['name']}, {machine['cc'].split(' (')[0]}, ONNX Runtime {', '.join(sorted(versions)) or '-'}.\n")


def written(page, results):
    """The lines of the page with the column, and the reasons for what it lacks."""
    found, why = ratios(results["rows"])
    out, at, told = [], -1, False
    for line in page:
        if line.startswith(LEGEND):
            continue
        if line.startswith("- *Weights*") and not told:
            out.append(legend(results))
            told = True
        if not line.startswith("|"):
            at = -1
        elif line.startswith("| network |"):
            head = cells_of(line)
            fresh = COLUMN not in head
            at = head.index(AFTER) + 1 if fresh else head.index(COLUMN)
            if fresh:
                head.insert(at, COLUMN)
            line = line_of(head)
        elif at >= 0:
            cells = cells_of(line)
            rule = set("".join(cells)) <= set("-:")
            if fresh:
                cells.insert(at, "---:" if rule else "")
            name = re.match(r"\[([^]]+)\]", cells[0])
            if name and name[1] in found:
                cells[at] = found[name[1]]
            line = "|" + "|".join(cells) + "|\n" if rule else line_of(cells)
        out.append(line)
    return out, found, why


def main():
    if len(sys.argv) != 3:
        sys.exit(__doc__)
    with open(sys.argv[1]) as f:
        results = json.load(f)
    with open(sys.argv[2]) as f:
        page = f.readlines()
    lines, found, why = written(page, results)
    with open(sys.argv[2], "w") as f:
        f.writelines(lines)
    for name, reason in why.items():
        print(f"{name}: {reason}")
    slower = [name for name, ratio in found.items() if ratio != "-" and float(ratio) < 1]
    if slower:
        sys.exit(f"slower than ONNX Runtime: {', '.join(slower)}")


if __name__ == "__main__":
    main()
