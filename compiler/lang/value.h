/* value.h: expressions and their values. */
#ifndef RNC_VALUE_H
#define RNC_VALUE_H

#include "base/diag.h"
#include "net/ir.h"
#include "lang/ast.h"

typedef enum ValueKind {
    VALUE_BAD, /* of what has an error or depends on something that has one: no
                  message about it any more */
    VALUE_INT,
    VALUE_REAL,
    VALUE_BOOL,
    VALUE_STRING, /* words too */
    VALUE_LIST,
} ValueKind;

typedef struct Value Value;
struct Value {
    ValueKind kind;
    int depth; /* of a list: levels of lists, at most MOST_LISTS_DEEP */
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

/* A name that has a value: a parameter, or one of `let` or `for`. */
typedef struct Var Var;
struct Var {
    const Var *next; /* declared before */
    Name name;
    Value value;
    int number; /* of those declared before, and this one */
};

/* What expressions may take altogether, in values and elements of lists; what walks
 * over lists by recursion relies on the depth. */
enum { MOST_WORK = 20000000, MOST_LISTS_DEEP = 64 };

typedef struct LocSlot {
    Loc loc;
    bool used;
} LocSlot;

/* Where messages go, and what evaluation has taken so far.  What is wrong in a block is
 * wrong each time the block is expanded: only the first message at a place is given. */
typedef struct Complaints {
    Diag *d;
    Arena *arena;
    LocSlot *at; /* [cap], hashed; cap is a power of two or 0 */
    int n, cap;
    int64_t work;
    bool spent; /* more than MOST_WORK: a message was given, and every value is VALUE_BAD */
} Complaints;

/* Whether nothing was said at this place yet; it counts as said then. */
bool complain_once(Complaints *c, Loc loc);
/* Whether something was. */
bool complained(const Complaints *c, Loc loc);

/* What the names in an expression mean. */
typedef struct Env {
    Complaints *complaints;
    const Var *vars;
    const Node *current;      /* channels, height, width; NULL: there is none */
    bool current_unknown;     /* it has an error */
    int64_t index;            /* of the repetition, or -1 outside of one */
    const Place *caller;      /* of the block the expression stands in */
    const char *const *words; /* NULL-terminated: names that stand for themselves */
} Env;

/* VALUE_BAD after a message. */
Value value_of(const Env *env, const Expr *expr);
/* Functions of the language (builtin.c) and `case` (case.c), called from value_of(). */
Value value_call(const Env *env, const Call *call);
Value value_case(const Env *env, const Expr *e);
/* Counts work; false after a message when it is too much. */
bool value_spend(const Env *env, Loc loc, int64_t work);

const Var *var_named(const Var *vars, const char *name);
/* A word that has a meaning of its own in expressions: channels, index, ... */
bool value_builtin_name(const char *name);

Value value_int(int64_t integer);
Value value_real(double real);
Value value_bool(bool truth);
Value value_string(const char *text);
bool value_is_number(Value v);
double value_number(Value v); /* of an integer or a real */
/* < 0, 0 or > 0; 0 for what is equal, an integer and a real too.  Kinds have an order
 * as well. */
int value_order(const Env *env, Value a, Value b);

const char *value_kind_name(ValueKind kind); /* "a list" */
/* "the list (3, 3)", for messages; long ones are cut. */
const char *value_describe(Arena *arena, Value v);
/* "(3, 3)", as it would be written; long ones are cut. */
const char *value_text(Arena *arena, Value v);

#endif
