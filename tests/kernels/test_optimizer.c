/* test_optimizer.c: sgd and adam against the formulas in double, the vectors that ONNX publishes,
 * and ten steps of PyTorch and Keras. */
#include "train_case.h"

#include <math.h>
#include <string.h>

enum { PARAMETER, FIRST, SECOND, STATES };

/* ---- the formulas ---- */

static double limited(const rnc_update_shape *s, double g)
{
    const double limit = s->limit > 0.0f ? (double)s->limit : (double)INFINITY;
    return fmax(-limit, fmin(limit, g));
}

/* One step of number i in double: state[] as operands have it; the results' tolerances. */
static void adam_step(const rnc_update_shape *s, const rnc_rates *r, double g, double *state,
                      double *tolerance)
{
    double p = state[PARAMETER], m = state[FIRST], v = state[SECOND];
    const double u = 0x1p-24;
    g = limited(s, g * (double)r->scale) + (double)s->coupled * p;
    const double g_abs = fabs(g) + fabs((double)s->coupled * p);
    tolerance[FIRST] = 8 * u * (fabs(m) + g_abs);
    m += (double)s->rest1 * (g - m);
    tolerance[SECOND] = 8 * u * (v + g_abs * g_abs);
    v = (double)s->beta2 * v + (double)s->rest2 * g * g;
    const double below = (double)r->root * sqrt(v) + (double)s->epsilon;
    const double by = (double)r->step * m / below;
    /* what the moments' errors and the division add */
    tolerance[PARAMETER] = 4 * u * fabs(p) + fabs((double)r->step) * tolerance[FIRST] / below +
                           fabs(by) * (8 * u + (v > 0 ? tolerance[SECOND] / v : 0));
    state[PARAMETER] = p - (double)r->decay * p - by;
    state[FIRST] = m, state[SECOND] = v;
}

static void sgd_step(const rnc_update_shape *s, const rnc_rates *r, double g, double *state,
                     double *tolerance)
{
    const double beta = (double)s->beta1, step = (double)r->step, p = state[PARAMETER];
    double b = state[FIRST], by;
    g = limited(s, g * (double)r->scale) + (double)s->coupled * p;
    const double all =
        fabs(p) + fabs(b) + (1 + fabs(step)) * (fabs(g) + fabs((double)s->coupled * p));
    if (s->rate_inside) {
        b = beta * b - step * g;
        by = s->nesterov ? step * g - beta * b : -b;
    } else {
        b = beta * b + (double)r->gradient * g;
        by = step * (s->nesterov ? g + beta * b : b);
    }
    state[FIRST] = b;
    state[PARAMETER] = p - (double)r->decay * p - (beta > 0 ? by : step * g);
    tolerance[PARAMETER] = tolerance[FIRST] = 16 * 0x1p-24 * all;
}

typedef void Reference(const rnc_update_shape *s, const rnc_rates *r, double g, double *state,
                       double *tolerance);

static rnc_update_shape draw(Case *c)
{
    rnc_update_shape s = {.floats = chance(c, 90) ? pick(c, 1, 300) : pick(c, 300, 9000)};
    s.beta1 = pick_float(c, 0.5f, 0.99f), s.rest1 = (float)(1.0 - (double)s.beta1);
    s.beta2 = chance(c, 50) ? 0.999f : 0.9f, s.rest2 = (float)(1.0 - (double)s.beta2);
    s.epsilon = chance(c, 50) ? 1e-8f : 1e-3f;
    s.limit = chance(c, 70) ? 0.0f : pick_float(c, 0.1f, 0.5f);
    s.coupled = chance(c, 50) ? 0.0f : pick_float(c, 0.0f, 0.1f);
    s.nesterov = pick(c, 0, 1);
    s.rate_inside = pick(c, 0, 1);
    return s;
}

/* Expects the sums of squares of the scaled gradient, in pieces. */
static void expect_squares(Expect *e, const rnc_update_shape *s, const rnc_rates *r,
                           const float *grad, const float *squares)
{
    for (int begin = 0; begin < s->floats; begin += RNC_SQUARES) {
        double sum = 0.0;
        for (int i = begin; i < s->floats && i < begin + RNC_SQUARES; i++)
            sum += pow((double)grad[i] * (double)r->scale, 2.0);
        expect_at(e, squares + begin / RNC_SQUARES, sum, 1e-4 * sum);
    }
}

/* Random states; they follow one another in memory, with gaps. */
static void test_formula(Case *c, KernelFn *kernel, rnc_update_shape s, Reference *step, int states)
{
    const rnc_knobs t = {0};
    const size_t n = (size_t)s.floats, each = (n + 15) / 16 * 16 + 16;
    const bool squares = chance(c, 50);
    const rnc_rates r = {pick_float(c, 0.001f, 0.3f), pick_float(c, 0.5f, 4.0f),
                         chance(c, 50) ? 0.0f : 0.01f, chance(c, 50) ? 1.0f : 0.37f,
                         chance(c, 50) ? 1.0f : 0.9f};
    float *memory = case_floats(c, each * (STATES + 1)), *grad = random_floats(c, n, -1.0f, 1.0f);
    describe_update(c, &s);
    for (int k = 0; k < states; k++)
        for (size_t i = 0; i < n; i++)
            memory[(size_t)k * each + i] = pick_float(c, k == SECOND ? 0.0f : -1.0f, 1.0f);
    Expect e = expect_make(c, memory, each * (STATES + 1));
    if (squares)
        expect_squares(&e, &s, &r, grad, memory + STATES * each);
    for (size_t i = 0; i < n; i++) {
        double state[STATES] = {0}, tolerance[STATES] = {0};
        for (int k = 0; k < states; k++)
            state[k] = (double)memory[(size_t)k * each + i];
        step(&s, &r, (double)grad[i], state, tolerance);
        for (int k = 0; k < states; k++)
            expect_at(&e, memory + (size_t)k * each + i, state[k], tolerance[k]);
    }
    rnc_operands o = {
        .in = {grad, &r},
        .out = {memory, states > 1 ? memory + each : NULL, states > 2 ? memory + 2 * each : NULL}};
    if (squares)
        o.out[step == adam_step ? 3 : 2] = memory + STATES * each;
    run_train(c, kernel, &s, &t, &o, memory, each * (STATES + 1), false);
    expect_check(c, &e);
}

/* ---- published numbers ---- */

/* Step 0 of ONNX's backend tests for ai.onnx.preview.training Adam and Momentum
 * (onnx/backend/test/case/node/adam.py, momentum.py, onnx 1.23.2): the operands are theirs, the
 * results are their apply_adam(), apply_momentum() and apply_nesterov() in double. */
typedef struct Published {
    const char *name;
    rnc_update_shape s;
    int adam;
    float state[STATES][3], grad[3];
    double result[STATES][3];
} Published;

static const Published published[] = {
    {"test_adam",
     {.floats = 2,
      .beta1 = 0.95f,
      .rest1 = 0.05f,
      .beta2 = 0.1f,
      .rest2 = 0.9f,
      .epsilon = 1e-7f,
      .coupled = 0.001f},
     1,
     {{1.2f, 2.8f}, {1.7f, 3.6f}, {0.1f, 0.1f}},
     {-0.94f, -2.5f},
     {{1.02503635, 2.66103267}, {1.56806, 3.29514}, {0.8032109, 5.62240706}}},
    {"test_adam_multiple",
     {.floats = 3,
      .beta1 = 0.95f,
      .rest1 = 0.05f,
      .beta2 = 0.85f,
      .rest2 = 0.15f,
      .epsilon = 1e-2f,
      .coupled = 0.001f},
     1,
     {{1.0f, 1.0f, 2.0f}, {2.0f, 4.0f, 1.0f}, {0.5f, 1.0f, 10.0f}},
     {-1.0f, -1.0f, -3.0f},
     {{0.75913624, 0.62865279, 1.97458535},
      {1.85005, 3.75005, 0.8001},
      {0.57470015, 0.99970015, 9.8482006}}},
    {"test_momentum",
     {.floats = 2, .beta1 = 0.95f, .coupled = 0.001f},
     0,
     {{1.2f, 2.8f}, {1.7f, 3.6f}},
     {-0.94f, -2.5f},
     {{1.13238, 2.70772}, {0.6762, 0.9228}}},
    {"test_nesterov_momentum",
     {.floats = 2, .beta1 = 0.95f, .coupled = 0.01f, .nesterov = 1},
     0,
     {{1.2f, 2.8f}, {1.7f, 3.6f}},
     {-0.94f, -2.5f},
     {{1.227535, 2.95714}, {0.687, 0.948}}},
    {"test_momentum_multiple",
     {.floats = 3, .beta1 = 0.95f, .coupled = 0.001f},
     0,
     {{1.0f, 1.0f, 2.0f}, {2.0f, 4.0f, 1.0f}},
     {-1.0f, -1.0f, -3.0f},
     {{0.9099, 0.7199, 2.2048}, {0.901, 2.801, -2.048}}},
};

static void test_published(Case *c, int adam)
{
    for (size_t i = 0; i < sizeof published / sizeof *published; i++) {
        const Published *p = &published[i];
        const rnc_knobs t = {0};
        /* in step 0 there is no correction, and the whole gradient enters the velocity */
        const rnc_rates r = {0.1f, 1.0f, 0.0f, 1.0f, 1.0f};
        float *state = case_memory(c, sizeof *state * 16 * STATES);
        float *grad = case_memory(c, sizeof *grad * 16);
        if (p->adam != adam)
            continue;
        memcpy(grad, p->grad, sizeof p->grad);
        for (int k = 0; k < STATES; k++)
            memcpy(state + 16 * k, p->state[k], sizeof p->state[k]);
        const rnc_operands o = {.in = {grad, &r},
                                .out = {state, state + 16, adam ? state + 32 : NULL}};
        c->isa->kernels[adam ? KERNEL_adam : KERNEL_sgd](&p->s, &t, &o, 0, 1);
        for (int k = 0; k < (adam ? 3 : 2); k++)
            for (int j = 0; j < p->s.floats; j++)
                if (!(fabs((double)state[16 * k + j] - p->result[k][j]) < 1e-6))
                    fail(c, "%s: number %d of state %d is %.9g, not %.9g", p->name, j, k,
                         (double)state[16 * k + j], p->result[k][j]);
    }
}

/* Ten steps of PyTorch 2.15 (torch.optim) and Keras 3 (keras.optimizers, jax), on 8 parameters that
 * begin as (i - 3) / 2, with the gradients ((7 i + 3 t) mod 11 - 5) / 4 in step t = 0 .. 9:
 *     p = torch.nn.Parameter(torch.tensor([(i - 3) / 2 for i in range(8)]))
 *     o = torch.optim.Adam([p], lr=.01)
 *     for t in range(10):
 *         p.grad = torch.tensor([((i * 7 + t * 3) % 11 - 5) / 4 for i in range(8)]); o.step()
 * and v = keras.Variable(...); o = keras.optimizers.Adam(.01); o.build([v]); o.apply([g], [v]). */
typedef struct Run {
    const char *name;
    int adam, keras;
    double rate, dampening, decay; /* decay: decoupled */
    rnc_update_shape s;
    float result[8];
} Run;

#define ADAM(e, w)                                                                                 \
    {                                                                                              \
        .floats = 8, .beta1 = 0.9f, .rest1 = 0.1f, .beta2 = 0.999f, .rest2 = 0.001f, .epsilon = e, \
        .coupled = w                                                                               \
    }
static const Run runs[] = {
    {"torch SGD(lr=.1)",
     0,
     0,
     0.1,
     0,
     0,
     {.floats = 8},
     {-1.42499995f, -1.02499998f, -0.625f, 0.0500000045f, 0.449999988f, 1.125f, 1.52499998f,
      1.92499995f}},
    {"torch SGD(lr=.1, weight_decay=.01)",
     0,
     0,
     0.1,
     0,
     0,
     {.floats = 8, .coupled = 0.01f},
     {-1.41108751f, -1.01424861f, -0.619872272f, 0.0503228717f, 0.445795178f, 1.11407304f,
      1.51064026f, 1.90474033f}},
    {"torch SGD(lr=.1, momentum=.9, weight_decay=.01)",
     0,
     0,
     0.1,
     0,
     0,
     {.floats = 8, .beta1 = 0.9f, .coupled = 0.01f},
     {-0.793959558f, -1.43737555f, -0.744616449f, -0.0906837061f, -0.0948177278f, 1.71937561f,
      1.09262371f, 2.09417415f}},
    {"torch SGD(lr=.1, momentum=.9, dampening=.1)",
     0,
     0,
     0.1,
     0.1,
     0,
     {.floats = 8, .beta1 = 0.9f},
     {-0.825402021f, -1.47317672f, -0.705532551f, -0.169179514f, -0.0393569991f, 1.74182451f,
      1.11849391f, 2.16049981f}},
    {"torch SGD(lr=.1, momentum=.9, nesterov=True, weight_decay=.01)",
     0,
     0,
     0.1,
     0,
     0,
     {.floats = 8, .beta1 = 0.9f, .coupled = 0.01f, .nesterov = 1},
     {-0.782478154f, -1.40315056f, -0.839882076f, -0.0287736617f, -0.0857136995f, 1.7567085f,
      1.14733922f, 1.98837686f}},
    {"torch Adam(lr=.01)",
     1,
     0,
     0.01,
     0,
     0,
     ADAM(1e-8f, 0.0f),
     {-1.46837461f, -1.02918839f, -0.496763796f, -0.0125109116f, 0.470294356f, 1.03380764f,
      1.48384953f, 2.00213981f}},
    {"torch Adam(lr=.01, weight_decay=.01)",
     1,
     0,
     0.01,
     0,
     0,
     ADAM(1e-8f, 0.01f),
     {-1.46702814f, -1.02822304f, -0.496126086f, -0.0124995876f, 0.469793946f, 1.03267968f,
      1.4822998f, 1.98995781f}},
    {"torch AdamW(lr=.01, weight_decay=.1)",
     1,
     0,
     0.01,
     0,
     0.1,
     ADAM(1e-8f, 0.0f),
     {-1.45367432f, -1.01901138f, -0.491866499f, -0.0123863928f, 0.465509653f, 1.02364743f,
      1.46902966f, 1.98223245f}},
    {"keras SGD(.1, weight_decay=.01)",
     0,
     1,
     0.1,
     0,
     0.01,
     {.floats = 8, .rate_inside = 1},
     {-1.41108751f, -1.01424861f, -0.619872272f, 0.050322853f, 0.445795149f, 1.11407316f,
      1.51064014f, 1.90474057f}},
    {"keras SGD(.1, momentum=.9)",
     0,
     1,
     0.1,
     0,
     0,
     {.floats = 8, .beta1 = 0.9f, .rate_inside = 1},
     {-0.84090811f, -1.48956716f, -0.764553905f, -0.0975158438f, -0.0811932608f, 1.76997232f,
      1.1484735f, 2.17833304f}},
    {"keras SGD(.1, momentum=.9, nesterov=True)",
     0,
     1,
     0.1,
     0,
     0,
     {.floats = 8, .beta1 = 0.9f, .rate_inside = 1, .nesterov = 1},
     {-0.831817448f, -1.46561074f, -0.863098562f, -0.0377642959f, -0.0730738938f, 1.81797528f,
      1.20862603f, 2.0855f}},
    {"keras Adam(.01)",
     1,
     1,
     0.01,
     0,
     0,
     ADAM(1e-7f, 0.0f),
     {-1.46837497f, -1.02918792f, -0.496763945f, -0.0125107802f, 0.470294774f, 1.03380728f,
      1.48384976f, 2.00213981f}},
    {"keras AdamW(.01, weight_decay=.1)",
     1,
     1,
     0.01,
     0,
     0.1,
     ADAM(1e-7f, 0.0f),
     {-1.45367455f, -1.01901078f, -0.491866648f, -0.0123862624f, 0.465509981f, 1.02364707f,
      1.46902978f, 1.98223233f}},
};

static void test_run(Case *c, const Run *run)
{
    const rnc_knobs t = {0};
    float *state = case_memory(c, sizeof *state * 16 * STATES);
    float *grad = case_memory(c, sizeof *grad * 16);
    for (int i = 0; i < 8; i++)
        state[i] = (float)(i - 3) / 2.0f;
    for (int step = 0; step < 10; step++) {
        rnc_rates r;
        if (run->adam)
            rnc_adam_rates(run->rate, 0.9, 0.999, run->decay, step + 1, run->keras, &r);
        else
            rnc_sgd_rates(run->rate, run->dampening, run->decay, step + 1, &r);
        for (int i = 0; i < 8; i++)
            grad[i] = (float)((i * 7 + step * 3) % 11 - 5) / 4.0f;
        const rnc_operands o = {.in = {grad, &r},
                                .out = {state, run->adam || run->s.beta1 > 0 ? state + 16 : NULL,
                                        run->adam ? state + 32 : NULL}};
        c->isa->kernels[run->adam ? KERNEL_adam : KERNEL_sgd](&run->s, &t, &o, 0, 1);
    }
    for (int i = 0; i < 8; i++)
        if (!(fabs((double)state[i] - (double)run->result[i]) < 2e-6))
            fail(c, "%s: parameter %d is %.9g after ten steps, not %.9g", run->name, i,
                 (double)state[i], (double)run->result[i]);
}

static void test_optimizer(Case *c, int adam)
{
    rnc_update_shape s = draw(c);
    const bool plain = !adam && chance(c, 30);
    if (plain)
        s.beta1 = 0.0f;
    test_formula(c, c->isa->kernels[adam ? KERNEL_adam : KERNEL_sgd], s,
                 adam ? adam_step : sgd_step,
                 adam    ? 3
                 : plain ? 1
                         : 2);
    if (chance(c, 5)) {
        test_published(c, adam);
        for (size_t i = 0; i < sizeof runs / sizeof *runs; i++)
            if (runs[i].adam == adam)
                test_run(c, &runs[i]);
    }
}

void test_adam(Case *c)
{
    test_optimizer(c, 1);
}

void test_sgd(Case *c)
{
    test_optimizer(c, 0);
}
