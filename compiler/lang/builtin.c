/* builtin.c: the functions of expressions: min max len sum int real round floor
 * ceil. */
#include "lang/value.h"

#include <math.h>

typedef struct FunctionCall {
    const Env *env;
    const Call *call;
    const Value *args; /* [n] */
    int n;
} FunctionCall;

/* One row for each function; `least` and `most` are numbers of arguments. */
typedef struct Function {
    const char *name;
    int least, most;
    Value (*run)(const FunctionCall *f);
    const char *usage;
} Function;

static const Value bad = {.kind = VALUE_BAD};

static const char *described(const FunctionCall *f, Value v)
{
    return value_describe(f->env->complaints->arena, v);
}

/* Whether no message was given at this place yet, so that one may be. */
static bool may_complain(const Env *env, Loc loc)
{
    return complain_once(env->complaints, loc);
}

static Value refuse_type(const FunctionCall *f, Loc loc, const char *wanted, Value v)
{
    if (may_complain(f->env, loc)) {
        diag_error(f->env->complaints->d, loc, "'%s' takes %s, not %s", f->call->name.text, wanted,
                   described(f, v));
        diag_note_callers(f->env->complaints->d, &(Place){loc, f->env->caller});
    }
    return bad;
}

/* The numbers that a function applies to: its arguments, or the items of its single list argument.
 * Returns false after a message. */
static bool numbers(const FunctionCall *f, const Value **at, int *n)
{
    bool list = f->n == 1 && f->args[0].kind == VALUE_LIST;
    *at = list ? f->args[0].items : f->args;
    *n = list ? f->args[0].n : f->n;
    if (!value_spend(f->env, f->call->loc, *n))
        return false;
    for (int i = 0; i < *n; i++) {
        Loc loc = f->call->args.at[list ? 0 : i].value->loc;
        if (!value_is_number((*at)[i])) {
            refuse_type(f, loc, "numbers", (*at)[i]);
            return false;
        }
    }
    return true;
}

static Value extreme(const FunctionCall *f, int sign)
{
    const Value *at;
    int n;
    if (!numbers(f, &at, &n))
        return bad;
    if (n == 0)
        return refuse_type(f, f->call->loc, "at least one number", f->args[0]);
    Value best = at[0];
    for (int i = 1; i < n; i++) {
        bool ints = best.kind == VALUE_INT && at[i].kind == VALUE_INT;
        int order = ints ? (at[i].integer > best.integer) - (at[i].integer < best.integer)
                         : (value_number(at[i]) > value_number(best)) -
                               (value_number(at[i]) < value_number(best));
        if (order * sign > 0)
            best = at[i];
    }
    return best;
}

static Value run_min(const FunctionCall *f)
{
    return extreme(f, -1);
}

static Value run_max(const FunctionCall *f)
{
    return extreme(f, 1);
}

static Value run_len(const FunctionCall *f)
{
    if (f->args[0].kind != VALUE_LIST)
        return refuse_type(f, f->call->args.at[0].value->loc, "a list", f->args[0]);
    return value_int(f->args[0].n);
}

static Value run_sum(const FunctionCall *f)
{
    const Value *at;
    int n;
    if (!numbers(f, &at, &n))
        return bad;
    int64_t ints = 0;
    double reals = 0;
    bool all_ints = true, overflows = false;
    for (int i = 0; i < n; i++) {
        reals += value_number(at[i]);
        all_ints = all_ints && at[i].kind == VALUE_INT;
        overflows = overflows || (all_ints && __builtin_add_overflow(ints, at[i].integer, &ints));
    }
    if (all_ints ? overflows : !isfinite(reals)) {
        if (may_complain(f->env, f->call->loc))
            diag_error(f->env->complaints->d, f->call->loc, "the sum does not fit %s",
                       all_ints ? "an integer of 64 bits" : "a real");
        return bad;
    }
    return all_ints ? value_int(ints) : value_real(reals);
}

/* Returns the integer that equals `real`, or VALUE_BAD after a message. */
static Value to_int(const FunctionCall *f, double real)
{
    if (real >= -0x1p63 && real < 0x1p63)
        return value_int((int64_t)real);
    if (may_complain(f->env, f->call->loc))
        diag_error(f->env->complaints->d, f->call->loc, "%.9g does not fit an integer of 64 bits",
                   real);
    return bad;
}

static Value rounded(const FunctionCall *f, double (*how)(double))
{
    Value v = f->args[0];
    if (!value_is_number(v))
        return refuse_type(f, f->call->args.at[0].value->loc, "a number", v);
    return v.kind == VALUE_INT ? v : to_int(f, how(v.real));
}

static Value run_int(const FunctionCall *f)
{
    return rounded(f, trunc);
}

static Value run_round(const FunctionCall *f)
{
    return rounded(f, round);
}

static Value run_floor(const FunctionCall *f)
{
    return rounded(f, floor);
}

static Value run_ceil(const FunctionCall *f)
{
    return rounded(f, ceil);
}

static Value run_real(const FunctionCall *f)
{
    Value v = f->args[0];
    if (!value_is_number(v))
        return refuse_type(f, f->call->args.at[0].value->loc, "a number", v);
    return value_real(value_number(v));
}

enum { ANY = 1000 };

static const Function functions[] = {
    {"min", 1, ANY, run_min, "min(a, b, ...) or min(list)"},
    {"max", 1, ANY, run_max, "max(a, b, ...) or max(list)"},
    {"len", 1, 1, run_len, "len(list)"},
    {"sum", 1, ANY, run_sum, "sum(list)"},
    {"int", 1, 1, run_int, "int(number), the integer towards zero"},
    {"real", 1, 1, run_real, "real(number)"},
    {"round", 1, 1, run_round, "round(number), the nearest integer"},
    {"floor", 1, 1, run_floor, "floor(number), the integer below"},
    {"ceil", 1, 1, run_ceil, "ceil(number), the integer above"},
};
enum { N_FUNCTIONS = sizeof functions / sizeof *functions };

static Value unknown_function(const Env *env, const Call *call)
{
    Complaints *c = env->complaints;
    if (!complain_once(c, call->name.loc))
        return bad;
    const char *names[N_FUNCTIONS];
    Buf list = buf_new(c->arena);
    for (int i = 0; i < N_FUNCTIONS; i++) {
        names[i] = functions[i].name;
        buf_printf(&list, "%s%s", i ? ", " : "", names[i]);
    }
    const char *near = str_nearest(call->name.text, names, N_FUNCTIONS);
    diag_error(c->d, call->name.loc, "there is no function '%s'%s%s%s", call->name.text,
               near ? "; did you mean '" : "", near ? near : "", near ? "'?" : "");
    diag_note(c->d, call->name.loc, "the functions are %s", buf_text(&list));
    return bad;
}

Value value_call(const Env *env, const Call *call)
{
    int which = 0;
    while (which < N_FUNCTIONS && !str_eq(functions[which].name, call->name.text))
        which++;
    if (which == N_FUNCTIONS)
        return unknown_function(env, call);
    const Function *function = &functions[which];
    int n = call->args.n;
    bool named = false, good = true;
    Value *args = NEW_ARRAY(env->complaints->arena, Value, n);
    for (int i = 0; i < n; i++) {
        args[i] = value_of(env, call->args.at[i].value);
        named = named || call->args.at[i].name.text;
        good = good && args[i].kind != VALUE_BAD;
    }
    if (named || n < function->least || n > function->most) {
        if (may_complain(env, call->loc)) {
            diag_error(env->complaints->d, call->loc, "'%s' is called with %s arguments",
                       function->name,
                       named                 ? "named"
                       : n < function->least ? "no"
                                             : "too many");
            diag_note(env->complaints->d, call->loc, "it is written %s", function->usage);
        }
        return bad;
    }
    FunctionCall f = {env, call, args, n};
    return good ? function->run(&f) : bad;
}
