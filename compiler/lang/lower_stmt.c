/* lower_stmt.c: statements: repetition, conditions, local names, stages. */
#include "lang/lower_parts.h"

/* Counts a step of the expansion; returns false if there are too many. */
static bool step(Lower *l, const Frame *f, Loc loc)
{
    l->stopped = l->stopped || l->complaints.spent;
    if (l->stopped)
        return false;
    if (++l->steps <= MOST_STEPS)
        return true;
    if (lower_error(l, loc, "to expand the network takes more than %d steps", MOST_STEPS)) {
        diag_note(l->d, loc, "repetitions inside of repetitions multiply");
        lower_note_callers(l, f, loc);
    }
    l->stopped = true;
    return false;
}

/* Whether a condition holds; *known is false after a message. */
static bool condition(Lower *l, Frame *f, const Expr *e, bool *known)
{
    Env env = frame_env(l, f);
    Value v = value_of(&env, e);
    *known = v.kind == VALUE_BOOL;
    if (v.kind != VALUE_BOOL && v.kind != VALUE_BAD &&
        lower_error(l, e->loc, "a condition is true or false, not %s",
                    value_describe(l->arena, v))) {
        if (value_is_number(v))
            diag_note(l->d, e->loc, "compare it with something: `!= 0`");
        lower_note_callers(l, f, e->loc);
    }
    return *known && v.truth;
}

static void lower_if(Lower *l, Frame *f, const Stmt *s)
{
    bool known;
    bool holds = condition(l, f, s->value, &known);
    if (known)
        lower_body(l, f, holds ? &s->body : &s->other);
    else
        f->point = (Point){.unknown = true};
}

/* ---- loops ---- */

/* Reads an integer for a count or a bound; returns false after a message. */
static bool whole(Lower *l, Frame *f, const Expr *e, const char *what, int64_t *to)
{
    Env env = frame_env(l, f);
    Value v = value_of(&env, e);
    if (v.kind == VALUE_INT) {
        *to = v.integer;
        return true;
    }
    if (v.kind != VALUE_BAD &&
        lower_error(l, e->loc, "%s is an integer, not %s", what, value_describe(l->arena, v)))
        lower_note_callers(l, f, e->loc);
    f->point = (Point){.unknown = true};
    return false;
}

static bool not_too_many(Lower *l, Frame *f, const Expr *e, int64_t times)
{
    if (times >= 0 && times <= MOST_NODES)
        return true;
    if (lower_error(l, e->loc, "cannot repeat %lld times", (long long)times)) {
        diag_note(l->d, e->loc, "0 to %d times are possible: a network has at most %d layers",
                  MOST_NODES, MOST_NODES);
        lower_note_callers(l, f, e->loc);
    }
    f->point = (Point){.unknown = true};
    return false;
}

static void lower_repeat(Lower *l, Frame *f, const Stmt *s)
{
    int64_t times;
    if (!whole(l, f, s->value, "the number of repetitions", &times) ||
        !not_too_many(l, f, s->value, times))
        return;
    int64_t outer = f->index;
    for (int64_t i = 0; i < times && step(l, f, s->loc); i++) {
        f->index = i;
        if (s->call)
            lower_call(l, f, s->call, (Name){0});
        else
            lower_body(l, f, &s->body);
    }
    f->index = outer;
}

/* Expands the body with one more variable, for one iteration of a loop. */
static bool turn(Lower *l, Frame *f, const Stmt *s, Value v)
{
    const Var *outer = f->vars;
    bool good = step(l, f, s->loc) && add_var(l, f, &f->vars, s->name, v);
    if (good)
        lower_body(l, f, &s->body);
    f->vars = outer;
    return good;
}

static void lower_for_range(Lower *l, Frame *f, const Stmt *s)
{
    int64_t from, to;
    bool good = whole(l, f, s->value, "the first number of a loop", &from);
    if (!whole(l, f, s->end, "the bound of a loop", &to) || !good)
        return;
    int64_t times = from >= to ? 0 : from < 0 && to > INT64_MAX + from ? INT64_MAX : to - from;
    if (!not_too_many(l, f, s->end, times))
        return;
    while (from < to && turn(l, f, s, value_int(from)))
        from++;
}

static void lower_for(Lower *l, Frame *f, const Stmt *s)
{
    if (s->end) {
        lower_for_range(l, f, s);
        return;
    }
    Env env = frame_env(l, f);
    Value v = value_of(&env, s->value);
    if (v.kind == VALUE_LIST) {
        for (int i = 0; i < v.n && turn(l, f, s, v.items[i]); i++)
            ;
        return;
    }
    if (v.kind != VALUE_BAD && lower_error(l, s->value->loc, "a loop goes over a list, not %s",
                                           value_describe(l->arena, v))) {
        if (v.kind == VALUE_INT)
            diag_note(l->d, s->value->loc, "`0..%lld` counts from 0 to %lld", (long long)v.integer,
                      (long long)v.integer - (v.integer > INT64_MIN));
        lower_note_callers(l, f, s->value->loc);
    }
    f->point = (Point){.unknown = true};
}

/* ---- the others ---- */

static void lower_let(Lower *l, Frame *f, const Stmt *s)
{
    Env env = frame_env(l, f);
    Value v = value_of(&env, s->value);
    (void)add_var(l, f, &f->vars, s->name, v);
}

static void lower_stage(Lower *l, Frame *f, const Stmt *s)
{
    if (!arms_joined(l, f, s->loc))
        return;
    const char *path = path_join(l, f->path, s->name.text);
    bool claimed = claim_path(l, f, path, s->name.loc);
    const int first = l->net->nodes.n;
    Frame stage = frame_inside(f, path, arena_printf(l->arena, "stage '%s'", s->name.text));
    stage.stage = true;
    lower_body(l, &stage, &s->body);
    close_frame(l, &stage);
    f->point = claimed ? stage.point : (Point){.unknown = true};
    set_path(l, path, f->point.node);
    add_label(l, f, s->name.text, f->point, reuse_of(l, f, NULL, s, path, first));
}

static void lower_from(Lower *l, Frame *f, const Stmt *s)
{
    if (arms_joined(l, f, s->loc))
        f->point = find_label(l, f, s->name);
}

/* Checks that a statement which a block cannot have is in a net. */
static bool in_net(Lower *l, const Frame *f, const Stmt *s, const char *word)
{
    if (f->decl->kind == DECL_NET)
        return true;
    if (lower_error(l, s->loc, "`%s` belongs into a net, and this is block '%s'", word,
                    f->decl->name.text))
        lower_note_callers(l, f, s->loc);
    return false;
}

static void lower_use(Lower *l, const Frame *f, const Stmt *s)
{
    if (!in_net(l, f, s, "use naming"))
        return;
    if (l->naming.text && lower_error(l, s->loc, "a net has one naming"))
        diag_note(l->d, l->naming.loc, "'%s' is named here", l->naming.text);
    l->naming = s->name;
}

static void lower_stmt(Lower *l, Frame *f, const Stmt *s)
{
    switch (s->kind) {
    case STMT_CALL:
        if (s->names.n)
            lower_results(l, f, s->call, s->names.at, s->names.n);
        else
            lower_call(l, f, s->call, s->name);
        break;
    case STMT_ARM:
        lower_arm(l, f, s);
        break;
    case STMT_REPEAT:
        lower_repeat(l, f, s);
        break;
    case STMT_FOR:
        lower_for(l, f, s);
        break;
    case STMT_IF:
        lower_if(l, f, s);
        break;
    case STMT_LET:
        lower_let(l, f, s);
        break;
    case STMT_DEFAULT:
        lower_default(l, f, s);
        break;
    case STMT_STAGE:
        lower_stage(l, f, s);
        break;
    case STMT_INPUT:
        if (in_net(l, f, s, "input") && arms_joined(l, f, s->loc))
            lower_input(l, f, s);
        break;
    case STMT_OUTPUT:
        if (in_net(l, f, s, "output") && arms_joined(l, f, s->loc))
            lower_output(l, f, s);
        break;
    case STMT_TAP:
        if (arms_joined(l, f, s->loc))
            lower_tap(l, f, s);
        break;
    case STMT_BATCH:
        if (in_net(l, f, s, "batch"))
            lower_batch(l, f, s);
        break;
    case STMT_USE:
        lower_use(l, f, s);
        break;
    case STMT_FROM:
        lower_from(l, f, s);
        break;
    }
}

void lower_body(Lower *l, Frame *f, const Stmts *body)
{
    const Var *outer = f->vars;
    const Default *defaults = f->defaults;
    if (l->bodies == MOST_BODIES_DEEP && body->n) {
        if (!l->stopped &&
            lower_error(l, body->at[0]->loc, "statements nest more than %d deep", MOST_BODIES_DEEP))
            diag_note(l->d, body->at[0]->loc, "bodies in braces and calls of blocks count");
        l->stopped = true;
        return;
    }
    l->bodies++;
    for (int i = 0; i < body->n && step(l, f, body->at[i]->loc); i++)
        lower_stmt(l, f, body->at[i]);
    l->bodies--;
    f->vars = outer;
    f->defaults = defaults;
}
