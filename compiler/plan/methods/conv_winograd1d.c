/* conv_winograd1d.c: convolution of few input channels by Winograd's method in one dimension,
 * F(4, k) down the columns, with up to four taps a phase. */
#include "plan/methods/method_parts.h"

/* Numbers transformed back, and forward, in operations at the peak; and how many times faster than
 * the direct method it must be: a stem of small windows gains microseconds, and one more kernel is
 * pasted for it. */
static const double BACK1D_OPERATIONS = 12.0, FORWARD1D_OPERATIONS = 12.0, LEAST_GAIN = 1.25;

static bool winograd1d_fits(const Plan *plan, const Node *node)
{
    (void)plan;
    const Attrs *a = &node->attrs;
    return node->op == OP_CONV && a->groups == 1 && node->in[0]->type.c < WINOGRAD_CHANNELS &&
           a->stride[0] <= 2 && a->kernel[0] >= a->stride[0] && a->kernel[0] <= 4 * a->stride[0] &&
           a->dilation[0] == 1;
}

int winograd1d_rows(int kernel_h, int stride_h)
{
    const rnc_conv_shape s = {.images = 1,
                              .out_h = 1,
                              .out_w = 1,
                              .kernel_h = kernel_h,
                              .kernel_w = 1,
                              .stride_h = stride_h};
    const rnc_tile t = {0};
    rnc_winograd1d_cut c;
    rnc_cut_winograd1d(&s, &t, &c);
    return c.rows;
}

static int rows_of(const Node *node)
{
    return winograd1d_rows(node->attrs.kernel[0], node->attrs.stride[0]);
}

/* Products and transforms; the weights of a stem are no matter. */
static double winograd1d_seconds(const Plan *plan, const Node *node, const Method *self)
{
    (void)self;
    const Attrs *a = &node->attrs;
    const Type in = node->in[0]->type, out = node->type;
    const int points =
        a->kernel[0] > 3 * a->stride[0] ? RNC_WINOGRAD1D_POINTS : RNC_WINOGRAD1D_PAIRED;
    const double rows = rows_of(node), pixels = (double)out.w * out.c;
    const double products = 2.0 * rows * a->kernel[1] * in.c * pixels / PRODUCTS_REACH;
    const double forward = FORWARD1D_OPERATIONS * rows * out.w * a->stride[1] * in.c;
    const double back = BACK1D_OPERATIONS * points * pixels;
    const double down = rnc_div_up(out.h, RNC_WINOGRAD1D_ROWS);
    return out.n * down * (products + forward + back) / peak_of(plan);
}

static double winograd1d_weights(const Node *node, const Method *self)
{
    (void)self;
    return (double)rows_of(node) / node->attrs.kernel[0];
}

/* ---- what there is to compute and to keep ---- */

static int64_t winograd1d_tiles(const rnc_conv_shape *s, const rnc_tile *t)
{
    rnc_winograd1d_cut c;
    rnc_cut_winograd1d(s, t, &c);
    return c.tiles;
}

static int64_t winograd1d_scratch(const rnc_conv_shape *s, const rnc_tile *t)
{
    rnc_winograd1d_cut c;
    rnc_cut_winograd1d(s, t, &c);
    return c.floats;
}

static int64_t winograd1d_multiplications(const Step *step)
{
    const rnc_conv_shape *s = &step->shape.conv;
    return node_macs(step->node) / (s->out_h * s->kernel_h) *
           div_up(s->out_h, RNC_WINOGRAD1D_ROWS) * winograd1d_rows(s->kernel_h, s->stride_h);
}

/* Pixels whose products stay in the L1: a few register tiles.  Where a turn takes more than one
 * channel, gcc moves sums about. */
static void winograd1d_tile(const Plan *plan, const Step *step, Isa isa, rnc_tile *t)
{
    enum { GROUP = 8 };
    (void)plan;
    like_registers(&step->shape.conv, isa, t);
    t->unroll = 1;
    t->group = t->pixels < GROUP ? GROUP : 2 * t->pixels;
    t->prefetch_output = likings[isa].prefetch_output;
    t->memory_broadcasts = like_broadcasts(t, isa);
}

static const Trial trials[] = {
    {KNOB_group, {6, 10, 14, 21, 28, TRIAL_END}},
    {KNOB_prefetch_output, {0, 1, TRIAL_END}},
    {KNOB_unroll, {1, 3, 5, 7, TRIAL_END}},
    {KNOB_memory_broadcasts, {0, 50, 75, 100, TRIAL_END}},
    {KNOB_split, {0, 1, TRIAL_END}},
    {0, {TRIAL_END}},
};

const Method method_conv_winograd1d = {
    .word = "winograd 4",
    .kernel = KERNEL_conv_winograd1d,
    .side = RNC_WINOGRAD1D_ROWS,
    .fits = winograd1d_fits,
    .seconds = winograd1d_seconds,
    .gain = LEAST_GAIN,
    .weights = winograd1d_weights,
    .reads_halo = true,
    .any_channels = true,
    .tile = winograd1d_tile,
    .share = share_scratch,
    .pieces = winograd1d_tiles,
    .scratch = winograd1d_scratch,
    .multiplications = winograd1d_multiplications,
    .knobs = KNOB_BIT(pixels) | KNOB_BIT(vectors) | KNOB_BIT(group) | KNOB_BIT(unroll) |
             KNOB_BIT(memory_broadcasts) | KNOB_BIT(prefetch_output) | KNOB_BIT(split),
    .wide = registers_wide,
    .narrow = registers_narrow,
    .trials = trials,
};
