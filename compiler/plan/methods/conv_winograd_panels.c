/* conv_winograd_panels.c: 3x3 convolution with stride 1 by Winograd's F(4 x 4, 3 x 3) in a
 * training, from the panels that the optimizer updates: the filters are transformed in scratch, for
 * each group of tiles again.  conv_winograd's, four times as large, would have to be written and
 * read in each step. */
#include "kernels/cuts_winograd_taps.h"
#include "plan/methods/method_parts.h"

/* What it takes to make the filters of a group, for each input and output channel: operations at
 * the peak, and bytes to and from the L2, since taps are read once for each row of planes, and
 * planes do not stay in the L1. */
static double filter_operations(int m)
{
    return m == 2 ? 130.0 : TAPS_FILTER_OPERATIONS;
}

static double filter_bytes(int m)
{
    return m == 2 ? 300.0 : 600.0;
}

static bool panels_fits(const Plan *plan, const Node *node)
{
    return plan->training && node->attrs.stride[0] == 1 && winograd_fits(plan, node);
}

/* The filters are made again for each group, so groups are of as many tiles as fill half of the L2
 * with their windows and products, or of WINOGRAD_GROUP where these fit into all of it.  All
 * threads get the same number of groups. */
static int panels_group(const Plan *plan, const rnc_conv_shape *s, const rnc_knobs *t)
{
    rnc_winograd_cut c;
    rnc_cut_winograd(s, t, &c);
    const int64_t each = elems_bytes(SCRATCH_ELEM, (int64_t)c.side * c.side * (c.pitch + c.wide));
    const int64_t l2 = (int64_t)plan->options.machine->l2_kb * 1024, tiles = winograd_tiles(s);
    const int64_t half = l2 / 2 / each > 1 ? l2 / 2 / each : 1;
    const int64_t fits =
        half < WINOGRAD_GROUP && l2 / each >= WINOGRAD_GROUP ? WINOGRAD_GROUP : half;
    const int64_t groups = div_up(tiles, fits);
    return (int)div_up(tiles, groups > 1 ? round_up(groups, plan->options.threads) : 1);
}

static void panels_knobs(const Plan *plan, const Step *step, Isa isa, rnc_knobs *t)
{
    winograd_knobs(plan, step, isa, t);
    t->group = panels_group(plan, &step->shape.conv, t);
    t->depth = likings[isa].taps_depth;
    t->prefetch_weights = likings[isa].prefetch_weights ? 1 : 0;
}

static int64_t panels_scratch(const rnc_conv_shape *s, const rnc_knobs *t)
{
    rnc_taps_cut c;
    rnc_cut_taps(s, t, &c);
    return winograd_scratch(s, t) + c.floats;
}

static double panels_seconds(const Plan *plan, const Node *node, const Method *self)
{
    const int m = self->side;
    const Type in = node->in[0]->type, out = node->type;
    const double channels = (double)in.c * out.c;
    const WinogradImages all = winograd_images(node);
    const Isa isa = machine_isa(plan->options.machine, plan->options.isas);
    const rnc_conv_shape s = winograd_shape(node, m);
    rnc_knobs t = {.pixels = likings[isa].pixels};
    t.group = panels_group(plan, &s, &t);
    const double products =
        (double)all.n * (double)winograd_image_products(m, 1, all.h, all.w, WINOGRAD_GROUP);
    const double made =
        filter_operations(m) / peak_of(plan) + filter_bytes(m) / (plan->options.machine->l2 * 1e9);
    return overlapped(products * channels * 2.0 / reach_of(plan)->products / peak_of(plan) +
                          (double)winograd_groups(&s, &t) * made * channels +
                          winograd_transforms(plan, m, 1, products * in.c, products * out.c),
                      seconds_to_read(plan, self, 9.0 * channels));
}

#define PANELS_ROW(m, e)                                                                       \
    {                                                                                          \
        .word = "winograd " #m " panels", .kernel = KERNEL_conv_winograd_panels, .side = m,    \
        .fits = panels_fits, .error = e, .seconds = panels_seconds, .reads_halo = true,        \
        .by_pixel = true, .by_steps = true, .set_knobs = panels_knobs, .share = share_scratch, \
        .pieces = winograd_groups, .scratch = panels_scratch,                                  \
        .multiplications = winograd_multiplications,                                           \
        .knobs = KNOB_BIT(pixels) | KNOB_BIT(vectors) | KNOB_BIT(group) | KNOB_BIT(unroll) |   \
                 KNOB_BIT(memory_broadcasts) | KNOB_BIT(prefetch_weights) |                    \
                 KNOB_BIT(prefetch_input) | KNOB_BIT(depth) | KNOB_BIT(split),                 \
        .wide = registers_wide, .narrow = registers_narrow                                     \
    }

const Method method_conv_winograd_panels2 = PANELS_ROW(2, 12);
const Method method_conv_winograd_panels4 = PANELS_ROW(4, 96);
