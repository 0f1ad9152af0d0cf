/* fuse_activation.c: act(f(x)) becomes f with `act` applied to its result.
 *
 * This is legal if nothing else uses f(x), f has no activation yet, and f's operator can apply this
 * one (op_fuses()).  The result is the same to the bit.
 *
 * The slopes of a prelu become a parameter of f, one for each channel, also where the prelu has one
 * for all.  Layers whose prelus share their slopes share the new ones.  In a network with updates,
 * where slopes are trained, a prelu stays as it is. */
#include "passes/pass.h"
#include "passes/rewrite.h"

static bool fuses(const Rewrite *r, const Node *act)
{
    const Act own = act_of(act->op);
    if (own == ACT_NONE || act->act != ACT_NONE || (own == ACT_PRELU && r->net->updates.n))
        return false;
    const Node *producer = act->in[0];
    return op_fuses(producer->op, own) && producer->act == ACT_NONE && used_once(r, producer);
}

/* Gives `layer` the slopes of a prelu, after its own parameters.  made: by id of a prelu's slopes,
 * what they became last. */
static void give_slopes(Arena *arena, Node *layer, const Node *prelu, Param **made)
{
    const Param *from = prelu->params[P_WEIGHT];
    const int channels = layer->type.c;
    Param *to = made[from->id];
    if (to && to->dims[0] == channels) {
        layer->params[P_SLOPE] = to;
        return;
    }
    ir_give_slopes(arena, layer);
    made[from->id] = to = layer->params[P_SLOPE];
    if (!from->data)
        return;
    float *slopes = NEW_ARRAY(arena, float, channels);
    for (int c = 0; c < channels; c++)
        slopes[c] = (float)param_at(from, from->dims[0] == 1 ? 0 : c);
    param_set_floats(to, slopes);
}

void pass_fuse_activation(Net *net)
{
    Rewrite r = rewrite_begin(net);
    Param **made = NEW_ARRAY(net->arena, Param *, net->params.n + 1);
    for (int i = 0; i < net->nodes.n; i++) {
        Node *act = rewrite_at(&r, i);
        if (!fuses(&r, act))
            continue;
        Node *producer = act->in[0];
        rewrite_take_over(&r, producer, act);
        producer->act = act_of(act->op);
        act_numbers(act->op, &act->attrs, &producer->act_alpha, &producer->act_beta);
        if (producer->act == ACT_PRELU)
            give_slopes(net->arena, producer, act, made);
    }
    rewrite_end(&r);
}
