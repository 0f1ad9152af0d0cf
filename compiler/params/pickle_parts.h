/* pickle_parts.h: the stack machine that pickle.c and pickle_object.c run; private to them. */
#ifndef RNC_PICKLE_PARTS_H
#define RNC_PICKLE_PARTS_H

#include "params/pickle.h"

typedef struct Machine {
    const unsigned char *at, *end, *begin;
    const char *label;
    size_t copied;         /* items of lists that became dicts */
    int objects;           /* that were made */
    Pickled *mark, *other; /* the one object of its kind, or NULL until there is one */
    Arena *arena;
    Diag *diag;
    VEC(Pickled *) stack;
    VEC(Pickled *) memo;
} Machine;

/* False after a message that says why and where. */
bool pickle_damaged(const Machine *m, const char *why);
/* A new object, and one on the stack. */
Pickled *pickle_new(Machine *m, PickledKind kind);
Pickled *pickle_push(Machine *m, PickledKind kind);
bool pickle_push_int(Machine *m, PickledKind kind, int64_t x);
/* The topmost object.  NULL when there is none; pop: or a mark, which is nothing to take. */
Pickled *pickle_top(const Machine *m);
Pickled *pickle_pop(Machine *m);
/* A line of the stream. */
bool pickle_line(Machine *m, const char **text);

/* ---- what opcodes make of objects on the stack (pickle_object.c) ---- */

/* The place after the last mark, or -1. */
int pickle_marked(const Machine *m);
bool pickle_pop_mark(Machine *m);
/* A function or a class by its name; named in two lines, or by two objects. */
bool pickle_global(Machine *m, const char *module, const char *name);
bool pickle_global_line(Machine *m);
bool pickle_global_stack(Machine *m);
/* A function or class, its arguments, and `more` objects above that do not count. */
bool pickle_reduce(Machine *m, int more);
/* The n topmost objects as a tuple; n < 0: those after the mark, also as a dict. */
bool pickle_tuple(Machine *m, int n);
bool pickle_dict(Machine *m);
/* The objects from `from` on into the list, set or dict before them (and before a mark). */
bool pickle_extend(Machine *m, int from, PickledKind kind, int mark);
bool pickle_build(Machine *m);
/* A set of what stands after the mark, or the object of a class that does; and one whose
 * class is in the stream. */
bool pickle_marked_object(Machine *m, bool set);
bool pickle_inst(Machine *m);

#endif
