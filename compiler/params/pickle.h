/* pickle.h: Python's pickles as data: nothing in them is executed.
 *
 * A pickle is a program for a stack machine that may call any function.  Here it
 * only builds a tree: dicts, tuples, strings, numbers; a call is a value that
 * says what would be called with what, and only the functions of a list that the
 * caller gives may be named at all.
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
    PICKLED_TUPLE,  /* items; lists are this, too */
    PICKLED_DICT,   /* items: key, value, key, value ... */
    PICKLED_GLOBAL, /* text: "torch.FloatStorage" */
    PICKLED_CALL,   /* items: the function, a PICKLED_GLOBAL, and the tuple of its arguments */
    PICKLED_OUTER,  /* items: what names an object outside of the pickle */
    PICKLED_MARK    /* only while it is read */
} PickledKind;

typedef struct Pickled Pickled;
struct Pickled {
    PickledKind kind;
    int64_t integer;
    const char *text;
    VEC(Pickled *) items;
};

/* The object that the pickle makes, or NULL after a message in which `label` names
 * it.  `allowed` is a NULL-terminated list: "collections.OrderedDict" is made a
 * dict, the others may be called.  A pickle's objects can contain each other and
 * themselves. */
Pickled *pickle_read(const unsigned char *bytes, size_t size, const char *const *allowed,
                     const char *label, Arena *arena, Diag *diag);

/* The value of a string key, the last one; NULL: not there, or not a dict. */
Pickled *pickled_get(const Pickled *dict, const char *key);

#endif
