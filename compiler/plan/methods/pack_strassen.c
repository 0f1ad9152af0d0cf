/* pack_strassen.c: the sums of a filter matrix's quarters that Strassen's method multiplies by.
 *
 * B11 are the weights from the first half of the input channels to the first half of the outputs,
 * B12 those to the second half, B21 and B22 those from the second half of the inputs.  In the order
 * of the products (kernels/f32/conv_strassen.c): B11, B21, T2, T3, -T4, T1, B22, with T1 = B12 -
 * B11, T2 = B22 - T1, T3 = B22 - B12, T4 = T2 - B21 (Winograd 1971), in double and rounded once.
 */
#include "plan/methods/method_parts.h"

/* The seven numbers made of one of each quarter. */
static void sums_of(double b11, double b12, double b21, double b22, float sums[STRASSEN_PRODUCTS])
{
    const double t1 = b12 - b11, t2 = b22 - t1;
    sums[0] = (float)b11;
    sums[1] = (float)b21;
    sums[2] = (float)t2;
    sums[3] = (float)(b22 - b12);
    sums[4] = (float)(b21 - t2);
    sums[5] = (float)t1;
    sums[6] = (float)b22;
}

/* Weight [o][c]; 0 behind the last filter. */
static double weight_of(const Step *step, int o, int c)
{
    const Node *node = step->node;
    if (o >= node->attrs.filters)
        return 0;
    return (double)node->params[P_WEIGHT]->data[(int64_t)o * step->shape.conv.in_c + c];
}

/* Inputs k .. k+n-1 of each half, for a panel of each half of the outputs. */
static void pack_rows(const Step *step, int first, int k, int n, float *to)
{
    const rnc_conv_shape *s = &step->shape.conv;
    const int half = s->in_c / 2, right = s->out_c / 2;
    for (int i = 0; i < s->panel; i++) {
        const int o = first + i;
        for (int c = k; c < k + n; c++) {
            float sums[STRASSEN_PRODUCTS];
            sums_of(weight_of(step, o, c), weight_of(step, right + o, c),
                    weight_of(step, o, half + c), weight_of(step, right + o, half + c), sums);
            for (int p = 0; p < STRASSEN_PRODUCTS; p++)
                to[((int64_t)p * half + c) * s->panel + i] = sums[p];
        }
    }
}

void pack_strassen(const Step *step, float *to)
{
    enum { ROWS = 16 }; /* a line of what is read; what is written stays near meanwhile */
    const rnc_conv_shape *s = &step->shape.conv;
    const Param *bias = step->node->params[P_BIAS];
    const int half = s->in_c / 2, right = s->out_c / 2;
    for (int first = 0; first < right; first += s->panel) {
        for (int i = 0; i < 2 * s->panel; i++) {
            const int o = i < s->panel ? first + i : right + first + i - s->panel;
            *to++ = bias && o < step->node->attrs.filters ? bias->data[o] : 0.0f;
        }
        for (int k = 0; k < half; k += ROWS)
            pack_rows(step, first, k, half - k < ROWS ? half - k : ROWS, to);
        to += (int64_t)STRASSEN_PRODUCTS * half * s->panel;
    }
}
