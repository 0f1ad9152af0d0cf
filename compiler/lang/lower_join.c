/* lower_join.c: arms, and the operands of the operators that join them. */
#include "lang/lower_parts.h"

/* ---- arms ---- */

void lower_arm(Lower *l, Frame *f, const Stmt *s)
{
    const char *name = s->name.text;
    int count = frame_count(l, f, name);
    if (count > 1) /* main, main2, ... */
        name = arena_printf(l->arena, "%s%d", name, count);
    const char *path = path_join(l, f->path, name);
    bool claimed = claim_path(l, f, path, s->name.loc);
    Frame arm = frame_inside(f, path, arena_printf(l->arena, "arm '%s'", s->name.text));
    lower_body(l, &arm, &s->body);
    close_frame(l, &arm);
    if (!arm.point.node && !arm.point.unknown) {
        if (lower_error(l, s->name.loc, "the arm '%s' has no tensor to begin with", s->name.text))
            diag_note(l->d, s->name.loc,
                      "`input NAME[channels, height, width]` gives the first one");
        arm.point.unknown = true;
    }
    if (!claimed)
        arm.point = (Point){.unknown = true};
    set_path(l, path, arm.point.node);
    VEC_PUSH(l->arena, &f->arms, ((Arm){s->name, arm.point}));
}

static void note_arms(Lower *l, const Frame *f)
{
    for (int i = 0; i < f->arms.n; i++)
        diag_note(l->d, f->arms.at[i].name.loc, "the arm '%s' is here", f->arms.at[i].name.text);
}

bool arms_joined(Lower *l, Frame *f, Loc loc)
{
    if (!f->arms.n)
        return true;
    if (lower_error(l, loc, "a join must follow the arms; this is none")) {
        note_arms(l, f);
        diag_note(l->d, loc,
                  "`add`, `sub`, `mul`, `div` or `concat` directly after the arms makes one tensor "
                  "of them");
        lower_note_callers(l, f, loc);
    }
    f->arms.n = 0;
    f->point = (Point){.unknown = true};
    return false;
}

void close_frame(Lower *l, Frame *f)
{
    if (!f->arms.n || l->stopped)
        return;
    Loc loc = f->arms.at[f->arms.n - 1].name.loc;
    if (lower_error(l, loc, "no join follows the arms before %s ends", f->title)) {
        note_arms(l, f);
        diag_note(l->d, loc,
                  "`add`, `sub`, `mul`, `div` or `concat` after them makes one tensor of them");
        lower_note_callers(l, f, loc);
    }
    f->arms.n = 0;
    f->point = (Point){.unknown = true};
}

/* ---- operands ---- */

static bool refuse_join(Lower *l, Frame *f, const Call *call, const char *what, const char *way_out)
{
    if (lower_error(l, call->loc, "'%s' %s", call->name.text, what)) {
        note_arms(l, f);
        diag_note(l->d, call->loc, "%s", way_out);
        lower_note_callers(l, f, call->loc);
    }
    f->arms.n = 0;
    return false;
}

/* Whether an argument looks like a number. */
static bool value_like(const Expr *e)
{
    return e->kind == EXPR_INT || e->kind == EXPR_REAL || e->kind == EXPR_BINARY ||
           e->kind == EXPR_UNARY || e->kind == EXPR_LIST;
}

/* `add a b`: its arguments are labels. */
static bool named_operands(Lower *l, Frame *f, const Call *call, Point **points, int *n)
{
    VEC(Point) found = {0};
    bool good = true;
    for (int i = 0; i < call->args.n; i++) {
        const Arg *arg = &call->args.at[i];
        if (arg->name.text || arg->value->kind != EXPR_NAME) {
            Loc loc = arg->name.text ? arg->name.loc : arg->value->loc;
            if (lower_error(l, loc, "'%s' takes names of tensors and nothing else",
                            call->name.text))
                diag_note(l->d, loc, "%s",
                          value_like(arg->value) && !str_eq(call->name.text, "concat")
                              ? "a number is the only operand, and the current tensor the other: "
                                "`mul 0.5`, `add 1`; `scale` has trained ones"
                              : "labels, inputs, taps and stages have names: `a: conv 3x3 64`");
            good = false;
            continue;
        }
        Point point = find_label(l, f, (Name){arg->value->text, arg->value->loc});
        VEC_PUSH(l->arena, &found, point);
    }
    *points = found.at;
    *n = found.n;
    return good;
}

bool join_operands(Lower *l, Frame *f, const Call *call, Op op, Point **points, int *n)
{
    int n_args = call->args.n;
    if (n_args > MOST_OPERANDS || f->arms.n > MOST_OPERANDS) {
        lower_error(l, call->loc, "'%s' takes at most %d tensors", call->name.text, MOST_OPERANDS);
        l->stopped = true;
        return false;
    }
    if (n_args && f->arms.n)
        return refuse_join(l, f, call, "names its operands, and there are arms to join as well",
                           "arms are operands by themselves; name tensors where there are none");
    if (n_args) {
        if (!named_operands(l, f, call, points, n))
            return false;
        if (*n < op_row(op)->least)
            return refuse_join(l, f, call, "takes two tensors or more, and one is named",
                               "name them all, the current one too: `add left right`");
        return true;
    }
    if (!f->arms.n)
        return refuse_join(l, f, call, "has no arms to join",
                           "write `main { ... } shortcut { ... }` before it, or name the tensors: "
                           "`add left right`");
    if (f->arms.n < op_row(op)->least)
        return refuse_join(l, f, call, "takes two arms or more, and there is one",
                           "an empty arm, `shortcut { }`, is the tensor before the arms");
    Point *ends = NEW_ARRAY(l->arena, Point, f->arms.n);
    for (int i = 0; i < f->arms.n; i++)
        ends[i] = f->arms.at[i].end;
    *points = ends;
    *n = f->arms.n;
    f->arms.n = 0;
    return true;
}
