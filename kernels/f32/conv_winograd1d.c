/* conv_winograd1d: convolution of few input channels (a network's stem) by Winograd's minimal
 * filtering in one dimension, down the columns.  With stride 2, the even rows and the odd ones,
 * called phases, are each a convolution with stride 1, and their products are summed.  The input
 * rows of four output rows are transformed into scratch, [point][phase][a row as it is stored].
 * Then, for some pixels of a row and one panel at a time, come a direct convolution of each point's
 * rows and the transform back with bias, residual and activation.  Filters are stored transformed
 * in the panels, [point][phase][kernel_w][in_c][width].  The points of interpolation are +-1/2,
 * +-5/4, +-3 and, for phases with four taps, 0. */
#define winograd1d_number RNC_FN(winograd1d_number)
#define winograd1d_others RNC_FN(winograd1d_others)
#define winograd1d_pair RNC_FN(winograd1d_pair)
#define winograd1d_forward RNC_FN(winograd1d_forward)
#define winograd1d_back RNC_FN(winograd1d_back)
#define winograd1d_rows RNC_FN(winograd1d_rows)
#define winograd1d_floats RNC_FN(winograd1d_floats)
#define winograd1d_phase RNC_FN(winograd1d_phase)
#define winograd1d_point RNC_FN(winograd1d_point)
#define winograd1d_tile RNC_FN(winograd1d_tile)
#define winograd1d_pixels RNC_FN(winograd1d_pixels)
#define winograd1d_set RNC_FN(winograd1d_set)
#define winograd1d_output RNC_FN(winograd1d_output)
#define winograd1d_ahead RNC_FN(winograd1d_ahead)
#define winograd1d_panels RNC_FN(winograd1d_panels)
#define winograd1d_work RNC_FN(winograd1d_work)
#define winograd1d_group RNC_FN(winograd1d_group)

/* x in every lane, made anew wherever it is used, so that it takes no register from the
 * products. */
RNC_KERNEL vf winograd1d_number(float x)
{
    vf v = vf_set1(x);
    RNC_OPAQUE(v);
    return v;
}

/* Sums rows x[0], x[2] and x[4], multiplied by the coefficients of r^0, r^2 and r^4 in
 * (r^2 - p^2) (r^2 - q^2). */
RNC_KERNEL vf winograd1d_others(const vf *x, float p, float q)
{
    const vf low = winograd1d_number(p * p * q * q);
    return vf_fma(low, x[0], vf_fma(winograd1d_number(-p * p - q * q), x[2], x[4]));
}

/* Transforms six rows, or seven if 0 is among the points, to y[0] at point r and y[1] at point -r;
 * p and q are the other pairs of points. */
RNC_KERNEL void winograd1d_pair(const vf *x, vf *y, float r, float p, float q, int zero)
{
    const vf even = winograd1d_others(x + 1 + zero, p, q);
    const vf odd = winograd1d_others(x + zero, p, q) * winograd1d_number(r);
    y[0] = even + odd;
    y[1] = even - odd;
}

/* Transforms the rows of a phase to the points +-1/2, +-5/4, +-3 and perhaps 0. */
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

/* Transforms products at the points to four output rows: row y is the sum over the points p of p^y
 * times the product at p. */
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

/* A phase of the input rows of a tile: `rows` rows from `in` on, and where their transforms go. */
typedef struct winograd1d_rows {
    int phase, rows;
    const float *in;
    float *to;
} winograd1d_rows;

/* Transforms n floats of a phase's rows, from `first` on, to the points.  The last row stands for
 * those after it, which only meet outputs or taps that do not exist. */
RNC_KERNEL void winograd1d_floats(const rnc_conv_shape *s, const rnc_winograd1d_cut *c,
                                  const winograd1d_rows *r, int zero, int first, int n)
{
    const int points = RNC_WINOGRAD1D_PAIRED + zero;
    vf x[RNC_WINOGRAD1D_POINTS], y[RNC_WINOGRAD1D_POINTS];
    RNC_UNROLL(8)
    for (int i = 0; i < points; i++) {
        const int wish = i * c->phases + r->phase, row = wish < r->rows ? wish : r->rows - 1;
        const float *from = r->in + row * s->in_row + first;
        x[i] = n < RNC_VL ? vf_load_part(from, n) : vf_loadu(from);
    }
    winograd1d_forward(x, y, zero);
    RNC_UNROLL(8)
    for (int i = 0; i < points; i++)
        vf_store(r->to + (i * c->phases + r->phase) * c->pitch + first, y[i]);
}

/* Transforms a phase's rows into scratch. */
RNC_KERNEL void winograd1d_phase(const rnc_conv_shape *s, const rnc_winograd1d_cut *c,
                                 const winograd1d_rows *r, int zero)
{
    const int whole = c->elements / RNC_VL * RNC_VL;
    for (int i = 0; i < whole; i += RNC_VL)
        winograd1d_floats(s, c, r, zero, i, RNC_VL);
    if (whole < c->elements)
        winograd1d_floats(s, c, r, zero, whole, c->elements - whole);
}

/* The products of one point: `phases` rows of its input times a panel. */
typedef struct winograd1d_point {
    int phases, tap; /* phases; elements from tap to tap across */
    conv_rows rows;
    const float *in;
    const char *w;
    float *out;
} winograd1d_point;

/* n pixels times nv vectors. */
RNC_KERNEL void winograd1d_tile(const rnc_knobs *t, const rnc_winograd1d_cut *c,
                                const winograd1d_point *p, int n, int nv)
{
    const int u = rnc_unroll(t), row = p->rows.width * rnc_weight_bytes(p->rows.elem);
    const conv_fetch nothing = {NULL, 0, 0};
    const char *w = p->w;
    vf acc[32];
    RNC_UNROLL(32)
    for (int i = 0; i < n * nv; i++)
        RNC_ZERO(acc[i]);
    for (int r = 0; r < p->phases * c->runs; r++) {
        const float *a = p->in + r / c->runs * c->pitch + r % c->runs * p->tap;
        for (int turns = c->run / u; turns > 0; turns--) {
            conv_steps(&p->rows, acc, a, w, &nothing, u, n, nv);
            a += u;
            w += u * row;
        }
        conv_steps(&p->rows, acc, a, w, &nothing, c->run % u, n, nv);
        w += c->run % u * row;
    }
    RNC_UNROLL(32)
    for (int i = 0; i < n; i++) {
        RNC_UNROLL(8)
        for (int j = 0; j < nv; j++)
            vf_store(p->out + i * c->wide + j * RNC_VL, acc[i * nv + j]);
    }
}

/* `pixels` pixels times the panel. */
RNC_KERNEL void winograd1d_pixels(const rnc_knobs *t, const rnc_winograd1d_cut *c,
                                  const winograd1d_point *p, int pixels)
{
    rnc_registers_cut r;
    rnc_cut_registers(t, p->rows.width, RNC_VL, RNC_REGISTERS, &r);
    const int nv = r.nv, blocks = rnc_div_up(pixels, r.n);
    const int small = pixels / blocks, longer = pixels % blocks;
    for (int v = 0; v < p->rows.width; v += nv * RNC_VL) {
        winograd1d_point k = *p;
        k.w += v * rnc_weight_bytes(k.rows.elem);
        k.out += v;
        for (int i = 0; i < longer; i++) {
            winograd1d_tile(t, c, &k, small + 1, nv);
            k.in += (small + 1) * k.rows.pixel;
            k.out += (small + 1) * c->wide;
        }
        for (int i = longer; i < blocks; i++) {
            winograd1d_tile(t, c, &k, small, nv);
            k.in += small * k.rows.pixel;
            k.out += small * c->wide;
        }
    }
}

/* Panels first .. end-1, `width` channels each, for `pixels` pixels of a tile. */
typedef struct winograd1d_set {
    const char *w;   /* the first panel of the set */
    ptrdiff_t panel; /* bytes from panel to panel */
    int width, first, end;
    int pixels;
    const float *in; /* transformed rows, from the first pixel's window on */
    float *products;
    const float *res; /* the residual of the first pixel, as out is its output */
    float *out;
#ifdef RNC_LONG_ACT
    const float *slopes; /* of prelu, of the set's first channel on */
#endif
} winograd1d_set;

/* Transforms products to `h` output rows; bias, res and out are those of the panel. */
RNC_KERNEL void winograd1d_output(const rnc_conv_shape *s, const rnc_winograd1d_cut *c,
                                  const winograd1d_set *set, const float *bias, const float *res,
                                  float *out, int h)
{
    const int zero = c->zero > 0;
    for (int i = 0; i < set->pixels; i++) {
        for (int k = 0; k < set->width; k += RNC_VL) {
            vf x[RNC_WINOGRAD1D_POINTS], y[RNC_WINOGRAD1D_ROWS];
            RNC_UNROLL(8)
            for (int p = 0; p < RNC_WINOGRAD1D_PAIRED + zero; p++)
                x[p] = vf_load(set->products + p * c->product + i * c->wide + k);
            winograd1d_back(x, y, zero);
            RNC_UNROLL(4)
            for (int r = 0; r < RNC_WINOGRAD1D_ROWS; r++) {
                if (r < h) {
                    vf v = y[r] + vf_load(bias + k);
                    if (s->residual)
                        v = v + vf_load(res + r * s->res_row + i * s->res_pixel + k);
                    vf_store(out + r * s->out_row + i * s->out_pixel + k, conv_limit(s, v));
                }
            }
        }
    }
}

#ifdef RNC_LONG_ACT
#define winograd1d_act RNC_FN(winograd1d_act)

/* The long activations, in a loop of their own; slopes: those of the first channel on. */
RNC_KERNEL void winograd1d_act(const rnc_conv_shape *s, const float *slopes, float *out, int h,
                               int w, int width)
{
    for (int i = 0; i < h * w; i++) {
        float *to = out + i / w * s->out_row + i % w * s->out_pixel;
        for (int k = 0; k < width; k += RNC_VL)
            vf_store(to + k, vf_layer_act(vf_load(to + k), s->act, s->alpha, s->beta, slopes + k));
    }
}
#endif

/* Fetches the pixels of an output row that the transform back will write. */
RNC_KERNEL void winograd1d_ahead(const rnc_conv_shape *s, const float *out, int pixels, int width)
{
    for (int i = 0; i < pixels; i++)
        for (int k = 0; k < width; k += 16)
            RNC_PREFETCH_WRITE(out + i * s->out_pixel + k);
}

/* Computes the panels of a set, for `h` output rows. */
RNC_KERNEL void winograd1d_panels(const rnc_conv_shape *s, const rnc_knobs *t,
                                  const rnc_winograd1d_cut *c, const winograd1d_set *set, int h)
{
    const int paired = RNC_WINOGRAD1D_PAIRED, width = set->width;
    const int deep = c->runs * c->run * width * rnc_weight_bytes(s->weights); /* bytes */
    for (int i = set->first; i < set->end; i++) {
        const char *panel = set->w + i * set->panel;
        const float *bias = (const float *)(const void *)panel;
        const char *taps = (const char *)(bias + width);
        const float *res = s->residual ? set->res + i * width : set->res;
        float *out = set->out + i * width;
        winograd1d_point k;
        const conv_rows rows = {
            32, 0, s->stride_w * s->in_pixel, s->weights, width, t->memory_broadcasts, 0};
        k.rows = rows;
        k.tap = s->dilation_w * s->in_pixel;
        for (int p = 0; p < paired; p++) {
            if (t->prefetch_output && p < h)
                winograd1d_ahead(s, out + p * s->out_row, set->pixels, width);
            k.phases = c->phases;
            k.in = set->in + p * c->phases * c->pitch;
            k.w = taps + p * c->phases * deep;
            k.out = set->products + p * c->product;
            winograd1d_pixels(t, c, &k, set->pixels);
        }
        if (c->zero > 0) {
            k.phases = c->zero;
            k.in = set->in + paired * c->phases * c->pitch;
            k.w = taps + paired * c->phases * deep;
            k.out = set->products + paired * c->product;
            winograd1d_pixels(t, c, &k, set->pixels);
        }
        if (h == RNC_WINOGRAD1D_ROWS) {
            winograd1d_output(s, c, set, bias, res, out, RNC_WINOGRAD1D_ROWS);
        } else {
            winograd1d_output(s, c, set, bias, res, out, h);
        }
#ifdef RNC_LONG_ACT
        if (s->act > RNC_ACT_RELU6)
            winograd1d_act(s, set->slopes + i * width, out, h, set->pixels, width);
#endif
    }
}

/* A part's share of a tile: `h` output rows, panels p0 .. p1-1.  res, out: at the tile's first
 * pixel. */
typedef struct winograd1d_work {
    int h, p0, p1;
    const char *w;
    float *scratch;
    const float *res;
    float *out;
#ifdef RNC_LONG_ACT
    const float *slopes;
#endif
} winograd1d_work;

/* Computes `pixels` pixels of a tile, from pixel `x` on. */
RNC_KERNEL void winograd1d_group(const rnc_conv_shape *s, const rnc_knobs *t,
                                 const rnc_winograd1d_cut *c, const winograd1d_work *k, int x,
                                 int pixels)
{
    const int rows = c->rows * c->runs * c->run;
    rnc_panels_cut panels;
    winograd1d_set set;
    rnc_cut_panels(s, &panels);
    set.w = k->w;
    set.panel = rnc_panel_bytes(s->weights, s->panel, (ptrdiff_t)rows * s->panel);
    set.width = s->panel;
    set.first = k->p0, set.end = k->p1 < panels.full ? k->p1 : panels.full;
    set.pixels = pixels;
    set.in = k->scratch + x * s->stride_w * s->in_pixel;
    set.products = k->scratch + c->rows * c->pitch;
    set.res = s->residual ? k->res + x * s->res_pixel : k->res;
    set.out = k->out + x * s->out_pixel;
#ifdef RNC_LONG_ACT
    set.slopes = k->slopes;
#endif
    winograd1d_panels(s, t, c, &set, k->h);
#ifdef RNC_NARROW
    if (panels.narrow > 0 && k->p0 <= panels.full && k->p1 > panels.full) {
        const int wide = panels.full * s->panel;
        set.w += panels.full * set.panel;
        set.width = panels.narrow;
        set.first = 0, set.end = 1;
        set.res = s->residual ? set.res + wide : set.res;
        set.out += wide;
#ifdef RNC_LONG_ACT
        set.slopes += wide;
#endif
        winograd1d_panels(s, t, c, &set, k->h);
    }
#endif
}

/* Each part has scratch of its own, whose size rnc_cut_winograd1d() gives. */
RNC_KERNEL void RNC_FN(conv_winograd1d)(const rnc_conv_shape *s, const rnc_knobs *t,
                                        const rnc_operands *o, int part, int parts)
{
    const int m = RNC_WINOGRAD1D_ROWS;
    rnc_panels_cut panels;
    rnc_winograd1d_cut c;
    winograd1d_work k;
    rnc_cut_panels(s, &panels);
    rnc_cut_winograd1d(s, t, &c);
    k.w = (const char *)o->weights;
#ifdef RNC_LONG_ACT
    k.slopes = rnc_slopes(o, s->act, s->out_c);
#endif
    k.scratch = (float *)o->scratch + part * c.floats;
    k.p0 = t->split ? rnc_share(panels.count, part, parts) : 0;
    k.p1 = t->split ? rnc_share(panels.count, part + 1, parts) : panels.count;
    const int t0 = t->split ? 0 : rnc_share(c.tiles, part, parts);
    const int t1 = t->split ? c.tiles : rnc_share(c.tiles, part + 1, parts);
    for (int tile = t0; tile < t1 && k.p0 < k.p1; tile++) {
        const int image = tile / c.down, y = tile % c.down * m;
        winograd1d_rows r;
        k.h = s->out_h - y < m ? s->out_h - y : m;
        k.res = (const float *)o->in[1];
        k.out = (float *)o->out[0] + rnc_at(image, s->out_image, y, s->out_row, 0, 0);
        if (s->residual)
            k.res += rnc_at(image, s->res_image, y, s->res_row, 0, 0);
        r.rows = (k.h - 1) * s->stride_h + s->kernel_h;
        r.in = (const float *)o->in[0] + rnc_at(image, s->in_image, y * s->stride_h - s->pad_top,
                                                s->in_row, -s->pad_left, s->in_pixel);
        r.to = k.scratch;
        for (r.phase = 0; r.phase < c.zero; r.phase++)
            winograd1d_phase(s, &c, &r, 1);
        for (; r.phase < c.phases; r.phase++)
            winograd1d_phase(s, &c, &r, 0);
        for (int g = 0, x = 0; g < c.groups; g++) {
            if (g < c.longer) {
                winograd1d_group(s, t, &c, &k, x, c.size + 1);
            } else {
                winograd1d_group(s, t, &c, &k, x, c.size);
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
#undef winograd1d_rows
#undef winograd1d_floats
#undef winograd1d_phase
#undef winograd1d_point
#undef winograd1d_tile
#undef winograd1d_pixels
#undef winograd1d_set
#undef winograd1d_output
#ifdef RNC_LONG_ACT
#undef winograd1d_act
#endif
#undef winograd1d_ahead
#undef winograd1d_panels
#undef winograd1d_work
#undef winograd1d_group
