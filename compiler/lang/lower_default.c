/* lower_default.c: `default conv padding=same bias=true`.
 *
 * A default holds for those calls of its operator that come after it in the same braces or in the
 * same file and that leave the attribute out.  Only the text counts: a block that is called there
 * uses the defaults around its own declaration.  An included file does not see the defaults of the
 * file that includes it, and its own have no effect outside of it.
 */
#include "lang/lower_parts.h"

enum { MOST_DEFAULTS = 1000 };

const Default *default_of(const Frame *f, const AttrRow *row)
{
    const Default *d = f->defaults;
    while (d && d->row != row)
        d = d->next;
    return d;
}

static bool refuse_operator(Lower *l, const Frame *f, Name name)
{
    VEC(const char *) known = {0};
    for (int op = 0; op < OP_COUNT; op++) {
        const OpRow *row = op_row((Op)op);
        if (!(row->flags & INTERNAL) && row->n_attrs)
            VEC_PUSH(l->arena, &known, row->name);
    }
    const Synonym *other = synonym_operator(name.text, l->arena);
    if (lower_error(l, name.loc, "there are defaults for operators, and '%s' is none%s", name.text,
                    other && other->here ? lower_synonym(l, other)
                                         : lower_suggestion(l, name.text, known.at, known.n))) {
        if (declared(l, DECL_BLOCK, name.text))
            diag_note(l->d, name.loc, "a block has its own: `block %s(stride = 1) { ... }`",
                      name.text);
        else
            diag_note(l->d, name.loc, "those with attributes are %s",
                      lower_listed(l, known.at, known.n));
        lower_note_callers(l, f, name.loc);
    }
    return false;
}

/* Checks that all values have names, which say what they are the default of. */
static bool all_named(Lower *l, const Frame *f, const Call *call)
{
    for (int i = 0; i < call->args.n; i++) {
        const Arg *arg = &call->args.at[i];
        if (arg->name.text)
            continue;
        if (lower_error(l, arg->value->loc, "a default says the name of its attribute")) {
            diag_note(l->d, call->loc, "it is written `default %s ATTRIBUTE=VALUE ...`",
                      call->name.text);
            lower_note_callers(l, f, arg->value->loc);
        }
        return false;
    }
    return true;
}

void lower_default(Lower *l, Frame *f, const Stmt *s)
{
    Op op = op_named(s->call->name.text);
    if (op == OP_COUNT || op_row(op)->flags & INTERNAL) {
        refuse_operator(l, f, s->call->name);
        return;
    }
    if (!all_named(l, f, s->call))
        return;
    const OpRow *row = op_row(op);
    Value *values = NEW_ARRAY(l->arena, Value, row->n_attrs);
    const Expr **given = NEW_ARRAY(l->arena, const Expr *, row->n_attrs);
    if (!lower_attr_values(l, f, op, s->call, given, values))
        return;
    for (int i = 0; i < row->n_attrs; i++) {
        if (!given[i])
            continue;
        int number = f->defaults ? f->defaults->number + 1 : 1;
        if (number > MOST_DEFAULTS) {
            lower_error(l, s->loc, "more than %d defaults hold here", MOST_DEFAULTS);
            return;
        }
        Default *d = NEW(l->arena, Default);
        *d = (Default){f->defaults, &row->attrs[i], values[i], given[i], number};
        f->defaults = d;
    }
}

static const Default *evaluate(Lower *l, const Decl *decl)
{
    Frame file = {.decl = decl, .path = "", .title = "", .index = -1};
    Env env = frame_env(l, &file);
    for (int i = 0; i < decl->defaults.n; i++) {
        const Stmt *s = decl->defaults.at[i];
        if (!value_spend(&env, s->loc, 4 * (int64_t)s->call->args.n)) /* for their memory */
            break;
        lower_default(l, &file, s);
    }
    return file.defaults;
}

const Default *file_defaults(Lower *l, const Decl *decl)
{
    if (decl->kind != DECL_BLOCK || !decl->defaults.n)
        return evaluate(l, decl);
    if (!l->block_defaults) { /* all blocks are declared before the first one is called */
        l->block_defaults = NEW_ARRAY(l->arena, const Default *, l->blocks.n);
        l->has_block_defaults = NEW_ARRAY(l->arena, bool, l->blocks.n);
    }
    int at = table_find(&l->declared[DECL_BLOCK], decl->name.text)->number - 1;
    if (!l->has_block_defaults[at])
        l->block_defaults[at] = evaluate(l, decl);
    l->has_block_defaults[at] = true;
    return l->block_defaults[at];
}

void note_defaults(Lower *l, const Frame *f, Op op, const Call *call)
{
    const OpRow *row = op_row(op);
    for (int i = 0; i < row->n_attrs; i++) {
        const Default *d = default_of(f, &row->attrs[i]);
        bool given = false;
        for (int k = 0; k < call->args.n; k++) {
            const char *name = call->args.at[k].name.text;
            given = given || (name && str_eq(name, row->attrs[i].word));
        }
        if (d && !given)
            diag_note(l->d, d->expr->loc, "'%s' of '%s' is the one of this default",
                      row->attrs[i].word, row->name);
    }
}
