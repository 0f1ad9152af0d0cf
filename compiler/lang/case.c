/* case.c: `case subject { keys -> value ... }`: the value is that of the row that has the subject
 * among its keys.  No key may occur twice, even if it is not the subject. */
#include "lang/value.h"

typedef struct Key {
    Value value;
    const Expr *expr;
    const Case *row;
} Key;

typedef struct Keys {
    Key *at;
    int n;
} Keys;

/* ---- messages ---- */

static bool may_complain(const Env *env, Loc loc)
{
    return complain_once(env->complaints, loc);
}

static const char *described(const Env *env, Value v)
{
    return value_describe(env->complaints->arena, v);
}

static void refuse_key(const Env *env, const Expr *e, Value key, Value subject)
{
    if (!may_complain(env, e->loc))
        return;
    diag_error(env->complaints->d, e->loc, "%s cannot be a case of %s", described(env, key),
               described(env, subject));
    diag_note_callers(env->complaints->d, &(Place){e->loc, env->caller});
}

static void refuse_twice(const Env *env, const Key *first, const Key *second)
{
    if (!may_complain(env, second->expr->loc))
        return;
    Diag *d = env->complaints->d;
    diag_error(d, second->expr->loc, "there are two cases for %s", described(env, second->value));
    diag_note(d, first->expr->loc, "the first one is here");
    diag_note_callers(d, &(Place){second->expr->loc, env->caller});
}

static void refuse_else(const Env *env, const Case *row, const Case *after)
{
    if (!may_complain(env, row->loc))
        return;
    diag_error(env->complaints->d, row->loc, "`else` is the last case");
    diag_note(env->complaints->d, after->loc, "this one would never be taken");
}

static void refuse_subject(const Env *env, const Expr *e, Value subject, const Keys *keys)
{
    enum { MOST = 40 };
    Diag *d = env->complaints->d;
    if (!may_complain(env, e->subject->loc))
        return;
    diag_error(d, e->subject->loc, "there is no case for %s", described(env, subject));
    Buf list = buf_new(env->complaints->arena);
    for (int i = 0; i < keys->n && i < MOST; i++)
        buf_printf(&list, "%s%s", i ? ", " : "",
                   value_text(env->complaints->arena, keys->at[i].value));
    if (keys->n)
        diag_note(d, e->loc, "the cases are %s%s", buf_text(&list), keys->n > MOST ? ", ..." : "");
    else
        diag_note(d, e->loc, "a case is written `VALUE -> RESULT`");
    diag_note_callers(d, &(Place){e->subject->loc, env->caller});
}

/* ---- keys ---- */

/* Evaluates the keys of all rows; returns false after messages. */
static bool read_keys(const Env *env, const Expr *e, Value subject, Keys *keys)
{
    int n = 0;
    for (int i = 0; i < e->rows->n; i++)
        n += e->rows->at[i].keys.n;
    keys->at = NEW_ARRAY(env->complaints->arena, Key, n);
    for (int i = 0; i < e->rows->n; i++) {
        const Case *row = &e->rows->at[i];
        if (!row->keys.n && i < e->rows->n - 1) {
            refuse_else(env, row, &e->rows->at[i + 1]);
            return false;
        }
        for (int k = 0; k < row->keys.n; k++) {
            Value key = value_of(env, row->keys.at[k]);
            if (key.kind == VALUE_BAD)
                return false;
            if (key.kind != subject.kind && !(value_is_number(key) && value_is_number(subject))) {
                refuse_key(env, row->keys.at[k], key, subject);
                return false;
            }
            keys->at[keys->n++] = (Key){key, row->keys.at[k], row};
        }
    }
    return true;
}

/* Sorts at[0..n) by value with a merge sort, which keeps equal keys in their order. */
static void sort(const Env *env, const Key **at, const Key **spare, int n)
{
    if (n < 2)
        return;
    int half = n / 2, a = 0, b = half;
    sort(env, at, spare, half);
    sort(env, at + half, spare, n - half);
    for (int i = 0; i < n; i++) {
        bool second = a == half || (b < n && value_order(env, at[b]->value, at[a]->value) < 0);
        spare[i] = second ? at[b++] : at[a++];
    }
    for (int i = 0; i < n; i++)
        at[i] = spare[i];
}

/* Returns false after a message about a key that occurs twice. */
static bool all_different(const Env *env, const Keys *keys)
{
    Arena *arena = env->complaints->arena;
    const Key **at = NEW_ARRAY(arena, const Key *, keys->n);
    for (int i = 0; i < keys->n; i++)
        at[i] = &keys->at[i];
    sort(env, at, NEW_ARRAY(arena, const Key *, keys->n), keys->n);
    for (int i = 1; i < keys->n && !env->complaints->spent; i++) {
        if (value_order(env, at[i - 1]->value, at[i]->value) == 0) {
            refuse_twice(env, at[i - 1], at[i]);
            return false;
        }
    }
    return !env->complaints->spent;
}

Value value_case(const Env *env, const Expr *e)
{
    const Value bad = {.kind = VALUE_BAD};
    Value subject = value_of(env, e->subject);
    Keys keys = {0};
    /* A row also counts for the memory it takes. */
    if (subject.kind == VALUE_BAD || !value_spend(env, e->loc, 4 * (int64_t)e->rows->n) ||
        !read_keys(env, e, subject, &keys) || !all_different(env, &keys))
        return bad;
    for (int i = 0; i < keys.n; i++) {
        if (value_order(env, keys.at[i].value, subject) == 0)
            return value_of(env, keys.at[i].row->value);
    }
    const Case *last = e->rows->n ? &e->rows->at[e->rows->n - 1] : NULL;
    if (last && !last->keys.n)
        return value_of(env, last->value);
    refuse_subject(env, e, subject, &keys);
    return bad;
}
