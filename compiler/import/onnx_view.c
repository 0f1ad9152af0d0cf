/* onnx_view.c: see onnx_view.h. */
#include "import/onnx_view.h"

#include <string.h>

static int64_t extent_of(Type t, int axis)
{
    const int64_t extents[AXES] = {t.n, t.c, t.h, t.w};
    return extents[axis];
}

static void begin_axis(View *v, int64_t dim)
{
    v->dims[v->rank] = dim;
    v->first[v->rank + 1] = v->first[v->rank];
    v->rank++;
}

/* Adds an atom to the last axis; one that goes on where the last ended makes that one longer. */
static bool put(View *v, Atom atom)
{
    if (atom.extent == 1)
        return true;
    const int end = v->first[v->rank];
    Atom *last = end > v->first[v->rank - 1] ? &v->atoms[end - 1] : NULL;
    if (last && last->axis == atom.axis && last->stride == atom.extent * atom.stride) {
        *last = (Atom){atom.axis, last->extent * atom.extent, atom.stride};
        return true;
    }
    if (end == ATOMS_MOST)
        return false;
    v->atoms[end] = atom;
    v->first[v->rank]++;
    return true;
}

View view_of(Type type, int rank, const int *axes)
{
    View v = {0};
    for (int i = 0; i < rank; i++) {
        begin_axis(&v, extent_of(type, axes[i]));
        put(&v, (Atom){axes[i], extent_of(type, axes[i]), 1});
    }
    return v;
}

View view_image(Type type, int rank)
{
    static const int images[] = {AXIS_N, AXIS_C, AXIS_H, AXIS_W}, rows[] = {AXIS_N, AXIS_C, AXIS_W};
    return view_of(type, rank, rank == 3 ? rows : images);
}

static void copy_axis(View *to, const View *from, int axis)
{
    begin_axis(to, from->dims[axis]);
    for (int k = from->first[axis]; k < from->first[axis + 1]; k++)
        put(to, from->atoms[k]);
}

View view_transposed(const View *v, const int64_t *perm)
{
    View to = {0};
    for (int i = 0; i < v->rank; i++)
        copy_axis(&to, v, (int)perm[i]);
    return to;
}

/* Moves atoms of the product `need` from the list to the last axis of `to`. */
static bool take(View *to, Atom *atoms, int n, int *at, int64_t need)
{
    while (need > 1) {
        if (*at == n)
            return false;
        Atom *a = &atoms[*at];
        if (a->extent <= need) {
            if (need % a->extent || !put(to, *a))
                return false;
            need /= a->extent;
            ++*at;
            continue;
        }
        const int64_t rest = a->extent / need;
        if (a->extent % need || !put(to, (Atom){a->axis, need, a->stride * rest}))
            return false;
        a->extent = rest;
        need = 1;
    }
    return true;
}

bool view_reshaped(const View *v, int rank, const int64_t *dims, View *to)
{
    Atom atoms[ATOMS_MOST];
    const int n = v->first[v->rank];
    int at = 0;
    memcpy(atoms, v->atoms, sizeof atoms);
    *to = (View){0};
    for (int i = 0; i < rank; i++) {
        begin_axis(to, dims[i]);
        if (!take(to, atoms, n, &at, dims[i]))
            return false;
    }
    return at == n;
}

View view_without(const View *v, int axis)
{
    View to = {0};
    for (int i = 0; i < v->rank; i++) {
        if (i != axis)
            copy_axis(&to, v, i);
    }
    return to;
}

View view_with(const View *v, int axis)
{
    View to = {0};
    for (int i = 0; i <= v->rank; i++) {
        if (i == axis)
            begin_axis(&to, 1);
        if (i < v->rank)
            copy_axis(&to, v, i);
    }
    return to;
}

void view_set_axis(View *v, int i, const View *from, int k)
{
    View to = {0};
    for (int axis = 0; axis < v->rank; axis++)
        copy_axis(&to, axis == i ? from : v, axis == i ? k : axis);
    *v = to;
}

void view_set_atom(View *v, int i, Atom atom)
{
    View one = {0};
    begin_axis(&one, atom.extent);
    put(&one, atom);
    view_set_axis(v, i, &one, 0);
}

void view_set_whole(View *v, int i, int of, int64_t extent)
{
    view_set_atom(v, i, (Atom){of, extent, 1});
}

bool view_axis_is(const View *v, int axis, int of, int64_t extent)
{
    const Atom *a = &v->atoms[v->first[axis]];
    const int n = v->first[axis + 1] - v->first[axis];
    return extent == 1 ? n == 0 : n == 1 && a->axis == of && a->extent == extent && a->stride == 1;
}

bool view_is(const View *v, Type type, int rank, const int *axes)
{
    int64_t all = 1;
    for (int i = 0; i < rank; i++) {
        all *= extent_of(type, axes[i]);
        if (v->rank != rank || !view_axis_is(v, i, axes[i], extent_of(type, axes[i])))
            return false;
    }
    return all == type_elements(type);
}

const int *view_axes(const View *v, Type type)
{
    static const struct {
        int rank, axes[AXES];
    } orders[] = {{4, {AXIS_N, AXIS_C, AXIS_H, AXIS_W}},
                  {4, {AXIS_N, AXIS_H, AXIS_W, AXIS_C}},
                  {3, {AXIS_N, AXIS_C, AXIS_W}},
                  {3, {AXIS_N, AXIS_W, AXIS_C}},
                  {2, {AXIS_N, AXIS_C}},
                  {1, {AXIS_C}}};
    for (size_t i = 0; i < sizeof orders / sizeof *orders; i++) {
        if (view_is(v, type, orders[i].rank, orders[i].axes))
            return orders[i].axes;
    }
    return NULL;
}

int view_whole_axis(const View *v, int axis, Type type)
{
    const int *axes = view_axes(v, type);
    if (axes)
        return axes[axis];
    for (int of = 0; of < AXES; of++) {
        if (extent_of(type, of) > 1 && view_axis_is(v, axis, of, extent_of(type, of)))
            return of;
    }
    return -1;
}

int view_channels(const View *v, Type type)
{
    for (int i = 0; i < v->rank && type.c > 1; i++) {
        if (view_axis_is(v, i, AXIS_C, type.c))
            return i;
    }
    return -1;
}

int view_order(const View *v, Type type)
{
    static const int orders[][AXES] = {{AXIS_N, AXIS_C, AXIS_H, AXIS_W},
                                       {AXIS_N, AXIS_H, AXIS_W, AXIS_C}};
    const int64_t all = type_elements(type);
    View row, wanted;
    if (!view_reshaped(v, 1, &all, &row))
        return -1;
    for (int o = 0; o < 2; o++) {
        const View whole = view_of(type, AXES, orders[o]);
        if (view_reshaped(&whole, 1, &all, &wanted) && view_same_axis(&row, 0, &wanted, 0))
            return o == 0 ? ORDER_NCHW : ORDER_NHWC;
    }
    return -1;
}

bool view_same_axis(const View *a, int i, const View *b, int k)
{
    const int n = a->first[i + 1] - a->first[i];
    if (n != b->first[k + 1] - b->first[k])
        return false;
    for (int at = 0; at < n; at++) {
        const Atom *x = &a->atoms[a->first[i] + at], *y = &b->atoms[b->first[k] + at];
        if (x->axis != y->axis || x->extent != y->extent || x->stride != y->stride)
            return false;
    }
    return true;
}

int64_t view_elements(const View *v)
{
    int64_t n = 1;
    for (int i = 0; i < v->rank; i++)
        n *= v->dims[i];
    return n;
}
