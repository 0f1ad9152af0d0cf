/* knobs.c: how each ISA goes about a step: tiles, loop order, prefetch.
 *
 * Constants for each ISA and kind of layer, measured by hand (kernels/README
 * has the kernels, shapes.def what each knob is).  A cost model or a tuning file
 * would take their place here, and nowhere else: any values give right results.
 */
#include "plan_parts.h"

/* What an ISA's kernels like where nothing special holds. */
typedef struct Liking {
    int pixels, vectors; /* register tile of conv_direct */
    int unroll;
    int prefetch_output, memory_broadcasts;
    bool prefetch_weights;
    int dense_vectors, dense_unroll, dense_pixels;
    int depthwise_pixels;
} Liking;

static const Liking likings[ISA_COUNT] = {
    [ISA_avx512] = {14, 2, 4, 1, 75, true, 2, 4, 6, 8},
    [ISA_avx2] = {6, 2, 2, 0, 0, true, 4, 2, 2, 6},
    [ISA_neon] = {12, 2, 4, 0, 100, true, 8, 1, 2, 8},
    [ISA_portable] = {3, 4, 2, 0, 0, false, 8, 1, 1, 4},
    [ISA_scalar] = {3, 4, 1, 0, 0, false, 8, 1, 1, 4},
};

enum {
    SMALL_ROW = 7,       /* output pixels of a row up to which tiles span rows */
    LARGE_IMAGE = 28,    /* rows from which a 1x1 takes all panels at a pixel tile */
    TILES_TO_SHARE = 20, /* from which threads share out pixels, not channels */
    MACS_TO_SHARE = 200000,
};

static int64_t div_up(int64_t a, int64_t b)
{
    return (a + b - 1) / b;
}

/* Register tiles of all images: conv_cut() of kernels/conv_direct.c counts the
 * same. */
static int64_t count_tiles(const rnc_conv_shape *s, int pixels)
{
    int64_t images = s->images, h = s->out_h, w = s->out_w;
    const bool rows = s->out_row == w * s->out_pixel &&
                      (!s->residual || s->res_row == w * s->res_pixel) &&
                      (int64_t)s->in_row * s->stride_h == w * s->in_pixel * s->stride_w;
    if (rows) {
        if (s->out_image == h * s->out_row && (!s->residual || s->res_image == h * s->res_row) &&
            s->in_image == h * s->in_row * s->stride_h) {
            h *= images;
            images = 1;
        }
        w *= h;
        h = 1;
    }
    if (h > 1 && 2 * w <= pixels)
        return images * div_up(h, pixels / w);
    return images * h * div_up(w, pixels);
}

/* Vectors of the widest run of output channels that a panel offers. */
static int panel_vectors(const rnc_conv_shape *s, Isa isa)
{
    const int group_c = s->out_c / s->groups;
    return (group_c < s->panel ? group_c : s->panel) / isa_rows[isa].lanes;
}

static void tile_direct(const rnc_conv_shape *s, Isa isa, rnc_tile *t)
{
    const Liking *like = &likings[isa];
    const bool run = s->dilation_w == 1 && s->in_pixel == s->in_c; /* of the stem */
    const int offered = panel_vectors(s, isa);
    t->pixels = like->pixels;
    t->vectors = like->vectors < offered ? like->vectors : offered;
    if (isa == ISA_avx512 && (s->out_w <= SMALL_ROW || t->vectors == 1)) {
        t->pixels = 28;
        t->vectors = 1;
    }
    t->unroll = like->unroll;
    if (isa == ISA_avx512 && run && s->in_c * s->kernel_w % 4 != 0)
        t->unroll = 7;
    t->panels = s->kernel_h == 1 && s->kernel_w == 1 && s->out_h >= LARGE_IMAGE ? 0 : 1;
    if (isa != ISA_avx512)
        t->panels = 1;
    t->prefetch_output = s->out_w <= SMALL_ROW ? 0 : like->prefetch_output;
    t->memory_broadcasts =
        t->vectors == 1 && like->memory_broadcasts > 0 ? 100 : like->memory_broadcasts;
    const int64_t tiles = count_tiles(s, t->pixels);
    if (like->prefetch_weights) {
        const int64_t taps = (int64_t)s->kernel_h * s->kernel_w * s->in_c;
        const int64_t lines = (taps + 1) * s->panel / 16; /* of 64 bytes, a panel's */
        const int64_t turns = taps / t->unroll > 0 ? taps / t->unroll : 1;
        const int64_t columns = offered / t->vectors > 0 ? offered / t->vectors : 1;
        const int64_t rate = div_up(lines, tiles * columns * turns);
        t->prefetch_weights = rate < 64 ? (int)rate : 64;
    }
}

/* Threads share pixel tiles if there are enough, else panels. */
static void share_conv(const Plan *plan, Step *step)
{
    const rnc_conv_shape *s = &step->shape.conv;
    const int group_c = s->out_c / s->groups;
    const int64_t panels = s->groups * div_up(group_c, s->panel);
    int64_t pieces = 1;
    for (int i = 0; i < ISA_COUNT; i++) {
        if (!(plan->options.isas >> i & 1))
            continue;
        const int64_t tiles = count_tiles(s, step->tile[i].pixels);
        step->tile[i].split = tiles < TILES_TO_SHARE && panels > 1;
        const int64_t own = step->tile[i].split ? panels : tiles;
        pieces = own > pieces ? own : pieces;
    }
    step->parts = worth_parts(node_macs(step->node) * s->images, MACS_TO_SHARE, pieces);
}

void choose_tiles(const Plan *plan, Step *step)
{
    for (int i = 0; i < ISA_COUNT; i++) {
        if (!(plan->options.isas >> i & 1))
            continue;
        rnc_tile *t = &step->tile[i];
        if (step->kernel == KERNEL_conv_direct) {
            tile_direct(&step->shape.conv, (Isa)i, t);
        } else if (step->kernel == KERNEL_depthwise) {
            t->pixels = likings[i].depthwise_pixels;
            t->vectors = 1;
        } else if (step->kernel == KERNEL_dense) {
            t->pixels = likings[i].dense_pixels;
            t->vectors = likings[i].dense_vectors;
            t->unroll = likings[i].dense_unroll;
            t->split = 1;
            t->prefetch_weights = 1;
        }
    }
    if (step->kernel == KERNEL_conv_direct)
        share_conv(plan, step);
    else if (step->kernel == KERNEL_depthwise)
        step->parts =
            worth_parts(node_macs(step->node) * step->shape.conv.images, MACS_TO_SHARE / 4,
                        (int64_t)step->shape.conv.images * step->shape.conv.out_h);
    else if (step->kernel == KERNEL_dense)
        step->parts = worth_parts(node_macs(step->node) * step->shape.dense.images, MACS_TO_SHARE,
                                  div_up(step->shape.dense.out_c, step->shape.dense.panel));
    else
        step->parts = 1; /* the BLAS has threads of its own */
}
