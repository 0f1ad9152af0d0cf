/* round.c: trained weights rounded to the element type that they are stored with. */
#include "params/round.h"

#include "base/half.h"
#include "kernels/shapes.h"

#include <math.h>

static float rounded(float x, int elem)
{
    return elem == RNC_WEIGHTS_BF16 ? float_of_bf16(bf16_of(x)) : float_of_f16(f16_of(x));
}

static void report_overflow(const Node *node, double weight, int elem, Diag *diag)
{
    const bool bf16 = elem == RNC_WEIGHTS_BF16;
    diag_error(diag, node->place ? node->place->loc : NO_LOC,
               "'%s' has a weight of %.9g, and %s numbers end at %s", node->name, weight,
               bf16 ? "bf16" : "f16", bf16 ? "3.38953139e+38" : "65504");
    diag_note(diag, NO_LOC,
              bf16 ? "--weights-type f32 keeps it" : "--weights-type bf16 has the range of floats");
}

static bool round_param(const Node *node, Param *param, int elem, Arena *arena, Diag *diag)
{
    const int64_t n = param_elements(param);
    const float *from = param_floats(param);
    float *to = NEW_ARRAY(arena, float, n);
    for (int64_t i = 0; i < n; i++) {
        to[i] = rounded(from[i], elem);
        if (isinf(to[i]) && !isinf(from[i])) {
            report_overflow(node, (double)from[i], elem, diag);
            return false;
        }
    }
    param_set_floats(param, to);
    return true;
}

bool round_weights(Net *net, int elem, Diag *diag)
{
    bool good = true;
    for (int i = 0; i < net->nodes.n && elem != RNC_WEIGHTS_F32; i++) {
        const Node *node = net->nodes.at[i];
        Param *weight = node->params[P_WEIGHT];
        if ((node->op == OP_CONV || node->op == OP_CONV_TRANSPOSE || node->op == OP_DENSE) &&
            weight->data)
            good &= round_param(node, weight, elem, net->arena, diag);
    }
    return good;
}
