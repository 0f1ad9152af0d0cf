/* kernels.c: the rows of isa.def, kernels.def and shapes.def as data, for
 * choosing, printing and emitting. */
#include "plan/kernels.h"

#include <assert.h>

const IsaRow isa_rows[ISA_COUNT] = {
#define ISA(id, lanes, guard, doc) [ISA_##id] = {#id, lanes, guard, doc},
#include "kernels/isa/isa.def"
};

const KernelRow kernel_rows[KERNEL_COUNT] = {
#define KERNEL(name, family, packing, doc) \
    [KERNEL_##name] = {#name, FAMILY_##family, PACK_##packing, doc},
#include "kernels/kernels.def"
};

/* The number of each field within its family.  FIELD is not told its family,
 * so the line of shapes.def it stands on names it. */
#define AT_LINE(line) AT_LINE_(line)
#define AT_LINE_(line) FIELD_ON_LINE_##line
enum {
#define SHAPE_BEGIN(family, doc) AT_LINE(__LINE__) = -1,
#define FIELD(type, name, doc) AT_LINE(__LINE__),
#define SHAPE_END(family)
#include "kernels/shapes.def"
};

enum { KIND_int, KIND_float };
static_assert(sizeof(int) == 4 && sizeof(float) == 4, "a field is 4 bytes, whatever its type");

#define SHAPE_BEGIN(family, doc) static const ShapeField family##_fields[] = {
#define FIELD(type, name, doc) \
    {#name, KIND_##type == KIND_float, 4 * (size_t)AT_LINE(__LINE__), doc},
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
#define FIELD(type, name, doc)
#define SHAPE_END(family)
#include "kernels/shapes.def"
};
