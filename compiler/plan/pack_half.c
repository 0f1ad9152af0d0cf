/* pack_half.c: packed weights as numbers of 16 bits.
 *
 * pack.c makes a sequence of panels, each of which is some biases followed by weights.  Here the
 * weights become numbers of 16 bits, and the biases stay floats; each panel is filled with zeros
 * to a multiple of 64 bytes (rnc_panel_bytes() of kernels/parts.h).  Slopes in front of the panels
 * stay floats, too.
 */
#include "plan/plan_parts.h"

#include "base/half.h"
#include "kernels/cuts.h"

#include <string.h>

/* `n` panels of one width, with the numbers of biases and weights in each. */
typedef struct Panels {
    int64_t n, biases, weights;
} Panels;

enum { PANELS_MOST = 2 };

/* Sets the panels of one group of a step: whole ones, then perhaps a narrow one.  Returns the
 * number of groups. */
static int panels_of(const Step *step, Panels panels[PANELS_MOST])
{
    const rnc_conv_shape *c = &step->shape.conv;
    const rnc_dense_shape *d = &step->shape.dense;
    const bool dense = kernel_rows[step->kernel].family == FAMILY_dense;
    const int64_t rows =
        (packed_floats(step) - packed_slopes(step)) / (dense ? d->out_c : c->out_c) - 1;
    if (kernel_rows[step->kernel].packing == PACK_depthwise) {
        panels[0] = (Panels){1, c->out_c, rows * c->out_c};
        panels[1] = (Panels){0, 0, 0};
        return 1;
    }
    const int panel = dense ? d->panel : c->panel, groups = dense ? 1 : c->groups;
    const int64_t wide = (dense ? d->out_c : c->out_c) / groups, narrow = wide % panel;
    panels[0] = (Panels){wide / panel, panel, rows * panel};
    panels[1] = (Panels){narrow > 0, narrow, rows * narrow};
    return groups;
}

int64_t packed_half_bytes(const Step *step)
{
    Panels panels[PANELS_MOST];
    const int groups = panels_of(step, panels), number = packed_number(step);
    int64_t bytes = 0;
    for (int i = 0; i < PANELS_MOST; i++)
        bytes += panels[i].n * rnc_panel_bytes(number, (int)panels[i].biases, panels[i].weights);
    return 4 * (int64_t)packed_slopes(step) + groups * bytes;
}

static void put(unsigned char *to, uint32_t bits, int bytes)
{
    for (int i = 0; i < bytes; i++, bits >>= 8)
        to[i] = (unsigned char)bits;
}

static void put_floats(const float *from, int64_t n, unsigned char *to)
{
    for (int64_t i = 0; i < n; i++, to += 4) {
        uint32_t bits;
        memcpy(&bits, from + i, sizeof bits);
        put(to, bits, 4);
    }
}

static void put_halves(const float *from, int64_t n, Elem elem, unsigned char *to)
{
    for (int64_t i = 0; i < n; i++, to += 2)
        put(to, elem == ELEM_BF16 ? bf16_of(from[i]) : f16_of(from[i]), 2);
}

void pack_half(const Step *step, const float *from, unsigned char *to)
{
    Panels panels[PANELS_MOST];
    const int groups = panels_of(step, panels), number = packed_number(step);
    const int slopes = packed_slopes(step);
    memset(to, 0, (size_t)packed_half_bytes(step));
    put_floats(from, slopes, to);
    from += slopes;
    to += 4 * slopes;
    for (int g = 0; g < groups; g++) {
        for (int i = 0; i < PANELS_MOST; i++) {
            const Panels *p = &panels[i];
            for (int64_t k = 0; k < p->n; k++) {
                put_floats(from, p->biases, to);
                put_halves(from + p->biases, p->weights, packed_elem(step), to + 4 * p->biases);
                from += p->biases + p->weights;
                to += rnc_panel_bytes(number, (int)p->biases, p->weights);
            }
        }
    }
}
