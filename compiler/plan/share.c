/* share.c: which tensors share memory.
 *
 * Each tensor is in a store, from some channel and some row on.  A store is an image whose rows and
 * channels several tensors use: side by side (the parts of a concat or a stack), or one after the
 * other (a result that overwrites an operand).  At first every node has its own store; stores are
 * merged where that saves a copy or a buffer:
 *
 *   views     the operands of a concat or a stack are written where it has them; a
 *             flatten of 1 x 1 pixels or a cast of an input is its operand, a part of
 *             a split are some of its channels, a crop some of its rows
 *   in place  a residual, an elementwise operand: the result overwrites it
 *
 * One rule about time says what is legal.  Node k writes at time 2k and reads at 2k, except for
 * the operand that it overwrites: it reads that while it writes, which counts as 2k - 1.  An
 * output port reads at 2k + 1.  The end of a value is its last read; what a view shows lives as
 * long as the view.  Two values that have pixels or channels in common may be in one store if the
 * end of the one is before the writing of the other.
 *
 * Views are decided first, from the last node to the first, since a view's end is known only when
 * all its users are decided.  Then results in place are decided, from the first node to the last.
 */
#include "plan/share_parts.h"

#include "net/affine.h"
#include "net/state.h"

#include <assert.h>

/* ---- time ---- */

static int64_t use_time(const Sharer *s, Use use)
{
    const Placing *p = placing(s, use.user);
    if (p->embedded[use.slot])
        return s->ends[use.user];
    return 2 * (int64_t)use.user - (p->in_place == use.slot);
}

/* Recomputes the end of a value and, if it changed, the ends of the values that it shows. */
static void update_end(Sharer *s, int node)
{
    int64_t end =
        s->is_kept[node] ? 2 * (int64_t)s->net->nodes.n : 2 * (int64_t)node + s->is_output[node];
    for (int i = s->first_use[node]; i < s->first_use[node + 1]; i++) {
        int64_t time = use_time(s, s->uses[i]);
        end = time > end ? time : end;
    }
    if (end == s->ends[node])
        return;
    s->ends[node] = end;
    const Node *n = s->net->nodes.at[node];
    for (int i = 0; i < n->n_in; i++) {
        if (placing(s, node)->embedded[i])
            update_end(s, n->in[i]->id);
    }
}

/* ---- decisions ---- */

static bool embed(Sharer *s, int node, int slot, Shift at)
{
    const int operand = s->net->nodes.at[node]->in[slot]->id;
    placing(s, node)->embedded[slot] = true;
    update_end(s, operand);
    if (join_stores(s, node, slot, at, true)) {
        remove_writer(s, placing(s, node)->store, node, slot);
        return true;
    }
    placing(s, node)->embedded[slot] = false;
    update_end(s, operand);
    return false;
}

static void embed_parts(Sharer *s, const Node *node)
{
    int at = 0;
    for (int i = 0; i < node->n_in; i++) {
        const int c = node->in[i]->type.c;
        if (at % s->plan->align == 0 && (c % s->plan->align == 0 || i == node->n_in - 1))
            embed(s, node->id, i, (Shift){at, 0});
        at += c;
    }
}

static void embed_rows(Sharer *s, const Node *node)
{
    for (int i = 0, at = 0; i < node->n_in; i++) {
        embed(s, node->id, i, (Shift){0, at});
        at += node->in[i]->type.h;
    }
}

/* Where the node begins in its operand, if it is some of its channels and rows. */
static bool is_piece(const Node *node, Shift *first)
{
    const int *cut = node->attrs.padding;
    *first = (Shift){node->attrs.channel_padding[0], cut[0]};
    if (node->op == OP_SPLIT) {
        split_part(&node->attrs, node->in[0]->type.c, node->attrs.result, &first->channels);
        first->rows = 0;
    }
    return node->op == OP_SPLIT || (!cut[1] && !cut[3]);
}

static void decide_views(Sharer *s, const Node *node)
{
    Placing *p = placing(s, node->id);
    if (node->act != ACT_NONE || p->form != FORM_STEP)
        return;
    if (node->op == OP_CONCAT) {
        embed_parts(s, node);
    } else if ((node->op == OP_FLATTEN && node->in[0]->type.h == 1 && node->in[0]->type.w == 1) ||
               node->op == OP_CAST) {
        if (embed(s, node->id, 0, (Shift){0, 0}))
            p->form = FORM_VIEW;
    } else if (node->op == OP_STACK) {
        embed_rows(s, node);
    }
    if (node->op == OP_SPLIT || node->op == OP_CROP) {
        const int align = s->plan->align;
        const bool all_channels = node->type.c == node->in[0]->type.c;
        Shift first;
        if (is_piece(node, &first) &&
            (all_channels || (first.channels % align == 0 && node->type.c % align == 0)) &&
            embed(s, node->id, 0, (Shift){-first.channels, -first.rows}))
            p->form = FORM_VIEW;
    }
    bool all = node->op == OP_CONCAT || node->op == OP_STACK;
    for (int i = 0; i < node->n_in; i++)
        all = all && p->embedded[i];
    if (all)
        p->form = FORM_VIEW;
}

/* Whether the kernel of `node` can overwrite operand `slot`. */
static bool goes_over(const Node *node, int slot)
{
    if (!type_eq(node->type, node->in[slot]->type))
        return false;
    if (is_conv(node->op) || node->op == OP_CONV_TRANSPOSE || node->op == OP_BN_TRAIN)
        return slot == 1;
    if (node->op == OP_BN_AGAIN)
        return slot == 3 || slot == 0;
    if (node->op == OP_ADD || node->op == OP_MUL || node->op == OP_SUB || node->op == OP_DIV)
        return node->n_in == 2;
    return slot == 0 &&
           (node->op == OP_SOFTMAX || node->op == OP_LOG_SOFTMAX || is_norm(node->op) ||
            is_affine(node->op) || node->op == OP_ACT_BACKWARD || act_of(node->op) != ACT_NONE);
}

/* Whether the node may become a view of several pixels as one (share_flat()).  Then nothing
 * overwrites it, so that it stays alone in its store. */
static bool may_lie_flat(const Node *node)
{
    return node->op == OP_FLATTEN && node->attrs.order == ORDER_NHWC && node->act == ACT_NONE &&
           !(node->in[0]->type.h == 1 && node->in[0]->type.w == 1);
}

/* The older operand, which is a shortcut, is tried first.  Then a block's result is stored where
 * its input was, and equal blocks get equal offsets (repeat.c). */
static void decide_in_place(Sharer *s, const Node *node)
{
    Placing *p = placing(s, node->id);
    const bool turned = node->n_in == 2 && node->in[1]->id < node->in[0]->id;
    for (int i = 0; i < node->n_in && p->form == FORM_STEP && p->in_place < 0; i++) {
        const int slot = turned ? 1 - i : i;
        const int operand = node->in[slot]->id;
        if (!goes_over(node, slot) || may_lie_flat(node->in[slot]) ||
            s->ends[operand] > 2 * (int64_t)node->id)
            continue;
        p->in_place = slot;
        update_end(s, operand);
        if (!join_stores(s, node->id, slot, (Shift){0, 0}, false)) {
            p->in_place = -1;
            update_end(s, operand);
        }
    }
}

bool share_flat(Sharer *s, int node)
{
    Placing *p = placing(s, node);
    const Placing *q = placing(s, s->net->nodes.at[node]->in[0]->id);
    const int operand = s->net->nodes.at[node]->in[0]->id;
    if (s->sharing->stores.at[p->store].nodes.n != 1)
        return false;
    p->embedded[0] = true;
    update_end(s, operand);
    const Store *st = &s->sharing->stores.at[q->store];
    const Writer all = {operand, -1, 0, st->channels, 0, st->rows};
    if (store_is_sound(s, q->store, &all, node, 0)) {
        p->form = FORM_VIEW;
        s->sharing->stores.at[p->store].nodes.n = 0;
        p->store = q->store;
        return true;
    }
    p->embedded[0] = false;
    update_end(s, operand);
    return false;
}

/* ---- beginning ---- */

static void find_uses(Sharer *s)
{
    const Net *net = s->net;
    Arena *arena = s->plan->arena;
    s->first_use = NEW_ARRAY(arena, int, net->nodes.n + 2);
    int *count = s->first_use + 1;
    for (int i = 0; i < net->nodes.n; i++) {
        for (int j = 0; j < net->nodes.at[i]->n_in; j++)
            count[net->nodes.at[i]->in[j]->id + 1]++;
    }
    for (int i = 0; i < net->nodes.n; i++)
        count[i + 1] += count[i];
    s->uses = NEW_ARRAY(arena, Use, count[net->nodes.n] + 1);
    for (int i = 0; i < net->nodes.n; i++) { /* count[id]: where its next use goes */
        for (int j = 0; j < net->nodes.at[i]->n_in; j++)
            s->uses[count[net->nodes.at[i]->in[j]->id]++] = (Use){i, j};
    }
    s->is_output = NEW_ARRAY(arena, bool, net->nodes.n + 1);
    for (int i = 0; i < net->outputs.n; i++)
        s->is_output[net->outputs.at[i].node->id] = true;
    s->is_kept = NEW_ARRAY(arena, bool, net->nodes.n + 1);
    for (int i = 0; i < net->updates.n; i++)
        s->is_kept[net->updates.at[i].node->id] = true;
}

/* An input step applies the cast, the normalisation or the batch normalisation that follows the
 * input, if nothing else reads the input. */
static void fuse_into_input(Sharer *s, const Node *input)
{
    const Node *last = input;
    if (!s->is_output[input->id] && s->first_use[input->id + 1] == s->first_use[input->id]) {
        placing(s, input->id)->form = FORM_FUSED; /* nobody reads it */
        return;
    }
    for (;;) {
        const int id = last->id;
        if (s->is_output[id] || s->first_use[id + 1] - s->first_use[id] != 1)
            break;
        const Node *user = s->net->nodes.at[s->uses[s->first_use[id]].user];
        bool affine = is_affine(user->op);
        if (user->act != ACT_NONE || !(affine || user->op == OP_CAST))
            break;
        placing(s, id)->form = FORM_FUSED;
        last = user;
        if (affine)
            break;
    }
    placing(s, last->id)->form = FORM_INPUT;
    placing(s, last->id)->input = input;
}

/* Puts every node alone into a store, at channel 0. */
static void begin(Sharer *s)
{
    const Net *net = s->net;
    Arena *arena = s->plan->arena;
    s->writers = arena_alloc_n(arena, (size_t)net->nodes.n + 1, sizeof *s->writers);
    for (int i = 0; i < net->nodes.n; i++) {
        const Node *node = net->nodes.at[i];
        Placing *p = placing(s, i);
        p->in_place = -1;
        p->store = i;
        p->embedded = NEW_ARRAY(arena, bool, node->n_in + 1);
        const int width = lanes_of(s->plan, node->type.c);
        const int h = node->type.h;
        Store store = {.channels = width, .rows = h, .group = node->band_group, .band = node->band};
        VEC_PUSH(arena, &store.nodes, i);
        VEC_PUSH(arena, &s->sharing->stores, store);
        int at = 0;
        for (int j = 0; node->op == OP_CONCAT && j < node->n_in; j++) {
            const int to = at + node->in[j]->type.c;
            const Writer w = {i, j, at, j == node->n_in - 1 ? width : to, 0, h};
            VEC_PUSH(arena, &s->writers[i], w);
            at = to;
        }
        for (int j = 0; node->op == OP_STACK && j < node->n_in; j++) {
            const int to = at + node->in[j]->type.h;
            const Writer w = {i, j, 0, width, at, to};
            VEC_PUSH(arena, &s->writers[i], w);
            at = to;
        }
        if (node->op != OP_CONCAT && node->op != OP_STACK) {
            const bool may_view = node->op == OP_FLATTEN || node->op == OP_CAST ||
                                  node->op == OP_SPLIT || node->op == OP_CROP;
            const Writer w = {i, may_view ? 0 : -1, 0, width, 0, h};
            VEC_PUSH(arena, &s->writers[i], w);
        }
    }
}

Sharer *share_nodes(const Plan *plan, Sharing **sharing)
{
    Sharer *s = NEW(plan->arena, Sharer);
    const Net *net = plan->net;
    s->plan = plan;
    s->net = net;
    s->sharing = *sharing = NEW(plan->arena, Sharing);
    s->sharing->placings = NEW_ARRAY(plan->arena, Placing, net->nodes.n + 1);
    s->ends = NEW_ARRAY(plan->arena, int64_t, net->nodes.n + 1);
    find_uses(s);
    begin(s);
    for (int i = 0; i < net->nodes.n; i++) {
        if (net->nodes.at[i]->op == OP_INPUT)
            fuse_into_input(s, net->nodes.at[i]);
    }
    for (int i = net->nodes.n - 1; i >= 0; i--)
        update_end(s, i);
    if (plan->options.keep_all)
        return s;
    for (int i = net->nodes.n - 1; i >= 0; i--)
        decide_views(s, net->nodes.at[i]);
    for (int i = 0; i < net->nodes.n; i++)
        decide_in_place(s, net->nodes.at[i]);
    return s;
}
