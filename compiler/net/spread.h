/* spread.h: how far the numbers of each tensor can be from ordinary ones. */
#ifndef RNC_SPREAD_H
#define RNC_SPREAD_H

#include "net/ir.h"

/* What the numbers of a tensor can be, as far as its net says (Range). */
typedef struct Spread {
    double factor;    /* the largest finite magnitude over that of ordinary numbers, >= 1; 1 also
                         where nothing was said; INFINITY: no bound */
    bool nan, inf;    /* these can occur */
    const Port *port; /* the input that `factor` or else NaN and infinities come from, or NULL */
} Spread;

/* A range up to a larger magnitude counts as one with infinities.  It is far below the largest
 * float, 3.4e38, since sums of products grow. */
#define SPREAD_OVERFLOWS 1e30

/* By node id, in `arena`. */
Spread *spread_find(const Net *net, Arena *arena);
/* Likewise, if `port`, a port of one of the net's inputs, were the only one of which something is
 * said.  spreads[] has a place for each node. */
void spread_of_port(const Net *net, const Port *port, Spread *spreads);
/* "values up to 1e+06 times ordinary ones and NaN (input 'depth')", for reports. */
const char *spread_describe(Arena *arena, const Spread *spread);

#endif
