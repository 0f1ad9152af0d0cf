/* write.h: a network as the .net file that a person would write.
 *
 * The text lowers to the same network, node by node; that is checked each time, and a plain list
 * of layers takes its place where a better text does not. */
#ifndef RNC_WRITE_H
#define RNC_WRITE_H

#include "import/imported.h"
#include "lang/lower.h"

/* A text for the network and what it lowers to. */
typedef struct Written {
    Buf text;
    int plain; /* 0: with blocks; 1: without; 2: a list of layers */
    int file;  /* of the text in the SrcMap, called by `path` */
    Net *net;  /* lowered, with the values of the network's parameters by its own names */
} Written;

/* Writes the network.  `path` is what messages call the text: the file that it is to be.  Only
 * what the language can say is written: a network with passes behind it, or a backward part, is
 * refused.  False after a message. */
bool write_net(Written *to, const Imported *from, const char *path, SrcMap *src, Diag *d);

/* The written text lowered once more with these options, as a user's -D, --batch and --tap, with
 * the values.  NULL after messages. */
Net *written_lower(const Written *written, const LowerOptions *options, SrcMap *src, Diag *d);

#endif
