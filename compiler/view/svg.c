/* svg.c: a diagram as SVG: one file, with all it needs; the same bytes every time. */
#include "view/diagram.h"

#include "base/utf8.h"

#include <math.h>
#include <string.h>

static const struct {
    const char *fill, *line;
} paints[HUES] = {
    [HUE_END] = {"#ffffff", "#52606d"},       [HUE_CONV] = {"#cfe1fa", "#3b72bf"},
    [HUE_DEPTHWISE] = {"#c4ecec", "#1f8a8c"}, [HUE_DENSE] = {"#e3d5f7", "#7a4fb5"},
    [HUE_POOL] = {"#fbdcc0", "#c06a1b"},      [HUE_POINTWISE] = {"#e8ebef", "#78838f"},
    [HUE_JOIN] = {"#cdeed3", "#2f8a45"},      [HUE_MOVE] = {"#f7eeb5", "#998619"},
};

static const char style[] =
    "<style>\n"
    "text{font-family:Helvetica,Arial,'DejaVu Sans',sans-serif;fill:#1f2933}\n"
    ".t{font-size:12px;text-anchor:middle}.d{font-size:10px;fill:#52606d;text-anchor:middle}\n"
    ".f{font-size:12px;font-weight:bold}.g{font-size:10px;font-weight:normal;fill:#52606d}\n"
    ".h{paint-order:stroke;stroke-width:4px;stroke-linejoin:round}\n"
    ".l{font-size:10px;fill:#3e4c59}.n{font-size:10px;font-style:italic;fill:#616e7c}\n"
    ".w{fill:none;stroke:#52606d;stroke-width:1.4}.a{fill:#52606d}\n"
    ".s{fill:none;stroke:#c2410c;stroke-width:1.4}.b{fill:#c2410c}\n"
    "</style>\n";

/* ---- text ---- */

/* Prints text with markup escaped; what XML has no character for is shown as utf8.h does. */
static void put_text(Buf *out, const char *text)
{
    Buf shown = buf_new(out->arena);
    buf_add_shown(&shown, text, strlen(text), true);
    for (const char *c = buf_text(&shown); *c; c++) {
        switch (*c) {
        case '<':
            buf_puts(out, "&lt;");
            break;
        case '>':
            buf_puts(out, "&gt;");
            break;
        case '&':
            buf_puts(out, "&amp;");
            break;
        case '"':
            buf_puts(out, "&quot;");
            break;
        default:
            buf_putc(out, *c);
        }
    }
}

static void put_number(Buf *out, double x)
{
    /* Whole and half pixels suffice, and print alike everywhere. */
    const long twice = lround(2 * x);
    buf_printf(out, "%s%ld%s", twice == -1 ? "-" : "", twice / 2, twice % 2 ? ".5" : "");
}

static void put_at(Buf *out, const char *name, double x)
{
    buf_printf(out, " %s=\"", name);
    put_number(out, x);
    buf_putc(out, '"');
}

static void put_line(Buf *out, const char *classes, double x, double y, const char *more,
                     const char *text)
{
    buf_printf(out, "<text class=\"%s\"", classes);
    put_at(out, "x", x);
    put_at(out, "y", y);
    buf_printf(out, "%s>", more);
    put_text(out, text);
    buf_puts(out, "</text>\n");
}

static void put_rect(Buf *out, double x, double y, double w, double h, double round,
                     const char *fill, const char *line)
{
    buf_puts(out, "<rect");
    put_at(out, "x", x);
    put_at(out, "y", y);
    put_at(out, "width", w);
    put_at(out, "height", h);
    put_at(out, "rx", round);
    buf_printf(out, " fill=\"%s\" stroke=\"%s\"/>\n", fill, line);
}

static void put_tip(Buf *out, const char *tip)
{
    buf_puts(out, "<title>");
    put_text(out, tip);
    buf_puts(out, "</title>\n");
}

/* ---- frames ---- */

static int frames_deep(const Box *box)
{
    int n = 0;
    for (const Box *b = box->parent; b; b = b->parent)
        n += b->kind == BOX_FRAME;
    return n;
}

static const char *frame_fill(const Box *box)
{
    static const char *const fills[] = {"#f3f5f8", "#ffffff", "#f7f9fb"};
    const int deep = frames_deep(box);
    return fills[deep < 3 ? deep : 2 - deep % 2];
}

static void put_frame(Buf *out, const Box *box)
{
    const char *fill = frame_fill(box);
    buf_puts(out, "<g>\n");
    put_tip(out, box->tip);
    for (int i = box->times > 2 ? 2 : box->times - 1; i > 0; i--)
        put_rect(out, box->x + CARD * i, box->y + CARD * i, box->w, box->h, 7, fill, "#9aa5b1");
    put_rect(out, box->x, box->y, box->w, box->h, 7, fill, "#9aa5b1");
    buf_puts(out, "</g>\n");
}

static void put_titles(Buf *out, const Box *box)
{
    if (box->kind == BOX_FRAME) {
        buf_puts(out, "<text class=\"f\"");
        put_at(out, "x", box->x + box->title_x);
        put_at(out, "y", box->y + 16);
        buf_putc(out, '>');
        put_text(out, box->title);
        if (*box->detail) {
            buf_puts(out, " <tspan class=\"g\">");
            put_text(out, box->detail);
            buf_puts(out, "</tspan>");
        }
        buf_puts(out, "</text>\n");
        if (box->times > 1) {
            buf_puts(out, "<text class=\"f\" text-anchor=\"end\" style=\"fill:#c2410c\"");
            put_at(out, "x", box->x + box->w - 9);
            put_at(out, "y", box->y + 16);
            buf_printf(out, ">\xc3\x97%d</text>\n", box->times);
        }
    } else if (box->kind == BOX_ARM) {
        put_line(out, "n", box->x + box->title_x, box->y + 11, "", box->title);
    }
    for (int i = 0; i < box->boxes.n; i++)
        put_titles(out, box->boxes.at[i]);
}

static void put_frames(Buf *out, const Box *box)
{
    if (box->kind == BOX_FRAME)
        put_frame(out, box);
    for (int i = 0; i < box->boxes.n; i++)
        put_frames(out, box->boxes.at[i]);
}

/* ---- wires ---- */

/* Prints a hop with its corners rounded. */
static void put_hop(Buf *out, const Hop *hop)
{
    for (int i = 0; i < hop->n; i++) {
        const Point at = hop->at[i];
        if (i == 0 || i == hop->n - 1) {
            buf_puts(out, i ? "L" : "M");
            put_number(out, at.x);
            buf_putc(out, ' ');
            put_number(out, at.y);
            continue;
        }
        const Point a = hop->at[i - 1], b = hop->at[i + 1];
        const double in = hypot(at.x - a.x, at.y - a.y), on = hypot(b.x - at.x, b.y - at.y);
        const double round = fmin(5, fmin(in, on) / 2);
        const double from[2] = {at.x + (in > 0 ? (a.x - at.x) / in * round : 0),
                                at.y + (in > 0 ? (a.y - at.y) / in * round : 0)};
        const double to[2] = {at.x + (on > 0 ? (b.x - at.x) / on * round : 0),
                              at.y + (on > 0 ? (b.y - at.y) / on * round : 0)};
        const double numbers[] = {from[0], from[1], at.x, at.y, to[0], to[1]};
        for (int k = 0; k < 6; k++) {
            buf_puts(out, k == 0 ? "L" : k == 2 ? "Q" : " ");
            put_number(out, numbers[k]);
        }
    }
}

static void put_arrow(Buf *out, Point at)
{
    buf_putc(out, 'M');
    put_number(out, at.x);
    buf_putc(out, ' ');
    put_number(out, at.y);
    buf_puts(out, "l-3.5 -7h7z");
}

/* The hops of one colour: a path for the lines, one for the heads. */
static void put_hops(Buf *out, const Wire *wire, bool skip)
{
    int n = 0, heads = 0;
    for (int i = 0; i < wire->hops.n; i++) {
        const Hop *hop = &wire->hops.at[i];
        if (hop->skip != skip)
            continue;
        if (n++ == 0)
            buf_printf(out, "<path class=\"%s\" d=\"", skip ? "s" : "w");
        put_hop(out, hop);
        heads += hop->arrow;
    }
    if (n == 0)
        return;
    buf_puts(out, "\"/>\n");
    if (heads == 0)
        return;
    buf_printf(out, "<path class=\"%s\" d=\"", skip ? "b" : "a");
    for (int i = 0; i < wire->hops.n; i++) {
        const Hop *hop = &wire->hops.at[i];
        if (hop->skip == skip && hop->arrow)
            put_arrow(out, hop->at[hop->n - 1]);
    }
    buf_puts(out, "\"/>\n");
}

/* ---- boxes ---- */

static void put_box(Buf *out, const Box *box)
{
    const double middle = box->x + box->w / 2;
    const bool round = box->kind == BOX_END || box->hue == HUE_JOIN;
    buf_puts(out, "<g>\n");
    put_tip(out, box->tip);
    put_rect(out, box->x, box->y, box->w, box->h, round ? box->h / 2 : 4, paints[box->hue].fill,
             paints[box->hue].line);
    put_line(out, "t", middle, box->y + 16, "", box->title);
    if (*box->detail)
        put_line(out, "d", middle, box->y + 30, "", box->detail);
    buf_puts(out, "</g>\n");
}

static void put_label(Buf *out, const Box *box)
{
    const Box *frame = box->parent;
    while (frame->kind == BOX_ARM)
        frame = frame->parent;
    const char *fill = frame->kind == BOX_FRAME ? frame_fill(frame) : "#ffffff";
    if (!box->wire || !box->wire->label)
        return;
    buf_printf(out, "<text class=\"l h\" stroke=\"%s\"", fill);
    put_at(out, "x", box->x + box->w / 2 + 5);
    put_at(out, "y", box->y + box->h + 11);
    buf_putc(out, '>');
    put_text(out, box->wire->label);
    buf_puts(out, "</text>\n");
}

/* ---- all ---- */

/* Prints the legend, a chip for each hue that occurs, in lines that fit; returns its height. */
static double put_legend(Buf *out, const Diagram *d)
{
    enum { LEFT = 24, LINE = 22, CHIP = 22 };
    bool used[HUES] = {false};
    double x = LEFT, y = d->h + 10;
    for (int i = 0; i < d->leaves.n; i++)
        used[d->leaves.at[i]->hue] = true;
    for (int hue = 0; hue < HUES; hue++) {
        const double w = CHIP + 6 + diagram_text_width(hue_name((Hue)hue), 11) + 12;
        if (!used[hue])
            continue;
        if (x > LEFT && x + w > d->w) {
            x = LEFT;
            y += LINE;
        }
        put_rect(out, x, y, CHIP, 14, hue == HUE_JOIN || hue == HUE_END ? 7 : 3, paints[hue].fill,
                 paints[hue].line);
        put_line(out, "l", x + CHIP + 6, y + 11, "", hue_name((Hue)hue));
        x += w;
    }
    return y + LINE + 8 - d->h;
}

void svg_print(Buf *out, const Diagram *d)
{
    Buf body = buf_new(d->arena);
    const double width = fmax(
        d->w, 48 + fmax(diagram_text_width(d->title, 18), diagram_text_width(d->subtitle, 12)));
    put_line(&body, "f", 24, 26, " style=\"font-size:18px\"", d->title);
    put_line(&body, "l", 24, 43, " style=\"font-size:12px\"", d->subtitle);
    put_frames(&body, d->page);
    for (int skip = 1; skip >= 0; skip--) {
        for (int i = 0; i < d->wires.n; i++)
            put_hops(&body, d->wires.at[i], skip != 0);
    }
    for (int i = 0; i < d->leaves.n; i++)
        put_label(&body, d->leaves.at[i]);
    put_titles(&body, d->page);
    for (int i = 0; i < d->leaves.n; i++)
        put_box(&body, d->leaves.at[i]);
    const double height = d->h + put_legend(&body, d);
    buf_puts(out, "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n"
                  "<svg xmlns=\"http://www.w3.org/2000/svg\"");
    put_at(out, "width", width);
    put_at(out, "height", height);
    buf_puts(out, " viewBox=\"0 0 ");
    put_number(out, width);
    buf_putc(out, ' ');
    put_number(out, height);
    buf_puts(out, "\">\n");
    put_tip(out, d->title);
    buf_puts(out, style);
    put_rect(out, 0, 0, width, height, 0, "#ffffff", "none");
    buf_add(out, buf_text(&body), body.n);
    buf_puts(out, "</svg>\n");
}
