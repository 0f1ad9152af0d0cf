/* operands.h: the memory of one step, and the numbers of weight types and activations. */
#ifndef RNC_OPERANDS_H
#define RNC_OPERANDS_H

typedef rnc_knobs_shape rnc_knobs;

/* The most tensors that a kernel reads and writes. */
enum { RNC_MOST_IN = 8, RNC_MOST_OUT = 4 };

/* in[i] and out[i] are the operands and the results in the order of the kernel's row (kernels.def);
 * NULL where a step has none.  All but the caller's own buffers point at the first pixel of the
 * first image and are aligned to 64 bytes if the tensor's channels begin there. */
typedef struct rnc_operands {
    const void *in[RNC_MOST_IN]; /* floats, except for the kernel `input` */
    void *out[RNC_MOST_OUT];
    const void *weights; /* packed, or NULL; the next step's weights follow them */
    void *scratch;       /* or NULL */
} rnc_operands;

/* Element types of packed weights. */
enum { RNC_WEIGHTS_F32, RNC_WEIGHTS_BF16, RNC_WEIGHTS_F16 };

/* Operations of the kernel `join`. */
enum { RNC_JOIN_ADD, RNC_JOIN_MUL, RNC_JOIN_SUB, RNC_JOIN_DIV };

/* What `reduce_over` and `softmax_over` compute. */
enum { RNC_OVER_MEAN, RNC_OVER_MAX, RNC_OVER_SUM, RNC_OVER_SOFTMAX, RNC_OVER_LOG_SOFTMAX };

/* Activations, in the order of the compiler's Act.  Their numbers alpha and beta: leaky_relu, elu:
 * alpha; clip: the least and the largest result; hard_sigmoid: the slope, what is added before.
 * prelu: rnc_slopes(). */
enum {
    RNC_ACT_NONE,
    RNC_ACT_RELU,
    RNC_ACT_RELU6,
    RNC_ACT_LEAKY_RELU,
    RNC_ACT_SIGMOID,
    RNC_ACT_TANH,
    RNC_ACT_HARD_SIGMOID,
    RNC_ACT_HARD_SWISH,
    RNC_ACT_SILU,
    RNC_ACT_GELU,
    RNC_ACT_ELU,
    RNC_ACT_SELU,
    RNC_ACT_SOFTPLUS,
    RNC_ACT_MISH,
    RNC_ACT_CLIP,
    RNC_ACT_PRELU,
    RNC_ACT_COUNT
};

#endif
