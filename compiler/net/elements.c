/* elements.c: see elements.h. */
#include "net/elements.h"

#include <string.h>

const ElemRow *elem_row(Elem elem)
{
    static const ElemRow rows[ELEM_COUNT] = {
#define ELEMENT(id, name, bytes, c, constant, input, doc) {name, bytes, c, #constant, input, doc},
#include "net/elements.def"
    };
    return &rows[elem];
}

Elem elem_named(const char *name)
{
    int elem = 0;
    while (elem < ELEM_COUNT && strcmp(elem_row((Elem)elem)->name, name) != 0)
        elem++;
    return (Elem)elem;
}

const char *elem_name(Elem elem)
{
    return elem_row(elem)->name;
}

int elem_bytes(Elem elem)
{
    return elem_row(elem)->bytes;
}
