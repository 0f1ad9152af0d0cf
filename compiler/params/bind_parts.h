/* bind_parts.h: what the parts of binding share; private to bind*.c.
 *
 * bind_names.c finds for each parameter the tensor of its name, bind_fill.c which need none,
 * bind_unmatched.c says which have none, bind_shape.c whether a tensor's extents fit, bind.c takes
 * the numbers.
 */
#ifndef RNC_BIND_PARTS_H
#define RNC_BIND_PARTS_H

#include "params/bind.h"

/* A tensor of a file and the parameter that uses it. */
typedef struct Slot {
    const StoredTensor *tensor;
    const TensorFile *file;
    int order; /* of files, and in the file */
    const Param *param;
} Slot;

/* A parameter, the first node that refers to it, and its tensor or NULL. */
typedef struct Use {
    Param *param;
    const Node *node;
    double epsilon; /* of a variance: the least of the nodes that refer to it */
    Slot *slot;
    bool by_alias; /* found by the naming's name, so in the naming's order of axes */
    bool filled;   /* no tensor is needed: each number is `fill` */
    float fill;
} Use;

/* What names are compared: the files' own; the places of layers in a file of Keras 3, which
 * stay where a session numbers layers anew; those without what wraps a model. */
typedef enum View { VIEW_PLAIN, VIEW_PLACE, VIEW_UNWRAPPED, VIEW_COUNT } View;

/* One way to read the names. */
typedef struct Reading {
    int naming; /* of Net.namings, or -1: the net's own */
    View view;
    const char *prefix; /* that all names begin with, "" if none */
    int missing;        /* parameters without a tensor */
    int left;           /* tensors without a parameter */
} Reading;

typedef struct Index Index; /* bind_names.c */

typedef struct Binder {
    Arena *arena;
    Diag *diag;
    Net *net;
    Slot *slots; /* in the order of the files */
    int n_slots;
    const Index *views[VIEW_COUNT]; /* made when they are asked for */
    VEC(Use) uses;                  /* [id] of Net.params */
    Reading reading;                /* the one that was chosen */
    VEC(Reading) tried;             /* with other namings */
    const int *readers;             /* [id] of nodes; made when it is asked for */
    int reshaped;                   /* tensors that had other axes of extent 1 */
    const Use *first_reshaped;
    VEC(const NetDefine *) defined; /* those that a note has named */
} Binder;

/* ---- bind_names.c ---- */

/* Uses and slots of each other, by the reading under which most names fit.  False after a
 * message: a name is there twice, or several readings fit as well.  `some` allows
 * parameters without a tensor. */
bool bind_names(Binder *b, bool some);
/* The tensor's name as the view has it. */
const char *bind_spelled(const Binder *b, const Slot *slot, View view);
/* What a parameter is called under the chosen reading. */
const char *bind_wanted(const Binder *b, const Param *param);
/* Tensors that no parameter uses, in the order of the files; *n of them. */
Slot **bind_left_over(const Binder *b, int *n);
const char *bind_naming_name(const Binder *b, int naming);
/* The tensor of that name in files that rnc did not write, or NULL. */
Slot *bind_find(Binder *b, View view, const char *name);

/* ---- bind_fill.c ---- */

/* Sets Use.filled where a normalisation needs no tensor, after all have been looked up. */
void bind_fill(Binder *b, const Reading *r);
void bind_say_fills(const Binder *b, const char *path);

/* ---- bind_unmatched.c ---- */

/* Once, with examples of both sides, instead of an error for each name. */
void bind_names_differ(const Binder *b, const TensorFile *files);
/* Every name without its counterpart, up to a limit; `strict`: parameters as well. */
void bind_report_names(Binder *b, bool strict);

/* ---- bind_shape.c ---- */

/* The order of axes in which a weight is expected; NULL: it has none. */
const char *bind_axes(const Use *use);
/* Whether the tensor's extents fit the parameter, in the order `axes`; *dims are then
 * those extents as axes_reorder() takes them.  False after a message. */
bool bind_shape(Binder *b, const Use *use, const char *axes, int64_t dims[4]);
/* [3][0][1], "a single number". */
const char *bind_shape_text(Arena *arena, const int64_t *dims, int rank);

Loc bind_place(const Param *param);

#endif
