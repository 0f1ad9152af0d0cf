/* eval_transpose.c: the oracle's transposed convolution. */
#include "net/eval_parts.h"

#include <string.h>

/* The pixel of the result under tap (i, j) of the window of operand pixel (y, x), or NULL where it
 * is left out. */
static double *under_tap(const Attrs *a, double *image, Type t, int y, int x, int i, int j)
{
    const int row = y * a->stride[0] + i * a->dilation[0] - a->padding[0];
    const int pixel = x * a->stride[1] + j * a->dilation[1] - a->padding[1];
    const bool inside = row >= 0 && row < t.h && pixel >= 0 && pixel < t.w;
    return inside ? image + element_at(t, 0, row, pixel, 0) : NULL;
}

/* Reorders weights from [filter][c][tap] to [filter][tap][c], so that the innermost loops go
 * through memory one by one. */
static void turn_weights(const Param *weight, double *turned)
{
    const int *dims = weight->dims, taps = dims[2] * dims[3];
    for (int f = 0; f < dims[0]; f++)
        for (int tap = 0; tap < taps; tap++)
            for (int c = 0; c < dims[1]; c++)
                *turned++ = param_at(weight, ((int64_t)f * dims[1] + c) * taps + tap);
}

/* Where a convolution has out(y, x, f) += weight(f, tap, c) in(under the tap, c), its transpose has
 * in += weight out; `in` and `out` are those of the convolution. */
void eval_CONV_TRANSPOSE(EvalStep *s)
{
    const Node *node = s->node;
    const Attrs *a = &node->attrs;
    const Type out = node->in[0]->type, in = node->type;
    const int channels = in.c / a->groups, filters = out.c / a->groups;
    const int taps = a->kernel[0] * a->kernel[1];
    turn_weights(node->params[P_WEIGHT], s->scratch);
    for (int64_t i = 0; i < type_elements(in); i++)
        s->out[i] = node->params[P_BIAS] ? param_at(node->params[P_BIAS], i % in.c) : 0;
    for (int n = 0; n < out.n; n++)
        for (int y = 0; y < out.h; y++)
            for (int x = 0; x < out.w; x++)
                for (int tap = 0; tap < taps; tap++) {
                    double *to = under_tap(a, s->out + element_at(in, n, 0, 0, 0), in, y, x,
                                           tap / a->kernel[1], tap % a->kernel[1]);
                    for (int f = 0; to && f < out.c; f++) {
                        const double v = s->in[0][element_at(out, n, y, x, f)];
                        const double *w = s->scratch + ((int64_t)f * taps + tap) * channels;
                        for (int c = 0, at = f / filters * channels; c < channels; c++)
                            to[at + c] += v * w[c];
                    }
                }
    for (int64_t i = 0; node->n_in > 1 && i < type_elements(in); i++)
        s->out[i] += s->in[1][i];
}

/* Pixel (y, x) is pixel (y / down, x / across) of the operand whose turn it is. */
void eval_INTERLEAVE(EvalStep *s)
{
    const Type t = s->node->type;
    const int *stride = s->node->attrs.stride;
    const int across = stride[1] < t.w ? stride[1] : t.w;
    for (int n = 0; n < t.n; n++)
        for (int y = 0; y < t.h; y++)
            for (int x = 0; x < t.w; x++) {
                const int i = y % stride[0] * across + x % stride[1];
                const Type in = s->node->in[i]->type;
                memcpy(s->out + element_at(t, n, y, x, 0),
                       s->in[i] + element_at(in, n, y / stride[0], x / stride[1], 0),
                       (size_t)t.c * sizeof(double));
            }
}
