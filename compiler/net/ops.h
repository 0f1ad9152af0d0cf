/* ops.h: the operators and their attributes, expanded from ops.def. */
#ifndef RNC_OPS_H
#define RNC_OPS_H

#include <limits.h>
#include <math.h>
#include <stdbool.h>
#include <stddef.h>

typedef enum Op {
#define OP(id, name, least, most, flags, doc) OP_##id,
#include "net/ops.def"
    OP_COUNT
} Op;

/* No operator takes more than MOST_OPERANDS operands, even if its row says MANY. */
enum { MANY = INT_MAX, MOST_OPERANDS = 1024 };

/* Flags of a row; ops.def says what each means. */
enum {
    JOIN = 1,
    ACTIVATION = 2,
    ELEMENTWISE = 4,
    WINDOW = 8,
    LINEAR = 16,
    INTERNAL = 32,
    FUSES_ACT = 64,
    RESULTS = 128,
    REMEMBERS = 256,
    BACKWARD = 512,
    FUSES_PRELU = 1024,
};

/* Order of the axes of an image at the interface and in `flatten`. */
typedef enum Order { ORDER_NCHW, ORDER_NHWC } Order;

/* What is in the padding around an image: zeros, or pixels of the image (ops.def, pad). */
typedef enum PaddingMode {
    PADDING_ZEROS,
    PADDING_REFLECT,
    PADDING_REPLICATE,
    PADDING_CIRCULAR,
    PADDING_SYMMETRIC,
} PaddingMode;

/* Order of a pixel's channels that are the pixels of a block (ops.def, depth_to_space). */
typedef enum DepthOrder { DEPTH_DCR, DEPTH_CRD } DepthOrder;

/* The axes of an operand that become channels, height and width (ops.def, transpose). */
typedef enum AxesOrder { AXES_CWH, AXES_HCW, AXES_HWC, AXES_WCH, AXES_WHC } AxesOrder;

typedef enum ResizeMode { RESIZE_NEAREST, RESIZE_BILINEAR } ResizeMode;
/* Where a pixel of the result lies in the operand (ops.def, resize). */
typedef enum Corners {
    CORNERS_HALF_PIXEL,
    CORNERS_ALIGN,
    CORNERS_ASYMMETRIC,
    CORNERS_PYTORCH_HALF_PIXEL,
} Corners;

/* The variance of a batch that training makes the running one of. */
typedef enum VarianceKind { VARIANCE_UNBIASED, VARIANCE_BIASED } VarianceKind;

/* What a normalisation, a reduction or a softmax goes over: all channels of a pixel, all numbers of
 * an image, ... */
typedef enum Over { OVER_CHANNELS, OVER_IMAGE, OVER_SPACE, OVER_HEIGHT, OVER_WIDTH } Over;

/* What a reduction leaves of the numbers that it goes over. */
typedef enum Reduction { REDUCE_MEAN, REDUCE_MAX, REDUCE_SUM } Reduction;

/* How to fill a parameter that no weights file gives (init.def). */
typedef enum InitKind {
    INIT_NONE, /* in an attribute: use what --init says */
#define INIT(id, word, alias, values, scale, fan) INIT_##id,
#include "net/init.def"
    INIT_KINDS
} InitKind;

/* The words of `init`, by InitKind, then NULL: `random` is for --init alone. */
extern const char *const init_words[INIT_KINDS];

/* A list of numbers, allocated in the network's arena. */
typedef struct Reals {
    const double *at;
    int n;
} Reals;

/* The attributes of all operators; the ATTRs of an operator's row say which ones it has.  Pairs
 * are height, width.  Padding is top, left, bottom, right, always in pixels (the words half, same
 * and valid are resolved when the network is built). */
typedef struct Attrs {
    int kernel[2], stride[2], dilation[2], scale_by[2];
    int padding[4];
    int channel_padding[2]; /* before, after */
    int output_padding[2];  /* at the bottom and right */
    int size[2];            /* of the result */
    int filters, groups;
    int parts;  /* number of results, for an operator with RESULTS */
    int result; /* which of the results this node is, from 0 */
    int frames; /* values (delay) or rows (history) of earlier runs that are kept */
    InitKind init;
    int seed, draw; /* for init; seed -1: as --init says */
    int of;         /* an Act (ir.h) */
    bool bias;
    bool gain, centre;             /* whether it has a trained weight, a trained bias */
    bool shared;                   /* one number for all channels */
    bool count_padding, ceil_mode; /* of pools */
    int divisor;                   /* of avgpool; 0: the window's size */
    bool images, pixels, channels; /* what to sum over */
    Order order;
    PaddingMode padding_mode;
    int block; /* rows and columns */
    DepthOrder depth_order;
    AxesOrder axes;
    ResizeMode resize_mode;
    Corners corners;
    Reals scales; /* height's and width's, or one for both; one 0: `size` says it */
    Reals sizes;  /* channels of each part; one 0: the parts are equal */
    VarianceKind variance;
    Over over;
    Reduction reduction;
    bool length;        /* by the length of the numbers as a vector, not by their deviation */
    double alpha, beta; /* the numbers of an activation (act_numbers() of ir.h) */
    double epsilon, scale, momentum, smoothing;
    Reals mean, std, factor, addend;
} Attrs;

typedef enum AttrKind {
    ATTR_INT,     /* int */
    ATTR_PAIR,    /* int[2] */
    ATTR_PADDING, /* int[4] */
    ATTR_REAL,    /* double */
    ATTR_BOOL,    /* bool */
    ATTR_REALS,   /* Reals */
    ATTR_WORDS,   /* int-sized enum, a word of AttrRow.words */
} AttrKind;

typedef struct AttrRow {
    Op op;
    const char *word;
    AttrKind kind;
    const char *const *words; /* NULL-terminated, for ATTR_WORDS */
    size_t offset;            /* of the member of Attrs */
    int position;             /* or -1 */
    const char *def;          /* default as text, or NULL when required */
    double least, most;
    const char *doc;
} AttrRow;

/* What a trained parameter is to its operator.  P_SLOPE: it is of a fused prelu (ir.h). */
typedef enum Role { P_WEIGHT, P_BIAS, P_MEAN, P_VARIANCE, P_SLOPE, P_ROLES } Role;

typedef struct ParamRow {
    Op op;
    Role role;
    const char *name;
    const char *doc;
} ParamRow;

typedef struct OpRow {
    const char *name;
    int least, most; /* operands */
    int flags;
    const char *doc;
    const AttrRow *attrs; /* n_attrs rows */
    int n_attrs;
    const ParamRow *params;
    int n_params;
} OpRow;

const OpRow *op_row(Op op);
/* The operator with this name, or OP_COUNT. */
Op op_named(const char *name);
/* Likewise, but not an operator with BACKWARD: a block may have the name of one. */
Op op_reserved(const char *name);
/* The row of an attribute by its word in the language, or NULL. */
const AttrRow *op_attr(Op op, const char *word);
/* "weight" for P_WEIGHT of conv; NULL if the operator has no such parameter. */
const char *op_param_name(Op op, Role role);
/* Whether the operator has this parameter with these attributes: some of them are optional. */
bool op_has_param(Op op, const Attrs *attrs, Role role);
/* Whether it has an attribute that is the member of Attrs at this offset. */
bool op_has_member(Op op, size_t offset);
/* attr_same() says whether one attribute has the same value at `a` and `b`; attrs_same() says it
 * for all attributes of `op`. */
bool attr_same(const AttrRow *row, const void *a, const void *b);
bool attrs_same(Op op, const Attrs *a, const Attrs *b);
/* The channels of a split's operand, which has `channels`, that part `part` has: `*first` is the
 * first of them, and the result their number. */
int split_part(const Attrs *split, int channels, int part, int *first);
/* How many results an operator has with these attributes: 1, unless it has RESULTS. */
int op_results(Op op, const Attrs *attrs);

#endif
