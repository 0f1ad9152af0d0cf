/* grad.c: what the rules of differentiation share, and those of all operators but the ones with
 * windows or weights (grad_window.c) and with arms (grad_join.c). */
#include "net/grad_parts.h"

#include "net/infer_parts.h"

/* ---- what the rules share ---- */

bool grad_trains(const Grad *g, const Node *node, Role role)
{
    return node->params[role] && !g->frozen[node->params[role]->id];
}

Grad grad_begin(Net *net, const bool *frozen, Diag *diag)
{
    Arena *arena = net->arena;
    Grad g = {.net = net,
              .diag = diag,
              .n_nodes = net->nodes.n,
              .n_params = net->params.n,
              .frozen = frozen};
    g.names.arena = arena;
    g.needed = NEW_ARRAY(arena, bool, net->nodes.n + 1);
    g.of_node = NEW_ARRAY(arena, Shares, net->nodes.n + 1);
    g.of_param = NEW_ARRAY(arena, Shares, net->params.n + 1);
    for (int i = 0; i < net->nodes.n; i++) {
        const Node *node = net->nodes.at[i];
        table_add(&g.names, node->name, NO_LOC);
        g.needed[i] = grad_trains(&g, node, P_WEIGHT) || grad_trains(&g, node, P_BIAS);
        for (int j = 0; j < node->n_in; j++)
            g.needed[i] = g.needed[i] || g.needed[node->in[j]->id];
    }
    return g;
}

const char *grad_name(Grad *g, const char *wanted)
{
    const char *name = wanted;
    for (int i = 2; !table_add(&g->names, name, NO_LOC); i++)
        name = arena_printf(g->net->arena, "%s%d", wanted, i);
    return name;
}

Node *grad_add(Grad *g, const Node *of, const char *what, Op op, Node *const *in, int n_in,
               const Attrs *attrs)
{
    const char *name = grad_name(g, arena_printf(g->net->arena, "%s.%s", of->name, what));
    return ir_add_with(g->net, g->diag, op, in, n_in, attrs, name, of->place, of->params);
}

bool grad_wants(const Grad *g, const Node *node, int i)
{
    return g->needed[node->in[i]->id];
}

bool grad_give(Grad *g, const Node *node, int i, Node *share)
{
    if (share)
        VEC_PUSH(g->net->arena, &g->of_node[node->in[i]->id], share);
    return share != NULL;
}

bool grad_give_param(Grad *g, const Node *node, Role role, Node *share)
{
    if (share)
        VEC_PUSH(g->net->arena, &g->of_param[node->params[role]->id], share);
    return share != NULL;
}

Node *grad_sum(Grad *g, const Shares *shares, const char *name, const Place *place)
{
    const Attrs attrs = ir_default_attrs(OP_ADD);
    Node *sum = shares->n ? shares->at[0] : NULL;
    for (int at = 1; sum && at < shares->n;) {
        Node *in[MOST_OPERANDS] = {sum};
        int n = 1;
        while (at < shares->n && n < MOST_OPERANDS)
            in[n++] = shares->at[at++];
        sum = ir_add(g->net, g->diag, OP_ADD, in, n, &attrs, grad_name(g, name), place);
    }
    return sum;
}

bool grad_refuse(Grad *g, const Node *node, const char *why, const char *way_out)
{
    diag_error(g->diag, node_loc(node), "'%s' cannot be differentiated: %s", node->name, why);
    diag_note(g->diag, node_loc(node), "%s", way_out);
    diag_note_callers(g->diag, node->place);
    return false;
}

bool grad_node(Grad *g, Node *node, Node *const *dy)
{
    typedef bool (*GradRule)(Grad * g, Node * node, Node *const *dy);
    static const GradRule rules[OP_COUNT] = {
#define OP(id, name, least, most, flags, doc) grad_##id,
#include "net/ops.def"
    };
    if (node->act != ACT_NONE)
        return grad_refuse(g, node, "an activation is fused into it",
                           "differentiate the network as it is before the passes, in which the "
                           "activation is a node of its own");
    return rules[node->op](g, node, dy);
}

/* ---- rules of one operand ---- */

/* Gives the only operand what `op` makes of dy and, if it is not NULL, of `second`. */
static bool give(Grad *g, Node *node, Op op, Node *dy, Node *second, const Attrs *attrs)
{
    Node *in[] = {dy, second};
    return grad_give(g, node, 0, grad_add(g, node, "backward", op, in, second ? 2 : 1, attrs));
}

bool grad_INPUT(Grad *g, Node *node, Node *const *dy)
{
    (void)g, (void)node, (void)dy; /* nothing comes before it */
    return true;
}

/* (x * scale - mean) / std: dx = dy * scale / std */
bool grad_NORMALIZE(Grad *g, Node *node, Node *const *dy)
{
    Attrs attrs = ir_default_attrs(OP_NORMALIZE);
    attrs.scale = node->attrs.scale;
    attrs.std = node->attrs.std;
    return give(g, node, OP_NORMALIZE, dy[0], NULL, &attrs);
}

/* x * scale + shift: dx = dy * scale */
bool grad_AFFINE(Grad *g, Node *node, Node *const *dy)
{
    Attrs attrs = ir_default_attrs(OP_AFFINE);
    attrs.factor = node->attrs.factor;
    return give(g, node, OP_AFFINE, dy[0], NULL, &attrs);
}

/* The sum of a gradient by each element over all that one number of a parameter is used for. */
static Node *parameter_sum(Grad *g, const Node *node, const char *what, Node *gradient)
{
    Attrs attrs = ir_default_attrs(OP_SUM);
    attrs.images = attrs.pixels = true;
    attrs.channels = node->attrs.shared;
    return gradient ? grad_add(g, node, what, OP_SUM, &gradient, 1, &attrs) : NULL;
}

static Node *product(Grad *g, const Node *node, const char *what, Node *a, Node *b)
{
    const Attrs attrs = ir_default_attrs(OP_MUL);
    Node *in[] = {a, b};
    return a && b ? grad_add(g, node, what, OP_MUL, in, 2, &attrs) : NULL;
}

/* x * weight + bias: dx = dy * weight, and the parameters get the sums of dy * x and of dy. */
bool grad_SCALE(Grad *g, Node *node, Node *const *dy)
{
    Attrs attrs = ir_default_attrs(OP_SCALE);
    attrs.shared = node->attrs.shared;
    if (grad_wants(g, node, 0)) {
        Node *dx =
            node->attrs.gain ? grad_add(g, node, "backward", OP_SCALE, dy, 1, &attrs) : dy[0];
        if (!grad_give(g, node, 0, dx))
            return false;
    }
    if (grad_trains(g, node, P_WEIGHT)) {
        Node *each = product(g, node, "weight.product", dy[0], node->in[0]);
        if (!grad_give_param(g, node, P_WEIGHT, parameter_sum(g, node, "weight.gradient", each)))
            return false;
    }
    return !grad_trains(g, node, P_BIAS) ||
           grad_give_param(g, node, P_BIAS, parameter_sum(g, node, "bias.gradient", dy[0]));
}

/* x above zero, else weight * x.  The part of dy above zero goes through as it is, what is left is
 * multiplied by the slope; the slope gets the sum of dy * min(x, 0). */
bool grad_PRELU(Grad *g, Node *node, Node *const *dy)
{
    Attrs attrs = ir_default_attrs(OP_ACT_BACKWARD);
    attrs.of = ACT_RELU;
    Node *in[] = {dy[0], node->in[0]};
    if (grad_wants(g, node, 0)) {
        Node *above = grad_add(g, node, "above", OP_ACT_BACKWARD, in, 2, &attrs);
        if (!above)
            return false;
        Node *parts[] = {dy[0], above};
        const Attrs sub = ir_default_attrs(OP_SUB);
        Node *below = grad_add(g, node, "below", OP_SUB, parts, 2, &sub);
        attrs = ir_default_attrs(OP_SCALE);
        attrs.shared = node->attrs.shared;
        Node *sloped = below ? grad_add(g, node, "sloped", OP_SCALE, &below, 1, &attrs) : NULL;
        if (!sloped || !grad_give(g, node, 0, above) || !grad_give(g, node, 0, sloped))
            return false;
    }
    if (!grad_trains(g, node, P_WEIGHT))
        return true;
    attrs = ir_default_attrs(OP_CLIP);
    attrs.beta = 0;
    Node *negative = grad_add(g, node, "negative", OP_CLIP, &node->in[0], 1, &attrs);
    Node *each = product(g, node, "weight.product", dy[0], negative);
    return grad_give_param(g, node, P_WEIGHT, parameter_sum(g, node, "weight.gradient", each));
}

/* A parameter has only tensors of f32 after it. */
bool grad_CAST(Grad *g, Node *node, Node *const *dy)
{
    return grad_give(g, node, 0, dy[0]);
}

/* The activations whose derivative follows from the result, so that the operand need not be kept:
 * all that do not decrease and have one, and leaky_relu if its slope is positive. */
static bool slope_of_result(const Node *node)
{
    return node->op == OP_RELU || node->op == OP_RELU6 || node->op == OP_SIGMOID ||
           node->op == OP_TANH || (node->op == OP_LEAKY_RELU && node->attrs.alpha > 0);
}

static bool activation(Grad *g, Node *node, Node *const *dy)
{
    Attrs attrs = ir_default_attrs(OP_ACT_BACKWARD);
    attrs.of = (int)act_of(node->op);
    act_numbers(node->op, &node->attrs, &attrs.alpha, &attrs.beta);
    return give(g, node, OP_ACT_BACKWARD, dy[0], slope_of_result(node) ? node : node->in[0],
                &attrs);
}

#define ACTIVATION_GRAD(id)                              \
    bool grad_##id(Grad *g, Node *node, Node *const *dy) \
    {                                                    \
        return activation(g, node, dy);                  \
    }
ACTIVATION_GRAD(RELU)
ACTIVATION_GRAD(RELU6)
ACTIVATION_GRAD(LEAKY_RELU)
ACTIVATION_GRAD(SIGMOID)
ACTIVATION_GRAD(TANH)
ACTIVATION_GRAD(HARD_SIGMOID)
ACTIVATION_GRAD(HARD_SWISH)
ACTIVATION_GRAD(SILU)
ACTIVATION_GRAD(GELU)
ACTIVATION_GRAD(ELU)
ACTIVATION_GRAD(SELU)
ACTIVATION_GRAD(SOFTPLUS)
ACTIVATION_GRAD(MISH)
ACTIVATION_GRAD(CLIP)

bool grad_FLATTEN(Grad *g, Node *node, Node *const *dy)
{
    Attrs attrs = ir_default_attrs(OP_UNFLATTEN);
    attrs.order = node->attrs.order;
    attrs.size[0] = node->in[0]->type.h;
    attrs.size[1] = node->in[0]->type.w;
    return give(g, node, OP_UNFLATTEN, dy[0], NULL, &attrs);
}

bool grad_ZEROPAD(Grad *g, Node *node, Node *const *dy)
{
    return give(g, node, OP_CROP, dy[0], NULL, &node->attrs);
}

bool grad_SUBSAMPLE(Grad *g, Node *node, Node *const *dy)
{
    Attrs attrs = node->attrs;
    attrs.size[0] = node->in[0]->type.h;
    attrs.size[1] = node->in[0]->type.w;
    return give(g, node, OP_SUBSAMPLE_BACKWARD, dy[0], NULL, &attrs);
}

bool grad_UPSAMPLE(Grad *g, Node *node, Node *const *dy)
{
    return give(g, node, OP_UPSAMPLE_BACKWARD, dy[0], NULL, &node->attrs);
}

/* ---- normalisation ---- */

/* The three results of a backward operator of bn: dx and the gradients of weight and bias. */
static bool normalisation(Grad *g, Node *node, Op op, Node *const *in, int n_in)
{
    static const char *const names[] = {"backward", "weight.gradient", "bias.gradient"};
    Attrs attrs = ir_default_attrs(op);
    Node *results[3];
    attrs.epsilon = node->attrs.epsilon;
    attrs.gain = node->attrs.gain;
    for (attrs.result = 0; attrs.result < 3; attrs.result++) {
        results[attrs.result] = grad_add(g, node, names[attrs.result], op, in, n_in, &attrs);
        if (!results[attrs.result])
            return false;
    }
    return (!grad_wants(g, node, 0) || grad_give(g, node, 0, results[0])) &&
           (!grad_trains(g, node, P_WEIGHT) || grad_give_param(g, node, P_WEIGHT, results[1])) &&
           (!grad_trains(g, node, P_BIAS) || grad_give_param(g, node, P_BIAS, results[2]));
}

bool grad_BN_TRAIN(Grad *g, Node *node, Node *const *dy)
{
    if (dy[1] || dy[2])
        return grad_refuse(g, node, "the loss depends on a batch's statistics directly",
                           "nothing but its backward part may use its second and third result");
    if (node->n_in > 1 && grad_wants(g, node, 1) && !grad_give(g, node, 1, dy[0]))
        return false;
    const int id = node->id;
    Node *in[] = {dy[0], node->in[0], g->net->nodes.at[id + 1], g->net->nodes.at[id + 2]};
    return normalisation(g, node, OP_BN_BACKWARD, in, 4);
}

bool grad_BN(Grad *g, Node *node, Node *const *dy)
{
    Node *in[] = {dy[0], node->in[0]};
    return normalisation(g, node, OP_BN_FIXED_BACKWARD, in, 2);
}

/* ---- no rules ---- */

/* What is kept from run to run: a step of training is a single run. */
static bool refuse_memory(Grad *g, const Node *node)
{
    return grad_refuse(g, node,
                       "it keeps values from run to run, and a step of training is one run",
                       "train a net that takes all frames as one input, with the same layers: the "
                       "parameters fit both");
}

bool grad_DELAY(Grad *g, Node *node, Node *const *dy)
{
    (void)dy;
    return refuse_memory(g, node);
}

bool grad_HISTORY(Grad *g, Node *node, Node *const *dy)
{
    (void)dy;
    return refuse_memory(g, node);
}

/* Operators of a backward part or a loss: there are no second derivatives. */
#define NO_GRAD(id)                                                            \
    bool grad_##id(Grad *g, Node *node, Node *const *dy)                       \
    {                                                                          \
        (void)dy;                                                              \
        return grad_refuse(g, node, "it belongs to a backward part or a loss", \
                           "differentiate the network without that part");     \
    }
NO_GRAD(BN_AGAIN)
NO_GRAD(BN_BACKWARD)
NO_GRAD(NORM_BACKWARD)
NO_GRAD(BN_FIXED_BACKWARD)
NO_GRAD(CONV_WEIGHTS)
NO_GRAD(DENSE_TRANSPOSE)
NO_GRAD(DENSE_WEIGHTS)
NO_GRAD(ACT_BACKWARD)
NO_GRAD(MAXPOOL_BACKWARD)
NO_GRAD(AVGPOOL_BACKWARD)
NO_GRAD(SOFTMAX_BACKWARD)
NO_GRAD(LOG_SOFTMAX_BACKWARD)
NO_GRAD(REDUCE_BACKWARD)
NO_GRAD(SUM)
NO_GRAD(INTERLEAVE)
NO_GRAD(STACK)
NO_GRAD(SUBSAMPLE_BACKWARD)
NO_GRAD(UPSAMPLE_BACKWARD)
NO_GRAD(PAD_BACKWARD)
NO_GRAD(RESIZE_BACKWARD)
NO_GRAD(BLURPOOL_BACKWARD)
NO_GRAD(CROSS_ENTROPY)
NO_GRAD(MEAN_SQUARED_ERROR)
