/* emit_finite.c: of a training, what finds the first step whose numbers are not finite: how the
 * results of the forward part are stored, and which step completes each gradient. */
#include "emit/emit_parts.h"

#include "plan/training.h"

#include <inttypes.h>
#include <string.h>

/* ---- results of the forward part ---- */

/* As rnctrain.h has it. */
typedef struct Grid {
    int images, h, w, c, image, row, pixel;
} Grid;

/* Whether a step of the forward part completes the value of its node: it is the last that does. */
static bool completes(const Plan *plan, int step)
{
    const Step *s = &plan->steps.at[step];
    const Tensor *t = s->out[0].tensor;
    if (!t || t->node != s->node || t->elem != ELEM_F32 || s->out[0].shift != 0)
        return false;
    for (int i = step + 1; i < plan->training->begin[STAGE_BACKWARD]; i++) {
        if (plan->steps.at[i].node == s->node)
            return false;
    }
    return true;
}

static Grid grid_of(const Plan *plan, const Tensor *t)
{
    const Type type = t->node->type;
    const bool batch = type.n == plan->net->inputs.at[0].node->type.n;
    return (Grid){batch ? 0 : type.n, type.h, type.w, type.c, t->image, t->row, t->pixel};
}

/* The number of a grid among n, which it may be the first to have. */
static int number_of(Grid *grids, int *n, Grid grid)
{
    int i = 0;
    while (i < *n && memcmp(&grids[i], &grid, sizeof grid) != 0)
        i++;
    if (i == *n)
        grids[(*n)++] = grid;
    return i;
}

static void emit_results(Emit *e)
{
    const Plan *plan = e->plan;
    const int steps = plan->training->begin[STAGE_BACKWARD];
    Grid *grids = NEW_ARRAY(e->arena, Grid, steps + 1);
    int *numbers = NEW_ARRAY(e->arena, int, steps + 1);
    int n = 0;
    for (int i = 0; i < steps; i++)
        numbers[i] = completes(plan, i)
                         ? 1 + number_of(grids, &n, grid_of(plan, plan->steps.at[i].out[0].tensor))
                         : 0;
    emit_template(e,
                  "\n/* images (0: those of the batch), rows, pixels, channels; floats from image "
                  "to image, from row\n * to row, from pixel to pixel */\n"
                  "static const rnc_train_grid @_grids[] = {\n");
    for (int i = 0; i < (n ? n : 1); i++) /* at least one, of zeros */
        buf_printf(e->out, "    {%d, %d, %d, %d, %d, %d, %d},\n", grids[i].images, grids[i].h,
                   grids[i].w, grids[i].c, grids[i].image, grids[i].row, grids[i].pixel);
    emit_template(e,
                  "};\n\n/* By step, up to the loss: the number of its first result's grid, from 1 "
                  "on, if it completes a layer. */\n"
                  "static const unsigned short @_results[] = {");
    for (int i = 0; i < steps; i++)
        buf_printf(e->out, "%s%d,", i % 24 ? " " : "\n    ", numbers[i]);
    buf_puts(e->out, "\n};\n");
}

static const char find_text[] =
    "\n/* The first step whose result is not finite: runs the forward part again, with the same "
    "result. */\n"
    "static int @_find(struct @ *net, const void *const *inputs)\n"
    "{\n"
    "    const rnc_trace_hook hook = net->hook;\n"
    "    void *const context = net->context;\n"
    "    rnc_train_search search;\n"
    "    search.grids = @_grids;\n"
    "    search.results = @_results;\n"
    "    search.steps = (int)(sizeof @_results / sizeof *@_results);\n"
    "    search.images = net->images[0];\n"
    "    search.found = -1;\n"
    "    net->hook = rnc_train_look;\n"
    "    net->context = &search;\n"
    "    @_forward(net, inputs, NULL);\n"
    "    net->hook = hook;\n"
    "    net->context = context;\n";

/* ---- gradients ---- */

/* The last step that writes the gradient's node, before any that reads it for an update. */
static int completing(const Plan *plan, const Node *node)
{
    const int end = plan->training->begin[STAGE_EVALUATE];
    int last = plan->training->begin[STAGE_BACKWARD];
    for (int i = last; i < end; i++) {
        const Step *s = &plan->steps.at[i];
        for (int k = 0; k < MOST_OUT; k++) {
            if (s->out[k].tensor && s->out[k].tensor->node == node)
                last = i;
        }
    }
    return last;
}

static void emit_squares(Emit *e)
{
    const Net *net = e->plan->net;
    emit_template(e,
                  "\n/* Of each gradient: sums of its squares, and the step that completes it. */\n"
                  "static const rnc_train_squares @_squares[] = {");
    int at = 0;
    for (int i = 0; i < net->updates.n; i++) {
        const Update *u = &net->updates.at[i];
        if (is_updated_alone(e->plan, u))
            buf_printf(e->out, "%s{%" PRId64 ", %d},", at++ % 8 ? " " : "\n    ",
                       count_squares(e->plan, u->param), completing(e->plan, u->node));
    }
    buf_puts(e->out, "\n};\n");
}

const char *emit_norm(Emit *e)
{
    int n = 0;
    for (int i = 0; i < e->plan->net->updates.n; i++)
        n += is_updated_alone(e->plan, &e->plan->net->updates.at[i]);
    return arena_printf(e->arena, "rnc_train_norm(%s, %s_squares, %d, &metrics->bad)",
                        emit_arena_floats(e, e->plan->training->squares), e->name, n);
}

void emit_finite(Emit *e)
{
    const Training *t = e->plan->training;
    emit_results(e);
    emit_template(e, find_text);
    if (e->plan->options.ranks > 1)
        buf_printf(
            e->out,
            "    return rnc_train_least(net->ranks, search.found < 0 ? %d : search.found);\n",
            t->losses[0].index);
    else
        buf_printf(e->out, "    return search.found < 0 ? %d : search.found;\n",
                   t->losses[0].index);
    buf_puts(e->out, "}\n");
    if (t->squares)
        emit_squares(e);
}
