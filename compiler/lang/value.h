/* value.h: expressions and their values. */
#ifndef RNC_VALUE_H
#define RNC_VALUE_H

#include "base/diag.h"
#include "net/ir.h"
#include "lang/ast.h"

typedef enum ValueKind {
    VALUE_BAD, /* it has an error or depends on something that has one: no more messages */
    VALUE_INT,
    VALUE_REAL,
    VALUE_BOOL,
    VALUE_STRING, /* also for words */
    VALUE_LIST,
} ValueKind;

typedef struct Value Value;
struct Value {
    ValueKind kind;
    int depth; /* for a list: levels of lists, at most MOST_LISTS_DEEP */
    union {
        int64_t integer;
        double real;
        bool truth;
        const char *text;
        struct {
            const Value *items; /* [n] */
            int n;
        };
    };
};

/* A name that has a value: a parameter, or a name from `let` or `for`. */
typedef struct Var Var;
struct Var {
    const Var *next; /* the one declared before */
    Name name;
    Value value;
    int number; /* of variables up to and including this one */
};

/* The most work that all expressions together may take, in values and elements of lists, and the
 * most levels of lists.  Recursive code relies on the latter. */
enum { MOST_WORK = 20000000, MOST_LISTS_DEEP = 64 };

typedef struct LocSlot {
    Loc loc;
    bool used;
} LocSlot;

/* Where messages go, and how much work evaluation has done so far.  What is wrong in a block is
 * wrong each time the block is expanded, so only the first message at a place is given. */
typedef struct Complaints {
    Diag *d;
    Arena *arena;
    LocSlot *at; /* [cap], hashed; cap is a power of two or 0 */
    int n, cap;
    int64_t work;
    bool spent; /* more than MOST_WORK: a message was given, and every value is VALUE_BAD */
} Complaints;

/* Whether there was no message at this place yet; from now on it counts as having one. */
bool complain_once(Complaints *c, Loc loc);
/* Whether there was a message at this place. */
bool complained(const Complaints *c, Loc loc);

/* What the names in an expression mean. */
typedef struct Env {
    Complaints *complaints;
    const Var *vars;
    const Node *current;      /* channels, height, width; NULL: there is none */
    bool current_unknown;     /* it has an error */
    int64_t index;            /* index of the repetition, or -1 outside of one */
    const Place *caller;      /* the call of the block that the expression is in */
    const char *const *words; /* NULL-terminated: names that are their own values */
} Env;

/* Evaluates an expression; the value is VALUE_BAD after a message. */
Value value_of(const Env *env, const Expr *expr);
/* Functions of the language (builtin.c) and `case` (case.c), called from value_of(). */
Value value_call(const Env *env, const Call *call);
Value value_case(const Env *env, const Expr *e);
/* Counts work; returns false after a message if it is too much. */
bool value_spend(const Env *env, Loc loc, int64_t work);

const Var *var_named(const Var *vars, const char *name);
/* Whether a word has a meaning of its own in expressions: channels, index, ... */
bool value_builtin_name(const char *name);

Value value_int(int64_t integer);
Value value_real(double real);
Value value_bool(bool truth);
Value value_string(const char *text);
bool value_is_number(Value v);
double value_number(Value v); /* v must be an integer or a real */
/* Returns < 0, 0 or > 0; 0 for equal values, also for an integer and a real.  Values of different
 * kinds are ordered as well. */
int value_order(const Env *env, Value a, Value b);

const char *value_kind_name(ValueKind kind); /* "a list" */
/* "the list (3, 3)", for messages; long lists are cut. */
const char *value_describe(Arena *arena, Value v);
/* "(3, 3)", as it would be written; long lists are cut. */
const char *value_text(Arena *arena, Value v);

#endif
