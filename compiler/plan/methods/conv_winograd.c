/* conv_winograd.c: 3x3 convolution by Winograd's F(m x m, 3 x 3): m x m outputs are a tile, whose
 * window of (m + 2)^2 inputs is transformed, multiplied and transformed back.
 *
 * It needs (m + 2)^2 products for m^2 outputs, or (2 m + 1)^2 with stride 2.  In return it has (m
 * + 2)^2 times the weights of one tap, and it transforms windows and products.  So a larger m is
 * worth it for larger images, and a machine that reads slowly prefers a smaller one.
 */
#include "kernels/cuts_winograd.h"
#include "plan/methods/method_parts.h"

#include <string.h>

bool winograd_fits(const Plan *plan, const Node *node)
{
    const Attrs *a = &node->attrs;
    return node->op == OP_CONV && a->kernel[0] == 3 && a->kernel[1] == 3 && a->stride[0] <= 2 &&
           a->stride[1] == a->stride[0] && a->dilation[0] <= node->type.h &&
           a->dilation[1] <= node->type.w && !reaches_far(node) && a->groups == 1 &&
           node->in[0]->type.c % WINOGRAD_CHANNELS == 0 &&
           lanes_of(plan, node->type.c) % WINOGRAD_CHANNELS == 0;
}

/* A transformed number costs as much as some operations at the peak and some bytes to and from the
 * L2.  The largest windows, of 9 x 9, pass through memory between the rows and the columns. */
double winograd_transforms(const Plan *plan, int m, int stride, double forward, double back)
{
    static const double FORWARD_OPERATIONS = 4.0, BACK_OPERATIONS = 3.0;
    static const double FORWARD_BYTES = 14.0, BACK_BYTES = 10.0;
    static const double LARGE_FORWARD = 3.0, LARGE_BACK = 2.0;
    const bool large = m == 4 && stride == 2;
    forward *= large ? LARGE_FORWARD : 1.0;
    back *= large ? LARGE_BACK : 1.0;
    return (forward * FORWARD_OPERATIONS + back * BACK_OPERATIONS) / peak_of(plan) +
           (forward * FORWARD_BYTES + back * BACK_BYTES) / (plan->options.machine->l2 * 1e9);
}

static double winograd_weights(const Node *node, const Method *self)
{
    (void)node;
    return (self->side + 2) * (self->side + 2) / 9.0;
}

/* ---- what there is to compute and to keep ---- */

/* Planes of all tiles along one side.  Tiles of m - 1 pixels do without the last plane and, with
 * stride 2, also without the first. */
static int64_t planes_along(int m, int stride, int pixels, int mixed)
{
    rnc_winograd_side side;
    rnc_winograd_along(pixels, m, mixed, &side);
    return (side.full + side.less) * rnc_winograd_planes(m, stride) - side.less * stride;
}

int64_t winograd_image_products(int m, int stride, int out_h, int out_w, int group)
{
    const int mixed = rnc_winograd_mixed(m, out_h, out_w, group);
    return planes_along(m, stride, out_h, mixed) * planes_along(m, stride, out_w, mixed);
}

WinogradImages winograd_images(const Node *node)
{
    const int *d = node->attrs.dilation;
    return (WinogradImages){(int64_t)node->type.n * d[0] * d[1], rnc_div_up(node->type.h, d[0]),
                            rnc_div_up(node->type.w, d[1])};
}

int64_t winograd_tiles(const rnc_conv_shape *s)
{
    return (int64_t)s->images * s->dilation_h * s->dilation_w *
           rnc_winograd_tiles(s->winograd, rnc_div_up(s->out_h, s->dilation_h),
                              rnc_div_up(s->out_w, s->dilation_w));
}

static int is_mixed(const rnc_conv_shape *s)
{
    return rnc_winograd_mixed(s->winograd, rnc_div_up(s->out_h, s->dilation_h),
                              rnc_div_up(s->out_w, s->dilation_w), WINOGRAD_GROUP);
}

int64_t winograd_groups(const rnc_conv_shape *s, const rnc_knobs *t)
{
    rnc_winograd_cut c;
    rnc_cut_winograd(s, t, &c);
    return c.groups;
}

int64_t winograd_scratch(const rnc_conv_shape *s, const rnc_knobs *t)
{
    rnc_winograd_cut c;
    rnc_cut_winograd(s, t, &c);
    return c.floats;
}

int64_t winograd_multiplications(const Step *step)
{
    const rnc_conv_shape *s = &step->shape.conv;
    return s->dilation_h * s->dilation_w *
           winograd_image_products(s->winograd, s->stride_h, rnc_div_up(s->out_h, s->dilation_h),
                                   rnc_div_up(s->out_w, s->dilation_w), widest_group(step)) *
           s->in_c * step->node->attrs.filters;
}

/* ---- tiles ---- */

enum {
    SHORT_SUM = 32,   /* input channels up to which starting a sum takes time */
    GROUP_SMALL = 14, /* a few register tiles */
};

/* The largest group of tiles for which all groups and all register tiles are alike; 0 if no such
 * number is near GROUP_SMALL. */
static int even_group(int64_t tiles, int pixels)
{
    for (int group = GROUP_SMALL + 2; 2 * group > GROUP_SMALL; group--) {
        if (tiles % group == 0 && group % pixels == 0)
            return group;
    }
    return 0;
}

/* As many tiles as the L2 holds, with their windows and products, beside the filters if these stay
 * there as well.  So the filters are read fewer times, and each line of them that is fetched
 * serves more tiles.  The scratch stays below SCRATCH_MOST for up to four threads
 * (share_scratch()).  Where the L2 holds less than half of a register tile, a group is a whole one,
 * or what SCRATCH_MOST holds of it. */
static int whole_group(const Plan *plan, const rnc_conv_shape *s, const rnc_knobs *t)
{
    enum { THREADS = 4 };
    rnc_winograd_cut c;
    rnc_cut_winograd(s, t, &c);
    const int threads = plan->options.threads < THREADS ? plan->options.threads : THREADS;
    const int64_t l2 = (int64_t)plan->options.machine->l2_kb * 1024, most = SCRATCH_MOST / threads;
    const int64_t each = 4 * (int64_t)c.side * c.side * (c.pitch + c.wide), all = winograd_tiles(s);
    const int64_t frequencies = (s->winograd + 2) * (s->winograd + 2);
    const int64_t filters = 4 * frequencies * s->in_c * s->out_c;
    int64_t fits = filters < l2 / 2 ? (l2 / 2 - filters) / each : l2 * 5 / 8 / each;
    if (all * each <= l2 * 3 / 4 && filters >= l2 / 2)
        fits = all;
    fits = fits < most / each ? fits : most / each;
    if (fits < t->pixels / 2) /* windows come from the L3 in any case */
        fits = t->pixels < SCRATCH_MOST / each ? t->pixels : SCRATCH_MOST / each;
    if (fits < t->pixels)
        return fits < 1 ? 1 : (int)fits;
    if (fits >= all)
        return (int)all;
    /* Each thread gets the same number of groups. */
    const int64_t groups = div_up(all, fits / t->pixels * t->pixels);
    return (int)div_up(all, groups > threads ? round_up(groups, threads) : groups);
}

/* Tiles that are transformed at once: a few register tiles if the filters stay in the L2 or nearly
 * so; otherwise more, because all filters are read again for each group.  With stride 2 there are
 * twice as many planes: windows come evenly from the L3, so use 1.5 times the L2, capped so that
 * the scratch of all threads, of four at most, stays below POLYPHASE_MOST. */
static int group_size(const Plan *plan, const rnc_conv_shape *s, const rnc_knobs *t)
{
    enum { POLYPHASE_MOST = 1500000, THREADS = 4 };
    const int64_t frequencies = (s->winograd + 2) * (s->winograd + 2);
    const int64_t filters = elems_bytes(ELEM_F32, frequencies * s->in_c * s->out_c);
    const int64_t l2 = (int64_t)plan->options.machine->l2_kb * 1024;
    if (is_mixed(s) || (filters > 2 * l2 && s->stride_h == 1))
        return WINOGRAD_GROUP;
    if (s->stride_h == 2) {
        const int threads = plan->options.threads < THREADS ? plan->options.threads : THREADS;
        const int64_t share = POLYPHASE_MOST / threads, near = l2 * 3 / 2;
        rnc_winograd_cut c;
        rnc_cut_winograd(s, t, &c);
        const int64_t each = (int64_t)c.side * c.side * (c.pitch + c.wide); /* floats of a tile */
        const int64_t fits = (share < near ? share : near) / elems_bytes(SCRATCH_ELEM, each);
        return fits < 1 ? 1 : (int)(fits > t->pixels ? fits / t->pixels * t->pixels : fits);
    }
    const int even = even_group(winograd_tiles(s), t->pixels);
    return even > 0                  ? even
           : t->pixels < GROUP_SMALL ? GROUP_SMALL / t->pixels * t->pixels
                                     : GROUP_SMALL;
}

static int group_of(const Plan *plan, const rnc_conv_shape *s, Isa isa, const rnc_knobs *t)
{
    return like_roomy(plan, isa) && !is_mixed(s) ? whole_group(plan, s, t) : group_size(plan, s, t);
}

/* Blocks of up to `pixels` tiles in all planes of a group of `units` tiles.  If tiles of two sizes
 * are mixed, a plane that small tiles do without has only the tiles that are whole along its side.
 */
static int64_t blocks_of(const rnc_conv_shape *s, const rnc_winograd_cut *c, int units, int pixels)
{
    const int spare = c->mixed ? s->stride_h : 0, kept = c->side - spare;
    if (!c->mixed)
        return (int64_t)c->side * c->side * div_up(units, pixels);
    const int y = c->y.full + c->y.less, x = c->x.full + c->x.less;
    return kept * kept * div_up((int64_t)units * y * x, pixels) +
           kept * spare * div_up((int64_t)units * y * c->x.full, pixels) +
           spare * kept * div_up((int64_t)units * c->y.full * x, pixels) +
           spare * spare * div_up((int64_t)units * c->y.full * c->x.full, pixels);
}

/* Cache lines of the next filters that each iteration of the products prefetches, so that at the
 * end of a panel all filters of the next one are there. */
static int filters_rate(const rnc_conv_shape *s, const rnc_knobs *t, int offered)
{
    rnc_winograd_cut c;
    rnc_cut_winograd(s, t, &c);
    const int64_t frequencies = (s->winograd + 2) * (s->winograd + 2);
    const int64_t width = s->out_c < s->panel ? s->out_c : s->panel;
    const int64_t columns = div_up(offered, t->vectors);
    return (int)div_up(frequencies * width * t->unroll,
                       16 * columns * blocks_of(s, &c, c.size + (c.longer > 0), t->pixels));
}

void winograd_knobs(const Plan *plan, const Step *step, Isa isa, rnc_knobs *t)
{
    const rnc_conv_shape *s = &step->shape.conv;
    const Liking *like = &likings[isa];
    like_registers(s, isa, t);
    t->unroll = 4;
    if (s->in_c <= SHORT_SUM && like->short_sums && s->stride_h == 1 &&
        even_group(winograd_tiles(s), like->short_sums / t->vectors) > 0)
        t->pixels = like->short_sums / t->vectors;
    t->group = group_of(plan, s, isa, t);
    t->prefetch_input = like_sums_prefetch(plan, isa);
    t->depth = block_depth(s->in_c, s->in_c, like_depth(plan, isa, true));
    t->memory_broadcasts = like_sums_broadcasts(t, isa);
    if (like->prefetch_weights)
        t->prefetch_weights = filters_rate(s, t, panel_vectors(s, isa));
}

/* Takes half the tiles at a time.  If an image has tiles of two sizes, the group stays as it is:
 * other groups would mean other tiles, and other results. */
static bool winograd_shrink(const rnc_conv_shape *s, Isa isa, rnc_knobs *t)
{
    enum { LEAST = 7 }; /* tiles: fewer do not fill a register tile */
    rnc_winograd_cut c;
    rnc_cut_winograd(s, t, &c);
    const int half = rnc_div_up(c.size + (c.longer > 0), 2);
    if (c.mixed || half < LEAST)
        return false;
    t->group = half;
    if (t->prefetch_weights > 0)
        t->prefetch_weights = filters_rate(s, t, panel_vectors(s, isa));
    return true;
}

/* ---- what it costs ---- */

rnc_conv_shape winograd_shape(const Node *node, int m)
{
    const Type in = node->in[0]->type, out = node->type;
    return (rnc_conv_shape){.images = out.n,
                            .out_h = out.h,
                            .out_w = out.w,
                            .out_c = out.c,
                            .in_c = in.c,
                            .stride_h = node->attrs.stride[0],
                            .dilation_h = node->attrs.dilation[0],
                            .dilation_w = node->attrs.dilation[1],
                            .panel = PANEL,
                            .winograd = m};
}

/* Groups that the fastest instruction set makes. */
static double groups_of(const Plan *plan, const Node *node, const Method *self)
{
    const Isa isa = machine_isa(plan->options.machine, plan->options.isas);
    const rnc_conv_shape s = winograd_shape(node, self->side);
    rnc_knobs t = {.pixels = likings[isa].pixels};
    t.group = group_of(plan, &s, isa, &t);
    return (double)winograd_groups(&s, &t);
}

/* F(2 x 2, 3 x 3) with stride 1 takes longer than is counted where weights come over a mesh; the
 * cause is not known. */
static const double SMALL_ON_MESH = 1.1;

/* Counts products, transforms, and the reading of the filters.  The first group reads them from
 * memory or the L3 (seconds_to_read()), others from the L3 unless they stay in the L2.  With stride
 * 2 several planes use the same filters, so that they are fetched in less even order.  A training
 * makes and stores them in each step. */
static double winograd_seconds(const Plan *plan, const Node *node, const Method *self)
{
    const int m = self->side;
    const Machine *machine = plan->options.machine;
    const Type in = node->in[0]->type, out = node->type;
    const double channels = (double)in.c * out.c, filters = (m + 2) * (m + 2) * channels;
    const WinogradImages images = winograd_images(node);
    const double products =
        (double)images.n * (double)winograd_image_products(m, node->attrs.stride[0], images.h,
                                                           images.w, WINOGRAD_GROUP);
    const double operations = products * 2.0 * channels / reach_of(plan)->products;
    const double bytes = rnc_weight_bytes(weights_type_of(plan, self)) * filters;
    const double rate = bytes < 1024.0 * machine->l3_kb ? machine->l3 : machine->streams;
    const bool stay = bytes < 0.5 * 1024.0 * machine->l2_kb;
    const double again = stay ? 0.0 : groups_of(plan, node, self) - 1.0;
    const double made = plan->training ? bytes / ((stay ? machine->l2 : rate) * 1e9) : 0.0;
    const double evenly = node->attrs.stride[0] == 2 ? reach_of(plan)->strided : 1.0;
    const bool small = m == 2 && node->attrs.stride[0] == 1 && has_mesh(machine);
    return made + (small ? SMALL_ON_MESH : 1.0) *
                      overlapped(operations / peak_of(plan) +
                                     winograd_transforms(plan, m, node->attrs.stride[0],
                                                         products * in.c, products * out.c),
                                 seconds_to_read(plan, self, filters) / evenly +
                                     again * bytes / (rate * 1e9));
}

/* ---- weights: filters of 3x3 taps, transformed ----
 *
 * With the points p of kernels/f32/winograd.h, which are exact in binary, the taps g of a row
 * become (g0 + g1 p + g2 p^2) / N(p), N(p) the product of p - q over the other points q, and g2 at
 * infinity.  The columns of the result are transformed likewise (Winograd 1980; Lavin and Gray,
 * CVPR 2016, with the factors moved to the filters).  With stride 2 even pixels meet g0 and g2, as
 * (g0 + g2 p) / N(p), and odd ones g1 as it is.  The sums are computed in double and rounded once.
 */

enum { TAPS = 3, SIDE_MOST = 6, FREQUENCIES_MOST = SIDE_MOST * SIDE_MOST, PANEL_MOST = 32 };

/* G[m + 2][3]: taps to frequencies. */
static void transform_of(int m, int stride, double g[SIDE_MOST][TAPS])
{
    static const double points2[] = {0, 1, -1};
    static const double points4[] = {0, 0.75, -0.75, 1.5, -1.5};
    const double *points = m == 2 ? points2 : points4;
    const int n = m + 1;
    for (int i = 0; i < n; i++) {
        const double p = points[i];
        double norm = 1;
        for (int j = 0; j < n; j++)
            norm *= j == i ? 1 : p - points[j];
        g[i][0] = 1 / norm;
        g[i][1] = stride == 1 ? p / norm : 0;
        g[i][2] = stride == 1 ? p * p / norm : p / norm;
    }
    g[n][0] = 0;
    g[n][1] = stride == 1 ? 0 : 1;
    g[n][2] = stride == 1 ? 1 : 0;
}

/* Transforms the filters of a panel for one input channel, from taps[k][filter] to
 * block[frequency][filter].  All loops over filters have the same length, so that the compiler can
 * vectorise them. */
typedef double Lane[PANEL_MOST];

static void transform(double (*g)[TAPS], int side, Lane *taps, float (*block)[PANEL_MOST])
{
    Lane rows[SIDE_MOST][TAPS];
    for (int i = 0; i < side; i++) {
        for (int x = 0; x < TAPS; x++) {
            for (int o = 0; o < PANEL_MOST; o++)
                rows[i][x][o] = g[i][0] * taps[x][o] + g[i][1] * taps[TAPS + x][o] +
                                g[i][2] * taps[2 * TAPS + x][o];
        }
    }
    for (int i = 0; i < side; i++) {
        for (int j = 0; j < side; j++, block++) {
            for (int o = 0; o < PANEL_MOST; o++)
                (*block)[o] = (float)(rows[i][0][o] * g[j][0] + rows[i][1][o] * g[j][1] +
                                      rows[i][2][o] * g[j][2]);
        }
    }
}

int64_t packed_winograd(const Step *step)
{
    const rnc_conv_shape *s = &step->shape.conv;
    const int side = s->winograd + 2;
    return ((int64_t)side * side * s->in_c + 1) * s->out_c;
}

void pack_winograd(const Step *step, float *to)
{
    const rnc_conv_shape *s = &step->shape.conv;
    Param *const *params = step->node->params;
    const float *weight = param_floats(params[P_WEIGHT]);
    const float *bias = param_floats(params[P_BIAS]);
    const int filters = step->node->attrs.filters, side = s->winograd + 2;
    double g[SIDE_MOST][TAPS];
    transform_of(s->winograd, s->stride_h, g);
    for (int first = 0; first < s->out_c; first += s->panel) {
        const int width = s->out_c - first < s->panel ? s->out_c - first : s->panel;
        const int real = filters - first < width ? filters - first : width;
        float block[FREQUENCIES_MOST][PANEL_MOST];
        Lane taps[TAPS * TAPS] = {{0}};
        for (int i = 0; i < width; i++)
            to[i] = bias && i < real ? bias[first + i] : 0.0f;
        to += width;
        for (int c = 0; c < s->in_c; c++) {
            for (int i = 0; i < real; i++) {
                const float *from = weight + ((int64_t)(first + i) * s->in_c + c) * TAPS * TAPS;
                for (int k = 0; k < TAPS * TAPS; k++)
                    taps[k][i] = (double)from[k];
            }
            transform(g, side, taps, block);
            for (int f = 0; f < side * side; f++)
                memcpy(to + ((int64_t)f * s->in_c + c) * width, block[f],
                       (size_t)width * sizeof *to);
        }
        to += (int64_t)side * side * s->in_c * width;
    }
}

static const Trial trials[] = {
    {KNOB_group, {7, 10, 14, 20, 28, 50}},
    {KNOB_unroll, {2, 4, 8, TRIAL_END}},
    {KNOB_depth, {0, 96, 128, 192, TRIAL_END}},
    {KNOB_prefetch_weights, {0, 1, 2, TRIAL_END}},
    {KNOB_prefetch_input, {0, 1, TRIAL_END}},
    {KNOB_memory_broadcasts, {0, 50, 75, 100, TRIAL_END}},
    {KNOB_split, {0, 1, TRIAL_END}},
    {0, {TRIAL_END}},
};

#define WINOGRAD_ROW(m, e, h)                                                                      \
    {                                                                                              \
        .word = "winograd " #m, .kernel = KERNEL_conv_winograd, .side = m, .fits = winograd_fits,  \
        .seconds = winograd_seconds, .weights = winograd_weights, .halves = true, .half_error = h, \
        .reads_halo = true, .error = e, .by_pixel = true, .set_knobs = winograd_knobs,             \
        .share = share_scratch, .pieces = winograd_groups, .scratch = winograd_scratch,            \
        .by_steps = true, .shrink = winograd_shrink, .multiplications = winograd_multiplications,  \
        .knobs = KNOB_BIT(pixels) | KNOB_BIT(vectors) | KNOB_BIT(group) | KNOB_BIT(unroll) |       \
                 KNOB_BIT(memory_broadcasts) | KNOB_BIT(prefetch_weights) |                        \
                 KNOB_BIT(prefetch_input) | KNOB_BIT(depth) | KNOB_BIT(split),                     \
        .wide = registers_wide, .narrow = registers_narrow, .trials = trials                       \
    }

const Method method_conv_winograd2 = WINOGRAD_ROW(2, 12, 16);
const Method method_conv_winograd4 = WINOGRAD_ROW(4, 96, 205);
