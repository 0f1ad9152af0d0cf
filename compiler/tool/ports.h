/* ports.h: values of inputs and outputs: from files, by chance, and between the
 * port's axes and the oracle's [n][h][w][c]. */
#ifndef RNC_PORTS_H
#define RNC_PORTS_H

#include "base/diag.h"
#include "net/ir.h"
#include "params/npy.h"

/* A type with the images of `runs` runs, one run's after the other's. */
Type type_of_runs(Type type, int runs);

/* The values of `runs` runs, [runs * n][h][w][c], drawn from `seed`, each one a float exactly:
 * whole numbers 0..255 for a port of bytes, classes for labels; ordinary numbers of the range that
 * the net says, up to their typical magnitude; 0 to 255 for floats that are normalised, else -1
 * to 1.
 */
double *port_random(const Net *net, int port, int runs, uint64_t seed, Arena *arena);

/* The magnitude of the numbers that are drawn. */
double port_magnitude(const Net *net, int port);

/* The file's values for an input port as [runs * n][h][w][c]; extents of 1 may be left out of its
 * shape. NULL after a message. */
double *port_from_npy(const Net *net, int port, int runs, const Npy *npy, const char *path,
                      Arena *arena, Diag *d);

/* The index of element i of [n][h][w][c] in a contiguous array with this order. */
int64_t port_index(Type type, Order order, int64_t i);
/* [n][c][h][w] or [n][h][w][c]; vectors as [n][c].  Returns the rank. */
int port_dims(Type type, Order order, int64_t dims[4]);

#endif
