/* axes.c: the order of a kernel's axes in a weights file, and how to restore rnc's own. */
#include "net/axes.h"

#include "base/str.h"

#include <string.h>

int axes_rank(Op op, Role role)
{
    if (role != P_WEIGHT)
        return 0;
    return op == OP_CONV || op == OP_CONV_TRANSPOSE ? 4 : op == OP_DENSE ? 2 : 0;
}

const char *axes_own(Op op)
{
    return op == OP_CONV_TRANSPOSE ? "iohw" : op == OP_CONV ? "oihw" : "oi";
}

const char *axes_keras(Op op)
{
    return op == OP_CONV_TRANSPOSE ? "hwoi" : op == OP_CONV ? "hwio" : "io";
}

bool axes_valid(const char *word, Op op)
{
    const char *own = axes_own(op);
    if (strlen(word) != strlen(own))
        return false;
    for (int i = 0; own[i]; i++) {
        if (!strchr(word, own[i]))
            return false;
    }
    return true;
}

const char *axes_text(Arena *arena, const char *axes)
{
    Buf out = buf_new(arena);
    for (; *axes; axes++) {
        buf_printf(&out, "[%s]",
                   *axes == 'o'   ? "out"
                   : *axes == 'i' ? "in"
                   : *axes == 'h' ? "height"
                                  : "width");
    }
    return buf_text(&out);
}

/* The position in `axes` of the axis that is i-th in rnc's own order. */
static int position(const char *axes, Op op, int i)
{
    return (int)(strchr(axes, axes_own(op)[i]) - axes);
}

void axes_extents(const Node *node, const char *axes, int64_t dims[4])
{
    const Param *param = node->params[P_WEIGHT];
    for (int i = 0; i < param->rank; i++)
        dims[position(axes, node->op, i)] = param->dims[i];
}

/* Sets own[] to the extents in rnc's own order of a tensor in the order `axes`. */
static void own_extents(const char *axes, const Node *node, const int64_t *dims, int64_t own[4])
{
    for (int i = 0; i < node->params[P_WEIGHT]->rank; i++)
        own[i] = dims[position(axes, node->op, i)];
}

bool axes_fit(const Node *node, const char *axes, const int64_t *dims, int rank)
{
    const Param *param = node->params[P_WEIGHT];
    int64_t own[4];
    if (rank != param->rank)
        return false;
    own_extents(axes, node, dims, own);
    bool same = true;
    for (int i = 0; i < rank; i++)
        same = same && own[i] == param->dims[i];
    if (same || node->op != OP_CONV || param->dims[1] != 1 || str_eq(axes, "oihw"))
        return same;
    return own[1] == node->attrs.groups && own[0] == param->dims[0] / node->attrs.groups &&
           own[2] == param->dims[2] && own[3] == param->dims[3];
}

void axes_reorder(float *to, const float *from, const Node *node, const char *axes,
                  const int64_t *dims)
{
    const Param *param = node->params[P_WEIGHT];
    const int rank = param->rank;
    int64_t steps[4] = {0}, own[4] = {0}, step = 1; /* steps: distances along own axes */
    for (int at = rank - 1; at >= 0; at--) {
        for (int i = 0; i < rank; i++) {
            if (position(axes, node->op, i) == at)
                steps[i] = step;
        }
        step *= dims[at];
    }
    own_extents(axes, node, dims, own);
    /* A filter of a depthwise convolution is split into the channel and which of its filters it
     * is. */
    const bool split = own[1] != param->dims[1];
    const int64_t each = split ? own[0] : 1;
    const int64_t height = rank == 4 ? own[2] : 1, width = rank == 4 ? own[3] : 1;
    for (int64_t o = 0; o < param->dims[0]; o++) {
        const int64_t filter = split ? o / each * steps[1] + o % each * steps[0] : o * steps[0];
        for (int64_t i = 0; i < param->dims[1]; i++)
            for (int64_t y = 0; y < height; y++)
                for (int64_t x = 0; x < width; x++)
                    *to++ = from[filter + i * steps[1] + y * steps[2] + x * steps[3]];
    }
}
