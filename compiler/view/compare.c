/* compare.c: two designs side by side: what they hold, cost and need.
 *
 * Stages (groups of the network itself) are matched by name; layers in no stage, or in one without
 * a namesake, are counted as well. */
#include "net/describe.h"
#include "base/utf8.h"
#include "net/figures.h"
#include "net/outline.h"
#include "plan/batch.h"
#include "view/report.h"
#include "view/summary.h"

#include <jansson.h>
#include <stdio.h>
#include <string.h>

typedef struct Line {
    const char *label;
    const char *cells[3]; /* the first design, the second, the difference */
} Line;

/* A figure of a stage in both designs; the stage "" has the layers that are in none. */
typedef struct Part {
    const char *path;
    int64_t parameters[2], macs[2];
} Part;

typedef struct Comparison {
    Arena *arena;
    const Compiled *designs[2];
    const char *names[2];
    VEC(Part) parts;
    VEC(Line) lines;
} Comparison;

/* ---- the parts ---- */

static Part *part_of(Comparison *c, const char *path)
{
    for (int i = 0; i < c->parts.n; i++) {
        if (str_eq(c->parts.at[i].path, path))
            return &c->parts.at[i];
    }
    const Part part = {.path = path};
    VEC_PUSH(c->arena, &c->parts, part);
    return &c->parts.at[c->parts.n - 1];
}

static void find_parts(Comparison *c)
{
    for (int which = 0; which < 2; which++) {
        const Net *net = c->designs[which]->original;
        const Group *root = outline_make(net, NULL, c->arena);
        for (int i = 0; i < root->items.n; i++) {
            const Item item = root->items.at[i];
            const int first = item.node ? item.node->id : item.group->first;
            const int last = item.node ? item.node->id : item.group->last;
            Part *part = part_of(c, item.node ? "" : item.group->path);
            part->parameters[which] += nodes_parameters(net, first, last, true);
            part->macs[which] += nodes_macs(net, first, last);
        }
    }
}

/* ---- text ---- */

static const char *difference(Comparison *c, int64_t a, int64_t b)
{
    if (a == b)
        return "=";
    if (a == 0 || b == 0)
        return arena_printf(c->arena, "%s%s", b > a ? "+" : "", describe_number(c->arena, b - a));
    return arena_printf(c->arena, "%+.1f %%", figure_gap(b, a));
}

static void add_line(Comparison *c, const char *label, const char *a, const char *b,
                     const char *differ)
{
    const Line line = {label, {a, b, differ}};
    VEC_PUSH(c->arena, &c->lines, line);
}

static void add_numbers(Comparison *c, const char *label, int64_t a, int64_t b)
{
    add_line(c, label, describe_number(c->arena, a), describe_number(c->arena, b),
             difference(c, a, b));
}

static void add_macs(Comparison *c, const char *label, int64_t a, int64_t b)
{
    add_line(c, label, figure_count(c->arena, a, ""), figure_count(c->arena, b, ""),
             difference(c, a, b));
}

static void add_bytes(Comparison *c, const char *label, int64_t a, int64_t b)
{
    add_line(c, label, figure_bytes(c->arena, a), figure_bytes(c->arena, b), difference(c, a, b));
}

/* A line for each stage, below that of the whole. */
static void add_parts(Comparison *c, bool macs)
{
    if (c->parts.n < 2)
        return;
    for (int i = 0; i < c->parts.n; i++) {
        const Part *part = &c->parts.at[i];
        const int64_t *figures = macs ? part->macs : part->parameters;
        const char *label =
            arena_printf(c->arena, "  %s", *part->path ? part->path : "(layers in no stage)");
        if (figures[0] || figures[1])
            (macs ? add_macs : add_numbers)(c, label, figures[0], figures[1]);
    }
}

static int count_of(const Net *net, Op op)
{
    int n = 0;
    for (int i = 0; i < net->nodes.n; i++)
        n += net->nodes.at[i]->op == op;
    return n;
}

static void add_all(Comparison *c)
{
    const Net *a = c->designs[0]->original, *b = c->designs[1]->original;
    const Plan *pa = c->designs[0]->plan, *pb = c->designs[1]->plan;
    add_line(c, "", c->names[0], c->names[1], "difference");
    add_numbers(c, "convolutions", count_of(a, OP_CONV), count_of(b, OP_CONV));
    add_numbers(c, "dense layers", count_of(a, OP_DENSE), count_of(b, OP_DENSE));
    add_numbers(c, "parameters", net_parameters(a), net_parameters(b));
    add_parts(c, false);
    add_numbers(c, "not trainable", nodes_parameters(a, 0, a->nodes.n - 1, false),
                nodes_parameters(b, 0, b->nodes.n - 1, false));
    add_macs(c, "MACs an image", net_macs(a), net_macs(b));
    add_parts(c, true);
    add_bytes(c, "arena", pa->arena_bytes, pb->arena_bytes);
    add_bytes(c, "  bound", pa->lower_bound, pb->lower_bound);
    if (pa->states.n > 0 || pb->states.n > 0)
        add_bytes(c, "state", whole_state(pa), whole_state(pb));
    add_bytes(c, "weights", pa->weight_bytes, pb->weight_bytes);
}

static void put_lines(Buf *out, const Comparison *c)
{
    int label = 0, cells[3] = {0};
    for (int i = 0; i < c->lines.n; i++) {
        const int n = (int)strlen(c->lines.at[i].label);
        label = n > label ? n : label;
        for (int k = 0; k < 3; k++) {
            const int width = (int)strlen(c->lines.at[i].cells[k]);
            cells[k] = width > cells[k] ? width : cells[k];
        }
    }
    for (int i = 0; i < c->lines.n; i++) {
        const Line *line = &c->lines.at[i];
        buf_printf(out, "%-*s", label, line->label);
        for (int k = 0; k < 3; k++)
            buf_printf(out, "  %*s", cells[k], line->cells[k]);
        buf_putc(out, '\n');
    }
}

void compare_text(Buf *out, const Compiled *a, const Compiled *b, Arena *arena)
{
    Comparison c = {.arena = arena, .designs = {a, b}};
    const bool namesakes = str_eq(a->original->name, b->original->name);
    for (int i = 0; i < 2; i++) {
        const char *name = c.designs[i]->original->name;
        c.names[i] = namesakes ? arena_printf(arena, "%s (%d)", name, i + 1) : name;
    }
    find_parts(&c);
    add_all(&c);
    put_lines(out, &c);
    for (int i = 0; i < 2; i++) {
        const Limit limit = report_limit(c.designs[i]->plan);
        if (limit.tensor)
            buf_printf(out, "%s: the arena is full at %s; the largest tensor there is %s, %s\n",
                       c.names[i], limit.layer, limit.tensor, figure_bytes(arena, limit.bytes));
    }
}

/* ---- JSON ---- */

static json_t *json_difference(const Compiled *a, const Compiled *b)
{
    const Net *na = a->original, *nb = b->original;
    return json_pack("{s:I, s:I, s:I, s:I, s:I}", "parameters",
                     (json_int_t)(net_parameters(nb) - net_parameters(na)), "not_trainable",
                     (json_int_t)(nodes_parameters(nb, 0, nb->nodes.n - 1, false) -
                                  nodes_parameters(na, 0, na->nodes.n - 1, false)),
                     "macs", (json_int_t)(net_macs(nb) - net_macs(na)), "arena_bytes",
                     (json_int_t)(b->plan->arena_bytes - a->plan->arena_bytes), "weight_bytes",
                     (json_int_t)(b->plan->weight_bytes - a->plan->weight_bytes));
}

bool compare_json(Buf *out, const Compiled *a, const Compiled *b, Arena *arena)
{
    Comparison c = {.arena = arena, .designs = {a, b}};
    json_t *parts = json_array();
    find_parts(&c);
    for (int i = 0; i < c.parts.n; i++) {
        const Part *p = &c.parts.at[i];
        json_array_append_new(parts,
                              json_pack("{s:s, s:[I,I], s:[I,I]}", "path",
                                        str_shown(arena, p->path), "parameters",
                                        (json_int_t)p->parameters[0], (json_int_t)p->parameters[1],
                                        "macs", (json_int_t)p->macs[0], (json_int_t)p->macs[1]));
    }
    return report_put_json(out, json_pack("{s:[o,o], s:o, s:o}", "designs", summary_head(a),
                                          summary_head(b), "difference", json_difference(a, b),
                                          "stages", parts));
}
