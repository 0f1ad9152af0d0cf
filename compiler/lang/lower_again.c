/* lower_again.c: `again NAME` expands a labelled call or a stage once more, on the current tensor,
 * and its layers share the parameters of the first expansion.
 *
 * It is the same text in the same surroundings, so nothing can be configured differently.  What
 * depends on the tensor (`channels`, `padding=same`) is computed again, and layers are paired by
 * their paths.  If a pair does not fit, or a layer has no counterpart, the network is refused. */
#include "lang/lower_parts.h"

#include <string.h>

/* ---- what is called again ---- */

const Reuse *reuse_of(Lower *l, const Frame *f, const Call *call, const Stmt *stage,
                      const char *path, int first)
{
    Reuse *reuse = NEW(l->arena, Reuse);
    *reuse = (Reuse){call, stage, f->vars, f->defaults, f->index, path, first, l->net->nodes.n};
    return reuse;
}

static bool refuse_form(Lower *l, const Frame *f, const Call *call)
{
    if (lower_error(l, call->loc, "'again' takes the name of a call or of a stage, nothing else")) {
        diag_note(l->d, call->loc,
                  "`tower: branch(16)` names a call; `again tower` makes it once more, with the "
                  "same values and the same trained parameters");
        lower_note_callers(l, f, call->loc);
    }
    return false;
}

static bool refuse_unknown(Lower *l, const Frame *f, Name name, const char *const *known, int n)
{
    if (lower_error(l, name.loc, "there is no call or stage '%s' here%s", name.text,
                    lower_suggestion(l, name.text, known, n))) {
        if (n)
            diag_note(l->d, name.loc, "known here: %s", lower_listed(l, known, n));
        else
            diag_note(l->d, name.loc,
                      "a label gives a call a name, `%s: conv 3x3 64`; a block knows its own alone",
                      name.text);
        lower_note_callers(l, f, name.loc);
    }
    return false;
}

/* Finds the call or stage that `name` names; returns false after a message. */
static bool find_reuse(Lower *l, const Frame *f, Name name, const Reuse **reuse)
{
    const Label *label = NULL;
    for (const Frame *at = f; at && !label; at = at->parent)
        label = label_in(at, name.text);
    if (label) {
        *reuse = label->reuse;
        if (*reuse || label->point.unknown)
            return !label->point.unknown;
        if (lower_error(l, name.loc, "'%s' is a tensor, not a call: there is nothing to call again",
                        name.text))
            diag_note(l->d, name.loc, "`from %s` goes on from it", name.text);
        return false;
    }
    VEC(const char *) known = {0};
    for (const Frame *at = f; at && !complained(&l->complaints, name.loc); at = at->parent) {
        for (int i = at->labels.n - 1; i >= 0; i--) {
            if (at->labels.at[i].reuse)
                VEC_PUSH(l->arena, &known, at->labels.at[i].name);
        }
    }
    return refuse_unknown(l, f, name, known.at, known.n);
}

/* ---- layers in pairs ---- */

/* The layer at a path; NULL if there is none, or if the path is that of a block or stage. */
static const Node *layer_at(const Lower *l, const char *path)
{
    const NameEntry *entry = table_find(&l->names, path);
    return entry && entry->node && str_eq(entry->node->name, path) ? entry->node : NULL;
}

/* The path of a layer's counterpart, which is the same under `to` as the layer's is under `from`.
 */
static const char *counterpart(Lower *l, const char *path, const char *from, const char *to)
{
    return arena_printf(l->arena, "%s%s", to, path + strlen(from));
}

/* The word of the first attribute that differs, or NULL.  Padding is not compared, since it may
 * follow from the tensor's size. */
static const char *differing(Op op, const Attrs *a, const Attrs *b)
{
    const OpRow *row = op_row(op);
    for (int i = 0; i < row->n_attrs; i++) {
        const AttrRow *attr = &row->attrs[i];
        if (attr->kind != ATTR_PADDING &&
            !attr_same(attr, (const char *)a + attr->offset, (const char *)b + attr->offset))
            return attr->word;
    }
    return NULL;
}

static void note_depends(Lower *l, const Frame *f, Loc loc)
{
    diag_note(l->d, loc,
              "what is called again may depend on its tensor (`channels`, `height`, `width`), "
              "its trained layers may not");
    lower_note_callers(l, f, loc);
}

bool find_like(Lower *l, const Frame *f, Op op, const Attrs *attrs, const char *path,
               const Place *place, const Node **like)
{
    *like = NULL;
    if (!l->sharing || op_row(op)->n_params == 0)
        return true;
    const char *of = counterpart(l, path, l->sharing->path, l->sharing->of);
    *like = layer_at(l, of);
    const bool same_op = *like && (*like)->op == op;
    const char *word = same_op ? differing(op, attrs, &(*like)->attrs) : NULL;
    if (same_op && !word)
        return true;
    if (!same_op && lower_error(l, place->loc, "'%s' has no counterpart: there is no %s '%s'", path,
                                op_row(op)->name, of))
        note_depends(l, f, place->loc);
    else if (word && lower_error(l, place->loc,
                                 "'%s' cannot use the parameters of '%s': they differ in '%s'",
                                 path, of, word))
        note_depends(l, f, place->loc);
    return false;
}

/* Checks that each trained layer of the first expansion has its counterpart in this one. */
static void check_all(Lower *l, const Frame *f, const Reuse *reuse, const char *path, Loc loc)
{
    for (int i = reuse->first; i < reuse->end; i++) {
        const Node *node = l->net->nodes.at[i];
        if (op_row(node->op)->n_params == 0)
            continue;
        const char *here = counterpart(l, node->name, reuse->path, path);
        if (layer_at(l, here))
            continue;
        if (lower_error(l, loc, "there is no '%s', the counterpart of '%s'", here, node->name)) {
            diag_note(l->d, node->place->loc, "'%s' is here", node->name);
            note_depends(l, f, loc);
        }
        return;
    }
}

/* ---- the expansion ---- */

/* The label, or the first name of tower, tower2, ... that is free. */
static const char *again_path(Lower *l, Frame *f, const char *name, Name label)
{
    if (label.text)
        return path_join(l, f->path, label.text);
    const char *path;
    do {
        const int count = frame_count(l, f, name);
        path =
            path_join(l, f->path, count > 1 ? arena_printf(l->arena, "%s%d", name, count) : name);
    } while (table_find(&l->names, path));
    return path;
}

static Point expand_stage(Lower *l, Frame *f, const Stmt *s, const char *path)
{
    Frame stage = frame_inside(f, path, arena_printf(l->arena, "stage '%s'", s->name.text));
    stage.stage = stage.again = true;
    lower_body(l, &stage, &s->body);
    close_frame(l, &stage);
    set_path(l, path, stage.point.node);
    return stage.point;
}

/* Expands it as and where it was written, but on the current tensor. */
static Point expand_again(Lower *l, Frame *f, const Reuse *reuse, const char *path, Loc loc)
{
    const Var *vars = f->vars;
    const Default *defaults = f->defaults;
    const int64_t index = f->index;
    const Place *caller = f->caller;
    const Sharing *outer = l->sharing, sharing = {path, reuse->path};
    Op op = OP_COUNT;
    const Decl *block = reuse->call ? called(l, reuse->call->name.text, &op) : NULL;
    Point result;
    f->vars = reuse->vars;
    f->defaults = reuse->defaults;
    f->index = reuse->index;
    f->caller = frame_place(l, f, loc);
    l->sharing = &sharing;
    if (reuse->stage)
        result = expand_stage(l, f, reuse->stage, path);
    else
        result = expand_call(l, f, reuse->call, op, block, path);
    l->sharing = outer;
    f->vars = vars;
    f->defaults = defaults;
    f->index = index;
    f->caller = caller;
    return result;
}

static bool is_join(const Lower *l, const Call *call)
{
    Op op = OP_COUNT;
    if (call)
        (void)called(l, call->name.text, &op);
    return op != OP_COUNT && op_row(op)->flags & JOIN;
}

/* Finds what `call` names; returns false after a message. */
static bool target(Lower *l, Frame *f, const Call *call, const Reuse **reuse)
{
    const Arg *arg = call->args.n == 1 ? &call->args.at[0] : NULL;
    if (!arg || arg->name.text || arg->value->kind != EXPR_NAME)
        return refuse_form(l, f, call);
    const Name name = {arg->value->text, arg->value->loc};
    if (!arms_joined(l, f, call->loc) || !find_reuse(l, f, name, reuse))
        return false;
    if (!is_join(l, (*reuse)->call))
        return true;
    if (lower_error(l, call->loc, "'%s' is a join, which has no parameters to use again",
                    name.text))
        diag_note(l->d, call->loc, "write the join itself, with its arms or its operands");
    return false;
}

void lower_again(Lower *l, Frame *f, const Call *call, Name label)
{
    const Reuse *reuse = NULL, *now = NULL;
    Point result = {.unknown = true};
    if (target(l, f, call, &reuse)) {
        const char *path = again_path(l, f, call->args.at[0].value->text, label);
        const int first = l->net->nodes.n, errors = l->d->errors;
        if (claim_path(l, f, path, label.text ? label.loc : call->loc))
            result = expand_again(l, f, reuse, path, call->loc);
        if (l->d->errors == errors && !l->stopped)
            check_all(l, f, reuse, path, call->loc);
        Reuse *copy = NEW(l->arena, Reuse);
        *copy = *reuse;
        copy->path = path;
        copy->first = first;
        copy->end = l->net->nodes.n;
        now = copy;
    }
    if (label.text)
        add_label(l, f, label.text, result, now);
    f->point = result;
}
