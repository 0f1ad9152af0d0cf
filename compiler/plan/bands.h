/* bands.h: groups of layers that are computed band by band.
 *
 * Where the tensors between layers are larger than the second-level cache, each layer reads from
 * farther away what the layer before has just written.  So some rows of the last layer's result,
 * a band, are computed through all layers of a group before the next rows are: the tensors between
 * the layers have only the rows of a band then, which stay near, and take less of the arena.
 * Windows overlap from band to band, and the rows of which both bands need a part are computed
 * twice.  (Alwani et al., Fused-layer CNN accelerators, 2016; Lin et al., MCUNetV2, 2021.)
 */
#ifndef RNC_BANDS_H
#define RNC_BANDS_H

#include "plan/plan.h"

/* Nodes first .. last of a network, in its order: each computes every row of its result from some
 * rows of its operands, and only the result of the last is used outside. */
typedef struct BandGroup {
    int first, last;
    int bands; /* at most the rows of the last node's result */
} BandGroup;
typedef VEC(BandGroup) BandGroups;

/* Rows lo .. hi-1. */
typedef struct BandRows {
    int lo, hi;
} BandRows;

/* Whether every row of the node's result is computed from some rows of its operands. */
bool is_by_rows(const Node *node);
/* What a node of which is_by_rows() holds reads of operand `slot` for some rows of its result. */
BandRows band_reads(const Node *node, int slot, BandRows rows);
/* The rows that band number `band` needs of each node of a group, at rows[id - group.first], from
 * the last node's to the first's. */
void band_rows(const Net *net, BandGroup group, int band, BandRows *rows);

/* bands_choose.c: the groups by whose bands the network takes the least time on the plan's machine,
 * in order; usually none. */
BandGroups choose_bands(const Plan *plan);
/* bands.c: a copy of `net` in which these groups, which are disjoint and in order, are computed by
 * bands.  A node of a band is called NAME.bandN; Node.origin and Node.first_row say what of the
 * original network it computes.  The last node of a group becomes the stack of its bands. */
Net *bands_cut(const Net *net, const BandGroups *groups, Arena *arena);

/* The name of the layer that a node of a band computes some rows of, in `arena`. */
const char *band_layer(const Node *node, Arena *arena);

#endif
