/* irread_parts.h: what the parts of reading a network's text form share; private to
 * irread*.c. */
#ifndef RNC_IRREAD_PARTS_H
#define RNC_IRREAD_PARTS_H

#include "net/irlex.h"
#include "net/irtext.h"
#include "net/nametable.h"

typedef struct Reader {
    IrLexer *lex;
    Net *net;
    Diag *diag;
    Node *last;       /* whose parameters may follow, or NULL */
    NameTable names;  /* of nodes; no node: its line had an error */
    NameTable params; /* of the nodes before `last`: the first node that refers to each */
    int original;     /* from the net line, or -1 */
} Reader;

/* The node of that name above, or NULL. */
Node *irread_node(const Reader *r, const char *name);
/* Whether the line of that node had an error. */
bool irread_is_broken(const Reader *r, const char *name);
/* Says that there is no such node, with the nearest name. */
void irread_unknown(Reader *r, Loc loc, const char *name);
/* An element type; false after a message. */
bool irread_elem(Reader *r, Elem *elem);
/* A line that begins with `port`, behind that word. */
bool irread_port(Reader *r, Loc loc);

#endif
