/* plan_parts.h: what the files that make a plan share; private to them.
 *
 * Order of the work: share.c decides which nodes share memory, place.c gives
 * layouts and buffers, select*.c the steps, live.c lifetimes, plan.c offsets.
 */
#ifndef RNC_PLAN_PARTS_H
#define RNC_PLAN_PARTS_H

#include "base/numbers.h"
#include "plan/plan.h"

/* How a node's value comes about. */
typedef enum Form {
    FORM_STEP,  /* steps of its own compute it */
    FORM_INPUT, /* an input step writes it, with the node's scale and shift applied */
    FORM_FUSED, /* it has no tensor: an input that only a FORM_INPUT node reads */
    FORM_VIEW,  /* no step: its operand's memory, seen as another tensor */
} Form;

/* What share.c and place.c decide about a node, for select.c. */
typedef struct Placing {
    Form form;
    const Node *input; /* FORM_INPUT: the OP_INPUT node */
    int in_place;      /* the operand that the result is written over, or -1 */
    bool *embedded;    /* by operand: it lies where the view or the concat has it */
    int store;         /* tensors of one store share a buffer */
    int channel;       /* where it begins among the store's channels */
} Placing;

/* Tensors side by side and over one another: a buffer to be. */
typedef struct Store {
    VEC(int) nodes;
    int channels; /* with the lanes behind the last */
} Store;

typedef struct Sharing {
    Placing *placings; /* by node id */
    VEC(Store) stores; /* those merged into others have no nodes */
} Sharing;

/* share.c.  The Sharing lives in the plan's arena.  share_flat(): tries to make
 * `node`, a flatten whose operand lies in its own order, a view. */
typedef struct Sharer Sharer;
Sharer *share_nodes(const Plan *plan, Sharing **sharing);
bool share_flat(Sharer *sharer, int node);

/* ---- small questions (place.c) ---- */

/* Channels of a tensor of `c`, with the lanes behind the last. */
static inline int lanes_of(const Plan *plan, int c)
{
    return (int)round_up(c, plan->align);
}

/* The kernel of a convolution or dense layer. */
Kernel conv_kernel(const Plan *plan, const Node *node);
static inline bool is_conv(Op op)
{
    return op == OP_CONV || op == OP_DENSE;
}
/* method.c: the m of the F(m x m, 3 x 3) that a convolution is computed by, or 0; whether it
 * could be at all: whole vectors of channels come in and go out. */
enum {
    WINOGRAD_CHANNELS = 16,
    WINOGRAD_GROUP = 32,   /* tiles; an image of no more is in one group */
    WINOGRAD_TAPS = 4,     /* m of conv_winograd_taps */
    TAPS_IN_REGISTERS = 2, /* tiles of all images up to which its filters are made in registers */
};
int winograd_of(const Plan *plan, const Node *node);
/* True if it is computed by F(4 x 4, 3 x 3) of plain taps instead (winograd_of() is 0 then). */
bool winograd_taps_of(const Plan *plan, const Node *node);
bool winograd_fits(const Plan *plan, const Node *node);
/* The same of Winograd's method in one dimension, F(4, k) down the columns: of few input channels,
 * with up to four taps a phase. */
int winograd1d_of(const Plan *plan, const Node *node);
bool winograd1d_fits(const Node *node);
static inline bool is_winograd(Kernel kernel)
{
    return kernel == KERNEL_conv_winograd || kernel == KERNEL_conv_winograd_taps ||
           kernel == KERNEL_conv_winograd1d;
}
/* 1x1, no zeros around, whole panels of each half of the outputs: by Strassen's method? */
enum { STRASSEN_CHANNELS = 32, STRASSEN_FILTERS = 64, STRASSEN_PRODUCTS = 7 };
bool strassen_of(const Plan *plan, const Node *node);
bool strassen_fits(const Plan *plan, const Node *node);
/* Kernels whose parts have scratch of their own. */
static inline bool has_part_scratch(Kernel kernel)
{
    return is_winograd(kernel) || kernel == KERNEL_conv_strassen;
}
/* Kernels that read pixels around their operand, which must be zeros. */
static inline bool kernel_reads_halo(Kernel kernel)
{
    return kernel == KERNEL_conv_direct || is_winograd(kernel) || kernel == KERNEL_conv_blas ||
           kernel == KERNEL_depthwise;
}
/* Rows (axis 0) or pixels (axis 1) of zeros that a convolution's windows reach
 * in front of and behind the operand. */
void conv_reach(const Node *node, int axis, int *before, int *behind);

/* ---- arena and identity ---- */

void find_bounds(Plan *plan); /* offsets.c: lower_bound, tight_bound, limit_step */
void find_hash(Plan *plan);   /* hash.c: Plan.hash */
/* Whether two steps, with weights of the same parameters, read them packed alike (hash.c). */
bool packed_alike(const Step *a, const Step *b);

/* ---- steps ---- */

/* select.c */
Operand in_arena(const Plan *plan, const Node *node);
void set_act(const Node *node, int *act, float *alpha);
/* The packed tensor of the weights file for `step`, the next to be added: the next one, or
 * that of a step before it which reads the same parameters packed alike. */
void add_weights(Plan *plan, Step *step);
void add_step(Plan *plan, Step *step);
/* So many parts as there are pieces of work, or 1 where the work is too small
 * to be worth waking threads. */
int worth_parts(int64_t work, int64_t least, int64_t pieces);

/* select_conv.c: convolutions and dense layers; select_move.c: concat, flatten,
 * zeropad, subsample, upsample; true if the steps apply the node's activation. */
void select_conv(Plan *plan, const Node *node);
bool select_move(Plan *plan, const Node *node);
/* knobs.c: tiles and parts of a step whose shape is set. */
void choose_tiles(const Plan *plan, Step *step);
/* Groups of a convolution as its kernel sees them: merged, so that each has
 * whole vectors of output channels (place.c). */
int merged_groups(const Plan *plan, const Node *node);
/* Numbers of weights in a conv_blas step's scratch (select_conv.c). */
int64_t blas_scratch(const rnc_conv_shape *s);

/* winograd.c: tiles of m x m outputs.  Planes of a window's side. */
int winograd_planes(int m, int stride);
int64_t winograd_image_tiles(int m, int out_h, int out_w);
/* Tiles of m and of m - 1 pixels, in groups of up to `group`. */
bool winograd_mixed(int m, int out_h, int out_w, int64_t group);
/* Products of an image's tiles for one input and one output channel. */
int64_t winograd_image_products(int m, int stride, int out_h, int out_w, int64_t group);
/* Tiles of all images, their groups, and floats of one part's scratch. */
int64_t winograd_tiles(const rnc_conv_shape *s);
int64_t winograd_groups(const rnc_conv_shape *s, const rnc_tile *t);
int64_t winograd_scratch(const rnc_conv_shape *s, const rnc_tile *t);
/* Of that, of each tile. */
int64_t winograd_tile_floats(const rnc_conv_shape *s);
/* The same of kernels/f32/conv_winograd_taps.c. */
int64_t winograd_taps_scratch(const rnc_conv_shape *s, const rnc_tile *t);
/* Floats of a part's scratch for whichever ISA needs most. */
int64_t widest_scratch(const Plan *plan, const Step *step);

/* The same of kernels/f32/conv_winograd1d.c, whose tiles are four rows; and its transformed rows,
 * of filters and of input: one a point and phase. */
enum { WINOGRAD1D_ROWS = 4, WINOGRAD1D_PAIRED = 6, WINOGRAD1D_POINTS = 7 };
int64_t winograd1d_tiles(const rnc_conv_shape *s);
int64_t winograd1d_scratch(const rnc_conv_shape *s, const rnc_tile *t);
static inline int winograd1d_rows(const rnc_conv_shape *s)
{
    const int four = s->kernel_h - 3 * s->stride_h; /* phases of four taps have the point 0 too */
    return WINOGRAD1D_PAIRED * s->stride_h + (four > 0 ? four : 0);
}

/* strassen.c: strips of pixels, floats of one part's scratch, and products of all images for two
 * input and two output channels, in strips of up to `group` pixels. */
int64_t strassen_strips(const rnc_conv_shape *s, const rnc_tile *t);
int64_t strassen_scratch(const rnc_conv_shape *s, const rnc_tile *t);
int64_t strassen_products(const rnc_conv_shape *s, int64_t group);

/* pack_winograd.c, pack_winograd1d.c: transformed filters, a panel after the other;
 * pack_strassen.c: sums of their quarters. */
void pack_winograd(const Step *step, float *to);
void pack_winograd1d(const Step *step, float *to);
void pack_strassen(const Step *step, float *to);

/* plancheck.c: what must hold of every plan.  False after diag_internal(). */
bool plan_check(const Plan *plan, Diag *diag);

#endif
