/* shapes.h: the shapes as C structs, and the operands of a step. */
#ifndef RNC_SHAPES_H
#define RNC_SHAPES_H

#define SHAPE_BEGIN(family, doc) typedef struct rnc_##family##_shape {
#define FIELD(family, type, name, doc) type name;
#define SHAPE_END(family) \
    }                     \
    rnc_##family##_shape;
#include "shapes.def"

typedef rnc_tile_shape rnc_tile;

/* The memory of one step.  All but the caller's own buffers are aligned to 64
 * bytes at the first pixel of the first image where its channels begin there. */
typedef struct rnc_operands {
    const void *in;       /* first operand; floats, but for the kernel `input` */
    const void *in2;      /* second operand or residual, or NULL */
    void *out;            /* result */
    const float *weights; /* packed, or NULL; the next step's lie behind them */
    void *scratch;        /* or NULL */
} rnc_operands;

/* Activations, in the order of the compiler's Act. */
enum {
    RNC_ACT_NONE,
    RNC_ACT_RELU,
    RNC_ACT_RELU6,
    RNC_ACT_LEAKY_RELU,
    RNC_ACT_SIGMOID,
    RNC_ACT_TANH,
    RNC_ACT_HARD_SIGMOID,
    RNC_ACT_HARD_SWISH,
    RNC_ACT_SILU,
    RNC_ACT_GELU
};

#endif
