/* summary.c: a network as a table.
 *
 * Each layer has a line, below the line of the block or stage that it is in, whose figures are the
 * sums.  Arms have no line: their layers' names show them. */
#include "view/summary.h"
#include "net/describe.h"
#include "base/utf8.h"
#include "net/figures.h"
#include "net/outline.h"
#include "plan/batch.h"
#include "view/report.h"

#include <jansson.h>
#include <stdio.h>
#include <string.h>

enum { LAYER, KIND, OUTPUT, PARAMETERS, MACS, OPERANDS, COLUMNS };
enum { GAP = 2, LAYER_MOST = 30, KIND_MOST = 24, OPERANDS_LEAST = 12 };

static const char *const heads[COLUMNS] = {"layer",      "kind", "output c x h x w",
                                           "parameters", "MACs", "connected to"};

typedef struct Row {
    const char *cells[COLUMNS];
} Row;

typedef struct Table {
    Arena *arena;
    const Net *net;
    const SrcMap *src;
    bool expand;
    VEC(Row) rows;
} Table;

/* ---- the rows ---- */

static const char *number(Table *t, int64_t n)
{
    return n ? describe_number(t->arena, n) : "";
}

static const char *macs(Table *t, int64_t n)
{
    return n ? figure_count(t->arena, n, "") : "";
}

static int64_t held(const Net *net, int first, int last)
{
    return nodes_parameters(net, first, last, true) + nodes_parameters(net, first, last, false);
}

/* The parameters of nodes first..last, or a note that earlier nodes already have them. */
static const char *held_text(Table *t, int first, int last)
{
    const int64_t n = held(t->net, first, last);
    bool some = false;
    for (int i = first; i <= last && n == 0; i++) {
        for (int r = 0; r < P_ROLES; r++)
            some = some || t->net->nodes.at[i]->params[r];
    }
    return some ? "shared" : number(t, n);
}

/* A layer's path below the line of the group `under`: what follows the group's path, with the dot,
 * so that the group's ".relu1" is not mistaken for "relu1" of the network. */
static const char *below(const char *path, const Group *under)
{
    const size_t n = strlen(under->path);
    return n && strncmp(path, under->path, n) == 0 && path[n] == '.' ? path + n : path;
}

static void add_node(Table *t, const Node *node, const Group *under, int depth)
{
    Buf operands = buf_new(t->arena);
    for (int i = 0; i < node->n_in; i++)
        buf_printf(&operands, "%s%s", i ? ", " : "", below(node->in[i]->name, under));
    const Row row = {{
        arena_printf(t->arena, "%*s%s", 2 * depth, "", below(node->name, under)),
        describe_kind(t->arena, node),
        describe_type(t->arena, node->type, " x "),
        held_text(t, node->id, node->id),
        macs(t, node_macs(node)),
        buf_text(&operands),
    }};
    VEC_PUSH(t->arena, &t->rows, row);
}

/* A group that holds one group and nothing else. */
static bool is_wrapper(const Group *g)
{
    return g->items.n == 1 && g->items.at[0].group;
}

/* Adds the line of a group, or of the groups from `first` to `last`, which are alike. */
static void add_head(Table *t, const Group *first, const Group *last, const Group *under, int depth)
{
    const bool numbered = first->name[0] >= '0' && first->name[0] <= '9';
    const char *name = numbered ? first->path : below(first->path, under);
    const char *block = first->block ? first->block : "";
    for (const Group *g = first; !*block && is_wrapper(g); g = g->items.at[0].group)
        block = g->items.at[0].group->block ? g->items.at[0].group->block : "";
    if (last != first) {
        name = arena_printf(t->arena, "%s .. %s", name, last->name);
        block = *block ? arena_printf(t->arena, "%d x %s", first->alike, block)
                       : arena_printf(t->arena, "%d alike", first->alike);
    }
    const Row row = {{
        arena_printf(t->arena, "%*s%s", 2 * depth, "", name),
        block,
        describe_type(t->arena, t->net->nodes.at[last->last]->type, " x "),
        held_text(t, first->first, last->last),
        macs(t, nodes_macs(t->net, first->first, last->last)),
        last != first ? "(below: one of them)" : "",
    }};
    VEC_PUSH(t->arena, &t->rows, row);
}

static void add_items(Table *t, const Group *g, const Group *under, int depth)
{
    for (int i = 0; i < g->items.n; i++) {
        const Item item = g->items.at[i];
        if (item.node) {
            add_node(t, item.node, under, depth);
        } else if (is_wrapper(g) || outline_is_arm(t->net, item.group)) {
            add_items(t, item.group, under, depth);
        } else if (t->expand) {
            add_head(t, item.group, item.group, under, depth);
            add_items(t, item.group, item.group, depth + 1);
        } else if (item.group->alike) {
            add_head(t, item.group, outline_last_alike(g, i), under, depth);
            add_items(t, item.group, item.group, depth + 1);
        }
    }
}

static void add_outputs(Table *t)
{
    for (int i = 0; i < t->net->outputs.n; i++) {
        const Port *port = &t->net->outputs.at[i];
        const Row row = {{port->name, "output", describe_type(t->arena, port->node->type, " x "),
                          "", "", port->node->name}};
        VEC_PUSH(t->arena, &t->rows, row);
    }
}

/* ---- print ---- */

static int width_of(const char *s)
{
    return (int)strlen(s);
}

static void find_widths(const Table *t, int widths[COLUMNS])
{
    int sum = 0;
    for (int c = 0; c < COLUMNS; c++) {
        const int most = c == LAYER ? LAYER_MOST : c == KIND ? KIND_MOST : SUMMARY_WIDTH;
        widths[c] = width_of(heads[c]);
        for (int i = 0; i < t->rows.n; i++) {
            const int w = width_of(t->rows.at[i].cells[c]);
            widths[c] = w > widths[c] && w <= most ? w : widths[c];
        }
        sum += c == OPERANDS ? 0 : widths[c] + GAP;
    }
    const int rest = SUMMARY_WIDTH > sum ? SUMMARY_WIDTH - sum : 0;
    if (widths[OPERANDS] > rest)
        widths[OPERANDS] = rest > OPERANDS_LEAST ? rest : OPERANDS_LEAST;
}

static void end_line(Buf *out)
{
    while (out->n && out->text[out->n - 1] == ' ')
        out->text[--out->n] = '\0';
    buf_putc(out, '\n');
}

/* How many bytes of a list fit into `width`; at least one of its words. */
static int fitting(const char *list, int width)
{
    int fits = 0;
    for (const char *at = list; *at;) {
        const size_t n = strcspn(at, ",");
        const int end = (int)(at - list) + (int)n + (at[n] == ',');
        if (fits && end > width)
            break;
        fits = end;
        at += n;
        while (*at == ',' || *at == ' ')
            at++;
    }
    return fits;
}

/* Prints a row; after a cell that is wider than its column, the rest of the row is on the next
 * line. */
static void put_row(Buf *out, const Row *row, const int widths[COLUMNS])
{
    int column = 0; /* where the cell begins */
    int at = 0;     /* the current column of the line */
    for (int c = 0; c < OPERANDS; c++) {
        const char *cell = row->cells[c];
        const bool right = c == PARAMETERS || c == MACS;
        const int w = width_of(cell);
        if (at > column && *cell) {
            end_line(out);
            at = 0;
        }
        if (*cell) {
            const int blanks = column - at + (right ? widths[c] - w : 0);
            buf_printf(out, "%*s%s", blanks, "", cell);
            at += blanks + w;
        }
        column += widths[c] + GAP;
    }
    for (const char *list = row->cells[OPERANDS]; *list;) {
        const int n = fitting(list, widths[OPERANDS]);
        if (at > column) {
            end_line(out);
            at = 0;
        }
        buf_printf(out, "%*s%.*s", column - at, "", n, list);
        at = column + n;
        list += n + (list[n] == ' ');
        if (*list) {
            end_line(out);
            at = 0;
        }
    }
    end_line(out);
}

static void put_rule(Buf *out, const int widths[COLUMNS])
{
    int sum = -GAP;
    for (int c = 0; c < COLUMNS; c++)
        sum += widths[c] + GAP;
    for (int i = 0; i < sum; i++)
        buf_putc(out, '-');
    buf_putc(out, '\n');
}

static void put_totals(Buf *out, const Compiled *c, Arena *arena)
{
    const Net *net = c->original;
    const Plan *plan = c->plan;
    const int64_t trained = net_parameters(net);
    const int64_t fixed = nodes_parameters(net, 0, net->nodes.n - 1, false);
    buf_printf(out, "network     %s: %s\n", net->name, figure_layers(arena, net));
    buf_printf(out, "parameters  %s: %s trainable, %s not trainable (running statistics)\n",
               describe_number(arena, trained + fixed), describe_number(arena, trained),
               describe_number(arena, fixed));
    buf_printf(out, "work        %s an image\n", figure_count(arena, net_macs(net), "MAC"));
    buf_printf(out, "arena       %s (bound %s, +%.1f %%)\n", figure_bytes(arena, plan->arena_bytes),
               figure_bytes(arena, plan->lower_bound),
               figure_gap(plan->arena_bytes, plan->lower_bound));
    const Limit limit = report_limit(plan);
    if (limit.tensor)
        buf_printf(out, "  full at   %s\n  largest   %s, %s\n", limit.layer, limit.tensor,
                   figure_bytes(arena, limit.bytes));
    if (plan->states.n > 0)
        buf_printf(out, "state       %s, kept from run to run by %d layers\n",
                   figure_bytes(arena, whole_state(plan)), plan->states.n);
    buf_printf(out, "weights     %s in %d tensors\n", figure_bytes(arena, plan->weight_bytes),
               plan->packed.n);
    report_kept(out, plan, arena);
}

void summary_text(Buf *out, const Compiled *c, const SrcMap *src, bool expand, Arena *arena)
{
    Table t = {.arena = arena, .net = c->original, .src = src, .expand = expand};
    const Group *root = outline_make(c->original, src, arena);
    int widths[COLUMNS];
    Row head;
    add_items(&t, root, root, 0);
    add_outputs(&t);
    memcpy(head.cells, heads, sizeof heads);
    find_widths(&t, widths);
    put_row(out, &head, widths);
    put_rule(out, widths);
    for (int i = 0; i < t.rows.n; i++)
        put_row(out, &t.rows.at[i], widths);
    put_rule(out, widths);
    put_totals(out, c, arena);
}

/* ---- JSON ---- */

static json_t *json_counts(const Net *net, int first, int last)
{
    return json_pack("{s:I, s:I}", "trainable",
                     (json_int_t)nodes_parameters(net, first, last, true), "not_trainable",
                     (json_int_t)nodes_parameters(net, first, last, false));
}

/* The lines of the calls that a layer comes from, the innermost first. */
static json_t *json_callers(const Node *node, const SrcMap *src, Arena *arena)
{
    json_t *list = json_array();
    for (const Place *p = node->place ? node->place->caller : NULL; p; p = p->caller)
        json_array_append_new(list, json_string(describe_line(arena, src, p)));
    return list;
}

/* The first layer of those that share this one's parameters, if that is another one. */
static const char *shared_with(const Net *net, const Node *node)
{
    for (int r = 0; r < P_ROLES; r++) {
        if (node->params[r] && node->params[r]->first != node->id)
            return net->nodes.at[node->params[r]->first]->name;
    }
    return NULL;
}

/* A name, or NULL. */
static const char *shown(Arena *arena, const char *name)
{
    return name ? str_shown(arena, name) : NULL;
}

static json_t *json_layers(const Net *net, const SrcMap *src, Arena *arena)
{
    json_t *list = json_array();
    for (int i = 0; i < net->nodes.n; i++) {
        const Node *node = net->nodes.at[i];
        const Type t = node->type;
        json_t *operands = json_array();
        for (int k = 0; k < node->n_in; k++)
            json_array_append_new(operands, json_string(str_shown(arena, node->in[k]->name)));
        json_array_append_new(
            list,
            json_pack("{s:s, s:s, s:s, s:s, s:[i,i,i,i], s:o, s:s*, s:I, s:o, s:s*, s:o}", "name",
                      str_shown(arena, node->name), "kind", op_row(node->op)->name, "text",
                      describe_kind(arena, node), "type", elem_name(t.elem), "dims", t.n, t.c, t.h,
                      t.w, "parameters", json_counts(net, i, i), "shared_with",
                      shown(arena, shared_with(net, node)), "macs", (json_int_t)node_macs(node),
                      "connected_to", operands, "line", describe_line(arena, src, node->place),
                      "called_from", json_callers(node, src, arena)));
    }
    return list;
}

static void json_groups(json_t *list, const Net *net, const Group *g, Arena *arena)
{
    for (int i = 0; i < g->items.n; i++) {
        const Group *group = g->items.at[i].group;
        if (!group)
            continue;
        json_array_append_new(
            list, json_pack("{s:s, s:s*, s:s, s:s, s:o, s:I, s:i}", "path",
                            shown(arena, group->path), "block", shown(arena, group->block), "first",
                            shown(arena, net->nodes.at[group->first]->name), "last",
                            shown(arena, net->nodes.at[group->last]->name), "parameters",
                            json_counts(net, group->first, group->last), "macs",
                            (json_int_t)nodes_macs(net, group->first, group->last), "alike",
                            group->alike));
        json_groups(list, net, group, arena);
    }
}

json_t *summary_head(const Compiled *c)
{
    const Net *net = c->original;
    const Limit limit = report_limit(c->plan);
    json_t *root = report_head(c);
    json_object_set_new(root, "not_trainable",
                        json_integer(nodes_parameters(net, 0, net->nodes.n - 1, false)));
    json_object_set_new(root, "kept", report_kept_json(c->plan));
    if (limit.tensor)
        json_object_set_new(
            root, "limit",
            json_pack("{s:s, s:s, s:I}", "layer", shown(c->plan->arena, limit.layer), "tensor",
                      shown(c->plan->arena, limit.tensor), "bytes", (json_int_t)limit.bytes));
    return root;
}

bool summary_json(Buf *out, const Compiled *c, const SrcMap *src, Arena *arena)
{
    const Net *net = c->original;
    json_t *root = summary_head(c), *groups = json_array();
    json_groups(groups, net, outline_make(net, src, arena), arena);
    json_object_set_new(root, "layers", json_layers(net, src, arena));
    json_object_set_new(root, "groups", groups);
    return report_put_json(out, root);
}
