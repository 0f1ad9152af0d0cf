/* keras.c: what Keras calls weights.
 *
 *   Keras 2   model_weights/conv1/conv1/kernel:0, or conv1/conv1/kernel:0
 *   Keras 3   conv1/conv1/kernel in .h5, layers/conv2d/vars/0 in .weights.h5, with
 *             the layer's name as an attribute of `vars`; conv1/kernel as a path
 *
 * A model inside of a model stands in front.  What tells a weight from the others
 * is its layer's name and its own, the last two parts.
 */
#include "params/keras.h"

#include <ctype.h>
#include <string.h>

/* Where the last part begins. */
static const char *last_part(const char *path)
{
    const char *slash = strrchr(path, '/');
    return slash ? slash + 1 : path;
}

const char *keras_name(const char *path, Arena *arena)
{
    const char *weight = last_part(path);
    if (weight == path)
        return path;
    const char *layer = last_part(arena_strndup(arena, path, (size_t)(weight - path) - 1));
    const size_t n = strcspn(weight, ":");
    if (n == strlen("depthwise_kernel") && strncmp(weight, "depthwise_kernel", n) == 0)
        return arena_printf(arena, "%s.kernel", layer);
    return arena_printf(arena, "%s.%.*s", layer, (int)n, weight);
}

const char *keras_path(const char *path, Arena *arena)
{
    static const char model[] = "model_weights/";
    if (str_starts(path, model))
        path += strlen(model);
    const size_t group = strcspn(path, "/");
    const char *weight = last_part(path);
    const char *layer = path + group + 1;
    /* GROUP/GROUP/weight, GROUP/GROUP_1/weight */
    if (weight == path || layer >= weight || strchr(layer, '/') != weight - 1 ||
        strncmp(layer, path, group) != 0)
        return path;
    const char *number = layer + group;
    if (*number == '_' && isdigit((unsigned char)number[1]))
        for (number++; isdigit((unsigned char)*number);)
            number++;
    return number == weight - 1 ? arena_printf(arena, "%.*s/%s", (int)group, path, weight) : path;
}

void keras_number_names(StoredTensor *weights, int n, const char *group, const char *layer,
                        Arena *arena)
{
    static const char *const kernel[] = {"kernel", "bias"};
    static const char *const normal[] = {"gamma", "beta", "moving_mean", "moving_variance"};
    const char *const *names = NULL;
    bool vectors = true;
    for (int i = 0; i < n; i++)
        vectors = vectors && weights[i].rank == 1 && weights[i].dims[0] == weights[0].dims[0];
    if (n == 4 && vectors)
        names = normal;
    else if (n > 0 && n <= 2 && weights[0].rank > 1 && (n == 1 || weights[1].rank == 1))
        names = kernel;
    const char *folder = arena_strndup(arena, group, (size_t)(last_part(group) - group));
    for (int i = 0; names && i < n; i++)
        weights[i].name = arena_printf(arena, "%s%s/%s", folder, layer, names[i]);
}

void keras_axes(StoredTensor *weight)
{
    const char *name = last_part(weight->name);
    const size_t n = strcspn(name, ":");
    const bool kernel = (n == 6 && strncmp(name, "kernel", n) == 0) ||
                        (n == 16 && strncmp(name, "depthwise_kernel", n) == 0);
    if (kernel)
        weight->axes = weight->rank == 4 ? "hwio" : weight->rank == 2 ? "io" : NULL;
}
