/* conv_winograd_taps.c: 3x3 convolution with stride 1 by Winograd's F(4 x 4, 3 x 3) from plain
 * taps: it reads no more weights than the direct method, but transforms them again each time. */
#include "kernels/cuts_winograd_taps.h"
#include "plan/methods/method_parts.h"

#include <string.h>

enum {
    SIDE = 4,
    MANY_TILES = 8, /* with this many, a block is deeper */
};

/* In operations at the peak for each input and output channel: MAKE_OPERATIONS is the cost of
 * making filters in registers, for all tiles that are computed together.  What is made in
 * registers is multiplied at ALONE_REACH of the peak, for a single tile, or TOGETHER_REACH: the
 * numbers that several tiles read keep the ports for loads busy.  A block of few tiles stays in the
 * L1, so that its products reach more of the peak, FEW_REACH. */
static const double MAKE_OPERATIONS = 144.0;
static const double ALONE_REACH = 0.90, TOGETHER_REACH = 0.77, FEW_REACH = 0.80;

static bool taps_fits(const Plan *plan, const Node *node)
{
    return node->attrs.stride[0] == 1 && winograd_fits(plan, node);
}

static double taps_seconds(const Plan *plan, const Node *node, const Method *self)
{
    (void)self;
    const Type in = node->in[0]->type, out = node->type;
    const WinogradImages all = winograd_images(node);
    const double channels = (double)in.c * out.c;
    const double products =
        (double)all.n * (double)winograd_image_products(SIDE, 1, all.h, all.w, WINOGRAD_GROUP);
    const double tiles = (double)all.n * (double)rnc_winograd_tiles(SIDE, all.h, all.w);
    const double groups = ceil(tiles / WINOGRAD_GROUP);
    const double reading = seconds_to_read(plan, self, 9.0 * channels);
    const Liking *like = &likings[machine_isa(plan->options.machine, plan->options.isas)];
    if (tiles <= like->taps_in_registers) {
        const double made = ceil(tiles / like->taps_together) * MAKE_OPERATIONS;
        const double reach = like->taps_together > 1 ? TOGETHER_REACH : ALONE_REACH;
        return overlapped((products * 2.0 + made) * channels / reach / peak_of(plan) +
                              winograd_transforms(plan, SIDE, 1, products * in.c, products * out.c),
                          reading);
    }
    const double reach = tiles < MANY_TILES ? FEW_REACH : reach_of(plan)->blocks;
    const double operations =
        products * 2.0 * channels / reach + groups * TAPS_FILTER_OPERATIONS * channels;
    return reach_of(plan)->taps *
           overlapped(operations / peak_of(plan) +
                          winograd_transforms(plan, SIDE, 1, products * in.c, products * out.c),
                      reading);
}

static int64_t taps_scratch(const rnc_conv_shape *s, const rnc_knobs *t)
{
    rnc_taps_cut c;
    rnc_cut_taps(s, t, &c);
    return winograd_scratch(s, t) + (t->pixels > 0 ? c.floats : 0);
}

/* When filters are made in registers, a block of 16 channels stays in the L1, of 32 where several
 * tiles read it at once.  The next block is fetched by the passes over the current one: there is a
 * pass for each vector of channels, row of planes and tile or tiles, and each of its iterations
 * takes four channels.  When filters are made in
 * scratch, blocks are deep enough that sums are seldom read and written; for few tiles they have
 * 16 channels again.  The products fetch the taps of the next block, about one and a half vectors
 * for each tile and channel. */
static void taps_knobs(const Plan *plan, const Step *step, Isa isa, rnc_knobs *t)
{
    enum { GROUP = 4, DEPTH = 16, TURN = 4, TAPS = 9, ROWS = 6 };
    const Liking *like = &likings[isa];
    const int64_t tiles = winograd_tiles(&step->shape.conv);
    if (tiles <= like->taps_in_registers) {
        const int64_t passes = div_up(tiles, like->taps_together);
        t->group = tiles <= GROUP ? GROUP : WINOGRAD_GROUP;
        t->depth = like->taps_together > 1 ? 2 * DEPTH : DEPTH;
        if (like->prefetch_weights)
            t->prefetch_weights =
                (int)div_up(TAPS * TURN * isa_rows[isa].lanes, 16 * ROWS * passes);
        return;
    }
    winograd_knobs(plan, step, isa, t);
    t->group = WINOGRAD_GROUP;
    t->depth = tiles < MANY_TILES ? DEPTH : likings[isa].taps_depth;
    if (likings[isa].prefetch_weights)
        t->prefetch_weights = tiles < MANY_TILES ? 2 : 1;
}

/* ---- weights ---- */

int64_t packed_channels(const Step *step)
{
    return packed_taps(step);
}

/* The weights of a panel for one input channel are stored side by side. */
void pack_channels(const Step *step, float *to)
{
    const rnc_conv_shape *s = &step->shape.conv;
    const Filters filters = filters_of(step->node), *f = &filters;
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

static const Trial trials[] = {
    {KNOB_group, {1, 2, 4, 8, 32, TRIAL_END}},
    {KNOB_depth, {8, 16, 32, 64, 128, TRIAL_END}},
    {KNOB_prefetch_weights, {0, 1, 2, 3, 4, TRIAL_END}},
    {0, {TRIAL_END}},
};

const Method method_conv_winograd_taps = {
    .word = "winograd 4 taps",
    .kernel = KERNEL_conv_winograd_taps,
    .side = SIDE,
    .fits = taps_fits,
    .error = 96,
    .halves = true,
    .seconds = taps_seconds,
    .reads_halo = true,
    .by_pixel = true,
    .set_knobs = taps_knobs,
    .share = share_scratch,
    .pieces = winograd_groups,
    .scratch = taps_scratch,
    .multiplications = winograd_multiplications,
    .knobs = KNOB_BIT(pixels) | KNOB_BIT(vectors) | KNOB_BIT(group) | KNOB_BIT(unroll) |
             KNOB_BIT(memory_broadcasts) | KNOB_BIT(prefetch_weights) | KNOB_BIT(prefetch_input) |
             KNOB_BIT(depth) | KNOB_BIT(split),
    .register_knobs = KNOB_BIT(pixels) | KNOB_BIT(vectors) | KNOB_BIT(unroll) |
                      KNOB_BIT(memory_broadcasts) | KNOB_BIT(prefetch_input),
    .wide = registers_wide,
    .narrow = registers_narrow,
    .trials = trials,
};
