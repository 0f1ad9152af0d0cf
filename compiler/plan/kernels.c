/* kernels.c: the rows of isa.def, kernels.def and shapes.def as data, for
 * choosing, printing and emitting. */
#include "plan/kernels.h"

#include <assert.h>
#include <string.h>

const IsaRow isa_rows[ISA_COUNT] = {
#define ISA(id, lanes, guard, doc) [ISA_##id] = {#id, lanes, guard, doc},
#include "kernels/isa/isa.def"
};

/* The words of kernels.def. */
enum {
    TILE = NEEDS_TILE,
    TRANSFORM = NEEDS_TRANSFORM,
    WINOGRAD = NEEDS_WINOGRAD | NEEDS_TRANSFORM,
    NARROW = NEEDS_NARROW,
    SUMS = NEEDS_SUMS,
    EXP = NEEDS_EXP,
    POOL = NEEDS_POOL,
    DIRECT = NEEDS_DIRECT,
    NORM = NEEDS_NORM,
    OVER = NEEDS_OVER,
    TAPS = NEEDS_TAPS,
};

const KernelRow kernel_rows[KERNEL_COUNT] = {
#define ROW(name, folder, trains, family, packing, needs, operands, doc) \
    [KERNEL_##name] = {#name,          "kernels/" folder "/" #name ".c", \
                       trains,         FAMILY_##family,                  \
                       PACK_##packing, needs,                            \
                       operands,       doc},
#define KERNEL(name, family, packing, needs, operands, doc) \
    ROW(name, "f32", false, family, packing, needs, operands, doc)
#include "kernels/kernels.def"
#define KERNEL(name, family, packing, needs, operands, doc) \
    ROW(name, "train", true, family, packing, needs, operands, doc)
#include "kernels/train/kernels.def"
#undef ROW
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
#define SHAPE_BEGIN(family, doc) static const ShapeField family##_fields[] = {
#define FIELD(family, type, name, doc) ROW(family, type, name, false, doc)
#define PACKS(family, type, name, doc) ROW(family, type, name, true, doc)
#define SHAPE_END(family)                                                   \
    }                                                                       \
    ;                                                                       \
    static_assert(sizeof(rnc_##family##_shape) ==                           \
                      4 * sizeof family##_fields / sizeof *family##_fields, \
                  "no padding between fields");
#include "kernels/train/shapes.def"

const ShapeRow shape_rows[FAMILY_COUNT] = {
#define SHAPE_BEGIN(family, doc)                                                 \
    [FAMILY_##family] = {#family, sizeof(rnc_##family##_shape), family##_fields, \
                         (int)(sizeof family##_fields / sizeof *family##_fields)},
#include "kernels/shapes.def"
#define SHAPE_BEGIN(family, doc)                                                 \
    [FAMILY_##family] = {#family, sizeof(rnc_##family##_shape), family##_fields, \
                         (int)(sizeof family##_fields / sizeof *family##_fields)},
#include "kernels/train/shapes.def"
};

/* The words from `text` to `end`. */
static OperandSet read_words(const char *text, const char *end)
{
    OperandSet set = {0};
    while (text < end) {
        const size_t n = strcspn(text, " ");
        if (text[n - 1] != '?')
            set.needed |= 1u << set.count;
        set.count++;
        text += n + strspn(text + n, " ");
    }
    return set;
}

OperandSet kernel_reads(Kernel kernel)
{
    const char *text = kernel_rows[kernel].operands;
    return read_words(text, strstr(text, "->"));
}

OperandSet kernel_writes(Kernel kernel)
{
    const char *text = strstr(kernel_rows[kernel].operands, "->") + strlen("-> ");
    return read_words(text, text + strlen(text));
}
