/* harness.h: what a kernel's test is written with.
 *
 * A test (test_<kernel>) draws a random shape, lays tensors out in memory, runs
 * the kernel and compares with loops in double.  Each case has its own random
 * numbers, made of seed, kernel and number, so that one alone can be repeated.
 * Memory that is no tensor's holds canaries: NaNs of a certain bit pattern, so
 * that a stray write is seen and a stray read that matters spoils the result.
 */
#ifndef KERNEL_HARNESS_H
#define KERNEL_HARNESS_H

#include "kernels/train/cuts.h"
#include "kernels/train/rates.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

typedef void KernelFn(const void *shape, const rnc_knobs *t, const rnc_operands *o, int part,
                      int parts);

enum {
#define KERNEL(name, family, packing, needs, operands, doc) KERNEL_##name,
#include "kernels/kernels.def"
#define KERNEL(name, family, packing, needs, operands, doc) KERNEL_##name,
#include "kernels/train/kernels.def"
    KERNEL_COUNT
};

/* The kernels of one ISA (kernels_<isa>.c). */
typedef struct TestIsa {
    const char *name;
    int lanes;
    KernelFn *kernels[KERNEL_COUNT];
    KernelFn *halo_clear;
    void (*act)(const float *in, float *out, int n, int act, float alpha,
                float beta);                                          /* n whole vectors */
    void (*weights)(const uint16_t *in, float *out, int n, int elem); /* likewise, aligned */
} TestIsa;

typedef struct Case Case;
struct Case {
    const TestIsa *isa;
    uint64_t state;
    char why[512]; /* "" as long as all is well */
    char shape[1024];
    struct Block *blocks;
};

/* ---- random numbers ---- */

int pick(Case *c, int least, int most); /* any of least .. most */
bool chance(Case *c, int percent);
float pick_float(Case *c, float least, float most);
int pick_act(Case *c, float *alpha, float *beta); /* RNC_ACT_... and its numbers; not prelu */
/* Likewise for a layer, prelu included: *slopes are its slopes, NULL of the others. */
int pick_layer_act(Case *c, float *alpha, float *beta, int channels, float **slopes);
/* Of selu (Klambauer et al., 2017). */
#define SELU_SCALE 1.0507009873554804934193349852946
#define SELU_ALPHA 1.6732632423543772848170429916717

/* ---- windows of pools ---- */

/* Windows along an axis; `ceil`: the last may end beyond the padding, but not begin there. */
int pool_windows(int in, int before, int after, int kernel, int stride, bool ceil);
/* The pixels of a window along an axis that are in the input or in its padding. */
int pool_extent(int in, int before, int after, int kernel, int first);

/* ---- memory ---- */

void *case_memory(Case *c, size_t bytes); /* zeroed, aligned to 64, until the case ends */
void case_free(Case *c); /* frees what the case has taken; kernel_tests.c does so after each */

/* n floats between guard zones, or with their end at the end of an allocation
 * (where an address sanitizer sees what reads behind).  All are canaries. */
float *case_floats(Case *c, size_t n);

/* A copy of packed weights, which end where their memory does, with slopes in front of them; the
 * weights themselves if `slopes` is NULL. */
const void *case_slopes(Case *c, const void *weights, const float *slopes, int channels);

/* How grid_make lays out. */
typedef struct Layout {
    int align;                    /* channels and pitch are multiples of this */
    int top, left, bottom, right; /* halo, at least; more is added at random */
    bool tight;                   /* no spare floats anywhere but for the halo asked for */
} Layout;

/* A tensor, laid out as the plan would: [n][h][w][c], around it a halo, behind
 * the channels spare lanes. */
typedef struct Grid {
    Layout asked;
    int n, h, w, c;
    int lanes; /* channels rounded up: what a kernel may read and write */
    int top, left, bottom, right;
    int pixel, row, image;
    float *at;   /* pixel (0, 0), channel 0 of image 0 */
    float *base; /* all of its memory: */
    size_t total;
} Grid;

Grid grid_make(Case *c, int n, int h, int w, int channels, Layout layout);
/* A random multiple of the ISA's lanes that is an alignment some plan has. */
int pick_align(Case *c);
/* Random numbers in the elements and their spare lanes, zeros in the halo that
 * was asked for (what grid_make added stays canaries). */
void grid_fill(Case *c, Grid *g, float least, float most);
float *grid_pixel(const Grid *g, int n, int y, int x);
/* Puts a few NaNs and infinities into elements, or into the spare lanes after them, in some of the
 * cases; with `spare`, into spare lanes alone, where there are some. */
void grid_spoil(Case *c, Grid *g, bool spare);

/* ---- running and comparing ---- */

/* Runs the kernel in a random number of parts in random order.  `out` and
 * `bytes` are what it writes into, all of it; when `disjoint` a second run, part
 * by part into copies, finds floats written by two parts (not where the output
 * is also an operand). */
void run_kernel(Case *c, KernelFn *kernel, const void *shape, const rnc_knobs *tile,
                const rnc_operands *operands, float *out, size_t floats, bool disjoint);

/* The same for a kernel of training, and checks that one part gives the same bits. */
void run_train(Case *c, KernelFn *kernel, const void *shape, const rnc_knobs *tile,
               const rnc_operands *operands, float *out, size_t floats, bool disjoint);

/* What the output should be: an expectation and a tolerance for each float of
 * its memory; those without one must keep their bits.  Of a NaN any NaN but the canary is right, of
 * an infinity that one alone. */
typedef struct Expect {
    double *value;
    double *tolerance; /* < 0: untouched; HUGE_VAL: anything but a NaN of the canary */
    float *before;
    float *base;
    size_t total;
} Expect;

Expect expect_make(Case *c, float *base, size_t total); /* all untouched, as it is now */
void expect_at(Expect *e, const float *where, double value, double tolerance);
void expect_any(Expect *e, const float *where); /* finite, if its value was */
void expect_check(Case *c, const Expect *e);
void fail(Case *c, const char *format, ...);

/* The activation in double; *tolerance, that of x, becomes the result's.  Of prelu, alpha is the
 * slope. */
double ref_act(double x, int act, float alpha, float beta, double *tolerance);

/* Tolerance of a sum of n products whose absolute values add up to `sum`. */
double sum_tolerance(int n, double sum);

/* The shape as text for a failing case. */
#define SHAPE_BEGIN(family, doc) void describe_##family(Case *c, const rnc_##family##_shape *s);
#include "kernels/shapes.def"
#define SHAPE_BEGIN(family, doc) void describe_##family(Case *c, const rnc_##family##_shape *s);
#include "kernels/train/shapes.def"

/* ---- tests ---- */

typedef void TestFn(Case *c);
#define KERNEL(name, family, packing, needs, operands, doc) void test_##name(Case *c);
#include "kernels/kernels.def"
#define KERNEL(name, family, packing, needs, operands, doc) void test_##name(Case *c);
#include "kernels/train/kernels.def"
#include "kernels/cuts_blas.h"
#include "kernels/cuts_clipped.h"
#include "kernels/cuts_norm.h"
#include "kernels/cuts_strassen.h"
#include "kernels/cuts_winograd.h"
#include "kernels/cuts_winograd_taps.h"
#include "kernels/cuts_winograd1d.h"
void test_halo_clear(Case *c);

/* ---- weights of 16 bits (weights.c) ---- */

/* RNC_WEIGHTS_..., and a weight from -1 to 1 that is exact in all of them. */
int pick_weights_type(Case *c);
float pick_weight(Case *c);

/* Packed floats as the kernels read `elem`: for each group of s, panels of up to s->panel of its
 * channels: a bias for each channel, a float, then `depth` weights for each, then zeros up to a
 * multiple of 64 bytes.  The floats themselves for RNC_WEIGHTS_F32. */
const void *case_weights(Case *c, const float *packed, int elem, const rnc_conv_shape *s,
                         int depth);

/* All 65536 numbers of both types, as vf_load_weights has them.  False after messages. */
bool test_weights(const TestIsa *isa);

/* Sums of up to `most` numbers, a power of 4 (test_sums.c).  False after messages. */
bool test_sums(const TestIsa *isa, int most, bool verbose);

/* vf_act with activation i of act_count() against long double, by n instruction sets: every
 * stride-th float.  False after messages. */
int act_count(void);
bool test_act(int i, const TestIsa *const *isas, int n, unsigned stride, bool verbose);

#endif
