/* batch.c: a batch computed in turns of a few images each.
 *
 * All images of a batch at once would share each reading of the weights, but the tensors of many
 * images leave the caches between two layers, and the arena grows with every image. So a turn
 * takes as many images as are worth it.  Where the weights come from memory, the operands of the
 * largest layer must fit into half of the L3.  Where the weights stay in the L3 there is little to
 * gain, and the operands must fit into half of the L2, so that small networks still have turns for
 * threads to share (docs/kernels-log.md has the measurements).
 */
#include "plan/batch.h"

/* Bytes of a node's operands and result, one image. */
static int64_t image_bytes(const Node *node)
{
    int64_t elements = type_elements(node->type);
    for (int i = 0; i < node->n_in; i++)
        elements += type_elements(node->in[i]->type);
    return elems_bytes(ELEM_F32, elements / node->type.n);
}

static int64_t widest_layer(const Net *net)
{
    int64_t widest = 1;
    for (int i = 0; i < net->nodes.n; i++) {
        const int64_t bytes = image_bytes(net->nodes.at[i]);
        widest = bytes > widest ? bytes : widest;
    }
    return widest;
}

/* The number of images in a turn.  It divides the batch, so that all turns are alike. */
static int turn_images(const Net *net, const Machine *machine, int batch)
{
    const int64_t l2 = (int64_t)machine->l2_kb * 1024, l3 = (int64_t)machine->l3_kb * 1024;
    const int64_t room = elems_bytes(ELEM_F32, net_parameters(net)) > l3 / 2 ? l3 / 2 : l2 / 2;
    const int64_t fit = room / widest_layer(net);
    int images = fit < 1 ? 1 : fit < batch ? (int)fit : batch;
    while (batch % images > 0)
        images--;
    return images;
}

/* Sets Plan.turns for the plan's machine, and Plan.net: that is `net` itself, or a copy with the
 * images of one turn if there are several turns. */
void cut_batch(Plan *plan, const Net *net)
{
    const int batch = net->inputs.n > 0 ? net->inputs.at[0].node->type.n : 1;
    const int images = turn_images(net, plan->options.machine, batch);
    plan->net = net;
    plan->turns = batch / images;
    if (plan->turns == 1)
        return;
    Net *turn = ir_copy(net, plan->arena);
    for (int i = 0; i < turn->nodes.n; i++)
        turn->nodes.at[i]->type.n = images;
    plan->net = turn;
}

Type whole_batch(const Plan *plan, Type type)
{
    type.n *= plan->turns;
    return type;
}

int64_t whole_state(const Plan *plan)
{
    return mul_extents(plan->state_bytes, plan->turns);
}
