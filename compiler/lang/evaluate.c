/* evaluate.c: expressions to values.  Integer arithmetic is checked; an overflow or an undefined
 * result is an error at the operator's place. */
#include "lang/value.h"

#include <math.h>
#include <string.h>

static Value bad(void)
{
    return (Value){.kind = VALUE_BAD};
}

/* Reports an error at an expression; the result is the value that the expression then has. */
#define REFUSE(env, loc, ...)                                                        \
    do {                                                                             \
        if (complain_once((env)->complaints, (loc))) {                               \
            diag_error((env)->complaints->d, (loc), __VA_ARGS__);                    \
            diag_note_callers((env)->complaints->d, &(Place){(loc), (env)->caller}); \
        }                                                                            \
        return bad();                                                                \
    } while (0)

static const char *described(const Env *env, Value v)
{
    return value_describe(env->complaints->arena, v);
}

/* ---- names ---- */

const Var *var_named(const Var *vars, const char *name)
{
    while (vars && !str_eq(vars->name.text, name))
        vars = vars->next;
    return vars;
}

/* Finds the variable with that name.  The search counts as work, since there may be many
 * variables. */
static const Var *look_up(const Env *env, const Expr *e)
{
    const Var *var = var_named(env->vars, e->text);
    int first = env->vars ? env->vars->number : 0, last = var ? var->number : 0;
    return value_spend(env, e->loc, (first - last) / 16) ? var : NULL;
}

static const char *const builtin_names[] = {"channels", "height", "width", "index"};
enum { N_BUILTIN_NAMES = 4 };

bool value_builtin_name(const char *name)
{
    for (int i = 0; i < N_BUILTIN_NAMES; i++) {
        if (str_eq(builtin_names[i], name))
            return true;
    }
    return false;
}

static bool word_in(const char *const *words, const char *word)
{
    for (int i = 0; words && words[i]; i++) {
        if (str_eq(words[i], word))
            return true;
    }
    return false;
}

/* Whether some attribute accepts this word, though not the one that it was written for. */
static bool word_of_some_attribute(const char *word)
{
    static const char *const others[] = {"half", "same", "valid", "global", NULL};
    for (int op = 0; op < OP_COUNT; op++) {
        const OpRow *row = op_row((Op)op);
        for (int i = 0; i < row->n_attrs && !(row->flags & INTERNAL); i++) {
            if (word_in(row->attrs[i].words, word))
                return true;
        }
    }
    return word_in(others, word);
}

static Value unknown_name(const Env *env, const Expr *e)
{
    enum { MOST_KNOWN = 100 };
    Complaints *c = env->complaints;
    if (!complain_once(c, e->loc))
        return bad();
    VEC(const char *) known = {0};
    for (int i = 0; env->words && env->words[i]; i++)
        VEC_PUSH(c->arena, &known, env->words[i]);
    for (const Var *v = env->vars; v && known.n < MOST_KNOWN; v = v->next)
        VEC_PUSH(c->arena, &known, v->name.text);
    int n_named = known.n;
    for (int i = 0; i < N_BUILTIN_NAMES; i++)
        VEC_PUSH(c->arena, &known, builtin_names[i]);
    const char *near = str_nearest(e->text, known.at, known.n);
    diag_error(c->d, e->loc, "there is no %s'%s' here%s%s%s",
               env->words ? "word or variable " : "variable ", e->text,
               near ? "; did you mean '" : "", near ? near : "", near ? "'?" : "");
    Buf list = buf_new(c->arena);
    for (int i = 0; i < n_named; i++)
        buf_printf(&list, "%s, ", known.at[i]);
    if (str_eq(e->text, "x"))
        diag_note(c->d, e->loc,
                  "a pair is written without blanks, `3x3`; a repetition begins its statement, "
                  "`3 x block`");
    else if (word_of_some_attribute(e->text))
        diag_note(c->d, e->loc, "as a value that is passed on, the word is written \"%s\"",
                  e->text);
    else
        diag_note(c->d, e->loc, "known here: %schannels, height, width and, in a repetition, index",
                  buf_text(&list));
    diag_note_callers(c->d, &(Place){e->loc, env->caller});
    return bad();
}

static Value of_current(const Env *env, const Expr *e)
{
    if (env->current_unknown)
        return bad();
    if (!env->current)
        REFUSE(env, e->loc,
               "'%s' is that of the current tensor, and there is none before the input", e->text);
    Type t = env->current->type;
    return value_int(str_eq(e->text, "channels") ? t.c : str_eq(e->text, "height") ? t.h : t.w);
}

static Value of_name(const Env *env, const Expr *e)
{
    const Var *var = look_up(env, e);
    if (var)
        return var->value;
    if (env->complaints->spent)
        return bad();
    if (word_in(env->words, e->text))
        return value_string(e->text);
    if (!value_builtin_name(e->text))
        return unknown_name(env, e);
    if (!str_eq(e->text, "index"))
        return of_current(env, e);
    if (env->index < 0)
        REFUSE(env, e->loc, "'index' counts the repetitions of `N x`, and this is not in one");
    return value_int(env->index);
}

/* ---- arithmetic ---- */

/* Reports an overflow.  For a unary `-`, b is the operand. */
static Value overflow(const Env *env, const Expr *e, Value a, Value b)
{
    Arena *arena = env->complaints->arena;
    Buf text = buf_new(arena);
    if (e->kind == EXPR_BINARY)
        buf_printf(&text, "%s ", value_text(arena, a));
    buf_printf(&text, "%s %s", operator_text(e->op), value_text(arena, b));
    REFUSE(env, e->loc, "%s does not fit %s", buf_text(&text),
           a.kind == VALUE_INT && b.kind == VALUE_INT ? "an integer of 64 bits" : "a real");
}

/* a / b rounded down; b must not be 0 and the quotient must fit. */
static int64_t floor_div(int64_t a, int64_t b)
{
    int64_t q = a / b;
    return q - (a % b != 0 && (a < 0) != (b < 0));
}

static Value of_ints(const Env *env, const Expr *e, int64_t a, int64_t b)
{
    int64_t r = 0;
    bool overflows = false;
    switch (e->op) {
    case OPERATOR_ADD:
        overflows = __builtin_add_overflow(a, b, &r);
        break;
    case OPERATOR_SUB:
        overflows = __builtin_sub_overflow(a, b, &r);
        break;
    case OPERATOR_MUL:
        overflows = __builtin_mul_overflow(a, b, &r);
        break;
    default: /* division; b is not 0 */
        overflows = a == INT64_MIN && b == -1;
        if (overflows)
            break;
        if (e->op == OPERATOR_DIV && a % b != 0)
            return value_real((double)a / (double)b);
        r = e->op == OPERATOR_MOD ? a - b * floor_div(a, b) : floor_div(a, b);
        break;
    }
    return overflows ? overflow(env, e, value_int(a), value_int(b)) : value_int(r);
}

static Value of_reals(const Env *env, const Expr *e, double a, double b)
{
    double r = 0;
    switch (e->op) {
    case OPERATOR_ADD:
        r = a + b;
        break;
    case OPERATOR_SUB:
        r = a - b;
        break;
    case OPERATOR_MUL:
        r = a * b;
        break;
    case OPERATOR_DIV:
        r = a / b;
        break;
    case OPERATOR_FLOORDIV:
        r = floor(a / b);
        break;
    default:
        r = a - b * floor(a / b);
        break;
    }
    return isfinite(r) ? value_real(r) : overflow(env, e, value_real(a), value_real(b));
}

static Value arithmetic(const Env *env, const Expr *e, Value a, Value b)
{
    const char *sign = operator_text(e->op);
    if (!value_is_number(a))
        REFUSE(env, e->a->loc, "`%s` takes numbers, not %s", sign, described(env, a));
    if (!value_is_number(b))
        REFUSE(env, e->b->loc, "`%s` takes numbers, not %s", sign, described(env, b));
    bool divides = e->op == OPERATOR_DIV || e->op == OPERATOR_FLOORDIV || e->op == OPERATOR_MOD;
    if (divides && value_number(b) == 0)
        REFUSE(env, e->loc, "division by zero");
    if (a.kind == VALUE_INT && b.kind == VALUE_INT)
        return of_ints(env, e, a.integer, b.integer);
    return of_reals(env, e, value_number(a), value_number(b));
}

static Value comparison(const Env *env, const Expr *e, Value a, Value b)
{
    if (e->op == OPERATOR_EQ || e->op == OPERATOR_NE) {
        if (a.kind != b.kind && !(value_is_number(a) && value_is_number(b)))
            REFUSE(env, e->loc, "%s and %s cannot be compared", described(env, a),
                   described(env, b));
        bool equal = value_order(env, a, b) == 0;
        return env->complaints->spent ? bad() : value_bool(equal == (e->op == OPERATOR_EQ));
    }
    const char *sign = operator_text(e->op);
    if (!value_is_number(a))
        REFUSE(env, e->a->loc, "`%s` takes numbers, not %s", sign, described(env, a));
    if (!value_is_number(b))
        REFUSE(env, e->b->loc, "`%s` takes numbers, not %s", sign, described(env, b));
    int order = value_order(env, a, b);
    return value_bool(e->op == OPERATOR_LT   ? order < 0
                      : e->op == OPERATOR_LE ? order <= 0
                      : e->op == OPERATOR_GT ? order > 0
                                             : order >= 0);
}

/* ---- expressions ---- */

/* Evaluates to a boolean, or to VALUE_BAD after a message that says that `what` takes one. */
static Value truth(const Env *env, const Expr *e, const char *what)
{
    Value v = value_of(env, e);
    if (v.kind != VALUE_BOOL && v.kind != VALUE_BAD)
        REFUSE(env, e->loc, "%s takes true or false, not %s", what, described(env, v));
    return v;
}

static Value of_unary(const Env *env, const Expr *e)
{
    if (e->op == OPERATOR_NOT) {
        Value v = truth(env, e->a, "`not`");
        return v.kind == VALUE_BAD ? v : value_bool(!v.truth);
    }
    Value v = value_of(env, e->a);
    if (v.kind == VALUE_BAD)
        return v;
    if (!value_is_number(v))
        REFUSE(env, e->loc, "`-` takes a number, not %s", described(env, v));
    if (v.kind == VALUE_INT)
        return v.integer == INT64_MIN ? overflow(env, e, value_int(0), v) : value_int(-v.integer);
    return value_real(-v.real);
}

static Value of_binary(const Env *env, const Expr *e)
{
    if (e->op == OPERATOR_AND || e->op == OPERATOR_OR) {
        const char *what = e->op == OPERATOR_AND ? "`and`" : "`or`";
        Value a = truth(env, e->a, what);
        if (a.kind == VALUE_BAD || a.truth == (e->op == OPERATOR_OR))
            return a;
        return truth(env, e->b, what);
    }
    Value a = value_of(env, e->a), b = value_of(env, e->b);
    if (a.kind == VALUE_BAD || b.kind == VALUE_BAD)
        return bad();
    bool compares = e->op >= OPERATOR_EQ && e->op <= OPERATOR_GE;
    return compares ? comparison(env, e, a, b) : arithmetic(env, e, a, b);
}

static Value of_index(const Env *env, const Expr *e)
{
    Value list = value_of(env, e->a), at = value_of(env, e->b);
    if (list.kind == VALUE_BAD || at.kind == VALUE_BAD)
        return bad();
    if (list.kind != VALUE_LIST)
        REFUSE(env, e->a->loc, "only a list can be indexed; this is %s", described(env, list));
    if (at.kind != VALUE_INT)
        REFUSE(env, e->b->loc, "an index is an integer, not %s", described(env, at));
    if (at.integer < 0 || at.integer >= list.n) {
        if (list.n == 0)
            REFUSE(env, e->loc, "the list is empty");
        REFUSE(env, e->loc, "there is no element %lld in %s: they are counted from 0 to %d",
               (long long)at.integer, described(env, list), list.n - 1);
    }
    return list.items[at.integer];
}

static Value of_list(const Env *env, const Expr *e)
{
    if (!value_spend(env, e->loc, 4 * (int64_t)e->items.n)) /* they count for their memory */
        return bad();
    Value *items = NEW_ARRAY(env->complaints->arena, Value, e->items.n);
    Value list = {.kind = VALUE_LIST, .depth = 1, .items = items, .n = e->items.n};
    bool good = true;
    for (int i = 0; i < e->items.n; i++) {
        items[i] = value_of(env, e->items.at[i]);
        good = good && items[i].kind != VALUE_BAD;
        if (items[i].kind == VALUE_LIST && items[i].depth >= list.depth)
            list.depth = items[i].depth + 1;
    }
    if (list.depth > MOST_LISTS_DEEP)
        REFUSE(env, e->loc, "lists nest more than %d deep", MOST_LISTS_DEEP);
    return good ? list : bad();
}

/* The k-th of `a then b then c`; after the last, it stays the last. */
static Value of_then(const Env *env, const Expr *e)
{
    if (env->index < 0)
        REFUSE(env, e->loc,
               "`then` gives each repetition of `N x` its value, and this is not in one");
    int64_t left = env->index;
    while (e->kind == EXPR_THEN && left-- > 0)
        e = e->b;
    return value_of(env, e->kind == EXPR_THEN ? e->a : e);
}

Value value_of(const Env *env, const Expr *e)
{
    if (!value_spend(env, e->loc, 1))
        return bad();
    switch (e->kind) {
    case EXPR_INT:
        return value_int(e->integer);
    case EXPR_REAL:
        return value_real(e->real);
    case EXPR_BOOL:
        return value_bool(e->truth);
    case EXPR_STRING:
        return value_string(e->text);
    case EXPR_NAME:
        return of_name(env, e);
    case EXPR_LIST:
        return of_list(env, e);
    case EXPR_CALL:
        return value_call(env, e->call);
    case EXPR_INDEX:
        return of_index(env, e);
    case EXPR_UNARY:
        return of_unary(env, e);
    case EXPR_BINARY:
        return of_binary(env, e);
    case EXPR_CHOICE: {
        Value condition = truth(env, e->a, "`? :`");
        if (condition.kind == VALUE_BAD)
            return condition;
        return value_of(env, condition.truth ? e->b : e->c);
    }
    case EXPR_THEN:
        return of_then(env, e);
    case EXPR_CASE:
        return value_case(env, e);
    }
    return bad();
}
