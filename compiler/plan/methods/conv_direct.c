/* conv_direct.c: convolution as it is defined, by register tiles; and with windows that are clipped
 * to the input, tap by tap, which needs no zeros around it. */
#include "plan/methods/method_parts.h"

#include "kernels/cuts_clipped.h"

/* Groups of a convolution as its kernel sees them: merged, so that each has whole vectors of
 * output channels. */
static int merged_groups(const Plan *plan, const Node *node)
{
    const int groups = node->attrs.groups, each = node->attrs.filters / groups;
    for (int merge = 1; merge <= groups; merge++) {
        if (groups % merge == 0 && (int64_t)merge * each % plan->align == 0)
            return groups / merge;
    }
    return 1;
}

static bool direct_fits(const Plan *plan, const Node *node)
{
    return node->op == OP_CONV && plan->options.backend == BACKEND_NATIVE;
}

/* With few input channels (a stem) there are few weights, so reading them is not counted. */
static double direct_seconds(const Plan *plan, const Node *node, const Method *self)
{
    (void)self;
    const Attrs *a = &node->attrs;
    const Type in = node->in[0]->type, out = node->type;
    const double weights = (double)a->kernel[0] * a->kernel[1] * in.c * out.c;
    return overlapped(2.0 * (double)node_macs(node) * out.n /
                          (peak_of(plan) * reach_of(plan)->direct),
                      in.c < WINOGRAD_CHANNELS ? 0.0 : seconds_to_read(plan, self, weights));
}

static void direct_shape(const Plan *plan, const Node *node, rnc_conv_shape *s)
{
    s->groups = merged_groups(plan, node);
    s->in_c = node->in[0]->type.c / s->groups;
    s->out_c = s->groups == 1 ? s->out_c : node->attrs.filters;
}

/* ---- tiles ---- */

/* Register tiles of all images. */
static int64_t direct_tiles(const rnc_conv_shape *s, int pixels)
{
    rnc_tiles_cut c;
    rnc_cut_tiles(s, pixels, &c);
    return c.all;
}

/* Cache lines of the next column of weights that each iteration of the inner loop prefetches, so
 * that the whole column is there when it is needed (docs/kernels-notes.md). */
static int weights_rate(const rnc_conv_shape *s, const rnc_knobs *t, int offered)
{
    const int64_t rows = (int64_t)s->kernel_h * s->kernel_w * s->in_c + 1;
    const int64_t lines = offered > t->vectors ? rows : rows * s->panel / 16; /* of 64 bytes */
    const int64_t turns = rows / t->unroll > 0 ? rows / t->unroll : 1;
    const int64_t rate = div_up(div_up(lines, direct_tiles(s, t->pixels)), turns);
    return rate < 64 ? (int)rate : 64;
}

/* With at most this many tiles and pixels a convolution is bound by reading weights, as a dense
 * layer is; a block of weights that several tiles use has STREAM_DEPTH rows. */
enum { STREAM_TILES = 2, STREAM_PIXELS = 6, STREAM_DEPTH = 32 };

/* Weights of 16 bits are made floats a block at a time, and the tiles then read their inputs once
 * a block.  The inputs of so few tiles stay in the L1 in between: to fetch them ahead only takes
 * time (0.95 of f32's instead of 1.06 for the tutorial's network on AVX2). */
enum { NEAR_TILES = 8 };

/* For few pixels, which read all weights: each iteration reads rows from distant places of a
 * panel, and nothing is prefetched, since that would only slow the reading down
 * (docs/kernels-notes.md). */
static void read_streams(rnc_knobs *t, int rows, int run, bool once)
{
    t->streams = STREAMS;
    t->depth = once ? 0 : block_depth(rows, run, STREAM_DEPTH);
    t->prefetch_weights = 0;
}

/* The unrolling for an odd run of taps (a stem).  If a long unrolling leaves a remainder, that
 * needs a second loop body beside it, and gcc has not enough registers for both. */
static int odd_unroll(const Liking *like, int run)
{
    enum { SHORT = 3 };
    return like->odd_unroll > SHORT && run % like->odd_unroll ? SHORT : like->odd_unroll;
}

/* Bytes of the inputs that `pixels` outputs read, one after the other: some of a row, or rows.
 * Windows that are clipped go tap by tap. */
static double strip_bytes(const rnc_conv_shape *s, double pixels)
{
    if (s->in_h > 0)
        return 4.0 * s->in_c * pixels * s->stride_h * s->stride_w;
    const double rows = fmax(1.0, pixels / s->out_w);
    const double wide = fmin(pixels, s->out_w) * s->stride_w + (s->kernel_w - 1) * s->dilation_w;
    const double high =
        fmin(rows * s->stride_h + (s->kernel_h - 1) * s->dilation_h, rows * s->kernel_h);
    return 4.0 * s->in_c * wide * high;
}

/* The pixels of a strip whose inputs stay in the L2 while one panel after the other reads them; 0:
 * the step has no strips, since its inputs are near anyway, or since each strip reads all weights
 * again and that would take as long. */
static int strip_pixels(const Plan *plan, const rnc_conv_shape *s)
{
    enum { MOST = 256 };
    static const double LEAST_GAIN = 0.05; /* of the time of the products */
    static const double LARGE_KB = 1024.0; /* an L2 that is meant to be worked from */
    const Machine *machine = plan->options.machine;
    const double l2 = 1024.0 * machine->l2_kb, near = machine->l2_kb >= LARGE_KB ? 0.75 : 2.0;
    const double all = (double)s->images * s->out_h * s->out_w;
    const double inputs = 4.0 * s->in_c * all * s->stride_h * s->stride_w;
    const double taps = (double)s->kernel_h * s->kernel_w, rows = taps * s->in_c;
    const double filters = (double)s->out_c / s->groups, weights = 4.0 * rows * filters;
    int pixels = MOST;
    while (pixels > 16 && strip_bytes(s, pixels) > l2 / 2)
        pixels -= 8;
    if (inputs <= near * l2 || strip_bytes(s, pixels) > l2 / 2)
        return 0;
    const double without = inputs * taps * ceil(filters / s->panel);
    const double with = inputs + (weights > l2 / 4 ? all / pixels * weights : 0.0);
    const double saved = (without - with) / (1e9 * machine->l3);
    return saved > LEAST_GAIN * 2.0 * all * rows * filters / peak_of(plan) ? pixels : 0;
}

static void direct_knobs(const Plan *plan, const Step *step, Isa isa, rnc_knobs *t)
{
    const rnc_conv_shape *s = &step->shape.conv;
    const Liking *like = &likings[isa];
    rnc_rows_cut c;
    rnc_cut_rows(s, 0, 1, &c);
    const int run = c.run, rows = c.run * c.runs;
    const int offered = panel_vectors(s, isa), depth = like_depth(plan, isa, s->out_w <= SMALL_ROW);
    like_registers(s, isa, t);
    const int64_t tiles = direct_tiles(s, t->pixels);
    t->unroll = rnc_taps_merge(s) && run % 2 ? odd_unroll(like, run) : like->unroll;
    t->panels = 4 * (int64_t)(rows + 1) * s->out_c <= 1024 * like->together_kb ? 0 : 1;
    t->prefetch_output = s->out_w <= SMALL_ROW && s->images == 1 ? 0 : like->prefetch_output;
    t->memory_broadcasts = like_broadcasts(plan, t, isa);
    t->prefetch_input = like->prefetch_input;
    t->group = strip_pixels(plan, s);
    t->depth = block_depth(rows, run, depth);
    if (s->weights != RNC_WEIGHTS_F32 && tiles >= RNC_WIDENED_TILES) {
        const int most = RNC_WIDENED_FLOATS / s->panel; /* rows that are converted to float */
        t->depth = block_depth(rows, run, t->depth > 0 && t->depth < most ? t->depth : most);
        if ((int64_t)rows * s->out_c > RNC_WIDENED_FLOATS)
            t->panels = 1; /* more at once would be converted again by every tile */
        if (tiles <= NEAR_TILES)
            t->prefetch_input = 0;
    }
    if (like->prefetch_weights && t->depth > 0) /* the tiles share the lines of a turn's rows */
        t->prefetch_weights = (int)div_up(t->unroll * s->panel / 16, tiles);
    else if (like->prefetch_weights)
        t->prefetch_weights = weights_rate(s, t, offered);
    const int pixels = s->images * s->out_h * s->out_w;
    if (like->prefetch_weights && tiles <= STREAM_TILES && pixels <= STREAM_PIXELS &&
        run % STREAMS == 0 && rows >= STREAMS * STREAM_DEPTH)
        read_streams(t, rows, run, tiles * offered == t->vectors);
}

/* The time of the thread with most of `pieces`, as a multiple of what all need on average. */
static double uneven(const Plan *plan, int64_t pieces)
{
    const int64_t threads = plan->options.threads;
    return (double)(div_up(pieces, threads) * threads) / (double)pieces;
}

/* Threads share pixel tiles if there are enough, or panels do not share out, else panels.  Each
 * thread gets a few parts: all tiles of a part use a block of weights while it is in the L1. */
static void direct_share(const Plan *plan, Step *step, const TuningRow *row)
{
    enum { TILES_TO_SHARE = 20, PARTS_A_THREAD = 4 };
    static const double WORSE = 1.15; /* each thread that shares pixels reads all weights */
    const rnc_conv_shape *s = &step->shape.conv;
    rnc_panels_cut panels;
    rnc_cut_panels(s, &panels);
    int64_t pieces = 1;
    for (int i = 0; i < ISA_COUNT; i++) {
        if (!(plan->options.isas >> i & 1))
            continue;
        const int64_t tiles = direct_tiles(s, step->knobs[i].pixels);
        set_split(row, (Isa)i, &step->knobs[i],
                  tiles < TILES_TO_SHARE && panels.count > 1 &&
                      uneven(plan, panels.count) < WORSE * uneven(plan, tiles));
        const int64_t own = step->knobs[i].split ? panels.count : tiles;
        pieces = own > pieces ? own : pieces;
    }
    const int64_t most = (int64_t)PARTS_A_THREAD * plan->options.threads;
    const int64_t shared = pieces < 2 * most ? pieces : most;
    step->parts = worth_parts(node_macs(step->node) * s->images, MACS_TO_SHARE, shared);
    if (step->parts < pieces && pieces < 2 * step->parts) /* some would be twice as long */
        step->parts = (int)div_up(pieces, 2);
}

static const Trial trials[] = {
    {KNOB_group, {0, 128, TRIAL_END}},
    {KNOB_unroll, {1, 2, 4, 8, TRIAL_END}},
    {KNOB_panels, {0, 1, 2, TRIAL_END}},
    {KNOB_prefetch_weights, {0, 1, 2, TRIAL_END}},
    {KNOB_prefetch_output, {0, 1, TRIAL_END}},
    {KNOB_memory_broadcasts, {0, 50, 75, 100, TRIAL_END}},
    {KNOB_prefetch_input, {0, 1, TRIAL_END}},
    {KNOB_depth, {0, 96, 192, 384, TRIAL_END}},
    {KNOB_streams, {0, 4, TRIAL_END}},
    {KNOB_split, {0, 1, TRIAL_END}},
    {0, {TRIAL_END}},
};

/* Those that the kernel reads. */
#define DIRECT_KNOBS                                                             \
    (KNOB_BIT(pixels) | KNOB_BIT(vectors) | KNOB_BIT(group) | KNOB_BIT(unroll) | \
     KNOB_BIT(panels) | KNOB_BIT(prefetch_weights) | KNOB_BIT(prefetch_output) | \
     KNOB_BIT(memory_broadcasts) | KNOB_BIT(prefetch_input) | KNOB_BIT(depth) |  \
     KNOB_BIT(streams) | KNOB_BIT(split))

const Method method_conv_direct = {
    .word = "direct",
    .kernel = KERNEL_conv_direct,
    .plain = true,
    .fits = direct_fits,
    .halves = true,
    .by_steps = true,
    .seconds = direct_seconds,
    .reads_halo = true,
    .by_pixel = true,
    .any_channels = true,
    .shape = direct_shape,
    .set_knobs = direct_knobs,
    .share = direct_share,
    .knobs = DIRECT_KNOBS,
    .wide = registers_wide,
    .narrow = registers_narrow,
    .trials = trials,
};

/* ---- clipped windows ----
 *
 * Dilated windows reach far beyond a small image: the zeros around one of 65 x 65 pixels for a
 * dilation of 36 are three times as many as its pixels.  Here no tap reads or multiplies them. */

static void clip(const Node *node, rnc_conv_shape *s)
{
    s->in_h = node->in[0]->type.h, s->in_w = node->in[0]->type.w;
}

/* The window of a node, clipped. */
static rnc_conv_shape clipped_window(const Node *node)
{
    const Attrs *a = &node->attrs;
    rnc_conv_shape s = {.out_h = node->type.h, .out_w = node->type.w};
    s.kernel_h = a->kernel[0], s.kernel_w = a->kernel[1];
    s.stride_h = a->stride[0], s.stride_w = a->stride[1];
    s.dilation_h = a->dilation[0], s.dilation_w = a->dilation[1];
    s.pad_top = a->padding[0], s.pad_left = a->padding[1];
    clip(node, &s);
    return s;
}

/* How many taps of all windows of an image are inside the input. */
static int64_t taps_inside(const rnc_conv_shape *s)
{
    int64_t taps = 0;
    for (int i = 0; i < s->kernel_h * s->kernel_w; i++) {
        rnc_tap_cut c;
        rnc_cut_tap(s, i, &c);
        if (c.y1 > c.y0 && c.x1 > c.x0)
            taps += (int64_t)(c.y1 - c.y0) * (c.x1 - c.x0);
    }
    return taps;
}

bool reaches_far(const Node *node)
{
    /* times the input's pixels, with their halo */
    static const double HALO_MOST = 1.5;
    const Attrs *a = &node->attrs;
    if (a->dilation[0] == 1 && a->dilation[1] == 1)
        return false;
    double with_halo = 1.0;
    for (int axis = 0; axis < 2; axis++) {
        const int extent = axis ? node->in[0]->type.w : node->in[0]->type.h;
        int before, behind;
        conv_reach(node, axis, &before, &behind);
        with_halo *= (double)(before + extent + behind) / extent;
    }
    return with_halo >= HALO_MOST;
}

static bool clipped_fits(const Plan *plan, const Node *node)
{
    const rnc_conv_shape s = clipped_window(node);
    return direct_fits(plan, node) && s.kernel_w <= RNC_CLIPPED_COLUMNS && reaches_far(node) &&
           rnc_full_tap(&s) >= 0;
}

static int64_t clipped_macs(const Node *node)
{
    const rnc_conv_shape s = clipped_window(node);
    return taps_inside(&s) * (node->in[0]->type.c / node->attrs.groups) * node->attrs.filters;
}

static int64_t clipped_multiplications(const Step *step)
{
    return clipped_macs(step->node);
}

/* As the plain sum, without the taps that are outside. */
static double clipped_seconds(const Plan *plan, const Node *node, const Method *self)
{
    const double weights =
        (double)node->attrs.kernel[0] * node->attrs.kernel[1] * node->in[0]->type.c * node->type.c;
    return overlapped(2.0 * (double)clipped_macs(node) * node->type.n /
                          (peak_of(plan) * reach_of(plan)->direct),
                      seconds_to_read(plan, self, weights));
}

static void clipped_shape(const Plan *plan, const Node *node, rnc_conv_shape *s)
{
    direct_shape(plan, node, s);
    clip(node, s);
}

/* Threads share rows: each reads all weights, but what the taps leave in the output stays near. */
static void clipped_share(const Plan *plan, Step *step, const TuningRow *row)
{
    const rnc_conv_shape *s = &step->shape.conv;
    for (int i = 0; i < ISA_COUNT; i++)
        set_split(row, (Isa)i, &step->knobs[i], false);
    step->parts = worth_parts(clipped_macs(step->node) * s->images, MACS_TO_SHARE,
                              s->images * s->out_h < plan->options.threads ? s->images * s->out_h
                                                                           : plan->options.threads);
}

const Method method_conv_clipped = {
    .word = "clipped",
    .kernel = KERNEL_conv_direct,
    .plain = true,
    .fits = clipped_fits,
    .halves = true,
    .seconds = clipped_seconds,
    .by_pixel = true,
    .any_channels = true,
    .shape = clipped_shape,
    .set_knobs = direct_knobs,
    .share = clipped_share,
    .multiplications = clipped_multiplications,
    .knobs = DIRECT_KNOBS,
    .wide = registers_wide,
    .narrow = registers_narrow,
    .trials = trials,
};
