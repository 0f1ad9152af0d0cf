/* bind_parts.h: what the parts of binding share; private to bind*.c.
 *
 * bind_names.c finds the tensor with each parameter's name; bind_fill.c finds the parameters that
 * need none; bind_unmatched.c reports those that have none; bind_shape.c checks whether a tensor's
 * extents fit; bind.c reads the numbers.
 */
#ifndef RNC_BIND_PARTS_H
#define RNC_BIND_PARTS_H

#include "params/bind.h"

/* A tensor of a file and the parameter that uses it. */
typedef struct Slot {
    const StoredTensor *tensor;
    const TensorFile *file;
    int order; /* order of the files, then in the file */
    const Param *param;
} Slot;

/* A parameter, the first node that refers to it, and its tensor or NULL. */
typedef struct Use {
    Param *param;
    const Node *node;
    double epsilon; /* for a variance: the least epsilon of the nodes that refer to it */
    Slot *slot;
    bool by_alias; /* found by the naming's name, so in the naming's order of axes */
    bool anew;     /* initialised, even if there is a tensor */
    bool filled;   /* no tensor is needed: each number is `fill` */
    float fill;
} Use;

/* Which names are compared.  VIEW_PLAIN: those in the file.  VIEW_PLACE: the places of layers in a
 * file of Keras 3, which stay the same when a session renumbers layers.  VIEW_UNWRAPPED: names
 * without the parts that wrappers of a model add. */
typedef enum View { VIEW_PLAIN, VIEW_PLACE, VIEW_UNWRAPPED, VIEW_COUNT } View;

/* One way to read the names. */
typedef struct Reading {
    int naming; /* index in Net.namings; -1: the net's own */
    View view;
    const char *prefix; /* prefix of all names, "" if there is none */
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
    const Index *views[VIEW_COUNT]; /* made when they are first needed */
    VEC(Use) uses;                  /* by id of Net.params */
    Reading reading;                /* the one that was chosen */
    VEC(Reading) tried;             /* with other namings */
    const int *readers;             /* by id of nodes; made when it is first needed */
    int reshaped;                   /* tensors that had other axes of extent 1 */
    const Use *first_reshaped;
    const Use *misfit;              /* the first of another shape than the network's, or NULL */
    VEC(const NetDefine *) defined; /* those that a note has named */
} Binder;

/* ---- bind.c ---- */

/* Fills in slots and uses. */
void bind_list(Binder *b, const TensorFile *files, int n_files);

/* ---- bind_names.c ---- */

/* Connects uses and slots by the reading under which most names fit.  Returns false after a
 * message if a name occurs twice, or if several readings fit equally well.  `some` allows
 * parameters without a tensor. */
bool bind_names(Binder *b, bool some);
/* The tensor's name in the view. */
const char *bind_spelled(const Binder *b, const Slot *slot, View view);
/* The name of a parameter under the chosen reading. */
const char *bind_wanted(const Binder *b, const Param *param);
/* Tensors that no parameter uses, in the order of the files; *n of them. */
Slot **bind_left_over(const Binder *b, int *n);
const char *bind_naming_name(const Binder *b, int naming);
/* The tensor of that name in files that rnc did not write, or NULL. */
Slot *bind_find(Binder *b, View view, const char *name);

/* ---- bind_fill.c ---- */

/* Sets Use.filled if a normalisation needs no tensor, after all names have been looked up. */
void bind_fill(Binder *b, const Reading *r);
void bind_say_fills(const Binder *b, const char *path);

/* ---- bind_unmatched.c ---- */

/* Reports once, with examples of both sides, that the names differ, instead of an error for each.
 */
void bind_names_differ(const Binder *b, const TensorFile *files);
/* Reports every name without its counterpart, up to a limit; `strict`: parameters as well. */
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
