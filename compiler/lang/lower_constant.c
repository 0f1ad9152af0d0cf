/* lower_constant.c: `mul 0.1`, `add 1`, `sub (0.5, 0.4, 0.3)`, `div 6`: a join with a number in the
 * place of tensors, or with one for each channel.  It becomes an `affine`, with a join's path. */
#include "lang/lower_parts.h"

#include <math.h>

/* Whether a name is that of a value.  A join of one label is nothing, so nothing else is meant. */
static bool is_value(const Frame *f, const char *name)
{
    return var_named(f->vars, name) || value_builtin_name(name);
}

bool is_constant_call(const Frame *f, const Call *call, Op op)
{
    if (!(op_row(op)->flags & JOIN) || op == OP_CONCAT || call->args.n != 1)
        return false;
    const Arg *arg = &call->args.at[0];
    return !arg->name.text && (arg->value->kind != EXPR_NAME || is_value(f, arg->value->text));
}

static bool refuse(Lower *l, const Frame *f, Loc loc, const char *what, const char *way_out)
{
    if (lower_error(l, loc, "%s", what)) {
        diag_note(l->d, loc, "%s", way_out);
        lower_note_callers(l, f, loc);
    }
    return false;
}

/* The numbers of the call; false after a message. */
static bool numbers_of(Lower *l, Frame *f, const Call *call, Reals *to)
{
    const Expr *e = call->args.at[0].value;
    const Env env = frame_env(l, f);
    const Value v = value_of(&env, e);
    const Value *items = v.kind == VALUE_LIST ? v.items : &v;
    const int n = v.kind == VALUE_LIST ? v.n : 1;
    double *at = NEW_ARRAY(l->arena, double, n + 1);
    bool good = v.kind != VALUE_BAD && n > 0;
    for (int i = 0; good && i < n; i++) {
        good = value_is_number(items[i]);
        at[i] = good ? value_number(items[i]) : 0;
    }
    *to = (Reals){at, n};
    if (good || v.kind == VALUE_BAD)
        return good;
    return refuse(l, f, e->loc,
                  arena_printf(l->arena, "'%s' takes tensors, a number or a list of numbers",
                               call->name.text),
                  "`mul 0.5`, or one number for each channel, `mul (0.5, 0.25, 1)`");
}

/* What x is multiplied by, or what is added to it, for a number of the call. */
static double part_of(Op op, double number)
{
    return op == OP_DIV ? 1 / number : op == OP_SUB ? -number : number;
}

static bool parts_fit(Lower *l, Frame *f, const Call *call, Op op, Reals r)
{
    const AttrRow *row = op_attr(OP_AFFINE, op == OP_ADD || op == OP_SUB ? "shift" : "scale");
    const Loc loc = call->args.at[0].value->loc;
    for (int i = 0; i < r.n; i++) {
        const double part = part_of(op, r.at[i]);
        if (op == OP_DIV && r.at[i] == 0)
            return refuse(l, f, loc, "nothing can be divided by 0",
                          "an epsilon keeps a divisor away from it");
        if (!(part >= row->least && part <= row->most))
            return refuse(l, f, loc,
                          arena_printf(l->arena, "'%s' takes no number such as %.9g",
                                       call->name.text, r.at[i]),
                          arena_printf(l->arena, "what is %s goes from %.9g to %.9g",
                                       op == OP_ADD || op == OP_SUB ? "added" : "multiplied by",
                                       row->least, row->most));
    }
    return true;
}

/* One number, or one for each channel. */
static bool count_fits(Lower *l, Frame *f, const Call *call, int n)
{
    const Node *x = f->point.node;
    if (n == 1 || n == x->type.c)
        return true;
    if (lower_error(l, call->args.at[0].value->loc, "'%s' has %d numbers for %d channels",
                    call->name.text, n, x->type.c)) {
        diag_note(l->d, x->place ? x->place->loc : NO_LOC,
                  "'%s' is %d x %d x %d; give one number for each channel, or one for all", x->name,
                  x->type.c, x->type.h, x->type.w);
        lower_note_callers(l, f, call->loc);
    }
    return false;
}

bool constant_attrs(Lower *l, Frame *f, const Call *call, Op op, Attrs *attrs)
{
    Reals r;
    *attrs = ir_default_attrs(OP_AFFINE);
    if (f->arms.n) {
        refuse(l, f, call->loc,
               arena_printf(l->arena, "'%s' has a number, and there are arms to join",
                            call->name.text),
               "`add ; mul 0.5`: first the join of the arms, then the number");
        f->arms.n = 0;
        return false;
    }
    if (!has_current(l, f, call) || !numbers_of(l, f, call, &r) || !parts_fit(l, f, call, op, r) ||
        !count_fits(l, f, call, r.n))
        return false;
    double *at = NEW_ARRAY(l->arena, double, r.n);
    for (int i = 0; i < r.n; i++)
        at[i] = part_of(op, r.at[i]);
    *(op == OP_ADD || op == OP_SUB ? &attrs->addend : &attrs->factor) = (Reals){at, r.n};
    return true;
}
