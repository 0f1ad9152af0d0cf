/* pickle.h: Python's pickles as data: nothing in them is executed.
 *
 * A pickle is a program for a stack machine that may call any function.  Here it only builds a
 * tree: dicts, tuples, strings, numbers.  A call, or an object of a class, is a value that says
 * what would be called with what; readers of the tree know some of these functions and ignore the
 * rest.
 */
#ifndef RNC_PICKLE_H
#define RNC_PICKLE_H

#include "base/arena.h"
#include "base/diag.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

typedef enum PickledKind {
    PICKLED_NONE,
    PICKLED_BOOL,   /* integer */
    PICKLED_INT,    /* integer */
    PICKLED_REAL,   /* its value is not kept */
    PICKLED_STRING, /* text */
    PICKLED_OTHER,  /* bytes with a zero, numbers of more than 64 bits, sets: not kept */
    PICKLED_TUPLE,  /* items; lists are this, too */
    PICKLED_DICT,   /* items: key, value, key, value ... */
    PICKLED_GLOBAL, /* text: "torch.FloatStorage" */
    PICKLED_CALL,   /* items: the function or class, the tuple of its arguments, and keys and
                       values that were put into what it made; state */
    PICKLED_OUTER,  /* items: what names an object outside of the pickle */
    PICKLED_MARK    /* only while it is read */
} PickledKind;

typedef struct Pickled Pickled;
struct Pickled {
    PickledKind kind;
    int seen; /* by the last that walked the tree, since objects can contain each other */
    int64_t integer;
    const char *text;
    VEC(Pickled *) items;
    const Pickled *state; /* of an object: the attributes it would be given, or NULL */
};

/* The object that the pickle at `bytes` makes, or NULL after a message in which `label`
 * names it.  *used becomes how many bytes it has; others may follow.  What
 * collections.OrderedDict and its like make is a dict.  A pickle's objects can contain
 * each other and themselves. */
Pickled *pickle_read(const unsigned char *bytes, size_t size, size_t *used, const char *label,
                     Arena *arena, Diag *diag);

/* The value of a string key, the last one; NULL: not there, or not a dict. */
Pickled *pickled_get(const Pickled *dict, const char *key);
/* Item i, or NULL; whether a value is there and of a kind; whether it is a call of `function`. */
const Pickled *pickled_item(const Pickled *value, int i);
bool pickled_is(const Pickled *value, PickledKind kind);
bool pickled_calls(const Pickled *value, const char *function);

#endif
