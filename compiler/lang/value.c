/* value.c: values, their order, and how messages show them. */
#include "lang/value.h"

#include "base/numbers.h"

#include <string.h>

/* A message shows at most this many values of a list. */
enum { MOST_SHOWN = 9 };

/* ---- values ---- */

Value value_int(int64_t integer)
{
    return (Value){.kind = VALUE_INT, .integer = integer};
}

Value value_real(double real)
{
    return (Value){.kind = VALUE_REAL, .real = real};
}

Value value_bool(bool truth)
{
    return (Value){.kind = VALUE_BOOL, .truth = truth};
}

Value value_string(const char *text)
{
    return (Value){.kind = VALUE_STRING, .text = text};
}

bool value_is_number(Value v)
{
    return v.kind == VALUE_INT || v.kind == VALUE_REAL;
}

double value_number(Value v)
{
    return v.kind == VALUE_INT ? (double)v.integer : v.real;
}

/* Compares two numbers: < 0, 0 or > 0. */
static int number_order(Value a, Value b)
{
    if (a.kind == VALUE_INT && b.kind == VALUE_INT)
        return (a.integer > b.integer) - (a.integer < b.integer);
    return (value_number(a) > value_number(b)) - (value_number(a) < value_number(b));
}

int value_order(const Env *env, Value a, Value b)
{
    if (!value_spend(env, NO_LOC, 1))
        return 0;
    if (value_is_number(a) && value_is_number(b))
        return number_order(a, b);
    if (a.kind != b.kind)
        return a.kind < b.kind ? -1 : 1;
    if (a.kind == VALUE_BOOL)
        return a.truth - b.truth;
    if (a.kind == VALUE_STRING)
        return strcmp(a.text, b.text);
    if (a.kind != VALUE_LIST || (a.items == b.items && a.n == b.n))
        return 0;
    for (int i = 0; i < a.n && i < b.n; i++) {
        int order = value_order(env, a.items[i], b.items[i]);
        if (order)
            return order;
    }
    return (a.n > b.n) - (a.n < b.n);
}

const char *value_kind_name(ValueKind kind)
{
    static const char *const names[] = {"nothing",   "an integer", "a real",
                                        "a boolean", "a text",     "a list"};
    return names[kind];
}

/* Prints a value; it shows at most *left values of lists and subtracts those that it shows. */
static void print_value(Buf *out, Value v, int *left)
{
    --*left;
    switch (v.kind) {
    case VALUE_BAD:
        buf_puts(out, "?");
        break;
    case VALUE_INT:
        buf_printf(out, "%lld", (long long)v.integer);
        break;
    case VALUE_REAL:
        buf_printf(out, "%.9g", v.real);
        break;
    case VALUE_BOOL:
        buf_puts(out, v.truth ? "true" : "false");
        break;
    case VALUE_STRING:
        buf_printf(out, "\"%.60s\"", v.text);
        break;
    case VALUE_LIST: {
        int i = 0;
        buf_putc(out, '(');
        for (; i<v.n && * left> 0; i++) {
            buf_puts(out, i ? ", " : "");
            print_value(out, v.items[i], left);
        }
        buf_puts(out, i < v.n ? i ? ", ...)" : "...)" : v.n == 1 ? ",)" : ")");
        break;
    }
    }
}

const char *value_describe(Arena *arena, Value v)
{
    static const char *const kinds[] = {"", "the integer ", "the real ",
                                        "", "the text ",    "the list "};
    Buf out = buf_new(arena);
    buf_puts(&out, kinds[v.kind]);
    int left = MOST_SHOWN;
    print_value(&out, v, &left);
    return buf_text(&out);
}

const char *value_text(Arena *arena, Value v)
{
    Buf out = buf_new(arena);
    int left = MOST_SHOWN;
    print_value(&out, v, &left);
    return buf_text(&out);
}

/* ---- messages and limits ---- */

static LocSlot *loc_slot(LocSlot *at, int cap, Loc loc)
{
    const int key[] = {loc.file, loc.begin, loc.end};
    int mask = cap - 1, i = (int)(hash_bytes(HASH_START, key, sizeof key) >> 32) & mask;
    while (at[i].used &&
           (at[i].loc.file != loc.file || at[i].loc.begin != loc.begin || at[i].loc.end != loc.end))
        i = (i + 1) & mask;
    return &at[i];
}

bool complained(const Complaints *c, Loc loc)
{
    return c->cap && loc_slot(c->at, c->cap, loc)->used;
}

bool complain_once(Complaints *c, Loc loc)
{
    if (complained(c, loc))
        return false;
    if (c->n >= c->cap / 2) {
        int cap = c->cap ? 2 * c->cap : 64;
        LocSlot *at = NEW_ARRAY(c->arena, LocSlot, cap);
        for (int i = 0; i < c->cap; i++) {
            if (c->at[i].used)
                *loc_slot(at, cap, c->at[i].loc) = c->at[i];
        }
        c->at = at;
        c->cap = cap;
    }
    *loc_slot(c->at, c->cap, loc) = (LocSlot){loc, true};
    c->n++;
    return true;
}

bool value_spend(const Env *env, Loc loc, int64_t work)
{
    Complaints *c = env->complaints;
    c->work += work;
    if (c->work <= MOST_WORK)
        return true;
    if (!c->spent) {
        diag_error(c->d, loc, "to compute the network's expressions takes more than %d steps",
                   MOST_WORK);
        diag_note(c->d, loc,
                  "each value and each element of a list is one; repetitions and loops "
                  "multiply them");
        diag_note_callers(c->d, &(Place){loc, env->caller});
    }
    c->spent = true;
    return false;
}
