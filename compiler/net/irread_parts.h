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
    NameTable names;  /* of nodes; an entry without a node had an error in its line */
    NameTable params; /* of the nodes before `last`: the first node that refers to each */
    int original;     /* from the net line, or -1 */
} Reader;

/* The node above with that name, or NULL. */
Node *irread_node(const Reader *r, const char *name);
/* Whether the line of that node had an error. */
bool irread_is_broken(const Reader *r, const char *name);
/* Reports that there is no such node, and the nearest name. */
void irread_unknown(Reader *r, Loc loc, const char *name);
/* Reads an element type; returns false after a message. */
bool irread_elem(Reader *r, Elem *elem);
/* Lists the last node's parameters by their names, so that later lines can refer to them. Returns
 * false after a message. */
bool irread_list_params(Reader *r);
/* The parameter with that name, of the nodes whose parameters are listed, or NULL. */
Param *irread_param(const Reader *r, const char *name);
/* These read a line that begins with `port` or `update`, from after that word on. */
bool irread_port(Reader *r, Loc loc);
bool irread_update(Reader *r, Loc loc);

#endif
