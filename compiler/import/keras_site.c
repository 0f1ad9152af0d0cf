/* keras_site.c: what the rules for Keras' layers use. */
#include "import/keras_parts.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

KerasTensor keras_tensor(Node *node, int rank)
{
    return (KerasTensor){.node = node, .rank = rank};
}

KerasTensor keras_refuse(Site *s, const char *why, const char *help)
{
    builder_refuse(&s->k->b, why, help);
    return keras_tensor(NULL, s->n_in ? s->in[0].rank : 4);
}

bool keras_rank_is(Site *s, int rank)
{
    static const char *const nouns[] = {[2] = "vector", [3] = "sequence", [4] = "image"};
    if (!s->in[0].node || s->in[0].rank == rank)
        return true;
    keras_refuse(s, arena_printf(s->k->arena, "its input is no %s", nouns[rank]), NULL);
    return false;
}

/* ---- operators that wait ---- */

static Node *affine(Keras *k, const KerasTensor *x, const char *name)
{
    double *numbers = NEW_ARRAY(k->arena, double, 2);
    numbers[0] = x->scale;
    numbers[1] = x->offset;
    return keras_each(k, x->node, numbers, 1, numbers + 1, 1, name);
}

/* What is done to the pixels that come in is `normalize`, (x * scale - mean) / std. */
static Attrs normalize(Keras *k, const double *scale, int n_scale, const double *shift, int n_shift)
{
    const int n = n_scale > n_shift ? n_scale : n_shift;
    Attrs a = ir_default_attrs(OP_NORMALIZE);
    double *mean = NEW_ARRAY(k->arena, double, n), *std = NEW_ARRAY(k->arena, double, n);
    a.scale = n_scale == 1 ? *scale : 1;
    for (int i = 0; i < n; i++) {
        std[i] = n_scale == 1 ? 1 : 1 / scale[i];
        mean[i] = shift[n_shift == 1 ? 0 : i];
        mean[i] = mean[i] == 0 ? 0 : -mean[i] * std[i]; /* no -0 */
    }
    a.mean = (Reals){mean, n};
    a.std = (Reals){std, n_scale == 1 ? 1 : n};
    return a;
}

Node *keras_each(Keras *k, Node *in, const double *scale, int n_scale, const double *shift,
                 int n_shift, const char *name)
{
    enum { MOST = 1000000 };
    const bool first = in && in->op == OP_INPUT;
    Attrs a = ir_default_attrs(OP_AFFINE);
    for (int i = 0; i < n_scale + n_shift; i++) {
        const double x = i < n_scale ? scale[i] : shift[i - n_scale];
        if (fabs(x) <= MOST && !(first && n_scale > 1 && i < n_scale && fabs(x * MOST) < 1))
            continue;
        builder_refuse(&k->b, "a factor or a summand is beyond 1e6 or, for a picture, below 1e-6",
                       NULL);
        return NULL;
    }
    if (in &&
        ((n_scale != 1 && n_scale != in->type.c) || (n_shift != 1 && n_shift != in->type.c))) {
        builder_refuse(&k->b, "its numbers are not as many as channels", NULL);
        return NULL;
    }
    a.factor = (Reals){scale, n_scale};
    a.addend = (Reals){shift, n_shift};
    bool positive = true;
    for (int i = 0; i < n_scale; i++)
        positive = positive && scale[i] > 0;
    if (!first || !positive)
        return builder_add(&k->b, OP_AFFINE, &in, 1, &a, name);
    a = normalize(k, scale, n_scale, shift, n_shift);
    return builder_add(&k->b, OP_NORMALIZE, &in, 1, &a, name);
}

static Node *made_now(Keras *k, const KerasTensor *x)
{
    Attrs pad = ir_default_attrs(OP_ZEROPAD);
    switch (x->later) {
    case LATER_NOTHING:
        break;
    case LATER_PADDING:
        memcpy(pad.padding, x->padding, sizeof pad.padding);
        return builder_add(&k->b, OP_ZEROPAD, &x->node, 1, &pad, x->name);
    case LATER_AFFINE:
        return affine(k, x, x->name);
    case LATER_RELU6: {
        const KerasTensor shifted = {.node = x->node, .scale = 1, .offset = 3};
        return builder_simple(&k->b, OP_RELU6,
                              affine(k, &shifted, arena_printf(k->arena, "%s_shift", x->name)),
                              x->name);
    }
    }
    return x->node;
}

Node *keras_solid(Site *s, const KerasTensor *x)
{
    if (!x->node || x->later == LATER_NOTHING)
        return x->node;
    Node *node = x->made && *x->made ? *x->made : made_now(s->k, x);
    if (x->made)
        *x->made = node;
    return node;
}

Node *keras_in(Site *s, int i)
{
    return i < s->n_in ? keras_solid(s, &s->in[i]) : NULL;
}

/* ---- layers ---- */

static const char *part_name(const Site *s, const char *part)
{
    return !part          ? s->path
           : *part == '_' ? arena_printf(s->k->arena, "%s%s", s->path, part)
                          : arena_printf(s->k->arena, "%s.%s", s->path, part);
}

Node *keras_add(Site *s, Op op, Node *const *in, int n_in, const Attrs *attrs, const char *part)
{
    const char *name = part_name(s, part);
    if (!op_row(op)->n_params)
        return builder_add(&s->k->b, op, in, n_in, attrs, name);
    if (s->again) {
        const int at = s->made++;
        const Node *like = at < s->layer->made.n ? s->layer->made.at[at] : NULL;
        return builder_again(&s->k->b, in, n_in, attrs, name, like);
    }
    Node *node = builder_add(&s->k->b, op, in, n_in, attrs, name);
    VEC_PUSH(s->k->arena, &s->layer->made, node);
    return node;
}

Node *keras_simple(Site *s, Op op, Node *in, const char *part)
{
    const Attrs attrs = ir_default_attrs(op);
    return keras_add(s, op, &in, 1, &attrs, part);
}

/* ---- configurations ---- */

const char *keras_text(const json_t *config, const char *key, const char *otherwise)
{
    const char *text = json_string_value(json_object_get(config, key));
    return text ? text : otherwise;
}

bool keras_truth(const json_t *config, const char *key, bool otherwise)
{
    const json_t *value = json_object_get(config, key);
    return json_is_boolean(value) ? json_is_true(value) : otherwise;
}

const json_t *keras_given(const Site *s, const char *key)
{
    const json_t *value = json_object_get(s->config, key);
    return value ? value : json_object_get(s->call->options, key);
}

double keras_number(const json_t *config, const char *key, double otherwise)
{
    const json_t *value = json_object_get(config, key);
    return json_is_number(value) ? json_number_value(value) : otherwise;
}

static bool one_int(const json_t *value, int *to)
{
    const json_int_t number = json_integer_value(value);
    if (!json_is_integer(value) || number < INT_MIN || number > INT_MAX)
        return false;
    *to = (int)number;
    return true;
}

bool keras_ints(const json_t *config, const char *key, int n, int *to)
{
    const json_t *value = json_object_get(config, key);
    bool good = true;
    if (json_is_array(value) && json_array_size(value) != (size_t)n)
        return false;
    for (int i = 0; good && i < n; i++)
        good = one_int(json_is_array(value) ? json_array_get(value, (size_t)i) : value, &to[i]);
    return good;
}

double keras_short(double x)
{
    char text[32];
    const float wanted = (float)x;
    for (int digits = 6; digits < 9; digits++) {
        snprintf(text, sizeof text, "%.*g", digits, (double)wanted);
        if (strtof(text, NULL) == wanted)
            return strtod(text, NULL);
    }
    return (double)wanted;
}

/* Counts the numbers, and copies them where `to` is not NULL. */
static int numbers_in(const json_t *list, double *to)
{
    int n = 0;
    size_t i;
    const json_t *item;
    if (json_is_number(list)) {
        const double x = json_number_value(list);
        if (to)
            *to = (double)(float)x == x ? keras_short(x) : x;
        return 1;
    }
    if (!json_is_array(list))
        return -1;
    json_array_foreach(list, i, item)
    {
        const int more = numbers_in(item, to ? to + n : NULL);
        if (more < 0)
            return -1;
        n += more;
    }
    return n;
}

int keras_numbers(const json_t *list, double **to, Arena *arena)
{
    const int n = numbers_in(list, NULL);
    *to = NEW_ARRAY(arena, double, n > 0 ? n : 1);
    return n > 0 ? numbers_in(list, *to) : n;
}

bool keras_axis_is_last(const json_t *config, int rank)
{
    const json_t *value = json_object_get(config, "axis");
    if (json_is_array(value) && json_array_size(value) == 1)
        value = json_array_get(value, 0);
    if (!value || json_is_null(value))
        return true;
    return json_is_integer(value) &&
           (json_integer_value(value) == -1 || json_integer_value(value) == rank - 1);
}
