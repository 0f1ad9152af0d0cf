/* knobs.c: how each ISA goes about a step: tiles, loop order, prefetch.
 *
 * This file has what suits each ISA, as measured by hand (docs/kernels-log.md), and what several
 * methods derive from it in the same way; methods/<name>.c has the rest.  shapes.def says what
 * each knob is.  If a tuning (tuning.h) has a row for the step with the step's method, its knobs
 * replace these.  Any values give correct results.
 */
#include "plan/methods/method_parts.h"

enum { DEPTH_OF_L1 = -1 }; /* two thirds of the L1 */

const Liking likings[ISA_COUNT] = {
    [ISA_avx512] = {.pixels = 14,
                    .vectors = 2,
                    .unroll = 4,
                    .odd_unroll = 7,
                    .prefetch_output = 1,
                    .memory_broadcasts = 75,
                    .wide_broadcasts = 25,
                    .wide_kb = 48,
                    .prefetch_weights = true,
                    .depth = DEPTH_OF_L1,
                    .together_kb = 128,
                    .roomy_kb = 1,
                    .taps_depth = 256,
                    .taps_in_registers = 24,
                    .taps_together = 4,
                    .dense_vectors = 2,
                    .dense_pixels = 14,
                    .depthwise_pixels = 6,
                    .depthwise_rows = true},
    [ISA_avx2] = {.pixels = 3,
                  .vectors = 4,
                  .unroll = 2,
                  .odd_unroll = 2,
                  .prefetch_output = 1,
                  .prefetch_weights = true,
                  .prefetch_input = 1,
                  .depth = 192,
                  .roomy_kb = 1024,
                  .taps_depth = 64,
                  .taps_in_registers = 2,
                  .taps_together = 1,
                  .short_sums = 8,
                  .dense_vectors = 4,
                  .dense_pixels = 3,
                  .depthwise_pixels = 7,
                  .depthwise_rows = true},
    [ISA_neon] = {.pixels = 12,
                  .vectors = 2,
                  .unroll = 4,
                  .odd_unroll = 7,
                  .memory_broadcasts = 100,
                  .sums_broadcasts = 100,
                  .prefetch_weights = true,
                  .taps_depth = 64,
                  .taps_in_registers = 2,
                  .taps_together = 4,
                  .dense_vectors = 8,
                  .dense_pixels = 2,
                  .depthwise_pixels = 8},
    [ISA_portable] = {.pixels = 3,
                      .vectors = 4,
                      .unroll = 2,
                      .odd_unroll = 1,
                      .taps_depth = 64,
                      .taps_in_registers = 2,
                      .taps_together = 1,
                      .dense_vectors = 8,
                      .dense_pixels = 2,
                      .depthwise_pixels = 4},
    [ISA_scalar] = {.pixels = 3,
                    .vectors = 4,
                    .unroll = 1,
                    .odd_unroll = 1,
                    .taps_depth = 64,
                    .taps_in_registers = 2,
                    .taps_together = 1,
                    .dense_vectors = 8,
                    .dense_pixels = 2,
                    .depthwise_pixels = 4},
};

const TilePair registers_wide[] = {{14, 2}, {12, 2}, {10, 2}, {7, 4}, {6, 4},
                                   {9, 3},  {28, 1}, {24, 1}, {0, 0}};
const TilePair registers_narrow[] = {{3, 4}, {2, 4}, {4, 3},  {3, 3}, {6, 2},
                                     {5, 2}, {4, 2}, {12, 1}, {0, 0}};

/* ---- tiles ---- */

int panel_width(const Step *step)
{
    const rnc_conv_shape *c = &step->shape.conv;
    const rnc_dense_shape *d = &step->shape.dense;
    const bool dense = kernel_rows[step->kernel].family == FAMILY_dense;
    const int out_c = dense ? d->out_c : c->out_c / c->groups, panel = dense ? d->panel : c->panel;
    return out_c < panel ? out_c : panel;
}

int like_depth(const Plan *plan, Isa isa, bool few)
{
    const int depth = likings[isa].depth;
    const double l1 = 1024.0 * plan->options.machine->l1_kb, row = 4.0 * PANEL;
    if (depth == DEPTH_OF_L1)
        return (int)(l1 * 2.0 / 3.0 / row);
    return few ? depth * 5 / 6 : depth;
}

bool like_roomy(const Plan *plan, Isa isa)
{
    return likings[isa].roomy_kb > 0 && plan->options.machine->l2_kb >= likings[isa].roomy_kb;
}

int like_sums_prefetch(const Plan *plan, Isa isa)
{
    return likings[isa].prefetch_input && !like_roomy(plan, isa);
}

int panel_vectors(const rnc_conv_shape *s, Isa isa)
{
    const int group_c = s->out_c / s->groups;
    return (group_c < s->panel ? group_c : s->panel) / isa_rows[isa].lanes;
}

void like_registers(const rnc_conv_shape *s, Isa isa, rnc_knobs *t)
{
    const Liking *like = &likings[isa];
    const int offered = panel_vectors(s, isa);
    t->vectors = like->vectors < offered ? like->vectors : offered;
    t->pixels = like->pixels * like->vectors / t->vectors;
}

/* A single vector of weights has nothing to gain from a broadcast in a register. */
static int broadcasts(const rnc_knobs *t, int percent)
{
    return t->vectors == 1 && percent > 0 ? 100 : percent;
}

int like_broadcasts(const Plan *plan, const rnc_knobs *t, Isa isa)
{
    const Liking *like = &likings[isa];
    const bool wide = like->wide_kb > 0 && plan->options.machine->l1_kb >= like->wide_kb;
    return broadcasts(t, wide ? like->wide_broadcasts : like->memory_broadcasts);
}

int like_sums_broadcasts(const rnc_knobs *t, Isa isa)
{
    return broadcasts(t, likings[isa].sums_broadcasts);
}

int block_depth(int rows, int run, int wish)
{
    enum { STEP = 8 };
    if (wish == 0 || rows <= wish)
        return 0;
    if (run <= wish)
        return wish;
    for (int piece = wish / STEP * STEP; 3 * piece >= 2 * wish; piece -= STEP) {
        if (run % piece == 0)
            return piece;
    }
    return (int)round_up(div_up(run, div_up(run, wish)), STEP);
}

int widest_group(const Step *step)
{
    int group = 0;
    for (int i = 0; i < ISA_COUNT; i++)
        group = step->knobs[i].group > group ? step->knobs[i].group : group;
    return group;
}

/* ---- parts ---- */

void set_split(const TuningRow *row, Isa isa, rnc_knobs *t, bool split)
{
    t->split = split;
    tuning_apply(row, isa, t);
}

int64_t widest_scratch(const Plan *plan, const Step *step)
{
    int64_t widest = 0;
    for (int i = 0; i < ISA_COUNT; i++) {
        if (!(plan->options.isas >> i & 1))
            continue;
        const int64_t floats = step->method->scratch(&step->shape.conv, &step->knobs[i]);
        widest = floats > widest ? floats : widest;
    }
    return widest;
}

/* The number of weight panels that can be divided among parts. */
static int64_t panels_of(const Step *step)
{
    const rnc_conv_shape *s = &step->shape.conv;
    const int together = step->method->panels > 0 ? step->method->panels : 1;
    return div_up(s->out_c, (int64_t)together * s->panel);
}

int64_t shared_pieces(const Step *step, Isa isa)
{
    const rnc_knobs *t = &step->knobs[isa];
    return t->split ? panels_of(step) : step->method->pieces(&step->shape.conv, t);
}

/* Each part has its own scratch, so there are no more parts than have enough work, and no more
 * than are needed to make the largest share as small as it is.  All parts together have
 * SCRATCH_MOST, twice as much in a training, or as much as the operand takes. */
void share_scratch(const Plan *plan, Step *step, const TuningRow *row)
{
    enum { MACS_TO_SCRATCH = 1000000 };
    const rnc_conv_shape *s = &step->shape.conv;
    const int64_t panels = panels_of(step);
    int64_t pieces = 1;
    for (int i = 0; i < ISA_COUNT; i++) {
        if (!(plan->options.isas >> i & 1))
            continue;
        const int64_t groups = step->method->pieces(s, &step->knobs[i]);
        set_split(row, (Isa)i, &step->knobs[i], groups < plan->options.threads && panels > groups);
        const int64_t own = shared_pieces(step, (Isa)i);
        pieces = own > pieces ? own : pieces;
    }
    const int64_t macs = node_macs(step->node) * s->images, worth = macs / MACS_TO_SCRATCH;
    const int64_t operand = elems_bytes(SCRATCH_ELEM, type_elements(step->node->in[0]->type));
    const int64_t usual = plan->training ? 2 * SCRATCH_MOST : SCRATCH_MOST;
    const int64_t most = operand > usual ? operand : usual;
    const int64_t fit = most / elems_bytes(SCRATCH_ELEM, widest_scratch(plan, step));
    int64_t parts = pieces < plan->options.threads ? pieces : plan->options.threads;
    parts = parts < fit ? parts : fit;
    parts = worth_parts(macs, MACS_TO_SHARE, parts < worth ? parts : worth);
    step->parts = (int)div_up(pieces, div_up(pieces, parts));
}

/* ---- a step ---- */

const TuningRow *tuning_of_step(const Plan *plan, const Step *step)
{
    const TuningRow *row = tuning_row(plan->options.tuning, step->node);
    return row && str_eq(row->method, step->method->word) ? row : NULL;
}

void choose_tiles(const Plan *plan, Step *step)
{
    const Method *m = step->method;
    const TuningRow *row = tuning_of_step(plan, step);
    const Step shard = shard_step(plan, step);
    for (int i = 0; i < ISA_COUNT; i++) {
        if (!(plan->options.isas >> i & 1))
            continue;
        if (m->set_knobs)
            m->set_knobs(plan, &shard, (Isa)i, &step->knobs[i]);
        tuning_apply(row, (Isa)i, &step->knobs[i]);
    }
    step->parts = 1;
    if (m->share)
        m->share(plan, step, row);
    if (m->scratch)
        step->scratch_bytes = elems_bytes(SCRATCH_ELEM, step->parts * widest_scratch(plan, step));
}
