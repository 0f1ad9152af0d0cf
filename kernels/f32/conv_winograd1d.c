/* conv_winograd1d: convolution of few input channels (a network's stem) by Winograd's minimal
 * filtering in one dimension, down the columns: four output rows at a time cost six products a
 * channel and tap across instead of 12 (windows of three rows, stride 1) or 13 instead of 28
 * (seven rows, stride 2).  Of stride 2 the even rows and the odd ones, the phases, are a
 * convolution of stride 1 each, whose products are summed.  The input rows of four output rows are
 * transformed into scratch, [point][phase][a row as it lies]; then, some pixels of a row and a
 * panel of output channels at a time, a direct convolution of each point's rows, and the transform
 * back with bias, residual and activation.  The filters lie transformed in the panels,
 * [point][phase][kernel_w][in_c][width].
 *
 * Interpolation is at +-1/2, +-5/4 and +-3, which is enough for three taps, and of the phases with
 * four at 0 as well (Winograd 1980).  compiler/plan/methods/pack_winograd1d.c has the same points.
 */
#define winograd1d_number RNC_FN(winograd1d_number)
#define winograd1d_others RNC_FN(winograd1d_others)
#define winograd1d_pair RNC_FN(winograd1d_pair)
#define winograd1d_forward RNC_FN(winograd1d_forward)
#define winograd1d_back RNC_FN(winograd1d_back)
#define winograd1d_floats RNC_FN(winograd1d_floats)
#define winograd1d_phase RNC_FN(winograd1d_phase)
#define winograd1d_tile RNC_FN(winograd1d_tile)
#define winograd1d_point RNC_FN(winograd1d_point)
#define winograd1d_output RNC_FN(winograd1d_output)
#define winograd1d_act RNC_FN(winograd1d_act)
#define winograd1d_ahead RNC_FN(winograd1d_ahead)
#define winograd1d_panels RNC_FN(winograd1d_panels)
#define winograd1d_group RNC_FN(winograd1d_group)

/* x in every lane, made anew where it is used: in no register that the products lack. */
RNC_KERNEL vf winograd1d_number(float x)
{
    vf v = vf_set1(x);
    RNC_OPAQUE(v);
    return v;
}

/* Rows x, x[2], x[4] to (r^2 - p^2) (r^2 - q^2) as the coefficients of r^0, r^2, r^4. */
RNC_KERNEL vf winograd1d_others(const vf *x, float p, float q)
{
    const vf low = winograd1d_number(p * p * q * q);
    return vf_fma(low, x[0], vf_fma(winograd1d_number(-p * p - q * q), x[2], x[4]));
}

/* Six rows, or seven where the point 0 is among the points, to y[0] at r and y[1] at -r; p and q
 * are the other pairs. */
RNC_KERNEL void winograd1d_pair(const vf *x, vf *y, float r, float p, float q, int zero)
{
    const vf even = winograd1d_others(x + 1 + zero, p, q);
    const vf odd = winograd1d_others(x + zero, p, q) * winograd1d_number(r);
    y[0] = even + odd;
    y[1] = even - odd;
}

/* The rows of a phase to points: +-1/2, +-5/4, +-3 and perhaps 0. */
RNC_KERNEL void winograd1d_forward(const vf *x, vf *y, int zero)
{
    winograd1d_pair(x, y, 0.5f, 1.25f, 3.0f, zero);
    winograd1d_pair(x, y + 2, 1.25f, 0.5f, 3.0f, zero);
    winograd1d_pair(x, y + 4, 3.0f, 0.5f, 1.25f, zero);
    if (zero) {
        const vf high = vf_fma(winograd1d_number(-10.8125f), x[4], x[6]);
        const vf low = winograd1d_number(-3.515625f) * x[0];
        y[6] = vf_fma(winograd1d_number(16.703125f), x[2], high) + low;
    }
}

/* Products at the points to four output rows: row y is the sum of p^y times point p's. */
RNC_KERNEL void winograd1d_back(const vf *x, vf *y, int zero)
{
    const vf s1 = x[0] + x[1], d1 = x[0] - x[1], s2 = x[2] + x[3], d2 = x[2] - x[3];
    const vf s3 = x[4] + x[5], d3 = x[4] - x[5];
    y[0] = s1 + s2 + s3;
    if (zero)
        y[0] = y[0] + x[6];
    y[1] = vf_fma(winograd1d_number(3.0f), d3,
                  vf_fma(winograd1d_number(1.25f), d2, d1 * winograd1d_number(0.5f)));
    y[2] = vf_fma(winograd1d_number(9.0f), s3,
                  vf_fma(winograd1d_number(1.5625f), s2, s1 * winograd1d_number(0.25f)));
    y[3] = vf_fma(winograd1d_number(27.0f), d3,
                  vf_fma(winograd1d_number(1.953125f), d2, d1 * winograd1d_number(0.125f)));
}

/* n floats of a phase's rows, from `in` on, to the points.  Rows behind the last one are taken as
 * it again: they only meet outputs or taps that do not exist. */
RNC_KERNEL void winograd1d_floats(const rnc_conv_shape *s, const rnc_winograd1d_cut *c, int phase,
                                  int zero, const float *in, int n, int rows, float *to)
{
    const int points = RNC_WINOGRAD1D_PAIRED + zero;
    vf x[RNC_WINOGRAD1D_POINTS], y[RNC_WINOGRAD1D_POINTS];
    RNC_UNROLL(8)
    for (int i = 0; i < points; i++) {
        const int row = i * c->phases + phase < rows ? i * c->phases + phase : rows - 1;
        x[i] = n < RNC_VL ? vf_load_part(in + row * s->in_row, n) : vf_loadu(in + row * s->in_row);
    }
    winograd1d_forward(x, y, zero);
    RNC_UNROLL(8)
    for (int i = 0; i < points; i++)
        vf_store(to + (i * c->phases + phase) * c->pitch, y[i]);
}

/* A phase's rows to scratch. */
RNC_KERNEL void winograd1d_phase(const rnc_conv_shape *s, const rnc_winograd1d_cut *c, int phase,
                                 int zero, const float *in, int rows, float *to)
{
    const int whole = c->elements / RNC_VL * RNC_VL;
    for (int i = 0; i < whole; i += RNC_VL)
        winograd1d_floats(s, c, phase, zero, in + i, RNC_VL, rows, to + i);
    if (whole < c->elements)
        winograd1d_floats(s, c, phase, zero, in + whole, c->elements - whole, rows, to + whole);
}

/* n pixels times nv vectors of one point: `phases` rows of its input. */
RNC_KERNEL void winograd1d_tile(const rnc_conv_shape *s, const rnc_tile *t,
                                const rnc_winograd1d_cut *c, int n, int nv, int phases,
                                const float *in, const float *w, int width, float *out)
{
    const int u = rnc_unroll(t);
    vf acc[32];
    RNC_UNROLL(32)
    for (int i = 0; i < n * nv; i++)
        RNC_ZERO(acc[i]);
    for (int r = 0; r < phases * c->runs; r++) {
        const float *a = in + r / c->runs * c->pitch + r % c->runs * s->dilation_w * s->in_pixel;
        for (int turns = c->run / u; turns > 0; turns--) {
            conv_steps(s, acc, a, w, u, n, nv, 32, width, t->memory_broadcasts, 0);
            a += u;
            w += u * width;
        }
        conv_steps(s, acc, a, w, c->run % u, n, nv, 32, width, t->memory_broadcasts, 0);
        w += c->run % u * width;
    }
    RNC_UNROLL(32)
    for (int i = 0; i < n; i++) {
        RNC_UNROLL(8)
        for (int j = 0; j < nv; j++)
            vf_store(out + i * c->wide + j * RNC_VL, acc[i * nv + j]);
    }
}

/* The products of one point: `pixels` pixels times a panel. */
RNC_KERNEL void winograd1d_point(const rnc_conv_shape *s, const rnc_tile *t,
                                 const rnc_winograd1d_cut *c, int pixels, int phases,
                                 const float *in, const float *w, int width, float *out)
{
    rnc_registers_cut r;
    rnc_cut_registers(t, width, RNC_VL, RNC_REGISTERS, &r);
    const int nv = r.nv, blocks = rnc_div_up(pixels, r.n);
    const int small = pixels / blocks, longer = pixels % blocks;
    const int step = s->stride_w * s->in_pixel;
    for (int v = 0; v < width / RNC_VL; v += nv) {
        const float *from = in;
        float *to = out + v * RNC_VL;
        for (int i = 0; i < longer; i++) {
            winograd1d_tile(s, t, c, small + 1, nv, phases, from, w + v * RNC_VL, width, to);
            from += (small + 1) * step;
            to += (small + 1) * c->wide;
        }
        for (int i = longer; i < blocks; i++) {
            winograd1d_tile(s, t, c, small, nv, phases, from, w + v * RNC_VL, width, to);
            from += small * step;
            to += small * c->wide;
        }
    }
}

/* Products to `h` output rows of `pixels` pixels, a panel of `width` channels. */
RNC_KERNEL void winograd1d_output(const rnc_conv_shape *s, const rnc_winograd1d_cut *c,
                                  const float *from, int pixels, const float *bias,
                                  const float *res, float *out, int h, int width)
{
    const int zero = c->zero > 0;
    for (int i = 0; i < pixels; i++) {
        for (int k = 0; k < width; k += RNC_VL) {
            vf x[RNC_WINOGRAD1D_POINTS], y[RNC_WINOGRAD1D_ROWS];
            RNC_UNROLL(8)
            for (int p = 0; p < RNC_WINOGRAD1D_PAIRED + zero; p++)
                x[p] = vf_load(from + p * c->product + i * c->wide + k);
            winograd1d_back(x, y, zero);
            RNC_UNROLL(4)
            for (int r = 0; r < RNC_WINOGRAD1D_ROWS; r++) {
                if (r < h) {
                    vf v = y[r] + vf_load(bias + k);
                    if (s->residual)
                        v = v + vf_load(res + r * s->res_row + i * s->res_pixel + k);
                    if (s->act == RNC_ACT_RELU || s->act == RNC_ACT_RELU6)
                        v = vf_max(vf_zero(), v);
                    if (s->act == RNC_ACT_RELU6)
                        v = vf_min(winograd1d_number(6.0f), v);
                    vf_store(out + r * s->out_row + i * s->out_pixel + k, v);
                }
            }
        }
    }
}

/* The long activations, in a loop of their own. */
RNC_KERNEL void winograd1d_act(const rnc_conv_shape *s, float *out, int h, int w, int width)
{
    for (int i = 0; i < h * w; i++) {
        float *to = out + i / w * s->out_row + i % w * s->out_pixel;
        for (int k = 0; k < width; k += RNC_VL)
            vf_store(to + k, vf_act(vf_load(to + k), s->act, s->alpha));
    }
}

/* Fetches the pixels of an output row that the transform back will write. */
RNC_KERNEL void winograd1d_ahead(const rnc_conv_shape *s, const float *out, int pixels, int width)
{
    for (int i = 0; i < pixels; i++)
        for (int k = 0; k < width; k += 16)
            RNC_PREFETCH_WRITE(out + i * s->out_pixel + k);
}

/* Panels first .. end-1 of `width` channels for `pixels` pixels of `h` output rows.  in: the
 * transformed rows from the first pixel's window on; res, out: the first pixel. */
RNC_KERNEL void winograd1d_panels(const rnc_conv_shape *s, const rnc_tile *t,
                                  const rnc_winograd1d_cut *c, int pixels, int h, const float *in,
                                  float *products, const float *w, int width, const float *res,
                                  float *out, int first, int end)
{
    const int paired = RNC_WINOGRAD1D_PAIRED, deep = c->runs * c->run * width;
    for (int i = first; i < end; i++) {
        const float *panel = w + (ptrdiff_t)i * (c->rows * deep + width);
        const float *taps = panel + width, *from = s->residual ? res + i * width : res;
        float *to = out + i * width;
        for (int p = 0; p < paired; p++) {
            if (t->prefetch_output && p < h)
                winograd1d_ahead(s, to + p * s->out_row, pixels, width);
            winograd1d_point(s, t, c, pixels, c->phases, in + p * c->phases * c->pitch,
                             taps + p * c->phases * deep, width, products + p * c->product);
        }
        if (c->zero > 0)
            winograd1d_point(s, t, c, pixels, c->zero, in + paired * c->phases * c->pitch,
                             taps + paired * c->phases * deep, width,
                             products + paired * c->product);
        if (h == RNC_WINOGRAD1D_ROWS) {
            winograd1d_output(s, c, products, pixels, panel, from, to, RNC_WINOGRAD1D_ROWS, width);
        } else {
            winograd1d_output(s, c, products, pixels, panel, from, to, h, width);
        }
        if (s->act > RNC_ACT_RELU6)
            winograd1d_act(s, to, h, pixels, width);
    }
}

/* `pixels` pixels from `x` on, panels p0 .. p1-1 of `full` whole ones and perhaps a narrow one.
 * res, out: the tile's first pixel. */
RNC_KERNEL void winograd1d_group(const rnc_conv_shape *s, const rnc_tile *t,
                                 const rnc_winograd1d_cut *c, int x, int pixels, int h,
                                 float *scratch, const float *w, const float *res, float *out,
                                 int p0, int p1)
{
    rnc_panels_cut panels;
    rnc_cut_panels(s, &panels);
    const int full = panels.full, narrow = panels.narrow, wide = full * s->panel;
    const float *in = scratch + x * s->stride_w * s->in_pixel;
    float *products = scratch + c->rows * c->pitch;
    res = s->residual ? res + x * s->res_pixel : res;
    out += x * s->out_pixel;
    winograd1d_panels(s, t, c, pixels, h, in, products, w, s->panel, res, out, p0,
                      p1 < full ? p1 : full);
    if (narrow > 0 && p0 <= full && p1 > full) {
        w += (ptrdiff_t)wide * (c->rows * c->runs * c->run + 1);
        winograd1d_panels(s, t, c, pixels, h, in, products, w, narrow,
                          s->residual ? res + wide : res, out + wide, 0, 1);
    }
}

/* Each part has scratch of its own, of which rnc_cut_winograd1d() says the size. */
RNC_KERNEL void RNC_FN(conv_winograd1d)(const rnc_conv_shape *s, const rnc_tile *t,
                                        const rnc_operands *o, int part, int parts)
{
    const int m = RNC_WINOGRAD1D_ROWS;
    rnc_panels_cut panels;
    rnc_winograd1d_cut c;
    float *scratch;
    int t0, t1, p0, p1;
    rnc_cut_panels(s, &panels);
    rnc_cut_winograd1d(s, t, &c);
    scratch = (float *)o->scratch + part * c.floats;
    t0 = t->split ? 0 : rnc_share(c.tiles, part, parts);
    t1 = t->split ? c.tiles : rnc_share(c.tiles, part + 1, parts);
    p0 = t->split ? rnc_share(panels.count, part, parts) : 0;
    p1 = t->split ? rnc_share(panels.count, part + 1, parts) : panels.count;
    for (int tile = t0; tile < t1 && p0 < p1; tile++) {
        const int image = tile / c.down, y = tile % c.down * m;
        const int h = s->out_h - y < m ? s->out_h - y : m;
        const float *in =
            (const float *)o->in + rnc_at(image, s->in_image, y * s->stride_h - s->pad_top,
                                          s->in_row, -s->pad_left, s->in_pixel);
        const float *res = (const float *)o->in2;
        float *out = (float *)o->out + rnc_at(image, s->out_image, y, s->out_row, 0, 0);
        if (s->residual)
            res += rnc_at(image, s->res_image, y, s->res_row, 0, 0);
        for (int i = 0; i < c.zero; i++)
            winograd1d_phase(s, &c, i, 1, in, (h - 1) * s->stride_h + s->kernel_h, scratch);
        for (int i = c.zero; i < c.phases; i++)
            winograd1d_phase(s, &c, i, 0, in, (h - 1) * s->stride_h + s->kernel_h, scratch);
        for (int g = 0, x = 0; g < c.groups; g++) {
            if (g < c.longer) {
                winograd1d_group(s, t, &c, x, c.size + 1, h, scratch, o->weights, res, out, p0, p1);
            } else {
                winograd1d_group(s, t, &c, x, c.size, h, scratch, o->weights, res, out, p0, p1);
            }
            x += c.size + (g < c.longer);
        }
    }
}
#undef winograd1d_number
#undef winograd1d_others
#undef winograd1d_pair
#undef winograd1d_forward
#undef winograd1d_back
#undef winograd1d_floats
#undef winograd1d_phase
#undef winograd1d_tile
#undef winograd1d_point
#undef winograd1d_output
#undef winograd1d_act
#undef winograd1d_ahead
#undef winograd1d_panels
#undef winograd1d_group
