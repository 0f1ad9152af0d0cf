/* plan.h: the plan, an ordered list of steps, each one kernel call with its
 * operands placed.
 *
 * Everything that makes code fast or small is a field here, decided by
 * methods/method.c (how convolutions are computed), place.c (layout, halo, pitch,
 * what shares a buffer), select.c (kernel, shape, tile), live.c and plan.c (lifetimes, arena
 * offsets); the emitter prints it with no decision left to take.  Nothing here knows of syntax.
 */
#ifndef RNC_PLAN_H
#define RNC_PLAN_H

#include "base/diag.h"
#include "base/str.h"
#include "net/ir.h"
#include "plan/kernels.h"
#include "plan/machine.h"

#include <stdint.h>

/* A piece of the arena that is given and taken as one. */
typedef struct Buffer {
    int64_t bytes;      /* with halo and pitch, a multiple of 64 */
    int64_t bare_bytes; /* the elements alone: what the lower bound counts */
    int64_t offset;     /* in the arena, a multiple of 64 */
    int first, last;    /* steps during which it lives, inclusive */
    const char *what;   /* for reports: the tensor that is largest in it */
} Buffer;

/* Where a tensor lies: [image][row][pixel][channel] with the given distances,
 * in floats.  Several tensors may share a buffer: a result in place of an
 * operand, the parts of a concat. */
typedef struct Tensor {
    const Node *node;
    Elem elem;
    int buffer;  /* index in Plan.buffers */
    int halo[4]; /* top, left, bottom, right pixels of zeros around it */
    int c;       /* channels with the lanes behind the last, whole vectors */
    int pixel, row, image;
    int64_t origin; /* floats from the buffer's start to pixel (0, 0), channel 0 */
} Tensor;

typedef enum PlaceKind { PLACE_NONE, PLACE_ARENA, PLACE_INPUT, PLACE_OUTPUT } PlaceKind;

/* An operand of a step: a tensor in the arena or a port of the caller's. */
typedef struct Operand {
    PlaceKind kind;
    Tensor *tensor; /* PLACE_ARENA */
    int port;       /* PLACE_INPUT, PLACE_OUTPUT */
    int64_t shift;  /* floats added to the tensor's origin (a concat's copy) */
} Operand;

/* Packed weights in the weights file: of a step, and of those that read the same ones. */
typedef struct Packed {
    int step;         /* the first of them */
    const char *name; /* of its node, unique */
    Packing packing;
    Elem elem;
    int weights_type; /* RNC_WEIGHTS_...: of the weights; biases, scales and shifts are floats */
    int64_t offset;   /* from the first tensor of the file, a multiple of 64 */
    int64_t bytes;
} Packed;

typedef struct Method Method; /* method.h */

typedef struct Step {
    int index;
    const Node *node; /* what it computes; for input/output steps the port's node */
    Kernel kernel;
    const Method *method;               /* of a convolution or dense layer; NULL: another step */
    Operand in[MOST_IN], out[MOST_OUT]; /* in the order of kernels.def; PLACE_NONE behind them */
    Shape shape;
    rnc_tile tile[ISA_COUNT]; /* of the ISAs in Plan.isas */
    bool clear_halo;
    rnc_halo_shape halo; /* the output's, if clear_halo */
    Packed *weights;     /* or NULL */
    int64_t scratch_bytes;
    int scratch;  /* buffer, or -1 */
    int parts;    /* at most so many threads are of use; 1: not worth sharing */
    int function; /* steps with equal kernel, shape, tiles and halo share a function:
                     the index of the first such step */
} Step;

/* Steps first .. first + period * count - 1: each is like the one a period before
 * it, its addresses as many bytes further each time (repeat.c). */
typedef struct Repeat {
    int first, period, count;
} Repeat;

typedef enum Backend { BACKEND_NATIVE, BACKEND_OPENBLAS } Backend;

/* What of time and size counts: methods that are faster but have larger weights and
 * code are taken always, where they gain much, or never. */
typedef enum Optimize { OPTIMIZE_SPEED, OPTIMIZE_BALANCED, OPTIMIZE_SIZE } Optimize;

typedef struct Tuning Tuning; /* tuning.h */

typedef struct PlanOptions {
    unsigned isas; /* bit 1 << Isa for each to compile for; 0: the default set */
    Backend backend;
    bool exact; /* only methods whose error is that of a plain sum */
    Optimize optimize;
    const Machine *machine; /* NULL: the generic one (plan_machine()) */
    const Tuning *tuning;   /* NULL: methods and tiles as the cost model has them */
    int threads;            /* steps with scratch can be shared by so many; 0: 4 */
    int weights_type;       /* RNC_WEIGHTS_...: that of packed weights which are not transformed */
    bool keep_all;          /* every tensor keeps a buffer of its own to the end (rnc verify) */
} PlanOptions;

typedef struct Plan {
    Arena *arena;
    const Net *net; /* what a turn computes: the network, or a copy with fewer images (batch.h) */
    int turns;      /* in which the batch is computed */
    PlanOptions options;
    bool threads_asked; /* options.threads is not rnc's default */
    int align;          /* lanes of the widest ISA: channels are rounded up to it */
    int64_t parameters; /* of the network */
    VEC(Step) steps;
    VEC(Buffer) buffers;
    VEC(Packed *) packed;     /* in execution order */
    VEC(Repeat) repeats;      /* in order, disjoint */
    const Method **methods;   /* by node id: how convolutions and dense layers are computed */
    Tensor **tensors;         /* by node id; NULL where the node has no tensor of its own */
    struct Placing *placings; /* by node id: how each value comes about (plan_parts.h) */
    int64_t arena_bytes;
    int64_t lower_bound;  /* largest sum of bare bytes alive at any step */
    int64_t tight_bound;  /* the same with halo, pitch and scratch */
    int limit_step;       /* the first step at which tight_bound is reached */
    int64_t weight_bytes; /* of all packed tensors */
    uint64_t hash;        /* of everything the packed weights' layout depends on */
} Plan;

/* The machine that a plan of these options is for. */
const Machine *plan_machine(const PlanOptions *options);

/* The phases, in order; plan_make() runs them.  False after a message. */
Plan *plan_make(Arena *arena, const Net *net, PlanOptions options, Diag *diag);
void cut_batch(Plan *plan, const Net *net); /* batch.c: turns of the batch */
void choose_methods(Plan *plan);            /* methods/method.c */
bool place_tensors(Plan *plan, Diag *diag); /* place.c: layouts, halos, shared buffers */
void select_steps(Plan *plan);              /* select.c: kernels, shapes, tiles */
void find_lifetimes(Plan *plan);            /* live.c */
void fit_scratch(Plan *plan);               /* scratch.c: parts of steps with scratch */
void share_functions(Plan *plan);           /* select.c: Step.function */
void assign_offsets(Plan *plan);            /* plan.c: greedy by size, then first fit */
void find_repeats(Plan *plan);              /* repeat.c */

/* Where a step's operands lie: bytes into the arena, or into the weights from the
 * first tensor on; 0 for what it has not or the caller gives (repeat.c). */
typedef struct Addresses {
    int64_t in[MOST_IN], out[MOST_OUT], weights, scratch;
} Addresses;
int64_t operand_address(const Plan *plan, const Operand *o);
Addresses step_addresses(const Plan *plan, const Step *step);
Addresses addresses_between(Addresses from, Addresses to); /* to - from */
/* Do the two differ in their addresses alone? */
bool steps_alike(const Step *a, const Step *b);
/* Multiplications for an image by the step's method, without those of its transforms
 * (methods/method.c). */
int64_t step_multiplications(const Step *step);

/* The step that a convolution or dense layer of the plan would have by another tuning, or by
 * none, its operands where they are.  It is no step of the plan. */
Step plan_step_with(const Plan *plan, const Node *node, const Tuning *tuning);

/* The plan as text, a line a step; "same plan" is "same text".  The arena's
 * figures are at its end. */
void plan_print(Buf *out, const Plan *plan);

/* A row of packings.def. */
typedef struct PackingRow {
    const char *name;
    Elem elem;
    int64_t (*elements)(const Step *step);
    void (*pack)(const Step *step, float *to);
    const char *doc;
} PackingRow;
extern const PackingRow packing_rows[PACKING_COUNT]; /* by number; that of PACK_none is empty */

/* pack.c: the packed tensor of a step, into `to` (step->weights->bytes bytes).
 * Every parameter of the node has data.  `bytes` alone: packed_bytes(). */
int64_t packed_bytes(const Step *step);
int packed_elem(const Step *step); /* RNC_WEIGHTS_... */
void pack_weights(const Step *step, void *to);
/* pack_half.c: where packed_elem() is not RNC_WEIGHTS_F32.  Numbers of the step's weights as
 * floats, which is what pack_weights() then writes; and these as they are in the file: panels of
 * biases, floats, and weights, of 16 bits, little-endian.  The weights are numbers of that type
 * already. */
int64_t packed_floats(const Step *step);
int64_t packed_half_bytes(const Step *step);
void pack_half(const Step *step, const float *from, unsigned char *to);

#endif
