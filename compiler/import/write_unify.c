/* write_unify.c: one text for all calls of a block: what differs between them is a parameter, a
 * multiple of one, or what follows from `channels`. */
#include "import/write_parts.h"

#include <ctype.h>
#include <math.h>
#include <string.h>

enum { MOST_HOLES = 8, MOST_FACTOR = 64 };

Unify unify_new(Writer *w, int n)
{
    return (Unify){.w = w, .arena = w->arena, .n = n, .words = {.arena = w->arena}};
}

/* ---- values ---- */

static bool all_equal(Mask m, const int64_t *v)
{
    for (int i = 1; i < m.n; i++) {
        if (v[m.at[i]] != v[m.at[0]])
            return false;
    }
    return true;
}

/* Whether v is factor * of, everywhere. */
static bool is_multiple(Mask m, const int64_t *v, const int64_t *of, const bool *known,
                        int64_t factor)
{
    for (int i = 0; i < m.n; i++) {
        const int k = m.at[i];
        if ((known && !known[k]) || v[k] != factor * of[k])
            return false;
    }
    return true;
}

/* v as a multiple or a part of values that are called `name`; NULL if it is none. */
static Expr *multiple(Unify *u, Mask m, const int64_t *v, const int64_t *of, const bool *known,
                      const char *name)
{
    Expr *e = write_name(u->arena, name);
    if (is_multiple(m, v, of, known, 1))
        return e;
    for (int64_t k = 2; k <= MOST_FACTOR; k++) {
        if (is_multiple(m, v, of, known, k))
            return write_binary(u->arena, OPERATOR_MUL, write_int(u->arena, k), e);
    }
    return NULL;
}

static Expr *part(Unify *u, Mask m, const int64_t *v, const int64_t *of, const bool *known,
                  const char *name)
{
    for (int i = 0; i < m.n; i++) {
        if (known && !known[m.at[i]])
            return NULL;
    }
    for (int64_t k = 2; k <= MOST_FACTOR; k++) {
        if (is_multiple(m, of, v, NULL, k))
            return write_binary(u->arena, OPERATOR_FLOORDIV, write_name(u->arena, name),
                                write_int(u->arena, k));
    }
    return NULL;
}

/* A new parameter; its values at other calls do not matter. */
static Expr *new_hole(Unify *u, Mask m, const int64_t *v, const char *word, bool truth)
{
    Hole hole = {.name = write_new_word(u->arena, &u->words, word), .truth = truth};
    hole.must = str_starts(word, "filters") || str_starts(word, "units");
    hole.v = NEW_ARRAY(u->arena, int64_t, u->n);
    hole.known = NEW_ARRAY(u->arena, bool, u->n);
    for (int i = 0; i < m.n; i++) {
        hole.v[m.at[i]] = v[m.at[i]];
        hole.known[m.at[i]] = true;
    }
    VEC_PUSH(u->arena, &u->holes, hole);
    u->bad = u->bad || u->holes.n > MOST_HOLES;
    return write_name(u->arena, hole.name);
}

static Expr *of_channels(Unify *u, Mask m, const int64_t *v, const int64_t *ch)
{
    Expr *e = ch ? multiple(u, m, v, ch, NULL, "channels") : NULL;
    return e || !ch ? e : part(u, m, v, ch, NULL, "channels");
}

Expr *unify_value(Unify *u, Mask m, const int64_t *v, const int64_t *ch, const char *word,
                  bool truth)
{
    /* In a condition all strides may be 2, and are the block's all the same. */
    for (int i = 0; m.n < u->n && i < u->holes.n; i++) {
        const Hole *h = &u->holes.at[i];
        if (str_eq(h->name, word) && is_multiple(m, v, h->v, h->known, 1))
            return write_name(u->arena, h->name);
    }
    if (all_equal(m, v))
        return truth ? write_bool(u->arena, v[m.at[0]]) : write_int(u->arena, v[m.at[0]]);
    Expr *e = NULL;
    for (int i = 0; !e && i < u->holes.n; i++) {
        const Hole *h = &u->holes.at[i];
        if (h->truth == truth && is_multiple(m, v, h->v, h->known, 1))
            e = write_name(u->arena, h->name);
    }
    for (int i = 0; !e && !truth && i < u->holes.n; i++) {
        const Hole *h = &u->holes.at[i];
        /* A stride of 2 is no multiple of anything. */
        if (str_eq(word, h->name) || (h->must && ch))
            e = multiple(u, m, v, h->v, h->known, h->name);
    }
    if (!e && !truth)
        e = of_channels(u, m, v, ch);
    for (int i = 0; !e && ch && i < u->holes.n; i++) {
        const Hole *h = &u->holes.at[i];
        e = h->must ? part(u, m, v, h->v, h->known, h->name) : NULL;
    }
    return e ? e : new_hole(u, m, v, word, truth);
}

/* ---- conditions ---- */

/* Something that is true at some calls. */
typedef struct Fact {
    Expr *expr;
    bool *holds; /* [n] */
} Fact;

typedef VEC(Fact) Facts;

static bool fits(Mask m, const bool *present, const bool *a, const bool *b, bool both)
{
    for (int i = 0; i < m.n; i++) {
        const int k = m.at[i];
        const bool value = both ? a[k] && b[k] : a[k] || b[k];
        if (value != present[k])
            return false;
    }
    return true;
}

/* a != b and a == b, for two values that are known at all calls. */
static void add_facts(Unify *u, Facts *facts, Mask m, const int64_t *a, const int64_t *b,
                      Expr *left, Expr *right)
{
    Fact differ = {write_binary(u->arena, OPERATOR_NE, left, right),
                   NEW_ARRAY(u->arena, bool, u->n)};
    Fact same = {write_binary(u->arena, OPERATOR_EQ, left, right), NEW_ARRAY(u->arena, bool, u->n)};
    for (int i = 0; i < m.n; i++) {
        same.holds[m.at[i]] = a[m.at[i]] == b[m.at[i]];
        differ.holds[m.at[i]] = !same.holds[m.at[i]];
    }
    VEC_PUSH(u->arena, facts, differ);
    VEC_PUSH(u->arena, facts, same);
}

static Facts facts_of(Unify *u, Mask m, const int64_t *ch)
{
    Facts facts = {0};
    int64_t *one = NEW_ARRAY(u->arena, int64_t, u->n);
    for (int i = 0; i < u->n; i++)
        one[i] = 1;
    for (int i = 0; i < u->holes.n; i++) {
        const Hole *h = &u->holes.at[i];
        bool known = !h->truth;
        for (int k = 0; k < m.n; k++)
            known = known && h->known[m.at[k]];
        if (known && !h->must)
            add_facts(u, &facts, m, h->v, one, write_name(u->arena, h->name),
                      write_int(u->arena, 1));
    }
    for (int i = u->widths.n - 1; i >= 0; i--) {
        /* Those of layers that only some calls have are known there alone, and 0 elsewhere. */
        bool known = true;
        for (int k = 0; k < m.n; k++)
            known = known && u->widths.at[i].v[m.at[k]] != 0;
        if (known)
            add_facts(u, &facts, m, ch, u->widths.at[i].v, write_name(u->arena, "channels"),
                      u->widths.at[i].expr);
    }
    return facts;
}

Expr *unify_condition(Unify *u, Mask m, const bool *present, const int64_t *ch)
{
    const Facts facts = facts_of(u, m, ch);
    for (int i = 0; i < facts.n; i++) {
        if (str_eq(operator_text(facts.at[i].expr->op), "!=") &&
            fits(m, present, facts.at[i].holds, facts.at[i].holds, true))
            return facts.at[i].expr;
    }
    for (int both = 0; both < 2; both++) {
        for (int i = 0; i < facts.n; i++) {
            for (int k = i; k < facts.n; k++) {
                if (fits(m, present, facts.at[i].holds, facts.at[k].holds, both))
                    return i == k ? facts.at[i].expr
                                  : write_binary(u->arena, both ? OPERATOR_AND : OPERATOR_OR,
                                                 facts.at[i].expr, facts.at[k].expr);
            }
        }
    }
    int64_t *v = NEW_ARRAY(u->arena, int64_t, u->n);
    for (int i = 0; i < m.n; i++)
        v[m.at[i]] = present[m.at[i]];
    return unify_value(u, m, v, NULL, "project", true);
}

/* ---- layers ---- */

static int64_t *numbers(Unify *u, Mask m, Part *const *parts, const AttrRow *row, int element)
{
    int64_t *v = NEW_ARRAY(u->arena, int64_t, u->n);
    for (int i = 0; i < m.n; i++) {
        const char *at = (const char *)&parts[m.at[i]]->node->attrs + row->offset;
        v[m.at[i]] = row->kind == ATTR_BOOL ? *(const bool *)at : ((const int *)at)[element];
    }
    return v;
}

static int64_t *channels_of(Unify *u, Mask m, Part *const *parts)
{
    int64_t *v = NEW_ARRAY(u->arena, int64_t, u->n);
    for (int i = 0; i < m.n; i++)
        v[m.at[i]] = parts[m.at[i]]->node->in[0]->type.c;
    return v;
}

/* A pair: 3x3, one number for both, or (a, b). */
static Expr *unify_pair(Unify *u, Mask m, Part *const *parts, const AttrRow *row)
{
    const int64_t *h = numbers(u, m, parts, row, 0), *w = numbers(u, m, parts, row, 1);
    if (all_equal(m, h) && all_equal(m, w) &&
        (h[m.at[0]] != w[m.at[0]] || str_eq(row->word, "kernel")))
        return write_value(u->arena, row, (const char *)&parts[m.at[0]]->node->attrs + row->offset);
    if (is_multiple(m, h, w, NULL, 1))
        return unify_value(u, m, h, NULL, row->word, false);
    Exprs items = {0};
    VEC_PUSH(u->arena, &items, unify_value(u, m, h, NULL, row->word, false));
    VEC_PUSH(u->arena, &items, unify_value(u, m, w, NULL, row->word, false));
    return expr_list(u->arena, items, NO_LOC);
}

static Expr *unify_int(Unify *u, Mask m, Part *const *parts, const AttrRow *row)
{
    const bool truth = row->kind == ATTR_BOOL;
    int64_t *v = numbers(u, m, parts, row, 0);
    const Node *node = parts[m.at[0]]->node;
    const bool width = str_eq(row->word, "filters"), groups = str_eq(row->word, "groups");
    const int64_t *ch =
        width || groups || str_eq(row->word, "units") ? channels_of(u, m, parts) : NULL;
    if (u->classes && node == u->last_dense && str_eq(row->word, "units"))
        return u->classes;
    /* Of a depthwise convolution. */
    if (groups && v[m.at[0]] > 1 && is_multiple(m, v, ch, NULL, 1))
        return write_name(u->arena, "channels");
    Expr *e = unify_value(u, m, v, ch, row->word, truth);
    if (width && !(e->kind == EXPR_NAME && str_eq(e->text, "channels"))) {
        const Width known = {v, e};
        VEC_PUSH(u->arena, &u->widths, known);
    }
    return e;
}

/* The padding, or NULL if it is the default. */
static Expr *unify_padding(Unify *u, Mask m, Part *const *parts, const AttrRow *row)
{
    const Node *node = parts[m.at[0]]->node;
    const int *p = node->attrs.padding;
    const bool zero = !p[0] && !p[1] && !p[2] && !p[3], conv = row->def && str_eq(row->def, "half");
    if (!op_attr(node->op, "kernel"))
        return zero && row->def ? NULL : write_value(u->arena, row, p);
    if (u->w->same_style && write_is_same(node) && (conv || !zero))
        return write_name(u->arena, "same");
    if (conv ? write_is_half(node) : zero)
        return NULL;
    for (int axis = 0; axis < 2 && !conv && write_is_half(node); axis++) {
        const AttrRow *kernel = op_attr(node->op, "kernel");
        if (!all_equal(m, numbers(u, m, parts, kernel, axis)))
            return write_name(u->arena, "half");
    }
    return zero ? write_name(u->arena, "valid") : write_value(u->arena, row, p);
}

static bool all_default(Mask m, Part *const *parts, const AttrRow *row, const Attrs *defaults)
{
    if (!row->def)
        return false;
    for (int i = 0; i < m.n; i++) {
        if (!attr_same(row, (const char *)&parts[m.at[i]]->node->attrs + row->offset,
                       (const char *)defaults + row->offset))
            return false;
    }
    return true;
}

/* An attribute, or NULL if it is left out. */
static Expr *unify_attr(Unify *u, Mask m, Part *const *parts, const AttrRow *row,
                        const Attrs *defaults)
{
    const Node *node = parts[m.at[0]]->node;
    const bool global = write_is_global(node);
    if (row->kind == ATTR_PADDING)
        return unify_padding(u, m, parts, row);
    if (all_default(m, parts, row, defaults) || (global && str_eq(row->word, "stride")))
        return NULL;
    if (global && str_eq(row->word, "kernel"))
        return write_name(u->arena, "global");
    switch (row->kind) {
    case ATTR_PAIR:
        return unify_pair(u, m, parts, row);
    case ATTR_INT:
    case ATTR_BOOL:
        return unify_int(u, m, parts, row);
    default:
        return write_value(u->arena, row, (const char *)&node->attrs + row->offset);
    }
}

static bool all_are(Reals r, double value)
{
    for (int i = 0; i < r.n; i++) {
        if (r.at[i] != value)
            return false;
    }
    return true;
}

/* An affine as `mul 0.1`, `div 6`, `add 1` or `sub 1`; NULL if it multiplies and adds, or by a
 * number below 0. */
static Call *write_arithmetic(Arena *arena, const Attrs *a)
{
    const bool scaled = !all_are(a->factor, 1), shifted = !all_are(a->addend, 0);
    const Reals r = scaled ? a->factor : a->addend;
    const double x = r.at[0];
    if (scaled == shifted || (r.n == 1 && scaled && !(x > 0)))
        return NULL;
    Call *call = write_new_call(arena, scaled ? "mul" : "add");
    Expr *value = write_value(arena, op_attr(OP_AFFINE, scaled ? "scale" : "shift"), &r);
    if (r.n == 1 && scaled && value->kind == EXPR_BINARY) { /* 1/6 */
        call->name.text = "div";
        value = write_real(arena, round(1 / x));
    } else if (r.n == 1 && shifted && x < 0) {
        call->name.text = "sub";
        value = write_real(arena, -x);
    }
    write_arg(arena, call, NULL, value);
    return call;
}

Call *unify_layer(Unify *u, Mask m, Part *const *parts)
{
    const Node *node = parts[m.at[0]]->node;
    const OpRow *op = op_row(node->op);
    const Attrs defaults = ir_default_attrs(node->op);
    Call *arithmetic = node->op == OP_AFFINE ? write_arithmetic(u->arena, &node->attrs) : NULL;
    if (arithmetic)
        return arithmetic;
    Call *call = write_new_call(u->arena, op->name);
    bool in_order = true; /* every position so far was given */
    for (int k = 0; k < op->n_attrs; k++) {
        /* normalize begins with its scale, the last row, as people write it. */
        const int i = node->op == OP_NORMALIZE ? (k + op->n_attrs - 1) % op->n_attrs : k;
        const AttrRow *row = &op->attrs[i];
        Expr *value = unify_attr(u, m, parts, row, &defaults);
        if (!value) {
            in_order = in_order && row->position < 0;
            continue;
        }
        const bool word = row->position < 0 || !in_order || row->kind == ATTR_REALS;
        write_arg(u->arena, call, word ? row->word : NULL, value);
    }
    return call;
}

/* ---- blocks ---- */

/* The value that most calls have is the default; where a value does not matter, it is that. */
static void choose_defaults(Unify *u)
{
    for (int i = 0; i < u->holes.n; i++) {
        Hole *h = &u->holes.at[i];
        int best = 0;
        for (int a = 0; a < u->n; a++) {
            int count = 0;
            for (int b = 0; b < u->n; b++)
                count += h->known[a] && h->known[b] && h->v[a] == h->v[b];
            if (count > best) {
                best = count;
                h->def = h->v[a];
            }
        }
        for (int a = 0; a < u->n; a++) {
            h->must = h->must && h->known[a];
            h->v[a] = h->known[a] ? h->v[a] : h->def;
        }
    }
}

static Expr *hole_value(Arena *arena, const Hole *h, int64_t value)
{
    return h->truth ? write_bool(arena, value) : write_int(arena, value);
}

/* The parameters that must be given come first. */
static void declare(Unify *u, Decl *decl)
{
    for (int must = 1; must >= 0; must--) {
        for (int i = 0; i < u->holes.n; i++) {
            const Hole *h = &u->holes.at[i];
            const Parameter p = {
                {h->name, NO_LOC}, {NULL, NO_LOC}, must ? NULL : hole_value(u->arena, h, h->def)};
            if (h->must == must)
                VEC_PUSH(u->arena, &decl->params, p);
        }
    }
}

/* The words for results of splits in a block that no text says are the net's to choose. */
static void forget_words(Writer *w, const Parts *parts)
{
    for (int i = 0; i < parts->n; i++) {
        const Part *part = parts->at[i];
        const int n = part->block ? 1 : op_results(part->node->op, &part->node->attrs);
        forget_words(w, &part->inner);
        for (int k = 0; k < part->n_arms; k++)
            forget_words(w, &part->arms[k]->parts);
        for (int k = 0; n > 1 && k < n; k++)
            w->labels[part->node->id + k] = NULL;
    }
}

void unify_block(Writer *w, Block *block)
{
    if (block->decl || block->bad)
        return;
    const int n = block->calls.n;
    Unify u = unify_new(w, n);
    int *all = NEW_ARRAY(w->arena, int, n);
    const Parts **lists = NEW_ARRAY(w->arena, const Parts *, n);
    Decl *decl = NEW(w->arena, Decl);
    decl->kind = DECL_BLOCK;
    decl->loc = NO_LOC;
    for (int i = 0; i < n; i++) {
        all[i] = i;
        lists[i] = &block->calls.at[i]->inner;
    }
    unify_list(&u, (Mask){all, n}, lists, &decl->body);
    if (u.bad) {
        block->bad = true;
        for (int i = 0; i < n; i++)
            forget_words(w, &block->calls.at[i]->inner);
        return;
    }
    choose_defaults(&u);
    declare(&u, decl);
    for (int i = 0; i < u.holes.n; i++)
        VEC_PUSH(w->arena, &block->holes, u.holes.at[i]);
    block->name = block_name(w, block);
    decl->name = (Name){block->name, NO_LOC};
    block->decl = decl;
    VEC_PUSH(w->arena, &w->decls, decl);
}

Call *block_call(Writer *w, const Block *block, int call)
{
    Call *made = write_new_call(w->arena, block->name);
    for (int must = 1; must >= 0; must--) {
        for (int i = 0; i < block->holes.n; i++) {
            const Hole *h = &block->holes.at[i];
            if (h->must == must && (must || h->v[call] != h->def))
                write_arg(w->arena, made, must ? NULL : h->name,
                          hole_value(w->arena, h, h->v[call]));
        }
    }
    made->parens = made->args.n > 0;
    return made;
}
