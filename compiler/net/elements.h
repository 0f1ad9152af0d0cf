/* elements.h: element types, the rows of elements.def as data. */
#ifndef RNC_ELEMENTS_H
#define RNC_ELEMENTS_H

#include <stdbool.h>
#include <stdint.h>

typedef enum Elem {
#define ELEMENT(id, name, bytes, c, constant, input, doc) ELEM_##id,
#include "net/elements.def"
    ELEM_COUNT
} Elem;

/* Who can give an input of a type; elements.def says more. */
typedef enum ElemInput { NO_INPUT, TRAINING_INPUT, ANY_INPUT } ElemInput;

typedef struct ElemRow {
    const char *name; /* "f32" */
    int bytes;
    const char *c;        /* "float" */
    const char *constant; /* "RNC_ELEM_F32" */
    ElemInput input;
    const char *doc;
} ElemRow;

const ElemRow *elem_row(Elem elem);
/* The type with this name, or ELEM_COUNT. */
Elem elem_named(const char *name);
const char *elem_name(Elem elem);
int elem_bytes(Elem elem);
/* The bytes of n elements. */
static inline int64_t elems_bytes(Elem elem, int64_t n)
{
    return n * elem_bytes(elem);
}

#endif
