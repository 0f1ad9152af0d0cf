/* reference.h: a training in double precision, by the interpreter and plain loops: what the emitted
 * C is compared with. */
#ifndef REFERENCE_H
#define REFERENCE_H

#include "compile.h"
#include "runtime/rnctrain.h"

/* A parameter or statistic, by the number of Net.params. */
typedef struct Kind {
    double *now, *first, *second, *average, *sum; /* sum: gradients of the update so far */
    double *moved;                                /* the largest change of each element in a step */
    double cancels;                               /* see cancellation() */
} Kind;

typedef struct Reference {
    const Net *net;
    Kind *kinds;
    double *losses; /* [steps] */
} Reference;

/* Takes `steps` steps; the parameters' data are the beginning.  values: by input, [n][h][w][c] for
 * each step, of which the first `images` images count. */
const Reference *reference_run(const Net *net, const double *const *values, int images, int steps,
                               double rate, Arena *arena);
const Param *reference_param(const Net *net, const char *name);
const double *reference_tensor(const Reference *r, const char *name, rnc_role role);
/* What an error of element k is a share of: its size, of a parameter's change the change's.  A
 * tensor's error is judged by its largest element.  A gradient that is a single number, that of
 * `prelu shared=true`, has no larger one beside it when the products whose sum it is cancel: it is
 * judged by the product of both factors' largest elements. */
double reference_scale(const Reference *r, const char *name, rnc_role role, int64_t k);
double reference_floor(const Reference *r, const char *name, rnc_role role);

/* Classes of the labels; 0 if there are none. */
int loss_classes(const Net *net);

#endif
