/* plot_text.c: plots in the terminal (see plot.h).
 *
 * A character of a Unicode terminal has 2 x 4 dots: U+2800 plus a bit for each of them. */
#include "train/plot.h"

#include "train/plot_parts.h"

#include <math.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

enum { LABEL = 9, LEAST = 20, WIDE = 400, HIGH = 100 };
static const char marks[CURVES_MOST + 1] = "*+ox#@";
/* Blue, red, green, magenta, cyan, yellow. */
static const int colours[CURVES_MOST] = {34, 31, 32, 35, 36, 33};

typedef struct Canvas {
    int w, h;           /* characters */
    int dots_x, dots_y; /* of a character */
    unsigned char bits[HIGH][WIDE];
    signed char curve[HIGH][WIDE]; /* which one was drawn last; -1: none */
} Canvas;

/* Which bit of a Braille character a dot is. */
static unsigned char dot_bit(int x, int y)
{
    static const unsigned char bits[4][2] = {
        {0x01, 0x08}, {0x02, 0x10}, {0x04, 0x20}, {0x40, 0x80}};
    return bits[y][x];
}

static void set_dot(Canvas *c, int x, int y, int curve)
{
    const int column = x / c->dots_x, row = y / c->dots_y;
    if (x < 0 || y < 0 || column >= c->w || row >= c->h)
        return;
    c->bits[row][column] |= dot_bit(x % c->dots_x, y % c->dots_y);
    c->curve[row][column] = (signed char)curve;
}

static void draw_line(Canvas *c, double x0, double y0, double x1, double y1, int curve)
{
    const int steps = (int)ceil(fmax(fabs(x1 - x0), fabs(y1 - y0))) + 1;
    for (int i = 0; i <= steps; i++) {
        const double t = (double)i / steps;
        set_dot(c, (int)floor(x0 + t * (x1 - x0)), (int)floor(y0 + t * (y1 - y0)), curve);
    }
}

static void draw_curves(Canvas *c, const rnct_plot *plot, const Axis *x, const Axis *y)
{
    const double w = c->w * c->dots_x - 1e-6, h = c->h * c->dots_y - 1e-6;
    for (int k = 0; k < plot->n && k < CURVES_MOST; k++) {
        double a, b, before_x = 0, before_y = 0;
        bool first = true;
        for (size_t i = 0; i < plot->curves[k].n; i++) {
            if (!curve_point(&plot->curves[k], i, &a, &b))
                continue;
            const double px = (a - x->low) / (x->high - x->low) * w;
            const double py = (y->high - b) / (y->high - y->low) * h;
            draw_line(c, first ? px : before_x, first ? py : before_y, px, py, k);
            before_x = px;
            before_y = py;
            first = false;
        }
    }
}

/* ---- printing ---- */

static void print_cell(const Canvas *c, int row, int column, const rnct_terminal *t, FILE *to)
{
    const int curve = c->curve[row][column];
    if (curve < 0) {
        fputc(' ', to);
    } else if (!t->unicode || !t->is_terminal) {
        fputc(marks[curve], to);
    } else {
        const unsigned bits = c->bits[row][column]; /* U+2800 + bits in UTF-8 */
        fprintf(to, "\x1b[%dm\xe2%c%c\x1b[0m", colours[curve], (int)(0xa0 | bits >> 6),
                (int)(0x80 | (bits & 0x3f)));
    }
}

/* The tick that a line has, or "". */
static void label_of(const Axis *y, int row, int rows, bool percent, char *to)
{
    to[0] = '\0';
    for (int i = 0; i < y->ticks; i++) {
        const double place = (y->high - y->first - i * y->step) / (y->high - y->low) * rows;
        if ((int)floor(place) == row)
            axis_tick(y, i, percent, to);
    }
}

static void print_x_axis(const Axis *x, int w, FILE *to)
{
    char line[WIDE + 64], text[24];
    memset(line, ' ', sizeof line);
    int end = 0;
    for (int i = 0; i < x->ticks; i++) {
        axis_tick(x, i, false, text);
        const int n = (int)strlen(text);
        const double place = (x->first + i * x->step - x->low) / (x->high - x->low) * (w - 1);
        int at = (int)lround(place) - n / 2;
        at = at < 0 ? 0 : at > w - n ? w - n : at;
        if (at < 0 || (end > 0 && at < end + 1))
            continue;
        memcpy(line + at, text, (size_t)n);
        end = at + n;
    }
    fprintf(to, "%*s %.*s\n", LABEL + 1, "", end, line);
}

static void print_names(const rnct_plot *plot, const rnct_terminal *t, FILE *to)
{
    fprintf(to, "%*s", LABEL, "");
    for (int k = 0; k < plot->n && k < CURVES_MOST; k++) {
        if (t->unicode && t->is_terminal)
            fprintf(to, "  \x1b[%dm\xe2\xa0\xa4\xe2\xa0\xa4\x1b[0m %s", colours[k],
                    plot->curves[k].name);
        else
            fprintf(to, "  %c %s", marks[k], plot->curves[k].name);
    }
    fputc('\n', to);
}

void rnct_plot_print(const rnct_plot *plot, const rnct_terminal *t, int rows, FILE *to)
{
    Axis x, y;
    const bool braille = t->unicode && t->is_terminal;
    const int w = t->width - LABEL - 4;
    Canvas *c = calloc(1, sizeof *c);
    fprintf(to, "%*s  %s, by %s\n", LABEL, "", plot->title, plot->x_label);
    if (!c || !plot_axes(plot, &x, &y)) {
        fprintf(to, "%*s  nothing to show yet\n", LABEL, "");
        free(c);
        return;
    }
    c->w = w < LEAST ? LEAST : w > WIDE ? WIDE : w;
    c->h = rows < 3 ? 3 : rows > HIGH ? HIGH : rows;
    c->dots_x = braille ? 2 : 1;
    c->dots_y = braille ? 4 : 1;
    memset(c->curve, -1, sizeof c->curve);
    draw_curves(c, plot, &x, &y);
    for (int row = 0; row < c->h; row++) {
        char label[24];
        int end = c->w;
        label_of(&y, row, c->h, plot->percent, label);
        while (end > 0 && c->curve[row][end - 1] < 0)
            end--;
        fprintf(to, "%*s %s", LABEL, label, braille ? "\xe2\x94\x82" : "|");
        for (int column = 0; column < end; column++)
            print_cell(c, row, column, t, to);
        fputc('\n', to);
    }
    print_x_axis(&x, c->w, to);
    print_names(plot, t, to);
    free(c);
}
