/* pickle.c: the stack machine of Python's pickles, without its calls.
 *
 * Protocols 1 to 5 (PEP 307, 3154), but for buffers outside of the pickle.  Memory is
 * bounded by the pickle's length, since an opcode makes one object at most, and by OBJECTS_MOST.
 */
#include "params/pickle_parts.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

enum { OBJECTS_MOST = 4000000 };

bool pickle_damaged(const Machine *m, const char *why)
{
    diag_file_error(m->diag, m->label, "the pickle cannot be read: %s (byte %td)", why,
                    m->at - m->begin);
    return false;
}

Pickled *pickle_new(Machine *m, PickledKind kind)
{
    Pickled *value = NEW(m->arena, Pickled);
    value->kind = kind;
    m->objects++;
    return value;
}

Pickled *pickle_push(Machine *m, PickledKind kind)
{
    Pickled *value = pickle_new(m, kind);
    VEC_PUSH(m->arena, &m->stack, value);
    return value;
}

/* Marks, and objects of which nothing is kept, share one object each. */
static bool push_shared(Machine *m, PickledKind kind)
{
    Pickled **shared = kind == PICKLED_MARK ? &m->mark : &m->other;
    if (!*shared)
        *shared = pickle_new(m, kind);
    VEC_PUSH(m->arena, &m->stack, *shared);
    return true;
}

bool pickle_push_int(Machine *m, PickledKind kind, int64_t x)
{
    if (kind == PICKLED_OTHER)
        return push_shared(m, kind);
    pickle_push(m, kind)->integer = x;
    return true;
}

Pickled *pickle_top(const Machine *m)
{
    return m->stack.n ? m->stack.at[m->stack.n - 1] : NULL;
}

/* NULL when there is none: a mark is nothing to take. */
Pickled *pickle_pop(Machine *m)
{
    if (!pickle_top(m) || pickle_top(m)->kind == PICKLED_MARK)
        return NULL;
    return m->stack.at[--m->stack.n];
}

/* ---- arguments in the stream ---- */

static bool take(Machine *m, size_t n, const unsigned char **bytes)
{
    if ((size_t)(m->end - m->at) < n)
        return pickle_damaged(m, "it is cut off");
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
    /* Bytes may be anything, and are of no use here. */
    const bool text = !memchr(p, 0, (size_t)n);
    Pickled *value = pickle_push(m, text ? PICKLED_STRING : PICKLED_OTHER);
    value->text = text ? arena_strndup(m->arena, (const char *)p, (size_t)n) : NULL;
    return true;
}

bool pickle_line(Machine *m, const char **text)
{
    const unsigned char *end = memchr(m->at, '\n', (size_t)(m->end - m->at));
    if (!end)
        return pickle_damaged(m, "it is cut off");
    *text = arena_strndup(m->arena, (const char *)m->at, (size_t)(end - m->at));
    m->at = end + 1;
    return true;
}

/* ---- opcodes ---- */

static bool duplicate(Machine *m)
{
    Pickled *value = pickle_pop(m);
    if (!value)
        return pickle_damaged(m, "there is nothing to double");
    m->stack.n++;
    VEC_PUSH(m->arena, &m->stack, value);
    return true;
}

static bool outer(Machine *m)
{
    Pickled *what = pickle_pop(m);
    if (!what)
        return pickle_damaged(m, "an outer object has no name");
    Pickled *value = pickle_push(m, PICKLED_OUTER);
    VEC_PUSH(m->arena, &value->items, what);
    return true;
}

static bool remember(Machine *m, uint64_t at)
{
    if (!pickle_top(m) || pickle_top(m)->kind == PICKLED_MARK || at > (uint64_t)(m->end - m->begin))
        return pickle_damaged(m, "it remembers nothing");
    while ((uint64_t)m->memo.n <= at)
        VEC_PUSH(m->arena, &m->memo, NULL);
    m->memo.at[at] = pickle_top(m);
    return true;
}

static bool recall(Machine *m, uint64_t at)
{
    if (at >= (uint64_t)m->memo.n || !m->memo.at[at])
        return pickle_damaged(m, "it recalls what it does not remember");
    VEC_PUSH(m->arena, &m->stack, m->memo.at[at]);
    return true;
}

/* Two's complement of n bytes. */
static bool integer(Machine *m, size_t bytes, bool sign)
{
    uint64_t x = 0;
    const unsigned char *p;
    if (bytes > 8)
        return take(m, bytes, &p) && pickle_push_int(m, PICKLED_OTHER, 0);
    if (!take_number(m, bytes, &x))
        return false;
    if (sign && bytes > 0 && bytes < 8 && x >> (8 * bytes - 1) & 1)
        x |= UINT64_MAX << 8 * bytes;
    int64_t value;
    memcpy(&value, &x, sizeof value);
    return pickle_push_int(m, PICKLED_INT, value);
}

/* A decimal number of protocol 1; 00 and 01 are its truth values. */
static bool integer_line(Machine *m)
{
    const char *text;
    char *end;
    if (!pickle_line(m, &text))
        return false;
    if (str_eq(text, "00") || str_eq(text, "01"))
        return pickle_push_int(m, PICKLED_BOOL, text[1] == '1');
    errno = 0;
    const long long value = strtoll(text, &end, 10);
    if (end == text || (*end && !str_eq(end, "L")))
        return pickle_damaged(m, "a number has no digits");
    return pickle_push_int(m, errno ? PICKLED_OTHER : PICKLED_INT, value);
}

/* Objects of a registry that only the program which wrote them has. */
static bool extension(Machine *m, size_t bytes)
{
    uint64_t x;
    return take_number(m, bytes, &x) &&
           pickle_global(m, "extension", arena_printf(m->arena, "%llu", (unsigned long long)x));
}

/* Objects of classes, and what holds no tensors. */
static bool step_object(Machine *m, int code)
{
    const unsigned char *p;
    uint64_t x;
    switch (code) {
    case 0x81:
        return pickle_reduce(m, 0);
    case 0x92: /* with arguments by name */
        return pickle_reduce(m, 1);
    case 'o':
        return pickle_marked_object(m, false);
    case 'i':
        return pickle_inst(m);
    case 0x82:
        return extension(m, 1);
    case 0x83:
        return extension(m, 2);
    case 0x84:
        return extension(m, 4);
    case 0x8f: /* sets */
        return pickle_push_int(m, PICKLED_OTHER, 0);
    case 0x90:
        return pickle_extend(m, pickle_marked(m), PICKLED_OTHER, 1);
    case 0x91:
        return pickle_marked_object(m, true);
    case 0x96: /* a bytearray */
        return take_number(m, 8, &x) && take(m, x < SIZE_MAX ? (size_t)x : SIZE_MAX, &p) &&
               pickle_push_int(m, PICKLED_OTHER, 0);
    default:
        return pickle_damaged(m,
                              arena_printf(m->arena, "opcode 0x%02x is none that rnc knows", code));
    }
}

static bool step_number(Machine *m, int code)
{
    const unsigned char *p;
    uint64_t x;
    switch (code) {
    case 'N':
        return pickle_push_int(m, PICKLED_NONE, 0);
    case 0x88:
    case 0x89:
        return pickle_push_int(m, PICKLED_BOOL, code == 0x88);
    case 'J':
        return integer(m, 4, true);
    case 'K':
        return integer(m, 1, false);
    case 'M':
        return integer(m, 2, false);
    case 0x8a:
        return take_number(m, 1, &x) && integer(m, (size_t)x, true);
    case 'G':
        return take(m, 8, &p) && pickle_push_int(m, PICKLED_REAL, 0);
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
    case 'I':
    case 'L':
        return integer_line(m);
    case 0x8b:
        return take_number(m, 4, &x) && integer(m, (size_t)x, true);
    default:
        return step_object(m, code);
    }
}

static bool step_container(Machine *m, int code)
{
    switch (code) {
    case ')':
        return pickle_tuple(m, 0);
    case 0x85:
    case 0x86:
    case 0x87:
        return pickle_tuple(m, code - 0x84);
    case 't':
        return pickle_tuple(m, -1);
    case ']':
        pickle_push(m, PICKLED_TUPLE);
        return true;
    case '}':
        pickle_push(m, PICKLED_DICT);
        return true;
    case 'a':
        return pickle_extend(m, m->stack.n - 1, PICKLED_TUPLE, 0);
    case 'e':
        return pickle_extend(m, pickle_marked(m), PICKLED_TUPLE, 1);
    case 's':
        return pickle_extend(m, m->stack.n - 2, PICKLED_DICT, 0);
    case 'u':
        return pickle_extend(m, pickle_marked(m), PICKLED_DICT, 1);
    case 'l':
        return pickle_tuple(m, -1);
    case 'd':
        return pickle_dict(m);
    default:
        return step_number(m, code);
    }
}

static bool step(Machine *m, int code)
{
    const unsigned char *p;
    uint64_t x;
    switch (code) {
    case 0x80: /* the protocol */
        return take_number(m, 1, &x) && (x <= 5 || pickle_damaged(m, "its protocol is unknown"));
    case 0x95: /* a frame */
        return take(m, 8, &p);
    case '(':
        push_shared(m, PICKLED_MARK);
        return true;
    case '0':
        return pickle_pop(m) != NULL || pickle_damaged(m, "there is nothing to drop");
    case '1':
        return pickle_pop_mark(m);
    case '2':
        return duplicate(m);
    case 'X':
    case 'T':
    case 'B':
        return take_string(m, 4);
    case 0x8c:
    case 'U':
    case 'C':
        return take_string(m, 1);
    case 0x8d:
    case 0x8e:
        return take_string(m, 8);
    case 'c':
        return pickle_global_line(m);
    case 0x93:
        return pickle_global_stack(m);
    case 'R':
        return pickle_reduce(m, 0);
    case 'b':
        return pickle_build(m);
    case 'Q':
        return outer(m);
    default:
        return step_container(m, code);
    }
}

Pickled *pickle_read(const unsigned char *bytes, size_t size, size_t *used, const char *label,
                     Arena *arena, Diag *diag)
{
    Machine m = {.at = bytes,
                 .end = bytes + size,
                 .begin = bytes,
                 .label = label,
                 .arena = arena,
                 .diag = diag};
    while (m.at < m.end) {
        const int code = *m.at++;
        if (code == '.') {
            Pickled *value = pickle_pop(&m);
            if (!value || m.stack.n > 0)
                pickle_damaged(&m, "it ends with no object");
            *used = (size_t)(m.at - bytes);
            return m.stack.n > 0 ? NULL : value;
        }
        if (!step(&m, code))
            return NULL;
        if (m.objects > OBJECTS_MOST) {
            pickle_damaged(&m, "it has more objects than any checkpoint, 4 million");
            return NULL;
        }
    }
    pickle_damaged(&m, "it is cut off");
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

const Pickled *pickled_item(const Pickled *value, int i)
{
    return value && i < value->items.n ? value->items.at[i] : NULL;
}

bool pickled_is(const Pickled *value, PickledKind kind)
{
    return value && value->kind == kind;
}

bool pickled_calls(const Pickled *value, const char *function)
{
    return pickled_is(value, PICKLED_CALL) && pickled_is(value->items.at[0], PICKLED_GLOBAL) &&
           str_eq(value->items.at[0]->text, function);
}
