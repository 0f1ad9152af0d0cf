/* conv_strassen.c: 1x1 convolution by Strassen's method: seven products of quarters instead of
 * eight. */
#include "kernels/cuts_strassen.h"
#include "plan/methods/method_parts.h"

/* Constants of the cost model.  Summing one input number takes as long as SUM_OPERATIONS
 * operations at the peak.  Reading and writing the sums of a register tile takes as long as
 * WAITING_ROWS rows of weights; a block has at most DEPTH_MOST rows.  The method must be
 * LEAST_GAIN times as fast as the direct one. */
static const double SUM_OPERATIONS = 10.0, WAITING_ROWS = 5.0;
static const double DEPTH_MOST = 192.0, LEAST_GAIN = 1.055;

/* It fits 1x1 convolutions without padding whose inputs have whole vectors in each half, and whose
 * outputs have whole panels in each half. */
static bool strassen_fits(const Plan *plan, const Node *node)
{
    enum { CHANNELS = 32, FILTERS = 64 };
    const Attrs *a = &node->attrs;
    const Type out = node->type;
    const int *pad = a->padding;
    return node->op == OP_CONV && a->kernel[0] == 1 && a->kernel[1] == 1 && a->groups == 1 &&
           pad[0] == 0 && pad[1] == 0 && pad[2] == 0 && pad[3] == 0 &&
           (int64_t)out.n * out.h * out.w > 1 && node->in[0]->type.c % CHANNELS == 0 &&
           lanes_of(plan, out.c) % FILTERS == 0;
}

/* The channels of a half are summed in blocks of up to DEPTH_MOST rows.  For SSE2, only
 * conv_direct expands its inputs, so this method is not used. */
static double strassen_seconds(const Plan *plan, const Node *node, const Method *self)
{
    (void)self;
    if ((plan->options.isas & ~(1u << ISA_portable | 1u << ISA_scalar)) == 0)
        return HUGE_VAL;
    const Type in = node->in[0]->type, out = node->type;
    const double channels = (double)in.c * out.c;
    const double half = in.c / 2.0, rows = half / ceil(half / DEPTH_MOST);
    const double products = 2.0 * channels * STRASSEN_PRODUCTS / 8.0 * (1.0 + WAITING_ROWS / rows);
    const double pixels = (double)out.n * out.h * out.w;
    return overlapped(pixels * (products / reach_of(plan)->strassen + SUM_OPERATIONS * in.c) /
                          peak_of(plan),
                      seconds_to_read(plan, self, STRASSEN_PRODUCTS / 4.0 * channels));
}

static double strassen_weights(const Node *node, const Method *self)
{
    (void)node;
    (void)self;
    return STRASSEN_PRODUCTS / 4.0;
}

/* ---- what there is to compute and to keep ---- */

static int64_t strassen_strips(const rnc_conv_shape *s, const rnc_knobs *t)
{
    rnc_strassen_cut c;
    rnc_cut_strassen(s, t, &c);
    return c.strips;
}

static int64_t strassen_scratch(const rnc_conv_shape *s, const rnc_knobs *t)
{
    rnc_strassen_cut c;
    rnc_cut_strassen(s, t, &c);
    return c.floats;
}

/* There are seven products for a pair of pixels, and four for the last of an odd number of pixels.
 */
int64_t strassen_products(const rnc_conv_shape *s, int group)
{
    const rnc_knobs t = {.group = group};
    rnc_strassen_cut c;
    rnc_cut_strassen(s, &t, &c);
    const int64_t each = c.pixels / c.strips, longer = c.pixels % c.strips;
    const int64_t shorter = each / 2 * STRASSEN_PRODUCTS + each % 2 * 4;
    const int64_t more = (each + 1) / 2 * STRASSEN_PRODUCTS + (each + 1) % 2 * 4;
    return (c.strips - longer) * shorter + longer * more;
}

static int64_t strassen_multiplications(const Step *step)
{
    const rnc_conv_shape *s = &step->shape.conv;
    return strassen_products(s, widest_group(step)) * s->in_c / 2 * step->node->attrs.filters / 2 /
           s->images;
}

/* Strips are short enough that their sums stay in the L2 or nearly so, and long enough that the
 * weights are seldom read from memory again.  They are half as long with larger strides, where the
 * input is copied as well.  The channels of a half are divided into blocks as in conv_direct. */
static void strassen_knobs(const Plan *plan, const Step *step, Isa isa, rnc_knobs *t)
{
    enum { STRIP = 196 };
    const rnc_conv_shape *s = &step->shape.conv;
    const Liking *like = &likings[isa];
    const int strip = s->stride_w > 1 ? STRIP / 2 : STRIP;
    const int half = s->in_c / 2, depth = like_depth(plan, isa, s->out_w <= SMALL_ROW);
    like_registers(s, isa, t);
    t->unroll = like->unroll;
    t->group = strip;
    t->prefetch_output = like->prefetch_output;
    t->memory_broadcasts = like_sums_broadcasts(t, isa);
    t->prefetch_input = like_sums_prefetch(plan, isa);
    t->depth = block_depth(half, half, depth);
    if (like->prefetch_weights) {
        rnc_strassen_cut c;
        rnc_cut_strassen(s, t, &c);
        const int longest = c.pixels < strip ? c.pixels : strip;
        const int columns = panel_vectors(s, isa) / t->vectors;
        const int64_t tiles = div_up(div_up(longest, 2), t->pixels) * columns;
        t->prefetch_weights = (int)div_up(t->unroll * s->panel / 16, tiles > 0 ? tiles : 1);
    }
}

/* ---- weights: sums of the quarters of the matrix of filters ----
 *
 * B11 are the weights from the first half of the input channels to the first half of the outputs,
 * B12 those to the second half, B21 and B22 those from the second half of the inputs.  In the order
 * of the products (kernels/f32/conv_strassen.c): B11, B21, T2, T3, -T4, T1, B22, with T1 = B12 -
 * B11, T2 = B22 - T1, T3 = B22 - B12, T4 = T2 - B21 (Winograd 1971), in double and rounded once.
 */

/* The seven sums of four weights, one from each quarter. */
static void sums_of(double b11, double b12, double b21, double b22, float sums[STRASSEN_PRODUCTS])
{
    const double t1 = b12 - b11, t2 = b22 - t1;
    sums[0] = (float)b11;
    sums[1] = (float)b21;
    sums[2] = (float)t2;
    sums[3] = (float)(b22 - b12);
    sums[4] = (float)(b21 - t2);
    sums[5] = (float)t1;
    sums[6] = (float)b22;
}

/* Weight [o][c]; 0 after the last filter. */
static double weight_of(const Step *step, int o, int c)
{
    const Node *node = step->node;
    if (o >= node->attrs.filters)
        return 0;
    return (double)param_floats(node->params[P_WEIGHT])[(int64_t)o * step->shape.conv.in_c + c];
}

/* Packs inputs k .. k+n-1 of each half, for a panel of each half of the outputs. */
static void pack_halves(const Step *step, int first, int k, int n, float *to)
{
    const rnc_conv_shape *s = &step->shape.conv;
    const int half = s->in_c / 2, right = s->out_c / 2;
    for (int i = 0; i < s->panel; i++) {
        const int o = first + i;
        for (int c = k; c < k + n; c++) {
            float sums[STRASSEN_PRODUCTS];
            sums_of(weight_of(step, o, c), weight_of(step, right + o, c),
                    weight_of(step, o, half + c), weight_of(step, right + o, half + c), sums);
            for (int p = 0; p < STRASSEN_PRODUCTS; p++)
                to[((int64_t)p * half + c) * s->panel + i] = sums[p];
        }
    }
}

int64_t packed_strassen(const Step *step)
{
    const rnc_conv_shape *s = &step->shape.conv;
    return ((int64_t)STRASSEN_PRODUCTS * s->in_c / 2 + 2) * s->out_c / 2;
}

void pack_strassen(const Step *step, float *to)
{
    enum { ROWS = 16 }; /* they fill a cache line that is read; those written stay in a cache */
    const rnc_conv_shape *s = &step->shape.conv;
    const float *bias = param_floats(step->node->params[P_BIAS]);
    const int half = s->in_c / 2, right = s->out_c / 2;
    for (int first = 0; first < right; first += s->panel) {
        for (int i = 0; i < 2 * s->panel; i++) {
            const int o = i < s->panel ? first + i : right + first + i - s->panel;
            *to++ = bias && o < step->node->attrs.filters ? bias[o] : 0.0f;
        }
        for (int k = 0; k < half; k += ROWS)
            pack_halves(step, first, k, half - k < ROWS ? half - k : ROWS, to);
        to += (int64_t)STRASSEN_PRODUCTS * half * s->panel;
    }
}

static const Trial trials[] = {
    {KNOB_group, {49, 98, 128, 196, 256, TRIAL_END}},
    {KNOB_unroll, {1, 2, 4, 8, TRIAL_END}},
    {KNOB_prefetch_weights, {0, 1, 2, TRIAL_END}},
    {KNOB_prefetch_output, {0, 1, TRIAL_END}},
    {KNOB_memory_broadcasts, {0, 50, 75, 100, TRIAL_END}},
    {KNOB_prefetch_input, {0, 1, TRIAL_END}},
    {KNOB_depth, {0, 96, 128, 192, TRIAL_END}},
    {KNOB_split, {0, 1, TRIAL_END}},
    {0, {TRIAL_END}},
};

const Method method_conv_strassen = {
    .word = "strassen",
    .kernel = KERNEL_conv_strassen,
    .fits = strassen_fits,
    .error = 16,
    .seconds = strassen_seconds,
    .gain = LEAST_GAIN,
    .weights = strassen_weights,
    .by_pixel = true,
    .set_knobs = strassen_knobs,
    .share = share_scratch,
    .pieces = strassen_strips,
    .panels = 2,
    .scratch = strassen_scratch,
    .multiplications = strassen_multiplications,
    .knobs = KNOB_BIT(pixels) | KNOB_BIT(vectors) | KNOB_BIT(group) | KNOB_BIT(unroll) |
             KNOB_BIT(prefetch_weights) | KNOB_BIT(prefetch_output) | KNOB_BIT(memory_broadcasts) |
             KNOB_BIT(prefetch_input) | KNOB_BIT(depth) | KNOB_BIT(split),
    .wide = registers_wide,
    .narrow = registers_narrow,
    .trials = trials,
};
