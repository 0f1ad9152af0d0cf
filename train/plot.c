/* plot.c: axes of plots, and the terminal (see plot.h). */
#define _GNU_SOURCE
#include "train/plot.h"

#include "train/plot_parts.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/ioctl.h>
#include <unistd.h>

bool curve_point(const rnct_curve *curve, size_t i, double *x, double *y)
{
    *x = curve->x[i * curve->stride];
    *y = curve->y[i * curve->stride];
    return isfinite(*x) && isfinite(*y);
}

/* Marks at 1, 2 or 5 times a power of ten, at most about seven. */
static void set_ticks(Axis *axis)
{
    const double raw = (axis->high - axis->low) / 6, power = pow(10, floor(log10(raw)));
    const double digit = raw / power;
    axis->step = power * (digit <= 1 ? 1 : digit <= 2 ? 2 : digit <= 5 ? 5 : 10);
    axis->first = ceil(axis->low / axis->step - 1e-9) * axis->step;
    axis->ticks = (int)floor((axis->high - axis->first) / axis->step + 1e-9) + 1;
    if (axis->ticks > TICKS_MOST)
        axis->ticks = TICKS_MOST;
}

bool plot_axes(const rnct_plot *plot, Axis *x, Axis *y)
{
    bool found = false;
    for (int k = 0; k < plot->n && k < CURVES_MOST; k++) {
        for (size_t i = 0; i < plot->curves[k].n; i++) {
            double a, b;
            if (!curve_point(&plot->curves[k], i, &a, &b))
                continue;
            x->low = found ? fmin(x->low, a) : a;
            x->high = found ? fmax(x->high, a) : a;
            y->low = found ? fmin(y->low, b) : b;
            y->high = found ? fmax(y->high, b) : b;
            found = true;
        }
    }
    if (!found)
        return false;
    if (x->high - x->low <= 0)
        x->low -= 0.5, x->high += 0.5;
    const double room = y->high - y->low;
    const double more = room > 0 ? room * 0.04 : fmax(fabs(y->high) * 0.1, 1e-6);
    y->low -= more;
    y->high += more;
    set_ticks(x);
    set_ticks(y);
    return true;
}

void axis_tick(const Axis *axis, int i, bool percent, char *to)
{
    double value = axis->first + i * axis->step;
    if (fabs(value) < axis->step * 1e-6)
        value = 0;
    snprintf(to, 24, percent ? "%.4g %%" : "%.4g", percent ? 100 * value : value);
}

/* ---- the terminal ---- */

static bool is_utf8(void)
{
    static const char *const names[] = {"LC_ALL", "LC_CTYPE", "LANG"};
    for (int i = 0; i < 3; i++) {
        const char *value = getenv(names[i]);
        if (value && *value)
            return strcasestr(value, "utf-8") || strcasestr(value, "utf8");
    }
    return false;
}

rnct_terminal rnct_terminal_of(FILE *to)
{
    struct winsize size;
    const int fd = fileno(to);
    rnct_terminal t = {fd >= 0 && isatty(fd), is_utf8(), 80};
    if (t.is_terminal && ioctl(fd, TIOCGWINSZ, &size) == 0 && size.ws_col > 0)
        t.width = size.ws_col;
    return t;
}
