/* steps.h: the steps that train.c times, for one instruction set, after its header: compiled as
 * emitted code is, with shapes and knobs that are constants. */
#if RNC_VL > 1
#include "kernels/isa/vector.h"
#endif
#define RNC_NARROW 1
#define RNC_TILES 14
#include "kernels/f32/act.h"
#include "kernels/f32/tile.h"
#include "kernels/f32/direct_tile.h"
#include "kernels/f32/conv_direct.c"

#include "kernels/train/parts.h"

#include "kernels/train/conv_grad_data.c"
#include "kernels/train/grad_tile.h"
#include "kernels/train/conv_grad_weights.c"

#define LAYER(name, n, out, in, oc, k, st, pd)                                         \
    RNC_STEP void RNC_FN(weights_##name)(const rnc_operands *o, int part, int parts)   \
    {                                                                                  \
        static const rnc_grad_weights_shape s = GRAD_SHAPE(n, out, in, oc, k, st, pd); \
        static const rnc_knobs t = KNOBS;                                              \
        RNC_FN(conv_grad_weights)(&s, &t, o, part, parts);                             \
    }
#include "layers.def"

#define LAYER(name, n, out, in, oc, k, st, pd)                                      \
    RNC_STEP void RNC_FN(data_##name)(const rnc_operands *o, int part, int parts)   \
    {                                                                               \
        static const rnc_grad_data_shape s = DATA_SHAPE(n, out, in, oc, k, st, pd); \
        static const rnc_knobs t = DATA_KNOBS((oc) > 128 ? 128 : 0);                \
        RNC_FN(conv_grad_data)(&s, &t, o, part, parts);                             \
    }
#include "layers.def"

static Step *const RNC_FN(weights_steps)[] = {
#define LAYER(name, n, out, in, oc, k, st, pd) RNC_FN(weights_##name),
#include "layers.def"
};
static Step *const RNC_FN(data_steps)[] = {
#define LAYER(name, n, out, in, oc, k, st, pd) RNC_FN(data_##name),
#include "layers.def"
};
#undef KNOBS
#undef DATA_KNOBS
#include "kernels/train/parts_end.h"
#include "kernels/isa/isa_end.h"
