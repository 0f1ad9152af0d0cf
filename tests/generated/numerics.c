/* numerics.c: how far the outputs of one convolution are from what they should be, beside the
 * largest number in the input and the sum of the filter's magnitudes (docs/numerics.md).
 *
 *     numerics weights OUT IN K FILE          writes the filters, as safetensors
 *     numerics check OUT IN K STRIDE DILATION PAIRED WEIGHTS BOUND FINITE
 *
 *     numerics away OUT IN K WEIGHTS SPIKE BOUND
 *
 *     numerics spread OUT IN DILATION SIDE WEIGHTS BOUND
 *
 * The error of an output is counted in units of 2^-24 times the largest magnitude of the input
 * times the sum of the magnitudes of the output's filter; where the method mixes two filters
 * (PAIRED, Strassen), of the larger sum of the two.  Prints the largest error for each instruction
 * set of this CPU, and the largest of filters without zeros.  Ends with 1 if one is above BOUND, or
 * if an output is not finite though the largest magnitude times the largest of those sums is below
 * FINITE.  `away` has one pixel that is SPIKE: it ends with 1 if an output that does not read it is
 * off by more than BOUND units of its own ordinary numbers, or if one that reads it is not the NaN
 * or the infinity that it should be.  `spread` has a NaN in Winograd's method with tiles of SIDE x
 * SIDE outputs: it ends with 1 if an output is off by more than BOUND units that is in no window
 * with the NaN, whatever the tiles are; or, of 4 x 4, if none is NaN that does not read it (of 2 x
 * 2, whatever meets a number of the window reads it).
 */
#include <math.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#ifdef NET_HEADER
#include NET_HEADER
#endif

static uint64_t state = 1;

/* Uniform in -1..1, by Marsaglia's xorshift64. */
static float uniform(void)
{
    state ^= state << 13;
    state ^= state >> 7;
    state ^= state << 17;
    return (float)(state >> 40) / 8388608.0f - 1.0f;
}

/* Filters of four kinds: all weights; those of one input channel; those of one tap; one weight. The
 * fewer there are, the less of an outlier's error is hidden by the sum of their magnitudes. */
static float *make_filters(int out, int in, int k)
{
    float *w = calloc((size_t)out * (size_t)in * (size_t)(k * k), sizeof *w);
    for (int o = 0; w && o < out; o++) {
        const int channel = o / 4 % in, tap = o / 4 % (k * k);
        for (int c = 0; c < in; c++)
            for (int t = 0; t < k * k; t++) {
                const float x = uniform();
                if ((o % 2 == 0 || c == channel) && (o / 2 % 2 == 0 || t == tap))
                    w[(o * in + c) * k * k + t] = x;
            }
    }
    return w;
}

static int write_filters(const char *path, int out, int in, int k)
{
    char head[256];
    const size_t n = (size_t)out * (size_t)in * (size_t)(k * k);
    const int length = snprintf(head, sizeof head,
                                "{\"conv1.weight\":{\"dtype\":\"F32\",\"shape\":[%d,%d,%d,%d],"
                                "\"data_offsets\":[0,%zu]}}",
                                out, in, k, k, 4 * n);
    const uint64_t bytes = (uint64_t)length;
    const float *w = make_filters(out, in, k);
    FILE *f = fopen(path, "wb");
    return !(w && f && fwrite(&bytes, 8, 1, f) == 1 &&
             fwrite(head, 1, (size_t)length, f) == bytes && fwrite(w, sizeof *w, n, f) == n &&
             fclose(f) == 0);
}

#ifdef NET_HEADER
typedef struct Conv {
    int out, in, k, stride, dilation, paired;
    int h, w, out_h, out_w;
    const float *filters;
    float *image, *found;
    double worst, dense; /* errors of all filters, of those without zeros */
} Conv;

/* The output as it should be; *sum: of the magnitudes of its filter. */
static double expected(const Conv *c, int o, int y, int x, double *sum)
{
    double value = 0;
    *sum = 0;
    for (int i = 0; i < c->in; i++)
        for (int t = 0; t < c->k * c->k; t++) {
            const int row = y * c->stride + (t / c->k - (c->k - 1) / 2) * c->dilation;
            const int pixel = x * c->stride + (t % c->k - (c->k - 1) / 2) * c->dilation;
            const double w = (double)c->filters[(o * c->in + i) * c->k * c->k + t];
            *sum += fabs(w);
            if (row >= 0 && row < c->h && pixel >= 0 && pixel < c->w)
                value += w * (double)c->image[(i * c->h + row) * c->w + pixel];
        }
    return value;
}

static double largest(const Conv *c)
{
    double most = 0;
    for (int i = 0; i < c->in * c->h * c->w; i++)
        most = fmax(most, fabs((double)c->image[i]));
    return most;
}

static void compare(Conv *c)
{
    const double most = largest(c);
    for (int o = 0; o < c->out; o++)
        for (int y = 0; y < c->out_h; y++)
            for (int x = 0; x < c->out_w; x++) {
                double sum, other = 0;
                const double want = expected(c, o, y, x, &sum);
                if (c->paired)
                    expected(c, (o + c->out / 2) % c->out, y, x, &other);
                const double found = (double)c->found[(o * c->out_h + y) * c->out_w + x];
                const double error = fabs(found - want) / (fmax(sum, other) * most * 0x1p-24);
                if (!(error <= c->worst))
                    c->worst = error;
                if (o % 4 == 0 && !(error <= c->dense))
                    c->dense = error;
            }
}

/* Ordinary numbers, and `outliers` that are 1e6 times as large. */
static void draw(Conv *c, int outliers)
{
    const int n = c->in * c->h * c->w;
    for (int i = 0; i < n; i++)
        c->image[i] = uniform();
    for (int i = 0; i < outliers; i++)
        c->image[(int)((uniform() + 1) * 0.5f * (float)(n - 1))] = 1e6f * uniform();
}

/* The largest sum of a filter's magnitudes. */
static double heaviest(const Conv *c)
{
    double most = 0, sum;
    for (int o = 0; o < c->out; o++) {
        expected(c, o, 0, 0, &sum);
        most = fmax(most, sum);
    }
    return most;
}

/* Signs at random, all of the magnitude that is still to give finite outputs. */
static int overflows(Conv *c, void *net, double finite)
{
    const void *inputs[] = {c->image};
    void *outputs[] = {c->found};
    const float most = (float)(0.99 * finite / heaviest(c));
    int n = 0;
    for (int i = 0; i < c->in * c->h * c->w; i++)
        c->image[i] = uniform() < 0 ? -most : most;
    NET_INFO.run(net, NULL, inputs, outputs);
    for (int i = 0; i < c->out * c->out_h * c->out_w; i++)
        n += !isfinite(c->found[i]);
    return n;
}

/* An engine, and the convolution's filters and buffers; NULL if there is none. */
static void *ready(Conv *c, const char *weights)
{
    const rnc_port_info *in = &NET_INFO.inputs[0], *out = &NET_INFO.outputs[0];
    const size_t n = (size_t)(in->c * in->h * in->w), m = (size_t)(out->c * out->h * out->w);
    void *net = aligned_alloc(64, (NET_INFO.engine_bytes + 63) / 64 * 64);
    void *arena = aligned_alloc(64, (NET_INFO.arena_bytes + 63) / 64 * 64);
    static rnc_weights w;
    c->h = in->h, c->w = in->w, c->out_h = out->h, c->out_w = out->w;
    c->filters = make_filters(c->out, c->in, c->k);
    c->image = malloc(n * sizeof *c->image);
    c->found = malloc(m * sizeof *c->found);
    if (!net || !arena || !c->filters || !c->image || !c->found || rnc_weights_open(&w, weights) ||
        NET_INFO.init(net, &w, arena, NET_INFO.arena_bytes, NULL))
        return NULL;
    return net;
}

static int check(Conv *c, const char *weights, double bound, double finite)
{
    void *net = ready(c, weights);
    int bad = net == NULL;
    for (int isa = RNC_ISA_BEST + 1; net && isa <= RNC_ISA_SCALAR; isa++) {
        if (NET_INFO.use(net, (rnc_isa)isa) != RNC_OK)
            continue;
        const void *inputs[] = {c->image};
        void *outputs[] = {c->found};
        c->worst = c->dense = 0;
        state = 12345;
        for (int trial = 0; trial < TRIALS; trial++) {
            draw(c, trial % 3 == 0 ? 0 : trial % 3 == 1 ? 1 : 5);
            NET_INFO.run(net, NULL, inputs, outputs);
            compare(c);
        }
        const int infinite = overflows(c, net, finite);
        printf("%s %.3g %.3g", rnc_isa_name((rnc_isa)isa), c->worst, c->dense);
        printf(infinite ? ", %d outputs are not finite\n" : "\n", infinite);
        bad |= !(c->worst <= bound) || infinite > 0;
    }
    return bad;
}

/* Whether output (y, x) reads pixel (row, pixel). */
static int reads(const Conv *c, int y, int x, int row, int pixel)
{
    const int before = (c->k - 1) / 2;
    return row >= y - before && row < y - before + c->k && pixel >= x - before &&
           pixel < x - before + c->k;
}

/* How many outputs are wrong where one pixel of one channel is `spike`.  An output that does not
 * read it is as if it were not there; of those that do, NaN, infinities and their signs count. */
static int wrong_outputs(Conv *c, void *net, float spike, double bound)
{
    const int channel = 5, row = c->h / 2, pixel = c->w / 2;
    const void *inputs[] = {c->image};
    void *outputs[] = {c->found};
    int wrong = 0;
    for (int i = 0; i < c->in * c->h * c->w; i++)
        c->image[i] = uniform();
    c->image[(channel * c->h + row) * c->w + pixel] = spike;
    NET_INFO.run(net, NULL, inputs, outputs);
    for (int o = 0; o < c->out; o++)
        for (int y = 0; y < c->out_h; y++)
            for (int x = 0; x < c->out_w; x++) {
                double sum;
                const double want = expected(c, o, y, x, &sum);
                const double found = (double)c->found[(o * c->out_h + y) * c->out_w + x];
                if (!reads(c, y, x, row, pixel))
                    wrong += !(fabs(found - want) <= bound * 0x1p-24 * sum);
                else
                    wrong += isnan(found) != isnan(want) || (isinf(want) && !(found * want > 0));
            }
    return wrong;
}

static int away(Conv *c, const char *weights, float spike, double bound)
{
    void *net = ready(c, weights);
    int bad = net == NULL;
    for (int isa = RNC_ISA_BEST + 1; net && isa <= RNC_ISA_SCALAR; isa++) {
        if (NET_INFO.use(net, (rnc_isa)isa) != RNC_OK)
            continue;
        const int wrong = wrong_outputs(c, net, spike, bound);
        printf("%s %d outputs are wrong\n", rnc_isa_name((rnc_isa)isa), wrong);
        bad |= wrong > 0;
    }
    return bad;
}
/* Whether a tile of side x side outputs of Winograd's method can have output y and, in its window,
 * row `row`: both are in the same one of the images of every d-th row, not too far apart. */
static int share_window(int y, int row, int dilation, int side)
{
    return (y - row) % dilation == 0 && abs(y - row) <= side * dilation;
}

/* How many outputs a NaN reaches that it should not; *more: how many that do not read it. */
static int spread_outputs(Conv *c, void *net, int side, double bound, int *more)
{
    const int row = c->h / 2, pixel = c->w / 2, n = c->in * c->h * c->w;
    const void *inputs[] = {c->image};
    void *outputs[] = {c->found};
    int wrong = 0;
    *more = 0;
    for (int i = 0; i < n; i++)
        c->image[i] = uniform();
    c->image[(5 * c->h + row) * c->w + pixel] = NAN;
    NET_INFO.run(net, NULL, inputs, outputs);
    for (int o = 0; o < c->out; o++)
        for (int y = 0; y < c->out_h; y++)
            for (int x = 0; x < c->out_w; x++) {
                double sum;
                const double want = expected(c, o, y, x, &sum);
                const double found = (double)c->found[(o * c->out_h + y) * c->out_w + x];
                if (share_window(y, row, c->dilation, side) &&
                    share_window(x, pixel, c->dilation, side))
                    *more += isnan(found) && !isnan(want);
                else
                    wrong += !(fabs(found - want) <= bound * 0x1p-24 * sum);
            }
    return wrong;
}

static int spread(Conv *c, int side, const char *weights, double bound)
{
    void *net = ready(c, weights);
    int bad = net == NULL;
    for (int isa = RNC_ISA_BEST + 1; net && isa <= RNC_ISA_SCALAR; isa++) {
        if (NET_INFO.use(net, (rnc_isa)isa) != RNC_OK)
            continue;
        int more;
        const int wrong = spread_outputs(c, net, side, bound, &more);
        printf("%s %d outputs are wrong, %d are NaN\n", rnc_isa_name((rnc_isa)isa), wrong, more);
        bad |= wrong > 0 || (side == 4 && more == 0);
    }
    return bad;
}
#endif

int main(int argc, char **argv)
{
    if (argc == 6 && strcmp(argv[1], "weights") == 0)
        return write_filters(argv[5], atoi(argv[2]), atoi(argv[3]), atoi(argv[4]));
#ifdef NET_HEADER
    Conv c = {.stride = 1, .dilation = 1};
    if (argc > 4)
        c.out = atoi(argv[2]), c.in = atoi(argv[3]), c.k = atoi(argv[4]);
    if (argc == 11 && strcmp(argv[1], "check") == 0) {
        c.stride = atoi(argv[5]);
        c.dilation = atoi(argv[6]);
        c.paired = atoi(argv[7]);
        return check(&c, argv[8], atof(argv[9]), atof(argv[10]));
    }
    if (argc == 8 && strcmp(argv[1], "away") == 0)
        return away(&c, argv[5], strtof(argv[6], NULL), atof(argv[7]));
    if (argc == 8 && strcmp(argv[1], "spread") == 0) {
        c.k = 3, c.dilation = atoi(argv[4]);
        return spread(&c, atoi(argv[5]), argv[6], atof(argv[7]));
    }
#endif
    return 2;
}
