/* method.c: by which method a convolution is computed: the cost model.
 *
 * The time of a method is made of that of its arithmetic at the machine's peak and that of
 * reading its weights: weights stream past once an inference, and the next are fetched
 * while these are used.  The two overlap, but not wholly; the root of the sum of their squares
 * is within 10 % of what was measured (docs/kernels-notes.md).  Winograd's method has (m + 2)^2
 * products for m^2 outputs, of stride 2 (2 m + 1)^2, but (m + 2)^2 times the weights
 * of one tap, and transforms windows and products; so the larger the picture the
 * larger the m that pays, and a machine that reads slowly takes smaller ones.  From plain taps it
 * reads no more than the direct method, but transforms them again each time.
 *
 * A tuning that was measured goes before the model.  Both only choose; every choice gives
 * right results.
 */
#include "plan/plan_parts.h"
#include "plan/tuning.h"

#include <math.h>

const Machine machine_rows[MACHINE_COUNT] = {
#define MACHINE(id, name, gflops, l2, l3, dram, l2_kb, l3_kb, doc) \
    {name, gflops, l2, l3, dram, l2_kb, l3_kb, doc},
#include "plan/machine.def"
};

/* Of the peak: what the loops reach where all they read is at hand; numbers of the
 * transforms a frequency, a tile and a channel, in operations of the peak that take
 * as long. */
static const double DIRECT_REACHES = 0.93, PRODUCTS_REACH = 0.90;
static const double FORWARD_OPERATIONS = 8.0, BACK_OPERATIONS = 7.0;
/* Of plain taps, in operations of the peak an input and an output channel: a tile whose filters are
 * made in registers, products and all; filters made once for a group of tiles, by way of scratch;
 * what the products of these reach, and how many times longer that is called than it takes: what
 * others read from memory costs more in the model than on most machines. */
static const double TAPS_OPERATIONS = 240.0, FILTER_OPERATIONS = 290.0, BLOCKS_REACH = 0.80;
static const double TAPS_CALLED = 1.15;

/* Weights are read from memory where those of the whole network do not stay in the L3. */
static double weights_bandwidth(const Plan *plan)
{
    const Machine *machine = plan->options.machine;
    const double bytes = 4.0 * (double)plan->parameters;
    return (bytes > 1024.0 * machine->l3_kb * 0.5 ? machine->dram : machine->l3) * 1e9;
}

static double overlapped(double arithmetic, double reading)
{
    return sqrt(arithmetic * arithmetic + reading * reading);
}

/* Of a 3x3 convolution: the m of Winograd's method, 0: directly; from plain taps. */
typedef struct Method {
    int m;
    bool taps;
} Method;

static double seconds(const Plan *plan, const Node *node, Method method)
{
    const int m = method.m;
    const Type in = node->in[0]->type, out = node->type;
    const double peak = plan->options.machine->gflops * 1e9, channels = (double)in.c * out.c;
    const double pixels = (double)out.n * out.h * out.w;
    if (m == 0)
        return overlapped(2.0 * 9.0 * channels * pixels / (peak * DIRECT_REACHES),
                          4.0 * 9.0 * channels / weights_bandwidth(plan));
    const double products =
        (double)out.n *
        (double)winograd_image_products(m, node->attrs.stride[0], out.h, out.w, WINOGRAD_GROUP);
    const double transforms = FORWARD_OPERATIONS * in.c + BACK_OPERATIONS * out.c;
    if (method.taps) {
        const double tiles = (double)out.n * (double)winograd_image_tiles(m, out.h, out.w);
        const double groups = ceil(tiles / WINOGRAD_GROUP);
        const double reading = 4.0 * 9.0 * channels / weights_bandwidth(plan);
        if (tiles <= TAPS_IN_REGISTERS)
            return overlapped(tiles * TAPS_OPERATIONS * channels / peak, reading);
        return TAPS_CALLED * overlapped((products * (2.0 * channels / BLOCKS_REACH + transforms) +
                                         groups * FILTER_OPERATIONS * channels) /
                                            peak,
                                        reading);
    }
    return overlapped(products * (2.0 * channels / PRODUCTS_REACH + transforms) / peak,
                      4.0 * (m + 2) * (m + 2) * channels / weights_bandwidth(plan));
}

bool winograd_fits(const Plan *plan, const Node *node)
{
    const Attrs *a = &node->attrs;
    return node->op == OP_CONV && a->kernel[0] == 3 && a->kernel[1] == 3 && a->stride[0] <= 2 &&
           a->stride[1] == a->stride[0] && a->dilation[0] == 1 && a->dilation[1] == 1 &&
           a->groups == 1 && node->in[0]->type.c % WINOGRAD_CHANNELS == 0 &&
           lanes_of(plan, node->type.c) % WINOGRAD_CHANNELS == 0;
}

/* How much worse a method may be called for its larger weights: the time is taken as so
 * much longer for each time that it has the weights of the direct method again. */
static double toll(Optimize optimize)
{
    return optimize == OPTIMIZE_BALANCED ? 0.25 : 0.0;
}

static Method method_of(const Plan *plan, const Node *node)
{
    static const Method candidates[] = {{2, false}, {4, false}, {WINOGRAD_TAPS, true}};
    Method best = {0, false};
    if (plan->options.exact || plan->options.optimize == OPTIMIZE_SIZE ||
        plan->options.backend != BACKEND_NATIVE || !winograd_fits(plan, node))
        return best;
    const TuningRow *row = tuning_row(plan->options.tuning, node);
    if (row)
        return row->taps && node->attrs.stride[0] > 1 ? best : (Method){row->winograd, row->taps};
    double least = seconds(plan, node, best);
    for (size_t i = 0; i < sizeof candidates / sizeof *candidates; i++) {
        const Method c = candidates[i];
        if (c.taps && node->attrs.stride[0] > 1)
            continue;
        const double again = c.taps ? 0.0 : (c.m + 2) * (c.m + 2) / 9.0 - 1.0;
        const double cost = seconds(plan, node, c) * (1.0 + toll(plan->options.optimize) * again);
        if (cost < least) {
            least = cost;
            best = c;
        }
    }
    return best;
}

int winograd_of(const Plan *plan, const Node *node)
{
    const Method method = method_of(plan, node);
    return method.taps ? 0 : method.m;
}

bool winograd_taps_of(const Plan *plan, const Node *node)
{
    return method_of(plan, node).taps;
}

/* ---- in one dimension ---- */

/* Numbers transformed back, and forward, in operations of the peak; and how many times faster than
 * the direct method it must be: a stem of small windows gains microseconds, and a kernel more is
 * pasted for it. */
static const double BACK1D_OPERATIONS = 12.0, FORWARD1D_OPERATIONS = 12.0, LEAST_GAIN1D = 1.25;

bool winograd1d_fits(const Node *node)
{
    const Attrs *a = &node->attrs;
    return node->op == OP_CONV && a->groups == 1 && node->in[0]->type.c < WINOGRAD_CHANNELS &&
           a->stride[0] <= 2 && a->kernel[0] >= a->stride[0] && a->kernel[0] <= 4 * a->stride[0] &&
           a->dilation[0] == 1;
}

/* Products and transforms; the weights of a stem are no matter. */
static double seconds1d(const Plan *plan, const Node *node)
{
    const Attrs *a = &node->attrs;
    const Type in = node->in[0]->type, out = node->type;
    const rnc_conv_shape s = {.kernel_h = a->kernel[0], .stride_h = a->stride[0]};
    const int points = a->kernel[0] > 3 * a->stride[0] ? WINOGRAD1D_POINTS : WINOGRAD1D_PAIRED;
    const double rows = winograd1d_rows(&s), pixels = (double)out.w * out.c;
    const double products = 2.0 * rows * a->kernel[1] * in.c * pixels / PRODUCTS_REACH;
    const double forward = FORWARD1D_OPERATIONS * rows * out.w * a->stride[1] * in.c;
    const double back = BACK1D_OPERATIONS * points * pixels;
    const int down = (out.h + WINOGRAD1D_ROWS - 1) / WINOGRAD1D_ROWS;
    return (double)out.n * down * (products + forward + back) /
           (plan->options.machine->gflops * 1e9);
}

int winograd1d_of(const Plan *plan, const Node *node)
{
    const PlanOptions *o = &plan->options;
    if (o->exact || o->optimize == OPTIMIZE_SIZE || o->backend != BACKEND_NATIVE ||
        !winograd1d_fits(node))
        return 0;
    const TuningRow *row = tuning_row(o->tuning, node);
    if (row)
        return row->winograd == WINOGRAD1D_ROWS && !row->taps ? WINOGRAD1D_ROWS : 0;
    const Attrs *a = &node->attrs;
    const double direct =
        2.0 * (double)node_macs(node) * node->type.n / (o->machine->gflops * 1e9 * DIRECT_REACHES);
    const rnc_conv_shape s = {.kernel_h = a->kernel[0], .stride_h = a->stride[0]};
    const double again = (double)winograd1d_rows(&s) / a->kernel[0] - 1.0;
    const double cost = seconds1d(plan, node) * (1.0 + toll(o->optimize) * again);
    return cost * LEAST_GAIN1D < direct ? WINOGRAD1D_ROWS : 0;
}

/* ---- 1x1 by Strassen's method ---- */

/* Of the peak; input numbers summed, in operations of the peak that take as long; rows of weights
 * that take as long as the reading and writing of a register tile's sums; how many rows they wait
 * for at most; and how many times faster than the direct method it must be. */
static const double STRASSEN_REACHES = 0.945, SUM_OPERATIONS = 10.0, WAITING_ROWS = 5.0;
static const double DEPTH_MOST = 192.0, LEAST_GAIN = 1.055;

bool strassen_fits(const Plan *plan, const Node *node)
{
    const Attrs *a = &node->attrs;
    const Type out = node->type;
    const int *pad = a->padding;
    return node->op == OP_CONV && a->kernel[0] == 1 && a->kernel[1] == 1 && a->groups == 1 &&
           pad[0] == 0 && pad[1] == 0 && pad[2] == 0 && pad[3] == 0 &&
           (int64_t)out.n * out.h * out.w > 1 && node->in[0]->type.c % STRASSEN_CHANNELS == 0 &&
           lanes_of(plan, out.c) % STRASSEN_FILTERS == 0;
}

/* Seven products of quarters.  A half's channels pass in pieces of up to DEPTH_MOST rows. */
static double seconds_strassen(const Plan *plan, const Node *node)
{
    const Type in = node->in[0]->type, out = node->type;
    const double peak = plan->options.machine->gflops * 1e9, channels = (double)in.c * out.c;
    const double half = in.c / 2.0, rows = half / ceil(half / DEPTH_MOST);
    const double products = 2.0 * channels * STRASSEN_PRODUCTS / 8.0 * (1.0 + WAITING_ROWS / rows);
    const double pixels = (double)out.n * out.h * out.w;
    return overlapped(pixels * (products / STRASSEN_REACHES + SUM_OPERATIONS * in.c) / peak,
                      4.0 * STRASSEN_PRODUCTS / 4.0 * channels / weights_bandwidth(plan));
}

bool strassen_of(const Plan *plan, const Node *node)
{
    const PlanOptions *o = &plan->options;
    if (o->exact || o->optimize == OPTIMIZE_SIZE || o->backend != BACKEND_NATIVE ||
        !strassen_fits(plan, node))
        return false;
    const TuningRow *row = tuning_row(o->tuning, node);
    if (row)
        return row->strassen;
    /* Where inputs are expanded (SSE2) conv_direct alone does it. */
    if ((o->isas & ~(1u << ISA_portable | 1u << ISA_scalar)) == 0)
        return false;
    const Type in = node->in[0]->type, out = node->type;
    const double direct = overlapped(2.0 * (double)node_macs(node) * out.n /
                                         (o->machine->gflops * 1e9 * DIRECT_REACHES),
                                     4.0 * in.c * out.c / weights_bandwidth(plan));
    const double again = STRASSEN_PRODUCTS / 4.0 - 1.0;
    return seconds_strassen(plan, node) * (1.0 + toll(o->optimize) * again) * LEAST_GAIN < direct;
}

TuningRow step_method(const Step *step)
{
    return (TuningRow){.winograd = is_winograd(step->kernel) ? step->shape.conv.winograd : 0,
                       .taps = step->kernel == KERNEL_conv_winograd_taps,
                       .strassen = step->kernel == KERNEL_conv_strassen};
}
