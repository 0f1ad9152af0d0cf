/* nametable.h: a hash table from names to nodes.  It is only asked for single names, so its order
 * never matters. */
#ifndef RNC_NAMETABLE_H
#define RNC_NAMETABLE_H

#include "base/arena.h"
#include "base/src.h"
#include "net/ir.h"

typedef struct NameEntry {
    const char *name;
    const Node *node; /* what it names: a layer, or the end of a block or stage */
    Loc loc;
    int number; /* a number for the table's owner to use; 0 at first */
} NameEntry;

typedef struct NameTable {
    Arena *arena;
    NameEntry *at; /* [cap], cap a power of two */
    int n, cap;
} NameTable;

NameEntry *table_find(const NameTable *table, const char *name);
/* Adds an entry and returns it, or NULL if the name is there already. */
NameEntry *table_add(NameTable *table, const char *name, Loc loc);

#endif
