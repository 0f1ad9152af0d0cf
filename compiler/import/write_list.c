/* write_list.c: the statements for lists of parts: layers, arms and their join, calls of blocks. */
#include "import/write_parts.h"

#include <string.h>

/* ---- lists ---- */

void flatten(Writer *w, const Parts *from, Parts *to)
{
    for (int i = 0; i < from->n; i++) {
        Part *part = from->at[i];
        Block *block = part->again ? part->again->block : part->block;
        if (block)
            unify_block(w, block);
        if (block && block->bad)
            flatten(w, &part->inner, to);
        else
            VEC_PUSH(w->arena, to, part);
    }
}

/* Whether a layer stands on the line of the one before: `conv ; bn ; relu`. */
static bool follows(const Stmts *out, Op op)
{
    const Stmt *last = out->n ? out->at[out->n - 1] : NULL;
    if (!last || last->kind != STMT_CALL || op_named(last->call->name.text) == OP_COUNT)
        return false;
    const Op before = op_named(last->call->name.text);
    return op == OP_BN || op_row(op)->flags & ACTIVATION || op == OP_FLATTEN ||
           (op == OP_DENSE && before == OP_FLATTEN);
}

static void put_stmt(Unify *u, Stmts *out, Stmt *s, Op op)
{
    s->joined = op != OP_COUNT && follows(out, op);
    VEC_PUSH(u->arena, out, s);
}

/* The words for the results of a `split`. */
static void name_results(Unify *u, Mask m, Part *const *parts, Stmt *s)
{
    const Node *node = parts[m.at[0]]->node;
    for (int k = 0; k < node->attrs.parts; k++) {
        const Node *result = u->w->net->nodes.at[node->id + k];
        const char *word = u->net && u->w->labels[result->id] ? u->w->labels[result->id] : NULL;
        if (!word)
            word = write_new_word(u->arena, &u->words,
                                  node->attrs.parts == 2 ? (k ? "right" : "left")
                                                         : arena_printf(u->arena, "part%d", k + 1));
        for (int i = 0; i < m.n; i++)
            u->w->labels[parts[m.at[i]]->node->id + k] = word;
        VEC_PUSH(u->arena, &s->names, ((Name){word, NO_LOC}));
    }
}

const char *unify_label(const Unify *u, const Node *node)
{
    const char *local = u->net ? NULL : u->w->local[node->id];
    return local ? local : u->w->labels[node->id];
}

/* The label that a part has in this text, or NULL. */
static const char *own_label(const Unify *u, const Part *part)
{
    return (u->net ? u->w->labels : u->w->local)[part->node->id];
}

bool joins_labels(const Part *part)
{
    bool empty = part->n_arms > 0 && !part->root && part_forks_split(part);
    for (int k = 0; empty && k < part->n_arms; k++)
        empty = part->arms[k]->parts.n == 0;
    return empty;
}

void unify_node(Unify *u, Mask m, Part *const *parts, Stmts *out)
{
    const Node *node = parts[m.at[0]]->node;
    const Node *like = u->w->like[node->id];
    const char *label = own_label(u, parts[m.at[0]]);
    Call *call;
    if (like) {
        call = write_new_call(u->arena, "again");
        write_arg(u->arena, call, NULL, write_name(u->arena, u->w->labels[like->id]));
    } else {
        call = unify_layer(u, m, parts);
    }
    for (int k = 0; node->n_in > 1 && k < node->n_in; k++)
        write_arg(u->arena, call, NULL,
                  write_name(u->arena, unify_label(u, write_source(node->in[k]))));
    Stmt *s = write_call(u->arena, label, call);
    if (op_row(node->op)->flags & RESULTS) {
        s->name.text = NULL;
        name_results(u, m, parts, s);
    }
    put_stmt(u, out, s, node->op);
}

/* ---- calls ---- */

static void put_again(Unify *u, const Part *part, Stmts *out)
{
    Call *call = write_new_call(u->arena, "again");
    write_arg(u->arena, call, NULL, write_name(u->arena, u->w->labels[part->again->node->id]));
    VEC_PUSH(u->arena, out, write_call(u->arena, own_label(u, part), call));
}

/* The arguments of a block's call inside of another block, where they may be parameters. */
static void put_call(Unify *u, Mask m, Part *const *parts, Stmts *out)
{
    const Block *block = parts[m.at[0]]->block;
    Call *call = write_new_call(u->arena, block->name);
    for (int must = 1; must >= 0; must--) {
        for (int i = 0; i < block->holes.n; i++) {
            const Hole *h = &block->holes.at[i];
            int64_t *v = NEW_ARRAY(u->arena, int64_t, u->n),
                    *ch = NEW_ARRAY(u->arena, int64_t, u->n);
            bool given = must;
            for (int k = 0; k < m.n; k++) {
                const Part *first = parts[m.at[k]];
                v[m.at[k]] = h->v[first->instance];
                given = given || v[m.at[k]] != h->def;
                while (first->inner.n)
                    first = first->inner.at[0];
                const Node *start = first->root     ? first->root
                                    : first->n_arms ? first->arms[0]->start
                                                    : first->node->in[0];
                ch[m.at[k]] = start->type.c;
            }
            if (h->must != must || !given)
                continue;
            Expr *e = unify_value(u, m, v, must ? ch : NULL, h->name, h->truth);
            write_arg(u->arena, call, must ? NULL : h->name, e);
            if (must)
                VEC_PUSH(u->arena, &u->widths, ((Width){v, e}));
        }
    }
    call->parens = call->args.n > 0;
    VEC_PUSH(u->arena, out, write_call(u->arena, own_label(u, parts[m.at[0]]), call));
}

/* In how many arguments two calls of a block differ. */
static int distance(const Part *a, const Part *b)
{
    int n = 0;
    for (int i = 0; i < a->block->holes.n; i++)
        n += a->block->holes.at[i].v[a->instance] != a->block->holes.at[i].v[b->instance];
    return n;
}

/* How many calls, from the first on, `n x` says: the first may differ from the others in one
 * argument. */
static int run_length(const Writer *w, Part *const *parts, int n)
{
    int length = 1;
    while (
        length < n && !w->labels[parts[length - 1]->node->id] &&
        (length == 1 ? distance(parts[0], parts[1]) <= 1 : distance(parts[1], parts[length]) == 0))
        length++;
    /* A single one that differs belongs to those after it, if it is like them. */
    if (length == 2 && n > 2 && distance(parts[0], parts[1]) == 1 &&
        distance(parts[1], parts[2]) == 1 && !w->labels[parts[1]->node->id])
        return 1;
    return length;
}

/* `2 then 1` for the arguments in which the first call differs. */
static Call *run_call(Writer *w, const Part *first, const Part *rest)
{
    const Block *block = first->block;
    Call *call = write_new_call(w->arena, block->name);
    for (int must = 1; must >= 0; must--) {
        for (int i = 0; i < block->holes.n; i++) {
            const Hole *h = &block->holes.at[i];
            const int64_t a = h->v[first->instance], b = h->v[rest->instance];
            if (h->must != must || (!must && a == h->def && b == h->def))
                continue;
            Expr *x = h->truth ? write_bool(w->arena, a) : write_int(w->arena, a);
            Expr *y = h->truth ? write_bool(w->arena, b) : write_int(w->arena, b);
            if (a != b)
                x = expr_op(w->arena, EXPR_THEN, OPERATOR_OR, x, y, NULL, NO_LOC);
            write_arg(w->arena, call, must ? NULL : h->name, x);
        }
    }
    call->parens = call->args.n > 0;
    return call;
}

void write_runs(Writer *w, Part *const *parts, int n, Stmts *out)
{
    for (int i = 0; i < n;) {
        const int length = run_length(w, parts + i, n - i);
        const char *label = w->labels[parts[i + length - 1]->node->id];
        if (length > 1 && label) { /* the labelled one stands alone */
            write_runs(w, parts + i, length - 1, out);
            i += length - 1;
            continue;
        }
        Stmt *s = write_call(w->arena, label, run_call(w, parts[i], parts[i + (length > 1)]));
        if (length > 1) {
            s->kind = STMT_REPEAT;
            s->value = write_int(w->arena, length);
        }
        VEC_PUSH(w->arena, out, s);
        i += length;
    }
}

/* ---- arms ---- */

static bool ends_in_gate(const Chain *chain)
{
    const Op op = chain->parts.n ? chain->parts.at[chain->parts.n - 1]->node->op : OP_COUNT;
    return op == OP_SIGMOID || op == OP_HARD_SIGMOID;
}

/* Of two factors the one that ends in a sigmoid is the gate, or else the one that is computed of
 * the other. */
static const char *factor_name(const Part *part, int arm, Arena *arena)
{
    const Chain *own = part->arms[arm], *other = part->arms[1 - arm];
    if (ends_in_gate(own) != ends_in_gate(other))
        return ends_in_gate(own) ? "gate" : "main";
    if (!own->parts.n != !other->parts.n)
        return own->parts.n ? "gate" : "main";
    return arena_printf(arena, "arm%d", arm + 1);
}

static const char *arm_name(const Part *part, int arm, Arena *arena)
{
    const Chain *chain = part->arms[arm];
    const Part *last = chain->parts.n ? chain->parts.at[chain->parts.n - 1] : NULL;
    if (part->node->op == OP_CONCAT && part->n_arms == 2 &&
        (!part->arms[0]->parts.n || !part->arms[1]->parts.n))
        return last ? "new" : "old";
    if (part->n_arms != 2)
        return arena_printf(arena, "arm%d", arm + 1);
    if (part->node->op == OP_MUL)
        return factor_name(part, arm, arena);
    if (part->node->op == OP_CONCAT)
        return arena_printf(arena, "arm%d", arm + 1);
    int size[2] = {0, 0};
    for (int k = 0; k < 2; k++) {
        for (int i = 0; i < part->arms[k]->parts.n; i++)
            size[k] += part->arms[k]->parts.at[i]->size;
    }
    return size[arm] > size[1 - arm] || (size[0] == size[1] && arm == 0) ? "main" : "shortcut";
}

/* A list as a pattern with gaps, or false if it does not fit. */
static bool align(const Parts *pattern, const Parts *list, Part **to)
{
    int at = 0;
    for (int i = 0; i < pattern->n; i++) {
        to[i] = NULL;
        if (at < list->n && list->at[at]->symbol == pattern->at[i]->symbol)
            to[i] = list->at[at++];
    }
    return at == list->n;
}

/* Whether all statements are on one line, and few enough for the braces around them. */
static bool is_short(const Stmts *body)
{
    for (int i = 0; i < body->n; i++) {
        const StmtKind kind = body->at[i]->kind;
        if ((kind != STMT_CALL && kind != STMT_FROM && kind != STMT_REPEAT) ||
            (i && !body->at[i]->joined))
            return false;
    }
    return true;
}

/* Statements for lists of which some lack some parts: those stand in an `if`. */
static void unify_gaps(Unify *u, Mask m, const Parts *lists, const int64_t *ch, Stmts *out)
{
    const Parts *pattern = &lists[m.at[0]];
    for (int i = 1; i < m.n; i++)
        pattern = lists[m.at[i]].n > pattern->n ? &lists[m.at[i]] : pattern;
    const int n = pattern->n;
    Part ***at = NEW_ARRAY(u->arena, Part **, u->n);
    for (int i = 0; i < m.n; i++) {
        at[m.at[i]] = NEW_ARRAY(u->arena, Part *, n + 1);
        if (!align(pattern, &lists[m.at[i]], at[m.at[i]]))
            u->bad = true;
    }
    for (int begin = 0, end; begin < n && !u->bad; begin = end) {
        bool *present = NEW_ARRAY(u->arena, bool, u->n), every = true, same = true;
        int *some = NEW_ARRAY(u->arena, int, m.n), n_some = 0;
        for (int i = 0; i < m.n; i++) {
            present[m.at[i]] = at[m.at[i]][begin] != NULL;
            every = every && present[m.at[i]];
            if (present[m.at[i]])
                some[n_some++] = m.at[i];
        }
        for (end = begin + 1; end < n; end++) {
            for (int i = 0; i < m.n; i++)
                same = same && (at[m.at[i]][end] != NULL) == present[m.at[i]];
            if (!same)
                break;
        }
        const Parts **part_lists = NEW_ARRAY(u->arena, const Parts *, u->n);
        for (int i = 0; i < n_some; i++) {
            Parts *part = NEW(u->arena, Parts);
            *part = (Parts){at[some[i]] + begin, end - begin, end - begin};
            part_lists[some[i]] = part;
        }
        Stmt *s = stmt_new(u->arena, STMT_IF, NO_LOC);
        unify_list(u, (Mask){some, n_some}, part_lists, every ? out : &s->body);
        s->flat = is_short(&s->body);
        if (!every) {
            s->value = unify_condition(u, m, present, ch);
            VEC_PUSH(u->arena, out, s);
        }
    }
}

static bool all_alike(Mask m, const Parts *lists)
{
    for (int i = 1; i < m.n; i++) {
        const Parts *a = &lists[m.at[0]], *b = &lists[m.at[i]];
        if (a->n != b->n)
            return false;
        for (int k = 0; k < a->n; k++) {
            if (a->at[k]->symbol != b->at[k]->symbol)
                return false;
        }
    }
    return true;
}

static Stmt *unify_arm(Unify *u, Mask m, Part *const *parts, int arm)
{
    Stmt *s = stmt_new(u->arena, STMT_ARM, NO_LOC);
    const Chain *first = parts[m.at[0]]->arms[arm];
    Parts *lists = NEW_ARRAY(u->arena, Parts, u->n);
    const Parts **pointers = NEW_ARRAY(u->arena, const Parts *, u->n);
    int64_t *ch = NEW_ARRAY(u->arena, int64_t, u->n);
    s->name.text = arm_name(parts[m.at[0]], arm, u->arena);
    for (int i = 0; i < m.n; i++) {
        const Chain *chain = parts[m.at[i]]->arms[arm];
        flatten(u->w, &chain->parts, &lists[m.at[i]]);
        pointers[m.at[i]] = &lists[m.at[i]];
        ch[m.at[i]] = chain->start->type.c;
    }
    if (part_forks_split(parts[m.at[0]]))
        VEC_PUSH(u->arena, &s->body, write_from(u->arena, u->w->labels[first->start->id]));
    if (all_alike(m, lists))
        unify_list(u, m, pointers, &s->body);
    else
        unify_gaps(u, m, lists, ch, &s->body);
    s->flat = is_short(&s->body) && s->body.n < 2;
    return s;
}

/* The arms whose text is certain are made first: conditions of the others may be about them. */
void unify_arms(Unify *u, Mask m, Part *const *parts, Stmts *out)
{
    const Part *first = parts[m.at[0]];
    Stmt **arms = NEW_ARRAY(u->arena, Stmt *, first->n_arms);
    for (int shortcut = 0; shortcut < 2; shortcut++) {
        for (int k = 0; k < first->n_arms; k++) {
            const bool is = str_eq(arm_name(first, k, u->arena), "shortcut");
            if (is == shortcut)
                arms[k] = unify_arm(u, m, parts, k);
        }
    }
    for (int k = 0; k < first->n_arms; k++)
        VEC_PUSH(u->arena, out, arms[k]);
    VEC_PUSH(u->arena, out,
             write_call(u->arena, own_label(u, first),
                        write_new_call(u->arena, op_row(first->node->op)->name)));
}

void unify_list(Unify *u, Mask m, const Parts *const *given, Stmts *out)
{
    Parts *lists = NEW_ARRAY(u->arena, Parts, u->n);
    Part **at = NEW_ARRAY(u->arena, Part *, u->n);
    for (int i = 0; i < m.n; i++)
        flatten(u->w, given[m.at[i]], &lists[m.at[i]]);
    if (!all_alike(m, lists))
        u->bad = true;
    for (int k = 0; !u->bad && k < lists[m.at[0]].n; k++) {
        const Parts *first = &lists[m.at[0]];
        for (int i = 0; i < m.n; i++)
            at[m.at[i]] = lists[m.at[i]].at[k];
        const Part *part = first->at[k];
        if (part->again) {
            put_again(u, part, out);
        } else if (part->block && u->net) {
            int n = 1;
            while (k + n < first->n && first->at[k + n]->block == part->block)
                n++;
            write_runs(u->w, first->at + k, n, out);
            k += n - 1;
        } else if (part->block) {
            put_call(u, m, at, out);
        } else if (part->root) {
            tangle_text(u, m, at, out);
        } else if (part->n_arms && !joins_labels(part)) {
            unify_arms(u, m, at, out);
        } else {
            unify_node(u, m, at, out);
        }
    }
}
