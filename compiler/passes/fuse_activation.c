/* fuse_activation.c: act(f(x)) becomes f with `act` applied to its result.
 *
 * This is legal if nothing else uses f(x), f has no activation yet, and f's operator can apply one
 * (FUSES_ACT).  The result is the same to the bit. */
#include "passes/pass.h"
#include "passes/rewrite.h"

void pass_fuse_activation(Net *net)
{
    Rewrite r = rewrite_begin(net);
    for (int i = 0; i < net->nodes.n; i++) {
        Node *act = rewrite_at(&r, i);
        if (act_of(act->op) == ACT_NONE || act->act != ACT_NONE)
            continue;
        Node *producer = act->in[0];
        if (!(op_row(producer->op)->flags & FUSES_ACT) || producer->act != ACT_NONE ||
            !used_once(&r, producer))
            continue;
        rewrite_take_over(&r, producer, act);
        producer->act = act_of(act->op);
        act_numbers(act->op, &act->attrs, &producer->act_alpha, &producer->act_beta);
    }
    rewrite_end(&r);
}
