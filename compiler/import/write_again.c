/* write_again.c: chains of layers that are called several times, as the heads of a detector are,
 * one for each level of a pyramid: a block that has a label, and `again`. */
#include "import/write_parts.h"

enum { LEAST = 4 }; /* layers: fewer are called one by one */

static bool has_params(const Node *node)
{
    for (int r = 0; r < P_ROLES; r++) {
        if (node->params[r])
            return true;
    }
    return false;
}

/* Whether the chain has the first calls of its layers, and is a list of layers. */
static bool can_be_called(const Writer *w, const Chain *chain)
{
    bool can = chain->start && chain->parts.n >= LEAST, trained = false;
    for (int i = 0; can && i < chain->parts.n; i++) {
        const Part *part = chain->parts.at[i];
        can = !part->n_arms && !part->block && !part->again && part->node->n_in == 1 &&
              op_results(part->node->op, &part->node->attrs) == 1 && !w->like[part->node->id];
        trained = trained || has_params(part->node);
    }
    return can && trained;
}

static bool is_again(const Writer *w, const Chain *first, const Chain *chain)
{
    bool is = chain->start && chain->parts.n == first->parts.n;
    for (int i = 0; is && i < chain->parts.n; i++) {
        const Node *a = first->parts.at[i]->node, *b = chain->parts.at[i]->node;
        is = a->op == b->op && b->n_in == 1 && !chain->parts.at[i]->n_arms &&
             attrs_same(a->op, &a->attrs, &b->attrs) &&
             (has_params(b) ? w->like[b->id] == a : !has_params(a));
    }
    return is;
}

/* The same for chains that differ in numbers alone. */
static const char *key_of(Writer *w, const Chain *chain)
{
    Buf key = buf_new(w->arena);
    buf_puts(&key, "called ");
    for (int i = 0; i < chain->parts.n; i++)
        write_layer_key(&key, w, chain->parts.at[i]->node);
    return buf_text(&key);
}

static void call_again(Writer *w, Chain *chain, const Part *first)
{
    Part *part = NEW(w->arena, Part);
    part->node = chain->parts.at[chain->parts.n - 1]->node;
    part->again = first;
    part->inner = chain->parts;
    part->weight = 1;
    part->size = chain->parts.n;
    part->symbol = -1 - part->node->id; /* it is like no other */
    part->pinned = true;
    chain->parts = (Parts){0};
    VEC_PUSH(w->arena, &chain->parts, part);
}

static void call_first(Writer *w, Chain *chain, Block *block)
{
    const Parts parts = chain->parts;
    const char *word = write_prefix(w->arena, parts.at, parts.n);
    for (int i = 0; i < parts.n; i++)
        parts.at[i]->pinned = false;
    Part *call = write_make_call(w, block, parts.at, parts.n);
    call->pinned = true;
    w->labels[call->node->id] =
        write_new_word(w->arena, &w->words, *word ? word : call->node->name);
    chain->parts = (Parts){0};
    VEC_PUSH(w->arena, &chain->parts, call);
}

void write_find_again(Writer *w)
{
    NameTable blocks = {.arena = w->arena}; /* `number` of w->blocks */
    for (int i = 0; i < w->shape.chains.n; i++) {
        Chain *first = w->shape.chains.at[i];
        if (!can_be_called(w, first))
            continue;
        const Part *call = NULL;
        const Chain given = *first;
        for (int k = i + 1; k < w->shape.chains.n; k++) {
            if (!is_again(w, &given, w->shape.chains.at[k]))
                continue;
            if (!call) {
                const char *key = key_of(w, &given);
                NameEntry *entry = table_find(&blocks, key);
                if (!entry) {
                    entry = table_add(&blocks, key, NO_LOC);
                    entry->number = w->blocks.n;
                    VEC_PUSH(w->arena, &w->blocks, NEW(w->arena, Block));
                }
                call_first(w, first, w->blocks.at[entry->number]);
                call = first->parts.at[0];
            }
            call_again(w, w->shape.chains.at[k], call);
        }
    }
}
