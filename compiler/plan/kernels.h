/* kernels.h: what instruction sets, shapes, packings and kernels there are: the rows
 * of isa.def, shapes.def, packings.def and kernels.def as data, those for training among them. */
#ifndef RNC_KERNELS_H
#define RNC_KERNELS_H

#include "kernels/train/shapes.h"

#include <stdbool.h>
#include <stddef.h>

typedef enum Isa {
#define ISA(id, lanes, guard, doc) ISA_##id,
#include "kernels/isa/isa.def"
    ISA_COUNT
} Isa;

typedef struct IsaRow {
    const char *name;
    int lanes;
    const char *guard;
    const char *doc;
} IsaRow;
extern const IsaRow isa_rows[ISA_COUNT];

typedef enum Family {
#define SHAPE_BEGIN(family, doc) FAMILY_##family,
#include "kernels/shapes.def"
#define SHAPE_BEGIN(family, doc) FAMILY_##family,
#include "kernels/train/shapes.def"
    FAMILY_COUNT
} Family;

/* Fields of a family's struct, in order, for printing (shapes.def). */
typedef struct ShapeField {
    const char *name;
    bool is_float;
    bool packs; /* the packing of the weights depends on it */
    size_t offset;
    const char *doc;
} ShapeField;
typedef struct ShapeRow {
    const char *name;
    size_t bytes;
    const ShapeField *fields;
    int n;
} ShapeRow;
extern const ShapeRow shape_rows[FAMILY_COUNT];

typedef union Shape {
#define SHAPE_BEGIN(family, doc) rnc_##family##_shape family;
#include "kernels/shapes.def"
#define SHAPE_BEGIN(family, doc) rnc_##family##_shape family;
#include "kernels/train/shapes.def"
} Shape;

/* The knobs of a step, fields of rnc_knobs: KNOB_pixels is the number of `pixels` among them. */
typedef enum Knob {
#define KNOB(name, least, most, doc) KNOB_##name,
#include "kernels/shapes.def"
    KNOB_COUNT
} Knob;
#define KNOB_BIT(name) (1u << KNOB_##name)

/* How weights are stored; the values are those of the weights file. */
typedef enum Packing {
    PACK_none = 0,
#define PACKING(name, number, doc) PACK_##name = number,
#include "plan/packings.def"
    PACKING_COUNT
} Packing;

/* What is pasted before a kernel (kernels.def). */
enum {
    NEEDS_TILE = 1,
    NEEDS_WINOGRAD = 2,
    NEEDS_NARROW = 4,
    NEEDS_SUMS = 8,
    NEEDS_EXP = 16,
    NEEDS_POOL = 32,
    NEEDS_DIRECT = 64,
    NEEDS_NORM = 128,
    NEEDS_OVER = 256,
    NEEDS_TRANSFORM = 512,
    NEEDS_TAPS = 1024,
};

typedef struct KernelRow {
    const char *name;
    const char *file; /* "kernels/f32/conv_direct.c" */
    bool trains;      /* a row of kernels/train/kernels.def */
    Family family;
    Packing packing;
    unsigned needs;       /* NEEDS_... */
    const char *operands; /* "in residual? -> out" */
    const char *doc;
} KernelRow;
typedef enum Kernel {
#define KERNEL(name, family, packing, needs, operands, doc) KERNEL_##name,
#include "kernels/kernels.def"
#define KERNEL(name, family, packing, needs, operands, doc) KERNEL_##name,
#include "kernels/train/kernels.def"
    KERNEL_COUNT
} Kernel;
extern const KernelRow kernel_rows[KERNEL_COUNT];

/* The most tensors that a step reads and writes: the slots of rnc_operands (operands.h). */
enum { MOST_IN = RNC_MOST_IN, MOST_OUT = RNC_MOST_OUT };
/* Which operands a kernel reads or writes: bit i of `needed` is set if its row has the i-th without
 * `?`; `count` is how many there are at most. */
typedef struct OperandSet {
    unsigned needed;
    int count;
} OperandSet;
OperandSet kernel_reads(Kernel kernel);
OperandSet kernel_writes(Kernel kernel);

#endif
