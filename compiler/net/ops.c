/* ops.c: the tables that ops.def expands to, and look-ups in them. */
#include "net/ops.h"

#include <string.h>

static const char *const order_words[] = {"nchw", "nhwc", NULL};
static const char *const padding_mode_words[] = {
    "zeros", "reflect", "replicate", "circular", "symmetric", NULL,
};
static const char *const depth_order_words[] = {"dcr", "crd", NULL};
static const char *const axes_words[] = {"cwh", "hcw", "hwc", "wch", "whc", NULL};
static const char *const resize_mode_words[] = {"nearest", "bilinear", NULL};
static const char *const corners_words[] = {
    "half_pixel", "align_corners", "asymmetric", "pytorch_half_pixel", NULL,
};
static const char *const variance_words[] = {"unbiased", "biased", NULL};
static const char *const norm_words[] = {"channels", "image", NULL};
static const char *const over_words[] = {"channels", "image", "space", "height", "width", NULL};
static const char *const reduction_words[] = {"mean", "max", "sum", NULL};
/* By Act (ir.h); the first word stands for no activation. */
static const char *const act_words[] = {
    "none", "relu", "relu6", "leaky_relu", "sigmoid",  "tanh", "hard_sigmoid", "hard_swish",
    "silu", "gelu", "elu",   "selu",       "softplus", "mish", "clip",         NULL,
};
/* See ops.h. */
const char *const init_words[INIT_KINDS] = {
    "option",
#define INIT(id, word, alias, values, scale, fan) INIT_##id == INIT_RANDOM ? NULL : word,
#include "net/init.def"
};

/* clang-format off */

/* Each operator's attributes are attrs_<id>[1 ..]; element 0 is there because C has no empty
 * arrays.  Each OP closes the array of the row before it. */
#define KIND_INT ATTR_INT, NULL
#define KIND_PAIR ATTR_PAIR, NULL
#define KIND_PADDING ATTR_PADDING, NULL
#define KIND_REAL ATTR_REAL, NULL
#define KIND_BOOL ATTR_BOOL, NULL
#define KIND_REALS ATTR_REALS, NULL
#define KIND_WORDS(list) ATTR_WORDS, list
#define OP(id, name, least, most, flags, doc) \
    }; static const AttrRow attrs_##id[] = { {.op = OP_##id},
#define ATTR(op, field, word, kind, position, def, least, most, doc) \
    {OP_##op, word, KIND_##kind, offsetof(Attrs, field), position, def, least, most, doc},
static const AttrRow no_attrs[] = { {.op = OP_COUNT},
#include "net/ops.def"
};

/* Likewise for the trained parameters. */
#define OP(id, name, least, most, flags, doc) \
    }; static const ParamRow params_##id[] = { {.op = OP_##id},
#define PARAM(op, role, name, doc) {OP_##op, P_##role, name, doc},
static const ParamRow no_params[] = { {.op = OP_COUNT},
#include "net/ops.def"
};

#define LENGTH(a) ((int)(sizeof(a) / sizeof *(a)))
#define OP(id, name, least, most, flags, doc)                                          \
    {name, least, most, flags, doc, attrs_##id + 1, LENGTH(attrs_##id) - 1,            \
     params_##id + 1, LENGTH(params_##id) - 1},
static const OpRow rows[] = {
#include "net/ops.def"
    /* OP_COUNT has a row, so that any Op has one */
    {"no operator", 0, 0, INTERNAL, "", no_attrs + 1, 0, no_params + 1, 0},
};
/* clang-format on */

const OpRow *op_row(Op op)
{
    return &rows[op < OP_COUNT ? op : OP_COUNT];
}

Op op_named(const char *name)
{
    for (int op = 0; op < OP_COUNT; op++) {
        if (strcmp(rows[op].name, name) == 0)
            return (Op)op;
    }
    return OP_COUNT;
}

Op op_reserved(const char *name)
{
    const Op op = op_named(name);
    return op_row(op)->flags & BACKWARD ? OP_COUNT : op;
}

const AttrRow *op_attr(Op op, const char *word)
{
    const OpRow *row = op_row(op);
    for (int i = 0; i < row->n_attrs; i++) {
        if (strcmp(row->attrs[i].word, word) == 0)
            return &row->attrs[i];
    }
    return NULL;
}

const char *op_param_name(Op op, Role role)
{
    const OpRow *row = op_row(op);
    for (int i = 0; i < row->n_params; i++) {
        if (row->params[i].role == role)
            return row->params[i].name;
    }
    return NULL;
}

bool op_has_member(Op op, size_t offset)
{
    const OpRow *row = op_row(op);
    for (int i = 0; i < row->n_attrs; i++) {
        if (row->attrs[i].offset == offset)
            return true;
    }
    return false;
}

bool op_has_param(Op op, const Attrs *attrs, Role role)
{
    if (!op_param_name(op, role))
        return false;
    if (role == P_WEIGHT && op_has_member(op, offsetof(Attrs, gain)))
        return attrs->gain;
    if (role == P_BIAS && op_has_member(op, offsetof(Attrs, centre)))
        return attrs->centre;
    if (role == P_BIAS && op_has_member(op, offsetof(Attrs, bias)))
        return attrs->bias;
    return true;
}

bool attr_same(const AttrRow *row, const void *a, const void *b)
{
    const Reals *x = a, *y = b;
    switch (row->kind) {
    case ATTR_INT:
        return *(const int *)a == *(const int *)b;
    case ATTR_PAIR:
        return memcmp(a, b, 2 * sizeof(int)) == 0;
    case ATTR_PADDING:
        return memcmp(a, b, 4 * sizeof(int)) == 0;
    case ATTR_REAL:
        return *(const double *)a == *(const double *)b;
    case ATTR_BOOL:
        return *(const bool *)a == *(const bool *)b;
    case ATTR_REALS:
        return x->n == y->n &&
               (x->n == 0 || memcmp(x->at, y->at, (size_t)x->n * sizeof(double)) == 0);
    case ATTR_WORDS:
        return *(const int *)a == *(const int *)b;
    }
    return false;
}

bool attrs_same(Op op, const Attrs *a, const Attrs *b)
{
    const OpRow *row = op_row(op);
    for (int i = 0; i < row->n_attrs; i++) {
        const size_t offset = row->attrs[i].offset;
        if (!attr_same(&row->attrs[i], (const char *)a + offset, (const char *)b + offset))
            return false;
    }
    return true;
}

int op_results(Op op, const Attrs *attrs)
{
    return op_row(op)->flags & RESULTS ? attrs->parts : 1;
}

int split_part(const Attrs *split, int channels, int part, int *first)
{
    const bool equal = split->sizes.at[0] <= 0;
    *first = equal ? channels / split->parts * part : 0;
    for (int i = 0; !equal && i < part; i++)
        *first += (int)split->sizes.at[i];
    return equal ? channels / split->parts : (int)split->sizes.at[part];
}
