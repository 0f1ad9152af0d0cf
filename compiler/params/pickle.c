/* pickle.c: the stack machine of Python's pickles, without its calls.
 *
 * Protocols 2 to 5 (PEP 307, 3154), the opcodes that tensors and what lies beside
 * them need.  Memory is bounded by the pickle's length: an opcode makes one object
 * at most.
 */
#include "params/pickle.h"

#include <string.h>

typedef struct Machine {
    const unsigned char *at, *end, *begin;
    const char *const *allowed;
    const char *label;
    Arena *arena;
    Diag *diag;
    VEC(Pickled *) stack;
    VEC(Pickled *) memo;
} Machine;

static bool damaged(const Machine *m, const char *why)
{
    diag_file_error(m->diag, m->label, "the pickle cannot be read: %s (byte %td)", why,
                    m->at - m->begin);
    return false;
}

static bool would_run(const Machine *m, const char *what)
{
    diag_file_error(m->diag, m->label,
                    "the pickle calls for %s, which would run code; rnc executes nothing", what);
    diag_file_note(m->diag, m->label,
                   "a file of tensors alone is read: in Python, "
                   "torch.save(model.state_dict(), \"FILE.pt\")");
    return false;
}

static Pickled *push(Machine *m, PickledKind kind)
{
    Pickled *value = NEW(m->arena, Pickled);
    value->kind = kind;
    VEC_PUSH(m->arena, &m->stack, value);
    return value;
}

static bool push_int(Machine *m, PickledKind kind, int64_t x)
{
    push(m, kind)->integer = x;
    return true;
}

static Pickled *top(const Machine *m)
{
    return m->stack.n ? m->stack.at[m->stack.n - 1] : NULL;
}

/* NULL when there is none: a mark is nothing to take. */
static Pickled *pop(Machine *m)
{
    if (!top(m) || top(m)->kind == PICKLED_MARK)
        return NULL;
    return m->stack.at[--m->stack.n];
}

/* The place behind the last mark, or -1. */
static int marked(const Machine *m)
{
    for (int i = m->stack.n; i > 0; i--) {
        if (m->stack.at[i - 1]->kind == PICKLED_MARK)
            return i;
    }
    return -1;
}

/* ---- arguments in the stream ---- */

static bool take(Machine *m, size_t n, const unsigned char **bytes)
{
    if ((size_t)(m->end - m->at) < n)
        return damaged(m, "it is cut off");
    *bytes = m->at;
    m->at += n;
    return true;
}

/* Little-endian, of 1 to 8 bytes. */
static bool take_number(Machine *m, size_t bytes, uint64_t *x)
{
    const unsigned char *p;
    if (!take(m, bytes, &p))
        return false;
    *x = 0;
    while (bytes-- > 0)
        *x = *x << 8 | p[bytes];
    return true;
}

static bool take_string(Machine *m, size_t length_bytes)
{
    uint64_t n;
    const unsigned char *p;
    if (!take_number(m, length_bytes, &n) || !take(m, n < SIZE_MAX ? (size_t)n : SIZE_MAX, &p))
        return false;
    if (memchr(p, 0, (size_t)n))
        return damaged(m, "a text holds a zero");
    push(m, PICKLED_STRING)->text = arena_strndup(m->arena, (const char *)p, (size_t)n);
    return true;
}

static bool take_line(Machine *m, const char **text)
{
    const unsigned char *end = memchr(m->at, '\n', (size_t)(m->end - m->at));
    if (!end)
        return damaged(m, "it is cut off");
    *text = arena_strndup(m->arena, (const char *)m->at, (size_t)(end - m->at));
    m->at = end + 1;
    return true;
}

/* ---- opcodes ---- */

static bool global(Machine *m, const char *module, const char *name)
{
    const char *text = arena_printf(m->arena, "%s.%s", module, name);
    for (const char *const *a = m->allowed; *a; a++) {
        if (str_eq(*a, text)) {
            push(m, PICKLED_GLOBAL)->text = text;
            return true;
        }
    }
    return would_run(m, arena_printf(m->arena, "'%s'", text));
}

static bool global_line(Machine *m)
{
    const char *module, *name;
    return take_line(m, &module) && take_line(m, &name) && global(m, module, name);
}

static bool global_stack(Machine *m)
{
    const Pickled *name = pop(m), *module = pop(m);
    if (!name || !module || name->kind != PICKLED_STRING || module->kind != PICKLED_STRING)
        return damaged(m, "a name is missing");
    return global(m, module->text, name->text);
}

static bool reduce(Machine *m)
{
    Pickled *arguments = pop(m), *function = pop(m);
    if (!arguments || !function || arguments->kind != PICKLED_TUPLE ||
        function->kind != PICKLED_GLOBAL)
        return damaged(m, "a call has no function");
    if (str_eq(function->text, "collections.OrderedDict")) {
        if (arguments->items.n > 0)
            return damaged(m, "an OrderedDict has arguments");
        push(m, PICKLED_DICT);
        return true;
    }
    Pickled *call = push(m, PICKLED_CALL);
    VEC_PUSH(m->arena, &call->items, function);
    VEC_PUSH(m->arena, &call->items, arguments);
    return true;
}

/* The n topmost objects as a tuple; n < 0: those behind the mark. */
static bool tuple(Machine *m, int n)
{
    const int from = n < 0 ? marked(m) : m->stack.n - n;
    if (from < 0)
        return damaged(m, "a tuple has too few elements");
    Pickled *value = NEW(m->arena, Pickled);
    value->kind = PICKLED_TUPLE;
    for (int i = from; i < m->stack.n; i++)
        VEC_PUSH(m->arena, &value->items, m->stack.at[i]);
    m->stack.n = n < 0 ? from - 1 : from;
    VEC_PUSH(m->arena, &m->stack, value);
    return true;
}

/* The objects from `from` on, behind the list or dict below them, into it. */
static bool extend(Machine *m, int from, PickledKind kind, int mark)
{
    const int at = from - mark - 1;
    if (from < 0 || at < 0 || m->stack.at[at]->kind != kind ||
        (kind == PICKLED_DICT && (m->stack.n - from) % 2 != 0))
        return damaged(m, "there is nothing to put elements into");
    Pickled *into = m->stack.at[at];
    for (int i = from; i < m->stack.n; i++)
        VEC_PUSH(m->arena, &into->items, m->stack.at[i]);
    m->stack.n = at + 1;
    return true;
}

/* An attribute of a dict that PyTorch sets, its metadata; nothing else is built. */
static bool build(Machine *m)
{
    if (!pop(m) || !top(m))
        return damaged(m, "it builds nothing");
    return top(m)->kind == PICKLED_DICT || would_run(m, "the building of an object");
}

static bool outer(Machine *m)
{
    Pickled *what = pop(m);
    if (!what)
        return damaged(m, "an outer object has no name");
    Pickled *value = push(m, PICKLED_OUTER);
    VEC_PUSH(m->arena, &value->items, what);
    return true;
}

static bool remember(Machine *m, uint64_t at)
{
    if (!top(m) || top(m)->kind == PICKLED_MARK || at > (uint64_t)(m->end - m->begin))
        return damaged(m, "it remembers nothing");
    while ((uint64_t)m->memo.n <= at)
        VEC_PUSH(m->arena, &m->memo, NULL);
    m->memo.at[at] = top(m);
    return true;
}

static bool recall(Machine *m, uint64_t at)
{
    if (at >= (uint64_t)m->memo.n || !m->memo.at[at])
        return damaged(m, "it recalls what it does not remember");
    VEC_PUSH(m->arena, &m->stack, m->memo.at[at]);
    return true;
}

/* Two's complement of n bytes. */
static bool integer(Machine *m, size_t bytes, bool sign)
{
    uint64_t x = 0;
    if (bytes > 8)
        return damaged(m, "a number is too large");
    if (!take_number(m, bytes, &x))
        return false;
    if (sign && bytes > 0 && bytes < 8 && x >> (8 * bytes - 1) & 1)
        x |= UINT64_MAX << 8 * bytes;
    int64_t value;
    memcpy(&value, &x, sizeof value);
    return push_int(m, PICKLED_INT, value);
}

static bool unknown(Machine *m, int code)
{
    switch (code) {
    case 'i':
    case 'o':
    case 0x81:
    case 0x92:
        return would_run(m, "an object of a class");
    case 0x82:
    case 0x83:
    case 0x84:
        return would_run(m, "an extension");
    default:
        return damaged(m,
                       arena_printf(m->arena, "opcode 0x%02x is not among those of tensors", code));
    }
}

static bool step_number(Machine *m, int code)
{
    const unsigned char *p;
    uint64_t x;
    switch (code) {
    case 'N':
        return push_int(m, PICKLED_NONE, 0);
    case 0x88:
    case 0x89:
        return push_int(m, PICKLED_BOOL, code == 0x88);
    case 'J':
        return integer(m, 4, true);
    case 'K':
        return integer(m, 1, false);
    case 'M':
        return integer(m, 2, false);
    case 0x8a:
        return take_number(m, 1, &x) && integer(m, (size_t)x, true);
    case 'G':
        return take(m, 8, &p) && push_int(m, PICKLED_REAL, 0);
    case 'q':
        return take_number(m, 1, &x) && remember(m, x);
    case 'r':
        return take_number(m, 4, &x) && remember(m, x);
    case 0x94:
        return remember(m, (uint64_t)m->memo.n);
    case 'h':
        return take_number(m, 1, &x) && recall(m, x);
    case 'j':
        return take_number(m, 4, &x) && recall(m, x);
    default:
        return unknown(m, code);
    }
}

static bool step(Machine *m, int code)
{
    const unsigned char *p;
    uint64_t x;
    switch (code) {
    case 0x80: /* the protocol */
        return take_number(m, 1, &x) && (x <= 5 || damaged(m, "its protocol is unknown"));
    case 0x95: /* a frame */
        return take(m, 8, &p);
    case '(':
        push(m, PICKLED_MARK);
        return true;
    case '0':
        return pop(m) != NULL || damaged(m, "there is nothing to drop");
    case 'X':
    case 'T':
    case 'B':
        return take_string(m, 4);
    case 0x8c:
    case 'U':
    case 'C':
        return take_string(m, 1);
    case 0x8d:
        return take_string(m, 8);
    case 'c':
        return global_line(m);
    case 0x93:
        return global_stack(m);
    case ')':
        return tuple(m, 0);
    case 0x85:
    case 0x86:
    case 0x87:
        return tuple(m, code - 0x84);
    case 't':
        return tuple(m, -1);
    case ']':
        push(m, PICKLED_TUPLE);
        return true;
    case '}':
        push(m, PICKLED_DICT);
        return true;
    case 'a':
        return extend(m, m->stack.n - 1, PICKLED_TUPLE, 0);
    case 'e':
        return extend(m, marked(m), PICKLED_TUPLE, 1);
    case 's':
        return extend(m, m->stack.n - 2, PICKLED_DICT, 0);
    case 'u':
        return extend(m, marked(m), PICKLED_DICT, 1);
    case 'R':
        return reduce(m);
    case 'b':
        return build(m);
    case 'Q':
        return outer(m);
    default:
        return step_number(m, code);
    }
}

Pickled *pickle_read(const unsigned char *bytes, size_t size, const char *const *allowed,
                     const char *label, Arena *arena, Diag *diag)
{
    Machine m = {.at = bytes,
                 .end = bytes + size,
                 .begin = bytes,
                 .allowed = allowed,
                 .label = label,
                 .arena = arena,
                 .diag = diag};
    while (m.at < m.end) {
        const int code = *m.at++;
        if (code == '.') {
            Pickled *value = pop(&m);
            if (!value || m.stack.n > 0)
                damaged(&m, "it ends with no object");
            return m.stack.n > 0 ? NULL : value;
        }
        if (!step(&m, code))
            return NULL;
    }
    damaged(&m, "it is cut off");
    return NULL;
}

Pickled *pickled_get(const Pickled *dict, const char *key)
{
    for (int i = dict->kind == PICKLED_DICT ? dict->items.n - 2 : -1; i >= 0; i -= 2) {
        const Pickled *k = dict->items.at[i];
        if (k->kind == PICKLED_STRING && str_eq(k->text, key))
            return dict->items.at[i + 1];
    }
    return NULL;
}
