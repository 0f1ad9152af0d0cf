/* emit_bands.c: a function for each group of layers by bands (plan/bands.h) whose bands threads can
 * compute side by side.
 *
 * It computes one band.  Bands that differ only in their addresses are one branch of it.  Where the
 * pool has several threads and not more than there are slots, each gets some of the bands, and
 * computes them with an engine of its own: a copy without a pool.  Else the bands follow one
 * another, in the first slot, and all threads share each step. */
#include "emit/emit_parts.h"

#include "plan/bands.h"

#include <inttypes.h>
#include <string.h>

bool emit_has_slots(const Plan *plan)
{
    for (int i = 0; i < plan->band_runs.n; i++) {
        if (plan->band_runs.at[i].slots > 1)
            return true;
    }
    return false;
}

static const char bands_text[] =
    "/* ---- layers by bands ----\n"
    " * A band is some rows of the last of these layers, with all that is needed of the others. "
    "*/\n"
    "\n"
    "typedef struct @_bands {\n"
    "    const struct @ *net;\n"
    "    void (*run)(struct @ *net, int band);\n"
    "    int bands;\n"
    "    size_t offset, bytes; /* of the slots in the arena */\n"
    "} @_bands;\n"
    "\n"
    "/* A thread's share of the bands, which it computes alone. */\n"
    "static void @_part_of_bands(void *arg, int part, int parts)\n"
    "{\n"
    "    const @_bands *b = (const @_bands *)arg;\n"
    "    struct @ own = *b->net;\n"
    "    int band = b->bands * part / parts;\n"
    "    own.pool = NULL;\n"
    "    own.slot = own.arena + b->offset + (size_t)part * b->bytes;\n"
    "    for (; band < b->bands * (part + 1) / parts; band++)\n"
    "        b->run(&own, band);\n"
    "}\n"
    "\n"
    "/* All bands: side by side if there is a slot for each thread, else one after the other. */\n"
    "static void @_run_bands(struct @ *net, @_bands *b, int slots)\n"
    "{\n"
    "    const int threads = net->pool && !net->hook ? net->pool->threads(net->pool) : 1;\n"
    "    int band;\n"
    "    if (threads > 1 && threads <= slots) {\n"
    "        net->pool->run(net->pool, @_part_of_bands, b, threads);\n"
    "        return;\n"
    "    }\n"
    "    net->slot = net->arena + b->offset;\n"
    "    for (band = 0; band < b->bands; band++)\n"
    "        b->run(net, band);\n"
    "}\n";

/* The first step of a band, or the end of the last. */
static int band_begin(const Plan *plan, const BandRun *r, int band)
{
    int i = r->first;
    while (i < r->end && plan->steps.at[i].node->band < band)
        i++;
    return i;
}

static bool moves_evenly(const Plan *plan, int step, int period)
{
    const Step *steps = plan->steps.at + step;
    const Addresses at[] = {step_addresses(plan, steps), step_addresses(plan, steps + period),
                            step_addresses(plan, steps + 2 * period)};
    return addresses_even(at);
}

/* The first band after `band` that is not like it, or to which its addresses do not move as from
 * the one to the next. */
static int alike_until(const Plan *plan, const BandRun *r, int band)
{
    const int first = band_begin(plan, r, band), period = band_begin(plan, r, band + 1) - first;
    int next = band + 1;
    for (; next < r->bands; next++) {
        const int begin = band_begin(plan, r, next);
        bool alike = band_begin(plan, r, next + 1) - begin == period;
        for (int i = begin; i < begin + period && alike; i++)
            alike = steps_alike(&plan->steps.at[i - period], &plan->steps.at[i]) &&
                    (next < band + 2 || moves_evenly(plan, i - 2 * period, period));
        if (!alike)
            break;
    }
    return next;
}

/* The branch of bands first .. end-1, which are alike. */
static void emit_branch(Emit *e, const BandRun *r, int first, int end, Buf *text)
{
    const int at = band_begin(e->plan, r, first), next = band_begin(e->plan, r, first + 1);
    buf_puts(e->out, first == 0 ? "    " : "    } else ");
    if (end < r->bands)
        buf_printf(e->out, "if (band < %d) ", end);
    buf_puts(e->out, "{\n");
    if (end == first + 1) {
        emit_steps_of_band(e, at, next, text);
        return;
    }
    buf_printf(e->out, "        const size_t i = (size_t)(band - %d);\n", first);
    const Repeat repeat = {at, next - at, end - first};
    emit_iterations(e, &repeat, text);
}

static const char *layer_of(Emit *e, const Step *step)
{
    return comment_text(e->arena, band_layer(step->node, e->arena));
}

static void emit_bands_of(Emit *e, const BandRun *r, int number, Buf *text)
{
    const Step *steps = e->plan->steps.at;
    buf_printf(e->out,
               "\n/* Steps %d to %d: %s to %s, in %d bands. */\n"
               "static void %s_bands%d(struct %s *net, int band)\n{\n",
               r->first, r->end - 1, layer_of(e, &steps[r->first]), layer_of(e, &steps[r->end - 1]),
               r->bands, e->name, number, e->name);
    for (int band = 0, end; band < r->bands; band = end) {
        end = alike_until(e->plan, r, band);
        emit_branch(e, r, band, end, text);
    }
    buf_puts(e->out, "    }\n}\n");
}

void emit_band_functions(Emit *e)
{
    Buf text = buf_new(e->arena);
    if (!emit_has_slots(e->plan))
        return;
    emit_template(e, bands_text);
    for (int i = 0; i < e->plan->band_runs.n; i++) {
        if (e->plan->band_runs.at[i].slots > 1)
            emit_bands_of(e, &e->plan->band_runs.at[i], i + 1, &text);
    }
    buf_putc(e->out, '\n');
}

void emit_band_run(Emit *e, int number)
{
    const BandRun *r = &e->plan->band_runs.at[number - 1];
    const Step *steps = e->plan->steps.at;
    buf_printf(e->out,
               "\n    /* %d..%d  %s to %s */\n"
               "    {\n"
               "        %s_bands b = {net, %s_bands%d, %d, 0x%06" PRIx64 ", 0x%06" PRIx64 "};\n"
               "        %s_run_bands(net, &b, %d);\n"
               "    }\n",
               r->first, r->end - 1, layer_of(e, &steps[r->first]), layer_of(e, &steps[r->end - 1]),
               e->name, e->name, number, r->bands, (uint64_t)r->offset, (uint64_t)r->bytes, e->name,
               r->slots);
}
