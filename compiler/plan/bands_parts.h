/* bands_parts.h: what bands_choose.c and bands_cost.c share; private to them. */
#ifndef RNC_BANDS_PARTS_H
#define RNC_BANDS_PARTS_H

#include "plan/bands.h"

enum { MOST_BAND_NODES = 48, MOST_BAND_OPERANDS = 4 };

/* What is known of each node of the plan's network, by its id. */
typedef struct BandCosts {
    const Plan *plan;
    const Net *net;
    double room;        /* bytes that stay near */
    double step;        /* seconds that a step takes besides */
    double *arithmetic; /* seconds, all rows, with everything near */
    double *bytes;      /* of its result */
    double *weights;    /* bytes */
    double *alone;      /* seconds of the node, by all its rows at once */
    double *alive;      /* bytes of all tensors that are needed while it is computed so */
    int *far;           /* how many nodes before it read or write what is not near */
    int *last_use;      /* the last node that reads it; the number of nodes for an output */
    bool *by_rows;      /* it can be in a group */
    /* Of a walk, whose clock counts bytes: */
    double clock, *touched; /* when its value was; < 0: not yet */
} BandCosts;

BandCosts *band_costs(const Plan *plan);
/* The seconds of a group by bands on one thread, at most MOST_BAND_NODES nodes. */
double band_seconds(BandCosts *c, BandGroup g);
/* The most bytes of tensors that are needed at a time while it is computed so. */
double band_bytes(const BandCosts *c, BandGroup g);

#endif
