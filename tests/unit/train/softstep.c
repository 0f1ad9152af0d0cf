/* softstep.c: see softstep.h. */
#include "softstep.h"

#include <math.h>
#include <stdbool.h>
#include <string.h>

enum {
    PIXELS = SOFT_SIDE * SOFT_SIDE,
    C = SOFT_CLASSES,
    N = C * PIXELS + C,
    KINDS = 4,
    SHARDS = 8
};

/* The state: parameters, velocities, averages, gradients so far, each N floats. */
typedef struct Soft {
    const rnc_train_info *info;
    rnc_ranks *ranks; /* or NULL */
    float *state;
    uint64_t updates;
    int batches; /* since the last update */
} Soft;

static float *part(const Soft *s, int kind)
{
    return s->state + kind * N;
}

static rnc_status init(Soft *s, const rnc_train_info *info, void *state, size_t bytes,
                       rnc_ranks *ranks)
{
    *s = (Soft){.info = info, .state = state, .ranks = ranks};
    return bytes < info->state_bytes ? RNC_E_STATE : RNC_OK;
}

static rnc_status use(void *net, rnc_isa isa)
{
    (void)net, (void)isa;
    return RNC_OK;
}

static const char *why(const void *net)
{
    (void)net;
    return "";
}

static rnc_status initialise(void *net, uint64_t seed)
{
    Soft *s = net;
    memset(s->state, 0, s->info->state_bytes);
    for (int i = 0; i < C * PIXELS; i++)
        s->state[i] = s->state[2 * N + i] = 0.01f * (float)((i * 7 + (int)seed) % 11 - 5);
    s->updates = 0;
    s->batches = 0;
    return RNC_OK;
}

/* Where tensor i begins: two of each kind. */
static float *tensor_at(const Soft *s, int i, size_t *n)
{
    *n = i % 2 ? C : C * PIXELS;
    return part(s, i / 2) + (i % 2 ? C * PIXELS : 0);
}

static rnc_status set(void *net, int tensor, const float *floats)
{
    size_t n;
    float *at = tensor_at(net, tensor, &n);
    memcpy(at, floats, n * sizeof *at);
    if (tensor < 2)
        memcpy(at + 2 * N, floats, n * sizeof *at);
    return RNC_OK;
}

static rnc_status get(const void *net, int tensor, float *floats)
{
    size_t n;
    const float *at = tensor_at(net, tensor, &n);
    memcpy(floats, at, n * sizeof *at);
    return RNC_OK;
}

static uint64_t updates(const void *net)
{
    return ((const Soft *)net)->updates;
}

static void set_updates(void *net, uint64_t n)
{
    ((Soft *)net)->updates = n;
    ((Soft *)net)->batches = 0;
}

static void scores(const float *w, const unsigned char *x, float *out)
{
    for (int k = 0; k < C; k++) {
        out[k] = w[C * PIXELS + k];
        for (int i = 0; i < PIXELS; i++)
            out[k] += w[k * PIXELS + i] * (float)x[i] / 255;
    }
}

/* The loss of one picture, and its gradient by the scores in place of them. */
static double loss_of(const Soft *s, const void *labels, int image, float *z, rnc_metrics *m)
{
    double sum = 0, most = (double)z[0], loss = 0;
    int best = 0;
    if (s->info == &soft_square_info) {
        const float *target = (const float *)labels + image * C;
        for (int k = 0; k < C; k++) {
            z[k] -= target[k];
            loss += (double)(z[k] * z[k]) / C;
            z[k] *= 2.0f / C;
        }
        return loss;
    }
    const int label = ((const int32_t *)labels)[image];
    for (int k = 1; k < C; k++) {
        if ((double)z[k] > most)
            most = (double)z[k], best = k;
    }
    for (int k = 0; k < C; k++)
        sum += exp((double)z[k] - most);
    loss = log(sum) + most - (double)z[label];
    m->hits += best == label;
    for (int k = 0; k < C; k++)
        z[k] = (float)(exp((double)z[k] - most) / sum) - (k == label ? 1.0f : 0.0f);
    return loss;
}

static void update(Soft *s, double rate)
{
    float *w = part(s, 0), *v = part(s, 1), *average = part(s, 2), *g = part(s, 3);
    for (int i = 0; i < N; i++) {
        v[i] = 0.9f * v[i] + g[i] / (float)s->info->accumulate;
        w[i] -= (float)rate * v[i];
        average[i] = 0.9f * average[i] + 0.1f * w[i];
        g[i] = 0;
    }
    s->updates++;
    s->batches = 0;
}

/* The gradient and the loss of images first .. end-1, one after the other. */
static bool add_images(const Soft *s, const void *const *inputs, int first, int end, float *g,
                       rnc_metrics *m)
{
    const unsigned char *pixels = inputs[0];
    for (int n = first; n < end; n++) {
        float z[C];
        scores(part(s, 0), pixels + n * PIXELS, z);
        if (!isfinite(z[0] + z[1] + z[2]))
            return false;
        m->loss += loss_of(s, inputs[1], n, z, m);
        for (int k = 0; k < C; k++) {
            for (int i = 0; i < PIXELS; i++)
                g[k * PIXELS + i] += z[k] * (float)pixels[n * PIXELS + i] / 255;
            g[C * PIXELS + k] += z[k];
        }
    }
    return true;
}

/* The first image of a rank's shard, which has as many whatever the batch has. */
static int shard_begin(int images, int shard)
{
    const int at = shard * (SOFT_BATCH / SHARDS);
    return at < images ? at : images;
}

/* Those of `count` shards of the images, from `first` on, by a tree. */
static bool add_shards(const Soft *s, const void *const *inputs, int images, int first, int count,
                       float *g, rnc_metrics *m)
{
    float right[N] = {0};
    rnc_metrics n = {0};
    if (count == 1)
        return add_images(s, inputs, shard_begin(images, first), shard_begin(images, first + 1), g,
                          m);
    if (!add_shards(s, inputs, images, first, count / 2, g, m) ||
        !add_shards(s, inputs, images, first + count / 2, count / 2, right, &n))
        return false;
    for (int i = 0; i < N; i++)
        g[i] += right[i];
    m->loss += n.loss;
    m->hits += n.hits;
    return true;
}

static rnc_status step(void *net, const void *const *inputs, int images, double rate,
                       rnc_metrics *m)
{
    Soft *s = net;
    const int ranks = s->ranks ? s->ranks->count : 1;
    float g[N] = {0};
    int all[SHARDS] = {images}, sum = 0, bad = 0;
    *m = (rnc_metrics){.images = images, .bad = -1};
    if (images < (ranks == 1) || images > SOFT_BATCH)
        return RNC_E_STATE;
    int good = add_shards(s, inputs, images, 0, SHARDS / ranks, g, m);
    if (s->ranks) {
        int shown[SHARDS] = {0};
        shown[s->ranks->rank] = !good;
        all[s->ranks->rank] = images;
        s->ranks->gather(s->ranks, all, sizeof *all);
        s->ranks->gather(s->ranks, shown, sizeof *shown);
        s->ranks->finish(s->ranks, s->ranks->start(s->ranks, g, N));
        for (int i = 0; i < ranks; i++)
            bad |= shown[i];
    }
    if (!good || bad) {
        m->bad = 0;
        return RNC_OK;
    }
    for (int i = 0; i < ranks; i++)
        sum += all[i];
    for (int i = 0; i < N; i++)
        part(s, 3)[i] += g[i] / (float)sum;
    if (++s->batches == s->info->accumulate)
        update(s, rate);
    return RNC_OK;
}

static rnc_status evaluate(void *net, const void *const *inputs, int images, void *const *outputs,
                           rnc_metrics *m)
{
    const Soft *s = net;
    const unsigned char *pixels = inputs[0];
    *m = (rnc_metrics){.images = images, .bad = -1};
    double losses[SHARDS] = {0};
    const int shards = SHARDS / (s->ranks ? s->ranks->count : 1);
    for (int k = 0, n = 0; k < shards; k++) {
        for (; n < shard_begin(images, k + 1); n++) {
            float z[C];
            scores(part(s, 2), pixels + n * PIXELS, z);
            if (outputs && outputs[0])
                memcpy((float *)outputs[0] + n * C, z, sizeof z);
            losses[k] += loss_of(s, inputs[1], n, z, m);
        }
    }
    for (int gap = 1; gap < shards; gap *= 2) {
        for (int k = 0; k < shards; k += 2 * gap)
            losses[k] += losses[k + gap];
    }
    m->loss = losses[0];
    return RNC_OK;
}

static void trace(void *net, rnc_trace_hook hook, void *context)
{
    (void)net, (void)hook, (void)context;
}

#define TENSOR(kind, trained)                               \
    {"dense1.weight", kind, trained, 2, {C, PIXELS, 0, 0}}, \
    {                                                       \
        "dense1.bias", kind, trained, 1,                    \
        {                                                   \
            C, 0, 0, 0                                      \
        }                                                   \
    }
static const rnc_tensor_info tensors[] = {TENSOR(RNC_ROLE_PARAMETER, 1), TENSOR(RNC_ROLE_FIRST, 0),
                                          TENSOR(RNC_ROLE_AVERAGE, 0),
                                          TENSOR(RNC_ROLE_GRADIENT, 0)};
static const rnc_port_info ports[] = {
    {"image", RNC_ELEM_U8, RNC_ORDER_NCHW, SOFT_BATCH, SOFT_SIDE, SOFT_SIDE, 1, NULL, 0},
    {"labels", RNC_ELEM_I32, RNC_ORDER_NCHW, SOFT_BATCH, 1, 1, 1, NULL, 0}};
static const rnc_port_info square_ports[] = {
    {"image", RNC_ELEM_U8, RNC_ORDER_NCHW, SOFT_BATCH, SOFT_SIDE, SOFT_SIDE, 1, NULL, 0},
    {"target", RNC_ELEM_F32, RNC_ORDER_NCHW, SOFT_BATCH, 1, 1, C, NULL, 0}};
static const rnc_port_info out[] = {
    {"scores", RNC_ELEM_F32, RNC_ORDER_NCHW, SOFT_BATCH, 1, 1, C, NULL, 0}};
static const rnc_train_layer layers[] = {{"dense1", "", "soft.net:3"}};
static const char *const parts[] = {""}, *const kernels[] = {"dense"};
static const int step_layers[] = {0};
static const unsigned char step_parts[] = {0}, step_kernels[] = {0};

#define SOFT(which, input_ports, number, updated)                                           \
    static rnc_status which##_init(void *net, void *state, size_t state_bytes, void *arena, \
                                   size_t arena_bytes, rnc_pool *pool, rnc_ranks *ranks)    \
    {                                                                                       \
        (void)arena, (void)arena_bytes, (void)pool;                                         \
        return init(net, &which, state, state_bytes, ranks);                                \
    }                                                                                       \
    const rnc_train_info which = {.name = "soft",                                           \
                                  .n_inputs = 2,                                            \
                                  .n_outputs = 1,                                           \
                                  .inputs = input_ports,                                    \
                                  .outputs = out,                                           \
                                  .ranks = 1,                                               \
                                  .accumulate = updated,                                    \
                                  .n_steps = 1,                                             \
                                  .layers = layers,                                         \
                                  .parts = parts,                                           \
                                  .kernels = kernels,                                       \
                                  .step_layers = step_layers,                               \
                                  .step_parts = step_parts,                                 \
                                  .step_kernels = step_kernels,                             \
                                  .n_tensors = 2 * KINDS,                                   \
                                  .tensors = tensors,                                       \
                                  .state_bytes = KINDS * N * sizeof(float),                 \
                                  .arena_bytes = 64,                                        \
                                  .arena_bound = 64,                                        \
                                  .engine_bytes = sizeof(Soft),                             \
                                  .rate = 0.1,                                              \
                                  .plan = number,                                           \
                                  .init = which##_init,                                     \
                                  .use = use,                                               \
                                  .why = why,                                               \
                                  .initialise = initialise,                                 \
                                  .set = set,                                               \
                                  .get = get,                                               \
                                  .updates = updates,                                       \
                                  .set_updates = set_updates,                               \
                                  .step = step,                                             \
                                  .evaluate = evaluate,                                     \
                                  .trace = trace}
SOFT(soft_info, ports, 1, 1);
SOFT(soft_two_info, ports, 2, 2);
SOFT(soft_square_info, square_ports, 3, 1);
