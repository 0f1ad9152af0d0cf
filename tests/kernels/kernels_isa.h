/* kernels_isa.h: the second half of kernels_<isa>.c, after the ISA's header: every
 * kernel, and the table of them.  TEST_ISA is the name of the ISA. */
#if RNC_VL > 1
#include "kernels/isa/vector.h"
#endif
#undef RNC_UNROLL
#define RNC_UNROLL(n) /* shapes are variables here: unrolling unknown lengths takes minutes */
#define RNC_NARROW 1
#define RNC_TILES 14
#define RNC_OTHER_KINDS 1
#define RNC_TILE_KINDS(X) X(4, 2, 32, 0, 75, 3, 0) X(2, 1, 16, 0, 0, 1, 1) X(4, 4, 32, 0, 0, 2, 1)
#define RNC_EXP 1
#define RNC_LONG_ACT 1
#define RNC_LARGE_WINDOWS 1
#define RNC_LONG_DENSE 1
#define RNC_TAPS 1
#define RNC_SMALL_TAPS 1
#define RNC_FAR_TILES 1
#define RNC_CLIPPED 1
#define RNC_STRIPS 1
#define RNC_DILATED 1
#include "kernels/f32/act.h"
#ifndef RNC_TARGET
#define RNC_TARGET
#endif
#undef RNC_KERNEL /* nor can calls be folded: one copy of each function is enough */
#define RNC_KERNEL static __attribute__((unused)) RNC_TARGET
#include "kernels/f32/tile.h"
#include "kernels/f32/sums.h"
#include "kernels/f32/direct_tile.h"
#include "kernels/f32/winograd.h"
#include "kernels/f32/winograd_tiles.h"
#include "kernels/f32/winograd_taps.h"
#include "kernels/f32/pool.h"

#include "kernels/f32/avgpool.c"
#include "kernels/f32/blocks.c"
#include "kernels/f32/conv_blas.c"
#include "kernels/f32/conv_direct.c"
#include "kernels/f32/conv_strassen.c"
#include "kernels/f32/conv_winograd.c"
#include "kernels/f32/conv_winograd_taps.c"
#include "kernels/f32/conv_winograd1d.c"
#include "kernels/f32/copy.c"
#include "kernels/f32/dense.c"
#include "kernels/f32/depthwise.c"
#include "kernels/f32/flatten.c"
#include "kernels/f32/shift.c"
#include "kernels/f32/split.c"
#include "kernels/f32/halo.c"
#include "kernels/f32/input.c"
#include "kernels/f32/join.c"
#include "kernels/f32/map.c"
#include "kernels/f32/maxpool.c"
#include "kernels/f32/over.h"
#include "kernels/f32/reduce_over.c"
#include "kernels/f32/softmax_over.c"
#include "kernels/f32/norm.h"
#include "kernels/f32/norm_pixels.c"
#include "kernels/f32/norm_images.c"
#include "kernels/f32/output.c"
#include "kernels/f32/pad.c"
#include "kernels/f32/resize.c"
#include "kernels/f32/softmax.c"
#include "kernels/train/parts.h"
#include "kernels/train/bn.h"
#include "kernels/train/pool.h"

#include "kernels/train/adam.c"
#include "kernels/train/bn_apply.c"
#include "kernels/train/bn_grad.c"
#include "kernels/train/bn_grad_join.c"
#include "kernels/train/bn_grad_sums.c"
#include "kernels/train/bn_moments.c"
#include "kernels/train/bn_statistics.c"
#include "kernels/train/bn_move.c"
#include "kernels/train/conv_grad_data.c"
#include "kernels/train/grad_tile.h"
#include "kernels/train/conv_grad_weights.c"
#include "kernels/train/conv_grad_winograd.c"
#include "kernels/train/conv_winograd_panels.c"
#include "kernels/train/filter_pack.c"
#include "kernels/train/filter_sum.c"
#include "kernels/train/filter_winograd.c"
#include "kernels/train/filter_groups.c"
#include "kernels/train/sgd.c"
#include "kernels/train/act_grad.c"
#include "kernels/train/avgpool_grad.c"
#include "kernels/train/depthwise_grad_data.c"
#include "kernels/train/depthwise_grad_weights.c"
#include "kernels/train/depthwise_pack.c"
#include "kernels/train/loss_mean.c"
#include "kernels/train/maxpool_grad.c"
#include "kernels/train/softmax_loss.c"
#include "kernels/train/square_loss.c"
#include "kernels/train/window_sum.c"
#include "kernels/train/reduce.c"
#include "kernels/train/norm_grad.c"
#include "kernels/train/over_grad.c"
#include "kernels/train/sample_grad.c"
#include "kernels/train/softmax_grad.c"
#include "kernels/train/square_sum.c"
#include "kernels/train/average.c"
#include "kernels/train/accumulate.c"

#define RUN(name, family)                                                                        \
    RNC_KERNEL void RNC_FN(run_##name)(const void *s, const rnc_knobs *t, const rnc_operands *o, \
                                       int part, int parts)                                      \
    {                                                                                            \
        RNC_FN(name)((const rnc_##family##_shape *)s, t, o, part, parts);                        \
    }
#define KERNEL(name, family, packing, needs, operands, doc) RUN(name, family)
#include "kernels/kernels.def"
#define KERNEL(name, family, packing, needs, operands, doc) RUN(name, family)
#include "kernels/train/kernels.def"

RNC_KERNEL void RNC_FN(run_halo_clear)(const void *s, const rnc_knobs *t, const rnc_operands *o,
                                       int part, int parts)
{
    (void)t;
    RNC_FN(halo_clear)((const rnc_halo_shape *)s, o, part, parts);
}

RNC_KERNEL void RNC_FN(run_act)(const float *in, float *out, int n, int act, float alpha,
                                float beta)
{
    for (int i = 0; i < n; i += RNC_VL)
        vf_storeu(out + i, vf_act(vf_loadu(in + i), act, alpha, beta));
}

RNC_KERNEL void RNC_FN(run_weights)(const uint16_t *in, float *out, int n, int elem)
{
    for (int i = 0; i < n; i += RNC_VL)
        vf_storeu(out + i, vf_load_weights(in + i, elem));
}

#define TEXT(name) TEXT_OF(name)
#define TEXT_OF(name) #name
#define TABLE(isa) TABLE_OF(isa)
#define TABLE_OF(isa) test_isa_##isa

extern const TestIsa TABLE(TEST_ISA);
const TestIsa TABLE(TEST_ISA) = {
    .name = TEXT(TEST_ISA),
    .lanes = RNC_VL,
    .kernels =
        {
#define KERNEL(name, family, packing, needs, operands, doc) RNC_FN(run_##name),
#include "kernels/kernels.def"
#define KERNEL(name, family, packing, needs, operands, doc) RNC_FN(run_##name),
#include "kernels/train/kernels.def"
        },
    .halo_clear = RNC_FN(run_halo_clear),
    .act = RNC_FN(run_act),
    .weights = RNC_FN(run_weights),
};
#include "kernels/train/parts_end.h"
#include "kernels/isa/isa_end.h"
