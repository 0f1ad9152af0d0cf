/* verify_scale.c: what the error of a layer is relative to where its values nearly cancel.
 *
 * The error of a sum of floats is relative to its summands, not to the sum: x - y of two layers
 * that are equal but for 1e-3 is off by 1e-4 of that, and nothing is wrong.  So where a layer
 * differs by more than the tolerance of its largest value, it is asked how large the numbers are
 * that this is a sum of: the layer is computed again of the magnitudes of its operands and weights,
 * through the layers that are fused into one step.  Only where the largest value is less than a
 * 32nd of the largest such sum is that the measure: rounding costs a few 2^-24 of it, which is then
 * within 1e-5.
 */
#include "net/eval.h"
#include "tool/verify_parts.h"

#include <math.h>

struct Scale {
    Arena *arena;
    const Net *net;
    bool *stored;          /* by node of the original network: a step gives its value */
    double *const *values; /* those of the interpreter */
    double *taken;         /* by node: the sums that its errors were relative to; 0: its values */
};

static void mark_stored(const Scale *s, const Node *node)
{
    if (node && node->origin >= 0)
        s->stored[node->origin] = true;
}

Scale *scale_new(const Compiled *c, Arena *arena)
{
    Scale *s = NEW(arena, Scale);
    const Plan *plan = c->plan;
    s->arena = arena;
    s->net = c->original;
    s->stored = NEW_ARRAY(arena, bool, s->net->nodes.n);
    s->taken = NEW_ARRAY(arena, double, s->net->nodes.n);
    for (int i = 0; i < plan->steps.n; i++) {
        for (int k = 0; k < MOST_OUT; k++) {
            const Operand *to = &plan->steps.at[i].out[k];
            if (to->kind == PLACE_OUTPUT)
                mark_stored(s, plan->net->outputs.at[to->port].node);
            else if (to->tensor)
                mark_stored(s, to->tensor->node);
        }
    }
    return s;
}

static Param *magnitudes_of_param(const Scale *s, const Param *param)
{
    Param *to = NEW(s->arena, Param);
    int64_t n = 1;
    for (int i = 0; i < param->rank; i++)
        n *= param->dims[i];
    float *at = NEW_ARRAY(s->arena, float, n);
    for (int64_t i = 0; i < n; i++)
        at[i] = (float)fabs(param_at(param, i));
    *to = *param;
    to->elem = ELEM_F32;
    to->data = at;
    return to;
}

static const double *magnitudes(const Scale *s, const Node *node);

/* Those of an operand: a step's result is what it is, others are part of the sum. */
static const double *of_operand(const Scale *s, const Node *node)
{
    if (node->n_in > 0 && !s->stored[node->id])
        return magnitudes(s, node);
    const int64_t n = type_elements(node->type);
    double *to = NEW_ARRAY(s->arena, double, n);
    for (int64_t i = 0; i < n; i++)
        to[i] = fmax(fabs(s->values[node->id][i]), s->taken[node->id]);
    return to;
}

/* The layer itself, of magnitudes. */
static void of_sum(const Scale *s, const Node *node, double *to)
{
    Node *positive = NEW(s->arena, Node);
    const double **in = NEW_ARRAY(s->arena, const double *, node->n_in);
    *positive = *node;
    if (node->op == OP_SUB)
        positive->op = OP_ADD;
    for (int i = 0; i < P_ROLES; i++)
        positive->params[i] = node->params[i] ? magnitudes_of_param(s, node->params[i]) : NULL;
    for (int i = 0; i < node->n_in; i++)
        in[i] = of_operand(s, node->in[i]);
    eval_node(positive, in, to, s->arena);
}

/* |x * a| + |b|, of a layer that is x * a + b with an a and a b for each channel. */
static void of_line(const Scale *s, const Node *node, double *to)
{
    const int64_t n = type_elements(node->type);
    const double *x = of_operand(s, node->in[0]);
    double *points = NEW_ARRAY(s->arena, double, n);
    const double *const in[] = {points};
    double *zero = NEW_ARRAY(s->arena, double, n);
    eval_node(node, in, zero, s->arena);
    for (int64_t i = 0; i < n; i++)
        points[i] = 1;
    eval_node(node, in, to, s->arena);
    for (int64_t i = 0; i < n; i++)
        to[i] = fabs(to[i] - zero[i]) * x[i] + fabs(zero[i]);
}

/* A normalisation multiplies what is left of x - mean by up to 1 / sqrt(epsilon), and nothing but
 * rounding is left where all x are alike: |x| times that and the largest weight. */
static void of_norm(const Scale *s, const Node *node, double *to)
{
    const double alike = 0.125; /* of results that else are about 1 */
    const int64_t n = type_elements(node->type);
    const double *const in[] = {s->values[node->in[0]->id]};
    const Param *weight = node->params[P_WEIGHT];
    Node *bare = NEW(s->arena, Node);
    double most = 0, gain = weight ? 0 : 1;
    *bare = *node;
    bare->attrs.gain = bare->attrs.centre = false;
    bare->params[P_WEIGHT] = bare->params[P_BIAS] = NULL;
    eval_node(bare, in, to, s->arena);
    for (int64_t i = 0; i < n; i++)
        most = fmax(most, fabs(to[i]));
    for (int64_t i = 0; weight && i < weight->dims[0]; i++)
        gain = fmax(gain, fabs(param_at(weight, i)));
    const double *x = of_operand(s, node->in[0]);
    for (int64_t i = 0; i < n; i++)
        to[i] = fmax(fabs(s->values[node->id][i]),
                     most < alike ? x[i] / sqrt(node->attrs.epsilon) * gain : 0);
}

/* How large the numbers are that each of a node's values is a sum of; of what is no sum, the value
 * itself, or that of an operand that gives it. */
static const double *magnitudes(const Scale *s, const Node *node)
{
    const int64_t n = type_elements(node->type);
    double *to = NEW_ARRAY(s->arena, double, n);
    switch (node->op) {
    case OP_CONV:
    case OP_CONV_TRANSPOSE:
    case OP_DENSE:
    case OP_ADD:
    case OP_SUB:
    case OP_AVGPOOL:
        of_sum(s, node, to);
        return to;
    case OP_BN:
    case OP_AFFINE:
    case OP_SCALE:
    case OP_NORMALIZE:
        of_line(s, node, to);
        return to;
    case OP_GROUP_NORM:
    case OP_INSTANCE_NORM:
    case OP_LAYER_NORM:
        of_norm(s, node, to);
        return to;
    default:
        break;
    }
    if (op_row(node->op)->flags & ACTIVATION)
        return of_operand(s, node->in[0]);
    for (int64_t i = 0; i < n; i++)
        to[i] = fabs(s->values[node->id][i]);
    return to;
}

double scale_of(Scale *s, const Node *node, double *const *values)
{
    enum { BESIDE = 32 };
    double most = 0;
    s->values = values;
    const double *at = node->n_in > 0 ? magnitudes(s, node) : NULL;
    for (int64_t i = 0; at && i < type_elements(node->type); i++)
        most = fmax(most, at[i]);
    s->taken[node->id] = fmax(s->taken[node->id], most);
    return most / BESIDE;
}
