/* netgen_parts.h: what the random networks are made of; private to netgen*.c. */
#ifndef RNC_NETGEN_PARTS_H
#define RNC_NETGEN_PARTS_H

#include "netgen.h"

/* A number that divides both. */
int netgen_divisor(NetTest *t, int a, int b);
/* NULL where `in` has not the pixels or channels for what was drawn. */
Node *netgen_places(NetTest *t, Node *in);
Node *netgen_transpose(NetTest *t, Node *in);

#endif
