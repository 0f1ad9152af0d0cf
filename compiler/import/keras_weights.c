/* keras_weights.c: the weights of Keras' layers, found by the layers' names.
 *
 * A .keras file has them in groups that the order of the layers says (params/keras.h); an .h5 file
 * under the name of the outermost model that is a layer, then mostly those of the models in it:
 *
 *   Keras 3   backbone/conv1/kernel, backbone/inner/conv1/kernel
 *   Keras 2   backbone/conv1/kernel:0, whatever is between the two
 */
#include "import/keras_parts.h"

#include <string.h>

void keras_index(Keras *k)
{
    k->index = (NameTable){.arena = k->arena};
    for (int i = 0; i < k->tensors->n; i++) {
        const char *name = k->tensors->tensors[i].name, *slash = strrchr(name, '/');
        const char *last = slash ? slash : name, *colon = strchr(last, ':');
        const char *plain = colon ? arena_strndup(k->arena, name, (size_t)(colon - name)) : name;
        NameEntry *entry = table_add(&k->index, plain, NO_LOC);
        if (entry)
            entry->number = i;
    }
}

static const StoredTensor *find(const Keras *k, const char *name)
{
    const NameEntry *entry = table_find(&k->index, name);
    return entry ? &k->tensors->tensors[entry->number] : NULL;
}

/* The only tensor of an outermost group whose name ends so, or NULL. */
static const StoredTensor *only_one(const Keras *k, const char *group, const char *ending)
{
    const StoredTensor *found = NULL;
    for (int i = 0; i < k->index.cap; i++) {
        const char *name = k->index.at[i].name;
        if (!name || !str_starts(name, group) || !str_ends(name, ending))
            continue;
        if (found)
            return NULL;
        found = &k->tensors->tensors[k->index.at[i].number];
    }
    return found;
}

const StoredTensor *keras_weight(const Site *s, const char *weight)
{
    const Keras *k = s->k;
    const char *name = s->layer->name, *models = s->models, *slash;
    if (s->layer->group) {
        const size_t folder = (size_t)(strrchr(s->layer->group, '/') + 1 - s->layer->group);
        const char *path =
            arena_printf(k->arena, "%.*s%s/%s", (int)folder, s->layer->group, name, weight);
        const StoredTensor *t = find(k, keras_path(path, k->arena));
        if (t)
            return t;
    }
    const StoredTensor *t = find(k, arena_printf(k->arena, "%s%s/%s", models, name, weight));
    for (const char *inner = models; !t && (slash = strchr(inner, '/')); inner = slash + 1) {
        const size_t outer = (size_t)(strchr(models, '/') + 1 - models);
        t = find(
            k, arena_printf(k->arena, "%.*s%s%s/%s", (int)outer, models, slash + 1, name, weight));
    }
    if (t)
        return t;
    const char *group = *models ? arena_strndup(k->arena, models, strcspn(models, "/")) : name;
    const char *ending = *models ? arena_printf(k->arena, "/%s/%s", name, weight)
                                 : arena_printf(k->arena, "/%s", weight);
    return only_one(k, arena_printf(k->arena, "%s/", group), ending);
}

const char *keras_only_weight(const Site *s)
{
    const char *group = arena_printf(s->k->arena, "%s%s/", s->models, s->layer->name);
    const StoredTensor *t = only_one(s->k, group, "");
    return t ? arena_strndup(s->k->arena, t->name + strlen(group),
                             strcspn(t->name + strlen(group), ":"))
             : NULL;
}

/* ---- their axes ---- */

/* The axes of a stored kernel in the order of the network's parameter. */
static const float *in_order(Site *s, const float *values, const StoredTensor *t, KernelForm form,
                             int64_t dims[4], int *rank)
{
    static const int oi[] = {1, 0}, oiw[] = {2, 1, 0}, oihw[] = {3, 2, 0, 1},
                     depth[] = {2, 3, 0, 1}, depth1[] = {1, 2, 0};
    const int *axes = form == KERNEL_DENSE                       ? oi
                      : form == KERNEL_DEPTHWISE && t->rank == 4 ? depth
                      : form == KERNEL_DEPTHWISE                 ? depth1
                      : t->rank == 4                             ? oihw
                                                                 : oiw;
    const float *to = builder_permuted(&s->k->b, values, t->rank, t->dims, axes);
    const int at = form == KERNEL_DEPTHWISE; /* the multiplier becomes filters */
    *rank = 0;
    if (at)
        dims[(*rank)++] = t->dims[axes[0]] * t->dims[axes[1]];
    dims[(*rank)++] = at ? 1 : t->dims[axes[0]];
    for (int i = at ? 2 : 1; i < t->rank; i++)
        dims[(*rank)++] = t->dims[axes[i]];
    if (t->rank == 3) /* of a sequence: one pixel wide */
        dims[(*rank)++] = 1;
    return to;
}

static bool fits(const StoredTensor *t, KernelForm form)
{
    int long_axes = 0; /* before the last one */
    for (int i = 0; i + 1 < t->rank; i++)
        long_axes += t->dims[i] != 1;
    return form == KERNEL_VECTOR  ? t->rank > 0 && long_axes == 0
           : form == KERNEL_DENSE ? t->rank == 2
                                  : t->rank == 3 || t->rank == 4;
}

static bool refuse(Site *s, const char *format, const char *weight)
{
    const Builder *b = &s->k->b;
    diag_error(b->diag, b->place ? b->place->loc : NO_LOC, format, weight);
    return false;
}

bool keras_bind(Site *s, Node *node, Role role, const char *weight, KernelForm form)
{
    Builder *b = &s->k->b;
    if (!node || s->again)
        return true;
    const StoredTensor *t = keras_weight(s, weight);
    if (!t) {
        refuse(s, "the file has no '%s' of this layer", weight);
        diag_file_note(b->diag, b->path, "it would be called '%s%s/%s'", s->models, s->layer->name,
                       weight);
        return false;
    }
    if (t->elem == STORED_OTHER) {
        refuse(s, "'%s' of this layer is not of floats", weight);
        diag_file_note(b->diag, b->path, "a quantized model; import the one before quantize()");
        return false;
    }
    int64_t dims[4], n;
    if (!fits(t, form) || !tensor_elements(t->dims, t->rank, &n)) {
        refuse(s, "'%s' of this layer has another number of axes in the file", weight);
        return false;
    }
    const float *values = tensor_floats(s->k->tensors, t, s->k->arena, b->diag);
    if (!values)
        return false;
    if (form == KERNEL_VECTOR)
        return builder_param(b, node, role, t->name, t->rank, t->dims, values);
    int rank;
    values = in_order(s, values, t, form, dims, &rank);
    return builder_param(b, node, role, t->name, rank, dims, values);
}
