/* eval_norm.c: the oracle's normalisations by statistics of the tensor itself, and their gradients.
 *
 * The tensor is cut into sets: the channels of a pixel (groups 0), or a group of channels over all
 * pixels of an image. */
#include "net/eval_parts.h"

#include <math.h>

typedef struct Sets {
    int groups, n; /* n sets */
    double size;   /* numbers in a set */
    double *mean, *spread;
} Sets;

/* The set that element i of a tensor of type t is in. */
static int set_of(const Sets *sets, Type t, int64_t i)
{
    if (sets->groups == 0)
        return (int)(i / t.c);
    const int image = (int)(i / ((int64_t)t.h * t.w * t.c)), c = (int)(i % t.c);
    return image * sets->groups + c / (t.c / sets->groups);
}

/* The element of a parameter that belongs to element i, or `none` if there is no parameter. */
static double number_at(const Param *param, Type t, int64_t i, double none)
{
    const int64_t c = i % t.c, pixel = i / t.c % ((int64_t)t.h * t.w);
    if (!param)
        return none;
    return param_at(param, param->rank == 3 ? c * t.h * t.w + pixel : c);
}

/* The groups of a forward normalisation, as in Sets. */
static int groups_of(const Node *node)
{
    const Attrs *a = &node->attrs;
    return node->op == OP_GROUP_NORM      ? a->groups
           : node->op == OP_INSTANCE_NORM ? node->type.c
           : node->op == OP_NORM_BACKWARD ? a->groups
           : a->over == OVER_IMAGE        ? 1
                                          : 0;
}

/* Sums what is in sum[] by set. */
static void add_up(const Sets *sets, Type t, const double *x, const double *y, double *sum)
{
    for (int64_t i = 0; i < type_elements(t); i++)
        sum[set_of(sets, t, i)] += x[i] * (y ? y[i] : 1);
}

/* Finds means and spreads: sqrt(variance + epsilon), or the length. */
static Sets find_sets(const Node *node, const double *x, Arena *arena, bool length)
{
    const Type t = node->in[node->op == OP_NORM_BACKWARD]->type;
    Sets s = {.groups = groups_of(node)};
    s.n = s.groups ? t.n * s.groups : (int)(type_elements(t) / t.c);
    s.size = (double)type_elements(t) / s.n;
    s.mean = NEW_ARRAY(arena, double, s.n);
    s.spread = NEW_ARRAY(arena, double, s.n);
    if (!length)
        add_up(&s, t, x, NULL, s.mean);
    for (int k = 0; k < s.n; k++)
        s.mean[k] /= s.size;
    for (int64_t i = 0; i < type_elements(t); i++) {
        const double d = x[i] - s.mean[set_of(&s, t, i)];
        s.spread[set_of(&s, t, i)] += d * d;
    }
    for (int k = 0; k < s.n; k++) {
        const double e = node->attrs.epsilon, all = s.spread[k];
        s.spread[k] = !length ? sqrt(all / s.size + e) : sqrt(all) < e ? e : sqrt(all);
    }
    return s;
}

static void normalise(EvalStep *s, bool length)
{
    const Type t = s->node->type;
    const Sets sets = find_sets(s->node, s->in[0], s->arena, length);
    for (int64_t i = 0; i < type_elements(t); i++) {
        const int k = set_of(&sets, t, i);
        s->out[i] = (s->in[0][i] - sets.mean[k]) / sets.spread[k] *
                        number_at(s->node->params[P_WEIGHT], t, i, 1) +
                    number_at(s->node->params[P_BIAS], t, i, 0);
    }
}

void eval_GROUP_NORM(EvalStep *s)
{
    normalise(s, false);
}

void eval_INSTANCE_NORM(EvalStep *s)
{
    normalise(s, false);
}

void eval_LAYER_NORM(EvalStep *s)
{
    normalise(s, false);
}

void eval_L2_NORM(EvalStep *s)
{
    normalise(s, true);
}

/* ---- gradients ---- */

/* The gradients of weight and bias: the sums of dy x^ and of dy. */
static void parameter_gradient(EvalStep *s, const double *normal)
{
    const Type t = s->node->in[1]->type, out = s->node->type;
    const bool whole = s->node->attrs.over == OVER_IMAGE;
    const int64_t image = (int64_t)t.h * t.w * t.c;
    for (int64_t i = 0; i < type_elements(out); i++)
        s->out[i] = 0;
    for (int64_t i = 0; i < type_elements(t); i++)
        s->out[whole ? i % image : i % t.c] +=
            s->in[0][i] * (s->node->attrs.result == 1 ? normal[i] : 1);
}

/* With g = dy * weight, x^ the normalised x and means over a set:
 * dx = (g - mean of g - x^ * mean of g x^) / spread, as for batch normalisation; by a length
 * dx = (g - x^ * sum of g x^) / length, or g / epsilon where the length is less. */
void eval_NORM_BACKWARD(EvalStep *s)
{
    const Attrs *a = &s->node->attrs;
    const Type t = s->node->in[1]->type;
    const int64_t n = type_elements(t);
    const Sets sets = find_sets(s->node, s->in[1], s->arena, a->length);
    double *normal = NEW_ARRAY(s->arena, double, n), *g = NEW_ARRAY(s->arena, double, n);
    double *mean = NEW_ARRAY(s->arena, double, sets.n),
           *slope = NEW_ARRAY(s->arena, double, sets.n);
    for (int64_t i = 0; i < n; i++) {
        const int k = set_of(&sets, t, i);
        normal[i] = (s->in[1][i] - sets.mean[k]) / sets.spread[k];
        g[i] = s->in[0][i] * number_at(s->node->params[P_WEIGHT], t, i, 1);
    }
    if (a->result > 0) {
        parameter_gradient(s, normal);
        return;
    }
    add_up(&sets, t, g, NULL, mean);
    add_up(&sets, t, g, normal, slope);
    for (int64_t i = 0; i < n; i++) {
        const int k = set_of(&sets, t, i);
        const double size = a->length ? 1 : sets.size;
        const bool least = a->length && sets.spread[k] <= a->epsilon;
        s->out[i] =
            (g[i] - (a->length ? 0 : mean[k] / size) - (least ? 0 : normal[i] * slope[k] / size)) /
            sets.spread[k];
    }
}
