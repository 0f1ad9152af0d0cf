/* cuts_strassen.h: how conv_strassen cuts its work (cuts.h). */
#ifndef RNC_CUTS_STRASSEN_H
#define RNC_CUTS_STRASSEN_H

#include "kernels/cuts.h"

/* Pixels whose places in the output are found at once; no less than RNC_CASES. */
enum { RNC_STRASSEN_PIECE = 32 };

/* How pixels are cut into strips.  The scratch of a part holds sums of the quarters of a strip's
 * input, a copy of that input unless it is flat, and three sums that wait for their output. */
typedef struct rnc_strassen_cut {
    int half, panels;   /* input channels in a half; panels in a half of the output channels */
    int pixels, strips; /* in all images */
    int flat, pitch;    /* 1: products read the input, 0: a copy; distance of pixels */
    int up;             /* pixels in the first half of the longest strip */
    ptrdiff_t waiting, floats; /* offset in scratch of the sums that wait; size of all scratch */
} rnc_strassen_cut;

RNC_INLINE void rnc_cut_strassen(const rnc_conv_shape *s, const rnc_knobs *t, rnc_strassen_cut *c)
{
    const int group = t->group > 0 ? t->group : 1, pixel = s->stride_w * s->in_pixel;
    const ptrdiff_t row = (ptrdiff_t)s->out_w * pixel;
    c->half = s->in_c / 2;
    c->panels = s->out_c / (2 * s->panel);
    c->pixels = s->images * s->out_h * s->out_w;
    c->strips = rnc_div_up(c->pixels, group);
    c->flat = (ptrdiff_t)s->stride_h * s->in_row == row &&
              (s->images == 1 || s->in_image == s->out_h * row) && pixel < 2 * s->in_c;
    c->pitch = c->flat ? pixel : s->in_c + (s->in_c % 512 == 0 ? RNC_APART : 0);
    c->up = (rnc_div_up(c->pixels, c->strips) + 1) / 2;
    c->waiting = (ptrdiff_t)(c->flat ? 2 : 4) * c->up * c->pitch;
    c->floats = c->waiting + (ptrdiff_t)3 * c->up * s->panel;
}

#endif
