/* shapes.h: the shapes of training as C structs. */
#ifndef RNC_TRAIN_SHAPES_H
#define RNC_TRAIN_SHAPES_H

#include "kernels/shapes.h"

#define SHAPE_BEGIN(family, doc) typedef struct rnc_##family##_shape {
#define FIELD(family, type, name, doc) type name;
#define SHAPE_END(family) \
    } \
    rnc_##family##_shape;
#include "kernels/train/shapes.def"

#endif
