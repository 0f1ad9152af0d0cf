/* infer.c: the shape rules of all operators but those with windows and arms (infer_window.c,
 * infer_join.c), and the checks that apply to every operator. */
#include "net/infer_parts.h"

#include "base/str.h"
#include "net/state.h"

#include <limits.h>

/* A tensor or a parameter has fewer than 2^40 elements (4 TiB of floats), so that its product with
 * a few more factors still fits into 64 bits. */
#define MOST_ELEMENTS ((int64_t)1 << 40)

/* ---- what the rules share ---- */

Loc node_loc(const Node *node)
{
    return node->place ? node->place->loc : NO_LOC;
}

void note_operand(Diag *diag, const Node *operand, const char *more)
{
    Type t = operand->type;
    diag_note(diag, node_loc(operand), "'%s' is %d x %d x %d%s", operand->name, t.c, t.h, t.w,
              more);
}

static bool fits(int64_t extent)
{
    return extent >= 1 && extent <= INT_MAX;
}

bool set_result(Node *node, Diag *diag, Elem elem, int64_t c, int64_t h, int64_t w)
{
    return set_batch(node, diag, elem, node->n_in ? node->in[0]->type.n : node->type.n, c, h, w);
}

bool set_batch(Node *node, Diag *diag, Elem elem, int64_t n, int64_t c, int64_t h, int64_t w)
{
    int64_t elements = mul_extents(mul_extents(n, h), mul_extents(w, c));
    if (fits(n) && fits(h) && fits(w) && fits(c) && elements < MOST_ELEMENTS) {
        node->type = (Type){elem, (int)n, (int)h, (int)w, (int)c};
        return true;
    }
    diag_error(diag, node_loc(node),
               "the result of '%s' is too large: a batch of %lld, %lld x %lld x %lld",
               op_row(node->op)->name, (long long)n, (long long)c, (long long)h, (long long)w);
    if (node->n_in)
        note_operand(diag, node->in[0], "");
    diag_note(diag, node_loc(node),
              "a tensor has 1 to 2147483647 elements in each dimension and less than "
              "1099511627776 (2^40) in all");
    diag_note_callers(diag, node->place);
    return false;
}

bool set_dims(Node *node, Diag *diag, Role role, int rank, const int64_t *dims)
{
    Param *param = node->params[role];
    if (!param)
        return true;
    int64_t elements = 1;
    bool ok = true;
    for (int i = 0; i < rank; i++) {
        ok = ok && fits(dims[i]);
        elements = mul_extents(elements, dims[i]);
    }
    if (!ok || elements >= MOST_ELEMENTS) {
        diag_error(diag, node_loc(node), "the parameter '%s' of '%s' is too large",
                   role_name(node, role), op_row(node->op)->name);
        if (node->n_in)
            note_operand(diag, node->in[0], "");
        diag_note(diag, node_loc(node), "a parameter has less than 1099511627776 (2^40) elements");
        diag_note_callers(diag, node->place);
        return false;
    }
    param->rank = rank;
    for (int i = 0; i < rank; i++)
        param->dims[i] = (int)dims[i];
    return true;
}

bool set_channel_dims(Node *node, Diag *diag, int64_t channels)
{
    bool ok = true;
    for (int r = 0; r < P_ROLES; r++)
        ok = set_dims(node, diag, (Role)r, 1, &channels) && ok;
    return ok;
}

bool check_residual(const Node *node, Diag *diag)
{
    if (node->n_in < 2 || type_eq(node->in[1]->type, node->type))
        return true;
    Type t = node->type;
    diag_error(diag, node_loc(node), "the residual of '%s' is not of its result's shape",
               op_row(node->op)->name);
    diag_note(diag, node_loc(node), "'%s' is %d x %d x %d", node->name, t.c, t.h, t.w);
    note_operand(diag, node->in[1], "");
    return false;
}

/* ---- rules ---- */

static bool same_as_operand(Node *node, Diag *diag)
{
    Type t = node->in[0]->type;
    return set_result(node, diag, node->in[0]->type.elem, t.c, t.h, t.w);
}

/* "f32, u8 or i32" */
static const char *input_elems(Arena *arena)
{
    Buf out = buf_new(arena);
    int left = 0;
    for (int i = 0; i < ELEM_COUNT; i++)
        left += elem_row((Elem)i)->input != NO_INPUT;
    for (int i = 0; i < ELEM_COUNT; i++) {
        if (elem_row((Elem)i)->input == NO_INPUT)
            continue;
        buf_printf(&out, "%s%s", out.n == 0 ? "" : left == 1 ? " or " : ", ", elem_name((Elem)i));
        left--;
    }
    return buf_text(&out);
}

/* The result is f32 whatever the operand's element type. */
static bool float_of_operand(Node *node, Diag *diag)
{
    Type t = node->in[0]->type;
    return set_result(node, diag, ELEM_F32, t.c, t.h, t.w);
}

bool shape_INPUT(Node *node, Diag *diag)
{
    if (elem_row(node->type.elem)->input == NO_INPUT) {
        diag_error(diag, node_loc(node), "no kernel reads inputs of type %s: an input is %s",
                   elem_name(node->type.elem), input_elems(diag->out.arena));
        return false;
    }
    return set_result(node, diag, node->type.elem, node->type.c, node->type.h, node->type.w);
}

static bool check_per_channel(const Node *node, Diag *diag, const char *word, Reals reals)
{
    int c = node->in[0]->type.c;
    if (reals.n == 1 || reals.n == c)
        return true;
    diag_error(diag, node_loc(node), "'%s' of '%s' has %d numbers for %d channels", word,
               op_row(node->op)->name, reals.n, c);
    note_operand(diag, node->in[0], "; give one number for each channel, or one for all");
    diag_note_callers(diag, node->place);
    return false;
}

bool shape_NORMALIZE(Node *node, Diag *diag)
{
    return check_per_channel(node, diag, "mean", node->attrs.mean) &&
           check_per_channel(node, diag, "std", node->attrs.std) && float_of_operand(node, diag);
}

bool shape_AFFINE(Node *node, Diag *diag)
{
    return check_per_channel(node, diag, "scale", node->attrs.factor) &&
           check_per_channel(node, diag, "shift", node->attrs.addend) &&
           same_as_operand(node, diag);
}

bool shape_SCALE(Node *node, Diag *diag)
{
    if (node->attrs.gain || node->attrs.bias)
        return same_as_operand(node, diag) &&
               set_channel_dims(node, diag, node->attrs.shared ? 1 : node->type.c);
    diag_error(diag, node_loc(node), "'scale' without a factor and without a bias does nothing");
    diag_note(diag, node_loc(node), "`scale factor=false bias=true` adds a trained number");
    diag_note_callers(diag, node->place);
    return false;
}

bool shape_PRELU(Node *node, Diag *diag)
{
    return same_as_operand(node, diag) &&
           set_channel_dims(node, diag, node->attrs.shared ? 1 : node->type.c);
}

bool shape_CAST(Node *node, Diag *diag)
{
    return float_of_operand(node, diag);
}

bool shape_BN(Node *node, Diag *diag)
{
    return same_as_operand(node, diag) && set_channel_dims(node, diag, node->type.c);
}

bool shape_SOFTMAX(Node *node, Diag *diag)
{
    return same_as_operand(node, diag);
}

bool shape_LOG_SOFTMAX(Node *node, Diag *diag)
{
    return same_as_operand(node, diag);
}

#define ACTIVATION_RULE(id)                 \
    bool shape_##id(Node *node, Diag *diag) \
    {                                       \
        return same_as_operand(node, diag); \
    }
ACTIVATION_RULE(RELU)
ACTIVATION_RULE(RELU6)
ACTIVATION_RULE(LEAKY_RELU)
ACTIVATION_RULE(SIGMOID)
ACTIVATION_RULE(TANH)
ACTIVATION_RULE(HARD_SIGMOID)
ACTIVATION_RULE(HARD_SWISH)
ACTIVATION_RULE(SILU)
ACTIVATION_RULE(GELU)
ACTIVATION_RULE(ELU)
ACTIVATION_RULE(SELU)
ACTIVATION_RULE(SOFTPLUS)
ACTIVATION_RULE(MISH)

bool shape_CLIP(Node *node, Diag *diag)
{
    const Attrs *a = &node->attrs;
    if (a->alpha <= a->beta)
        return same_as_operand(node, diag);
    diag_error(diag, node_loc(node), "'min' of 'clip' is %.9g, above its 'max', %.9g", a->alpha,
               a->beta);
    diag_note(diag, node_loc(node), "min comes first: `clip %.9g %.9g`", a->beta, a->alpha);
    diag_note_callers(diag, node->place);
    return false;
}

bool shape_DENSE(Node *node, Diag *diag)
{
    Type t = node->in[0]->type;
    if (t.h != 1 || t.w != 1) {
        diag_error(diag, node_loc(node), "'dense' takes a vector, not an image of %d x %d pixels",
                   t.h, t.w);
        note_operand(diag, node->in[0], "");
        diag_note(diag, node_loc(node),
                  "`flatten` before it makes a vector of %lld, `avgpool global` one of %d",
                  (long long)mul_extents(mul_extents(t.h, t.w), t.c), t.c);
        diag_note_callers(diag, node->place);
        return false;
    }
    int64_t units = node->attrs.filters;
    return set_result(node, diag, node->in[0]->type.elem, units, 1, 1) &&
           set_dims(node, diag, P_WEIGHT, 2, (int64_t[]){units, t.c}) &&
           set_dims(node, diag, P_BIAS, 1, &units) && check_residual(node, diag);
}

bool shape_FLATTEN(Node *node, Diag *diag)
{
    Type t = node->in[0]->type;
    return set_result(node, diag, node->in[0]->type.elem, mul_extents(mul_extents(t.h, t.w), t.c),
                      1, 1);
}

bool shape_ZEROPAD(Node *node, Diag *diag)
{
    Type t = node->in[0]->type;
    const Attrs *a = &node->attrs;
    return set_result(node, diag, node->in[0]->type.elem,
                      (int64_t)t.c + a->channel_padding[0] + a->channel_padding[1],
                      (int64_t)t.h + a->padding[0] + a->padding[2],
                      (int64_t)t.w + a->padding[1] + a->padding[3]);
}

bool shape_SUBSAMPLE(Node *node, Diag *diag)
{
    Type t = node->in[0]->type;
    const int *stride = node->attrs.stride;
    return set_result(node, diag, node->in[0]->type.elem, t.c, (t.h - 1) / stride[0] + 1,
                      (t.w - 1) / stride[1] + 1);
}

bool shape_UPSAMPLE(Node *node, Diag *diag)
{
    Type t = node->in[0]->type;
    const int *by = node->attrs.scale_by;
    return set_result(node, diag, node->in[0]->type.elem, t.c, (int64_t)t.h * by[0],
                      (int64_t)t.w * by[1]);
}

/* Checks that what the node keeps has a size that can be counted. */
static bool check_state(const Node *node, Diag *diag)
{
    if (state_elements(node) < MOST_ELEMENTS)
        return true;
    diag_error(diag, node_loc(node), "'%s' keeps too much: %d times the operand",
               op_row(node->op)->name, node->attrs.frames);
    note_operand(diag, node->in[0], "");
    diag_note(diag, node_loc(node), "less than 1099511627776 (2^40) elements are kept");
    diag_note_callers(diag, node->place);
    return false;
}

bool shape_DELAY(Node *node, Diag *diag)
{
    return same_as_operand(node, diag) && check_state(node, diag);
}

bool shape_HISTORY(Node *node, Diag *diag)
{
    Type t = node->in[0]->type;
    return set_result(node, diag, t.elem, t.c, (int64_t)t.h + node->attrs.frames, t.w) &&
           check_state(node, diag);
}

/* ---- every operator ---- */

static bool check_range(const Node *node, Diag *diag, const AttrRow *row, double value)
{
    if (value >= row->least && value <= row->most)
        return true;
    diag_error(diag, node_loc(node), "'%s' of '%s' is %.9g; it must be from %.9g to %.9g",
               row->word, op_row(node->op)->name, value, row->least, row->most);
    diag_note_callers(diag, node->place);
    return false;
}

/* The readers of the language and of the text form check what was written, and know better where
 * it is; this check also covers networks that are built by code. */
static bool check_attr(const Node *node, Diag *diag, const AttrRow *row)
{
    const void *at = (const char *)&node->attrs + row->offset;
    const int *ints = at;
    const Reals *reals = at;
    int n = row->kind == ATTR_INT ? 1 : row->kind == ATTR_PAIR ? 2 : 4;
    switch (row->kind) {
    case ATTR_INT:
    case ATTR_PAIR:
    case ATTR_PADDING:
        for (int i = 0; i < n; i++) {
            if (!check_range(node, diag, row, ints[i]))
                return false;
        }
        return true;
    case ATTR_REAL:
        return check_range(node, diag, row, *(const double *)at);
    case ATTR_REALS:
        for (int i = 0; i < reals->n; i++) {
            if (!check_range(node, diag, row, reals->at[i]))
                return false;
        }
        return true;
    case ATTR_BOOL:
    case ATTR_WORDS:
        break;
    }
    return true;
}

static bool check_operands(const Node *node, Diag *diag)
{
    const OpRow *row = op_row(node->op);
    if (node->n_in < row->least || node->n_in > row->most) {
        int takes = node->n_in < row->least ? row->least : row->most;
        diag_error(diag, node_loc(node), "'%s' takes %d%s operand%s, not %d", row->name, takes,
                   takes == row->least && row->most > takes ? " or more" : "",
                   takes == 1 && row->most == 1 ? "" : "s", node->n_in);
        return false;
    }
    for (int i = 0; i < node->n_in; i++) {
        const Elem elem = node->in[i]->type.elem;
        const Elem takes = node->op == OP_CROSS_ENTROPY && i == 1 ? ELEM_I32 : ELEM_F32;
        if (elem == takes || node->op == OP_NORMALIZE || node->op == OP_CAST)
            continue;
        diag_error(diag, node_loc(node), "'%s' takes %s, but '%s' is %s", row->name,
                   elem_name(takes), node->in[i]->name, elem_name(elem));
        note_operand(diag, node->in[i],
                     takes == ELEM_F32 ? "; `normalize` or `cast` makes f32 of it"
                                       : "; labels are the numbers of classes");
        return false;
    }
    return true;
}

bool infer_node(Node *node, Diag *diag)
{
    typedef bool (*ShapeRule)(Node * node, Diag * diag);
    static const ShapeRule rules[OP_COUNT] = {
#define OP(id, name, least, most, flags, doc) shape_##id,
#include "net/ops.def"
    };
    if (!check_operands(node, diag))
        return false;
    const OpRow *row = op_row(node->op);
    for (int i = 0; i < row->n_attrs; i++) {
        if (!check_attr(node, diag, &row->attrs[i]))
            return false;
    }
    if (!rules[node->op](node, diag))
        return false;
    const int64_t channels = node->type.c;
    return set_dims(node, diag, P_SLOPE, 1, &channels);
}

static const char *dims_text(Arena *arena, const Param *param)
{
    Buf out = buf_new(arena);
    for (int i = 0; i < param->rank; i++)
        buf_printf(&out, "[%d]", param->dims[i]);
    return buf_text(&out);
}

bool infer_sharing(Node *node, const Node *like, Diag *diag)
{
    if (!infer_node(node, diag))
        return false;
    for (int r = 0; r < P_ROLES; r++) {
        Param *own = node->params[r], *shared = like->params[r];
        if (own && shared ? param_same_dims(own, shared) : own == shared) {
            node->params[r] = shared;
            continue;
        }
        Arena *arena = diag->out.arena;
        diag_error(diag, node_loc(node),
                   "'%s' cannot use the parameters of '%s': its %s would be %s, not %s", node->name,
                   like->name, role_name(node, (Role)r), own ? dims_text(arena, own) : "none",
                   shared ? dims_text(arena, shared) : "none");
        if (node->n_in && like->n_in) {
            note_operand(diag, node->in[0], "");
            note_operand(diag, like->in[0], "");
        }
        diag_note_callers(diag, node->place);
        return false;
    }
    return true;
}
