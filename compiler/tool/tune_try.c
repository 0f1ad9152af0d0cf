/* tune_try.c: what rnc tune tries for a step: methods, register tiles, then one knob at a
 * time, then the knobs that gained together. */
#include "tool/tune_parts.h"

#include "plan/plan_parts.h"

#include <string.h>

#define KNOB(name) ((int)(offsetof(rnc_tile, name) / sizeof(int)))
#define BIT(name) (1u << KNOB(name))

/* The knobs that a step's kernel reads on one thread. */
static unsigned knobs_of(const Step *step, Isa isa)
{
    switch (step->kernel) {
    case KERNEL_conv_direct:
        return BIT(pixels) | BIT(vectors) | BIT(unroll) | BIT(panels) | BIT(prefetch_weights) |
               BIT(prefetch_output) | BIT(memory_broadcasts) | BIT(prefetch_input) | BIT(depth) |
               BIT(streams);
    case KERNEL_conv_winograd:
        return BIT(pixels) | BIT(vectors) | BIT(group) | BIT(unroll) | BIT(memory_broadcasts) |
               BIT(prefetch_weights) | BIT(prefetch_input) | BIT(depth);
    case KERNEL_conv_winograd_taps:
        if (step->tile[isa].pixels == 0) /* in registers; a row that sets pixels ends that */
            return BIT(group) | BIT(prefetch_weights) | BIT(depth);
        return BIT(pixels) | BIT(vectors) | BIT(group) | BIT(unroll) | BIT(memory_broadcasts) |
               BIT(prefetch_weights) | BIT(prefetch_input) | BIT(depth);
    case KERNEL_conv_winograd1d:
        return BIT(pixels) | BIT(vectors) | BIT(group) | BIT(unroll) | BIT(memory_broadcasts) |
               BIT(prefetch_output);
    case KERNEL_conv_strassen:
        return BIT(pixels) | BIT(vectors) | BIT(group) | BIT(unroll) | BIT(prefetch_weights) |
               BIT(prefetch_output) | BIT(memory_broadcasts) | BIT(prefetch_input) | BIT(depth);
    case KERNEL_dense:
        return BIT(pixels) | BIT(vectors) | BIT(streams);
    default:
        return BIT(pixels);
    }
}

/* ---- candidates ---- */

/* The step of `row`; the row is filled with what the step has. */
static Candidate make(const Tune *t, const Node *node, const TuningRow *row)
{
    Tuning one = {0};
    Candidate c = {.ratio = 1.0, .half = {1.0, 1.0}};
    if (row)
        VEC_PUSH(t->arena, &one.rows, *row);
    c.step = plan_step_with(t->plan, node, &one);
    c.row.key = tuning_key(node);
    const TuningRow own = step_method(&c.step);
    c.row.winograd = own.winograd;
    c.row.taps = own.taps;
    c.row.strassen = own.strassen;
    c.row.set[t->isa] = knobs_of(&c.step, t->isa);
    if (t->threads > 1 && c.step.kernel != KERNEL_dense)
        c.row.set[t->isa] |= BIT(split);
    c.row.tile[t->isa] = c.step.tile[t->isa];
    return c;
}

void try_again(const Tune *t, const Candidate *c, Candidates *list)
{
    for (int i = 0; i < list->n; i++) {
        const Candidate *other = &list->at[i];
        if (tuning_same_method(&other->row, &c->row) &&
            memcmp(&other->step.tile[t->isa], &c->step.tile[t->isa], sizeof(rnc_tile)) == 0)
            return;
    }
    VEC_PUSH(t->arena, list, *c);
}

static void try_row(const Tune *t, const Node *node, const TuningRow *row, Candidates *list)
{
    const Candidate c = make(t, node, row);
    if (tuning_same_method(&c.row, row))
        try_again(t, &c, list);
}

void try_default(const Tune *t, const Node *node, Candidates *list)
{
    const Candidate c = make(t, node, NULL);
    VEC_PUSH(t->arena, list, c);
}

/* ---- methods and register tiles ---- */

/* Output channels in vectors that a panel offers a tile. */
static int vectors_offered(const Tune *t, const Step *step)
{
    const int lanes = isa_rows[t->isa].lanes;
    const bool dense = step->kernel == KERNEL_dense;
    const int c =
        dense ? step->shape.dense.out_c : step->shape.conv.out_c / step->shape.conv.groups;
    const int panel = dense ? step->shape.dense.panel : step->shape.conv.panel;
    return (c < panel ? c : panel) / lanes;
}

static bool has_register_tiles(Kernel kernel)
{
    return kernel == KERNEL_conv_direct || kernel == KERNEL_conv_winograd ||
           kernel == KERNEL_conv_winograd_taps || kernel == KERNEL_conv_winograd1d ||
           kernel == KERNEL_conv_strassen;
}

void try_tiles(const Tune *t, const Candidate *from, Candidates *list)
{
    typedef struct Shape2 {
        int pixels, vectors;
    } Shape2;
    /* For 32 vector registers and for 16. */
    static const Shape2 wide[] = {{14, 2}, {12, 2}, {10, 2}, {7, 4},
                                  {6, 4},  {9, 3},  {28, 1}, {24, 1}};
    static const Shape2 narrow[] = {{3, 4}, {2, 4}, {4, 3}, {3, 3},
                                    {6, 2}, {5, 2}, {4, 2}, {12, 1}};
    static const int rows[] = {2, 3, 4, 6, 7, 8, 12, 14};
    static const int columns[] = {1, 2, 4, 8};
    const Kernel kernel = from->step.kernel;
    TuningRow row = from->row;
    rnc_tile *tile = &row.tile[t->isa];
    const int offered = vectors_offered(t, &from->step);
    const bool many = from->step.tile[t->isa].pixels * from->step.tile[t->isa].vectors > 16;
    for (size_t i = 0; i < sizeof rows / sizeof *rows && kernel == KERNEL_depthwise; i++) {
        tile->pixels = rows[i];
        try_row(t, from->step.node, &row, list);
    }
    for (size_t i = 0; i < sizeof columns / sizeof *columns && kernel == KERNEL_dense; i++) {
        tile->vectors = columns[i];
        if (columns[i] <= offered)
            try_row(t, from->step.node, &row, list);
    }
    for (size_t i = 0; i < sizeof wide / sizeof *wide; i++) {
        const Shape2 s = many ? wide[i] : narrow[i];
        tile->pixels = s.pixels;
        tile->vectors = s.vectors;
        if (s.vectors <= offered && has_register_tiles(kernel))
            try_row(t, from->step.node, &row, list);
    }
}

void try_methods(const Tune *t, Candidates *list)
{
    static const TuningRow methods[] = {{.winograd = 0},
                                        {.winograd = 2},
                                        {.winograd = 4},
                                        {.winograd = WINOGRAD_TAPS, .taps = true},
                                        {.strassen = true}};
    const Candidate first = list->at[0];
    for (size_t i = 0; i < sizeof methods / sizeof *methods; i++) {
        TuningRow row = methods[i];
        row.key = first.row.key;
        if (!tuning_same_method(&row, &first.row))
            try_row(t, first.step.node, &row, list);
    }
    try_tiles(t, &first, list);
}

/* ---- the other knobs ---- */

enum { VALUES = 6, END = -1 };
typedef struct Variant {
    Kernel kernel;
    int knob, values[VALUES];
} Variant;

static const Variant variants[] = {
    {KERNEL_conv_direct, KNOB(unroll), {1, 2, 4, 8, END}},
    {KERNEL_conv_direct, KNOB(panels), {0, 1, 2, END}},
    {KERNEL_conv_direct, KNOB(prefetch_weights), {0, 1, 2, END}},
    {KERNEL_conv_direct, KNOB(prefetch_output), {0, 1, END}},
    {KERNEL_conv_direct, KNOB(memory_broadcasts), {0, 50, 75, 100, END}},
    {KERNEL_conv_direct, KNOB(prefetch_input), {0, 1, END}},
    {KERNEL_conv_direct, KNOB(depth), {0, 96, 192, 384, END}},
    {KERNEL_conv_direct, KNOB(streams), {0, 4, END}},
    {KERNEL_conv_winograd, KNOB(group), {7, 10, 14, 20, 28, 50}},
    {KERNEL_conv_winograd, KNOB(unroll), {2, 4, 8, END}},
    {KERNEL_conv_winograd, KNOB(depth), {0, 96, 128, 192, END}},
    {KERNEL_conv_winograd, KNOB(prefetch_weights), {0, 1, 2, END}},
    {KERNEL_conv_winograd, KNOB(prefetch_input), {0, 1, END}},
    {KERNEL_conv_winograd, KNOB(memory_broadcasts), {0, 50, 75, 100, END}},
    {KERNEL_conv_winograd_taps, KNOB(group), {1, 2, 4, 8, 32, END}},
    {KERNEL_conv_winograd_taps, KNOB(depth), {8, 16, 32, 64, 128, END}},
    {KERNEL_conv_winograd_taps, KNOB(prefetch_weights), {0, 1, 2, 3, 4, END}},
    {KERNEL_conv_winograd1d, KNOB(group), {6, 10, 14, 21, 28, END}},
    {KERNEL_conv_winograd1d, KNOB(prefetch_output), {0, 1, END}},
    {KERNEL_conv_winograd1d, KNOB(unroll), {1, 3, 5, 7, END}},
    {KERNEL_conv_winograd1d, KNOB(memory_broadcasts), {0, 50, 75, 100, END}},
    {KERNEL_conv_strassen, KNOB(group), {49, 98, 128, 196, 256, END}},
    {KERNEL_conv_strassen, KNOB(unroll), {1, 2, 4, 8, END}},
    {KERNEL_conv_strassen, KNOB(prefetch_weights), {0, 1, 2, END}},
    {KERNEL_conv_strassen, KNOB(prefetch_output), {0, 1, END}},
    {KERNEL_conv_strassen, KNOB(memory_broadcasts), {0, 50, 75, 100, END}},
    {KERNEL_conv_strassen, KNOB(prefetch_input), {0, 1, END}},
    {KERNEL_conv_strassen, KNOB(depth), {0, 96, 128, 192, END}},
    {KERNEL_dense, KNOB(streams), {1, 2, 4, 8, END}},
    {KERNEL_dense, KNOB(pixels), {1, 2, 3, 4, END}},
    {KERNEL_conv_direct, KNOB(split), {0, 1, END}},
    {KERNEL_conv_winograd, KNOB(split), {0, 1, END}},
    {KERNEL_conv_strassen, KNOB(split), {0, 1, END}},
    {KERNEL_depthwise, KNOB(panels), {0, 1, 2, 4, END}},
    {KERNEL_depthwise, KNOB(prefetch_input), {0, 1, END}},
    {KERNEL_conv_winograd1d, KNOB(split), {0, 1, END}},
    {KERNEL_depthwise, KNOB(split), {0, 1, END}},
};

void try_knobs(const Tune *t, const Candidate *from, Candidates *list)
{
    for (size_t i = 0; i < sizeof variants / sizeof *variants; i++) {
        const Variant *v = &variants[i];
        if (v->kernel != from->step.kernel || !(from->row.set[t->isa] >> v->knob & 1))
            continue;
        TuningRow row = from->row;
        for (int k = 0; k < VALUES && v->values[k] != END; k++) {
            *tuning_knob(&row.tile[t->isa], v->knob) = v->values[k];
            try_row(t, from->step.node, &row, list);
        }
    }
}

/* The one knob in which two tiles differ, or -1. */
static int one_knob(rnc_tile a, rnc_tile b)
{
    int found = -1;
    for (int k = 0; k < TUNING_KNOBS; k++) {
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
    double best[TUNING_KNOBS];
    TuningRow row = from->row;
    for (int k = 0; k < TUNING_KNOBS; k++)
        best[k] = 0.995 * from->ratio;
    for (int i = 0; i < measured->n; i++) {
        const Candidate *c = &measured->at[i];
        rnc_tile tile = c->step.tile[t->isa];
        const int k = one_knob(from->step.tile[t->isa], tile);
        if (k < 0 || !tuning_same_method(&c->row, &from->row) || c->ratio >= best[k])
            continue;
        best[k] = c->ratio;
        *tuning_knob(&row.tile[t->isa], k) = *tuning_knob(&tile, k);
    }
    try_row(t, from->step.node, &row, list);
}
