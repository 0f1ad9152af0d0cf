"""depth.py's table as an SVG: a panel a family, both axes logarithmic."""
import math

LINES = (("run", "run time", "#b2182b"), ("rnc", "rnc", "#ef8a62"), ("cc", "cc -O2", "#2166ac"),
         ("c", "bytes of C", "#1b7837"), ("arena", "arena", "#555555"))
WIDE, HIGH, LEFT, TOP, GAP = 330, 260, 60, 40, 90


def ticks(low, high):
    """1, 2, 5, 10, ... between the two."""
    found = [m * 10 ** e for e in range(-3, 7) for m in (1, 2, 5)]
    return [t for t in found if low <= t <= high]


class Panel:
    """Depth to the right, how many times the shallowest's upwards."""

    def __init__(self, x0, rows, top):
        self.x0, self.rows = x0, rows
        depths = [r["layers"] for r in rows]
        self.x_range = (min(depths), max(depths))
        self.y_range = (0.5, top)

    def x(self, layers):
        low, high = self.x_range
        return self.x0 + WIDE * math.log(layers / low) / math.log(high / low)

    def y(self, ratio):
        low, high = self.y_range
        return TOP + HIGH * (1 - math.log(max(ratio, low) / low) / math.log(high / low))

    def line(self, points, style):
        places = " ".join(f"{self.x(a):.1f},{self.y(b):.1f}" for a, b in points)
        return f'<polyline points="{places}" fill="none" {style}/>'

    def draw(self, title):
        out = [f'<text x="{self.x0}" y="{TOP - 14}" font-weight="bold">{title}</text>',
               f'<rect x="{self.x0}" y="{TOP}" width="{WIDE}" height="{HIGH}" fill="none" '
               'stroke="#999"/>']
        for t in ticks(*self.y_range):
            out.append(f'<text x="{self.x0 - 6}" y="{self.y(t) + 4:.1f}" text-anchor="end">'
                       f'{t:g}</text>')
            out.append(self.line([(self.x_range[0], t), (self.x_range[1], t)], 'stroke="#eee"'))
        for row in self.rows:
            out.append(f'<text x="{self.x(row["layers"]):.1f}" y="{TOP + HIGH + 16}" '
                       f'text-anchor="middle">{row["layers"]}</text>')
        low, high = self.x_range
        out.append(self.line([(low, 1), (high, high / low)],
                             'stroke="#000" stroke-dasharray="3 3"'))
        for key, _, colour in LINES:
            points = [(r["layers"], r[key] / self.rows[0][key]) for r in self.rows]
            out.append(self.line(points, f'stroke="{colour}" stroke-width="2"'))
        return out


def legend(y):
    out, x = [], LEFT
    for _, name, colour in (*LINES, ("", "in proportion to the layers", "#000")):
        dash = ' stroke-dasharray="3 3"' if not _ else ""
        out.append(f'<line x1="{x}" y1="{y - 4}" x2="{x + 22}" y2="{y - 4}" stroke="{colour}" '
                   f'stroke-width="2"{dash}/>')
        out.append(f'<text x="{x + 28}" y="{y}">{name}</text>')
        x += 60 + 7 * len(name)
    return out


def svg(families):
    """The picture's text; `families` are pairs of a title and rows."""
    top = 1.2 * max(row[key] / rows[0][key] for _, rows in families for row in rows
                    for key in [*(line[0] for line in LINES), "layers"])
    wide = LEFT + len(families) * (WIDE + GAP)
    high = TOP + HIGH + 90
    out = [f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {wide} {high}" '
           'font-family="sans-serif" font-size="12">',
           f'<rect width="{wide}" height="{high}" fill="#fff"/>']
    for i, (title, rows) in enumerate(families):
        out += Panel(LEFT + i * (WIDE + GAP), rows, top).draw(title)
    out.append(f'<text x="{LEFT}" y="{TOP + HIGH + 40}">layers; upwards: how many times as much '
               'as the shallowest network of the family</text>')
    out += legend(TOP + HIGH + 66)
    return "\n".join(out) + "\n</svg>\n"
