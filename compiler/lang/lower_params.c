/* lower_params.c: gives the parameters of blocks and nets their values, from arguments, from -D or
 * from defaults.  A parameter's type is the declared one, else that of its default; an integer is
 * accepted for a real. */
#include "lang/lower_parts.h"
#include "lang/parse.h"

#include <string.h>

Binding binding_new(Lower *l, const Decl *decl)
{
    int n = decl->params.n;
    return (Binding){decl, NEW_ARRAY(l->arena, Value, n), NEW_ARRAY(l->arena, bool, n),
                     NEW_ARRAY(l->arena, Loc, n)};
}

/* ---- what a message says of parameters ---- */

static const char *const *names_of(Lower *l, const Decl *decl)
{
    const char **names = NEW_ARRAY(l->arena, const char *, decl->params.n + 1);
    for (int i = 0; i < decl->params.n; i++)
        names[i] = decl->params.at[i].name.text;
    return names;
}

static void note_parameters(Lower *l, const Decl *decl)
{
    if (decl->params.n)
        diag_note(l->d, decl->name.loc, "the parameters of '%s' are %s", decl->name.text,
                  lower_listed(l, names_of(l, decl), decl->params.n));
    else
        diag_note(l->d, decl->name.loc, "'%s' has no parameters", decl->name.text);
}

static int parameter_named(const Decl *decl, const char *name)
{
    for (int i = 0; i < decl->params.n; i++) {
        if (str_eq(decl->params.at[i].name.text, name))
            return i;
    }
    return -1;
}

/* ---- types ---- */

/* The type of an expression if it is known without evaluation, or VALUE_BAD. */
static ValueKind kind_of(const Expr *e)
{
    switch (e->kind) {
    case EXPR_INT:
        return VALUE_INT;
    case EXPR_REAL:
        return VALUE_REAL;
    case EXPR_BOOL:
        return VALUE_BOOL;
    case EXPR_STRING:
        return VALUE_STRING;
    case EXPR_LIST:
        return VALUE_LIST;
    case EXPR_UNARY:
        return e->op == OPERATOR_NOT ? VALUE_BOOL : kind_of(e->a);
    default:
        return VALUE_BAD;
    }
}

/* The type of a parameter; VALUE_BAD means any. */
static ValueKind type_of(Lower *l, const Parameter *p)
{
    static const char *const names[] = {"int", "real", "bool", "string", "list"};
    if (!p->type.text)
        return p->value ? kind_of(p->value) : VALUE_BAD;
    for (int i = 0; i < 5; i++) {
        if (str_eq(names[i], p->type.text))
            return (ValueKind)(VALUE_INT + i);
    }
    if (lower_error(l, p->type.loc, "there is no type '%s'%s", p->type.text,
                    lower_suggestion(l, p->type.text, names, 5)))
        diag_note(l->d, p->type.loc, "the types are %s", lower_listed(l, names, 5));
    return VALUE_BAD;
}

/* Converts *v to the parameter's type; false after a message. */
static bool fit_type(Lower *l, const Env *env, const Decl *decl, int which, Loc loc, Value *v)
{
    const Parameter *p = &decl->params.at[which];
    ValueKind type = type_of(l, p);
    if (v->kind == VALUE_BAD)
        return false;
    if (type == VALUE_BAD || type == v->kind)
        return true;
    if (type == VALUE_REAL && v->kind == VALUE_INT) {
        *v = value_real((double)v->integer);
        return true;
    }
    if (lower_error(l, loc, "'%s' of '%s' takes %s, not %s", p->name.text, decl->name.text,
                    value_kind_name(type), value_describe(l->arena, *v))) {
        diag_note(l->d, p->name.loc, "%s",
                  p->type.text ? "its type is declared here"
                               : "its type is that of its default, which is declared here");
        if (type == VALUE_LIST && v->kind == VALUE_INT)
            diag_note(l->d, loc, "a list of two is %lldx%lld, a list of one (%lld,)",
                      (long long)v->integer, (long long)v->integer, (long long)v->integer);
        if (env)
            diag_note_callers(l->d, &(Place){loc, env->caller});
    }
    return false;
}

/* ---- arguments ---- */

/* The parameter that an argument is for; -1 after a message. */
static int parameter_of(Lower *l, const Binding *b, const Call *call, const Arg *arg, int position)
{
    const Decl *decl = b->decl;
    int which = arg->name.text ? parameter_named(decl, arg->name.text) : position;
    if (which < 0) {
        if (lower_error(l, arg->name.loc, "'%s' has no parameter '%s'%s", decl->name.text,
                        arg->name.text,
                        lower_suggestion(l, arg->name.text, names_of(l, decl), decl->params.n)))
            note_parameters(l, decl);
        return -1;
    }
    if (which >= decl->params.n) {
        if (lower_error(l, arg->value->loc, "'%s' is given more values than it has parameters",
                        decl->name.text))
            note_parameters(l, decl);
        return -1;
    }
    if (b->given[which]) {
        if (lower_error(l, arg->name.text ? arg->name.loc : arg->value->loc,
                        "'%s' of '%s' is given twice", decl->params.at[which].name.text,
                        call->name.text))
            diag_note(l->d, b->locs[which], "the first time is here");
        return -1;
    }
    return which;
}

bool bind_args(Lower *l, const Env *env, Binding *b, const Call *call)
{
    bool good = true;
    int position = 0;
    for (int i = 0; i < call->args.n; i++) {
        const Arg *arg = &call->args.at[i];
        Value v = value_of(env, arg->value);
        int which = parameter_of(l, b, call, arg, arg->name.text ? -1 : position++);
        if (which >= 0) {
            b->given[which] = true;
            b->locs[which] = arg->value->loc;
            good = fit_type(l, env, b->decl, which, arg->value->loc, &v) && good;
            b->values[which] = v;
        }
        good = good && which >= 0;
    }
    return good;
}

bool bind_finish(Lower *l, const Env *env, Binding *b, Loc loc, const Var **vars)
{
    const Decl *decl = b->decl;
    bool good = true;
    *vars = NULL;
    for (int i = 0; i < decl->params.n && !l->stopped; i++) {
        const Parameter *p = &decl->params.at[i];
        if (!b->given[i] && p->value) {
            /* A default can refer to the parameters before it. */
            Env own = {.complaints = &l->complaints, .vars = *vars, .index = -1};
            own.current = env->current;
            own.current_unknown = env->current_unknown;
            own.caller = env->caller;
            b->values[i] = value_of(&own, p->value);
            good = fit_type(l, env, decl, i, p->value->loc, &b->values[i]) && good;
        } else if (!b->given[i]) {
            good = false;
            if (lower_error(l, loc, "'%s' needs a value for its parameter '%s'", decl->name.text,
                            p->name.text)) {
                diag_note(l->d, p->name.loc, "it is declared here and has no default");
                if (decl->kind == DECL_NET)
                    diag_note(l->d, p->name.loc, "`-D %s=VALUE` gives it one", p->name.text);
                diag_note_callers(l->d, &(Place){loc, env->caller});
            }
        }
        good = add_var(l, NULL, vars, p->name, b->values[i]) && good;
    }
    return good && !l->stopped;
}

/* ---- -D ---- */

/* The value of the text after `=`: the text itself if the parameter is a string, else an
 * expression. */
static Value define_value(Lower *l, const Parameter *p, int file, const char *text)
{
    size_t n = strlen(text);
    if (type_of(l, p) == VALUE_STRING) {
        bool quoted = n >= 2 && text[0] == '"' && text[n - 1] == '"';
        return value_string(quoted ? arena_strndup(l->arena, text + 1, n - 2) : text);
    }
    const Expr *e = parse_define(l->arena, file, l->d);
    Env env = {.complaints = &l->complaints, .index = -1};
    return e ? value_of(&env, e) : (Value){.kind = VALUE_BAD};
}

/* A name that is a parameter neither of the net nor of the training, if one is lowered. */
static void refuse_define(Lower *l, const Decl *decl, const char *net, const char *name, Loc loc)
{
    const Decl *training = l->training;
    VEC(const char *) known = {0};
    for (int i = 0; i < decl->params.n; i++)
        VEC_PUSH(l->arena, &known, decl->params.at[i].name.text);
    for (int i = 0; training && i < training->params.n; i++)
        VEC_PUSH(l->arena, &known, training->params.at[i].name.text);
    const char *suggestion = lower_suggestion(l, name, known.at, known.n);
    if (training)
        diag_error(l->d, loc, "neither '%s' nor its training '%s' has a parameter '%s'%s", net,
                   training->name.text, name, suggestion);
    else
        diag_error(l->d, loc, "'%s' has no parameter '%s'%s", net, name, suggestion);
    note_parameters(l, decl);
    if (training)
        note_parameters(l, training);
}

static bool bind_define(Lower *l, Binding *b, const char *net, const char *define)
{
    const Decl *decl = b->decl;
    const char *equals = strchr(define, '=');
    int file = src_add(l->src, "-D", define, strlen(define));
    size_t length = equals ? (size_t)(equals - define) : strlen(define);
    const char *name = arena_strndup(l->arena, define, length);
    Loc name_loc = {file, 0, (int)length}, value_loc = {file, (int)length + 1, (int)strlen(define)};
    int which = parameter_named(decl, name);
    if (which < 0) {
        refuse_define(l, decl, net, name, name_loc);
        return false;
    }
    if (!equals || !equals[1]) {
        diag_error(l->d, name_loc, "-D %s has no value", name);
        diag_note(l->d, NO_LOC, "it is written -D %s=VALUE", name);
        return false;
    }
    Value v = define_value(l, &decl->params.at[which], file, equals + 1);
    if (!fit_type(l, NULL, decl, which, value_loc, &v))
        return false;
    b->values[which] = v;
    b->given[which] = true;
    b->locs[which] = value_loc;
    return true;
}

/* Whether the name of a -D is a parameter of the training. */
static bool of_training(Lower *l, const char *define)
{
    const char *name = arena_strndup(l->arena, define, strcspn(define, "="));
    return parameter_named(l->training, name) >= 0;
}

bool bind_defines(Lower *l, Binding *b, const char *net)
{
    bool good = true;
    for (int i = 0; i < l->options->n_defines; i++) {
        const char *define = l->options->defines[i];
        if (l->training && of_training(l, define) != (b->decl == l->training))
            continue;
        good = bind_define(l, b, net, define) && good;
    }
    return good;
}
