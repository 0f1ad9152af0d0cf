/* keras_cut.c: parts of tensors as Python writes them: x[:, 1:-1, ::2, :16].
 *
 * Keras 3 has the key as the call's second argument, slices as {"class_name": "__slice__",
 * "config":
 * {"start": 1, "stop": -1, "step": null}}; Keras 2 as `slice_spec`, with the same without "config".
 */
#include "import/keras_parts.h"

#include <string.h>

/* What is taken of an axis: `count` elements, `step` apart. */
typedef struct Taken {
    int64_t begin, step, count;
} Taken;

/* A bound of a slice as Python has it, within 0 and the extent; false if it is no number. */
static bool bound(const json_t *value, int64_t extent, int64_t otherwise, int64_t *to)
{
    if (!value || json_is_null(value)) {
        *to = otherwise;
        return true;
    }
    if (!json_is_integer(value))
        return false;
    const json_int_t at = json_integer_value(value);
    *to = at < -extent ? 0 : at < 0 ? at + extent : at > extent ? extent : at;
    return true;
}

static const json_t *slice_of(const json_t *item)
{
    const char *kind = json_string_value(json_object_get(item, "class_name"));
    if (kind && str_eq(kind, "__slice__"))
        return json_object_get(item, "config");
    return !kind && json_object_get(item, "start") ? item : NULL;
}

static bool is_ellipsis(const json_t *item)
{
    const char *kind = json_string_value(json_object_get(item, "class_name"));
    const char *text = json_string_value(item);
    return (kind && str_eq(kind, "__ellipsis__")) || (text && str_eq(text, "..."));
}

/* What an item of the key takes of an axis; false if it is no slice forwards. */
static bool take(const json_t *item, int64_t extent, Taken *to)
{
    enum { STEP_MOST = 1024 };
    const json_t *slice = slice_of(item), *step = json_object_get(slice, "step");
    int64_t end;
    if (!slice || !bound(json_object_get(slice, "start"), extent, 0, &to->begin) ||
        !bound(json_object_get(slice, "stop"), extent, extent, &end))
        return false;
    to->step = json_is_integer(step) ? json_integer_value(step) : 1;
    if (to->step < 1 || to->step > STEP_MOST || end <= to->begin)
        return false;
    to->count = (end - to->begin + to->step - 1) / to->step;
    return true;
}

/* The key's items, one for each axis; an ellipsis stands for as many as are missing.  False if they
 * are no slices. */
static bool read_key(const json_t *key, int rank, const int64_t *extents, Taken *to)
{
    const int n = (int)json_array_size(key);
    int at = 0;
    bool open = false;
    for (int i = 0; i < rank; i++)
        to[i] = (Taken){0, 1, extents[i]};
    if (!json_is_array(key) || n > rank + 1)
        return false;
    for (int i = 0; i < n; i++) {
        const json_t *item = json_array_get(key, (size_t)i);
        if (is_ellipsis(item) && !open) {
            at = rank - (n - 1 - i);
            open = true;
            continue;
        }
        if (at < 0 || at >= rank || !take(item, extents[at], &to[at]))
            return false;
        at++;
    }
    return true;
}

static const json_t *key_of(const Site *s)
{
    const json_t *key = json_array_get(s->call->given, 1);
    return key ? key : json_object_get(s->call->options, "slice_spec");
}

/* Sets what crop and subsample do with rows (axis 0) or columns. */
static void set_pixels(const Taken *t, int64_t extent, int axis, Attrs *crop, Attrs *every)
{
    /* What is left out after the last one, unless a subsample leaves it out by itself. */
    const int64_t rest = extent - 1 - t->begin - (t->count - 1) * t->step;
    crop->padding[axis] = (int)t->begin;
    crop->padding[2 + axis] = rest < t->step ? 0 : (int)rest;
    every->stride[axis] = (int)t->step;
}

KerasTensor keras_get_item(Site *s)
{
    Attrs crop = ir_default_attrs(OP_CROP), every = ir_default_attrs(OP_SUBSAMPLE);
    const Attrs whole = crop;
    const int rank = s->in[0].rank;
    Node *x = keras_in(s, 0);
    Taken taken[4];
    if (!x)
        return keras_tensor(NULL, rank);
    const Type t = x->type;
    const int64_t extents[] = {1, rank == 2 ? t.c : t.h, rank == 3 ? t.c : t.w, t.c};
    every.stride[0] = every.stride[1] = 1;
    if (!read_key(key_of(s), rank, extents, taken) || taken[rank - 1].step != 1)
        return keras_refuse(s,
                            "of anything but slices forwards, those of the channels without a step",
                            "a slice of one, x[:, :1], keeps the axis that x[:, 0] does without");
    crop.channel_padding[0] = (int)taken[rank - 1].begin;
    crop.channel_padding[1] = t.c - (int)(taken[rank - 1].begin + taken[rank - 1].count);
    for (int axis = 0; axis < rank - 2; axis++)
        set_pixels(&taken[1 + axis], extents[1 + axis], axis, &crop, &every);
    if (!attrs_same(OP_CROP, &crop, &whole))
        x = keras_add(s, OP_CROP, &x, 1, &crop, NULL);
    if (every.stride[0] > 1 || every.stride[1] > 1)
        x = keras_add(s, OP_SUBSAMPLE, &x, 1, &every, NULL);
    return keras_tensor(x, rank);
}
