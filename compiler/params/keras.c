/* keras.c: the names that Keras gives to weights.
 *
 *   Keras 2   model_weights/conv1/conv1/kernel:0, or conv1/conv1/kernel:0
 *   Keras 3   conv1/conv1/kernel in .h5, layers/conv2d/vars/0 in .weights.h5, with
 *             the layer's name as an attribute of `vars`; conv1/kernel as a path
 *
 * The path of a model inside of a model comes first.  The name of a layer can itself have slashes:
 * conv1/bn/conv1/bn/gamma:0.
 */
#include "params/keras.h"

#include <ctype.h>
#include <stdlib.h>
#include <string.h>

/* Where the last part begins. */
static const char *last_part(const char *path)
{
    const char *slash = strrchr(path, '/');
    return slash ? slash + 1 : path;
}

/* After digits that follow an underscore at `at`; `at` where there are none. */
static const char *skip_number(const char *at)
{
    const char *end = at + 1;
    if (*at != '_' || !isdigit((unsigned char)*end))
        return at;
    while (isdigit((unsigned char)*end))
        end++;
    return end;
}

/* LAYER of LAYER/LAYER and LAYER/LAYER_2 (TensorFlow 1 counts), which can have slashes itself,
 * and LAYER/x of LAYER/LAYER/x; NULL: it is neither. */
static const char *once(const char *path, Arena *arena)
{
    const size_t n = strlen(path);
    for (const char *slash = strchr(path, '/'); slash; slash = strchr(slash + 1, '/')) {
        const size_t half = (size_t)(slash - path);
        if (n < 2 * half + 1 || strncmp(slash + 1, path, half) != 0)
            continue;
        if (*skip_number(slash + 1 + half) == '\0')
            return arena_strndup(arena, path, half);
        if (slash[1 + half] == '/')
            return slash + 1;
    }
    return NULL;
}

/* Where the layer of a path ends, and the weight begins, after its slash; the layer in *layer,
 * once; NULL: the path has no layer. */
static const char *split(const char *path, const char **layer, Arena *arena)
{
    const char *weight = last_part(path);
    if (weight == path)
        return NULL;
    *layer = arena_strndup(arena, path, (size_t)(weight - path) - 1);
    const char *single = once(*layer, arena);
    *layer = single ? single : *layer;
    return weight;
}

const char *keras_name(const char *path, Arena *arena)
{
    const char *layer, *weight = split(path, &layer, arena);
    return weight ? arena_printf(arena, "%s.%.*s", layer, (int)strcspn(weight, ":"), weight) : path;
}

const char *keras_path(const char *path, Arena *arena)
{
    static const char *const containers[] = {"model_weights/", "layers/",
                                             "_layer_checkpoint_dependencies/"};
    Buf out = buf_new(arena);
    while (*path) {
        const size_t n = strcspn(path, "/") + 1;
        bool container = false;
        for (int i = 0; i < 3; i++)
            container =
                container || (strlen(containers[i]) == n && str_starts(path, containers[i]));
        const size_t part = path[n - 1] ? n : n - 1;
        if (!container)
            buf_add(&out, path, part);
        path += part;
    }
    const char *layer, *weight = split(buf_text(&out), &layer, arena);
    return weight ? arena_printf(arena, "%s/%s", layer, weight) : buf_text(&out);
}

/* ---- weights that have numbers ---- */

enum { WEIGHTS_MOST = 4 };

/* The names of the weights of a kind of layer, in their order. */
typedef struct Class {
    const char *name;
    const char *weights[WEIGHTS_MOST];
} Class;

static const Class classes[] = {
    {"conv1d", {"kernel", "bias"}},
    {"conv2d", {"kernel", "bias"}},
    {"conv2d_transpose", {"kernel", "bias"}},
    {"dense", {"kernel", "bias"}},
    {"depthwise_conv1d", {"kernel", "bias"}},
    {"depthwise_conv2d", {"kernel", "bias"}},
    {"separable_conv1d", {"depthwise_kernel", "pointwise_kernel", "bias"}},
    {"separable_conv2d", {"depthwise_kernel", "pointwise_kernel", "bias"}},
    {"layer_normalization", {"gamma", "beta"}},
    {"group_normalization", {"gamma", "beta"}},
    {"rms_normalization", {"scale"}},
    {"normalization", {"mean", "variance", "count"}},
    {"layer_scale", {"gamma"}},
    {"p_re_lu", {"alpha"}},
    {"batch_normalization", {"gamma", "beta", "moving_mean", "moving_variance"}},
};

/* The kind that a group is called after, conv2d_4, or NULL. */
static const Class *class_of(const char *group)
{
    const char *name = last_part(group);
    for (size_t i = 0; i < sizeof classes / sizeof *classes; i++) {
        const size_t n = strlen(classes[i].name);
        if (strncmp(name, classes[i].name, n) == 0 && *skip_number(name + n) == '\0')
            return &classes[i];
    }
    return NULL;
}

/* The kind that the shapes are of: a kernel with or without bias, or four vectors. */
static const Class *class_by_shapes(const StoredTensor *weights, int n)
{
    static const Class kernel = {"", {"kernel", "bias"}};
    bool vectors = true;
    for (int i = 0; i < n; i++)
        vectors = vectors && weights[i].rank == 1 && weights[i].dims[0] == weights[0].dims[0];
    if (n == 4 && vectors)
        return class_of("batch_normalization");
    return n > 0 && n <= 2 && weights[0].rank > 1 && (n == 1 || weights[1].rank == 1) ? &kernel
                                                                                      : NULL;
}

static const KerasLayer *layer_at(const KerasConfig *config, const char *place)
{
    for (int i = 0; config && i < config->layers.n; i++) {
        if (str_eq(config->layers.at[i].place, place))
            return &config->layers.at[i];
    }
    return NULL;
}

/* The names of the n weights of a layer of this kind; NULL if no such layer has this many.
 * *assumed becomes true if three vectors are assumed to be a normalisation without scale. */
static bool names_of(const Class *kind, const KerasLayer *layer, int n,
                     const char *names[WEIGHTS_MOST], bool *assumed)
{
    int all = 0, k = 0;
    *assumed = false;
    while (all < WEIGHTS_MOST && kind->weights[all])
        all++;
    const bool batch = str_eq(kind->name, "batch_normalization");
    if (batch || (layer && all > 1 && str_eq(kind->weights[0], "gamma"))) {
        const bool scale = layer ? layer->scale : n == 4, center = layer ? layer->center : n > 2;
        *assumed = !layer && n == 3;
        for (int i = 0; i < all; i++) {
            if ((i == 0 && !scale) || (i == 1 && !center))
                continue;
            names[k++] = kind->weights[i];
        }
        return k == n;
    }
    for (; k < n && k < all; k++)
        names[k] = kind->weights[k];
    return k == n;
}

/* Length of a layer's name without its number, dense of dense_3. */
static size_t base_of(const char *layer, size_t n)
{
    size_t at = n;
    while (at > 0 && isdigit((unsigned char)layer[at - 1]))
        at--;
    return at > 1 && at < n && layer[at - 1] == '_' ? at - 1 : n;
}

/* Whether Keras named the layer itself, after its class as it does its group. */
static bool is_automatic(const char *layer, const char *group)
{
    const size_t n = base_of(layer, strlen(layer)), k = base_of(group, strlen(group));
    return n == k && strncmp(layer, group, n) == 0;
}

bool keras_number_names(StoredTensor *weights, int n, const char *group, const char *layer,
                        const KerasConfig *config, Arena *arena)
{
    const KerasLayer *known = layer_at(config, group);
    const Class *kind = class_of(group);
    const char *names[WEIGHTS_MOST];
    bool assumed = false;
    const char *folder = arena_strndup(arena, group, (size_t)(last_part(group) - group));
    if (!layer)
        layer = known ? known->name : last_part(group);
    if (!kind)
        kind = class_by_shapes(weights, n);
    const bool named = kind && names_of(kind, known, n, names, &assumed);
    for (int i = 0; i < n; i++) {
        const char *weight = named ? names[i] : last_part(weights[i].name);
        weights[i].name = keras_path(arena_printf(arena, "%s%s/%s", folder, layer, weight), arena);
        weights[i].place = is_automatic(layer, last_part(group))
                               ? keras_path(arena_printf(arena, "%s/%s", group, weight), arena)
                               : weights[i].name;
    }
    return named && assumed;
}

/* ---- layers that a session has numbered ---- */

/* The layer of a weight's path: how long it is, how long without its number, and that. */
typedef struct Numbered {
    StoredTensor *weight;
    size_t layer, base;
    int64_t number; /* 0 without one */
} Numbered;

static Numbered numbered(StoredTensor *weight, Arena *arena)
{
    enum { DIGITS_MOST = 10 }; /* with the underscore */
    const char *path = weight->name, *end = strchr(path, '/');
    Numbered x = {.weight = weight, .layer = end ? (size_t)(end - path) : strlen(path)};
    x.base = base_of(path, x.layer);
    const bool automatic = class_of(arena_strndup(arena, path, x.base)) != NULL;
    if (!automatic || x.layer - x.base > DIGITS_MOST)
        x.base = x.layer;
    x.number = x.base < x.layer ? strtol(path + x.base + 1, NULL, 10) : 0;
    return x;
}

static int by_number(const void *a, const void *b)
{
    const Numbered *x = a, *y = b;
    const size_t shorter = x->base < y->base ? x->base : y->base;
    const int order = strncmp(x->weight->name, y->weight->name, shorter);
    if (order || x->base != y->base)
        return order ? order : (x->base > y->base) - (x->base < y->base);
    return (x->number > y->number) - (x->number < y->number);
}

static bool same_base(const Numbered *x, const Numbered *y)
{
    return x->base == y->base && strncmp(x->weight->name, y->weight->name, x->base) == 0;
}

void keras_renumber(StoredTensor *weights, int n, Arena *arena)
{
    Numbered *all = NEW_ARRAY(arena, Numbered, n + 1);
    int count = 0, nth = 0;
    for (int i = 0; i < n; i++) {
        if (!weights[i].place)
            all[count++] = numbered(&weights[i], arena);
    }
    qsort(all, (size_t)count, sizeof *all, by_number);
    for (int i = 0; i < count; i++) {
        const Numbered *x = &all[i], *before = i > 0 ? &all[i - 1] : NULL;
        if (!before || !same_base(x, before))
            nth = 0;
        else if (x->number != before->number)
            nth++;
        const char *base = arena_strndup(arena, x->weight->name, x->base);
        const char *layer = nth ? arena_printf(arena, "%s_%d", base, nth) : base;
        x->weight->place = arena_printf(arena, "%s%s", layer, x->weight->name + x->layer);
    }
}

/* ---- axes ---- */

void keras_axes(StoredTensor *weight)
{
    static const char *const kernels[] = {"kernel", "depthwise_kernel", "pointwise_kernel"};
    const char *name = last_part(weight->name);
    const size_t n = strcspn(name, ":");
    for (int i = 0; i < 3; i++) {
        if (strlen(kernels[i]) == n && strncmp(name, kernels[i], n) == 0)
            weight->axes = weight->rank == 4 || weight->rank == 3 ? "hwio"
                           : weight->rank == 2                    ? "io"
                                                                  : NULL;
    }
}
