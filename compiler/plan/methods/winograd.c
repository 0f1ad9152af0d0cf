/* winograd.c: what there is to compute and to keep by Winograd's method: how
 * kernels/f32/winograd_tiles.h cuts outputs into tiles, in numbers. */
#include "plan/plan_parts.h"

int winograd_planes(int m, int stride)
{
    return stride == 1 ? m + 2 : 2 * m + 1;
}

int64_t winograd_image_tiles(int m, int out_h, int out_w)
{
    return div_up(out_h, m) * div_up(out_w, m);
}

bool winograd_mixed(int m, int out_h, int out_w, int64_t group)
{
    return (out_h % m > 0 || out_w % m > 0) && winograd_image_tiles(m, out_h, out_w) <= group;
}

/* Planes of all tiles along one side: those of m - 1 pixels spare the last plane
 * and, of stride 2, the first. */
static int64_t planes_along(int m, int stride, int pixels, bool mixed)
{
    const int64_t tiles = div_up(pixels, m), lacking = tiles * m - pixels;
    const int64_t less = !mixed ? 0 : lacking < tiles ? lacking : tiles;
    return tiles * winograd_planes(m, stride) - less * stride;
}

int64_t winograd_image_products(int m, int stride, int out_h, int out_w, int64_t group)
{
    const bool mixed = winograd_mixed(m, out_h, out_w, group);
    return planes_along(m, stride, out_h, mixed) * planes_along(m, stride, out_w, mixed);
}

int64_t winograd_tiles(const rnc_conv_shape *s)
{
    return s->images * winograd_image_tiles(s->winograd, s->out_h, s->out_w);
}

static int64_t window_pitch(const rnc_conv_shape *s)
{
    return round_up(s->in_c, 16) + (s->in_c % 64 == 0 ? 16 : 0);
}

int64_t winograd_tile_floats(const rnc_conv_shape *s)
{
    const int64_t side = winograd_planes(s->winograd, s->stride_h);
    return side * side * (window_pitch(s) + (s->out_c < s->panel ? s->out_c : s->panel));
}

/* Tiles that a group cannot part: an image's where they are mixed. */
static int64_t unit_tiles(const rnc_conv_shape *s, const rnc_tile *t)
{
    const bool mixed = winograd_mixed(s->winograd, s->out_h, s->out_w, t->group);
    return mixed ? winograd_image_tiles(s->winograd, s->out_h, s->out_w) : 1;
}

int64_t winograd_groups(const rnc_conv_shape *s, const rnc_tile *t)
{
    const int64_t unit = unit_tiles(s, t);
    return div_up(winograd_tiles(s) / unit, t->group / unit);
}

int64_t winograd_scratch(const rnc_conv_shape *s, const rnc_tile *t)
{
    /* as winograd_groups() of kernels/f32/winograd_tiles.h has it */
    const int64_t side = winograd_planes(s->winograd, s->stride_h), unit = unit_tiles(s, t);
    const int64_t widest = div_up(winograd_tiles(s) / unit, winograd_groups(s, t)) * unit;
    return widest * winograd_tile_floats(s) + 32 * side * side;
}

int64_t winograd_taps_scratch(const rnc_conv_shape *s, const rnc_tile *t)
{
    /* as taps_depth() of kernels/f32/conv_winograd_taps.c has it */
    const int unroll = t->unroll < 1 ? 1 : t->unroll < 8 ? t->unroll : 8;
    const bool cut = t->depth >= unroll && t->depth < s->in_c;
    const int64_t depth = cut ? t->depth / unroll * unroll : s->in_c;
    return winograd_scratch(s, t) + (t->pixels > 0 ? 6 * (depth * s->panel + 16) : 0);
}

int64_t winograd1d_tiles(const rnc_conv_shape *s)
{
    return s->images * ((s->out_h + WINOGRAD1D_ROWS - 1) / (int64_t)WINOGRAD1D_ROWS);
}

int64_t winograd1d_scratch(const rnc_conv_shape *s, const rnc_tile *t)
{
    /* as winograd1d_cuts() of kernels/f32/conv_winograd1d.c has it */
    const int64_t across =
        (int64_t)(s->out_w - 1) * s->stride_w + (int64_t)(s->kernel_w - 1) * s->dilation_w;
    const int64_t groups = (s->out_w + t->group - 1) / t->group;
    const int64_t widest = (s->out_w + groups - 1) / groups;
    const int64_t wide = s->out_c < s->panel ? s->out_c : s->panel;
    return winograd1d_rows(s) * round_up(across * s->in_pixel + s->in_c, 16) +
           WINOGRAD1D_POINTS * (widest * wide + 16);
}

int64_t widest_scratch(const Plan *plan, const Step *step)
{
    int64_t widest = 0;
    for (int i = 0; i < ISA_COUNT; i++) {
        if (plan->options.isas >> i & 1) {
            const rnc_conv_shape *s = &step->shape.conv;
            const rnc_tile *t = &step->tile[i];
            const int64_t floats =
                step->kernel == KERNEL_conv_winograd        ? winograd_scratch(s, t)
                : step->kernel == KERNEL_conv_winograd_taps ? winograd_taps_scratch(s, t)
                : step->kernel == KERNEL_conv_strassen      ? strassen_scratch(s, t)
                                                            : winograd1d_scratch(s, t);
            widest = floats > widest ? floats : widest;
        }
    }
    return widest;
}

int64_t step_multiplications(const Step *step)
{
    const rnc_conv_shape *s = &step->shape.conv;
    int group = 0;
    if (step->kernel == KERNEL_conv_winograd1d)
        return node_macs(step->node) / (s->out_h * s->kernel_h) *
               div_up(s->out_h, WINOGRAD1D_ROWS) * winograd1d_rows(s);
    if (step->kernel != KERNEL_conv_winograd && step->kernel != KERNEL_conv_winograd_taps &&
        step->kernel != KERNEL_conv_strassen)
        return node_macs(step->node);
    for (int i = 0; i < ISA_COUNT; i++)
        group = step->tile[i].group > group ? step->tile[i].group : group;
    if (step->kernel == KERNEL_conv_strassen)
        return strassen_products(s, group) * s->in_c / 2 * step->node->attrs.filters / 2 /
               s->images;
    return winograd_image_products(s->winograd, s->stride_h, s->out_h, s->out_w, group) * s->in_c *
           step->node->attrs.filters;
}
