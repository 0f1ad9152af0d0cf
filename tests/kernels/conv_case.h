/* conv_case.h: a random convolution, its tensors and what it should give; shared
 * by the kernels that compute one. */
#ifndef CONV_CASE_H
#define CONV_CASE_H

#include "harness.h"

typedef struct ConvCase {
    rnc_conv_shape s;
    Grid in, res, out;
    float *weights; /* [out_c][kernel_h][kernel_w][in_c], [out_c] filters of their group */
    float *bias;    /* [out_c] */
    float *slopes;  /* [out_c], if the activation is prelu; else NULL */
    bool in_place;  /* the residual is the output */
} ConvCase;

/* What is left to the caller of the drawing: how many groups, the channels of a
 * group, how output channels are aligned. */
typedef struct ConvLimits {
    int groups, in_c, width; /* width: output channels of a group */
    bool depthwise;          /* width is in_c, channels are whole vectors */
    int align;               /* of the tensors' channels and pitch */
    bool winograd;           /* windows of 3x3, stride 1 or 2 */
    bool unit_stride;        /* stride 1 alone */
    bool pixels;             /* windows of 1x1, stride 1 */
    bool columns;            /* one to four taps down, of each phase of stride 1 or 2 */
    bool halves;             /* weights of any type */
    bool clipped;            /* windows are clipped to the input, if they can be */
    bool mixes;              /* a NaN or an infinity reaches outputs that do not see it */
    int in_align;            /* of the input's, if another (a caller's image); 0: the same */
} ConvLimits;

/* Draws shape, tensors, weights and residual; s.panel is 0 and the weights are
 * not packed yet. */
ConvCase conv_case(Case *c, ConvLimits limits);
/* The case's packed weights as its kernel gets them, with slopes in front of them. */
const void *conv_weights(Case *c, const ConvCase *k, const void *packed);
/* Half of the time one of the n usual tiles, else any, with groups of up to `group`; the other
 * knobs, blocks of weight rows among them, at random. */
rnc_knobs conv_tile(Case *c, const rnc_knobs *usual, int n, int group);
/* Floats of scratch that a plan has for a part of a kernel's step (plan_scratch.c). */
int64_t plan_scratch(const char *kernel, const rnc_conv_shape *s, const rnc_knobs *t);
/* Scratch for as many parts as run_kernel() has, no float more than a plan would have. */
float *conv_scratch(Case *c, const char *kernel, const rnc_conv_shape *s, const rnc_knobs *t);
/* What the kernel must leave in out: every lane below s.out_c.  With an
 * `amplification` above 1 its error may be so many times that of the largest plain sum. */
Expect conv_expect(Case *c, const ConvCase *k, double amplification);

#endif
