/* keras_shape.c: Keras' layers that move numbers or change a tensor's form. */
#include "import/keras_parts.h"

#include "net/sample.h"

#include <string.h>

KerasTensor keras_flatten(Site *s)
{
    Attrs a = ir_default_attrs(OP_FLATTEN);
    Node *in = keras_in(s, 0);
    a.order = ORDER_NHWC;
    if (s->in[0].rank == 2)
        return s->in[0];
    if (in && in->type.h == 1 && in->type.w == 1)
        return keras_tensor(in, 2);
    return keras_tensor(keras_add(s, OP_FLATTEN, &in, 1, &a, NULL), 2);
}

/* ---- other forms ---- */

/* The form that is asked for as height, width, channels; its rank, or 0.  One extent may be -1. */
static int form(const json_t *list, const Type *in, int64_t to[3])
{
    const size_t n = json_array_size(list);
    const int64_t all = mul_extents(mul_extents(in->h, in->w), in->c);
    int64_t known = 1;
    int open = -1;
    if (!json_is_array(list) || n < 1 || n > 3)
        return 0;
    to[0] = to[1] = to[2] = 1;
    for (size_t i = 0; i < n; i++) {
        const json_t *value = json_array_get(list, i);
        const int at = i == n - 1 ? 2 : (int)i; /* steps are rows */
        to[at] = json_integer_value(value);
        if (to[at] == -1 && open < 0)
            open = at;
        else if (to[at] < 1 || mul_extents(known, to[at]) > all)
            return 0;
        else
            known *= to[at];
    }
    if (open >= 0)
        to[open] = all / known;
    return mul_extents(mul_extents(to[0], to[1]), to[2]) == all ? (int)n + 1 : 0;
}

KerasTensor keras_reshape(Site *s)
{
    const json_t *list = json_object_get(s->config, "target_shape");
    json_t *tail = NULL;
    Node *in = keras_in(s, 0);
    int64_t to[3];
    if (!in)
        return keras_tensor(NULL, s->in[0].rank);
    if (!list && json_is_array(json_object_get(s->config, "newshape"))) {
        tail = json_copy(json_object_get(s->config, "newshape")); /* with the batch */
        json_array_remove(tail, 0);
        list = tail;
    }
    const int rank = form(list, &in->type, to);
    json_decref(tail);
    const Type t = in->type;
    if (rank && to[0] == t.h && to[1] == t.w && to[2] == t.c)
        return keras_tensor(in, rank);
    if (rank && to[0] == 1 && to[1] == 1) {
        Attrs a = ir_default_attrs(OP_FLATTEN);
        a.order = ORDER_NHWC;
        return keras_tensor(keras_add(s, OP_FLATTEN, &in, 1, &a, NULL), rank);
    }
    if (rank && t.h == 1 && t.w == 1 && to[0] <= INT_MAX && to[1] <= INT_MAX) {
        Attrs a = ir_default_attrs(OP_UNFLATTEN);
        a.order = ORDER_NHWC;
        a.size[0] = (int)to[0], a.size[1] = (int)to[1];
        return keras_tensor(keras_add(s, OP_UNFLATTEN, &in, 1, &a, NULL), rank);
    }
    if (rank && to[0] <= INT_MAX && to[1] <= INT_MAX && to[2] <= INT_MAX) {
        Attrs a = ir_default_attrs(OP_RESHAPE);
        a.order = ORDER_NHWC;
        a.filters = (int)to[2];
        a.size[0] = (int)to[0], a.size[1] = (int)to[1];
        return keras_tensor(keras_add(s, OP_RESHAPE, &in, 1, &a, NULL), rank);
    }
    return keras_refuse(s, "its form is not one of the tensor's numbers",
                        "a form has one to three extents, without the batch");
}

KerasTensor keras_permute(Site *s)
{
    const json_t *dims = json_object_get(s->config, "dims");
    const int rank = s->in[0].rank, n = (int)json_array_size(dims);
    int from[] = {0, 1, 2}; /* of channels, rows, columns */
    Attrs a = ir_default_attrs(OP_TRANSPOSE);
    bool good = json_is_array(dims) && n == rank - 1 && n <= 3;
    for (int i = 0; good && i < n; i++) {
        const int at = (int)json_integer_value(json_array_get(dims, (size_t)i));
        good = at >= 1 && at <= n;
        /* The last axis is that of channels; the first is that of rows. */
        from[i == n - 1 ? 0 : i + 1] = at == n ? 0 : at;
    }
    if (good && from[0] == 0 && from[1] == 1 && from[2] == 2)
        return s->in[0];
    Node *in = keras_in(s, 0);
    if (good && transposed_order(from, &a.axes))
        return keras_tensor(keras_add(s, OP_TRANSPOSE, &in, 1, &a, NULL), rank);
    return keras_refuse(s, "its dims are not the axes in another order", NULL);
}

/* Reads how many parts there are, or the channels that the second and further ones begin at. */
static bool read_parts(const Site *s, int64_t channels, Attrs *a)
{
    const json_t *given = json_object_get(s->config, "indices_or_sections");
    double *sizes;
    if (!json_is_array(given))
        return keras_ints(s->config, "indices_or_sections", 1, &a->parts) && a->parts >= 2 &&
               a->parts <= MOST_OPERANDS;
    const int n = keras_numbers(given, &sizes, s->k->arena);
    if (n < 1 || n >= MOST_OPERANDS)
        return false;
    double *to = NEW_ARRAY(s->k->arena, double, n + 1), begin = 0;
    for (int i = 0; i <= n; i++) {
        const double end = i == n         ? (double)channels
                           : sizes[i] < 0 ? sizes[i] + (double)channels
                                          : sizes[i];
        to[i] = end - begin;
        begin = end;
        if (!(to[i] >= 1))
            return false;
    }
    a->parts = n + 1;
    a->sizes = (Reals){to, n + 1};
    return true;
}

KerasTensor keras_split(Site *s)
{
    Attrs a = ir_default_attrs(OP_SPLIT);
    Node *in = keras_in(s, 0);
    if (in && !keras_axis_is_last(s->config, s->in[0].rank))
        return keras_refuse(s, "its axis is not that of the channels, the last one", NULL);
    if (!read_parts(s, in ? in->type.c : INT_MAX, &a))
        return keras_refuse(s, "its parts are none, or empty", NULL);
    const char **names = NEW_ARRAY(s->k->arena, const char *, a.parts);
    Node **nodes = NEW_ARRAY(s->k->arena, Node *, a.parts);
    s->results = NEW_ARRAY(s->k->arena, KerasTensor, a.parts);
    s->n_results = a.parts;
    for (int i = 0; i < a.parts; i++)
        names[i] = arena_printf(s->k->arena, "%s_%d", s->path, i + 1);
    if (in)
        builder_results(&s->k->b, OP_SPLIT, in, &a, names, nodes);
    for (int i = 0; i < a.parts; i++)
        s->results[i] = keras_tensor(nodes[i], s->in[0].rank);
    return s->results[0];
}

KerasTensor keras_blocks(Site *s)
{
    const Op op = str_eq(s->layer->kind, "DepthToSpace") ? OP_DEPTH_TO_SPACE : OP_SPACE_TO_DEPTH;
    const json_t *block = keras_given(s, "block_size");
    Attrs a = ir_default_attrs(op);
    Node *in = keras_in(s, 0);
    if (!json_is_integer(block) || json_integer_value(block) < 1 || json_integer_value(block) > 256)
        return keras_refuse(s, "its block_size is no number from 1 to 256", NULL);
    if (!keras_rank_is(s, 4))
        return keras_tensor(NULL, 4);
    a.block = (int)json_integer_value(block);
    return keras_tensor(keras_add(s, op, &in, 1, &a, NULL), 4);
}

/* ---- around an image ---- */

/* A number, one for each axis, or one for each side; 0 across a sequence. */
static bool sides(const Site *s, const char *key, int axes, int to[4])
{
    const json_t *value = json_object_get(s->config, key);
    double *all;
    const int n = keras_numbers(value, &all, s->k->arena);
    memset(to, 0, 4 * sizeof *to);
    for (int i = 0; i < n; i++) {
        if (all[i] < 0 || all[i] > (1 << 20) || all[i] != (int)all[i])
            return false;
    }
    for (int axis = 0; axis < axes; axis++) {
        const bool each = n == 2 * axes;
        if (n != 1 && n != axes && !each)
            return false;
        to[axis] = (int)all[n == 1 ? 0 : each ? 2 * axis : axis];
        to[axis + 2] = (int)all[n == 1 ? 0 : each ? 2 * axis + 1 : axis];
    }
    return n > 0;
}

KerasTensor keras_zero_padding(Site *s)
{
    const int rank = str_ends(s->layer->kind, "1D") ? 3 : 4;
    KerasTensor y = keras_tensor(keras_in(s, 0), rank);
    y.later = LATER_PADDING;
    y.name = s->path;
    y.made = NEW(s->k->arena, Node *);
    if (!sides(s, "padding", rank - 2, y.padding))
        return keras_refuse(s, "its padding is no numbers", NULL);
    return keras_rank_is(s, rank) ? y : keras_tensor(NULL, rank);
}

KerasTensor keras_cropping(Site *s)
{
    const int rank = str_ends(s->layer->kind, "1D") ? 3 : 4;
    Attrs a = ir_default_attrs(OP_CROP);
    Node *in = keras_in(s, 0);
    if (!sides(s, "cropping", rank - 2, a.padding))
        return keras_refuse(s, "its cropping is no numbers", NULL);
    if (!keras_rank_is(s, rank))
        return keras_tensor(NULL, rank);
    return keras_tensor(keras_add(s, OP_CROP, &in, 1, &a, NULL), rank);
}

/* ---- other sizes ---- */

/* Whether the interpolation can be said; refuses it if not. */
static bool read_interpolation(Site *s, const char *otherwise, Attrs *a)
{
    const char *how = keras_text(s->config, "interpolation", otherwise);
    a->resize_mode = str_eq(how, "nearest") ? RESIZE_NEAREST : RESIZE_BILINEAR;
    if (a->resize_mode == RESIZE_NEAREST || str_eq(how, "bilinear"))
        return true;
    keras_refuse(s, arena_printf(s->k->arena, "its interpolation is '%s'", how),
                 "nearest and bilinear can be said");
    return false;
}

KerasTensor keras_upsampling(Site *s)
{
    const int rank = str_ends(s->layer->kind, "1D") ? 3 : 4;
    Attrs up = ir_default_attrs(OP_UPSAMPLE), a = ir_default_attrs(OP_RESIZE);
    up.scale_by[1] = 1;
    if (!keras_ints(s->config, "size", rank - 2, up.scale_by))
        return keras_refuse(s, "its size is no number", NULL);
    Node *in = keras_in(s, 0);
    if (!read_interpolation(s, "nearest", &a) || !keras_rank_is(s, rank))
        return keras_tensor(NULL, rank);
    if (a.resize_mode == RESIZE_NEAREST)
        return keras_tensor(keras_add(s, OP_UPSAMPLE, &in, 1, &up, NULL), rank);
    double *scales = NEW_ARRAY(s->k->arena, double, 2);
    scales[0] = up.scale_by[0];
    scales[1] = up.scale_by[1];
    a.scales = (Reals){scales, 2};
    return keras_tensor(keras_add(s, OP_RESIZE, &in, 1, &a, NULL), rank);
}

KerasTensor keras_resizing(Site *s)
{
    Attrs a = ir_default_attrs(OP_RESIZE);
    Node *in = keras_in(s, 0);
    if (!keras_ints(s->config, "height", 1, &a.size[0]) ||
        !keras_ints(s->config, "width", 1, &a.size[1]))
        return keras_refuse(s, "its height or width is no number", NULL);
    if (in && a.size[0] == in->type.h && a.size[1] == in->type.w)
        return s->in[0];
    if (str_eq(s->layer->kind, "CenterCrop") || keras_truth(s->config, "antialias", false) ||
        keras_truth(s->config, "crop_to_aspect_ratio", false) ||
        keras_truth(s->config, "pad_to_aspect_ratio", false))
        return keras_refuse(s, "a picture cut, filled up or smoothed",
                            "do that before the network gets it");
    if (!read_interpolation(s, "bilinear", &a) || !keras_rank_is(s, 4))
        return keras_tensor(NULL, 4);
    return keras_tensor(keras_add(s, OP_RESIZE, &in, 1, &a, NULL), 4);
}
