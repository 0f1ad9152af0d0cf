/* test_loss.c: losses and the gradients of activations. */
#include "train_case.h"

#include <math.h>

/* Logits, labels, gradient, losses and hits of a case; the last three are parts of one memory. */
typedef struct LossCase {
    rnc_loss_shape s;
    float *in, *target, *grad, *losses, *hits, *memory;
    int *labels;
    size_t total;
} LossCase;

static LossCase draw(Case *c)
{
    LossCase k = {0};
    rnc_loss_shape *s = &k.s;
    s->images = pick(c, 1, 9);
    s->c = chance(c, 90) ? pick(c, 1, 100) : pick(c, 1000, 9000);
    s->scale = chance(c, 50) ? 1.0f : 1.0f / (float)s->images;
    s->smoothing = chance(c, 50) ? 0.0f : 0.1f;
    s->in_image = s->c + pick(c, 0, 20), s->grad_image = s->c + pick(c, 0, 20);
    const size_t in = (size_t)(s->images * s->in_image);
    const size_t grad = (size_t)(s->images * s->grad_image), each = (size_t)s->images + 3;
    k.in = random_floats(c, in, -10.0f, 10.0f);
    k.target = random_floats(c, in, -10.0f, 10.0f);
    k.labels = case_memory(c, (size_t)s->images * sizeof(int));
    for (int n = 0; n < s->images; n++)
        k.labels[n] = chance(c, 90) ? pick(c, 0, s->c - 1) : chance(c, 50) ? -1 : s->c;
    if (chance(c, 30)) /* equal logits: the first is the largest */
        for (size_t i = 0; i < in; i++)
            k.in[i] = (float)(pick(c, 0, 2) * 40);
    k.total = grad + 2 * each;
    k.memory = case_floats(c, k.total);
    k.grad = k.memory, k.losses = k.memory + grad, k.hits = k.losses + each;
    describe_loss(c, s);
    return k;
}

static void expect_softmax(Expect *e, const LossCase *k, int n)
{
    const rnc_loss_shape *s = &k->s;
    const float *z = k->in + n * s->in_image;
    const int label = k->labels[n];
    const bool real = label >= 0 && label < s->c;
    double largest = (double)z[0], sum = 0.0, loss = 0.0;
    int first = 0;
    for (int i = 1; i < s->c; i++)
        if (z[i] > z[first])
            first = i;
    largest = (double)z[first];
    for (int i = 0; i < s->c; i++)
        sum += exp((double)z[i] - largest);
    for (int i = 0; i < s->c; i++) {
        const double target =
            (i == label ? 1.0 - (double)s->smoothing : 0.0) + (double)s->smoothing / s->c;
        const double p = exp((double)z[i] - largest) / sum;
        loss += target * (log(sum) - ((double)z[i] - largest));
        expect_at(e, k->grad + n * s->grad_image + i, real ? (double)s->scale * (p - target) : 0.0,
                  real ? (double)s->scale * (p + target) * (16 + sqrt(s->c)) * 0x1p-23 : 0.0);
    }
    expect_at(e, k->losses + n, real ? loss : 0.0, (32 + sqrt(s->c)) * 0x1p-22 * (1.0 + loss));
    expect_at(e, k->hits + n, real && first == label, 0.0);
}

void test_softmax_loss(Case *c)
{
    const LossCase k = draw(c);
    const rnc_knobs t = {0};
    Expect e = expect_make(c, k.memory, k.total);
    for (int n = 0; n < k.s.images; n++)
        expect_softmax(&e, &k, n);
    const rnc_operands o = {.in = {k.in, k.labels}, .out = {k.grad, k.losses, k.hits}};
    run_train(c, c->isa->kernels[KERNEL_softmax_loss], &k.s, &t, &o, k.memory, k.total, false);
    expect_check(c, &e);
}

void test_square_loss(Case *c)
{
    const LossCase k = draw(c);
    const rnc_loss_shape *s = &k.s;
    const rnc_knobs t = {0};
    Expect e = expect_make(c, k.memory, k.total);
    for (int n = 0; n < s->images; n++) {
        double sum = 0.0;
        for (int i = 0; i < s->c; i++) {
            const double d =
                (double)k.in[n * s->in_image + i] - (double)k.target[n * s->in_image + i];
            const double v = 2.0 * (double)s->scale / s->c * d;
            sum += d * d;
            expect_at(&e, k.grad + n * s->grad_image + i, v, 0x1p-22 * fabs(v));
        }
        expect_at(&e, k.losses + n, sum / s->c, sum_tolerance(s->c, sum / s->c));
    }
    const rnc_operands o = {.in = {k.in, k.target}, .out = {k.grad, k.losses}};
    run_train(c, c->isa->kernels[KERNEL_square_loss], s, &t, &o, k.memory, k.total, true);
    expect_check(c, &e);
}

void test_loss_mean(Case *c)
{
    rnc_loss_shape s = {.images = pick(c, 1, 300)};
    const rnc_knobs t = {0};
    const float *in = random_floats(c, (size_t)s.images, 0.0f, 5.0f);
    float *out = case_floats(c, 1);
    double sum = 0.0;
    describe_loss(c, &s);
    for (int n = 0; n < s.images; n++)
        sum += (double)in[n];
    Expect e = expect_make(c, out, 1);
    expect_at(&e, out, sum / s.images, 0x1p-23 * sum / s.images);
    const rnc_operands o = {.in = {in}, .out = {out}};
    run_train(c, c->isa->kernels[KERNEL_loss_mean], &s, &t, &o, out, 1, true);
    expect_check(c, &e);
}

void test_act_grad(Case *c)
{
    rnc_act_grad_shape s = {.images = pick(c, 1, 2), .h = pick(c, 1, 6), .w = pick(c, 1, 6)};
    const rnc_knobs t = {0};
    const int channels = pick(c, 1, 70), in_place = chance(c, 40) ? pick(c, 1, 3) : 0;
    const Layout layout = {.align = chance(c, 70) ? pick_align(c) : 1, .tight = chance(c, 40)};
    Grid grad = grid_make(c, s.images, s.h, s.w, channels, layout);
    Grid at = grid_make(c, s.images, s.h, s.w, channels, layout);
    Grid more = grid_make(c, s.images, s.h, s.w, channels, layout);
    Grid out = in_place == 1   ? grad
               : in_place == 2 ? at
               : in_place == 3 ? more
                               : grid_make(c, s.images, s.h, s.w, channels, layout);
    grid_fill(c, &grad, -1.0f, 1.0f);
    grid_fill(c, &at, chance(c, 50) ? -8.0f : -100.0f, chance(c, 50) ? 8.0f : 100.0f);
    grid_fill(c, &more, -1.0f, 1.0f);
    s.c = grad.lanes;
    s.act = pick_act(c, &s.alpha, &s.beta);
    s.result = chance(c, 30);
    if (s.result) /* results of sigmoid and tanh */
        grid_fill(c, &at, 0.0f, 1.0f);
    s.more = in_place == 3 || chance(c, 30);
    s.grad_pixel = grad.pixel, s.grad_row = grad.row, s.grad_image = grad.image;
    s.at_pixel = at.pixel, s.at_row = at.row, s.at_image = at.image;
    s.more_pixel = more.pixel, s.more_row = more.row, s.more_image = more.image;
    s.out_pixel = out.pixel, s.out_row = out.row, s.out_image = out.image;
    describe_act_grad(c, &s);
    if (chance(c, 20)) /* corners, which are as vf_slope says */
        for (int x = 0; x < s.w; x++)
            for (int i = 0; i < s.c; i++)
                grid_pixel(&at, 0, 0, x)[i] = (float)(pick(c, -2, 2) * 3);
    Expect e = expect_make(c, out.base, out.total);
    for (int p = 0; p < s.images * s.h * s.w; p++)
        for (int i = 0; i < s.c; i++) {
            const int n = p / (s.h * s.w), y = p / s.w % s.h, x = p % s.w;
            const double z = (double)grid_pixel(&at, n, y, x)[i];
            const double g = (double)grid_pixel(&grad, n, y, x)[i];
            const double b = s.more ? (double)grid_pixel(&more, n, y, x)[i] : 0.0;
            const double slope = s.result && s.act == RNC_ACT_SIGMOID ? z * (1.0 - z)
                                 : s.result && s.act == RNC_ACT_TANH
                                     ? 1.0 - z * z
                                     : ref_slope(z, s.act, s.alpha, s.beta);
            const double v = g * slope + b;
            expect_at(&e, grid_pixel(&out, n, y, x) + i, v,
                      0x1p-23 * (fabs(v - b) + fabs(b)) +
                          fabs(g) * ref_curvature(s.act) * 8 * 0x1p-24 + 1e-37);
        }
    const rnc_operands o = {.in = {grad.at, at.at, s.more ? more.at : NULL}, .out = {out.at}};
    run_train(c, c->isa->kernels[KERNEL_act_grad], &s, &t, &o, out.base, out.total, !in_place);
    expect_check(c, &e);
}
