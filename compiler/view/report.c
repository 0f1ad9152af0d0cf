/* report.c: the figures of a compilation, for people (text) and programs (JSON).
 *
 * The same facts in the same order; bytes are exact in JSON and in the field's
 * megabytes (1e6) in text. */
#include "view/report.h"

#include "base/utf8.h"
#include "net/figures.h"
#include "plan/bands.h"
#include "plan/batch.h"

#include <jansson.h>
#include <stdio.h>

Limit report_limit(const Plan *plan)
{
    Limit limit = {0};
    if (plan->steps.n == 0)
        return limit;
    limit.layer = plan->steps.at[plan->limit_step].node->name;
    for (int i = 0; i < plan->buffers.n; i++) {
        const Buffer *b = &plan->buffers.at[i];
        if (b->first > plan->limit_step || b->last < plan->limit_step ||
            b->bare_bytes <= limit.bytes)
            continue;
        limit.tensor = b->what;
        limit.bytes = b->bare_bytes;
    }
    return limit;
}

void report_kept(Buf *out, const Plan *plan, Arena *arena)
{
    const char *first = NULL;
    int n = 0;
    for (int i = 0; i < plan->net->nodes.n; i++) {
        const Node *node = plan->net->nodes.at[i];
        const char *why = plan_why_kept(plan, node, arena);
        if (why && !first)
            first = arena_printf(arena, "%s is %s", node->name, why);
        n += why != NULL;
    }
    if (n > 0)
        buf_printf(out, "kept safe   %s\n", first);
    if (n > 1)
        buf_printf(out, "  likewise  %d more layer%s\n", n - 1, n > 2 ? "s" : "");
}

json_t *report_kept_json(const Plan *plan)
{
    json_t *list = json_array();
    for (int i = 0; i < plan->net->nodes.n; i++) {
        const Node *node = plan->net->nodes.at[i];
        const char *why = plan_why_kept(plan, node, plan->arena);
        if (why)
            json_array_append_new(list, json_pack("{s:s, s:s}", "layer",
                                                  str_shown(plan->arena, node->name), "why", why));
    }
    return list;
}

static int distinct_steps(const Plan *plan)
{
    int n = 0;
    for (int i = 0; i < plan->steps.n; i++)
        n += plan->steps.at[i].function == i;
    return n;
}

/* Dimensions of a port in the order the caller has them. */
static void port_dims(const Port *port, int dims[4])
{
    const Type t = port->node->type;
    dims[0] = t.n;
    dims[1] = port->order == ORDER_NCHW ? t.c : t.h;
    dims[2] = port->order == ORDER_NCHW ? t.h : t.w;
    dims[3] = port->order == ORDER_NCHW ? t.w : t.c;
}

static void text_ports(Buf *out, const char *what, const Port *ports, int n)
{
    for (int i = 0; i < n; i++) {
        int d[4];
        port_dims(&ports[i], d);
        buf_printf(out, "%-11s %s %s %s [%d][%d][%d][%d]", i == 0 ? what : "", ports[i].name,
                   elem_name(ports[i].elem), ports[i].order == ORDER_NCHW ? "nchw" : "nhwc", d[0],
                   d[1], d[2], d[3]);
        if (ports[i].n_labels)
            buf_printf(out, ", %d class names", ports[i].n_labels);
        buf_putc(out, '\n');
    }
}

static void text_params(Buf *out, const Compiled *c)
{
    const Net *net = c->original;
    int widest = 0;
    for (int i = 0; i < net->params.n; i++) {
        const int n = snprintf(NULL, 0, "%s", net->params.at[i]->name);
        widest = n > widest ? n : widest;
    }
    buf_printf(out, "\nparameters and %s\n",
               c->has_weights ? "the tensors they were taken from"
                              : "the tensors they are to be taken from");
    for (int i = 0; i < net->params.n; i++) {
        const Param *p = net->params.at[i];
        buf_printf(out, "  %-*s  %s  ", widest, p->name, p->alias ? p->alias : p->name);
        for (int k = 0; k < p->rank; k++)
            buf_printf(out, "[%d]", p->dims[k]);
        buf_putc(out, '\n');
    }
}

/* ---- layers by bands ---- */

/* How many layers are computed by bands. */
static int banded_layers(const Plan *plan)
{
    int n = 0;
    for (int i = 0; i < plan->steps.n; i++) {
        const Node *node = plan->steps.at[i].node;
        n += node->band_group && node->band == 0;
    }
    return n;
}

static void text_bands(Buf *out, const Compiled *c)
{
    const Plan *plan = c->plan;
    const double macs = (double)net_macs(c->net);
    if (plan->band_runs.n == 0)
        return;
    buf_printf(out, "by bands    %d layers, +%.1f %% of the work:", banded_layers(plan),
               macs > 0 ? 100.0 * ((double)net_macs(plan->net) / macs - 1.0) : 0.0);
    for (int i = 0; i < plan->band_runs.n; i++) {
        const BandRun *r = &plan->band_runs.at[i];
        buf_printf(out, "%s\n            %s to %s in %d", i ? "," : "",
                   band_layer(plan->steps.at[r->first].node, plan->arena),
                   band_layer(plan->steps.at[r->end - 1].node, plan->arena), r->bands);
    }
    buf_putc(out, '\n');
}

static json_t *json_bands(const Compiled *c)
{
    json_t *list = json_array();
    const Plan *plan = c->plan;
    for (int i = 0; i < plan->band_runs.n; i++) {
        const BandRun *r = &plan->band_runs.at[i];
        json_array_append_new(
            list, json_pack("{s:s, s:s, s:i, s:i}", "first",
                            band_layer(plan->steps.at[r->first].node, plan->arena), "last",
                            band_layer(plan->steps.at[r->end - 1].node, plan->arena), "bands",
                            r->bands, "threads", r->slots));
    }
    return list;
}

void report_text(Buf *out, const Compiled *c, Arena *arena)
{
    const Plan *plan = c->plan;
    buf_printf(out, "network     %s: %s\n", c->original->name, figure_layers(arena, c->original));
    text_ports(out, "inputs", c->original->inputs.at, c->original->inputs.n);
    text_ports(out, "outputs", c->original->outputs.at, c->original->outputs.n);
    if (c->plan->turns > 1)
        buf_printf(out, "batch       %d turns of %d\n", c->plan->turns,
                   c->plan->net->inputs.at[0].node->type.n);
    buf_printf(out, "trained     %s\n",
               figure_count(arena, net_parameters(c->original), " parameters"));
    buf_printf(out, "work        %s an image\n", figure_count(arena, net_macs(c->original), "MAC"));
    buf_printf(out, "steps       %d, of %d kinds\n", plan->steps.n, distinct_steps(plan));
    text_bands(out, c);
    buf_printf(
        out,
        "arena       %s; the tensors alive at once are %s (+%.1f %%), with halos and scratch "
        "%s (+%.1f %%)\n",
        figure_bytes(arena, plan->arena_bytes), figure_bytes(arena, plan->lower_bound),
        figure_gap(plan->arena_bytes, plan->lower_bound), figure_bytes(arena, plan->tight_bound),
        figure_gap(plan->arena_bytes, plan->tight_bound));
    if (plan->states.n > 0)
        buf_printf(out, "state       %s, kept from run to run by %d layers\n",
                   figure_bytes(arena, whole_state(plan)), plan->states.n);
    buf_printf(out, "weights     %s in %d tensors\n", figure_bytes(arena, plan->weight_bytes),
               plan->packed.n);
    report_kept(out, plan, arena);
    if (c->has_weights)
        buf_printf(out,
                   "bound       %d parameters and %d statistics; %d initialised, %d tensors left "
                   "over\n",
                   c->bound.bound, c->bound.statistics, c->bound.initialised, c->bound.left_over);
    text_params(out, c);
}

static json_t *json_ports(Arena *arena, const Port *ports, int n)
{
    json_t *list = json_array();
    for (int i = 0; i < n; i++) {
        int d[4];
        port_dims(&ports[i], d);
        json_array_append_new(
            list, json_pack("{s:s, s:s, s:s, s:[i,i,i,i], s:i}", "name",
                            str_shown(arena, ports[i].name), "type", elem_name(ports[i].elem),
                            "order", ports[i].order == ORDER_NCHW ? "nchw" : "nhwc", "dims", d[0],
                            d[1], d[2], d[3], "labels", ports[i].n_labels));
    }
    return list;
}

static json_t *json_params(Arena *arena, const Net *net)
{
    json_t *list = json_array();
    for (int i = 0; i < net->params.n; i++) {
        const Param *p = net->params.at[i];
        json_t *dims = json_array();
        for (int k = 0; k < p->rank; k++)
            json_array_append_new(dims, json_integer(p->dims[k]));
        json_array_append_new(
            list, json_pack("{s:s, s:s, s:o}", "name", str_shown(arena, p->name), "tensor",
                            str_shown(arena, p->alias ? p->alias : p->name), "dims", dims));
    }
    return list;
}

static json_t *json_steps(const Plan *plan)
{
    json_t *list = json_array();
    for (int i = 0; i < plan->steps.n; i++) {
        const Step *s = &plan->steps.at[i];
        const Type t = s->node->type;
        json_array_append_new(list,
                              json_pack("{s:s, s:s, s:[i,i,i,i], s:I, s:I, s:I}", "name",
                                        str_shown(plan->arena, s->node->name), "kernel",
                                        kernel_rows[s->kernel].name, "dims", t.n, t.h, t.w, t.c,
                                        "macs", (json_int_t)macs_of_step(s), "multiplications",
                                        (json_int_t)step_multiplications(s), "weight_bytes",
                                        (json_int_t)(s->weights ? s->weights->bytes : 0)));
    }
    return list;
}

json_t *report_head(const Compiled *c)
{
    const Plan *plan = c->plan;
    Arena *arena = plan->arena;
    return json_pack(
        "{s:s, s:b, s:I, s:I, s:{s:I, s:I, s:I}, s:I, s:I, s:i, s:o, s:o}", "name",
        str_shown(arena, c->original->name), "has_weights", c->has_weights, "parameters",
        (json_int_t)net_parameters(c->original), "macs", (json_int_t)net_macs(c->original), "arena",
        "bytes", (json_int_t)plan->arena_bytes, "bound", (json_int_t)plan->lower_bound,
        "bound_with_halos_and_scratch", (json_int_t)plan->tight_bound, "state_bytes",
        (json_int_t)whole_state(plan), "weight_bytes", (json_int_t)plan->weight_bytes, "turns",
        c->plan->turns, "inputs", json_ports(arena, c->original->inputs.at, c->original->inputs.n),
        "outputs", json_ports(arena, c->original->outputs.at, c->original->outputs.n));
}

bool report_put_json(Buf *out, json_t *root)
{
    char *text = root ? json_dumps(root, JSON_INDENT(2)) : NULL;
    json_decref(root);
    if (!text)
        return false;
    buf_puts(out, text);
    buf_putc(out, '\n');
    free(text);
    return true;
}

bool report_json(Buf *out, const Compiled *c)
{
    json_t *root = report_head(c);
    json_object_set_new(root, "bound_to", json_params(c->plan->arena, c->original));
    json_object_set_new(root, "bands", json_bands(c));
    json_object_set_new(root, "steps", json_steps(c->plan));
    json_object_set_new(root, "kept", report_kept_json(c->plan));
    return report_put_json(out, root);
}
