/* bind_shape.c: whether a tensor's extents are a parameter's.
 *
 * Axes of extent 1 may be missing or additional, since the numbers are stored in the same order
 * without them: the kernel of a one-dimensional convolution can have height 1, and a dense layer's
 * can be 1x1.
 */
#include "params/bind_parts.h"

#include "net/axes.h"

#include <inttypes.h>
#include <string.h>

const char *bind_shape_text(Arena *arena, const int64_t *dims, int rank)
{
    Buf text = buf_new(arena);
    for (int i = 0; i < rank; i++)
        buf_printf(&text, "[%" PRId64 "]", dims[i]);
    return rank ? buf_text(&text) : "a single number";
}

const char *bind_axes(const Use *use)
{
    const int rank = axes_rank(use->node->op, use->param->role);
    if (rank == 0)
        return NULL;
    return use->by_alias && use->param->axes ? use->param->axes : axes_own(use->node->op);
}

/* ---- the same numbers under other extents ---- */

static bool fits(const Use *use, const char *axes, const int64_t *dims)
{
    const Param *param = use->param;
    if (axes)
        return axes_fit(use->node, axes, dims, param->rank);
    for (int i = 0; i < param->rank; i++) {
        if (dims[i] != param->dims[i])
            return false;
    }
    return true;
}

/* Finds extents of the parameter's rank that fit and that differ from the tensor's only in axes of
 * extent 1.  Which axes those are does not matter, since the order of the numbers is the same. */
static bool fit_squeezed(const Use *use, const char *axes, int64_t dims[4])
{
    const StoredTensor *t = use->slot->tensor;
    const int rank = use->param->rank;
    int64_t real[8];
    int n = 0;
    for (int i = 0; i < t->rank; i++) {
        if (t->dims[i] != 1)
            real[n++] = t->dims[i];
    }
    /* The bits of `ones` are the axes of extent 1. */
    for (unsigned ones = 0; n <= rank && ones < 1u << rank; ones++) {
        int k = 0;
        for (int i = 0; i < rank; i++) {
            if (ones >> i & 1)
                dims[i] = 1;
            else if (k < n)
                dims[i] = real[k++];
            else
                k = n + 1;
        }
        if (k == n && fits(use, axes, dims))
            return true;
    }
    return false;
}

/* ---- messages ---- */

/* Another order that the tensor's extents would fit, Keras' or rnc's own. */
static const char *other_axes(const Use *use, const char *axes)
{
    const StoredTensor *t = use->slot->tensor;
    const char *const known[] = {axes_own(use->node->op), axes_keras(use->node->op)};
    for (int i = 0; i < 2; i++) {
        if (!str_eq(known[i], axes) && axes_fit(use->node, known[i], t->dims, t->rank))
            return known[i];
    }
    return NULL;
}

/* Notes which order it has instead, and the way out. */
static void note_axes(Binder *b, const Use *use, const char *axes)
{
    const char *other = other_axes(use, axes);
    const char *op = op_row(use->node->op)->name, *role = role_name(use->node, use->param->role);
    if (!other)
        return;
    diag_note(b->diag, NO_LOC, "this is the order of %s, %s; expected is that of %s, %s",
              str_eq(other, axes_own(use->node->op)) ? "PyTorch" : "Keras",
              axes_text(b->arena, other),
              use->param->axes && str_eq(axes, use->param->axes) ? "the naming" : "PyTorch",
              axes_text(b->arena, axes));
    if (use->param->axes && use->by_alias)
        diag_note(b->diag, NO_LOC, "--names NAMING takes one without '%s' after '%s.%s -> ...'",
                  use->param->axes, op, role);
    else
        diag_note(b->diag, NO_LOC,
                  "a naming can say the order, `%s.%s -> \"kernel\" %s`, as 'keras' of "
                  "lib/keras.net does",
                  op, role, other);
}

/* Notes a parameter of the net whose value is this extent, if the file has another extent there. */
static void note_define(Binder *b, const Use *use, const int64_t *dims)
{
    const StoredTensor *t = use->slot->tensor;
    const NetDefine *only = NULL;
    int64_t wanted = 0;
    if (t->rank != use->param->rank)
        return;
    for (int i = 0; i < t->rank; i++) {
        if (t->dims[i] == dims[i])
            continue;
        for (int k = 0; k < b->net->defines.n; k++) {
            if (b->net->defines.at[k].value != dims[i])
                continue;
            if (only && only != &b->net->defines.at[k])
                return;
            only = &b->net->defines.at[k];
            wanted = t->dims[i];
        }
    }
    for (int i = 0; only && i < b->defined.n; i++) {
        if (b->defined.at[i] == only)
            return;
    }
    if (!only)
        return;
    VEC_PUSH(b->arena, &b->defined, only);
    diag_note(b->diag, NO_LOC, "'%s' of the net is %" PRId64 "; -D %s=%" PRId64 " may make it fit",
              only->name, only->value, only->name, wanted);
}

bool bind_shape(Binder *b, const Use *use, const char *axes, int64_t dims[4])
{
    const StoredTensor *t = use->slot->tensor;
    const Param *param = use->param;
    if (t->rank == param->rank && fits(use, axes, t->dims)) {
        memcpy(dims, t->dims, sizeof(int64_t) * (size_t)t->rank);
        return true;
    }
    if (fit_squeezed(use, axes, dims)) {
        if (b->reshaped++ == 0)
            b->first_reshaped = use;
        return true;
    }
    for (int i = 0; i < param->rank; i++)
        dims[i] = param->dims[i];
    if (axes)
        axes_extents(use->node, axes, dims);
    diag_file_error(b->diag, use->slot->file->path,
                    "tensor '%s' has the wrong shape: it is %s, the network needs %s", t->name,
                    bind_shape_text(b->arena, t->dims, t->rank),
                    bind_shape_text(b->arena, dims, param->rank));
    if (axes)
        note_axes(b, use, axes);
    if (bind_place(param).file >= 0)
        diag_note(b->diag, bind_place(param), "'%s' is needed here", param->name);
    note_define(b, use, dims);
    b->misfit = b->misfit ? b->misfit : use;
    return false;
}
