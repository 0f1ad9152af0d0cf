/* lower_call.c: calls: an operator becomes a node, a block is expanded. */
#include "lang/lower_parts.h"

#include <string.h>

/* ---- nodes ---- */

Node *add_node(Lower *l, const Frame *f, Op op, Node *const *in, int n_in, const Attrs *attrs,
               const char *path, const Place *place)
{
    for (int i = 0; i < n_in; i++) {
        if (!in[i])
            return NULL;
    }
    if (l->net->nodes.n >= MOST_NODES) {
        if (!l->stopped &&
            lower_error(l, place->loc, "the network has more than %d layers", MOST_NODES))
            lower_note_callers(l, f, place->loc);
        l->stopped = true;
        return NULL;
    }
    /* The shape rules report only one message at a place. */
    if (complained(&l->complaints, place->loc))
        return NULL;
    const Node *like;
    if (!find_like(l, f, op, attrs, path, place, &like))
        return NULL;
    Node *node = like ? ir_add_sharing(l->net, l->d, op, in, n_in, attrs, path, place, like)
                      : ir_add(l->net, l->d, op, in, n_in, attrs, path, place);
    if (!node)
        complain_once(&l->complaints, place->loc);
    else
        set_path(l, path, node);
    return node;
}

/* The next of conv1, conv2, ... in the frame. */
static const char *op_path(Lower *l, Frame *f, Op op)
{
    const char *name = arena_printf(l->arena, "%s%d", op_row(op)->name, ++f->ops[op]);
    return path_join(l, f->path, name);
}

Node *as_float(Lower *l, Frame *f, Node *node, const Place *place)
{
    if (!node || node->type.elem == ELEM_F32)
        return node;
    for (int i = 0; i < l->casts.n; i++) {
        if (l->casts.at[i]->in[0] == node)
            return l->casts.at[i];
    }
    Attrs attrs = ir_default_attrs(OP_CAST);
    const char *path = op_path(l, f, OP_CAST);
    if (!claim_path(l, f, path, place->loc))
        return NULL;
    Node *cast = add_node(l, f, OP_CAST, &node, 1, &attrs, path, place);
    if (cast)
        VEC_PUSH(l->arena, &l->casts, cast);
    return cast;
}

/* ---- operators ---- */

bool has_current(Lower *l, Frame *f, const Call *call)
{
    if (f->point.node || f->point.unknown)
        return !f->point.unknown;
    if (lower_error(l, call->loc, "'%s' has no tensor to work on", call->name.text)) {
        diag_note(l->d, call->loc, "`input NAME[channels, height, width]` gives the first one");
        lower_note_callers(l, f, call->loc);
    }
    return false;
}

bool prepare_op(Lower *l, Frame *f, const Call *call, Op op, Point **points, int *n, Attrs *attrs)
{
    const Type *type = f->point.node ? &f->point.node->type : NULL;
    if (op_row(op)->flags & JOIN) {
        *attrs = ir_default_attrs(op);
        if (!join_operands(l, f, call, op, points, n))
            return false;
    } else {
        bool joined = arms_joined(l, f, call->loc);
        if (!lower_attrs(l, f, op, call, type, attrs) || !joined)
            return false;
        if (!has_current(l, f, call))
            return false;
        *points = &f->point;
        *n = 1;
    }
    for (int i = 0; i < *n; i++) {
        if ((*points)[i].unknown)
            return false;
    }
    return true;
}

/* Notes which arms are empty, since no other message shows it. */
static void note_empty_arms(Lower *l, const Frame *f, const Arms *arms)
{
    for (int i = 0; i < arms->n; i++) {
        const Node *end = arms->at[i].end.node;
        if (end && end == f->point.node)
            diag_note(l->d, arms->at[i].name.loc, "the arm '%s' is empty: it is '%s' itself",
                      arms->at[i].name.text, end->name);
    }
}

/* A join with a number. */
static Point lower_constant(Lower *l, Frame *f, const Call *call, Op op, const char *path)
{
    const Place *place = frame_place(l, f, call->loc);
    Attrs attrs;
    if (!constant_attrs(l, f, call, op, &attrs))
        return (Point){.unknown = true};
    Node *in = as_float(l, f, f->point.node, place);
    Node *node = add_node(l, f, OP_AFFINE, &in, 1, &attrs, path, place);
    return node ? (Point){.node = node} : (Point){.unknown = true};
}

static Point lower_op(Lower *l, Frame *f, const Call *call, Op op, const char *path)
{
    if (is_constant_call(f, call, op))
        return lower_constant(l, f, call, op, path);
    Point *points = NULL, unknown = {.unknown = true};
    int n = 0;
    Attrs attrs;
    const Place *place = frame_place(l, f, call->loc);
    const Arms arms = f->arms;
    if (!prepare_op(l, f, call, op, &points, &n, &attrs))
        return unknown;
    Node **in = NEW_ARRAY(l->arena, Node *, n);
    for (int i = 0; i < n; i++)
        in[i] = op == OP_NORMALIZE ? points[i].node : as_float(l, f, points[i].node, place);
    int errors = l->d->errors;
    Node *node = add_node(l, f, op, in, n, &attrs, path, place);
    if (l->d->errors > errors && !l->stopped) {
        note_empty_arms(l, f, &arms);
        note_defaults(l, f, op, call);
    }
    return node ? (Point){.node = node} : unknown;
}

/* ---- blocks ---- */

static bool may_nest(Lower *l, const Frame *f, const Decl *block, Loc loc)
{
    if (l->depth < MOST_CALLS_DEEP)
        return true;
    if (!l->stopped && lower_error(l, loc, "blocks nest more than %d deep", MOST_CALLS_DEEP)) {
        diag_note(l->d, block->name.loc,
                  "'%s' is called again and again, by itself or by what it calls; an `if` must end "
                  "that",
                  block->name.text);
        const Place *first = f->caller;
        while (first && first->caller)
            first = first->caller;
        if (first)
            diag_note(l->d, first->loc, "the first of these calls is here");
    }
    l->stopped = true;
    return false;
}

static Point expand_block(Lower *l, Frame *f, const Call *call, const Decl *block, const char *path)
{
    Point unknown = {.unknown = true};
    Env env = frame_env(l, f);
    Binding binding = binding_new(l, block);
    bool good = bind_args(l, &env, &binding, call);
    Frame inside = {
        .decl = block,
        .path = path,
        .title = arena_printf(l->arena, "block '%s'", block->name.text),
        .point = f->point,
        .defaults = file_defaults(l, block),
        .index = -1,
        .caller = frame_place(l, f, call->loc),
    };
    if (good)
        good = bind_finish(l, &env, &binding, call->loc, &inside.vars);
    if (!good || !may_nest(l, f, block, call->loc))
        return unknown;
    l->depth++;
    lower_body(l, &inside, &block->body);
    close_frame(l, &inside);
    l->depth--;
    set_path(l, path, inside.point.node);
    return inside.point;
}

/* ---- names of calls ---- */

static void refuse_name(Lower *l, const Frame *f, Name name)
{
    VEC(const char *) known = {0};
    for (int op = 0; op < OP_COUNT; op++) {
        if (!(op_row((Op)op)->flags & INTERNAL))
            VEC_PUSH(l->arena, &known, op_row((Op)op)->name);
    }
    int n_ops = known.n;
    for (int i = 0; i < l->blocks.n; i++)
        VEC_PUSH(l->arena, &known, l->blocks.at[i]->name.text);
    const Synonym *other = synonym_operator(name.text, l->arena);
    if (!lower_error(l, name.loc, "there is no operator or block '%s'%s", name.text,
                     other ? lower_synonym(l, other)
                           : lower_suggestion(l, name.text, known.at, known.n)))
        return;
    if (other && other->note)
        diag_note(l->d, name.loc, "%s", other->note);
    if (str_eq(name.text, "cast"))
        diag_note(l->d, name.loc, "a u8 tensor becomes f32 by itself where an operator takes f32");
    if (!l->listed && !other)
        diag_note(l->d, name.loc, "the operators are %s", lower_listed(l, known.at, n_ops));
    if (l->blocks.n && !l->listed && !other)
        diag_note(l->d, name.loc, "the blocks are %s",
                  lower_listed(l, known.at + n_ops, known.n - n_ops));
    l->listed = l->listed || !other;
    lower_note_callers(l, f, name.loc);
}

/* The path of what is called, by its label or by the next number. */
static const char *call_path(Lower *l, Frame *f, const char *name, Op op, Name label)
{
    const char *path;
    if (op != OP_COUNT)
        path = op_path(l, f, op);
    else if (f->stage)
        path = path_join(l, f->path, arena_printf(l->arena, "%d", f->blocks++));
    else
        path = path_join(l, f->path, arena_printf(l->arena, "%s%d", name, frame_count(l, f, name)));
    return label.text ? path_join(l, f->path, label.text) : path;
}

const Decl *called(const Lower *l, const char *name, Op *op)
{
    *op = op_named(name);
    if (*op != OP_COUNT && op_row(*op)->flags & INTERNAL)
        *op = OP_COUNT;
    return *op == OP_COUNT ? declared(l, DECL_BLOCK, name) : NULL;
}

Point expand_call(Lower *l, Frame *f, const Call *call, Op op, const Decl *block, const char *path)
{
    if (op != OP_COUNT)
        return lower_op(l, f, call, op, path);
    return arms_joined(l, f, call->loc) ? expand_block(l, f, call, block, path)
                                        : (Point){.unknown = true};
}

void lower_call(Lower *l, Frame *f, const Call *call, Name label)
{
    if (str_eq(call->name.text, AGAIN)) {
        lower_again(l, f, call, label);
        return;
    }
    Op op;
    const Decl *block = called(l, call->name.text, &op);
    if (op != OP_COUNT && op_row(op)->flags & RESULTS) {
        lower_results(l, f, call, &label, label.text ? 1 : 0);
        return;
    }
    const char *path = NULL;
    const int first = l->net->nodes.n;
    Point result = {.unknown = true};
    if (op == OP_COUNT && !block) {
        refuse_name(l, f, call->name);
        (void)arms_joined(l, f, call->name.loc);
    } else {
        path = call_path(l, f, call->name.text, op, label);
        const bool claimed = claim_path(l, f, path, label.text ? label.loc : call->loc);
        result = expand_call(l, f, call, op, block, path);
        if (!claimed)
            result = (Point){.unknown = true};
    }
    if (label.text)
        add_label(l, f, label.text, result, path ? reuse_of(l, f, call, NULL, path, first) : NULL);
    f->point = result;
}
