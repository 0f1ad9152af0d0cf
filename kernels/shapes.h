/* shapes.h: the shapes as C structs, and the operands of a step (operands.h). */
#ifndef RNC_SHAPES_H
#define RNC_SHAPES_H

#define SHAPE_BEGIN(family, doc) typedef struct rnc_##family##_shape {
#define FIELD(family, type, name, doc) type name;
#define SHAPE_END(family) \
    } \
    rnc_##family##_shape;
#include "shapes.def"

#include "operands.h"

#endif
