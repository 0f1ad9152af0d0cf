/* pack.c: weights as the kernels read them, from OIHW and from batch
 * normalisation's four vectors.
 *
 *   panels  for each group, for each panel of up to `panel` output channels:
 *           bias[width], then [kernel_h][kernel_w][in_c][width]
 *   rows    bias[out_c], then for each group [kernel_h][kernel_w][in_c][width]
 *   taps    bias[c], then [far][kernel_h][near][kernel_w][c]: at c the weight of output c ^ far for
 *           input c ^ near; near below 4 and below the channels of a group, far 4 and 0 where
 *           a group has 8, else 0
 *   affine  scale[c], then shift[c]
 *   channels  for each panel: bias[width], then [in_c][kernel_h][kernel_w][width]
 *   winograd  is pack_winograd.c's, winograd1d pack_winograd1d.c's, strassen pack_strassen.c's
 *
 * Channels behind the last, and the inputs that a merged group's output does not
 * read, have zeros.  A convolution without bias has one of zeros.
 *
 * The transposing goes by blocks that fit the first-level cache, so that memory
 * is read and written in runs and once.
 */
#include "plan/methods/method_parts.h"

#include <math.h>
#include <string.h>

/* ---- sizes ---- */

static int64_t affine_channels(const Step *step)
{
    return step->kernel == KERNEL_input ? step->shape.input.c : step->shape.map.c;
}

int64_t packed_bytes(const Step *step)
{
    const rnc_conv_shape *c = &step->shape.conv;
    const rnc_dense_shape *d = &step->shape.dense;
    switch (kernel_rows[step->kernel].packing) {
    case PACK_none:
        return 0;
    case PACK_affine:
        return 2 * affine_channels(step) * 4;
    case PACK_winograd:
        return ((int64_t)(c->winograd + 2) * (c->winograd + 2) * c->in_c + 1) * c->out_c * 4;
    case PACK_winograd1d:
        return ((int64_t)winograd1d_rows(c->kernel_h, c->stride_h) * c->kernel_w * c->in_c + 1) *
               c->out_c * 4;
    case PACK_strassen:
        return ((int64_t)STRASSEN_PRODUCTS * c->in_c / 2 + 2) * c->out_c / 2 * 4;
    default:
        if (step->kernel == KERNEL_dense)
            return ((int64_t)d->in_c + 1) * d->out_c * 4;
        return ((int64_t)c->kernel_h * c->kernel_w * c->in_c + 1) * c->out_c * 4;
    }
}

/* ---- filters ---- */

enum { BLOCK_FLOATS = 4608 }; /* 9 taps of 16 input and 32 output channels */

/* What is packed: filters [out][in][taps] in `groups` groups. */
typedef struct Filters {
    const float *weight; /* [filters][in_c][taps] */
    const float *bias;   /* [filters], or NULL */
    int filters, groups;
    int in_c; /* of a group */
    int taps;
} Filters;

static Filters filters_of(const Node *node)
{
    Filters f = {.weight = node->params[P_WEIGHT]->data, .filters = node->attrs.filters};
    f.bias = node->params[P_BIAS] ? node->params[P_BIAS]->data : NULL;
    f.groups = node->op == OP_DENSE ? 1 : node->attrs.groups;
    f.in_c = node->in[0]->type.c / f.groups;
    f.taps = node->op == OP_DENSE ? 1 : node->attrs.kernel[0] * node->attrs.kernel[1];
    return f;
}

static void pack_bias(const Filters *f, int first, int n, float *to)
{
    for (int i = 0; i < n; i++)
        to[i] = f->bias && first + i < f->filters ? f->bias[first + i] : 0.0f;
}

/* A block of taps k0 .. k1-1, inputs c0 .. c1-1 and outputs first .. first+n-1 of
 * one group, into the columns `to` [taps][rows][stride] of its first output, by
 * way of a copy [k][c][n] that stays in the first-level cache: the distances of
 * `to` are often powers of two, whose lines would drive one another out. */
static void pack_block(const Filters *f, int first, int n, const int k[2], const int c[2], int rows,
                       int stride, float *to)
{
    float block[BLOCK_FLOATS];
    const int deep = c[1] - c[0];
    for (int o = 0; o < n; o++) {
        const float *from = f->weight + ((int64_t)(first + o) * f->in_c + c[0]) * f->taps;
        for (int j = k[0]; j < k[1]; j++) {
            float *at = block + (j - k[0]) * deep * n + o;
            for (int i = 0; i < deep; i++)
                at[i * n] = from[i * f->taps + j];
        }
    }
    const float *from = block;
    for (int j = k[0]; j < k[1]; j++) {
        float *row = to + ((int64_t)j * rows + c[0]) * stride;
        const int runs = stride == n ? 1 : deep, run = stride == n ? deep * n : n;
        for (int i = 0; i < runs; i++, from += run, row += stride)
            memcpy(row, from, (size_t)run * sizeof *row);
    }
}

/* Columns first .. first+n-1 of a matrix `to` [taps][rows][stride], whose rows
 * of a tap are input channels from `row0` (counted over all groups) on. */
static void pack_columns(const Filters *f, int first, int n, int rows, int row0, int stride,
                         float *to)
{
    const int last = first + n < f->filters ? first + n : f->filters;
    const int each = f->filters / f->groups;
    for (int o = first, end; o < last; o = end) {
        const int group = o / each;
        end = (group + 1) * each < last ? (group + 1) * each : last;
        const int width = end - o, most = BLOCK_FLOATS / width;
        const int taps = f->taps < most ? f->taps : most;
        const int deep = most / taps < f->in_c ? most / taps : f->in_c;
        float *column = to + ((int64_t)group * f->in_c - row0) * stride + (o - first);
        for (int c0 = 0; c0 < f->in_c; c0 += deep) {
            const int c[2] = {c0, c0 + deep < f->in_c ? c0 + deep : f->in_c};
            for (int k0 = 0; k0 < f->taps; k0 += taps) {
                const int k[2] = {k0, k0 + taps < f->taps ? k0 + taps : f->taps};
                pack_block(f, o, width, k, c, rows, stride, column);
            }
        }
    }
}

/* `groups` of out_c / groups output channels, each reading `rows` inputs. */
static void pack_panels(const Filters *f, int groups, int out_c, int rows, int panel, float *to)
{
    const int group_c = out_c / groups;
    for (int g = 0; g < groups; g++) {
        for (int p = 0; p < group_c; p += panel) {
            const int width = group_c - p < panel ? group_c - p : panel, first = g * group_c + p;
            const int64_t matrix = (int64_t)f->taps * rows * width;
            pack_bias(f, first, width, to);
            to += width;
            if (groups != f->groups || first + width > f->filters)
                memset(to, 0, (size_t)matrix * sizeof *to);
            pack_columns(f, first, width, rows, g * rows, width, to);
            to += matrix;
        }
    }
}

static void pack_rows(const Filters *f, const rnc_conv_shape *s, float *to)
{
    enum { COLUMNS = 32 };
    const int width = s->out_c / s->groups;
    pack_bias(f, 0, s->out_c, to);
    to += s->out_c;
    for (int g = 0; g < s->groups; g++) {
        for (int i = 0; i < width; i += COLUMNS) {
            const int n = width - i < COLUMNS ? width - i : COLUMNS;
            pack_columns(f, g * width + i, n, s->in_c, g * s->in_c, width, to + i);
        }
        to += (int64_t)f->taps * s->in_c * width;
    }
}

/* A row of taps of all c outputs, for one far and one near. */
static void pack_tap_row(const Filters *f, int c, int far, int near, const float *weight, int wide,
                         float *to)
{
    for (int x = 0; x < wide; x++) {
        for (int i = 0; i < c; i++) {
            const int64_t out = i ^ far, in = (i ^ near) % f->in_c;
            *to++ = out < f->filters ? weight[(out * f->in_c + in) * f->taps + x] : 0.0f;
        }
    }
}

static void pack_taps(const Filters *f, const rnc_conv_shape *s, float *to)
{
    const int nears = f->in_c < 4 ? f->in_c : 4, c = s->out_c;
    pack_bias(f, 0, c, to);
    to += c;
    for (int far = f->in_c > 4 ? 4 : 0; far >= 0; far -= 4) {
        for (int y = 0; y < s->kernel_h; y++) {
            for (int near = 0; near < nears; near++, to += s->kernel_w * c)
                pack_tap_row(f, c, far, near, f->weight + y * s->kernel_w, s->kernel_w, to);
        }
    }
}

/* The weights of a panel for one input channel lie side by side. */
static void pack_channels(const Filters *f, const rnc_conv_shape *s, float *to)
{
    for (int first = 0, width; first < s->out_c; first += width) {
        width = s->out_c - first < s->panel ? s->out_c - first : s->panel;
        const int real = f->filters - first < width ? f->filters - first : width;
        pack_bias(f, first, width, to);
        to += width;
        for (int c = 0; c < f->in_c; c++, to += f->taps * width) {
            memset(to, 0, (size_t)(f->taps * width) * sizeof *to);
            for (int o = 0; o < real; o++) {
                const float *from = f->weight + ((int64_t)(first + o) * f->in_c + c) * f->taps;
                for (int k = 0; k < f->taps; k++)
                    to[k * width + o] = from[k];
            }
        }
    }
}

/* ---- scale and shift ---- */

static double real_at(Reals list, int i)
{
    return list.at[list.n == 1 ? 0 : i];
}

/* Channel i of `node`, a normalize or bn, is x * scale + shift. */
static void affine_of(const Node *node, int i, double *scale, double *shift)
{
    if (node->op == OP_NORMALIZE) {
        const double std = real_at(node->attrs.std, i);
        *scale = node->attrs.scale / std;
        *shift = -real_at(node->attrs.mean, i) / std;
    } else {
        Param *const *p = node->params;
        const double variance = p[P_VARIANCE]->data[i];
        *scale = p[P_WEIGHT]->data[i] / sqrt(variance + node->attrs.epsilon);
        *shift = p[P_BIAS]->data[i] - p[P_MEAN]->data[i] * *scale;
    }
}

static void pack_affine(const Step *step, float *to)
{
    const int n = (int)affine_channels(step), c = step->node->type.c;
    for (int i = 0; i < n; i++) {
        double scale = 0.0, shift = 0.0;
        if (i < c)
            affine_of(step->node, i, &scale, &shift);
        to[i] = (float)scale;
        to[n + i] = (float)shift;
    }
}

void pack_weights(const Step *step, float *to)
{
    const rnc_conv_shape *c = &step->shape.conv;
    const rnc_dense_shape *d = &step->shape.dense;
    if (step->weights->packing == PACK_affine) {
        pack_affine(step, to);
        return;
    }
    if (step->weights->packing == PACK_winograd) {
        pack_winograd(step, to);
        return;
    }
    if (step->weights->packing == PACK_winograd1d) {
        pack_winograd1d(step, to);
        return;
    }
    if (step->weights->packing == PACK_strassen) {
        pack_strassen(step, to);
        return;
    }
    const Filters f = filters_of(step->node);
    if (step->kernel == KERNEL_dense)
        pack_panels(&f, 1, d->out_c, d->in_c, d->panel, to);
    else if (step->weights->packing == PACK_panels)
        pack_panels(&f, c->groups, c->out_c, c->in_c, c->panel, to);
    else if (step->weights->packing == PACK_channels)
        pack_channels(&f, c, to);
    else if (step->weights->packing == PACK_rows)
        pack_rows(&f, c, to);
    else
        pack_taps(&f, c, to);
}
