/* knobs.c: how each ISA goes about a step: tiles, loop order, prefetch.
 *
 * Constants for each ISA and kind of layer, measured by hand (docs/kernels-notes.md
 * has the measurements, shapes.def what each knob is); over them go those of a tuning
 * (tuning.h) whose row has the step's method.  Any values give right results.
 */
#include "plan/plan_parts.h"
#include "plan/tuning.h"

/* What an ISA's kernels like where nothing special holds. */
typedef struct Liking {
    int pixels, vectors;    /* register tile of conv_direct */
    int unroll, odd_unroll; /* the second where a row of taps has an odd length (a stem) */
    int prefetch_output, memory_broadcasts;
    bool prefetch_weights;
    int prefetch_input, depth;
    int short_sums; /* of Winograd's products where few inputs are summed; 0: as many as else */
    int dense_vectors, dense_pixels; /* the second: images at once */
    int depthwise_pixels;
} Liking;

static const Liking likings[ISA_COUNT] = {
    [ISA_avx512] = {14, 2, 4, 7, 1, 75, true, 0, 0, 0, 2, 14, 6},
    [ISA_avx2] = {3, 4, 2, 2, 1, 0, true, 1, 192, 8, 4, 3, 7},
    [ISA_neon] = {12, 2, 4, 7, 0, 100, true, 0, 0, 0, 8, 2, 8},
    [ISA_portable] = {3, 4, 2, 1, 0, 0, false, 0, 0, 0, 8, 2, 4},
    [ISA_scalar] = {3, 4, 1, 1, 0, 0, false, 0, 0, 0, 8, 2, 4},
};

enum {
    SHORT_SUM = 32,    /* input channels of Winograd's products, up to which starting takes time */
    SMALL_ROW = 7,     /* output pixels of a row up to which output is not fetched ahead */
    STREAMS = 4,       /* parts of a weight panel that are read side by side */
    STREAM_TILES = 2,  /* and pixels, up to which a convolution only waits for weights, as a */
    STREAM_PIXELS = 6, /* dense layer does */
    STREAM_DEPTH = 32, /* rows of a block that more than one of them pass */
    TILES_TO_SHARE = 20, /* from which threads share out pixels, not channels */
    ROWS_TO_SHARE = 8,   /* the same for the rows of a depthwise convolution */
    MACS_TO_SHARE = 200000,
    MACS_TO_SCRATCH = 1000000, /* a part of a step whose parts have scratch */
    SCRATCH_MOST = 3800000,    /* bytes of all parts of a step together */
};

/* Register tiles of all images: conv_cut() of kernels/f32/conv_direct.c counts the
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

/* Lines of the next column of weights that each turn of the inner loop fetches, so
 * that all of it is there when its turn comes (docs/kernels-notes.md). */
static int weights_rate(const rnc_conv_shape *s, const rnc_tile *t, int offered)
{
    const int64_t rows = (int64_t)s->kernel_h * s->kernel_w * s->in_c + 1;
    const int64_t lines = offered > t->vectors ? rows : rows * s->panel / 16; /* of 64 bytes */
    const int64_t turns = rows / t->unroll > 0 ? rows / t->unroll : 1;
    const int64_t rate = div_up(div_up(lines, count_tiles(s, t->pixels)), turns);
    return rate < 64 ? (int)rate : 64;
}

/* Of `rows` rows, those of a block of weights: about `wish`, a longer run of taps in equal pieces.
 */
static int block_depth(int rows, int run, int wish)
{
    enum { STEP = 8 };
    if (wish == 0 || rows <= wish)
        return 0;
    if (run <= wish)
        return wish;
    for (int piece = wish / STEP * STEP; 3 * piece >= 2 * wish; piece -= STEP) {
        if (run % piece == 0)
            return piece;
    }
    return (int)round_up(div_up(run, div_up(run, wish)), STEP);
}

/* Few pixels, all weights: the rows of a turn from far-apart places of a panel, and nothing fetched
 * ahead, which would only be in the way (docs/kernels-notes.md). */
static void read_streams(rnc_tile *t, int rows, int run, bool once)
{
    t->streams = STREAMS;
    t->depth = once ? 0 : block_depth(rows, run, STREAM_DEPTH);
    t->prefetch_weights = 0;
}

/* Of an odd run of taps (a stem), where the rest of a long turn would be a second one beside it:
 * gcc has not the registers for both. */
static int odd_unroll(const Liking *like, int run)
{
    enum { SHORT = 3 };
    return like->odd_unroll > SHORT && run % like->odd_unroll ? SHORT : like->odd_unroll;
}

static void tile_direct(const rnc_conv_shape *s, Isa isa, rnc_tile *t)
{
    const Liking *like = &likings[isa];
    const bool merged = s->dilation_w == 1 && s->in_pixel == s->in_c; /* taps of a row in one */
    const int run = merged ? s->kernel_w * s->in_c : s->in_c;
    const int rows = s->kernel_h * s->kernel_w * s->in_c;
    const int offered = panel_vectors(s, isa);
    t->vectors = like->vectors < offered ? like->vectors : offered;
    t->pixels = like->pixels * like->vectors / t->vectors;
    const int64_t tiles = count_tiles(s, t->pixels);
    t->unroll = merged && run % 2 ? odd_unroll(like, run) : like->unroll;
    t->panels = 1;
    t->prefetch_output = s->out_w <= SMALL_ROW ? 0 : like->prefetch_output;
    t->memory_broadcasts =
        t->vectors == 1 && like->memory_broadcasts > 0 ? 100 : like->memory_broadcasts;
    t->prefetch_input = like->prefetch_input;
    t->depth = block_depth(rows, run, s->out_w <= SMALL_ROW ? like->depth * 5 / 6 : like->depth);
    if (like->prefetch_weights && t->depth > 0) /* all lines of a turn's rows, by all tiles */
        t->prefetch_weights = (int)div_up(t->unroll * s->panel / 16, tiles);
    else if (like->prefetch_weights)
        t->prefetch_weights = weights_rate(s, t, offered);
    const int pixels = s->images * s->out_h * s->out_w;
    if (like->prefetch_weights && tiles <= STREAM_TILES && pixels <= STREAM_PIXELS &&
        run % STREAMS == 0 && rows >= STREAMS * STREAM_DEPTH)
        read_streams(t, rows, run, tiles * offered == t->vectors);
}

enum { GROUP_SMALL = 14 }; /* a few register tiles */

/* The most tiles that make groups and register tiles which are all alike; 0 if no such number is
 * near GROUP_SMALL. */
static int even_group(int64_t tiles, int pixels)
{
    for (int group = GROUP_SMALL + 2; 2 * group > GROUP_SMALL; group--) {
        if (tiles % group == 0 && group % pixels == 0)
            return group;
    }
    return 0;
}

/* Tiles that are transformed at once: a few register tiles where the filters stay in the L2 or
 * nearly so; else more, for all filters are read again for each group.  Of stride 2, which has
 * twice the planes, what is half as large again as the L2, since windows come evenly from the L3,
 * if the scratch of all threads, of four at most, is not much. */
static int winograd_group(const Plan *plan, const rnc_conv_shape *s, const rnc_tile *t)
{
    enum { POLYPHASE_MOST = 1500000, THREADS = 4 };
    const int64_t frequencies = (s->winograd + 2) * (s->winograd + 2);
    const int64_t filters = 4 * frequencies * s->in_c * s->out_c;
    const int64_t l2 = (int64_t)plan->options.machine->l2_kb * 1024;
    if (winograd_mixed(s->winograd, s->out_h, s->out_w, WINOGRAD_GROUP) ||
        (filters > 2 * l2 && s->stride_h == 1))
        return WINOGRAD_GROUP;
    if (s->stride_h == 2) {
        const int threads = plan->options.threads < THREADS ? plan->options.threads : THREADS;
        const int64_t share = POLYPHASE_MOST / threads, near = l2 * 3 / 2;
        const int64_t fits = (share < near ? share : near) / (4 * winograd_tile_floats(s));
        return fits < 1 ? 1 : (int)(fits > t->pixels ? fits / t->pixels * t->pixels : fits);
    }
    const int even = even_group(winograd_tiles(s), t->pixels);
    return even > 0                  ? even
           : t->pixels < GROUP_SMALL ? GROUP_SMALL / t->pixels * t->pixels
                                     : GROUP_SMALL;
}

/* Lines of the next frequency's filters that each turn of the products fetches, so that all of
 * them are there when its turn comes. */
static int winograd_rate(const rnc_conv_shape *s, const rnc_tile *t, int offered)
{
    const int64_t tiles = winograd_tiles(s), group = tiles < t->group ? tiles : t->group;
    const int64_t width = s->out_c < s->panel ? s->out_c : s->panel;
    const int64_t columns = div_up(offered, t->vectors), blocks = div_up(group, t->pixels);
    return (int)div_up(width * t->unroll, 16 * columns * blocks);
}

static void tile_winograd(const Plan *plan, const rnc_conv_shape *s, Isa isa, rnc_tile *t)
{
    const Liking *like = &likings[isa];
    const int offered = panel_vectors(s, isa);
    t->vectors = like->vectors < offered ? like->vectors : offered;
    t->pixels = like->pixels * like->vectors / t->vectors;
    t->unroll = 4;
    if (s->in_c <= SHORT_SUM && like->short_sums && s->stride_h == 1 &&
        even_group(winograd_tiles(s), like->short_sums / t->vectors) > 0)
        t->pixels = like->short_sums / t->vectors;
    t->group = winograd_group(plan, s, t);
    t->prefetch_input = like->prefetch_input;
    t->depth = block_depth(s->in_c, s->in_c, like->depth * 5 / 6);
    t->memory_broadcasts =
        t->vectors == 1 && like->memory_broadcasts > 0 ? 100 : like->memory_broadcasts;
    if (like->prefetch_weights)
        t->prefetch_weights = winograd_rate(s, t, offered);
}

/* In registers a block of 16 channels stays in the L1, and its successor is fetched by the passes
 * of a vector of channels, a row of planes and a tile, whose turns are four channels.  By way of
 * scratch blocks are as deep as few sums are read and written, but of few tiles 16 again; the next
 * one's taps are fetched by the products, about one and a half vectors a tile and a channel. */
static void tile_winograd_taps(const Plan *plan, const rnc_conv_shape *s, Isa isa, rnc_tile *t)
{
    enum {
        GROUP = 4,
        DEPTH = 16,
        DEPTH_OF_MANY = 64,
        MANY_TILES = 8,
        TURN = 4,
        TAPS = 9,
        ROWS = 6
    };
    const int64_t tiles = winograd_tiles(s);
    if (tiles <= TAPS_IN_REGISTERS) {
        t->group = GROUP;
        t->depth = DEPTH;
        if (likings[isa].prefetch_weights)
            t->prefetch_weights = (int)div_up(TAPS * TURN * isa_rows[isa].lanes, 16 * ROWS * tiles);
        return;
    }
    tile_winograd(plan, s, isa, t);
    t->group = WINOGRAD_GROUP;
    t->depth = tiles < MANY_TILES ? DEPTH : DEPTH_OF_MANY;
    if (likings[isa].prefetch_weights)
        t->prefetch_weights = tiles < MANY_TILES ? 2 : 1;
}

/* Pixels whose products stay in the L1: a few register tiles.  Where a turn takes more than one
 * channel, gcc moves sums about. */
static void tile_winograd1d(const rnc_conv_shape *s, Isa isa, rnc_tile *t)
{
    enum { GROUP = 8 };
    const Liking *like = &likings[isa];
    const int offered = panel_vectors(s, isa);
    t->vectors = like->vectors < offered ? like->vectors : offered;
    t->pixels = like->pixels * like->vectors / t->vectors;
    t->unroll = 1;
    t->group = t->pixels < GROUP ? GROUP : 2 * t->pixels;
    t->prefetch_output = like->prefetch_output;
    t->memory_broadcasts =
        t->vectors == 1 && like->memory_broadcasts > 0 ? 100 : like->memory_broadcasts;
}

/* Strips whose sums stay in the L2 or nearly so, and that have the weights from memory seldom
 * again; half as long of larger strides, whose input is copied as well.  What a half's channels are
 * cut into are blocks as those of conv_direct. */
static void tile_strassen(const rnc_conv_shape *s, Isa isa, rnc_tile *t)
{
    enum { STRIP = 196 };
    const int strip = s->stride_w > 1 ? STRIP / 2 : STRIP;
    const Liking *like = &likings[isa];
    const int half = s->in_c / 2, offered = panel_vectors(s, isa);
    t->vectors = like->vectors < offered ? like->vectors : offered;
    t->pixels = like->pixels * like->vectors / t->vectors;
    t->unroll = like->unroll;
    t->group = strip;
    t->prefetch_output = like->prefetch_output;
    t->memory_broadcasts = like->memory_broadcasts;
    t->prefetch_input = like->prefetch_input;
    t->depth = block_depth(half, half, s->out_w <= SMALL_ROW ? like->depth * 5 / 6 : like->depth);
    if (like->prefetch_weights) {
        const int64_t pixels = (int64_t)s->images * s->out_h * s->out_w;
        const int64_t longest = pixels < strip ? pixels : strip;
        const int64_t tiles = div_up(div_up(longest, 2), t->pixels) * (offered / t->vectors);
        t->prefetch_weights = (int)div_up(t->unroll * s->panel / 16, tiles > 0 ? tiles : 1);
    }
}

static void tile_dense(const rnc_dense_shape *s, Isa isa, rnc_tile *t)
{
    const Liking *like = &likings[isa];
    t->vectors = like->dense_vectors;
    t->pixels = s->images < like->dense_pixels ? s->images : like->dense_pixels;
    t->split = 1;
    t->streams = STREAMS;
}

/* Panels of channels whose rows, as many as a window is high, stay in the first-level cache while
 * a row of output passes.  0 (all) where those of one do not stay there; and with stride 2, whose
 * next rows cannot be fetched in time, where the input comes from afar, in the order it lies in. */
static int rows_kept(const rnc_conv_shape *s)
{
    enum { PANEL_BYTES = 128, KEPT = 16 * 1024, KEPT_MOST = 24 * 1024, MOST = 2, FAR = 1 << 21 };
    const int64_t bytes = (int64_t)s->kernel_h * (s->in_row / s->in_pixel) * PANEL_BYTES;
    const int64_t fit = KEPT / bytes, all = 4 * (int64_t)s->in_image;
    if (bytes > KEPT_MOST || (s->stride_h > 1 && all > FAR))
        return 0;
    return fit < 1 ? 1 : fit > MOST ? MOST : (int)fit;
}

static void tile_depthwise(const rnc_conv_shape *s, Isa isa, rnc_tile *t)
{
    t->pixels = likings[isa].depthwise_pixels;
    t->vectors = 1;
    t->panels = rows_kept(s);
    t->prefetch_input = t->panels > 0 && s->stride_h == 1 && likings[isa].prefetch_input;
    t->split = s->images * s->out_h < ROWS_TO_SHARE;
}

/* What threads share out, if a tuning's row does not say it. */
static void set_split(const TuningRow *row, Isa isa, rnc_tile *t, bool split)
{
    t->split = split;
    tuning_apply(row, isa, t);
}

/* Threads share pixel tiles if there are enough, else panels. */
static void share_conv(const Plan *plan, Step *step, const TuningRow *row)
{
    const rnc_conv_shape *s = &step->shape.conv;
    const int group_c = s->out_c / s->groups;
    const int64_t panels = s->groups * div_up(group_c, s->panel);
    int64_t pieces = 1;
    for (int i = 0; i < ISA_COUNT; i++) {
        if (!(plan->options.isas >> i & 1))
            continue;
        const int64_t tiles = count_tiles(s, step->tile[i].pixels);
        set_split(row, (Isa)i, &step->tile[i], tiles < TILES_TO_SHARE && panels > 1);
        const int64_t own = step->tile[i].split ? panels : tiles;
        pieces = own > pieces ? own : pieces;
    }
    step->parts = worth_parts(node_macs(step->node) * s->images, MACS_TO_SHARE, pieces);
}

/* Groups of tiles, a stem's tiles of rows, strips of pixels. */
static int64_t shared_groups(const Step *step, const rnc_tile *t)
{
    const rnc_conv_shape *s = &step->shape.conv;
    if (step->kernel == KERNEL_conv_strassen)
        return strassen_strips(s, t);
    return step->kernel == KERNEL_conv_winograd1d ? winograd1d_tiles(s) : winograd_groups(s, t);
}

/* Threads share groups if there are enough, else panels, each with
 * transformed windows, or sums of input, of its own; no more than there is scratch for. */
static void share_scratch(const Plan *plan, Step *step, const TuningRow *row)
{
    const rnc_conv_shape *s = &step->shape.conv;
    const int64_t halves = step->kernel == KERNEL_conv_strassen ? 2 : 1;
    const int64_t panels = div_up(s->out_c, halves * s->panel);
    int64_t pieces = 1;
    for (int i = 0; i < ISA_COUNT; i++) {
        if (!(plan->options.isas >> i & 1))
            continue;
        const int64_t groups = shared_groups(step, &step->tile[i]);
        set_split(row, (Isa)i, &step->tile[i], groups < plan->options.threads && panels > groups);
        const int64_t own = step->tile[i].split ? panels : groups;
        pieces = own > pieces ? own : pieces;
    }
    /* Each part has scratch of its own: no more of them than have much to do, nor than it takes
     * for the largest share to be as small. */
    const int64_t macs = node_macs(step->node) * s->images, worth = macs / MACS_TO_SCRATCH;
    const int64_t fit = SCRATCH_MOST / (4 * widest_scratch(plan, step));
    int64_t parts = pieces < plan->options.threads ? pieces : plan->options.threads;
    parts = div_up(pieces, div_up(pieces, parts));
    parts = parts < fit ? parts : fit;
    step->parts = worth_parts(macs, MACS_TO_SHARE, parts < worth ? parts : worth);
}

/* The row of a step, if it is of the method that the step has. */
static const TuningRow *row_of(const Plan *plan, const Step *step)
{
    const TuningRow *row = tuning_row(plan->options.tuning, step->node);
    const TuningRow own = step_method(step);
    return row && tuning_same_method(row, &own) ? row : NULL;
}

void choose_tiles(const Plan *plan, Step *step)
{
    const TuningRow *row = row_of(plan, step);
    for (int i = 0; i < ISA_COUNT; i++) {
        if (!(plan->options.isas >> i & 1))
            continue;
        rnc_tile *t = &step->tile[i];
        if (step->kernel == KERNEL_conv_direct)
            tile_direct(&step->shape.conv, (Isa)i, t);
        else if (step->kernel == KERNEL_conv_winograd)
            tile_winograd(plan, &step->shape.conv, (Isa)i, t);
        else if (step->kernel == KERNEL_conv_winograd_taps)
            tile_winograd_taps(plan, &step->shape.conv, (Isa)i, t);
        else if (step->kernel == KERNEL_conv_strassen)
            tile_strassen(&step->shape.conv, (Isa)i, t);
        else if (step->kernel == KERNEL_conv_winograd1d)
            tile_winograd1d(&step->shape.conv, (Isa)i, t);
        else if (step->kernel == KERNEL_depthwise)
            tile_depthwise(&step->shape.conv, (Isa)i, t);
        else if (step->kernel == KERNEL_dense)
            tile_dense(&step->shape.dense, (Isa)i, t);
        tuning_apply(row, (Isa)i, t);
    }
    if (step->kernel == KERNEL_conv_direct)
        share_conv(plan, step, row);
    else if (has_part_scratch(step->kernel))
        share_scratch(plan, step, row);
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
