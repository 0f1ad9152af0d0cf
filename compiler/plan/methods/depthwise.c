/* depthwise.c: depthwise convolution, and groups of 2, 4 or 8 channels: vectors of channels. */
#include "plan/methods/method_parts.h"

/* Whether there are groups of 2, 4 or 8 channels, several of which fill a vector of the widest
 * ISA, or one of which fills a vector of 8.  For these conv_direct would multiply by zeros, or use
 * each broadcast for only one vector of weights. */
static bool narrow_groups(const Plan *plan, const Node *node)
{
    const int groups = node->attrs.groups, each = node->attrs.filters / groups;
    return !plan->training && node->in[0]->type.c == node->attrs.filters &&
           (each == 2 || each == 4 || each == 8) && groups > 1 &&
           (each < plan->align || plan->align == 8);
}

static bool depthwise_fits(const Plan *plan, const Node *node)
{
    const int groups = node->attrs.groups, in_c = node->in[0]->type.c;
    if (node->op != OP_CONV)
        return false;
    return (groups == in_c && groups == node->attrs.filters && in_c > 1) ||
           (plan->options.backend == BACKEND_NATIVE && narrow_groups(plan, node));
}

static void depthwise_shape(const Plan *plan, const Node *node, rnc_conv_shape *s)
{
    (void)plan;
    s->in_c = node->in[0]->type.c / node->attrs.groups;
    s->groups = s->out_c / s->in_c;
}

/* How many panels of channels to compute together, so that the input rows under a window stay in
 * the first-level cache while a row of output is computed.  0 (all panels) if the rows of a single
 * panel do not stay there.  Also 0 with stride 2, where the next rows cannot be fetched in time,
 * if the input is too large for the caches: it is then read in the order in which it is stored. */
static int rows_kept(const rnc_conv_shape *s)
{
    enum { PANEL_BYTES = 128, KEPT = 16 * 1024, KEPT_MOST = 24 * 1024, MOST = 2, FAR = 1 << 21 };
    const int64_t bytes = (int64_t)s->kernel_h * (s->in_row / s->in_pixel) * PANEL_BYTES;
    const int64_t fit = KEPT / bytes, all = elems_bytes(ELEM_F32, s->in_image);
    if (bytes > KEPT_MOST || (s->stride_h > 1 && all > FAR))
        return 0;
    return fit < 1 ? 1 : fit > MOST ? MOST : (int)fit;
}

static void depthwise_knobs(const Plan *plan, const Step *step, Isa isa, rnc_knobs *t)
{
    enum { ROWS_TO_SHARE = 8 };
    (void)plan;
    const rnc_conv_shape *s = &step->shape.conv;
    t->pixels = likings[isa].depthwise_pixels;
    t->vectors = 1;
    t->panels = rows_kept(s);
    t->prefetch_input = t->panels > 0 && s->stride_h == 1 && likings[isa].depthwise_rows;
    t->split = s->images * s->out_h < ROWS_TO_SHARE;
}

static void depthwise_share(const Plan *plan, Step *step, const TuningRow *row)
{
    (void)plan;
    (void)row;
    const rnc_conv_shape *s = &step->shape.conv;
    step->parts = worth_parts(node_macs(step->node) * s->images, MACS_TO_SHARE / 4,
                              (int64_t)s->images * s->out_h);
}

/* ---- weights ---- */

/* [far][kernel_h][near][kernel_w][c]: at c is the weight of output c ^ far for input c ^ near; near
 * is below 4 and below the channels of a group, far is 4 and 0 where a group has 8, else 0. */
/* A row of taps of all c outputs, for one far and one near. */
static void pack_tap_row(const Filters *f, int c, int far, int near, const float *weight, int wide,
                         float *to)
{
    for (int x = 0; x < wide; x++) {
        for (int i = 0; i < c; i++) {
            const int64_t out = i ^ far, in = (i ^ near) % f->in_c;
            *to++ = out < f->filters ? weight[(out * f->in_c + in) * f->taps + x] : 0.0f;
        }
    }
}

int64_t packed_depthwise(const Step *step)
{
    return packed_taps(step);
}

void pack_depthwise(const Step *step, float *to)
{
    const rnc_conv_shape *s = &step->shape.conv;
    const Filters filters = filters_of(step->node), *f = &filters;
    const int nears = f->in_c < 4 ? f->in_c : 4, c = s->out_c;
    pack_bias(f, 0, c, to);
    to += c;
    for (int far = f->in_c > 4 ? 4 : 0; far >= 0; far -= 4) {
        for (int y = 0; y < s->kernel_h; y++) {
            for (int near = 0; near < nears; near++, to += s->kernel_w * c)
                pack_tap_row(f, c, far, near, f->weight + y * s->kernel_w, s->kernel_w, to);
        }
    }
}

static const TilePair tiles[] = {{2, 0}, {3, 0},  {4, 0},  {6, 0}, {7, 0},
                                 {8, 0}, {12, 0}, {14, 0}, {0, 0}};

static const Trial trials[] = {
    {KNOB_panels, {0, 1, 2, 4, TRIAL_END}},
    {KNOB_prefetch_input, {0, 1, TRIAL_END}},
    {KNOB_split, {0, 1, TRIAL_END}},
    {0, {TRIAL_END}},
};

const Method method_depthwise = {
    .word = "direct",
    .kernel = KERNEL_depthwise,
    .plain = true,
    .fits = depthwise_fits,
    .halves = true,
    .by_steps = true,
    .reads_halo = true,
    .by_line = true,
    .shape = depthwise_shape,
    .set_knobs = depthwise_knobs,
    .share = depthwise_share,
    .knobs = KNOB_BIT(pixels) | KNOB_BIT(panels) | KNOB_BIT(prefetch_input) | KNOB_BIT(split),
    .wide = tiles,
    .narrow = tiles,
    .trials = trials,
};
