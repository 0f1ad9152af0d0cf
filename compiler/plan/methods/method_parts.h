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

/* Of the peak: what the loops of an ISA reach where all that they read is at hand. */
typedef struct Reach {
    double direct;
    double products; /* of Winograd's method */
    double blocks;   /* of that from plain taps, by way of scratch, with many tiles */
    double taps;     /* how many times longer that is called than it takes */
    double strassen;
    double fetch; /* of what the machine reads in one sequence, lines that loops fetch ahead */
} Reach;

/* What the plan's fastest instruction set reaches, and its operations a second at the peak. */
const Reach *reach_of(const Plan *plan);
double peak_of(const Plan *plan);
/* Seconds to read so many weights as the method packs them. */
double seconds_to_read(const Plan *plan, const Method *m, double weights);
/* Arithmetic and the reading of weights, which overlap, but not wholly. */
static inline double overlapped(double arithmetic, double reading)
{
    return sqrt(arithmetic * arithmetic + reading * reading);
}

/* ---- tiles (knobs.c) ---- */

/* What an ISA's kernels like where nothing special holds. */
typedef struct Liking {
    int pixels, vectors;    /* register tile of conv_direct */
    int unroll, odd_unroll; /* the second where a row of taps has an odd length (a stem) */
    int prefetch_output, memory_broadcasts;
    bool prefetch_weights;
    int prefetch_input, depth;
    int together_kb;   /* weights of all panels up to which these pass together */
    bool whole_groups; /* Winograd's groups: what the L2 holds, not a few register tiles */
    int taps_depth;    /* rows of a block of filters made from plain taps, with many tiles */
    int short_sums; /* sums of Winograd's products where few inputs are summed; 0: as elsewhere */
    int dense_vectors, dense_pixels; /* the second: images at once */
    int depthwise_pixels;
} Liking;
extern const Liking likings[ISA_COUNT];

enum {
    SMALL_ROW = 7,          /* output pixels of a row up to which output is not fetched ahead */
    STREAMS = 4,            /* parts of a weight panel that are read side by side */
    MACS_TO_SHARE = 200000, /* from which it pays to wake threads */
    SCRATCH_MOST = 3800000, /* bytes of all parts of a step together */
};

/* Vectors of the widest run of output channels that a panel offers. */
int panel_vectors(const rnc_conv_shape *s, Isa isa);
/* Pixels and vectors of a register tile as the ISA likes it, no wider than panels are. */
void like_registers(const rnc_conv_shape *s, Isa isa, rnc_tile *t);
int like_broadcasts(const rnc_tile *t, Isa isa);
/* Rows of a block of weights that stays in the L1 while all pixels, which are `few`, pass; 0: no
 * blocks. */
int like_depth(const Plan *plan, Isa isa, bool few);
/* Of `rows` rows, those of a block of weights: about `wish`, a longer run of taps in equal pieces;
 * 0 for all of them. */
int block_depth(int rows, int run, int wish);

/* Register tiles for Method.wide and Method.narrow. */
extern const TilePair registers_wide[], registers_narrow[];

/* ---- parts (knobs.c) ---- */

/* What threads share out, if a tuning's row does not say it. */
void set_split(const TuningRow *row, Isa isa, rnc_tile *t, bool split);
/* Method.share of the methods with scratch: threads share `pieces` if there are enough, else
 * panels, each with scratch of its own. */
void share_scratch(const Plan *plan, Step *step, const TuningRow *row);
/* What the parts of such a step share out. */
int64_t shared_pieces(const Step *step, Isa isa);
/* The tuning's row for a step, if it is of the method that the step has. */
const TuningRow *tuning_of_step(const Plan *plan, const Step *step);

/* ---- packing (pack.c) ---- */

/* The rows of packings.def. */
#define PACKING(name, number, elem, doc)     \
    int64_t packed_##name(const Step *step); \
    void pack_##name(const Step *step, float *to);
#include "plan/packings.def"

/* What is packed: filters [out][in][taps] in `groups` groups. */
typedef struct Filters {
    const float *weight; /* [filters][in_c][taps] */
    const float *bias;   /* [filters], or NULL */
    int filters, groups;
    int in_c; /* of a group */
    int taps;
} Filters;
Filters filters_of(const Node *node);
/* Biases first .. first+n-1; 0 after the last filter and where there are none. */
void pack_bias(const Filters *f, int first, int n, float *to);
/* Columns first .. first+n-1 of a matrix `to` [taps][rows][stride], whose rows
 * of a tap are input channels from `row0` (counted over all groups) on. */
void pack_columns(const Filters *f, int first, int n, int rows, int row0, int stride, float *to);
/* Elements of the weights as they are and a bias for each of the step's output channels. */
int64_t packed_taps(const Step *step);

/* ---- Winograd's method in two dimensions (conv_winograd.c) ---- */

enum {
    WINOGRAD_CHANNELS = 16, /* whole vectors of channels come in and go out */
    WINOGRAD_GROUP = 32,    /* tiles; an image of no more is in one group */
};
/* Seconds of the transforms of windows, `forward` numbers, and of `back` products. */
double winograd_transforms(const Plan *plan, int m, int stride, double forward, double back);

bool winograd_fits(const Plan *plan, const Node *node);
void winograd_tile(const Plan *plan, const Step *step, Isa isa, rnc_tile *t);
int64_t winograd_multiplications(const Step *step);
/* Products of an image's tiles of m x m outputs, in groups of up to `group`, for one input and one
 * output channel. */
int64_t winograd_image_products(int m, int stride, int out_h, int out_w, int group);
/* Tiles of all images, their groups, and floats of one part's scratch. */
int64_t winograd_tiles(const rnc_conv_shape *s);
int64_t winograd_groups(const rnc_conv_shape *s, const rnc_tile *t);
int64_t winograd_scratch(const rnc_conv_shape *s, const rnc_tile *t);

/* ---- Winograd's method in one dimension (conv_winograd1d.c) ---- */

/* Transformed rows, of filters and of input: one for each point of each phase. */
int winograd1d_rows(int kernel_h, int stride_h);

/* ---- Strassen's method (conv_strassen.c) ---- */

enum { STRASSEN_PRODUCTS = 7 };
/* Products of all images for two input and two output channels, in strips of up to `group` pixels.
 */
int64_t strassen_products(const rnc_conv_shape *s, int group);

#endif
