/* method.h: the ways to compute a convolution or dense layer, one row for each.
 *
 * methods/methods.def lists them.  methods/<name>.c has the row and everything particular to the
 * method: when it fits, what it costs, the shape that its kernel gets, how its work is divided,
 * the scratch it needs, how its weights are packed, and what rnc tune tries.  choose_methods()
 * chooses a row for each node once, before places are chosen; all later phases ask the row.
 */
#ifndef RNC_METHOD_H
#define RNC_METHOD_H

#include "plan/tuning.h"

/* A register tile that rnc tune tries; a 0 leaves the knob as it is. */
typedef struct TilePair {
    int pixels, vectors;
} TilePair;

/* Values of a knob that rnc tune tries, up to TRIAL_END. */
enum { TRIAL_VALUES = 6, TRIAL_END = -1 };
typedef struct Trial {
    Knob knob;
    int values[TRIAL_VALUES];
} Trial;

struct Method {
    const char *word; /* in tuning files; methods may share a word if no layer fits two of them */
    Kernel kernel;
    int side; /* side of a tile of Winograd's method (rnc_conv_shape.winograd), or 0 */

    /* ---- when ---- */

    /* Its sums are plain ones, and it needs neither larger weights nor more code.  So it is
     * allowed everywhere, also with --exact and --optimize size. */
    bool plain;
    bool (*fits)(const Plan *plan, const Node *node);
    /* The most that an output is off, in units of 2^-24 of the largest number that it or another
     * output of its reach (a tile, a pair of pixels) reads, times the sum of its weights'
     * magnitudes: the largest measured, rounded up (docs/numerics.md).  0 for plain sums, whose
     * outputs depend on no number but those that they read. */
    double error;
    /* Its time by the cost model.  HUGE_VAL: it is never chosen, unless a tuning says so.  NULL:
     * it is chosen wherever it fits. */
    double (*seconds)(const Plan *plan, const Node *node, const Method *self);
    double
        gain; /* how many times faster than another it must be to be chosen; 0: faster is enough */
    /* Its weights are packed in 16 bits if PlanOptions.weights_type says so; else they are floats.
     */
    bool halves;
    /* What that adds to `error`, in units of the type's rounding (2^-12 with f16, 2^-9 with bf16):
     * the most by the coefficients of the transforms.  0: what is packed are the network's
     * weights, which have been rounded already (params/round.c). */
    double half_error;
    bool by_steps; /* steps of a training can pack its weights (select_filters.c) */
    /* The number of its weights as a multiple of those of the plain sum; NULL: 1. */
    double (*weights)(const Node *node, const Method *self);

    /* ---- what it reads ---- */

    bool reads_halo;   /* it reads pixels around its operand, which must be zeros */
    bool by_pixel;     /* pixels are read one by one: they shall not share sets of a cache */
    bool by_line;      /* it reads one vector of channels of many pixels of a line */
    bool any_channels; /* it reads channels one by one, so that pixels need not be whole vectors */

    /* ---- its step ---- */

    /* Sets groups and channels as the kernel sees them; the rest of the shape is already set.
     * NULL: there is one group of whole vectors. */
    void (*shape)(const Plan *plan, const Node *node, rnc_conv_shape *s);
    void (*set_knobs)(const Plan *plan, const Step *step, Isa isa, rnc_knobs *t); /* NULL: all 0 */
    /* Sets Step.parts, and the `split` of tiles unless `row` gives it (a tuning's row with the
     * step's method, or NULL).  NULL: there is one part. */
    void (*share)(const Plan *plan, Step *step, const TuningRow *row);
    int64_t (*pieces)(const rnc_conv_shape *s, const rnc_knobs *t); /* that parts share */
    int panels; /* weight panels that are computed together; 0 means 1 */
    int64_t (*scratch)(const rnc_conv_shape *s,
                       const rnc_knobs *t); /* elements of scratch for one part, or NULL */
    /* Makes the tile smaller to need less scratch, with the same results to the bit; returns false
     * if that is not possible. */
    bool (*shrink)(const rnc_conv_shape *s, Isa isa, rnc_knobs *t);
    int64_t (*multiplications)(const Step *step); /* for an image; NULL: those of the plain sum */

    /* ---- what rnc tune tries ---- */

    unsigned knobs;                /* KNOB_BITs of what the kernel reads */
    unsigned register_knobs;       /* those among them that it does not read where pixels is 0 */
    const TilePair *wide, *narrow; /* for 32 vector registers and for 16, up to {0, 0} */
    const Trial *trials;           /* ended by one without values */
};

typedef enum MethodId {
#define METHOD(name) METHOD_##name,
#include "plan/methods/methods.def"
    METHOD_COUNT
} MethodId;
extern const Method *const method_rows[METHOD_COUNT];

/* Whether a method computes the operator: is it a convolution or a dense layer? */
static inline bool is_conv(Op op)
{
    return op == OP_CONV || op == OP_DENSE;
}

/* The method of a convolution or dense layer, by the plan's options and tuning, and by what its
 * operand's numbers can be (Plan.spreads; NULL: ordinary). */
const Method *choose_method(const Plan *plan, const Node *node);
/* The most by which a method may move an output that reads ordinary numbers alone, in units of
 * Method.error: 2^-9 of an ordinary number times the sum of the weights' magnitudes. */
enum { METHOD_ERROR_MOST = 1 << 15 };
/* The most that numbers can be as a multiple of ordinary ones where filters are rounded after
 * their transform: that of images, for which it was measured (docs/numerics.md). */
enum { METHOD_HALF_FACTOR_MOST = 256 };
/* Whether the method, with weights of this type (RNC_WEIGHTS_...), keeps to these limits if its
 * operand's numbers are such. */
bool method_bears(const Method *m, int weights_type, const Spread *spread);

/* The element type that a method packs weights with. */
static inline int weights_type_of(const Plan *plan, const Method *m)
{
    return m->halves ? plan->options.weights_type : RNC_WEIGHTS_F32;
}

/* Output channels of the widest panel of a convolution's or dense layer's step. */
int panel_width(const Step *step);

#endif
