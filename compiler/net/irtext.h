/* irtext.h: the network as text, which rnc prints and reads back. */
#ifndef RNC_IRTEXT_H
#define RNC_IRTEXT_H

#include "base/diag.h"
#include "base/str.h"
#include "net/ir.h"

/* Prints everything but the parameters' data; with `src`, also the place of each node. */
void irtext_print(Buf *out, const Net *net, const SrcMap *src);
/* Reads the network in source file `file` of d->src; returns NULL after messages. Printing what
 * was read gives the same text. */
Net *irtext_read(Arena *arena, int file, Diag *d);

#endif
