/* method_parts.h: what the files of plan/methods share; private to them. */
#ifndef RNC_METHOD_PARTS_H
#define RNC_METHOD_PARTS_H

#include "plan/method.h"
#include "plan/plan_parts.h"

#include "kernels/cuts.h"

#include <math.h>

#define METHOD(name) extern const Method method_##name;
#include "plan/methods/methods.def"

/* ---- cost (method.c) ---- */

/* The fraction of the peak that the loops of an ISA reach when everything they read is in a near
 * cache. */
typedef struct Reach {
    double direct;
    double products; /* of Winograd's method */
    double blocks;   /* likewise for conv_winograd_taps with filters in scratch and many tiles */
    double taps;     /* safety factor on the estimated time of conv_winograd_taps */
    double strassen;
    double fetch;   /* fraction of the machine's reading rates that loops reach */
    double strided; /* fraction of that which Winograd's method reaches with stride 2 */
} Reach;

/* What the plan's fastest instruction set reaches, and its operations a second at the peak. */
const Reach *reach_of(const Plan *plan);
double peak_of(const Plan *plan);
/* Whether it is a server whose L3 is spread over a mesh: kernels get less of its rate. */
bool has_mesh(const Machine *machine);
/* Seconds to read this many weights in the form in which the method packs them. */
double seconds_to_read(const Plan *plan, const Method *m, double weights);
/* The method's seconds for a node on one thread, with its penalties for larger weights. */
double method_cost(const Plan *plan, const Node *node, const Method *m);
/* Whether the method can compute the node, is allowed to, and bears the numbers that it reads. */
bool is_candidate(const Plan *plan, const Node *node, const Method *m);
/* The time of arithmetic and of reading weights together; they overlap, but not wholly. */
static inline double overlapped(double arithmetic, double reading)
{
    return sqrt(arithmetic * arithmetic + reading * reading);
}

/* ---- tiles (knobs.c) ---- */

/* What suits an ISA's kernels where no special case applies. */
typedef struct Liking {
    int pixels, vectors;    /* register tile of conv_direct */
    int unroll, odd_unroll; /* the second where a row of taps has an odd length (a stem) */
    int prefetch_output, memory_broadcasts;
    int wide_broadcasts; /* in its place on cores whose L1 has wide_kb or more: they decode enough
                          * instructions for broadcasts of their own, and lack loads */
    int wide_kb;
    int sums_broadcasts; /* likewise of tiles that multiply in scratch (kernels/f32/sums.h) */
    bool prefetch_weights;
    int prefetch_input, depth;
    int together_kb;       /* panels whose weights take at most this much are computed together */
    int roomy_kb;          /* for like_roomy(); 0: never */
    int taps_depth;        /* conv_winograd_taps with many tiles: rows of a block of filters */
    int taps_in_registers; /* up to so many tiles it makes filters in registers, */
    int taps_together;     /* each for so many tiles: RNC_TAPS_TILES in kernels/isa */
    int short_sums; /* accumulators for Winograd products over few input channels; 0: the default */
    int dense_vectors, dense_pixels; /* the second: images at once */
    int depthwise_pixels;
    bool depthwise_rows; /* depthwise convolutions fetch the next row of the input */
} Liking;
extern const Liking likings[ISA_COUNT];

enum {
    SMALL_ROW = 7,          /* rows of at most this many output pixels: output is not prefetched */
    STREAMS = 4,            /* parts of a weight panel that are read side by side */
    MACS_TO_SHARE = 200000, /* with at least this many it pays to wake threads */
    SCRATCH_MOST = 3800000, /* bytes of scratch of all parts of a step with a small operand */
};

/* Vectors of the widest run of output channels that a panel offers. */
int panel_vectors(const rnc_conv_shape *s, Isa isa);
/* Sets pixels and vectors of the register tile that suits the ISA, no wider than a panel. */
void like_registers(const rnc_conv_shape *s, Isa isa, rnc_knobs *t);
int like_broadcasts(const Plan *plan, const rnc_knobs *t, Isa isa);
int like_sums_broadcasts(const rnc_knobs *t, Isa isa);
/* Rows of a block of weights that stays in the L1 while all pixels use it; `few`: there are few
 * pixels.  0: there are no blocks. */
int like_depth(const Plan *plan, Isa isa, bool few);
/* Whether the L2 is so large that what is multiplied in scratch stays there: then Winograd's groups
 * are what it holds, not a few register tiles. */
bool like_roomy(const Plan *plan, Isa isa);
/* prefetch_input of tiles that multiply in scratch: not where it stays in the L2. */
int like_sums_prefetch(const Plan *plan, Isa isa);
/* How many of `rows` rows a block of weights has: about `wish`, where a longer run of taps is
 * divided into equal pieces; 0 means all rows. */
int block_depth(int rows, int run, int wish);

/* Register tiles for Method.wide and Method.narrow. */
extern const TilePair registers_wide[], registers_narrow[];

/* ---- parts (knobs.c) ---- */

/* Sets what threads share, unless the tuning's row says it. */
void set_split(const TuningRow *row, Isa isa, rnc_knobs *t, bool split);
/* Method.share of the methods with scratch: threads share `pieces` if there are enough, else
 * panels, each with scratch of its own. */
void share_scratch(const Plan *plan, Step *step, const TuningRow *row);
/* The number of pieces that the parts of such a step share. */
int64_t shared_pieces(const Step *step, Isa isa);
/* The tuning's row for a step, if it has the step's method; else NULL. */
const TuningRow *tuning_of_step(const Plan *plan, const Step *step);

/* ---- packing (pack.c) ---- */

/* The rows of packings.def. */
#define PACKING(name, number, doc)           \
    int64_t packed_##name(const Step *step); \
    void pack_##name(const Step *step, float *to);
#include "plan/packings.def"

/* The filters to be packed, [out][in][taps] in `groups` groups. */
typedef struct Filters {
    const float *weight; /* [filters][in_c][taps] */
    const float *bias;   /* [filters], or NULL */
    int filters, groups;
    int in_c; /* of a group */
    int taps;
} Filters;
Filters filters_of(const Node *node);
/* Packs biases first .. first+n-1; they are 0 after the last filter and where there are none. */
void pack_bias(const Filters *f, int first, int n, float *to);
/* Packs columns first .. first+n-1 of a matrix `to` [taps][rows][stride].  The rows of a tap are
 * the input channels from `row0` on, counted over all groups. */
void pack_columns(const Filters *f, int first, int n, int rows, int row0, int stride, float *to);
/* The number of plain weights plus a bias for each of the step's output channels. */
int64_t packed_taps(const Step *step);

/* ---- Winograd's method in two dimensions (conv_winograd.c) ---- */

enum {
    WINOGRAD_CHANNELS = 16, /* input and output have whole vectors of channels */
    WINOGRAD_GROUP = 32,    /* tiles; an image with no more than this is one group */
};
/* Seconds to transform windows of `forward` numbers, and `back` products. */
double winograd_transforms(const Plan *plan, int m, int stride, double forward, double back);

bool winograd_fits(const Plan *plan, const Node *node);
void winograd_knobs(const Plan *plan, const Step *step, Isa isa, rnc_knobs *t);
int64_t winograd_multiplications(const Step *step);
/* Products of an image's tiles of m x m outputs, in groups of up to `group`, for one input and one
 * output channel. */
int64_t winograd_image_products(int m, int stride, int out_h, int out_w, int group);
/* Whether the windows of a node are dilated and reach so far beyond its input that the zeros around
 * it would be half as many as its pixels or more: a method that reads them is not worth it. */
bool reaches_far(const Node *node);
/* The images that Winograd's method sees: of a dilated convolution, every d-th row and pixel of a
 * result is an image of its own. */
typedef struct WinogradImages {
    int64_t n;
    int h, w;
} WinogradImages;

WinogradImages winograd_images(const Node *node);
/* What the cuts of a node's tiles of m x m outputs ask for, before there is a step. */
rnc_conv_shape winograd_shape(const Node *node, int m);
/* Tiles of all images, their groups, and floats of one part's scratch. */
int64_t winograd_tiles(const rnc_conv_shape *s);
int64_t winograd_groups(const rnc_conv_shape *s, const rnc_knobs *t);
int64_t winograd_scratch(const rnc_conv_shape *s, const rnc_knobs *t);

/* Operations at the peak, for each input and output channel, that it costs to make the filters of
 * F(4 x 4, 3 x 3) of plain taps in scratch and to store them. */
enum { TAPS_FILTER_OPERATIONS = 290 };

/* ---- Winograd's method in one dimension (conv_winograd1d.c) ---- */

/* Rows of transformed filters and of transformed input: one for each point of each phase. */
int winograd1d_rows(int kernel_h, int stride_h);

/* ---- Strassen's method (conv_strassen.c) ---- */

enum { STRASSEN_PRODUCTS = 7 };
/* Products of all images for two input and two output channels, in strips of up to `group` pixels.
 */
int64_t strassen_products(const rnc_conv_shape *s, int group);

#endif
