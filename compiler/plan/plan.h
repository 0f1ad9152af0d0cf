/* plan.h: the plan, an ordered list of steps, each one kernel call with its
 * operands placed.
 *
 * Everything that makes code fast or small is a field here, decided by methods/method.c (how
 * convolutions are computed), place.c (layout, halo, pitch, what shares a buffer), select.c
 * (kernel, shape, tile), live.c and plan.c (lifetimes, arena offsets); the emitter prints it and
 * has nothing left to decide.  Nothing here knows of syntax.
 */
#ifndef RNC_PLAN_H
#define RNC_PLAN_H

#include "base/diag.h"
#include "base/str.h"
#include "net/ir.h"
#include "net/spread.h"
#include "plan/kernels.h"
#include "plan/machine.h"

#include <stdint.h>

/* A piece of the arena that is allocated and freed as a whole. */
typedef struct Buffer {
    int64_t bytes;      /* with halo and pitch, a multiple of 64 */
    int64_t bare_bytes; /* the elements alone, which the lower bound counts */
    int64_t offset;     /* in the arena, a multiple of 64 */
    int first, last;    /* steps during which it lives, inclusive */
    int run;            /* the run of bands, counted from 1, in whose slots it is; 0: in none */
    const char *what;   /* for reports: the largest tensor in it */
} Buffer;

/* A piece of the caller's memory that keeps its contents from run to run.  Before the first run it
 * is zeros, halos and lanes after the last channel included; steps read and write it. */
typedef struct State {
    const char *name; /* unique: the node's that keeps it */
    Elem elem;
    Type type;      /* what it holds, in the images of a turn: a history's rows, a delay's values
                       as so many images */
    int64_t offset; /* in the state of a turn, a multiple of 64 */
    int64_t bytes;  /* with halo and pitch, a multiple of 64 */
} State;

/* Where a tensor is stored: [image][row][pixel][channel] with the given distances, in elements.
 * Several tensors may share a buffer: a result and the operand it overwrites, the parts of a
 * concat, or some rows of a tensor and the whole of it. */
typedef struct Tensor {
    const Node *node;
    Elem elem;
    const State *state; /* that it is stored in; NULL: in a buffer of the arena */
    int buffer;         /* index in Plan.buffers */
    int halo[4];        /* top, left, bottom, right pixels of zeros around it */
    int top;            /* rows of the buffer before its row 0, those of the halo among them */
    int c;              /* channels with the lanes after the last, whole vectors */
    int pixel, row, image;
    int64_t origin; /* elements from the start of buffer or state to pixel (0, 0), channel 0 */
} Tensor;

typedef enum PlaceKind {
    PLACE_NONE,
    PLACE_ARENA,
    PLACE_STATE,
    PLACE_INPUT,
    PLACE_OUTPUT,
    PLACE_RATES /* numbers of the optimizer, which the step computes (training.h) */
} PlaceKind;

/* An operand of a step: a tensor in the arena or in the state, or one of the caller's ports. */
typedef struct Operand {
    PlaceKind kind;
    Tensor *tensor; /* PLACE_ARENA, PLACE_STATE; else NULL */
    int port;       /* PLACE_INPUT, PLACE_OUTPUT; PLACE_RATES: which of them */
    int64_t shift;  /* elements added to the tensor's origin (a concat's copy) */
    int64_t part;   /* bytes that belong to each rank of a training, whose own the step takes; 0:
                       ranks share nothing there */
} Operand;

/* Packed weights in the weights file, which one or several steps read. */
typedef struct Packed {
    int step;         /* the first step that reads them */
    const char *name; /* named after that step's node, unique */
    Packing packing;
    Elem elem;      /* of the weights; biases, scales, shifts and slopes are floats in any case */
    int64_t offset; /* from the first tensor of the file, a multiple of 64 */
    int64_t bytes;
} Packed;

typedef struct Method Method; /* method.h */

/* What a step that adds over images is told the number of.  At the end of an epoch both are fewer
 * than its shape says. */
typedef enum Counts { COUNTS_NOTHING, COUNTS_OWN, COUNTS_ALL } Counts; /* of this rank, of all */

typedef struct Step {
    int index;
    const Node *node; /* what it computes; for input/output steps the port's node */
    Kernel kernel;
    const Method *method;               /* for a convolution or dense layer; NULL: another step */
    Operand in[MOST_IN], out[MOST_OUT]; /* in the order of kernels.def, then PLACE_NONE */
    Shape shape;
    rnc_knobs knobs[ISA_COUNT];    /* for the ISAs in Plan.isas */
    unsigned clear_halo;           /* bit k: the step clears what is around out[k] first */
    rnc_halo_shape halo[MOST_OUT]; /* of these results */
    Packed *weights;               /* in the weights file, or NULL */
    Operand filters;               /* packed by an earlier step of a training, or PLACE_NONE */
    Counts counts;
    /* In a training by several ranks: */
    int64_t gathers;    /* bytes of each rank in out[0], which all have after the step; or 0 */
    int sums[MOST_OUT]; /* the sum over ranks of this result begins after the step: its number in
                           Training.n_sums, counted from 1; or 0 */
    int waits[MOST_IN]; /* the sum of this number is waited for before the step; or 0 */
    int64_t scratch_bytes;
    int scratch;  /* buffer, or -1 */
    int parts;    /* at most this many threads are of use; 1: not worth sharing */
    int function; /* steps with equal kernel, shape, tiles and halo share a function:
                     the index of the first such step */
} Step;

/* Steps first .. first + period * count - 1: each is like the one a period before it, and its
 * addresses advance by the same number of bytes in each iteration (repeat.c). */
typedef struct Repeat {
    int first, period, count;
} Repeat;

/* Steps first .. end-1, which compute a group of layers by bands (bands.h).  Several threads can
 * compute a band each, and then need what only these steps use once each: that is a slot of `bytes`
 * bytes.  There are `slots` of them from `offset` on, and Buffer.offset is in the first.  With one
 * slot, bands follow one another, and threads share each step. */
typedef struct BandRun {
    int first, end, bands;
    int slots;
    int64_t offset, bytes; /* in the arena; 0 if there is one slot */
    int buffer;            /* which holds all slots; -1 if there is one */
} BandRun;

typedef enum Backend { BACKEND_NATIVE, BACKEND_OPENBLAS } Backend;

/* Whether time or size counts.  Methods that are faster but have larger weights and code are
 * chosen always, only where they gain much, or never. */
typedef enum Optimize { OPTIMIZE_SPEED, OPTIMIZE_BALANCED, OPTIMIZE_SIZE } Optimize;

typedef struct Tuning Tuning;     /* tuning.h */
typedef struct Training Training; /* training.h */

typedef struct PlanOptions {
    unsigned isas; /* bit 1 << Isa for each to compile for; 0: the default set */
    Backend backend;
    bool exact; /* use only methods whose error is that of a plain sum */
    Optimize optimize;
    const Machine *machine; /* NULL: the generic one (plan_machine()) */
    const Tuning *tuning;   /* NULL: the cost model chooses methods and tiles */
    int threads;            /* this many can share steps with scratch; 0: 4 */
    int weights_type;    /* RNC_WEIGHTS_..., the type of packed weights that are not transformed */
    int64_t bands_limit; /* layers are computed by bands so that tensors that are needed at the same
                            time have no more bytes, as far as that can be; 0: where it is faster */
    bool keep_all;       /* every tensor keeps a buffer of its own to the end (rnc verify) */
    /* Of a training; 0: 1.  The network has the images of one rank.  Sums over the batch are those
     * of this number of shards, a power of two, added in a binary tree, so that up to so many ranks
     * compute the same bits. */
    int ranks, shards;
    /* Of the same network with other images, or of which less is computed again: whose methods are
     * taken, by the names of the nodes. */
    const struct Plan *like;
} PlanOptions;

typedef struct Plan {
    Arena *arena;
    const Net *net; /* what a turn computes: the network, or a copy with fewer images (batch.h) */
    int turns;      /* turns in which the batch is computed */
    PlanOptions options;
    bool threads_asked; /* options.threads is not rnc's default */
    bool isas_asked;    /* nor is options.isas */
    int align;          /* lanes of the widest ISA: channels are rounded up to it */
    int64_t parameters; /* of the network */
    VEC(Step) steps;
    VEC(Buffer) buffers;
    VEC(State *) states;      /* in the order of their nodes */
    VEC(Packed *) packed;     /* in execution order */
    VEC(Repeat) repeats;      /* in order, disjoint */
    VEC(BandRun) band_runs;   /* likewise */
    const Method **methods;   /* by node id: how convolutions and dense layers are computed */
    double byte_price;        /* seconds that a byte of weights costs (methods/method.c) */
    const Spread *spreads;    /* by node id: what its numbers can be */
    const Method **faster;    /* by node id: the method that the operand's spread rules out, or
                                 NULL */
    Tensor **tensors;         /* by node id; NULL where the node has no tensor of its own */
    struct Placing *placings; /* by node id: how each value is computed and stored (plan_parts.h) */
    Training *training;       /* of a network with a backward part; else NULL */
    int64_t state_bytes;      /* of a turn; each turn has its own, one after the other */
    int64_t arena_bytes;
    int64_t lower_bound;  /* largest sum of bare bytes alive at any step */
    int64_t tight_bound;  /* likewise with halo, pitch and scratch */
    int limit_step;       /* the first step at which tight_bound is reached */
    int64_t weight_bytes; /* of all packed tensors */
    uint64_t hash;        /* of all that the layout of the packed weights depends on; of a training
                             the network, the loss and the optimizer (hash.c) */
    uint64_t layout;      /* of a training: of the order of its state */
} Plan;

/* The machine that a plan of these options is for. */
const Machine *plan_machine(const PlanOptions *options);

/* The phases, in order; plan_make() runs them.  False after a message. */
Plan *plan_make(Arena *arena, const Net *net, PlanOptions options, Diag *diag);
void cut_batch(Plan *plan, const Net *net); /* batch.c: turns of the batch */
bool cut_bands(Plan *plan, Diag *diag);     /* plan.c: groups of layers by bands */
void choose_methods(Plan *plan);            /* methods/method.c */
bool place_tensors(Plan *plan, Diag *diag); /* place.c: layouts, halos, shared buffers */
void select_steps(Plan *plan);              /* select.c: kernels, shapes, tiles */
void find_lifetimes(Plan *plan);            /* live.c */
/* scratch.c: parts of steps with scratch and, if `methods`, other methods in Plan.methods for
 * steps whose scratch is not worth it.  False if there are such steps, whose plan must be made
 * again. */
bool fit_scratch(Plan *plan, bool methods);
void share_functions(Plan *plan); /* function.c: Step.function */
void find_band_runs(Plan *plan);  /* bands_run.c: Plan.band_runs, and what is in their slots */
void assign_offsets(Plan *plan);  /* plan.c: greedy by size, then first fit */
void find_repeats(Plan *plan);    /* repeat.c */

/* Where a step's operands are stored: in bytes from the start of the arena, of the turn's state, or
 * from the first tensor of the weights; 0 for an operand that the step lacks or the caller gives
 * (repeat.c). */
typedef struct Addresses {
    int64_t in[MOST_IN], out[MOST_OUT], weights, scratch;
} Addresses;
int64_t operand_address(const Plan *plan, const Operand *o);
Addresses step_addresses(const Plan *plan, const Step *step);
Addresses addresses_between(Addresses from, Addresses to); /* to - from */
/* Whether the second is as far from the first as the third from the second. */
bool addresses_even(const Addresses at[3]);
/* Whether the two differ only in their addresses. */
bool steps_alike(const Step *a, const Step *b);
/* The multiply-adds for an image of a step that multiplies its layer's operand by filters: steps
 * that pack, transform or copy for the layer have none, and gradients of filters are not counted.
 */
int64_t macs_of_step(const Step *step);
/* Multiplications for an image by the step's method, without those of its transforms
 * (methods/method.c). */
int64_t step_multiplications(const Step *step);

/* Why a layer is not computed by the fastest method: "direct, not winograd 4: NaN (input 'depth')".
 * NULL if it is (methods/method.c). */
const char *plan_why_kept(const Plan *plan, const Node *node, Arena *arena);

/* The step that a convolution or dense layer of the plan would have with another tuning, or with
 * none, its operands staying where they are.  It is not a step of the plan. */
Step plan_step_with(const Plan *plan, const Node *node, const Tuning *tuning);

/* Whether the zeros that the step's windows read are stored around its operand: not those of a step
 * of plan_step_with() whose method reads more than that of the plan (place.c). */
bool step_has_zeros(const Step *step);

/* The plan as text, a line a step; "same plan" is "same text".  The arena's
 * figures are at its end. */
void plan_print(Buf *out, const Plan *plan);

/* A row of packings.def. */
typedef struct PackingRow {
    const char *name;
    int64_t (*floats)(const Step *step);
    void (*pack)(const Step *step, float *to);
    const char *doc;
} PackingRow;
extern const PackingRow packing_rows[PACKING_COUNT]; /* by number; the row of PACK_none is empty */

/* pack.c: packed_bytes() is the size of a step's packed tensor, which pack_weights() writes
 * (step->weights->bytes bytes).  Every parameter of the node must have data. */
int64_t packed_bytes(const Step *step);
/* Floats at the beginning of a step's packed tensor that are slopes of its prelu: its kernel gets
 * the address after them (rnc_slopes() of kernels/parts.h). */
int packed_slopes(const Step *step);
Elem packed_elem(const Step *step);
int packed_number(const Step *step); /* of that element in a weights file: RNC_WEIGHTS_... */
void pack_weights(const Step *step, void *to);
/* pack_half.c, for steps whose packed_elem() is not f32: packed_floats() is how many
 * floats pack_weights() then writes.  From these pack_half() makes what the file has: panels of
 * biases, which are floats, and of weights of 16 bits, little-endian.  The weights must be numbers
 * of that type already. */
int64_t packed_floats(const Step *step);
int64_t packed_half_bytes(const Step *step);
void pack_half(const Step *step, const float *from, unsigned char *to);

#endif
