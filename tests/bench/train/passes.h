/* passes.h: the steps that passes.c times, for one instruction set, after its header. */
#include "kernels/isa/vector.h"
#include "kernels/f32/act.h"
#include "kernels/train/parts.h"

#include "kernels/train/bn.h"

#include "kernels/train/adam.c"
#include "kernels/train/sgd.c"
#include "kernels/train/bn_moments.c"
#include "kernels/train/bn_apply.c"
#include "kernels/train/bn_grad_sums.c"
#include "kernels/train/bn_grad.c"

/* The kernels without a residual, and with one. */
#define STEP(kernel, name, kind, n, side, ch, ...)                        \
    RNC_STEP void RNC_FN(kernel##_##name##_##kind)(const rnc_operands *o) \
    {                                                                     \
        static const rnc_bn_shape s = {__VA_ARGS__, SHAPE(n, side, ch)};  \
        static const rnc_knobs t = {0};                                   \
        RNC_FN(kernel)(&s, &t, o, 0, 1);                                  \
    }
#define PASS(name, n, side, ch)                                                                   \
    STEP(bn_moments, name, plain, n, side, ch, .act = RNC_ACT_RELU)                               \
    STEP(bn_apply, name, plain, n, side, ch, .act = RNC_ACT_RELU)                                 \
    STEP(bn_grad_sums, name, plain, n, side, ch, .act = RNC_ACT_RELU)                             \
    STEP(bn_grad, name, plain, n, side, ch, .act = RNC_ACT_RELU)                                  \
    STEP(bn_apply, name, sum, n, side, ch, .act = RNC_ACT_RELU, .residual = 1)                    \
    STEP(bn_grad_sums, name, sum, n, side, ch, .act = RNC_ACT_RELU, .from_output = 1, .store = 1) \
    STEP(bn_grad, name, sum, n, side, ch, .act = RNC_ACT_NONE)
#include "passes.def"
#undef STEP

RNC_STEP void RNC_FN(adam_step)(const rnc_operands *o)
{
    static const rnc_update_shape s = {.floats = FLOATS,
                                       .beta1 = 0.9f,
                                       .rest1 = 0.1f,
                                       .beta2 = 0.999f,
                                       .rest2 = 0.001f,
                                       .epsilon = 1e-8f};
    static const rnc_knobs t = {0};
    RNC_FN(adam)(&s, &t, o, 0, 1);
}

RNC_STEP void RNC_FN(sgd_step)(const rnc_operands *o)
{
    static const rnc_update_shape s = {.floats = FLOATS, .beta1 = 0.9f};
    static const rnc_knobs t = {0};
    RNC_FN(sgd)(&s, &t, o, 0, 1);
}

static Step *const RNC_FN(steps)[][KINDS] = {
#define PASS(name, n, side, ch)                                              \
    {RNC_FN(bn_moments_##name##_plain),   RNC_FN(bn_apply_##name##_plain),   \
     RNC_FN(bn_grad_sums_##name##_plain), RNC_FN(bn_grad_##name##_plain),    \
     RNC_FN(bn_apply_##name##_sum),       RNC_FN(bn_grad_sums_##name##_sum), \
     RNC_FN(bn_grad_##name##_sum)},
#include "passes.def"
};
#include "kernels/train/parts_end.h"
#include "kernels/isa/isa_end.h"
