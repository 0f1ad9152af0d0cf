/* cuts_winograd_taps.h: what conv_winograd_taps and conv_winograd_panels need besides
 * cuts_winograd.h. */
#ifndef RNC_CUTS_WINOGRAD_TAPS_H
#define RNC_CUTS_WINOGRAD_TAPS_H

#include "kernels/cuts_winograd.h"

/* Input channels in a block, floats from plane to plane of the filters (`plane`), and of the row of
 * filter planes that is stored in scratch after windows and products. */
enum { RNC_TAPS_PLANES = 6 }; /* planes in a row */

typedef struct rnc_taps_cut {
    int depth, plane;
    ptrdiff_t floats;
} rnc_taps_cut;

RNC_INLINE void rnc_cut_taps(const rnc_conv_shape *s, const rnc_knobs *t, rnc_taps_cut *c)
{
    c->depth = rnc_depth(t, s->in_c);
    c->plane = c->depth * s->panel + RNC_APART;
    c->floats = (ptrdiff_t)RNC_TAPS_PLANES * c->plane;
}

#endif
