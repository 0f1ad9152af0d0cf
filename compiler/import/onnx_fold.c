/* onnx_fold.c: arithmetic on numbers that are known: shapes, and constants of any kind.
 *
 * Exporters write the shape of a Reshape as Shape, Gather, Concat and so on.  The network has one
 * size, so all of it is numbers.  Whole numbers are computed as 64-bit integers, others in double
 * precision and rounded to floats. */
#include "import/onnx_fold.h"

#include <math.h>
#include <string.h>

/* More elements than a folded tensor has. */
#define FOLDED_MOST ((int64_t)1 << 28)

static OnnxTensor *known_tensor(Arena *arena, int type, int rank, const int64_t *dims)
{
    OnnxTensor *t = NEW(arena, OnnxTensor);
    t->name = "";
    t->type = type;
    t->rank = rank;
    t->elements = 1;
    for (int i = 0; i < rank; i++) {
        t->dims[i] = dims[i];
        t->elements *= dims[i];
    }
    return t;
}

OnnxTensor *known_ints(Arena *arena, int rank, const int64_t *dims, const int64_t *ints)
{
    OnnxTensor *t = known_tensor(arena, ONNX_INT64, rank, dims);
    t->bytes = (const unsigned char *)ints;
    return t;
}

OnnxTensor *known_floats(Arena *arena, int rank, const int64_t *dims, const float *floats)
{
    OnnxTensor *t = known_tensor(arena, ONNX_FLOAT, rank, dims);
    t->bytes = (const unsigned char *)floats;
    return t;
}

bool numbers(Work *w, int i, Numbers *to)
{
    const OnnxTensor *t = known(w, i);
    if (!t || !t->bytes || t->elements > FOLDED_MOST)
        return false;
    *to = (Numbers){.rank = t->rank, .dims = t->dims, .n = t->elements};
    if (onnx_type_whole(t->type))
        to->ints = onnx_ints(t, w->arena);
    else
        to->floats = onnx_floats(t, w->arena);
    return true;
}

double number_at(const Numbers *x, int64_t i)
{
    return x->ints ? (double)x->ints[i] : (double)x->floats[i];
}

bool room(Work *w, int rank, const int64_t *dims, bool whole, int64_t **ints, float **floats)
{
    int64_t n = 1;
    for (int i = 0; i < rank; i++) {
        if (dims[i] < 0 || (dims[i] > 0 && n > FOLDED_MOST / dims[i]))
            return false;
        n *= dims[i];
    }
    *ints = whole ? NEW_ARRAY(w->arena, int64_t, n + 1) : NULL;
    *floats = whole ? NULL : NEW_ARRAY(w->arena, float, n + 1);
    return true;
}

void give_numbers(Work *w, int result, int rank, const int64_t *dims, const int64_t *ints,
                  const float *floats)
{
    give_known(w, result,
               ints ? known_ints(w->arena, rank, dims, ints)
                    : known_floats(w->arena, rank, dims, floats));
}

static int64_t axis_of(int64_t axis, int rank)
{
    return axis < 0 ? axis + rank : axis;
}

/* Copies elements of `from`: that with index k[] of the result is begin + sum of k[i] * steps[i].
 */
static bool gather(Work *w, int result, const Numbers *from, int rank, const int64_t *dims,
                   int64_t begin, const int64_t *steps)
{
    int64_t *ints, index[ONNX_RANK_MOST] = {0}, n = 1, from_at = begin;
    float *floats;
    if (!room(w, rank, dims, from->ints != NULL, &ints, &floats))
        return false;
    for (int i = 0; i < rank; i++)
        n *= dims[i];
    for (int64_t i = 0; i < n; i++) {
        if (ints)
            ints[i] = from->ints[from_at];
        else
            floats[i] = from->floats[from_at];
        for (int k = rank - 1; k >= 0; k--) {
            from_at += steps[k];
            if (++index[k] < dims[k])
                break;
            from_at -= steps[k] * dims[k];
            index[k] = 0;
        }
    }
    give_numbers(w, result, rank, dims, ints, floats);
    return true;
}

void row_steps(int rank, const int64_t *dims, int64_t *steps)
{
    int64_t step = 1;
    for (int i = rank - 1; i >= 0; i--) {
        steps[i] = step;
        step *= dims[i];
    }
}

/* ---- constants and shapes ---- */

static bool fold_Constant(Work *w)
{
    for (int i = 0; i < w->node->n_attrs; i++) {
        const OnnxAttr *a = &w->node->attrs[i];
        const int64_t n = a->n;
        if (str_eq(a->name, "value") && a->kind == ONNX_ATTR_TENSOR) {
            give_known(w, 0, a->t);
            return true;
        }
        float *f = NEW(w->arena, float);
        *f = (float)a->f;
        if (str_eq(a->name, "value_int"))
            give_known(w, 0, known_ints(w->arena, 0, NULL, &a->i));
        else if (str_eq(a->name, "value_float"))
            give_known(w, 0, known_floats(w->arena, 0, NULL, f));
        else if (str_eq(a->name, "value_ints"))
            give_known(w, 0, known_ints(w->arena, 1, &n, a->ints));
        else if (str_eq(a->name, "value_floats"))
            give_known(w, 0, known_floats(w->arena, 1, &n, a->floats));
        else
            continue;
        return true;
    }
    return false;
}

static bool fold_ConstantOfShape(Work *w)
{
    Numbers shape;
    int64_t *ints, n = 1;
    float *floats;
    if (!numbers(w, 0, &shape) || !shape.ints || shape.n > ONNX_RANK_MOST)
        return false;
    const OnnxAttr *value = onnx_attr(w->node, "value");
    const OnnxTensor *t = value ? value->t : NULL;
    const bool whole = t && onnx_type_whole(t->type);
    if ((t && (!t->bytes || t->elements != 1)) ||
        !room(w, (int)shape.n, shape.ints, whole, &ints, &floats))
        return false;
    for (int i = 0; i < shape.n; i++)
        n *= shape.ints[i];
    const int64_t whole_value = whole ? *onnx_ints(t, w->arena) : 0;
    const float value_of = t && !whole ? *onnx_floats(t, w->arena) : 0.0f;
    for (int64_t i = 0; i < n; i++) {
        if (ints)
            ints[i] = whole_value;
        else
            floats[i] = value_of;
    }
    give_numbers(w, 0, (int)shape.n, shape.ints, ints, floats);
    return true;
}

static bool has_shape(const Value *v)
{
    return v && (v->kind == VALUE_KNOWN || v->kind == VALUE_TENSOR);
}

static int64_t clamped(int64_t x, int64_t least, int64_t most)
{
    return x < least ? least : x > most ? most : x;
}

int64_t whole_of(double x)
{
    const double most = 9223372036854774784.0; /* the largest double below 2^63 */
    return x >= most ? INT64_MAX : x <= -most ? INT64_MIN : x == x ? (int64_t)x : 0;
}

static bool fold_Shape(Work *w)
{
    const Value *v = operand(w, 0);
    if (!has_shape(v))
        return false;
    const int rank = value_rank(v);
    const int64_t begin = clamped(axis_of(attr_int(w, "start", 0), rank), 0, rank);
    const int64_t end = clamped(axis_of(attr_int(w, "end", rank), rank), begin, rank);
    const int64_t n = end - begin;
    int64_t *ints = NEW_ARRAY(w->arena, int64_t, ONNX_RANK_MOST);
    memcpy(ints, value_dims(v) + begin, (size_t)n * sizeof *ints);
    give_known(w, 0, known_ints(w->arena, 1, &n, ints));
    return true;
}

static bool fold_Size(Work *w)
{
    const Value *v = operand(w, 0);
    int64_t *n = NEW(w->arena, int64_t);
    *n = 1;
    for (int i = 0; has_shape(v) && i < value_rank(v); i++)
        *n *= value_dims(v)[i];
    give_known(w, 0, known_ints(w->arena, 0, NULL, n));
    return has_shape(v);
}

static bool fold_Range(Work *w)
{
    Numbers x[3];
    for (int i = 0; i < 3; i++) {
        if (!numbers(w, i, &x[i]) || x[i].n != 1)
            return false;
    }
    const double from = number_at(&x[0], 0), to = number_at(&x[1], 0), step = number_at(&x[2], 0);
    const double count = step != 0 ? ceil((to - from) / step) : 0;
    int64_t *ints;
    float *floats;
    if (!(count < (double)FOLDED_MOST))
        return false;
    const int64_t n = count > 0 ? (int64_t)count : 0;
    const bool whole = x[0].ints && x[1].ints && x[2].ints;
    if (!room(w, 1, &n, whole, &ints, &floats))
        return false;
    for (int64_t i = 0; i < n; i++) {
        if (ints)
            ints[i] = (int64_t)((uint64_t)x[0].ints[0] + (uint64_t)i * (uint64_t)x[2].ints[0]);
        else
            floats[i] = (float)(from + (double)i * step);
    }
    give_numbers(w, 0, 1, &n, ints, floats);
    return true;
}

static bool fold_Cast(Work *w)
{
    Numbers x;
    const int type = (int)attr_int(w, "to", ONNX_FLOAT);
    const bool whole = onnx_type_whole(type);
    int64_t *ints;
    float *floats;
    if ((!whole && !onnx_type_real(type)) || !numbers(w, 0, &x) ||
        !room(w, x.rank, x.dims, whole, &ints, &floats))
        return false;
    for (int64_t i = 0; i < x.n; i++) {
        if (!ints)
            floats[i] = (float)number_at(&x, i);
        else if (type == ONNX_BOOL)
            ints[i] = number_at(&x, i) != 0;
        else
            ints[i] = x.ints ? x.ints[i] : whole_of((double)x.floats[i]);
    }
    give_numbers(w, 0, x.rank, x.dims, ints, floats);
    return true;
}

/* ---- what moves numbers ---- */

static bool fold_Identity(Work *w)
{
    const OnnxTensor *t = known(w, 0);
    if (t)
        give_known(w, 0, t);
    return t != NULL;
}

static bool fold_Gather(Work *w)
{
    Numbers x, index;
    if (!numbers(w, 0, &x) || !numbers(w, 1, &index) || !index.ints)
        return false;
    const int64_t axis = axis_of(attr_int(w, "axis", 0), x.rank);
    const int rank = x.rank - 1 + index.rank;
    int64_t dims[ONNX_RANK_MOST], inner = 1, outer = 1, *ints;
    float *floats;
    if (axis < 0 || axis >= x.rank || rank > ONNX_RANK_MOST)
        return false;
    for (int i = 0, k = 0; i < x.rank; i++) {
        for (int j = 0; i == axis && j < index.rank; j++)
            dims[k++] = index.dims[j];
        if (i != axis)
            dims[k++] = x.dims[i];
        *(i < axis ? &outer : i > axis ? &inner : &(int64_t){1}) *= x.dims[i];
    }
    if (!room(w, rank, dims, x.ints != NULL, &ints, &floats))
        return false;
    for (int64_t o = 0, to = 0; o < outer; o++) {
        for (int64_t j = 0; j < index.n; j++) {
            const int64_t at_axis = axis_of(index.ints[j], (int)x.dims[axis]);
            if (at_axis < 0 || at_axis >= x.dims[axis])
                return false;
            for (int64_t k = 0; k < inner; k++, to++) {
                const int64_t from = (o * x.dims[axis] + at_axis) * inner + k;
                if (ints)
                    ints[to] = x.ints[from];
                else
                    floats[to] = x.floats[from];
            }
        }
    }
    give_numbers(w, 0, rank, dims, ints, floats);
    return true;
}

static bool fold_Slice(Work *w)
{
    Numbers x;
    Slices s;
    int64_t steps[ONNX_RANK_MOST], dims[ONNX_RANK_MOST], begin = 0;
    if (!numbers(w, 0, &x) || !slices_of(w, x.rank, x.dims, &s))
        return false;
    row_steps(x.rank, x.dims, steps);
    for (int i = 0; i < x.rank; i++) {
        begin += s.begin[i] * steps[i];
        steps[i] *= s.step[i];
        dims[i] = s.count[i];
    }
    return gather(w, 0, &x, x.rank, dims, begin, steps);
}

static bool fold_Concat(Work *w)
{
    enum { PARTS_MOST = 64 };
    Numbers x[PARTS_MOST];
    int64_t dims[ONNX_RANK_MOST], *ints, outer = 1;
    float *floats;
    const int n = w->node->n_in;
    for (int i = 0; i < n; i++) {
        if (n > PARTS_MOST || !numbers(w, i, &x[i]) || x[i].rank != x[0].rank || x[i].rank == 0 ||
            !x[i].ints != !x[0].ints)
            return false;
    }
    const int64_t axis = n ? axis_of(attr_int(w, "axis", 0), x[0].rank) : -1;
    if (axis < 0 || axis >= x[0].rank)
        return false;
    memcpy(dims, x[0].dims, sizeof dims);
    for (int i = 1; i < n; i++) {
        for (int k = 0; k < x[0].rank; k++) {
            if (k != axis && x[i].dims[k] != dims[k])
                return false;
        }
        dims[axis] += x[i].dims[axis];
    }
    for (int k = 0; k < axis; k++)
        outer *= dims[k];
    if (!room(w, x[0].rank, dims, x[0].ints != NULL, &ints, &floats))
        return false;
    for (int64_t o = 0, to = 0; o < outer; o++) {
        for (int i = 0; i < n; i++) {
            const int64_t part = x[i].n / (outer ? outer : 1);
            for (int64_t k = 0; k < part; k++, to++) {
                if (ints)
                    ints[to] = x[i].ints[o * part + k];
                else
                    floats[to] = x[i].floats[o * part + k];
            }
        }
    }
    give_numbers(w, 0, x[0].rank, dims, ints, floats);
    return true;
}

/* The numbers as they are, with another shape. */
static bool reshaped(Work *w, int rank, const int64_t *dims)
{
    const OnnxTensor *t = known(w, 0);
    OnnxTensor *to = NEW(w->arena, OnnxTensor);
    *to = *t;
    to->rank = rank;
    memcpy(to->dims, dims, (size_t)rank * sizeof *dims);
    give_known(w, 0, to);
    return true;
}

static bool fold_shaped(Work *w)
{
    const OnnxTensor *t = known(w, 0);
    int64_t dims[ONNX_RANK_MOST];
    int rank;
    return t && new_shape(w, t->rank, t->dims, &rank, dims) && reshaped(w, rank, dims);
}

static bool fold_Transpose(Work *w)
{
    Numbers x;
    const OnnxAttr *perm = attr_ints(w, "perm");
    int64_t steps[ONNX_RANK_MOST], dims[ONNX_RANK_MOST], to_steps[ONNX_RANK_MOST];
    if (!numbers(w, 0, &x) || (perm && perm->n != x.rank))
        return false;
    row_steps(x.rank, x.dims, steps);
    for (int i = 0; i < x.rank; i++) {
        const int64_t from = perm ? perm->ints[i] : x.rank - 1 - i;
        if (from < 0 || from >= x.rank)
            return false;
        dims[i] = x.dims[from];
        to_steps[i] = steps[from];
    }
    return gather(w, 0, &x, x.rank, dims, 0, to_steps);
}

static bool fold_Expand(Work *w)
{
    Numbers x, shape;
    int64_t steps[ONNX_RANK_MOST], own[ONNX_RANK_MOST], dims[ONNX_RANK_MOST];
    if (!numbers(w, 0, &x) || !numbers(w, 1, &shape) || !shape.ints || shape.n > ONNX_RANK_MOST)
        return false;
    const int rank = shape.n > x.rank ? (int)shape.n : x.rank;
    row_steps(x.rank, x.dims, own);
    for (int i = 0; i < rank; i++) {
        const int k = i - (rank - x.rank), m = i - (rank - (int)shape.n);
        const int64_t a = k < 0 ? 1 : x.dims[k], b = m < 0 ? 1 : shape.ints[m];
        if (a != b && a != 1 && b != 1)
            return false;
        dims[i] = a == 1 ? b : a;
        steps[i] = k < 0 || a == 1 ? 0 : own[k];
    }
    return gather(w, 0, &x, rank, dims, 0, steps);
}

/* ---- all of them ---- */

static const struct {
    const char *op;
    bool (*of)(Work *w);
} rules[] = {
    {"Constant", fold_Constant}, {"ConstantOfShape", fold_ConstantOfShape},
    {"Shape", fold_Shape},       {"Size", fold_Size},
    {"Range", fold_Range},       {"Cast", fold_Cast},
    {"Identity", fold_Identity}, {"Dropout", fold_Identity},
    {"Gather", fold_Gather},     {"Slice", fold_Slice},
    {"Concat", fold_Concat},     {"Reshape", fold_shaped},
    {"Squeeze", fold_shaped},    {"Unsqueeze", fold_shaped},
    {"Flatten", fold_shaped},    {"Transpose", fold_Transpose},
    {"Expand", fold_Expand},     {"Where", fold_Where},
    {"Clip", fold_Clip},
};

bool folds(const char *op)
{
    for (size_t i = 0; i < sizeof rules / sizeof *rules; i++) {
        if (str_eq(op, rules[i].op))
            return true;
    }
    return str_eq(op, "ReduceProd") || folds_arithmetic(op);
}

bool fold(Work *w)
{
    for (size_t i = 0; i < sizeof rules / sizeof *rules; i++) {
        if (str_eq(w->node->op, rules[i].op))
            return rules[i].of(w);
    }
    if (str_eq(w->node->op, "ReduceProd") || str_eq(w->node->op, "ReduceSum"))
        return fold_reduced(w, str_eq(w->node->op, "ReduceProd"));
    return fold_arithmetic(w);
}
