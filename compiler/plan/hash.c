/* hash.c: the hash of everything that the layout of the packed weights depends on,
 * by which a program and its weights file know each other; of a training, which has no such file,
 * that of the network, the loss and the optimizer, by which a step and a state do. */
#include "plan/training_parts.h"

#include <string.h>

/* Hashes a number byte by byte from the low end, so that all hosts get the same hash. */
static void hash_number(uint64_t *hash, int64_t number)
{
    unsigned char bytes[8];
    for (int i = 0; i < 8; i++)
        bytes[i] = (unsigned char)((uint64_t)number >> 8 * i);
    *hash = hash_bytes(*hash, bytes, sizeof bytes);
}

static void hash_text(uint64_t *hash, const char *text)
{
    *hash = hash_bytes(*hash, text, strlen(text) + 1);
}

enum {
    MOST_NUMBERS = 0 /* of all families together, which is more than any one has */
#define PACKS(family, type, name, doc) +1
#include "kernels/shapes.def"
};

/* Writes the numbers of a shape that decide how its weights are packed (PACKS of shapes.def) to
 * `numbers`; returns how many there are. */
static int shape_numbers(const Step *step, int numbers[MOST_NUMBERS])
{
    const ShapeRow *row = &shape_rows[kernel_rows[step->kernel].family];
    int n = 0;
    for (int i = 0; i < row->n; i++) {
        if (row->fields[i].packs)
            memcpy(&numbers[n++], (const char *)&step->shape + row->fields[i].offset, sizeof(int));
    }
    return n;
}

bool packed_alike(const Step *a, const Step *b)
{
    int of_a[MOST_NUMBERS], of_b[MOST_NUMBERS];
    const int n = shape_numbers(a, of_a);
    return a->kernel == b->kernel && a->weights->bytes == packed_bytes(b) &&
           n == shape_numbers(b, of_b) && memcmp(of_a, of_b, (size_t)n * sizeof *of_a) == 0 &&
           a->node->attrs.epsilon <= b->node->attrs.epsilon &&
           a->node->attrs.epsilon >= b->node->attrs.epsilon;
}

/* ---- weights ---- */

static uint64_t hash_of_weights(const Plan *plan)
{
    uint64_t hash = HASH_START;
    hash_number(&hash, 1); /* version of the packings */
    for (int i = 0; i < plan->steps.n; i++) {
        const Step *step = &plan->steps.at[i];
        if (!step->weights || step->weights->step != i)
            continue;
        hash_text(&hash, step->weights->name);
        hash_text(&hash, kernel_rows[step->kernel].name);
        hash_number(&hash, step->weights->packing);
        hash_number(&hash, step->weights->offset);
        hash_number(&hash, step->weights->bytes);
        int numbers[MOST_NUMBERS];
        const int n = shape_numbers(step, numbers);
        for (int k = 0; k < n; k++)
            hash_number(&hash, numbers[k]);
    }
    return hash;
}

/* ---- trainings ---- */

static void hash_real(uint64_t *hash, double x)
{
    int64_t bits;
    memcpy(&bits, &x, sizeof bits);
    hash_number(hash, bits);
}

static void hash_attr(uint64_t *hash, const AttrRow *row, const void *at)
{
    const int *ints = at;
    const Reals *reals = at;
    hash_text(hash, row->word);
    switch (row->kind) {
    case ATTR_INT:
    case ATTR_WORDS:
        hash_number(hash, ints[0]);
        break;
    case ATTR_PAIR:
    case ATTR_PADDING:
        for (int i = 0; i < (row->kind == ATTR_PAIR ? 2 : 4); i++)
            hash_number(hash, ints[i]);
        break;
    case ATTR_REAL:
        hash_real(hash, *(const double *)at);
        break;
    case ATTR_BOOL:
        hash_number(hash, *(const bool *)at);
        break;
    case ATTR_REALS:
        hash_number(hash, reals->n);
        for (int i = 0; i < reals->n; i++)
            hash_real(hash, reals->at[i]);
        break;
    }
}

/* What a parameter begins with is no part of the network. */
static bool is_of_beginning(const AttrRow *row)
{
    return row->offset == offsetof(Attrs, init) || row->offset == offsetof(Attrs, seed) ||
           row->offset == offsetof(Attrs, draw);
}

/* All but the images of the batch, of which ranks have parts. */
static void hash_node(uint64_t *hash, const Plan *plan, const Node *node)
{
    const OpRow *row = op_row(node->op);
    const Type t = node->type;
    const int64_t numbers[] = {(int64_t)t.elem,    t.h,       t.w, t.c, node->attrs.result,
                               (int64_t)node->act, node->n_in};
    hash_text(hash, row->name);
    for (size_t i = 0; i < sizeof numbers / sizeof *numbers; i++)
        hash_number(hash, numbers[i]);
    hash_real(hash, node->act_alpha);
    hash_real(hash, node->act_beta);
    for (int i = 0; i < node->n_in; i++) {
        const int id = node->in[i]->id, own = id - plan->training->step_nodes;
        hash_number(hash, own >= 0 ? own : -1 - id);
    }
    for (int i = 0; i < row->n_attrs; i++) {
        if (!is_of_beginning(&row->attrs[i]))
            hash_attr(hash, &row->attrs[i], (const char *)&node->attrs + row->attrs[i].offset);
    }
    for (int r = 0; r < P_SLOPE; r++) /* no prelu is fused where it is trained */
        hash_number(hash, node->params[r] ? node->params[r]->id : -1);
}

static void hash_params(uint64_t *hash, const Net *net)
{
    for (int i = 0; i < net->params.n; i++) {
        const Param *p = net->params.at[i];
        hash_text(hash, p->name);
        hash_number(hash, p->rank);
        for (int k = 0; k < p->rank; k++)
            hash_number(hash, p->dims[k]);
        hash_number(hash, decays(net->train, p));
    }
    for (int i = 0; i < net->updates.n; i++) {
        const Update *u = &net->updates.at[i];
        hash_number(hash, u->param->id);
        hash_number(hash, (int64_t)u->kind);
        hash_real(hash, u->rate);
        hash_number(hash, u->scale > 1);
    }
}

/* Without its rate, which each step is told. */
static void hash_optimizer(uint64_t *hash, const Optimizer *o)
{
    const double numbers[] = {o->momentum,  o->beta1,     o->beta2,      o->epsilon, o->coupled,
                              o->decoupled, o->clip_norm, o->clip_value, o->average};
    for (size_t i = 0; i < sizeof numbers / sizeof *numbers; i++)
        hash_real(hash, numbers[i]);
    hash_number(hash, (int64_t)o->kind);
    hash_number(hash, o->nesterov);
    hash_number(hash, o->keras);
    hash_number(hash, o->accumulate);
}

/* The network and its loss as the evaluation has them: the backward part follows from these and
 * from what is updated.  Neither instruction sets nor threads, nor how many images a step has,
 * change it. */
static uint64_t hash_of_training(const Plan *plan)
{
    uint64_t hash = HASH_START;
    hash_number(&hash, 1); /* version of this hash */
    hash_params(&hash, plan->net);
    hash_optimizer(&hash, &plan->training->optimizer);
    for (int i = 0; i < plan->net->nodes.n; i++) {
        const Node *node = plan->net->nodes.at[i];
        if (i >= plan->training->step_nodes || is_shared(node))
            hash_node(&hash, plan, node);
    }
    return hash;
}

/* Where the state has what. */
static uint64_t hash_of_state(const Plan *plan)
{
    uint64_t hash = HASH_START;
    hash_number(&hash, 1); /* version of this hash */
    for (int i = 0; i < plan->net->params.n; i++) {
        const Kept *k = &plan->training->kept[i];
        const Tensor *const pieces[] = {k->value, k->first, k->second, k->average, k->gradient};
        for (size_t p = 0; p < sizeof pieces / sizeof *pieces; p++)
            hash_number(&hash, pieces[p] ? pieces[p]->state->offset : -1);
        hash_number(&hash, k->rows);
        hash_number(&hash, k->row);
    }
    return hash;
}

void find_hash(Plan *plan)
{
    plan->layout = plan->training ? hash_of_state(plan) : 0;
    plan->hash = plan->training ? hash_of_training(plan) : hash_of_weights(plan);
}
