/* reference.c: a training in double precision; see reference.h.  Optimizers are written as their
 * papers and frameworks have them: Kingma and Ba (2015), torch.optim, keras.optimizers. */
#include "reference.h"

#include "net/eval.h"
#include "net/train.h"
#include "plan/training.h"

#include <math.h>
#include <string.h>

const Param *reference_param(const Net *net, const char *name)
{
    for (int i = 0; i < net->params.n; i++) {
        if (str_eq(net->params.at[i]->name, name))
            return net->params.at[i];
    }
    return NULL;
}

static const Node *loss_node(const Net *net)
{
    for (int i = 0; i < net->nodes.n; i++) {
        const Op op = net->nodes.at[i]->op;
        if (op == OP_CROSS_ENTROPY || op == OP_MEAN_SQUARED_ERROR)
            return net->nodes.at[i];
    }
    return NULL;
}

int loss_classes(const Net *net)
{
    const Node *node = loss_node(net);
    return node->op == OP_CROSS_ENTROPY ? node->in[0]->type.c : 0;
}

/* The network for fewer images: the interpreter goes by the types. */
static Net *with_images(const Net *net, int images, Arena *arena)
{
    Net *copy = ir_copy(net, arena);
    const int batch = net->inputs.at[0].node->type.n;
    for (int i = 0; i < copy->nodes.n; i++) {
        Type *t = &copy->nodes.at[i]->type;
        const Op op = copy->nodes.at[i]->op;
        if (t->n == batch && op != OP_CONV_WEIGHTS && op != OP_DENSE_WEIGHTS)
            t->n = images;
    }
    for (int i = 0; i < copy->updates.n; i++) {
        Update *u = &copy->updates.at[i];
        u->node->type = param_type(u->param);
        if (u->kind == UPDATE_STATISTIC && u->scale > 1) {
            const Type x = copy->nodes.at[u->node->id]->in[0]->type;
            const double n = (double)x.n * x.h * x.w;
            u->scale = n / (n - 1);
        }
    }
    return copy;
}

static Kind kind_of(const Param *p, Arena *arena)
{
    const int64_t n = param_elements(p);
    Kind k = {NEW_ARRAY(arena, double, n),
              NEW_ARRAY(arena, double, n),
              NEW_ARRAY(arena, double, n),
              NEW_ARRAY(arena, double, n),
              NEW_ARRAY(arena, double, n),
              NEW_ARRAY(arena, double, n),
              1};
    for (int64_t i = 0; i < n; i++)
        k.now[i] = k.average[i] = param_at(p, i);
    return k;
}

/* ---- optimizers ---- */

static double sgd(const Optimizer *o, Kind *k, int64_t i, double g, double rate)
{
    if (o->momentum <= 0)
        return -rate * g;
    double *v = &k->first[i];
    if (o->keras) {
        *v = o->momentum * *v - rate * g;
        return o->nesterov ? o->momentum * *v - rate * g : *v;
    }
    *v = o->momentum * *v + g;
    return -rate * (o->nesterov ? g + o->momentum * *v : *v);
}

static double adam(const Optimizer *o, Kind *k, int64_t i, double g, double rate, int step)
{
    double *m = &k->first[i], *v = &k->second[i];
    const double one = 1 - pow(o->beta1, step), two = 1 - pow(o->beta2, step);
    *m = o->beta1 * *m + (1 - o->beta1) * g;
    *v = o->beta2 * *v + (1 - o->beta2) * g * g;
    if (o->keras)
        return -rate * sqrt(two) / one * *m / (sqrt(*v) + o->epsilon);
    return -rate * (*m / one) / (sqrt(*v / two) + o->epsilon);
}

static void update(const Optimizer *o, const Net *net, const Param *p, Kind *k, double scale,
                   double rate, int step)
{
    const bool decay = decays(net->train, p);
    for (int64_t i = 0; i < param_elements(p); i++) {
        double g = k->sum[i] * scale;
        const double was = k->now[i];
        if (o->clip_value > 0)
            g = fmax(-o->clip_value, fmin(o->clip_value, g));
        if (decay)
            g += o->coupled * was;
        k->now[i] -= decay ? rate * o->decoupled * was : 0;
        k->now[i] +=
            o->kind == OPTIMIZER_SGD ? sgd(o, k, i, g, rate) : adam(o, k, i, g, rate, step);
        k->moved[i] = fmax(k->moved[i], fabs(k->now[i] - was));
        k->average[i] = o->average * k->average[i] + (1 - o->average) * k->now[i];
        k->sum[i] = 0;
    }
}

/* The factor of all gradients: of a mean over batches, and of their norm's limit. */
static double scale_of(const Optimizer *o, const Net *net, const Reference *r)
{
    double scale = 1.0 / o->accumulate, sum = 0;
    for (int i = 0; i < net->updates.n; i++) {
        const Update *u = &net->updates.at[i];
        for (int64_t k = 0; u->kind == UPDATE_GRADIENT && k < param_elements(u->param); k++)
            sum += pow(r->kinds[u->param->id].sum[k] * scale, 2);
    }
    const double norm = sqrt(sum);
    if (o->clip_norm > 0 && norm > o->clip_norm)
        scale *= o->clip_norm / (o->keras ? norm : norm + 1e-6);
    return scale;
}

static double largest(const double *x, int64_t n)
{
    double most = 0;
    for (int64_t i = 0; i < n; i++)
        most = fmax(most, fabs(x[i]));
    return most;
}

/* How many times as large as a gradient that is a single number, a sum of products, one term can
 * be by the largest of both factors; 1 for a gradient of several numbers, and where nothing
 * cancels. */
static double cancellation(const Update *u, const EvalResult *result)
{
    const Node *sum = u->node;
    if (u->kind != UPDATE_GRADIENT || sum->op != OP_SUM || !sum->attrs.channels)
        return 1;
    double term = 1;
    const Node *product = sum->in[0];
    for (int i = 0; i < product->n_in; i++) {
        const Node *factor = product->in[i];
        term *= largest(result->values[factor->id], type_elements(factor->type));
    }
    return fmax(1, term / fabs(result->values[sum->id][0]));
}

/* ---- steps ---- */

/* Gives the network the parameters as they are now. */
static void bind(Net *net, const Reference *r, Arena *arena)
{
    for (int i = 0; i < net->params.n; i++) {
        const int64_t n = param_elements(net->params.at[i]);
        float *floats = NEW_ARRAY(arena, float, n);
        for (int64_t k = 0; k < n; k++)
            floats[k] = (float)r->kinds[i].now[k];
        param_set_floats(net->params.at[i], floats);
    }
}

static void take_step(Net *net, Reference *r, const double *const *in, const Optimizer *o, int s,
                      double rate, Arena *arena)
{
    bind(net, r, arena);
    const EvalResult result = eval_net(net, in, EVAL_DOUBLE, arena);
    r->losses[s] = result.values[loss_node(net)->id][0];
    double **made = NEW_ARRAY(arena, double *, net->params.n + 1);
    for (int i = 0; i < net->params.n; i++)
        made[i] = eval_update(net, net->params.at[i], &result, arena);
    for (int i = 0; i < net->params.n; i++) {
        const Param *p = net->params.at[i];
        const bool statistic = p->role == P_MEAN || p->role == P_VARIANCE;
        for (int64_t k = 0; made[i] && k < param_elements(p); k++) {
            if (statistic)
                r->kinds[i].now[k] = made[i][k];
            else
                r->kinds[i].sum[k] += made[i][k];
        }
    }
    for (int i = 0; i < net->updates.n; i++) {
        const Update *u = &net->updates.at[i];
        Kind *k = &r->kinds[u->param->id];
        k->cancels = fmax(k->cancels, cancellation(u, &result));
    }
    if ((s + 1) % o->accumulate)
        return;
    const double scale = scale_of(o, net, r);
    for (int i = 0; i < net->updates.n; i++) {
        const Param *p = net->updates.at[i].param;
        if (net->updates.at[i].kind == UPDATE_GRADIENT)
            update(o, r->net, p, &r->kinds[p->id], scale, rate, (s + 1) / o->accumulate);
    }
}

const Reference *reference_run(const Net *net, const double *const *values, int images, int steps,
                               double rate, Arena *arena)
{
    Reference *r = NEW(arena, Reference);
    *r = (Reference){net, NEW_ARRAY(arena, Kind, net->params.n + 1),
                     NEW_ARRAY(arena, double, steps)};
    Net *few = with_images(net, images, arena);
    const Optimizer o = optimizer_of(net->train);
    const double **in = NEW_ARRAY(arena, const double *, net->inputs.n + 1);
    for (int i = 0; i < net->params.n; i++)
        r->kinds[i] = kind_of(net->params.at[i], arena);
    for (int s = 0; s < steps; s++) {
        for (int i = 0; i < net->inputs.n; i++)
            in[i] = values[i] + s * type_elements(net->inputs.at[i].node->type);
        take_step(few, r, in, &o, s, rate, arena);
    }
    return r;
}

/* ---- what to compare ---- */

static const Kind *named(const Reference *r, const char *name)
{
    return &r->kinds[reference_param(r->net, name)->id];
}

const double *reference_tensor(const Reference *r, const char *name, rnc_role role)
{
    const Kind *k = named(r, name);
    const double *const by_role[] = {k->now, k->now, k->first, k->second, k->average, k->sum};
    return by_role[role];
}

double reference_scale(const Reference *r, const char *name, rnc_role role, int64_t k)
{
    const Kind *kind = named(r, name);
    if (role == RNC_ROLE_PARAMETER || role == RNC_ROLE_AVERAGE)
        return kind->moved[k] * kind->cancels;
    return fabs(reference_tensor(r, name, role)[k]) * kind->cancels;
}

/* The largest change of a bias whose gradient is 0, since a batch normalisation follows it: what is
 * left is the rounding of a sum whose terms are like those of the weights' gradients. */
static double rounding_of_bias(const Reference *r, const Param *bias)
{
    static const double nothing = 1e-9;
    for (int i = 0; i < r->net->nodes.n; i++) {
        const Node *node = r->net->nodes.at[i];
        const Param *weight = node->params[P_WEIGHT];
        if (node->params[P_BIAS] != bias || !weight)
            continue;
        const double of_weights = largest(r->kinds[weight->id].moved, param_elements(weight));
        return largest(r->kinds[bias->id].moved, param_elements(bias)) < nothing * of_weights
                   ? of_weights
                   : 0;
    }
    return 0;
}

/* Parameters are rounded to floats in each step. */
double reference_floor(const Reference *r, const char *name, rnc_role role)
{
    const Param *p = reference_param(r->net, name);
    const double rounding = role == RNC_ROLE_PARAMETER ? rounding_of_bias(r, p) : 0;
    if (role == RNC_ROLE_SECOND)
        return 1e-12;
    return fmax(0.02 * largest(r->kinds[p->id].now, param_elements(p)), rounding);
}
