/* method.h: the ways to compute a convolution or dense layer, a row each.
 *
 * methods/methods.def lists them.  methods/<name>.c has the row and all that is particular to the
 * method: when it fits and what it costs, what it is told and how it is cut, the scratch it needs,
 * how its weights are packed, what rnc tune tries.  choose_methods() takes a row for each node,
 * once, before places are chosen; whoever comes after asks the row.
 */
#ifndef RNC_METHOD_H
#define RNC_METHOD_H

#include "plan/tuning.h"

/* A register tile that rnc tune tries: a 0 leaves what is there. */
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
    const char *word; /* in tuning files; methods of layers that no two of them fit may share it */
    Kernel kernel;
    int side; /* of a tile of Winograd's method (rnc_conv_shape.winograd), or 0 */

    /* ---- when ---- */

    /* Its sums are plain ones and it needs no larger weights nor more code: not for the native
     * backend at its fastest alone, but with --exact and --optimize size as well. */
    bool plain;
    bool (*fits)(const Plan *plan, const Node *node);
    /* By the cost model; HUGE_VAL: never, unless a tuning says so.  NULL: it is taken wherever it
     * fits. */
    double (*seconds)(const Plan *plan, const Node *node, const Method *self);
    double
        gain; /* how many times faster than another it must be to be taken; 0: faster is enough */
    /* Its weights are packed as they are, so in 16 bits if PlanOptions.weights_type says so; others
     * are sums of them, which are floats. */
    bool as_they_are;
    /* Its weights, in those of the plain sum; NULL: 1. */
    double (*weights)(const Node *node, const Method *self);

    /* ---- what it reads ---- */

    bool reads_halo; /* pixels around its operand, which must be zeros */
    bool by_pixel;   /* a pixel's channels, then the next one's: these shall not meet in a cache */
    bool by_line;    /* a vector of channels of many pixels of a line */
    bool any_channels; /* channels one by one, so that pixels need not be whole vectors */

    /* ---- its step ---- */

    /* Groups and channels as the kernel sees them, the rest of the shape being set; NULL: one
     * group of whole vectors. */
    void (*shape)(const Plan *plan, const Node *node, rnc_conv_shape *s);
    void (*tile)(const Plan *plan, const Step *step, Isa isa, rnc_tile *t); /* NULL: all 0 */
    /* Step.parts, and the `split` of tiles where `row`, of the step's method or NULL, does not say
     * it; NULL: one part. */
    void (*share)(const Plan *plan, Step *step, const TuningRow *row);
    int64_t (*pieces)(const rnc_conv_shape *s, const rnc_tile *t); /* to share with scratch */
    int panels; /* weight panels that pass together, 0 is 1 */
    int64_t (*scratch)(const rnc_conv_shape *s,
                       const rnc_tile *t); /* elements of a part, or NULL */
    /* Less scratch by a smaller tile, with the same results to the bit; false if there is none. */
    bool (*shrink)(const rnc_conv_shape *s, Isa isa, rnc_tile *t);
    int64_t (*multiplications)(const Step *step); /* of an image; NULL: those of the plain sum */

    /* ---- what rnc tune tries ---- */

    unsigned knobs;                /* KNOB_BITs of what the kernel reads */
    unsigned register_knobs;       /* of these, those it does not read where pixels is 0 */
    const TilePair *wide, *narrow; /* for 32 vector registers and for 16, up to {0, 0} */
    const Trial *trials;           /* up to one without values */
};

typedef enum MethodId {
#define METHOD(name) METHOD_##name,
#include "plan/methods/methods.def"
    METHOD_COUNT
} MethodId;
extern const Method *const method_rows[METHOD_COUNT];

/* Does a method compute it: is it a convolution or dense layer? */
static inline bool is_conv(Op op)
{
    return op == OP_CONV || op == OP_DENSE;
}

/* The method of a convolution or dense layer, by the plan's options and tuning. */
const Method *choose_method(const Plan *plan, const Node *node);

/* The element type that a method packs weights with. */
static inline int weights_type_of(const Plan *plan, const Method *m)
{
    return m->as_they_are ? plan->options.weights_type : RNC_WEIGHTS_F32;
}

/* Output channels of the widest panel of a convolution's or dense layer's step. */
int panel_width(const Step *step);

#endif
