/* ir.c: functions that build, rewrite and query the network; see ir.h. */
#include "net/ir.h"

#include "base/diag.h"
#include "base/half.h"
#include "base/str.h"
#include "net/infer.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

/* ---- building ---- */

Net *ir_new(Arena *arena, const char *name)
{
    Net *net = NEW(arena, Net);
    net->arena = arena;
    net->name = arena_strdup(arena, name);
    return net;
}

Node *ir_node(Arena *arena, Op op, Node *const *in, int n_in, const Attrs *attrs, const char *name,
              const Place *place)
{
    Node *node = NEW(arena, Node);
    node->op = op;
    node->in = NEW_ARRAY(arena, Node *, n_in);
    if (n_in)
        memcpy(node->in, in, (size_t)n_in * sizeof *in);
    node->n_in = n_in;
    node->attrs = *attrs;
    node->name = arena_strdup(arena, name);
    node->origin = -1;
    node->place = place;
    const OpRow *row = op_row(op);
    for (int i = 0; i < row->n_params; i++) {
        const ParamRow *p = &row->params[i];
        if (!op_has_param(op, attrs, p->role))
            continue;
        Param *param = NEW(arena, Param);
        param->id = param->first = -1;
        param->name = arena_printf(arena, "%s.%s", name, p->name);
        param->alias = param->name;
        param->role = p->role;
        param->place = place;
        node->params[p->role] = param;
    }
    return node;
}

void ir_give_slopes(Arena *arena, Node *node)
{
    if (node->act != ACT_PRELU)
        return;
    Param *param = NEW(arena, Param);
    *param = (Param){.id = -1, .first = -1, .role = P_SLOPE, .place = node->place};
    param->name = param->alias = arena_printf(arena, "%s.slope", node->name);
    param->rank = 1;
    param->dims[0] = node->type.c;
    node->params[P_SLOPE] = param;
}

/* Lists those of the node's parameters that no node before it refers to. */
static void list_params(Net *net, const Node *node)
{
    for (int r = 0; r < P_ROLES; r++) {
        Param *param = node->params[r];
        if (!param || param->id >= 0)
            continue;
        param->id = net->params.n;
        param->first = node->id;
        VEC_PUSH(net->arena, &net->params, param);
    }
}

static Node *append(Net *net, Node *node)
{
    node->id = node->origin = net->nodes.n;
    VEC_PUSH(net->arena, &net->nodes, node);
    list_params(net, node);
    net->n_original = net->nodes.n;
    return node;
}

Node *ir_add(Net *net, Diag *diag, Op op, Node *const *in, int n_in, const Attrs *attrs,
             const char *name, const Place *place)
{
    Node *node = ir_node(net->arena, op, in, n_in, attrs, name, place);
    return infer_node(node, diag) ? append(net, node) : NULL;
}

Node *ir_add_sharing(Net *net, Diag *diag, Op op, Node *const *in, int n_in, const Attrs *attrs,
                     const char *name, const Place *place, const Node *like)
{
    Node *node = ir_node(net->arena, op, in, n_in, attrs, name, place);
    return infer_sharing(node, like, diag) ? append(net, node) : NULL;
}

Node *ir_add_with(Net *net, Diag *diag, Op op, Node *const *in, int n_in, const Attrs *attrs,
                  const char *name, const Place *place, Param *const *params)
{
    Node *node = ir_node(net->arena, op, in, n_in, attrs, name, place);
    if (!infer_node(node, diag))
        return NULL;
    for (int r = 0; r < P_ROLES; r++) {
        if (!node->params[r])
            continue;
        if (!params[r] || !param_same_dims(params[r], node->params[r])) {
            diag_internal(diag, "'%s' cannot have the %s it is given", name,
                          op_param_name(op, (Role)r));
            return NULL;
        }
        node->params[r] = params[r];
    }
    return append(net, node);
}

Node *ir_add_input(Net *net, const char *name, Type type, const Place *place)
{
    Attrs none = ir_default_attrs(OP_INPUT);
    Node *node = ir_node(net->arena, OP_INPUT, NULL, 0, &none, name, place);
    node->type = type;
    return append(net, node);
}

/* "1", "1e-5" or "1/255". */
static double default_number(const char *text)
{
    char *end;
    double value = strtod(text, &end);
    return *end == '/' ? value / strtod(end + 1, NULL) : value;
}

static int word_index(const char *const *words, const char *word)
{
    int i = 0;
    while (words[i] && !str_eq(words[i], word))
        i++;
    return words[i] ? i : 0;
}

static void set_default(Attrs *attrs, const AttrRow *row)
{
    static const double zero = 0, one = 1;
    void *at = (char *)attrs + row->offset;
    switch (row->kind) {
    case ATTR_INT:
        *(int *)at = (int)default_number(row->def);
        break;
    case ATTR_PAIR:
        ((int *)at)[0] = ((int *)at)[1] = (int)default_number(row->def);
        break;
    case ATTR_REAL:
        *(double *)at = default_number(row->def);
        break;
    case ATTR_BOOL:
        *(bool *)at = str_eq(row->def, "true");
        break;
    case ATTR_REALS: /* the only defaults that occur are a single 0 or 1 */
        *(Reals *)at = (Reals){str_eq(row->def, "0") ? &zero : &one, 1};
        break;
    case ATTR_WORDS:
        *(int *)at = word_index(row->words, row->def);
        break;
    case ATTR_PADDING: /* a word or nothing */
        break;
    }
}

Attrs ir_default_attrs(Op op)
{
    Attrs attrs = {0};
    const OpRow *row = op_row(op);
    for (int i = 0; i < row->n_attrs; i++) {
        if (row->attrs[i].def)
            set_default(&attrs, &row->attrs[i]);
    }
    return attrs;
}

void ir_renumber(Net *net)
{
    for (int i = 0; i < net->nodes.n; i++) {
        for (int r = 0; r < P_ROLES; r++) {
            if (net->nodes.at[i]->params[r])
                net->nodes.at[i]->params[r]->id = -1;
        }
    }
    net->params.n = 0;
    for (int i = 0; i < net->nodes.n; i++) {
        net->nodes.at[i]->id = i;
        list_params(net, net->nodes.at[i]);
    }
}

/* ---- copying ---- */

static Reals copy_reals(Reals reals, Arena *arena)
{
    double *at = NEW_ARRAY(arena, double, reals.n);
    for (int i = 0; i < reals.n; i++)
        at[i] = reals.at[i];
    return (Reals){at, reals.n};
}

static Param *copy_param(const Param *from, Arena *arena)
{
    Param *param = NEW(arena, Param);
    *param = *from;
    param->name = arena_strdup(arena, from->name);
    param->alias = arena_strdup(arena, from->alias);
    if (from->axes)
        param->axes = arena_strdup(arena, from->axes);
    return param;
}

/* The copied node refers to operands and parameters of the copy, found by their ids. */
static Node *copy_node(const Node *from, const Net *copy, Arena *arena)
{
    Node *node = NEW(arena, Node);
    *node = *from;
    node->in = NEW_ARRAY(arena, Node *, from->n_in);
    for (int i = 0; i < from->n_in; i++)
        node->in[i] = copy->nodes.at[from->in[i]->id];
    const OpRow *row = op_row(from->op);
    for (int i = 0; i < row->n_attrs; i++) {
        Reals *reals = (Reals *)((char *)&node->attrs + row->attrs[i].offset);
        if (row->attrs[i].kind == ATTR_REALS)
            *reals = copy_reals(*reals, arena);
    }
    node->name = arena_strdup(arena, from->name);
    for (int r = 0; r < P_ROLES; r++) {
        if (from->params[r])
            node->params[r] = copy->params.at[from->params[r]->id];
    }
    memset(&node->absorbed, 0, sizeof node->absorbed);
    for (int i = 0; i < from->absorbed.n; i++)
        VEC_PUSH(arena, &node->absorbed, arena_strdup(arena, from->absorbed.at[i]));
    return node;
}

static Port copy_port(const Port *from, const Net *net, Arena *arena)
{
    Port port = *from;
    port.name = arena_strdup(arena, from->name);
    port.node = net->nodes.at[from->node->id];
    return port;
}

Net *ir_copy(const Net *net, Arena *arena)
{
    Net *copy = ir_new(arena, net->name);
    for (int i = 0; i < net->params.n; i++)
        VEC_PUSH(arena, &copy->params, copy_param(net->params.at[i], arena));
    for (int i = 0; i < net->nodes.n; i++)
        VEC_PUSH(arena, &copy->nodes, copy_node(net->nodes.at[i], copy, arena));
    for (int i = 0; i < net->inputs.n; i++)
        VEC_PUSH(arena, &copy->inputs, copy_port(&net->inputs.at[i], copy, arena));
    for (int i = 0; i < net->outputs.n; i++)
        VEC_PUSH(arena, &copy->outputs, copy_port(&net->outputs.at[i], copy, arena));
    for (int i = 0; i < net->updates.n; i++) {
        Update update = net->updates.at[i];
        update.param = copy->params.at[update.param->id];
        update.node = copy->nodes.at[update.node->id];
        VEC_PUSH(arena, &copy->updates, update);
    }
    copy->n_original = net->n_original;
    copy->n_step = net->n_step;
    copy->train = net->train;
    return copy;
}

/* ---- asking ---- */

int64_t mul_extents(int64_t a, int64_t b)
{
    return a > 0 && b > 0 && a > INT64_MAX / b ? INT64_MAX : a * b;
}

int64_t type_elements(Type t)
{
    return mul_extents(mul_extents(t.n, t.h), mul_extents(t.w, t.c));
}

bool type_eq(Type a, Type b)
{
    return a.elem == b.elem && a.n == b.n && a.h == b.h && a.w == b.w && a.c == b.c;
}

static const Op act_ops[ACT_COUNT] = {
    [ACT_NONE] = OP_COUNT,
    [ACT_RELU] = OP_RELU,
    [ACT_RELU6] = OP_RELU6,
    [ACT_LEAKY_RELU] = OP_LEAKY_RELU,
    [ACT_SIGMOID] = OP_SIGMOID,
    [ACT_TANH] = OP_TANH,
    [ACT_HARD_SIGMOID] = OP_HARD_SIGMOID,
    [ACT_HARD_SWISH] = OP_HARD_SWISH,
    [ACT_SILU] = OP_SILU,
    [ACT_GELU] = OP_GELU,
    [ACT_ELU] = OP_ELU,
    [ACT_SELU] = OP_SELU,
    [ACT_SOFTPLUS] = OP_SOFTPLUS,
    [ACT_MISH] = OP_MISH,
    [ACT_CLIP] = OP_CLIP,
    [ACT_PRELU] = OP_PRELU,
};

const char *act_name(Act act)
{
    return act == ACT_NONE ? "" : op_row(act_ops[act])->name;
}

bool act_has_number(Act act, bool second)
{
    return act != ACT_NONE &&
           op_has_member(act_ops[act], second ? offsetof(Attrs, beta) : offsetof(Attrs, alpha));
}

void act_numbers(Op op, const Attrs *attrs, double *alpha, double *beta)
{
    *alpha = op_has_member(op, offsetof(Attrs, alpha)) ? attrs->alpha : 0;
    *beta = op_has_member(op, offsetof(Attrs, beta)) ? attrs->beta : 0;
}

Act act_of(Op op)
{
    for (int act = ACT_NONE + 1; act < ACT_COUNT; act++) {
        if (act_ops[act] == op)
            return (Act)act;
    }
    return ACT_NONE;
}

bool op_fuses(Op op, Act act)
{
    return op_row(op)->flags & (act == ACT_PRELU ? FUSES_PRELU : FUSES_ACT);
}

const char *role_name(const Node *node, Role role)
{
    return role == P_SLOPE ? "slope" : op_param_name(node->op, role);
}

int64_t param_elements(const Param *param)
{
    int64_t n = 1;
    for (int i = 0; i < param->rank; i++)
        n = mul_extents(n, param->dims[i]);
    return n;
}

double param_at(const Param *param, int64_t i)
{
    switch (param->elem) {
    case ELEM_U8:
        return ((const uint8_t *)param->data)[i];
    case ELEM_I8:
        return ((const int8_t *)param->data)[i];
    case ELEM_I32:
        return ((const int32_t *)param->data)[i];
    case ELEM_F16:
        return (double)float_of_f16(((const uint16_t *)param->data)[i]);
    case ELEM_BF16:
        return (double)float_of_bf16(((const uint16_t *)param->data)[i]);
    case ELEM_F32:
    case ELEM_COUNT:
        break;
    }
    return (double)((const float *)param->data)[i];
}

const float *param_floats(const Param *param)
{
    if (!param || !param->data)
        return NULL;
    assert(param->elem == ELEM_F32);
    return param->data;
}

void param_set_floats(Param *param, const float *data)
{
    param->elem = ELEM_F32;
    param->data = data;
}

bool param_same_dims(const Param *a, const Param *b)
{
    return a->rank == b->rank && memcmp(a->dims, b->dims, (size_t)a->rank * sizeof *a->dims) == 0;
}

Type param_type(const Param *param)
{
    const int *d = param->dims;
    return param->rank == 4   ? (Type){ELEM_F32, d[0], d[2], d[3], d[1]}
           : param->rank == 3 ? (Type){ELEM_F32, 1, d[1], d[2], d[0]}
           : param->rank == 2 ? (Type){ELEM_F32, d[0], 1, 1, d[1]}
                              : (Type){ELEM_F32, 1, 1, 1, d[0]};
}

bool owns_param(const Node *node, Role role)
{
    return node->params[role] && node->params[role]->first == node->id;
}

int64_t nodes_parameters(const Net *net, int first, int last, bool trained)
{
    int64_t n = 0;
    for (int i = first; i <= last; i++) {
        const Node *node = net->nodes.at[i];
        for (int r = 0; r < P_ROLES; r++) {
            if (owns_param(node, (Role)r) && trained == (r != P_MEAN && r != P_VARIANCE))
                n += param_elements(node->params[r]);
        }
    }
    return n;
}

int64_t net_parameters(const Net *net)
{
    return nodes_parameters(net, 0, net->nodes.n - 1, true);
}

int64_t node_macs(const Node *node)
{
    if (node->op == OP_CONV_TRANSPOSE) /* each pixel of the operand is multiplied by all weights */
        return mul_extents((int64_t)node->in[0]->type.h * node->in[0]->type.w,
                           param_elements(node->params[P_WEIGHT]));
    if (node->op != OP_CONV && node->op != OP_DENSE)
        return 0;
    /* Each output element is a dot product with one filter's weights. */
    int64_t filter = param_elements(node->params[P_WEIGHT]) / node->attrs.filters;
    Type one = node->type;
    one.n = 1;
    return mul_extents(type_elements(one), filter);
}

int64_t nodes_macs(const Net *net, int first, int last)
{
    int64_t macs = 0;
    for (int i = first; i <= last; i++) {
        int64_t more = node_macs(net->nodes.at[i]);
        macs = more > INT64_MAX - macs ? INT64_MAX : macs + more;
    }
    return macs;
}

int64_t net_macs(const Net *net)
{
    return nodes_macs(net, 0, net->nodes.n - 1);
}

int node_uses(const Net *net, const Node *node)
{
    int uses = 0;
    for (int i = 0; i < net->nodes.n; i++) {
        const Node *user = net->nodes.at[i];
        for (int j = 0; j < user->n_in; j++)
            uses += user->in[j] == node;
    }
    for (int i = 0; i < net->outputs.n; i++)
        uses += net->outputs.at[i].node == node;
    for (int i = 0; i < net->updates.n; i++)
        uses += net->updates.at[i].node == node;
    return uses;
}

Node *net_node_named(const Net *net, const char *name)
{
    for (int i = 0; i < net->nodes.n; i++) {
        if (str_eq(net->nodes.at[i]->name, name))
            return net->nodes.at[i];
    }
    return NULL;
}
