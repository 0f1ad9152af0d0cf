/* keras_over.c: Keras' layers and operations that go over whole axes, or take the larger of
 * tensors. */
#include "import/keras_parts.h"

#include <math.h>
#include <string.h>

/* ---- which axes ---- */

/* Marks the axes that the configuration or the call names, `otherwise` if it names none; false if
 * they are not axes of an image, a sequence or a vector. */
static bool axes_of(const Site *s, int rank, int otherwise, bool gone[4])
{
    const json_t *given = keras_given(s, "axis");
    double *axes;
    memset(gone, 0, 4 * sizeof *gone);
    if (!given || json_is_null(given)) {
        if (otherwise)
            gone[rank + otherwise] = true;
        return otherwise != 0;
    }
    const int n = keras_numbers(given, &axes, s->k->arena);
    for (int i = 0; i < n; i++) {
        const double axis = axes[i] < 0 ? axes[i] + rank : axes[i];
        if (!(axis >= 1 && axis < rank))
            return false;
        gone[(int)axis] = true;
    }
    return n > 0;
}

/* The word for these axes: rows, columns and channels of an image, steps and channels of a
 * sequence. */
static bool over_of(const bool *gone, int rank, Over *over)
{
    const bool channels = gone[rank - 1];
    const bool rows = rank > 2 && gone[1], columns = rank == 3 ? rows : rank == 4 && gone[2];
    if (channels && rows != columns)
        return false;
    *over = channels && rank > 2 && rows ? OVER_IMAGE
            : channels                   ? OVER_CHANNELS
            : rows && columns            ? OVER_SPACE
            : rows                       ? OVER_HEIGHT
                                         : OVER_WIDTH;
    return true;
}

/* The axes of the call at hand as a word; refuses it if there is none. */
static bool read_over(Site *s, int otherwise, bool gone[4], Over *over)
{
    if (!s->in[0].node)
        return false;
    if (axes_of(s, s->in[0].rank, otherwise, gone) && over_of(gone, s->in[0].rank, over))
        return true;
    keras_refuse(s, "its axes are not the channels, the rows, the columns, both or all of an image",
                 NULL);
    return false;
}

KerasTensor keras_softmax_over(Site *s, KerasTensor x, Op op, const char *part)
{
    Attrs a = ir_default_attrs(op);
    bool gone[4];
    if (!read_over(s, -1, gone, &a.over))
        return keras_tensor(NULL, x.rank);
    Node *in = keras_solid(s, &x);
    return keras_tensor(keras_add(s, op, &in, 1, &a, part), x.rank);
}

KerasTensor keras_softmax(Site *s)
{
    const bool log = str_starts(s->layer->kind, "Log");
    return keras_softmax_over(s, s->in[0], log ? OP_LOG_SOFTMAX : OP_SOFTMAX, NULL);
}

/* ---- reductions ---- */

/* Means and largest numbers of all pixels are pools, which is how people write them. */
static Node *reduced(Site *s, Node *in, Reduction by, Over over)
{
    Attrs a = ir_default_attrs(OP_REDUCE);
    if (in && over == OVER_SPACE && by != REDUCE_SUM) {
        const Op op = by == REDUCE_MEAN ? OP_AVGPOOL : OP_MAXPOOL;
        Attrs pool = ir_default_attrs(op);
        pool.kernel[0] = in->type.h;
        pool.kernel[1] = in->type.w;
        pool.stride[0] = pool.stride[1] = 1;
        return keras_add(s, op, &in, 1, &pool, NULL);
    }
    a.reduction = by;
    a.over = over;
    return keras_add(s, OP_REDUCE, &in, 1, &a, NULL);
}

/* What is left without the axes: a vector of channels, or of steps. */
static KerasTensor without_axes(Site *s, Node *node, Over over)
{
    const int rank = s->in[0].rank;
    Attrs row = ir_default_attrs(OP_FLATTEN);
    if (over == OVER_SPACE)
        return keras_tensor(node, 2);
    if (rank == 3 && over == OVER_CHANNELS)
        return keras_tensor(keras_add(s, OP_FLATTEN, &node, 1, &row, "_flat"), 2);
    return keras_refuse(s, "what is left has not the axes of an image, a sequence or a vector",
                        "keepdims=True keeps them");
}

KerasTensor keras_reduce(Site *s)
{
    const char *kind = s->layer->kind;
    const bool least = str_eq(kind, "Min") || str_eq(kind, "Amin");
    const Reduction by = str_eq(kind, "Mean")  ? REDUCE_MEAN
                         : str_eq(kind, "Sum") ? REDUCE_SUM
                                               : REDUCE_MAX;
    const json_t *initial = keras_given(s, "initial");
    const bool keep = json_is_true(keras_given(s, "keepdims"));
    bool gone[4];
    Over over;
    if (!read_over(s, 0, gone, &over))
        return keras_tensor(NULL, s->in[0].rank);
    if (initial && !json_is_null(initial))
        return keras_refuse(s, "an initial value", NULL);
    /* The smallest is what has the largest opposite. */
    KerasTensor x = least ? keras_affine(s, &s->in[0], -1, 0) : s->in[0];
    KerasTensor y = keras_tensor(reduced(s, keras_solid(s, &x), by, over), x.rank);
    if (!keep)
        y = without_axes(s, y.node, over);
    return least ? keras_affine(s, &y, -1, 0) : y;
}

/* x / max(sqrt(sum of x^2), epsilon).  The functions of TensorFlow, and with them Keras 2's layer,
 * say the square of the least length. */
KerasTensor keras_unit(Site *s)
{
    const json_t *given = keras_given(s, "epsilon"), *order = keras_given(s, "order");
    const bool layer = str_eq(s->layer->kind, "UnitNormalization");
    const bool squared = str_starts(s->layer->kind, "L2") || (layer && s->k->version < 3);
    Attrs a = ir_default_attrs(OP_L2_NORM);
    bool gone[4];
    if (!read_over(s, -1, gone, &a.over))
        return keras_tensor(NULL, s->in[0].rank);
    if ((a.over != OVER_CHANNELS && a.over != OVER_IMAGE) ||
        (json_is_integer(order) && json_integer_value(order) != 2))
        return keras_refuse(s, "another length than the root of the squares of the channels", NULL);
    const double least = layer || squared ? 1e-12 : 1e-7;
    a.epsilon = json_is_number(given) ? json_number_value(given) : least;
    a.epsilon = squared ? sqrt(a.epsilon) : a.epsilon;
    Node *in = keras_in(s, 0);
    return keras_tensor(keras_add(s, OP_L2_NORM, &in, 1, &a, NULL), s->in[0].rank);
}

/* ---- the larger of tensors ---- */

KerasTensor keras_extreme(Site *s)
{
    const bool smallest = str_eq(s->layer->kind, "Minimum");
    Node **in = NEW_ARRAY(s->k->arena, Node *, s->n_in);
    double *bound = NULL;
    bool second;
    if (s->n_in == 1 && s->call->args.n == 1)
        return s->in[0];
    for (int i = 0; i < s->n_in; i++)
        in[i] = keras_in(s, i);
    if (s->n_in > 1) {
        if (!builder_alike(in, s->n_in))
            return keras_refuse(s, "its operands differ in their extents, or are more than 16",
                                NULL);
        return keras_tensor(builder_largest(&s->k->b, in, s->n_in, smallest, s->path),
                            s->in[0].rank);
    }
    if (keras_constant(s, &bound, &second) != 1)
        return keras_refuse(s, "its operand is no number", NULL);
    Attrs a = ir_default_attrs(OP_CLIP);
    a.alpha = smallest ? -INFINITY : *bound;
    a.beta = smallest ? *bound : INFINITY;
    return keras_tensor(keras_add(s, OP_CLIP, in, 1, &a, NULL), s->in[0].rank);
}
