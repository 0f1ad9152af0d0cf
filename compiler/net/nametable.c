/* nametable.c: see nametable.h. */
#include "net/nametable.h"

#include "base/numbers.h"
#include "base/str.h"

#include <string.h>

static NameEntry *slot(const NameTable *table, const char *name)
{
    const uint64_t hash = hash_bytes(HASH_START, name, strlen(name));
    int mask = table->cap - 1;
    int i = (int)(hash >> 32) & mask;
    while (table->at[i].name && !str_eq(table->at[i].name, name))
        i = (i + 1) & mask;
    return &table->at[i];
}

NameEntry *table_find(const NameTable *table, const char *name)
{
    NameEntry *entry = table->cap ? slot(table, name) : NULL;
    return entry && entry->name ? entry : NULL;
}

NameEntry *table_add(NameTable *table, const char *name, Loc loc)
{
    if (table->n >= table->cap / 2) {
        NameTable larger = {table->arena, NULL, table->n, table->cap ? 2 * table->cap : 8};
        larger.at = NEW_ARRAY(table->arena, NameEntry, larger.cap);
        for (int i = 0; i < table->cap; i++) {
            if (table->at[i].name)
                *slot(&larger, table->at[i].name) = table->at[i];
        }
        *table = larger;
    }
    NameEntry *entry = slot(table, name);
    if (entry->name)
        return NULL;
    *entry = (NameEntry){name, NULL, loc, 0};
    table->n++;
    return entry;
}
