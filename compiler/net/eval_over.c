/* eval_over.c: the oracle's reductions and softmaxes, and their gradients: each goes over some axes
 * of an image, for each place on the others. */
#include "net/eval_parts.h"

#include "net/over.h"

#include <math.h>

/* The box that element i of a tensor of type t is in: its place where those axes have extent 1. */
static int64_t box_of(Type t, Over over, int64_t i)
{
    const OverAxes a = over_axes(over);
    const int c = (int)(i % t.c), x = (int)(i / t.c % t.w), y = (int)(i / t.c / t.w % t.h);
    const int n = (int)(i / t.c / t.w / t.h);
    const Type one = {t.elem, t.n, a.height ? 1 : t.h, a.width ? 1 : t.w, a.channels ? 1 : t.c};
    return element_at(one, n, a.height ? 0 : y, a.width ? 0 : x, a.channels ? 0 : c);
}

/* An array with a number for each box, at most as many as elements. */
static double *boxes(const EvalStep *s, Type t, double start)
{
    double *at = NEW_ARRAY(s->arena, double, type_elements(t));
    for (int64_t i = 0; i < type_elements(t); i++)
        at[i] = start;
    return at;
}

/* Of each box the sum of exp(x - most), where `most` is its largest number.  Where one is a NaN or
 * the largest is infinite, all results are NaN. */
static double *exponentials(const EvalStep *s, double **most)
{
    const Type t = s->node->type;
    const Over over = s->node->attrs.over;
    double *sum = boxes(s, t, 0);
    *most = boxes(s, t, -INFINITY);
    for (int64_t i = 0; i < type_elements(t); i++) {
        double *m = &(*most)[box_of(t, over, i)];
        *m = fmax(*m, s->in[0][i]);
    }
    for (int64_t i = 0; i < type_elements(t); i++) {
        const int64_t box = box_of(t, over, i);
        sum[box] += exp(s->in[0][i] - (*most)[box]);
    }
    return sum;
}

void eval_SOFTMAX(EvalStep *s)
{
    double *most, *sum = exponentials(s, &most);
    for (int64_t i = 0; i < type_elements(s->node->type); i++) {
        const int64_t box = box_of(s->node->type, s->node->attrs.over, i);
        s->out[i] = exp(s->in[0][i] - most[box]) / sum[box];
    }
}

void eval_LOG_SOFTMAX(EvalStep *s)
{
    double *most, *sum = exponentials(s, &most);
    for (int64_t i = 0; i < type_elements(s->node->type); i++) {
        const int64_t box = box_of(s->node->type, s->node->attrs.over, i);
        s->out[i] = s->in[0][i] - most[box] - log(sum[box]);
    }
}

void eval_REDUCE(EvalStep *s)
{
    const Type t = s->node->in[0]->type;
    const Attrs *a = &s->node->attrs;
    const int64_t n = type_elements(s->node->type);
    const double size = (double)type_elements(t) / (double)n;
    for (int64_t k = 0; k < n; k++)
        s->out[k] = a->reduction == REDUCE_MAX ? -INFINITY : 0;
    for (int64_t i = 0; i < type_elements(t); i++) {
        double *out = &s->out[box_of(t, a->over, i)];
        *out = a->reduction == REDUCE_MAX ? larger(*out, s->in[0][i]) : *out + s->in[0][i];
        if (a->reduction == REDUCE_MAX && isnan(s->in[0][i]))
            *out = NAN;
    }
    for (int64_t k = 0; a->reduction == REDUCE_MEAN && k < n; k++)
        s->out[k] /= size;
}

/* ---- gradients ---- */

/* The sums over boxes of x * y. */
static double *box_sums(const EvalStep *s, const double *x, const double *y)
{
    const Type t = s->node->type;
    double *sum = boxes(s, t, 0);
    for (int64_t i = 0; i < type_elements(t); i++)
        sum[box_of(t, s->node->attrs.over, i)] += x[i] * (y ? y[i] : 1);
    return sum;
}

void eval_SOFTMAX_BACKWARD(EvalStep *s)
{
    const double *sum = box_sums(s, s->in[0], s->in[1]);
    for (int64_t i = 0; i < type_elements(s->node->type); i++)
        s->out[i] =
            s->in[1][i] * (s->in[0][i] - sum[box_of(s->node->type, s->node->attrs.over, i)]);
}

void eval_LOG_SOFTMAX_BACKWARD(EvalStep *s)
{
    const double *sum = box_sums(s, s->in[0], NULL);
    for (int64_t i = 0; i < type_elements(s->node->type); i++)
        s->out[i] =
            s->in[0][i] - exp(s->in[1][i]) * sum[box_of(s->node->type, s->node->attrs.over, i)];
}

void eval_REDUCE_BACKWARD(EvalStep *s)
{
    const Type t = s->node->type;
    const Attrs *a = &s->node->attrs;
    const double size = (double)type_elements(t) / (double)type_elements(s->node->in[0]->type);
    double *most = boxes(s, t, -INFINITY), *taken = boxes(s, t, 0);
    for (int64_t i = 0; i < type_elements(t); i++) {
        double *m = &most[box_of(t, a->over, i)];
        *m = larger(*m, s->in[1][i]);
    }
    for (int64_t i = 0; i < type_elements(t); i++) {
        const int64_t box = box_of(t, a->over, i);
        const bool first = !(s->in[1][i] < most[box]) && taken[box] == 0;
        const double dy = s->in[0][box];
        s->out[i] = a->reduction == REDUCE_SUM    ? dy
                    : a->reduction == REDUCE_MEAN ? dy / size
                    : first                       ? dy
                                                  : 0;
        taken[box] += first;
    }
}
