/* kernels.h: what instruction sets, shapes, packings and kernels there are: the rows
 * of isa.def, shapes.def and kernels.def as data. */
#ifndef RNC_KERNELS_H
#define RNC_KERNELS_H

#include "kernels/shapes.h"

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
    FAMILY_conv,
    FAMILY_dense,
    FAMILY_pool,
    FAMILY_map,
    FAMILY_join,
    FAMILY_softmax,
    FAMILY_copy,
    FAMILY_flatten,
    FAMILY_input,
    FAMILY_output,
    FAMILY_halo,
    FAMILY_tile,
    FAMILY_COUNT
} Family;

/* Fields of a family's struct, in order, for printing (shapes.def). */
typedef struct ShapeField {
    const char *name;
    bool is_float;
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
    rnc_conv_shape conv;
    rnc_dense_shape dense;
    rnc_pool_shape pool;
    rnc_map_shape map;
    rnc_join_shape join;
    rnc_softmax_shape softmax;
    rnc_copy_shape copy;
    rnc_flatten_shape flatten;
    rnc_input_shape input;
    rnc_output_shape output;
} Shape;

typedef enum Packing {
    PACK_none,
    PACK_panels,     /* [group][panel]: bias[width], then [kh][kw][in_c][width] (pack.c) */
    PACK_rows,       /* bias[out_c], then [kh * kw * in_c][out_c] */
    PACK_taps,       /* bias[c], then [far][kh][near][kw][c] (pack.c) */
    PACK_affine,     /* scale[c], shift[c] */
    PACK_winograd,   /* [panel]: bias[width], then [frequency][in_c][width] */
    PACK_winograd1d, /* [panel]: bias[width], then [point][phase][kw][in_c][width] */
    PACK_channels,   /* [panel]: bias[width], then [in_c][kh][kw][width] */
    PACK_strassen,   /* [panel of each half]: bias[2][width], then [product][in_c / 2][width] */
} Packing;

typedef struct KernelRow {
    const char *name; /* also the file, kernels/<name>.c */
    Family family;
    Packing packing;
    const char *doc;
} KernelRow;
typedef enum Kernel {
#define KERNEL(name, family, packing, doc) KERNEL_##name,
#include "kernels/kernels.def"
    KERNEL_COUNT
} Kernel;
extern const KernelRow kernel_rows[KERNEL_COUNT];

#endif
