/* conv_winograd1d.c: convolution of few input channels by Winograd's method in one dimension,
 * F(4, k) down the columns, with up to four taps a phase. */
#include "kernels/cuts_winograd1d.h"
#include "plan/methods/method_parts.h"

/* Constants of the cost model.  Transforming one number back, or forward, takes as long as this
 * many operations at the peak.  The method must be LEAST_GAIN times as fast as the direct one: a
 * stem with small windows would gain only microseconds, for one more kernel in the code. */
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
    const rnc_knobs t = {0};
    rnc_winograd1d_cut c;
    rnc_cut_winograd1d(&s, &t, &c);
    return c.rows;
}

static int rows_of(const Node *node)
{
    return winograd1d_rows(node->attrs.kernel[0], node->attrs.stride[0]);
}

/* Counts products and transforms; a stem has too few weights for their reading to count. */
static double winograd1d_seconds(const Plan *plan, const Node *node, const Method *self)
{
    (void)self;
    const Attrs *a = &node->attrs;
    const Type in = node->in[0]->type, out = node->type;
    const int points =
        a->kernel[0] > 3 * a->stride[0] ? RNC_WINOGRAD1D_POINTS : RNC_WINOGRAD1D_PAIRED;
    const double rows = rows_of(node), pixels = (double)out.w * out.c;
    const double products = 2.0 * rows * a->kernel[1] * in.c * pixels / reach_of(plan)->products;
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

static int64_t winograd1d_tiles(const rnc_conv_shape *s, const rnc_knobs *t)
{
    rnc_winograd1d_cut c;
    rnc_cut_winograd1d(s, t, &c);
    return c.tiles;
}

static int64_t winograd1d_scratch(const rnc_conv_shape *s, const rnc_knobs *t)
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

/* A group has as many pixels as the L1 holds products of, which is a few register tiles.  An
 * iteration takes one channel: with more, gcc moves sums between registers. */
static void winograd1d_knobs(const Plan *plan, const Step *step, Isa isa, rnc_knobs *t)
{
    enum { GROUP = 8 };
    (void)plan;
    like_registers(&step->shape.conv, isa, t);
    t->unroll = 1;
    t->group = t->pixels < GROUP ? GROUP : 2 * t->pixels;
    t->prefetch_output = likings[isa].prefetch_output;
    t->memory_broadcasts = like_broadcasts(plan, t, isa);
}

/* ---- weights: columns of filters, transformed ----
 *
 * With the points p of kernels/f32/conv_winograd1d.c, which are exact in binary, the taps g of a
 * phase, the even or the odd ones of a column where the stride is 2, become (g0 + g1 p + g2 p^2 +
 * g3 p^3) / N(p), N(p) the product of p - q over the other points q (Winograd 1980, with the
 * factors moved to the filters).  The sums are computed in double and rounded once.
 */

static const double points[RNC_WINOGRAD1D_POINTS] = {0.5, -0.5, 1.25, -1.25, 3, -3, 0};

/* Taps of a phase, `stride` floats apart, at point i of n. */
static double tap_at(const float *taps, int n_taps, int stride, int i, int n)
{
    double norm = 1, sum = 0;
    for (int j = 0; j < n; j++)
        norm *= j == i ? 1 : points[i] - points[j];
    for (int t = n_taps - 1; t >= 0; t--)
        sum = sum * points[i] + (double)taps[(int64_t)t * stride];
    return sum / norm;
}

/* Packs one point and phase of a panel, [kernel_w][in_c][width].  Only `real` of its channels from
 * `first` on exist. */
static void pack_row(const Step *step, int point, int phase, int first, int real, int width,
                     float *to)
{
    const rnc_conv_shape *s = &step->shape.conv;
    const float *weight = param_floats(step->node->params[P_WEIGHT]); /* OIHW */
    const int taps = (s->kernel_h - phase + s->stride_h - 1) / s->stride_h;
    const int points_of = taps > 3 ? RNC_WINOGRAD1D_POINTS : RNC_WINOGRAD1D_PAIRED;
    for (int x = 0; x < s->kernel_w; x++) {
        for (int c = 0; c < s->in_c; c++, to += width) {
            for (int i = 0; i < width; i++) {
                const float *from =
                    weight +
                    (((int64_t)(first + i) * s->in_c + c) * s->kernel_h + phase) * s->kernel_w + x;
                to[i] = i < real
                            ? (float)tap_at(from, taps, s->stride_h * s->kernel_w, point, points_of)
                            : 0.0f;
            }
        }
    }
}

int64_t packed_winograd1d(const Step *step)
{
    const rnc_conv_shape *s = &step->shape.conv;
    const int rows = winograd1d_rows(s->kernel_h, s->stride_h);
    return ((int64_t)rows * s->kernel_w * s->in_c + 1) * s->out_c;
}

void pack_winograd1d(const Step *step, float *to)
{
    const rnc_conv_shape *s = &step->shape.conv;
    const Param *param = step->node->params[P_BIAS];
    const float *bias = param_floats(param);
    const int filters = step->node->attrs.filters, rows = winograd1d_rows(s->kernel_h, s->stride_h);
    for (int first = 0; first < s->out_c; first += s->panel) {
        const int width = s->out_c - first < s->panel ? s->out_c - first : s->panel;
        const int real = filters - first < width ? filters - first : width;
        for (int i = 0; i < width; i++)
            to[i] = bias && i < real ? bias[first + i] : 0.0f;
        to += width;
        for (int row = 0; row < rows; row++) {
            pack_row(step, row / s->stride_h, row % s->stride_h, first, real, width, to);
            to += (int64_t)s->kernel_w * s->in_c * width;
        }
    }
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
    .error = 48,
    .seconds = winograd1d_seconds,
    .gain = LEAST_GAIN,
    .weights = winograd1d_weights,
    .reads_halo = true,
    .any_channels = true,
    .set_knobs = winograd1d_knobs,
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
