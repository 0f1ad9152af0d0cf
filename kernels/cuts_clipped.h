/* cuts_clipped.h: how conv_direct cuts windows that are clipped to the input (cuts.h). */
#ifndef RNC_CUTS_CLIPPED_H
#define RNC_CUTS_CLIPPED_H

#include "kernels/cuts.h"

/* The outputs of an image whose windows have a tap inside the input, which is in_h x in_w pixels:
 * rows y0 .. y1-1 and of these pixels x0 .. x1-1. */
typedef struct rnc_tap_cut {
    int y0, y1, x0, x1;
} rnc_tap_cut;

/* The first output, of `out`, that reads at or after input 0 where output 0 reads at `at`, and the
 * one after the last that reads before input `in`. */
RNC_INLINE void rnc_cut_reach(int at, int in, int stride, int out, int *first, int *end)
{
    const int last = at < in ? (in - 1 - at) / stride + 1 : 0;
    *first = at < 0 ? rnc_div_up(-at, stride) : 0;
    *end = last < out ? last : out;
}

RNC_INLINE void rnc_cut_tap(const rnc_conv_shape *s, int tap, rnc_tap_cut *c)
{
    rnc_cut_reach(tap / s->kernel_w * s->dilation_h - s->pad_top, s->in_h, s->stride_h, s->out_h,
                  &c->y0, &c->y1);
    rnc_cut_reach(tap % s->kernel_w * s->dilation_w - s->pad_left, s->in_w, s->stride_w, s->out_w,
                  &c->x0, &c->x1);
}

/* Most columns of a window that is clipped: the kernel has code for each. */
enum { RNC_CLIPPED_COLUMNS = 5 };

/* A tap that all windows have inside the input, or -1. */
RNC_INLINE int rnc_full_tap(const rnc_conv_shape *s)
{
    for (int i = 0; i < s->kernel_h * s->kernel_w; i++) {
        rnc_tap_cut c;
        rnc_cut_tap(s, i, &c);
        if (c.y0 == 0 && c.y1 == s->out_h && c.x0 == 0 && c.x1 == s->out_w)
            return i;
    }
    return -1;
}

#endif
