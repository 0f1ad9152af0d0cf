/* pack.c: packs weights, which come as OIHW or as batch normalisation's four vectors, in the order
 * in which kernels read them.  This file has the packings that several methods share;
 * methods/<name>.c has those of one method.  packings.def says the order of each packing.
 *
 * The weights are zero for channels after the last, and for the inputs of a merged group that an
 * output does not read.  A convolution without a bias gets one of zeros.
 *
 * Weights are transposed in blocks that fit into the first-level cache, so that memory is read and
 * written in runs, and only once.
 */
#include "plan/methods/method_parts.h"

#include "net/affine.h"

#include <math.h>
#include <string.h>

const PackingRow packing_rows[PACKING_COUNT] = {
#define PACKING(name, number, doc) [number] = {#name, packed_##name, pack_##name, doc},
#include "plan/packings.def"
};

int packed_number(const Step *step)
{
    switch (kernel_rows[step->kernel].family) {
    case FAMILY_conv:
        return step->shape.conv.weights;
    case FAMILY_dense:
        return step->shape.dense.weights;
    default:
        return RNC_WEIGHTS_F32;
    }
}

Elem packed_elem(const Step *step)
{
    static const Elem elems[] = {
        [RNC_WEIGHTS_F32] = ELEM_F32, [RNC_WEIGHTS_BF16] = ELEM_BF16, [RNC_WEIGHTS_F16] = ELEM_F16};
    return elems[packed_number(step)];
}

int64_t packed_bytes(const Step *step)
{
    return packed_elem(step) == ELEM_F32 ? elems_bytes(ELEM_F32, packed_floats(step))
                                         : packed_half_bytes(step);
}

int packed_slopes(const Step *step)
{
    const rnc_conv_shape *c = &step->shape.conv;
    const rnc_dense_shape *d = &step->shape.dense;
    switch (kernel_rows[step->kernel].family) {
    case FAMILY_conv:
        return rnc_slopes_floats(c->act, c->out_c);
    case FAMILY_dense:
        return rnc_slopes_floats(d->act, d->out_c);
    default:
        return 0;
    }
}

int64_t packed_floats(const Step *step)
{
    const PackingRow *row = &packing_rows[kernel_rows[step->kernel].packing];
    return packed_slopes(step) + (row->floats ? row->floats(step) : 0);
}

void pack_weights(const Step *step, void *to)
{
    const float *slopes = param_floats(step->node->params[P_SLOPE]);
    const int room = packed_slopes(step);
    float *floats = to;
    for (int i = 0; i < room; i++)
        floats[i] = i < step->node->type.c ? slopes[i] : 0.0f;
    packing_rows[step->weights->packing].pack(step, floats + room);
}

/* ---- filters ---- */

enum { BLOCK_FLOATS = 4608 }; /* 9 taps of 16 input and 32 output channels */

int64_t packed_taps(const Step *step)
{
    const rnc_conv_shape *c = &step->shape.conv;
    const rnc_dense_shape *d = &step->shape.dense;
    if (kernel_rows[step->kernel].family == FAMILY_dense)
        return ((int64_t)d->in_c + 1) * d->out_c;
    return ((int64_t)c->kernel_h * c->kernel_w * c->in_c + 1) * c->out_c;
}

Filters filters_of(const Node *node)
{
    Filters f = {.weight = param_floats(node->params[P_WEIGHT]), .filters = node->attrs.filters};
    f.bias = param_floats(node->params[P_BIAS]);
    f.groups = node->op == OP_DENSE ? 1 : node->attrs.groups;
    f.in_c = node->in[0]->type.c / f.groups;
    f.taps = node->op == OP_DENSE ? 1 : node->attrs.kernel[0] * node->attrs.kernel[1];
    return f;
}

void pack_bias(const Filters *f, int first, int n, float *to)
{
    for (int i = 0; i < n; i++)
        to[i] = f->bias && first + i < f->filters ? f->bias[first + i] : 0.0f;
}

/* Packs a block of one group, with the taps k[0] .. k[1]-1, the inputs c[0] .. c[1]-1 and the
 * outputs first .. first+n-1, into `to` [taps][rows][stride], the columns from its first output
 * on.  It makes a copy [k][c][n] first, which stays in the first-level cache: the distances in
 * `to` are often powers of two, so that its lines would evict one another. */
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

void pack_columns(const Filters *f, int first, int n, int rows, int row0, int stride, float *to)
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

/* Packs `groups` groups of out_c / groups output channels, each of which reads `rows` inputs. */
static void pack_groups(const Filters *f, int groups, int out_c, int rows, int panel, float *to)
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

int64_t packed_panels(const Step *step)
{
    return packed_taps(step);
}

void pack_panels(const Step *step, float *to)
{
    const rnc_conv_shape *c = &step->shape.conv;
    const rnc_dense_shape *d = &step->shape.dense;
    const Filters f = filters_of(step->node);
    if (kernel_rows[step->kernel].family == FAMILY_dense)
        pack_groups(&f, 1, d->out_c, d->in_c, d->panel, to);
    else
        pack_groups(&f, c->groups, c->out_c, c->in_c, c->panel, to);
}

/* ---- scale and shift ---- */

static int affine_channels(const Step *step)
{
    return step->kernel == KERNEL_input ? step->shape.input.c : step->shape.map.c;
}

int64_t packed_affine(const Step *step)
{
    return (step->node->op == OP_PRELU ? 1 : 2) * (int64_t)affine_channels(step);
}

void pack_affine(const Step *step, float *to)
{
    const int n = affine_channels(step), c = step->node->type.c;
    const Param *slope = step->node->params[P_WEIGHT];
    for (int i = 0; i < n; i++) {
        double scale = 0.0, shift = 0.0;
        if (i < c && step->node->op == OP_PRELU)
            scale = param_at(slope, slope->dims[0] == 1 ? 0 : i);
        else if (i < c)
            affine_of(step->node, i, &scale, &shift);
        to[i] = (float)scale;
        if (step->node->op != OP_PRELU)
            to[n + i] = (float)shift;
    }
}
