/* kernels.c: the rows of isa.def, kernels.def and shapes.def as data, for
 * choosing, printing and emitting. */
#include "plan/kernels.h"

#include <assert.h>

const IsaRow isa_rows[ISA_COUNT] = {
#define ISA(id, lanes, guard, doc) [ISA_##id] = {#id, lanes, guard, doc},
#include "kernels/isa/isa.def"
};

/* The words of kernels.def. */
enum {
    TILE = NEEDS_TILE,
    WINOGRAD = NEEDS_WINOGRAD,
    NARROW = NEEDS_NARROW,
    SIZES = NEEDS_SIZES,
    EXP = NEEDS_EXP,
};

const KernelRow kernel_rows[KERNEL_COUNT] = {
#define KERNEL(name, family, packing, needs, doc) \
    [KERNEL_##name] = {#name, FAMILY_##family, PACK_##packing, needs, doc},
#include "kernels/kernels.def"
};

enum { KIND_int, KIND_float };
static_assert(sizeof(int) == 4 && sizeof(float) == 4, "a field is 4 bytes, whatever its type");

#define ROW(family, type, name, packs, doc) \
    {#name, KIND_##type == KIND_float, packs, offsetof(rnc_##family##_shape, name), doc},
#define SHAPE_BEGIN(family, doc) static const ShapeField family##_fields[] = {
#define FIELD(family, type, name, doc) ROW(family, type, name, false, doc)
#define PACKS(family, type, name, doc) ROW(family, type, name, true, doc)
#define SHAPE_END(family)                                                   \
    }                                                                       \
    ;                                                                       \
    static_assert(sizeof(rnc_##family##_shape) ==                           \
                      4 * sizeof family##_fields / sizeof *family##_fields, \
                  "no padding between fields");
#include "kernels/shapes.def"

const ShapeRow shape_rows[FAMILY_COUNT] = {
#define SHAPE_BEGIN(family, doc)                                                 \
    [FAMILY_##family] = {#family, sizeof(rnc_##family##_shape), family##_fields, \
                         (int)(sizeof family##_fields / sizeof *family##_fields)},
#include "kernels/shapes.def"
};
