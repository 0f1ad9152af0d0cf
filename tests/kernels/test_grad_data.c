/* test_grad_data.c: gradients of inputs, and the filters that they are made with: filter_pack,
 * filter_groups, filter_winograd, conv_grad_data, and those of depthwise convolutions. */
#include "train_case.h"

#include <math.h>
#include <string.h>

/* ---- filter_pack ---- */

/* The taps k of one side that meet inputs r, r + stride, ..., from the last to the first; returns
 * how many.  Output y's window has input y * stride - pad + k * dilation at tap k. */
static int taps_of(int kernel, int stride, int dilation, int pad, int r, int *taps)
{
    int n = 0;
    for (int k = kernel - 1; k >= 0; k--)
        if (((r + pad - k * dilation) % stride + stride) % stride == 0)
            taps[n++] = k;
    return n;
}

/* filters[o][tap][i], o counted over all groups; those from s->filters on are 0. */
typedef struct Master {
    const float *filters, *bias;
} Master;

static float weight_of(const rnc_repack_shape *s, const Master *m, int group, int o, int tap, int i)
{
    const int group_c = s->out_c / s->groups, at = group * group_c + o;
    if (o >= group_c || at >= s->filters || i >= s->in_c)
        return 0.0f;
    return m->filters[(at * s->kernel_h * s->kernel_w + tap) * s->in_c + i];
}

/* Panels of the taps listed; returns where they end. */
static float *pack_set(const rnc_repack_shape *s, const Master *m, const int *taps, int n,
                       float *to)
{
    const int group_c = s->to_c / s->groups;
    for (int g = 0; g < s->groups; g++)
        for (int first = 0, width; first < group_c; first += width) {
            width = group_c - first < s->to_panel ? group_c - first : s->to_panel;
            for (int j = 0; j < width; j++) {
                const int at = g * (s->out_c / s->groups) + first + j;
                *to++ = s->turned || first + j >= s->out_c / s->groups || at >= s->filters
                            ? 0.0f
                            : m->bias[at];
            }
            for (int k = 0; k < n; k++)
                for (int c = 0; c < s->to_in; c++)
                    for (int j = 0; j < width; j++)
                        *to++ = s->turned ? weight_of(s, m, g, c, taps[k], first + j)
                                          : weight_of(s, m, g, first + j, taps[k], c);
        }
    return to;
}

/* The packed filters that `s` asks for; returns where they end. */
static float *pack_all(const rnc_repack_shape *s, const Master *m, float *to)
{
    int down[8], across[8], taps[64];
    for (int p = 0; p < (s->turned ? s->stride_h * s->stride_w : 1); p++) {
        int nh = s->kernel_h, nw = s->kernel_w, n = 0;
        for (int i = 0; i < 8; i++)
            down[i] = across[i] = i;
        if (s->turned) {
            nh =
                taps_of(s->kernel_h, s->stride_h, s->dilation_h, s->pad_top, p / s->stride_w, down);
            nw = taps_of(s->kernel_w, s->stride_w, s->dilation_w, s->pad_left, p % s->stride_w,
                         across);
        }
        for (int i = 0; i < nh * nw; i++)
            taps[n++] = down[i / nw] * s->kernel_w + across[i % nw];
        if (n > 0)
            to = pack_set(s, m, taps, n, to);
    }
    return to;
}

static Master draw_master(Case *c, const rnc_repack_shape *s)
{
    const int n = s->out_c * s->kernel_h * s->kernel_w * s->in_c;
    float *filters = case_memory(c, (size_t)n * sizeof *filters);
    float *bias = case_memory(c, (size_t)s->out_c * sizeof *bias);
    for (int i = 0; i < n; i++)
        filters[i] = pick_float(c, -1.0f, 1.0f);
    for (int i = 0; i < s->out_c; i++)
        bias[i] = pick_float(c, -1.0f, 1.0f);
    return (Master){filters, bias};
}

/* A window that a phase need not meet. */
static void draw_window(Case *c, rnc_repack_shape *s)
{
    static const int common[][2] = {{1, 1}, {1, 1}, {3, 3}, {3, 3}, {7, 7}, {1, 3}, {5, 2}};
    const int i = pick(c, 0, 6);
    s->kernel_h = common[i][0], s->kernel_w = common[i][1];
    s->stride_h = s->stride_w = chance(c, 40) ? 1 : 2;
    if (chance(c, 20))
        s->stride_w = pick(c, 1, 3);
    s->dilation_h = s->dilation_w = chance(c, 80) ? 1 : pick(c, 1, 3);
    s->pad_top = chance(c, 80) ? (s->kernel_h - 1) / 2 * s->dilation_h : pick(c, 0, 3);
    s->pad_left = chance(c, 80) ? (s->kernel_w - 1) / 2 * s->dilation_w : pick(c, 0, 3);
}

static size_t packed_floats(const rnc_repack_shape *s)
{
    return (size_t)s->to_c * ((size_t)(s->kernel_h * s->kernel_w * s->to_in) +
                              (size_t)(s->turned ? s->stride_h * s->stride_w : 1));
}

void test_filter_pack(Case *c)
{
    const int align = pick_align(c), other = pick_align(c);
    const rnc_knobs t = {0};
    rnc_repack_shape s = {.turned = pick(c, 0, 1), .plain = pick(c, 0, 1)};
    draw_window(c, &s);
    s.groups = chance(c, 70) ? 1 : pick(c, 2, 3);
    s.out_c = s.groups * align * pick(c, 1, 48 / align);
    s.filters = s.groups == 1 ? s.out_c - pick(c, 0, align - 1) : s.out_c;
    s.in_c = pick(c, 1, 40);
    s.panel = chance(c, 80) ? 32 : align * pick(c, 1, 3);
    s.to_c = s.turned ? s.groups * ((s.in_c + other - 1) / other * other) : s.out_c;
    s.to_in = s.turned ? s.filters / s.groups + (chance(c, 50) ? 0 : pick(c, 0, 20)) : s.in_c;
    s.to_panel = chance(c, 80) ? 32 : (s.turned ? other : align) * pick(c, 1, 3);
    describe_repack(c, &s);
    const Master m = draw_master(c, &s);
    const float *from = m.filters;
    if (!s.plain) { /* panels of the master's width */
        rnc_repack_shape p = s;
        p.turned = 0, p.to_c = s.out_c, p.to_in = s.in_c, p.to_panel = s.panel;
        float *packed = case_floats(c, packed_floats(&p));
        pack_all(&p, &m, packed);
        from = packed;
    }
    const size_t most = packed_floats(&s);
    float *out = case_floats(c, most), *want = case_memory(c, most * sizeof *want);
    const float *end = pack_all(&s, &m, want);
    Expect e = expect_make(c, out, most);
    for (const float *w = want; w < end; w++)
        expect_at(&e, out + (w - want), (double)*w, 0.0);
    const rnc_operands o = {.in = {from, s.plain ? m.bias : NULL}, .out = {out}};
    run_train(c, c->isa->kernels[KERNEL_filter_pack], &s, &t, &o, out, most, true);
    expect_check(c, &e);
}

/* ---- filter_groups ---- */

/* A filter's number for a tap and a channel, of those that `merge` groups of filters have. */
static float grouped(const rnc_regroup_shape *s, const float *own, int f, int tap, int channel)
{
    const int place = f / s->group % s->merge, at = channel - place * s->in_c;
    return at < 0 || at >= s->in_c ? 0.0f : own[(f * s->taps + tap) * s->in_c + at];
}

void test_filter_groups(Case *c)
{
    const rnc_knobs t = {0};
    rnc_regroup_shape s = {.group = pick(c, 1, 9), .taps = pick(c, 1, 9), .in_c = pick(c, 1, 9)};
    s.merge = pick(c, 1, 6);
    s.filters = s.group * s.merge * pick(c, 1, 3);
    const size_t n = (size_t)s.filters * (size_t)s.taps * (size_t)s.in_c, row = n * (size_t)s.merge;
    float *own = random_floats(c, n, -1.0f, 1.0f), *merged = case_floats(c, row);
    float *back = case_floats(c, n);
    Expect wide = expect_make(c, merged, row), narrow = expect_make(c, back, n);
    describe_regroup(c, &s);
    size_t i = 0;
    for (int f = 0; f < s.filters; f++)
        for (int tap = 0; tap < s.taps; tap++)
            for (int k = 0; k < s.in_c * s.merge; k++, i++)
                expect_at(&wide, merged + i, (double)grouped(&s, own, f, tap, k), 0);
    for (i = 0; i < n; i++)
        expect_at(&narrow, back + i, (double)own[i], 0);
    const rnc_operands to = {.in = {own}, .out = {merged}}, from = {.in = {merged}, .out = {back}};
    run_train(c, c->isa->kernels[KERNEL_filter_groups], &s, &t, &to, merged, row, true);
    expect_check(c, &wide);
    s.back = 1;
    run_train(c, c->isa->kernels[KERNEL_filter_groups], &s, &t, &from, back, n, true);
    expect_check(c, &narrow);
}

/* ---- filter_winograd ---- */

/* Three taps, `apart` from one to the next, to frequencies: (g0 + g1 p + g2 p^2) / N(p). */
static void transform_row(const rnc_winograd_filter_shape *s, const double *g, int apart,
                          double *to)
{
    static const double points[2][5] = {{0, 1, -1}, {0, 0.75, -0.75, 1.5, -1.5}};
    const double *p = points[s->winograd / 2 - 1], middle = g[apart], last = g[2 * apart];
    for (int i = 0; i <= s->winograd; i++) {
        double norm = 1;
        for (int j = 0; j <= s->winograd; j++)
            norm *= j == i ? 1 : p[i] - p[j];
        to[i] = s->stride == 1 ? (g[0] + p[i] * (middle + p[i] * last)) / norm
                               : (g[0] + p[i] * last) / norm;
    }
    to[s->winograd + 1] = s->stride == 1 ? last : middle;
}

void test_filter_winograd(Case *c)
{
    const int align = pick_align(c);
    const rnc_knobs t = {0};
    rnc_winograd_filter_shape s = {.winograd = 2 * pick(c, 1, 2), .stride = pick(c, 1, 2)};
    s.out_c = align * pick(c, 1, 80 / align);
    s.in_c = pick(c, 1, 20);
    s.panel = chance(c, 80) ? 32 : align * pick(c, 1, 3);
    describe_winograd_filter(c, &s);
    const int side = s.winograd + 2;
    const size_t n = (size_t)(s.out_c * (9 * s.in_c + 1));
    const size_t size = (size_t)(s.out_c * (side * side * s.in_c + 1));
    float *in = case_floats(c, n), *out = case_floats(c, size);
    for (size_t i = 0; i < n; i++)
        in[i] = pick_float(c, -1.0f, 1.0f);
    Expect e = expect_make(c, out, size);
    const float *from = in;
    float *to = out;
    for (int first = 0, width; first < s.out_c; first += width) {
        width = s.out_c - first < s.panel ? s.out_c - first : s.panel;
        for (int j = 0; j < width; j++)
            expect_at(&e, to++, (double)*from++, 0.0);
        for (int i = 0; i < s.in_c * width; i++, from++, to++) {
            double taps[9], rows[6 * 3], all[6];
            for (int k = 0; k < 9; k++)
                taps[k] = (double)from[k * s.in_c * width];
            for (int x = 0; x < 3; x++) {
                transform_row(&s, taps + x, 3, all);
                for (int y = 0; y < side; y++)
                    rows[y * 3 + x] = all[y];
            }
            for (int y = 0; y < side; y++) {
                transform_row(&s, rows + y * 3, 1, all);
                for (int x = 0; x < side; x++)
                    expect_at(&e, to + (y * side + x) * s.in_c * width, all[x],
                              sum_tolerance(2, 4.0));
            }
        }
        from += 8 * s.in_c * width;
        to += (side * side - 1) * s.in_c * width;
    }
    const rnc_operands o = {.in = {in}, .out = {out}};
    run_train(c, c->isa->kernels[KERNEL_filter_winograd], &s, &t, &o, out, size, true);
    expect_check(c, &e);
}

/* ---- conv_grad_data ---- */

/* What the plan would fill in for the forward convolution r. */
static rnc_grad_data_shape data_shape(Case *c, const rnc_repack_shape *r)
{
    rnc_grad_data_shape s = {.kernel_h = r->kernel_h, .kernel_w = r->kernel_w};
    const int reach_h = (r->kernel_h - 1) * r->dilation_h + 1 - r->pad_top;
    const int reach_w = (r->kernel_w - 1) * r->dilation_w + 1 - r->pad_left;
    s.images = pick(c, 1, 2);
    s.stride_h = r->stride_h, s.stride_w = r->stride_w;
    s.dilation_h = r->dilation_h, s.dilation_w = r->dilation_w;
    s.pad_top = r->pad_top, s.pad_left = r->pad_left;
    s.out_h = pick(c, 1, 5), s.out_w = pick(c, 1, chance(c, 80) ? 5 : 12);
    /* some rows and pixels after those that the last window reaches, or not all of these */
    s.in_h = (s.out_h - 1) * s.stride_h + reach_h - pick(c, 0, r->pad_top) + pick(c, 0, 1);
    s.in_w = (s.out_w - 1) * s.stride_w + reach_w - pick(c, 0, r->pad_left) + pick(c, 0, 1);
    s.in_h = s.in_h < 1 ? 1 : s.in_h, s.in_w = s.in_w < 1 ? 1 : s.in_w;
    s.groups = r->groups, s.in_c = r->to_c, s.out_c = r->to_in, s.panel = r->to_panel;
    s.residual = chance(c, 50);
    return s;
}

/* Adds the products of output pixel (y, x) to the inputs it came from: sums, and sums of absolute
 * values. */
static void scatter(const rnc_grad_data_shape *s, const rnc_repack_shape *r, const Master *m,
                    const float *grad, const int at[3], double *sums)
{
    const int n = s->images * s->in_h * s->in_w * s->in_c, each = s->in_c / s->groups;
    for (int tap = 0; tap < s->kernel_h * s->kernel_w; tap++) {
        const int y = at[1] * s->stride_h - s->pad_top + tap / s->kernel_w * s->dilation_h;
        const int x = at[2] * s->stride_w - s->pad_left + tap % s->kernel_w * s->dilation_w;
        if (y < 0 || y >= s->in_h || x < 0 || x >= s->in_w)
            continue;
        double *to = sums + ((at[0] * s->in_h + y) * s->in_w + x) * s->in_c;
        for (int g = 0; g < s->groups; g++)
            for (int o = 0; o < s->out_c; o++)
                for (int i = 0; i < each; i++) {
                    const double v =
                        (double)grad[g * s->out_c + o] * (double)weight_of(r, m, g, o, tap, i);
                    to[g * each + i] += v;
                    to[n + g * each + i] += fabs(v);
                }
    }
}

static void expect_data(Expect *e, const rnc_grad_data_shape *s, const Grid *res, const Grid *out,
                        const double *sums)
{
    const int n = s->images * s->in_h * s->in_w * s->in_c;
    const int terms = s->kernel_h * s->kernel_w * s->out_c + 1;
    for (int i = 0; i < n; i++) {
        const int pixel = i / s->in_c, j = i % s->in_c;
        const int image = pixel / (s->in_h * s->in_w), y = pixel / s->in_w % s->in_h;
        const int x = pixel % s->in_w;
        const double more = s->residual ? (double)grid_pixel(res, image, y, x)[j] : 0.0;
        expect_at(e, grid_pixel(out, image, y, x) + j, sums[i] + more,
                  sum_tolerance(terms, sums[n + i] + fabs(more)));
    }
}

typedef float *Pack(const rnc_repack_shape *r, const Master *m, float *to);

/* A kernel that takes the gradient of the input of the forward convolution r. */
static void run_data(Case *c, const rnc_repack_shape *r, int align, int kernel, Pack *pack)
{
    static const rnc_knobs usual[] = {{.pixels = 14, .vectors = 2, .unroll = 4},
                                      {.pixels = 6, .vectors = 2, .unroll = 2},
                                      {.pixels = 3, .vectors = 4, .unroll = 1}};
    const bool depthwise = kernel == KERNEL_depthwise_grad_data;
    rnc_grad_data_shape s = data_shape(c, r);
    rnc_halo_cut h;
    rnc_grad_halo(&s, &h);
    Layout layout = {.align = align, .tight = chance(c, 40)};
    const bool in_place = s.residual && chance(c, 50);
    Grid out = grid_make(c, s.images, s.in_h, s.in_w, s.in_c, layout);
    Grid res =
        in_place || !s.residual ? out : grid_make(c, s.images, s.in_h, s.in_w, s.in_c, layout);
    layout = (Layout){.align = depthwise || chance(c, 70) ? align : 1,
                      .top = h.top,
                      .left = h.left,
                      .bottom = h.bottom,
                      .right = h.right};
    Grid grad = grid_make(c, s.images, s.out_h, s.out_w, s.groups * s.out_c, layout);
    grid_fill(c, &grad, -1.0f, 1.0f);
    if (s.residual)
        grid_fill(c, &res, -1.0f, 1.0f);
    s.in_pixel = out.pixel, s.in_row = out.row, s.in_image = out.image;
    s.out_pixel = grad.pixel, s.out_row = grad.row, s.out_image = grad.image;
    s.res_pixel = res.pixel, s.res_row = res.row, s.res_image = res.image;
    describe_grad_data(c, &s);
    const Master m = draw_master(c, r);
    const ptrdiff_t floats = rnc_phase_offset(&s, s.stride_h * s.stride_w);
    float *packed = case_floats(c, (size_t)floats);
    if (pack(r, &m, packed) - packed != floats)
        fail(c, "rnc_phase_offset() is not the size of the packed filters");
    double *sums = case_memory(c, 2 * sizeof *sums * (size_t)(s.images * s.in_h * s.in_w * s.in_c));
    for (int i = 0; i < s.images * s.out_h * s.out_w; i++) {
        const int at[3] = {i / (s.out_h * s.out_w), i / s.out_w % s.out_h, i % s.out_w};
        scatter(&s, r, &m, grid_pixel(&grad, at[0], at[1], at[2]), at, sums);
    }
    Expect e = expect_make(c, out.base, out.total);
    expect_data(&e, &s, &res, &out, sums);
    rnc_knobs t = usual[pick(c, 0, 2)];
    t.split = pick(c, 0, 1), t.panels = pick(c, 0, 3), t.depth = chance(c, 50) ? 0 : pick(c, 1, 40);
    const rnc_operands o = {.in = {grad.at, packed, s.residual ? res.at : NULL}, .out = {out.at}};
    run_train(c, c->isa->kernels[kernel], &s, &t, &o, out.base, out.total, !in_place);
    expect_check(c, &e);
}

void test_conv_grad_data(Case *c)
{
    const int align = pick_align(c);
    rnc_repack_shape r = {.turned = 1, .plain = 1};
    draw_window(c, &r);
    r.groups = chance(c, 70) ? 1 : pick(c, 2, 3);
    r.to_in = pick(c, 1, 20);
    r.out_c = r.filters = r.groups * r.to_in;
    r.in_c = r.groups == 1 ? pick(c, 1, 40) : align * pick(c, 1, 32 / align);
    r.to_c = r.groups * ((r.in_c + align - 1) / align * align);
    r.panel = r.out_c, r.to_panel = chance(c, 80) ? 32 : align * pick(c, 1, 3);
    run_data(c, &r, align, KERNEL_conv_grad_data, pack_all);
}

/* ---- depthwise ---- */

/* The turned filters of a depthwise convolution: each channel is a group with one output. */
static rnc_repack_shape draw_depthwise(Case *c, int align)
{
    rnc_repack_shape r = {.turned = 1, .plain = pick(c, 0, 1)};
    draw_window(c, &r);
    r.to_c = r.out_c = align * pick(c, 1, 64 / align);
    r.filters = r.out_c - (r.plain ? pick(c, 0, align - 1) : 0);
    r.groups = r.out_c, r.in_c = 1, r.to_in = 1;
    r.panel = r.to_panel = 1;
    return r;
}

/* Packs as depthwise_pack should: for each phase zeros[c], then [taps][c]; returns the end. */
static float *pack_depthwise(const rnc_repack_shape *r, const Master *m, float *to)
{
    int down[8], across[8];
    for (int p = 0; p < r->stride_h * r->stride_w; p++) {
        const int nh =
            taps_of(r->kernel_h, r->stride_h, r->dilation_h, r->pad_top, p / r->stride_w, down);
        const int nw =
            taps_of(r->kernel_w, r->stride_w, r->dilation_w, r->pad_left, p % r->stride_w, across);
        for (int i = 0; i < r->to_c && nh * nw > 0; i++)
            *to++ = 0.0f;
        for (int k = 0; k < nh * nw; k++)
            for (int i = 0; i < r->to_c; i++)
                *to++ = weight_of(r, m, i, 0, down[k / nw] * r->kernel_w + across[k % nw], 0);
    }
    return to;
}

void test_depthwise_pack(Case *c)
{
    const rnc_repack_shape r = draw_depthwise(c, pick_align(c));
    const rnc_knobs t = {0};
    const Master m = draw_master(c, &r);
    const int taps = r.kernel_h * r.kernel_w;
    describe_repack(c, &r);
    float *rows = case_floats(c, (size_t)((taps + 1) * r.out_c)); /* bias[c], [taps][c] */
    for (int i = 0; i < r.out_c; i++) {
        rows[i] = m.bias[i];
        for (int k = 0; k < taps; k++)
            rows[(k + 1) * r.out_c + i] = m.filters[i * taps + k];
    }
    const size_t most = packed_floats(&r);
    float *out = case_floats(c, most), *want = case_memory(c, most * sizeof *want);
    const float *end = pack_depthwise(&r, &m, want);
    Expect e = expect_make(c, out, most);
    for (const float *w = want; w < end; w++)
        expect_at(&e, out + (w - want), (double)*w, 0.0);
    const rnc_operands o = {.in = {r.plain ? m.filters : rows}, .out = {out}};
    run_train(c, c->isa->kernels[KERNEL_depthwise_pack], &r, &t, &o, out, most, true);
    expect_check(c, &e);
}

void test_depthwise_grad_data(Case *c)
{
    const int align = pick_align(c);
    rnc_repack_shape r = draw_depthwise(c, align);
    r.filters = r.out_c;
    run_data(c, &r, align, KERNEL_depthwise_grad_data, pack_depthwise);
}
