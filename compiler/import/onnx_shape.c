/* onnx_shape.c: the extents that operators give which only move elements. */
#include "import/onnx_parts.h"

#include <string.h>

int axis_in(int64_t axis, int rank)
{
    if (axis < 0)
        axis += rank;
    return axis >= 0 && axis < rank ? (int)axis : -1;
}

/* ---- slices ---- */

static int64_t within(int64_t x, int64_t least, int64_t most)
{
    return x < least ? least : x > most ? most : x;
}

static void slice_axis(Slices *s, int axis, int64_t extent, int64_t begin, int64_t end,
                       int64_t step)
{
    const int64_t last = extent - 1;
    if (begin < 0)
        begin = begin < -extent ? -1 : begin + extent;
    if (end < 0)
        end = end < -extent ? -1 : end + extent;
    int64_t span;
    if (step > 0) {
        begin = within(begin, 0, extent);
        span = within(end, 0, extent) - begin;
    } else {
        begin = within(begin, -1, last);
        span = begin - within(end, -1, last);
    }
    const uint64_t by = step > 0 ? (uint64_t)step : (uint64_t)0 - (uint64_t)step;
    s->begin[axis] = begin < 0 ? 0 : begin;
    s->step[axis] = step;
    s->count[axis] = span > 0 ? (int64_t)(((uint64_t)span - 1) / by) + 1 : 0;
    if (s->count[axis] <= 1)
        s->step[axis] = 1;
}

bool slices_of(Work *w, int rank, const int64_t *dims, Slices *s)
{
    const int64_t *begin, *end, *axes, *steps;
    int n, n_end, n_axes, n_steps;
    if (!ints_of(w, "starts", 1, &begin, &n) || !ints_of(w, "ends", 2, &end, &n_end) ||
        !ints_of(w, "axes", 3, &axes, &n_axes) || !ints_of(w, "steps", 4, &steps, &n_steps))
        return false;
    for (int i = 0; i < rank; i++)
        s->begin[i] = 0, s->step[i] = 1, s->count[i] = dims[i];
    bool good =
        n == n_end && n <= rank && (n_axes == 0 || n_axes == n) && (n_steps == 0 || n_steps == n);
    for (int i = 0; good && i < n; i++) {
        const int axis = axis_in(n_axes ? axes[i] : i, rank);
        const int64_t step = n_steps ? steps[i] : 1;
        good = axis >= 0 && step != 0;
        if (good)
            slice_axis(s, axis, dims[axis], begin[i], end[i], step);
    }
    if (!good)
        refuse(w, "whose attributes do not fit its operand", NULL);
    return good;
}

/* ---- shapes ---- */

static int64_t elements(int rank, const int64_t *dims)
{
    int64_t n = 1;
    for (int i = 0; i < rank; i++)
        n = mul_extents(n, dims[i]);
    return n;
}

static bool misfit(Work *w)
{
    refuse(w, "whose shape does not fit its operand",
           "if a batch is written into it, export the model for one image");
    return false;
}

static bool reshape(Work *w, int rank, const int64_t *dims, int *to_rank, int64_t *to)
{
    const int64_t *shape;
    int n, open = -1;
    if (!ints_of(w, "shape", 1, &shape, &n))
        return false;
    if (n > ONNX_RANK_MOST)
        return misfit(w);
    for (int i = 0; i < n; i++) {
        if (shape[i] < -1 || (shape[i] == -1 && open >= 0))
            return misfit(w);
        const bool same = shape[i] == 0 && !attr_int(w, "allowzero", 0);
        if (same && i >= rank)
            return misfit(w);
        to[i] = same ? dims[i] : shape[i];
        if (shape[i] == -1)
            open = i, to[i] = 1;
    }
    const int64_t all = elements(rank, dims), given = elements(n, to);
    if (open >= 0 && given > 0 && all % given == 0)
        to[open] = all / given;
    *to_rank = n;
    return elements(n, to) == all || misfit(w);
}

static bool squeeze(Work *w, int rank, const int64_t *dims, int *to_rank, int64_t *to)
{
    const int64_t *axes;
    bool without[ONNX_RANK_MOST] = {false};
    int n;
    if (!ints_of(w, "axes", 1, &axes, &n))
        return false;
    for (int i = 0; i < n; i++) {
        const int axis = axis_in(axes[i], rank);
        if (axis < 0 || dims[axis] != 1)
            return misfit(w);
        without[axis] = true;
    }
    *to_rank = 0;
    for (int i = 0; i < rank; i++) {
        if (!(n ? without[i] : dims[i] == 1))
            to[(*to_rank)++] = dims[i];
    }
    return true;
}

static bool unsqueeze(Work *w, int rank, const int64_t *dims, int *to_rank, int64_t *to)
{
    const int64_t *axes;
    bool with[ONNX_RANK_MOST] = {false};
    int n;
    if (!ints_of(w, "axes", 1, &axes, &n))
        return false;
    if (rank + n > ONNX_RANK_MOST)
        return misfit(w);
    *to_rank = rank + n;
    for (int i = 0; i < n; i++) {
        const int axis = axis_in(axes[i], *to_rank);
        if (axis < 0 || with[axis])
            return misfit(w);
        with[axis] = true;
    }
    for (int i = 0, k = 0; i < *to_rank; i++)
        to[i] = with[i] ? 1 : dims[k++];
    return true;
}

bool new_shape(Work *w, int rank, const int64_t *dims, int *to_rank, int64_t *to)
{
    const char *op = w->node->op;
    if (str_eq(op, "Reshape"))
        return reshape(w, rank, dims, to_rank, to);
    if (str_eq(op, "Squeeze"))
        return squeeze(w, rank, dims, to_rank, to);
    if (str_eq(op, "Unsqueeze"))
        return unsqueeze(w, rank, dims, to_rank, to);
    const int64_t axis = attr_int(w, "axis", 1);
    const int cut = axis == rank ? rank : axis_in(axis, rank);
    if (cut < 0)
        return misfit(w);
    *to_rank = 2;
    to[0] = elements(cut, dims);
    to[1] = elements(rank - cut, dims + cut);
    return true;
}
