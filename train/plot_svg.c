/* plot_svg.c: plots as SVG (see plot.h). */
#define _GNU_SOURCE /* open_memstream */
#include "train/plot.h"

#include "train/plot_parts.h"
#include "train/whole.h"

#include <math.h>
#include <stdlib.h>

enum { WIDE = 420, HIGH = 260, LEFT = 64, TOP = 40, GAP = 84, BELOW = 76 };

/* Colours that those who see few of them can tell apart, after ColorBrewer's RdBu and its like. */
static const char *const colours[CURVES_MOST] = {"#2166ac", "#b2182b", "#1b7837",
                                                 "#762a83", "#b35806", "#52606d"};

static void put_text(FILE *to, const char *text)
{
    for (; *text; text++) {
        switch (*text) {
        case '<':
            fputs("&lt;", to);
            break;
        case '>':
            fputs("&gt;", to);
            break;
        case '&':
            fputs("&amp;", to);
            break;
        default:
            fputc((unsigned char)*text < 0x20 ? '?' : *text, to);
        }
    }
}

static double place(const Axis *axis, double value)
{
    return (value - axis->low) / (axis->high - axis->low);
}

static void put_axes(FILE *to, const rnct_plot *plot, const Axis *x, const Axis *y)
{
    char text[24];
    for (int i = 0; i < y->ticks; i++) {
        const double at = TOP + HIGH * (1 - place(y, y->first + i * y->step));
        axis_tick(y, i, plot->percent, text);
        fprintf(to,
                "<path class=\"g\" d=\"M0 %.1fh%d\"/>\n"
                "<text class=\"y\" x=\"-7\" y=\"%.1f\">%s</text>\n",
                at, WIDE, at + 4, text);
    }
    for (int i = 0; i < x->ticks; i++) {
        axis_tick(x, i, false, text);
        fprintf(to, "<text class=\"x\" x=\"%.1f\" y=\"%d\">%s</text>\n",
                WIDE * place(x, x->first + i * x->step), TOP + HIGH + 17, text);
    }
    fprintf(to, "<text class=\"x\" x=\"%d\" y=\"%d\">", WIDE / 2, TOP + HIGH + 36);
    put_text(to, plot->x_label);
    fputs("</text>\n", to);
}

static void put_curve(FILE *to, const rnct_curve *curve, const char *colour, const Axis *x,
                      const Axis *y)
{
    bool first = true;
    fprintf(to, "<path class=\"c\" stroke=\"%s\" d=\"", colour);
    for (size_t i = 0; i < curve->n; i++) {
        double a, b;
        if (!curve_point(curve, i, &a, &b))
            continue;
        fprintf(to, "%s%.1f %.1f", first ? "M" : "L", WIDE * place(x, a),
                TOP + HIGH * (1 - place(y, b)));
        first = false;
    }
    fputs("\"/>\n", to);
}

static void put_plot(FILE *to, const rnct_plot *plot, int left)
{
    Axis x, y;
    fprintf(to, "<g transform=\"translate(%d 0)\">\n<text class=\"t\" x=\"0\" y=\"26\">", left);
    put_text(to, plot->title);
    fputs("</text>\n", to);
    if (plot_axes(plot, &x, &y)) {
        int legend = 0;
        put_axes(to, plot, &x, &y);
        for (int k = 0; k < plot->n && k < CURVES_MOST; k++)
            put_curve(to, &plot->curves[k], colours[k], &x, &y);
        for (int k = 0; k < plot->n && k < CURVES_MOST; k++, legend += WIDE / 3) {
            const int at = legend % WIDE, down = TOP + HIGH + 56 + legend / WIDE * 16;
            fprintf(to,
                    "<path class=\"c\" stroke=\"%s\" d=\"M%d %dh20\"/>\n<text x=\"%d\" y=\"%d\">",
                    colours[k], at, down - 4, at + 26, down);
            put_text(to, plot->curves[k].name);
            fputs("</text>\n", to);
        }
    } else {
        fprintf(to, "<text x=\"12\" y=\"%d\">nothing to show yet</text>\n", TOP + 24);
    }
    fprintf(to, "<rect class=\"f\" x=\"0\" y=\"%d\" width=\"%d\" height=\"%d\"/>\n</g>\n", TOP,
            WIDE, HIGH);
}

bool rnct_plots_save(const rnct_plot *plots, int n, const char *path, rnct_problems *problems)
{
    char *text = NULL;
    size_t size = 0;
    const int wide = LEFT + n * (WIDE + GAP) - GAP + 24, high = TOP + HIGH + BELOW;
    FILE *to = open_memstream(&text, &size);
    if (!to)
        return rnct_problem(problems, path, "no memory");
    fprintf(
        to,
        "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n"
        "<svg xmlns=\"http://www.w3.org/2000/svg\" width=\"%d\" height=\"%d\" "
        "viewBox=\"0 0 %d %d\">\n"
        "<style>\n"
        "text{font-family:Helvetica,Arial,'DejaVu Sans',sans-serif;font-size:12px;fill:#1f2933}\n"
        ".t{font-weight:bold}.x{text-anchor:middle}.y{text-anchor:end}\n"
        ".f{fill:none;stroke:#9aa5b1}.g{fill:none;stroke:#e8ebef}\n"
        ".c{fill:none;stroke-width:1.8;stroke-linejoin:round}\n"
        "</style>\n<rect width=\"%d\" height=\"%d\" fill=\"#ffffff\"/>\n",
        wide, high, wide, high, wide, high);
    for (int i = 0; i < n; i++)
        put_plot(to, &plots[i], LEFT + i * (WIDE + GAP));
    fputs("</svg>\n", to);
    bool good = fclose(to) == 0 || rnct_problem(problems, path, "no memory");
    good = good && rnct_whole_save(path, text, size, problems);
    free(text);
    return good;
}
