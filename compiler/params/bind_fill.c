/* bind_fill.c: normalisations that a file has only in part, or folded into a convolution. */
#include "params/bind_parts.h"

#include <string.h>

static Use *use_of(Binder *b, const Node *node, Role role)
{
    const Param *param = node->params[role];
    return param ? &b->uses.at[param->id] : NULL;
}

static void fill(Use *use, float number)
{
    use->filled = true;
    use->fill = number;
}

/* How many nodes and outputs use a node's result. */
static int readers_of(Binder *b, const Node *node)
{
    const Net *net = b->net;
    if (!b->readers) {
        int *readers = NEW_ARRAY(b->arena, int, net->nodes.n + 1);
        for (int i = 0; i < net->nodes.n; i++)
            for (int k = 0; k < net->nodes.at[i]->n_in; k++)
                readers[net->nodes.at[i]->in[k]->id]++;
        for (int i = 0; i < net->outputs.n; i++)
            readers[net->outputs.at[i].node->id]++;
        b->readers = readers;
    }
    return b->readers[node->id];
}

/* Handles a normalisation that is folded into the convolution: the file has the convolution's bias
 * in its place. */
static void take_folded(Binder *b, const Node *bn, const Reading *r)
{
    const Node *conv = bn->in[0];
    const Use *kernel = conv->op == OP_CONV ? use_of(b, conv, P_WEIGHT) : NULL;
    if (!kernel || !kernel->slot || conv->params[P_BIAS] || readers_of(b, conv) != 1)
        return;
    const char *name = bind_spelled(b, kernel->slot, r->view), *dot = strrchr(name, '.');
    Slot *bias =
        dot ? bind_find(b, r->view, arena_printf(b->arena, "%.*s.bias", (int)(dot - name), name))
            : NULL;
    if (!bias)
        return;
    use_of(b, bn, P_BIAS)->slot = bias;
    if (bn->params[P_WEIGHT])
        fill(use_of(b, bn, P_WEIGHT), 1);
    fill(use_of(b, bn, P_MEAN), 0);
    fill(use_of(b, bn, P_VARIANCE), (float)(1 - bn->attrs.epsilon));
}

/* A missing scale or centre (Keras' scale=False, PyTorch's affine=False) is filled with 1 or 0. */
static void fill_normalisation(Binder *b, const Node *bn, const Reading *r)
{
    Use *scale = use_of(b, bn, P_WEIGHT), *centre = use_of(b, bn, P_BIAS);
    Use *mean = use_of(b, bn, P_MEAN), *variance = use_of(b, bn, P_VARIANCE);
    if (mean->slot && variance->slot) {
        if (scale && !scale->slot)
            fill(scale, 1);
        if (centre && !centre->slot)
            fill(centre, 0);
    } else if (!mean->slot && !variance->slot && (!scale || !scale->slot) && centre &&
               !centre->slot) {
        take_folded(b, bn, r);
    }
}

void bind_fill(Binder *b, const Reading *r)
{
    for (int i = 0; i < b->net->nodes.n; i++) {
        if (b->net->nodes.at[i]->op == OP_BN)
            fill_normalisation(b, b->net->nodes.at[i], r);
    }
}

void bind_say_fills(const Binder *b, const char *path)
{
    int scales = 0, centres = 0, folded = 0;
    for (int i = 0; i < b->uses.n; i++) {
        const Use *use = &b->uses.at[i];
        scales += use->filled && use->param->role == P_WEIGHT;
        centres += use->filled && use->param->role == P_BIAS;
        folded += use->filled && use->param->role == P_MEAN;
    }
    if (folded)
        diag_file_note(
            b->diag, path,
            "%d normalisations are folded into their convolutions: each is the bias alone", folded);
    if (scales > folded)
        diag_file_note(b->diag, path, "%d normalisations have no scale: it is 1", scales - folded);
    if (centres)
        diag_file_note(b->diag, path, "%d normalisations have no centre: it is 0", centres);
}
