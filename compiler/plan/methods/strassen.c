/* strassen.c: what there is to compute and to keep by Strassen's method: how
 * kernels/f32/conv_strassen.c cuts pixels into strips, in numbers. */
#include "plan/plan_parts.h"

static int64_t pixels_of(const rnc_conv_shape *s)
{
    return (int64_t)s->images * s->out_h * s->out_w;
}

int64_t strassen_strips(const rnc_conv_shape *s, const rnc_tile *t)
{
    return (pixels_of(s) + t->group - 1) / t->group;
}

int64_t strassen_scratch(const rnc_conv_shape *s, const rnc_tile *t)
{
    /* as strassen_cuts() of kernels/f32/conv_strassen.c has it */
    const int64_t strips = strassen_strips(s, t), wide = (int64_t)s->stride_w * s->in_pixel;
    const int64_t row = s->out_w * wide;
    const int64_t up = ((pixels_of(s) + strips - 1) / strips + 1) / 2;
    const bool flat = s->stride_h * (int64_t)s->in_row == row &&
                      (s->images == 1 || s->in_image == s->out_h * row) && wide < 2 * s->in_c;
    const int64_t pitch = flat ? wide : s->in_c + (s->in_c % 512 == 0 ? 16 : 0);
    return up * ((flat ? 2 : 4) * pitch + 3 * s->panel);
}

int64_t strassen_products(const rnc_conv_shape *s, int64_t group)
{
    const int64_t pixels = pixels_of(s), strips = (pixels + group - 1) / group;
    const int64_t each = pixels / strips, longer = pixels % strips;
    /* seven for a pair of pixels, four for the last of an odd number */
    const int64_t shorter = each / 2 * 7 + each % 2 * 4;
    const int64_t more = (each + 1) / 2 * 7 + (each + 1) % 2 * 4;
    return (strips - longer) * shorter + longer * more;
}
