/* eval_channel.c: the oracle's operators that have numbers for each channel. */
#include "net/eval_parts.h"

#include <math.h>

static double real_at(Reals reals, int c)
{
    return reals.at[reals.n == 1 ? 0 : c];
}

/* The parameter's number for channel c, or `none` where the node has no such parameter; one number
 * may stand for all channels. */
static double number_at(const EvalStep *s, Role role, int c, double none)
{
    const Param *param = s->node->params[role];
    return param ? param_at(param, param->dims[0] == 1 ? 0 : c) : none;
}

void eval_NORMALIZE(EvalStep *s)
{
    const Attrs *a = &s->node->attrs;
    for (int64_t i = 0; i < type_elements(s->node->type); i++) {
        const int c = (int)(i % s->node->type.c);
        s->out[i] = (s->in[0][i] * a->scale - real_at(a->mean, c)) / real_at(a->std, c);
    }
}

void eval_BN(EvalStep *s)
{
    for (int64_t i = 0; i < type_elements(s->node->type); i++) {
        const int c = (int)(i % s->node->type.c);
        const double spread = sqrt(number_at(s, P_VARIANCE, c, 1) + s->node->attrs.epsilon);
        s->out[i] =
            (s->in[0][i] - number_at(s, P_MEAN, c, 0)) / spread * number_at(s, P_WEIGHT, c, 1) +
            number_at(s, P_BIAS, c, 0);
    }
}

void eval_SCALE(EvalStep *s)
{
    for (int64_t i = 0; i < type_elements(s->node->type); i++) {
        const int c = (int)(i % s->node->type.c);
        s->out[i] = s->in[0][i] * number_at(s, P_WEIGHT, c, 1) + number_at(s, P_BIAS, c, 0);
    }
}

void eval_AFFINE(EvalStep *s)
{
    const Attrs *a = &s->node->attrs;
    for (int64_t i = 0; i < type_elements(s->node->type); i++) {
        const int c = (int)(i % s->node->type.c);
        s->out[i] = s->in[0][i] * real_at(a->factor, c) + real_at(a->addend, c);
    }
}

void eval_PRELU(EvalStep *s)
{
    for (int64_t i = 0; i < type_elements(s->node->type); i++) {
        const double x = s->in[0][i];
        s->out[i] = x > 0 ? x : number_at(s, P_WEIGHT, (int)(i % s->node->type.c), 1) * x;
    }
}
