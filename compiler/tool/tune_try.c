/* tune_try.c: what rnc tune tries for a step: methods, register tiles, then one knob at a
 * time, then the knobs that gained together. */
#include "tool/tune_parts.h"

#include <string.h>

/* ---- candidates ---- */

static bool same_method(const TuningRow *a, const TuningRow *b)
{
    return str_eq(a->method, b->method);
}

/* The knobs that a step's kernel reads with the number of threads that is tuned for. */
static unsigned knobs_of(const Tune *t, const Step *step)
{
    const Method *m = step->method;
    const unsigned shared = t->threads > 1 ? 0 : KNOB_BIT(split);
    const unsigned none = step->knobs[t->isa].pixels == 0 ? m->register_knobs : 0;
    return m->knobs & ~shared & ~none;
}

/* Makes the candidate of `row`, and fills the row with what its step has. */
static Candidate make(const Tune *t, const Node *node, const TuningRow *row)
{
    Tuning one = {0};
    Candidate c = {.ratio = 1.0, .half = {1.0, 1.0}};
    if (row)
        VEC_PUSH(t->arena, &one.rows, *row);
    c.step = plan_step_with(t->plan, node, &one);
    c.row.key = tuning_key(node);
    c.row.method = c.step.method->word;
    c.row.set[t->isa] = knobs_of(t, &c.step);
    c.row.knobs[t->isa] = c.step.knobs[t->isa];
    return c;
}

void try_again(const Tune *t, const Candidate *c, Candidates *list)
{
    for (int i = 0; i < list->n; i++) {
        const Candidate *other = &list->at[i];
        if (same_method(&other->row, &c->row) &&
            memcmp(&other->step.knobs[t->isa], &c->step.knobs[t->isa], sizeof(rnc_knobs)) == 0)
            return;
    }
    VEC_PUSH(t->arena, list, *c);
}

static void try_row(const Tune *t, const Node *node, const TuningRow *row, Candidates *list)
{
    const Candidate c = make(t, node, row);
    if (same_method(&c.row, row) && step_has_zeros(&c.step))
        try_again(t, &c, list);
}

void try_default(const Tune *t, const Node *node, Candidates *list)
{
    const Candidate c = make(t, node, NULL);
    VEC_PUSH(t->arena, list, c);
}

/* ---- methods and register tiles ---- */

void try_tiles(const Tune *t, const Candidate *from, Candidates *list)
{
    const Step *step = &from->step;
    const rnc_knobs *is = &step->knobs[t->isa];
    const TilePair *pair =
        is->pixels * is->vectors > 16 ? step->method->wide : step->method->narrow;
    const int offered = panel_width(step) / isa_rows[t->isa].lanes;
    TuningRow row = from->row;
    rnc_knobs *knobs = &row.knobs[t->isa];
    for (; pair && (pair->pixels || pair->vectors); pair++) {
        knobs->pixels = pair->pixels ? pair->pixels : is->pixels;
        knobs->vectors = pair->vectors ? pair->vectors : is->vectors;
        if (pair->vectors <= offered)
            try_row(t, step->node, &row, list);
    }
}

/* The model is never wrong by this factor. */
static const double RULED_OUT = 1.6;

/* Whether a method is worth measuring beside the one that the model chooses. */
static bool plausible(const Tune *t, const Node *node, const Method *m, const Method *taken)
{
    if (t->table || !m->seconds || !taken->seconds || !m->fits(t->plan, node))
        return true;
    return m->seconds(t->plan, node, m) < RULED_OUT * taken->seconds(t->plan, node, taken);
}

void try_methods(const Tune *t, Candidates *list)
{
    const Candidate first = list->at[0];
    const Node *node = first.step.node;
    for (int i = 0; i < METHOD_COUNT; i++) {
        const TuningRow row = {.key = first.row.key, .method = method_rows[i]->word};
        if (!same_method(&row, &first.row) && plausible(t, node, method_rows[i], first.step.method))
            try_row(t, node, &row, list);
    }
    try_tiles(t, &first, list);
}

/* ---- the other knobs ---- */

/* A method's position in method_rows. */
static int method_number(const Method *method)
{
    int i = 0;
    while (method_rows[i] != method)
        i++;
    return i;
}

/* Whether a knob has been tried for KINDS_ENOUGH kinds of steps and has never gained GAIN. */
static bool known_useless(const Tune *t, const Candidate *from, int knob)
{
    enum { KINDS_ENOUGH = 3 };
    const Experience *e = &t->known[method_number(from->step.method)][knob];
    return !t->table && e->kinds >= KINDS_ENOUGH && e->best > 1.0 - TUNE_GAIN;
}

void try_knobs(const Tune *t, const Candidate *from, Candidates *list)
{
    const Trial *trial = from->step.method->trials;
    for (; trial && trial->values[0] != TRIAL_END; trial++) {
        if (!(from->row.set[t->isa] >> trial->knob & 1) || known_useless(t, from, (int)trial->knob))
            continue;
        TuningRow row = from->row;
        for (int k = 0; k < TRIAL_VALUES && trial->values[k] != TRIAL_END; k++) {
            *tuning_knob(&row.knobs[t->isa], (int)trial->knob) = trial->values[k];
            try_row(t, from->step.node, &row, list);
        }
    }
}

/* The one knob in which two tiles differ, or -1. */
static int one_knob(rnc_knobs a, rnc_knobs b)
{
    int found = -1;
    for (int k = 0; k < KNOB_COUNT; k++) {
        if (*tuning_knob(&a, k) == *tuning_knob(&b, k))
            continue;
        if (found >= 0)
            return -1;
        found = k;
    }
    return found;
}

void try_together(const Tune *t, const Candidate *from, const Candidates *measured,
                  Candidates *list)
{
    double best[KNOB_COUNT];
    TuningRow row = from->row;
    for (int k = 0; k < KNOB_COUNT; k++)
        best[k] = 0.995 * from->ratio;
    for (int i = 0; i < measured->n; i++) {
        const Candidate *c = &measured->at[i];
        rnc_knobs knobs = c->step.knobs[t->isa];
        const int k = one_knob(from->step.knobs[t->isa], knobs);
        if (k < 0 || !same_method(&c->row, &from->row) || c->ratio >= best[k])
            continue;
        best[k] = c->ratio;
        *tuning_knob(&row.knobs[t->isa], k) = *tuning_knob(&knobs, k);
    }
    try_row(t, from->step.node, &row, list);
}

void learn_knobs(Tune *t, const Candidate *from, const Candidates *measured)
{
    double best[KNOB_COUNT] = {0};
    for (int i = 0; i < measured->n && !t->too_busy; i++) {
        const Candidate *c = &measured->at[i];
        const int k = one_knob(from->step.knobs[t->isa], c->step.knobs[t->isa]);
        const double ratio = c->ratio / from->ratio;
        if (k >= 0 && same_method(&c->row, &from->row) && (best[k] == 0 || ratio < best[k]))
            best[k] = ratio;
    }
    Experience *known = t->known[method_number(from->step.method)];
    for (int k = 0; k < KNOB_COUNT; k++) {
        if (best[k] == 0)
            continue;
        known[k].best = known[k].kinds == 0 || best[k] < known[k].best ? best[k] : known[k].best;
        known[k].kinds++;
    }
}
