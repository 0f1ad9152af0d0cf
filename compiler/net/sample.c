/* sample.c: see sample.h. */
#include "net/sample.h"

#include <math.h>
#include <string.h>

/* ---- padding ---- */

int padding_source(PaddingMode mode, int64_t i, int n)
{
    const bool before = i < 0;
    if (i >= 0 && i < n)
        return (int)i;
    switch (mode) {
    case PADDING_REFLECT:
        return (int)(before ? -i : 2 * ((int64_t)n - 1) - i);
    case PADDING_SYMMETRIC:
        return (int)(before ? -i - 1 : 2 * (int64_t)n - 1 - i);
    case PADDING_REPLICATE:
        return before ? 0 : n - 1;
    case PADDING_CIRCULAR:
        return (int)(before ? i + n : i - n);
    case PADDING_ZEROS:
        break;
    }
    return -1;
}

bool padding_fits(PaddingMode mode, int by, int n)
{
    return mode == PADDING_ZEROS || mode == PADDING_REPLICATE ||
           (mode == PADDING_REFLECT ? by < n : by <= n);
}

/* ---- resizing ---- */

static int64_t common_divisor(int64_t a, int64_t b)
{
    while (b) {
        const int64_t rest = a % b;
        a = b;
        b = rest;
    }
    return a;
}

/* The fraction that a factor stands for, 1 / 3 for 0.333..., by continued fractions. */
static void as_fraction(double x, int64_t *above, int64_t *below)
{
    enum { BELOW_MOST = 1 << 16 };
    int64_t h[2] = {0, 1}, k[2] = {1, 0};
    double rest = x;
    for (int i = 0; i < 40; i++) {
        const int64_t whole = (int64_t)floor(rest);
        const int64_t next = whole * k[1] + k[0];
        if (next > BELOW_MOST)
            break;
        const int64_t top = whole * h[1] + h[0];
        h[0] = h[1], h[1] = top;
        k[0] = k[1], k[1] = next;
        if (fabs((double)top / (double)next - x) <= 1e-12 * x)
            break;
        rest = 1 / (rest - (double)whole);
    }
    *above = h[1];
    *below = k[1];
}

/* A factor, or 0 where `size` says it. */
static double factor_of(const Attrs *a, int axis)
{
    return a->scales.at[a->scales.n > 1 ? axis : 0];
}

int64_t resize_extent(const Attrs *a, int axis, int in)
{
    int64_t above, below;
    if (a->size[axis] > 0)
        return a->size[axis];
    if (!(factor_of(a, axis) > 0))
        return 0;
    as_fraction(factor_of(a, axis), &above, &below);
    return in * above / below;
}

Scaling resize_scaling(const Attrs *a, int axis, int in, int out)
{
    int64_t above = out, below = in; /* of the factor */
    if (factor_of(a, axis) > 0)
        as_fraction(factor_of(a, axis), &above, &below);
    const int64_t common = common_divisor(above, below);
    above /= common;
    below /= common;
    Scaling s = {2 * below, below - above, 2 * above};
    if (a->corners == CORNERS_ASYMMETRIC)
        return (Scaling){below, 0, above};
    if (a->corners == CORNERS_ALIGN)
        s = out > 1 ? (Scaling){(int64_t)in - 1, 0, (int64_t)out - 1} : (Scaling){0, 0, 1};
    if (a->corners == CORNERS_PYTORCH_HALF_PIXEL && out == 1)
        s = (Scaling){0, 0, 1};
    if (a->resize_mode == RESIZE_NEAREST) /* half a pixel more, then rounded down */
        s = (Scaling){2 * s.mul, 2 * s.add + s.div, 2 * s.div};
    return s;
}

/* The pixel that position o falls into, and the next, by how far it is from the first. */
static int resize_taps(const Attrs *a, int axis, int in, int out, int o, Tap *taps)
{
    const Scaling s = resize_scaling(a, axis, in, out);
    int64_t at = o * s.mul + s.add;
    at = at < 0 ? 0 : at;
    const int first = at / s.div < in ? (int)(at / s.div) : in - 1;
    const double part = (double)(at % s.div) / (double)s.div;
    taps[0] = (Tap){first, 1};
    if (a->resize_mode == RESIZE_NEAREST)
        return 1;
    taps[0].weight = 1 - part;
    taps[1] = (Tap){first + 1 < in ? first + 1 : first, part};
    return 2;
}

/* ---- filters ---- */

double binomial(int n, int k)
{
    double value = ldexp(1, 1 - n);
    for (int i = 1; i <= k; i++)
        value = value * (n - i) / i;
    return value;
}

static int filter_taps(const Attrs *a, int axis, int in, int o, Tap *taps)
{
    int n = 0;
    for (int k = 0; k < a->kernel[axis]; k++) {
        const int64_t at = (int64_t)o * a->stride[axis] - a->padding[axis] + k;
        const int from = padding_source(a->padding_mode, at, in);
        if (from >= 0)
            taps[n++] = (Tap){from, binomial(a->kernel[axis], k)};
    }
    return n;
}

int sample_taps(Op op, const Attrs *a, int axis, int in, int out, int o, Tap taps[MOST_TAPS])
{
    if (op == OP_RESIZE)
        return resize_taps(a, axis, in, out, o, taps);
    if (op == OP_BLURPOOL)
        return filter_taps(a, axis, in, o, taps);
    taps[0] = (Tap){padding_source(a->padding_mode, (int64_t)o - a->padding[axis], in), 1};
    return taps[0].at >= 0;
}

/* ---- axes ---- */

static const int axes_of[][3] = {
    [AXES_CWH] = {0, 2, 1}, [AXES_HCW] = {1, 0, 2}, [AXES_HWC] = {1, 2, 0},
    [AXES_WCH] = {2, 0, 1}, [AXES_WHC] = {2, 1, 0},
};

void transposed_axes(AxesOrder order, int from[3])
{
    memcpy(from, axes_of[order], sizeof axes_of[order]);
}

bool transposed_order(const int from[3], AxesOrder *order)
{
    for (int i = AXES_CWH; i <= AXES_WHC; i++) {
        if (memcmp(from, axes_of[i], sizeof axes_of[i]) == 0) {
            *order = (AxesOrder)i;
            return true;
        }
    }
    return false;
}

AxesOrder transposed_back(AxesOrder order)
{
    return order == AXES_HWC ? AXES_WCH : order == AXES_WCH ? AXES_HWC : order;
}
