/* fold_bn.c: folds batch normalisation, and whatever else multiplies each channel by a number and
 * adds another (net/affine.h), into the convolution or dense layer that produces its operand.
 *
 *     bn(W * x + b) = (s W) * x + (b - mean) s + beta,
 *     s = gamma / sqrt(variance + epsilon), for each filter
 *
 * This is legal if nothing else uses the layer's result, and if nothing comes between the two: the
 * layer has no activation and no residual.  The new parameters are computed in double and rounded
 * once.  A layer without a bias gets one.  If any parameter of the two has no data, the new ones
 * have none either, but the structure is the same.  A normalisation after anything else, or after
 * a layer with other users (pre-activation networks, DenseNet), stays.
 *
 * Nothing is folded in a network with updates: it is trained, and its parameters change.
 *
 * Parameters are never written: the layer gets new ones.  So a parameter that another node refers
 * to keeps its value for that one.  Layers that share their parameters, and are followed by
 * normalisations that also share theirs (one block on two inputs), share the new ones as well.  If
 * different normalisations follow them, each layer gets its own: the weights then take more room,
 * but no normalisation is left to compute. */
#include "passes/pass.h"
#include "passes/rewrite.h"

#include "net/affine.h"
#include "net/nametable.h"

#include <string.h>

static bool folds(const Rewrite *r, const Node *bn)
{
    if (!is_affine(bn->op))
        return false;
    const Node *layer = bn->in[0];
    return (layer->op == OP_CONV || layer->op == OP_CONV_TRANSPOSE || layer->op == OP_DENSE) &&
           layer->act == ACT_NONE && layer->n_in == 1 && used_once(r, layer);
}

/* What was made from a layer's and a normalisation's parameters.  Another layer that shares all of
 * them gets the same new ones. */
typedef struct Fold {
    const Param *from[2 * P_ROLES]; /* the layer's, then the normalisation's */
    const Node *by;                 /* the normalisation */
    Param *weight, *bias;
} Fold;

typedef struct Folder {
    Net *net;
    int *users;        /* by parameter's id: nodes that refer to it */
    VEC(Fold) shared;  /* folds of parameters that several nodes refer to */
    VEC(Param *) made; /* all new ones */
} Folder;

static Folder folder_new(Net *net)
{
    Folder f = {.net = net, .users = NEW_ARRAY(net->arena, int, net->params.n + 1)};
    for (int i = 0; i < net->nodes.n; i++) {
        for (int r = 0; r < P_ROLES; r++) {
            const Param *param = net->nodes.at[i]->params[r];
            if (param)
                f.users[param->id]++;
        }
    }
    return f;
}

static Fold fold_of(const Node *layer, const Node *bn)
{
    Fold fold = {.by = bn};
    for (int r = 0; r < P_ROLES; r++) {
        fold.from[r] = layer->params[r];
        fold.from[P_ROLES + r] = bn->params[r];
    }
    return fold;
}

/* Whether several nodes refer to the layer's weights, or did so before the first was folded. */
static bool is_shared(const Folder *f, const Fold *fold)
{
    const Param *weight = fold->from[P_WEIGHT];
    return weight->id < 0 || f->users[weight->id] > 1;
}

/* The fold of another layer that is the same, or NULL. */
static const Fold *done_before(const Folder *f, const Fold *fold)
{
    for (int i = 0; i < f->shared.n; i++) {
        const Fold *other = &f->shared.at[i];
        if (memcmp(other->from, fold->from, sizeof fold->from) == 0 &&
            other->by->op == fold->by->op &&
            attrs_same(fold->by->op, &other->by->attrs, &fold->by->attrs))
            return other;
    }
    return NULL;
}

/* Whether all parameters of both have data. */
static bool have_data(const Fold *fold)
{
    for (int i = 0; i < 2 * P_ROLES; i++) {
        if (fold->from[i] && !fold->from[i]->data)
            return false;
    }
    return true;
}

/* Makes a parameter of `layer`, like `old` (NULL: a bias), to which no node refers yet. */
static Param *new_param(Folder *f, const Node *layer, Role role, const Param *old)
{
    Arena *arena = f->net->arena;
    Param *param = NEW(arena, Param);
    if (old)
        *param = *old;
    else
        *param = (Param){.rank = 1, .dims = {layer->attrs.filters}, .place = layer->place};
    param->id = param->first = -1;
    param->role = role;
    param->name = arena_printf(arena, "%s.%s", layer->name, role_name(layer, role));
    param->alias = old ? old->alias : param->name;
    param->data = NULL;
    VEC_PUSH(arena, &f->made, param);
    return param;
}

/* How many of a layer's weights stand next to each other that belong to one filter: they are
 * [filters][...], or [channels][filters / groups][taps] for a transposed convolution. */
static int64_t filter_run(const Node *layer, const Param *weight)
{
    const int *dims = weight->dims;
    return layer->op == OP_CONV_TRANSPOSE ? (int64_t)dims[2] * dims[3]
                                          : param_elements(weight) / dims[0];
}

/* The filter that the r-th such run belongs to. */
static int filter_of(const Node *layer, const Param *weight, int64_t r)
{
    const int *dims = weight->dims;
    if (layer->op != OP_CONV_TRANSPOSE)
        return (int)r;
    const int group = (int)(r / dims[1]) / (dims[0] / layer->attrs.groups);
    return group * dims[1] + (int)(r % dims[1]);
}

static void fold_data(const Folder *f, Fold *fold, const Node *layer)
{
    const int filters = layer->attrs.filters;
    const float *old_weight = param_floats(fold->from[P_WEIGHT]);
    const float *old_bias = param_floats(fold->from[P_BIAS]);
    const Param *from = fold->from[P_WEIGHT];
    const int64_t elements = param_elements(from), run = filter_run(layer, from);
    float *weight = NEW_ARRAY(f->net->arena, float, elements);
    float *bias = NEW_ARRAY(f->net->arena, float, filters);
    double *scales = NEW_ARRAY(f->net->arena, double, filters);
    for (int i = 0; i < filters; i++) {
        double shift;
        affine_of(fold->by, i, &scales[i], &shift);
        bias[i] = (float)((old_bias ? (double)old_bias[i] : 0.0) * scales[i] + shift);
    }
    for (int64_t begin = 0; begin < elements; begin += run) {
        const double scale = scales[filter_of(layer, from, begin / run)];
        for (int64_t k = begin; k < begin + run; k++)
            weight[k] = (float)(old_weight[k] * scale);
    }
    param_set_floats(fold->weight, weight);
    param_set_floats(fold->bias, bias);
}

/* Replaces the layer's parameters by those that compute both. */
static void fold_params(Folder *f, Node *layer, const Node *bn)
{
    Fold fold = fold_of(layer, bn);
    const Fold *before = is_shared(f, &fold) ? done_before(f, &fold) : NULL;
    if (before) {
        fold = *before;
    } else {
        fold.weight = new_param(f, layer, P_WEIGHT, layer->params[P_WEIGHT]);
        fold.bias = new_param(f, layer, P_BIAS, layer->params[P_BIAS]);
        if (have_data(&fold))
            fold_data(f, &fold, layer);
        if (is_shared(f, &fold))
            VEC_PUSH(f->net->arena, &f->shared, fold);
    }
    layer->params[P_WEIGHT] = fold.weight;
    layer->params[P_BIAS] = fold.bias;
    layer->attrs.bias = true;
}

/* A new parameter has the name of the one that it was made from.  If another node still refers to
 * that one, the new one gets a name of its own. */
static void rename_made(const Folder *f)
{
    NameTable names = {.arena = f->net->arena};
    bool *is_made = NEW_ARRAY(f->net->arena, bool, f->net->params.n + 1);
    for (int i = 0; i < f->made.n; i++) {
        if (f->made.at[i]->id >= 0)
            is_made[f->made.at[i]->id] = true;
    }
    for (int i = 0; i < f->net->params.n; i++) {
        if (!is_made[i])
            table_add(&names, f->net->params.at[i]->name, NO_LOC);
    }
    for (int i = 0; i < f->net->params.n; i++) {
        Param *param = f->net->params.at[i];
        while (is_made[i] && !table_add(&names, param->name, NO_LOC))
            param->name = arena_printf(f->net->arena, "%s.folded", param->name);
    }
}

void pass_fold_bn(Net *net)
{
    if (net->updates.n)
        return; /* a training changes what would be folded */
    Rewrite r = rewrite_begin(net);
    Folder f = folder_new(net);
    for (int i = 0; i < net->nodes.n; i++) {
        Node *bn = rewrite_at(&r, i);
        if (!folds(&r, bn))
            continue;
        Node *layer = bn->in[0];
        fold_params(&f, layer, bn);
        rewrite_take_over(&r, layer, bn);
    }
    rewrite_end(&r);
    rename_made(&f);
}
