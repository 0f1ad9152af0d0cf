/* dense.c: dense layers, and 1x1 convolutions of a single pixel: weight panels times a vector. */
#include "plan/methods/method_parts.h"

static bool dense_fits(const Plan *plan, const Node *node)
{
    (void)plan;
    const Attrs *a = &node->attrs;
    const Type in = node->in[0]->type;
    const int *pad = a->padding;
    return node->op == OP_DENSE ||
           (a->groups == 1 && in.h == 1 && in.w == 1 && a->kernel[0] == 1 && a->kernel[1] == 1 &&
            pad[0] == 0 && pad[1] == 0 && pad[2] == 0 && pad[3] == 0);
}

static void dense_knobs(const Plan *plan, const Step *step, Isa isa, rnc_knobs *t)
{
    const int images = step->shape.dense.images, most = likings[isa].dense_pixels;
    t->vectors = likings[isa].dense_vectors;
    t->pixels = images < most ? images : most;
    /* Images of a tile round as their number says, which must be the same in all tiles of ranks. */
    while (plan->options.shards > 1 && images % t->pixels != 0)
        t->pixels--;
    t->split = 1;
    t->streams = STREAMS;
}

static void dense_share(const Plan *plan, Step *step, const TuningRow *row)
{
    (void)plan;
    (void)row;
    const rnc_dense_shape *s = &step->shape.dense;
    step->parts =
        worth_parts(node_macs(step->node) * s->images, MACS_TO_SHARE, div_up(s->out_c, s->panel));
}

static const TilePair tiles[] = {{0, 1}, {0, 2}, {0, 4}, {0, 8}, {0, 0}};

static const Trial trials[] = {
    {KNOB_streams, {1, 2, 4, 8, TRIAL_END}},
    {KNOB_pixels, {1, 2, 3, 4, TRIAL_END}},
    {0, {TRIAL_END}},
};

const Method method_dense = {
    .word = "direct",
    .kernel = KERNEL_dense,
    .plain = true,
    .fits = dense_fits,
    .halves = true,
    .by_steps = true,
    .set_knobs = dense_knobs,
    .share = dense_share,
    .knobs = KNOB_BIT(pixels) | KNOB_BIT(vectors) | KNOB_BIT(streams),
    .wide = tiles,
    .narrow = tiles,
    .trials = trials,
};
