/* infer_join.c: the shape rules of operators that join arms. */
#include "net/infer_parts.h"

#include <math.h>
#include <string.h>

/* What a message calls an operand: the arm it ends ('main' for the operand
 * layer2.0.main.bn2 of layer2.0.add1), else its own name. */
static const char *arm_name(const Node *join, const Node *operand, Arena *arena)
{
    const char *last = strrchr(join->name, '.');
    size_t scope = last ? (size_t)(last + 1 - join->name) : 0;
    if (strncmp(join->name, operand->name, scope) != 0)
        return operand->name;
    const char *arm = operand->name + scope, *dot = strchr(arm, '.');
    return dot ? arena_strndup(arena, arm, (size_t)(dot - arm)) : operand->name;
}

/* The stride that reduces `in` pixels to `out`, or 0. */
static int stride_to(int in, int out)
{
    int stride = (in + out - 1) / out;
    return in >= out && (in - 1) / stride + 1 == out ? stride : 0;
}

/* One pixel goes with any image: it is spread over it. */
static bool is_pixel(Type t)
{
    return t.h == 1 && t.w == 1;
}

/* Text that says how to give `from` the shape `to`; "" if there is no simple way. Operands of a
 * join along the channels (`concat`) may have different channels. */
static const char *remedy(Type from, Type to, bool concat, Arena *arena)
{
    int down = stride_to(from.h, to.h), across = stride_to(from.w, to.w);
    if (type_eq(from, to) || from.n != to.n)
        return "";
    if (!concat && is_pixel(from))
        return arena_printf(arena, "; a convolution of %d filters, 1x1, would match it", to.c);
    if (!concat && is_pixel(to))
        return "";
    if (down && across && !concat) {
        const char *stride = down == across ? arena_printf(arena, "%d", down)
                                            : arena_printf(arena, "(%d, %d)", down, across);
        return arena_printf(arena, "; a convolution of %d filters, 1x1, stride %s would match it",
                            to.c, stride);
    }
    if (down && across && down == across && down > 1)
        return arena_printf(arena, "; a stride of %d would match it", down);
    if (to.h % from.h == 0 && to.w % from.w == 0 && to.h / from.h == to.w / from.w &&
        to.h > from.h && (concat || from.c == to.c))
        return arena_printf(arena, "; `upsample %d` would match it", to.h / from.h);
    return "";
}

static const char *difference(Type a, Type b, bool concat)
{
    bool channels = !concat && a.c != b.c && a.c != 1 && b.c != 1;
    bool pixels = (a.h != b.h || a.w != b.w) && (concat || (!is_pixel(a) && !is_pixel(b)));
    if (a.n != b.n)
        return "batch";
    if (channels && pixels)
        return "channels, height and width";
    return channels ? "channels" : "height and width";
}

/* Reports that operand `bad` does not fit operand `good`, which comes before it. */
static bool refuse_join(const Node *node, Diag *diag, int good, int bad)
{
    Arena *arena = diag->out.arena;
    bool concat = node->op == OP_CONCAT;
    const char *verb = concat               ? "concatenate"
                       : node->op == OP_MUL ? "multiply"
                       : node->op == OP_SUB ? "subtract"
                       : node->op == OP_DIV ? "divide"
                                            : "add";
    Type a = node->in[good]->type, b = node->in[bad]->type;
    diag_error(diag, node_loc(node), "cannot %s the arms: they differ in %s", verb,
               difference(a, b, concat));
    const char *first = "", *second = remedy(b, a, concat, arena);
    if (!*second)
        first = remedy(a, b, concat, arena);
    const char *name = arm_name(node, node->in[good], arena);
    diag_note(diag, node_loc(node->in[good]), "'%s' is %d x %d x %d%s", name, a.c, a.h, a.w, first);
    name = arm_name(node, node->in[bad], arena);
    diag_note(diag, node_loc(node->in[bad]), "'%s' is %d x %d x %d%s", name, b.c, b.h, b.w, second);
    diag_note_callers(diag, node->place);
    return false;
}

/* Height and width are those of the first operand that is not spread over pixels; independently,
 * the channels are those of the first operand that is not spread over channels. */
static bool elementwise(Node *node, Diag *diag)
{
    int image = 0, channels = 0; /* the operands that decide them */
    for (int i = 0; i < node->n_in; i++) {
        Type t = node->in[i]->type, m = node->in[image]->type;
        if (m.h == 1 && m.w == 1 && (t.h != 1 || t.w != 1))
            image = i;
        if (node->in[channels]->type.c == 1 && t.c != 1)
            channels = i;
    }
    Type hw = node->in[image]->type, c = node->in[channels]->type;
    for (int i = 0; i < node->n_in; i++) {
        Type t = node->in[i]->type;
        int other = t.n != node->in[0]->type.n                               ? 0
                    : (t.h != hw.h || t.w != hw.w) && (t.h != 1 || t.w != 1) ? image
                    : t.c != c.c && t.c != 1                                 ? channels
                                                                             : -1;
        if (other >= 0)
            return refuse_join(node, diag, other < i ? other : i, other < i ? i : other);
    }
    return set_result(node, diag, node->in[0]->type.elem, c.c, hw.h, hw.w);
}

bool shape_ADD(Node *node, Diag *diag)
{
    return elementwise(node, diag);
}

bool shape_MUL(Node *node, Diag *diag)
{
    return elementwise(node, diag);
}

bool shape_SUB(Node *node, Diag *diag)
{
    return elementwise(node, diag);
}

bool shape_DIV(Node *node, Diag *diag)
{
    return elementwise(node, diag);
}

/* Whether the parts have whole numbers of channels, and all of them together. */
static bool sizes_fit(const Attrs *a, int channels)
{
    int64_t sum = 0;
    bool whole = a->sizes.n == a->parts;
    for (int i = 0; i < a->sizes.n; i++) {
        whole = whole && a->sizes.at[i] >= 1 && !(a->sizes.at[i] > floor(a->sizes.at[i]));
        sum += (int64_t)a->sizes.at[i];
    }
    return whole && sum == channels;
}

bool shape_SPLIT(Node *node, Diag *diag)
{
    const Type t = node->in[0]->type;
    const int parts = node->attrs.parts;
    const bool equal = node->attrs.sizes.at[0] <= 0;
    int first;
    if (equal ? parts > 0 && t.c % parts == 0 : sizes_fit(&node->attrs, t.c))
        return set_result(node, diag, node->in[0]->type.elem,
                          split_part(&node->attrs, t.c, node->attrs.result, &first), t.h, t.w);
    if (equal)
        diag_error(diag, node_loc(node), "%d channels do not split into %d equal parts", t.c,
                   parts);
    else
        diag_error(diag, node_loc(node),
                   "the sizes of 'split' are not whole numbers with a sum of %d, the channels",
                   t.c);
    note_operand(diag, node->in[0], "");
    diag_note_callers(diag, node->place);
    return false;
}

bool shape_STACK(Node *node, Diag *diag)
{
    const Type first = node->in[0]->type;
    int64_t h = 0;
    for (int i = 0; i < node->n_in; i++) {
        const Type t = node->in[i]->type;
        if (t.n != first.n || t.w != first.w || t.c != first.c) {
            diag_error(diag, node_loc(node), "'stack' needs operands that differ only in height");
            return false;
        }
        h += t.h;
    }
    return set_result(node, diag, first.elem, first.c, h, first.w);
}

bool shape_CONCAT(Node *node, Diag *diag)
{
    Type first = node->in[0]->type;
    int64_t c = 0;
    for (int i = 0; i < node->n_in; i++) {
        Type t = node->in[i]->type;
        if (t.n != first.n || t.h != first.h || t.w != first.w)
            return refuse_join(node, diag, 0, i);
        c += t.c;
    }
    return set_result(node, diag, node->in[0]->type.elem, c, first.h, first.w);
}
