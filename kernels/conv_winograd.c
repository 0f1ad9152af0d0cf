/* conv_winograd: 3x3 convolution of stride 1 by Winograd's minimal filtering F(m x m, 3 x 3)
 * (Winograd 1980; Lavin and Gray, CVPR 2016): tiles of m x m output pixels cost (m + 2)^2 products
 * a channel instead of 9 m^2.  A group of tiles at a time: their windows are transformed into
 * scratch, [frequency][tile][in_c]; then, a panel of output channels after the other, the products
 * of each frequency, [tile][in_c] times [in_c][width], and the transform back with bias, residual
 * and activation.  The filters lie transformed in the panels, [frequency][in_c][width].
 *
 * Interpolation is at 0, infinity and +-1 (m = 2), +-3/4 and +-3/2 (m = 4, whose rounding error
 * is half of that at +-1 and +-2), +-1, +-2 and +-1/2 (m = 6).  compiler/pack.c has the same
 * points. */

enum { RNC_FN(WINOGRAD_SIDE) = 8 }; /* of the largest window, m = 6 */

/* x in every lane, made anew where it is used: kept in a register for the next tile it would be
 * one that the products lack. */
RNC_KERNEL vf RNC_FN(winograd_number)(float x)
{
    vf v = vf_set1(x);
    RNC_OPAQUE(v);
    return v;
}

/* One side of a window, m + 2 pixels, to frequencies: point p has prod(x - q) over the other
 * points q as its polynomial's coefficients, infinity has that of all points. */
RNC_KERNEL void RNC_FN(winograd_forward)(vf *x, int m)
{
    if (m == 2) {
        const vf a = x[1], b = x[2];
        x[0] = b - x[0];
        x[1] = b + a;
        x[2] = b - a;
        x[3] = x[3] - a;
    } else if (m == 4) {
        const vf a = x[1], b = x[2], c = x[3], d = x[4], near = RNC_FN(winograd_number)(-0.5625f);
        const vf far = RNC_FN(winograd_number)(-2.25f), both = RNC_FN(winograd_number)(-2.8125f),
                 one = RNC_FN(winograd_number)(1.265625f);
        const vf even1 = vf_fma(far, b, d),
                 odd1 = vf_fma(far, a, c) * RNC_FN(winograd_number)(0.75f);
        const vf even2 = vf_fma(near, b, d),
                 odd2 = vf_fma(near, a, c) * RNC_FN(winograd_number)(1.5f);
        x[0] = vf_fma(one, x[0], vf_fma(both, b, d));
        x[1] = even1 + odd1;
        x[2] = even1 - odd1;
        x[3] = even2 + odd2;
        x[4] = even2 - odd2;
        x[5] = vf_fma(one, a, vf_fma(both, c, x[5]));
    } else {
        const vf a = x[1], b = x[2], c = x[3], d = x[4], e = x[5], f = x[6];
        const vf p = RNC_FN(winograd_number)(-4.25f), q = RNC_FN(winograd_number)(-1.25f),
                 r = RNC_FN(winograd_number)(-5.0f), s = RNC_FN(winograd_number)(5.25f);
        const vf quarter = RNC_FN(winograd_number)(0.25f), four = RNC_FN(winograd_number)(4.0f);
        const vf even1 = vf_fma(p, d, b + f), odd1 = vf_fma(p, c, a + e);
        const vf even2 = vf_fma(quarter, b, vf_fma(q, d, f));
        const vf odd2 = vf_fma(quarter, a, vf_fma(q, c, e)) * RNC_FN(winograd_number)(2.0f);
        const vf even3 = vf_fma(four, b, vf_fma(r, d, f));
        const vf odd3 = vf_fma(four, a, vf_fma(r, c, e)) * RNC_FN(winograd_number)(0.5f);
        x[0] = vf_fma(s, b - d, f - x[0]);
        x[1] = even1 + odd1;
        x[2] = even1 - odd1;
        x[3] = even2 + odd2;
        x[4] = even2 - odd2;
        x[5] = even3 + odd3;
        x[6] = even3 - odd3;
        x[7] = vf_fma(s, c - e, x[7] - a);
    }
}

/* m + 2 products of one side to m output pixels: pixel y is the sum of p^y times point p's. */
RNC_KERNEL void RNC_FN(winograd_back)(vf *x, int m)
{
    const vf sum1 = x[1] + x[2], dif1 = x[1] - x[2];
    if (m == 2) {
        x[0] = x[0] + sum1;
        x[1] = dif1 + x[3];
    } else if (m == 4) {
        const vf sum2 = x[3] + x[4], dif2 = x[3] - x[4], last = x[5];
        x[0] = x[0] + sum1 + sum2;
        x[1] = vf_fma(RNC_FN(winograd_number)(1.5f), dif2, dif1 * RNC_FN(winograd_number)(0.75f));
        x[2] =
            vf_fma(RNC_FN(winograd_number)(2.25f), sum2, sum1 * RNC_FN(winograd_number)(0.5625f));
        x[3] = vf_fma(RNC_FN(winograd_number)(3.375f), dif2,
                      vf_fma(RNC_FN(winograd_number)(0.421875f), dif1, last));
    } else {
        const vf sum2 = x[3] + x[4], dif2 = x[3] - x[4], sum3 = x[5] + x[6], dif3 = x[5] - x[6];
        const vf last = x[7];
        x[0] = x[0] + sum1 + sum2 + sum3;
        x[1] = vf_fma(RNC_FN(winograd_number)(2.0f), dif2,
                      vf_fma(RNC_FN(winograd_number)(0.5f), dif3, dif1));
        x[2] = vf_fma(RNC_FN(winograd_number)(4.0f), sum2,
                      vf_fma(RNC_FN(winograd_number)(0.25f), sum3, sum1));
        x[3] = vf_fma(RNC_FN(winograd_number)(8.0f), dif2,
                      vf_fma(RNC_FN(winograd_number)(0.125f), dif3, dif1));
        x[4] = vf_fma(RNC_FN(winograd_number)(16.0f), sum2,
                      vf_fma(RNC_FN(winograd_number)(0.0625f), sum3, sum1));
        x[5] = vf_fma(RNC_FN(winograd_number)(32.0f), dif2,
                      vf_fma(RNC_FN(winograd_number)(0.03125f), dif3, dif1 + last));
    }
}

/* How the tiles of all images are cut into groups: the first `longer` have one more than `size`. */
typedef struct RNC_FN(winograd_cut) {
    int down, across; /* tiles of an image */
    int groups, size, longer;
    int pitch, plane;  /* floats from tile to tile, frequency to frequency of windows, */
    int wide, product; /* and of products */
} RNC_FN(winograd_cut);

RNC_KERNEL void RNC_FN(winograd_groups)(const rnc_conv_shape *s, const rnc_tile *t,
                                        RNC_FN(winograd_cut) * c)
{
    const int m = s->winograd, most = t->group > 0 ? t->group : 1;
    int tiles, widest;
    c->down = (s->out_h + m - 1) / m;
    c->across = (s->out_w + m - 1) / m;
    tiles = s->images * c->down * c->across;
    c->groups = (tiles + most - 1) / most;
    c->size = tiles / c->groups;
    c->longer = tiles % c->groups;
    widest = c->size + (c->longer > 0);
    /* 16 more where distances of powers of two would meet in few sets of the cache. */
    c->pitch = (s->in_c + 15) / 16 * 16 + (s->in_c % 64 == 0 ? 16 : 0);
    c->plane = widest * c->pitch + 16;
    c->wide = s->out_c < s->panel ? s->out_c : s->panel;
    c->product = widest * c->wide + 16;
}

/* Rows and pixels a tile has: all m, or fewer at the lower and right edge; where it is. */
typedef struct RNC_FN(winograd_tile) {
    int image, y, x; /* its first output pixel */
    int h, w;
} RNC_FN(winograd_tile);

RNC_KERNEL void RNC_FN(winograd_find)(const rnc_conv_shape *s, const RNC_FN(winograd_cut) * c,
                                      int tile, RNC_FN(winograd_tile) * p)
{
    const int m = s->winograd, row = tile / c->across;
    p->image = row / c->down;
    p->y = row % c->down * m;
    p->x = tile % c->across * m;
    p->h = s->out_h - p->y < m ? s->out_h - p->y : m;
    p->w = s->out_w - p->x < m ? s->out_w - p->x : m;
}

/* A tile's window to `to`, a plane a frequency.  Its rows and pixels behind the h-th and w-th are
 * taken as the last again: they only meet outputs that do not exist. */
RNC_KERNEL void RNC_FN(winograd_window)(const rnc_conv_shape *s, const float *in, int h, int w,
                                        float *to, int plane)
{
    const int m = s->winograd, side = m + 2;
    for (int c = 0; c < s->in_c; c += RNC_VL) {
        vf t[RNC_FN(WINOGRAD_SIDE) * RNC_FN(WINOGRAD_SIDE)];
        RNC_UNROLL(8)
        for (int x = 0; x < side; x++) {
            const float *from = in + (x < w ? x : w - 1) * s->in_pixel + c;
            vf column[RNC_FN(WINOGRAD_SIDE)];
            RNC_UNROLL(8)
            for (int y = 0; y < side; y++)
                column[y] = vf_load(from + (y < h ? y : h - 1) * s->in_row);
            RNC_FN(winograd_forward)(column, m);
            RNC_UNROLL(8)
            for (int y = 0; y < side; y++)
                t[y * side + x] = column[y];
        }
        RNC_UNROLL(8)
        for (int y = 0; y < side; y++) {
            RNC_FN(winograd_forward)(t + y * side, m);
            RNC_UNROLL(8)
            for (int x = 0; x < side; x++)
                vf_store(to + (y * side + x) * plane + c, t[y * side + x]);
        }
    }
}

/* Products of one panel to a tile's output: nv vectors of channels. */
RNC_KERNEL void RNC_FN(winograd_output)(const rnc_conv_shape *s, const float *from, int plane,
                                        const float *bias, const float *res, float *out, int h,
                                        int w, int width)
{
    const int m = s->winograd, side = m + 2;
    for (int c = 0; c < width; c += RNC_VL) {
        vf t[RNC_FN(WINOGRAD_SIDE) * RNC_FN(WINOGRAD_SIDE)];
        const vf b = vf_load(bias + c);
        RNC_UNROLL(8)
        for (int x = 0; x < side; x++) {
            vf column[RNC_FN(WINOGRAD_SIDE)];
            RNC_UNROLL(8)
            for (int y = 0; y < side; y++)
                column[y] = vf_load(from + (y * side + x) * plane + c);
            RNC_FN(winograd_back)(column, m);
            RNC_UNROLL(8)
            for (int y = 0; y < m; y++)
                t[y * side + x] = column[y];
        }
        RNC_UNROLL(8)
        for (int y = 0; y < m; y++) {
            if (y < h) {
                RNC_FN(winograd_back)(t + y * side, m);
                RNC_UNROLL(8)
                for (int x = 0; x < m; x++) {
                    if (x < w) {
                        vf v = t[y * side + x] + b;
                        if (s->residual)
                            v = v + vf_load(res + y * s->res_row + x * s->res_pixel + c);
                        if (s->act == RNC_ACT_RELU || s->act == RNC_ACT_RELU6)
                            v = vf_max(vf_zero(), v);
                        if (s->act == RNC_ACT_RELU6)
                            v = vf_min(vf_set1(6.0f), v);
                        vf_store(out + y * s->out_row + x * s->out_pixel + c, v);
                    }
                }
            }
        }
    }
}

/* The long activations, in a loop of their own. */
RNC_KERNEL void RNC_FN(winograd_act)(const rnc_conv_shape *s, float *out, int h, int w, int width)
{
    for (int i = 0; i < h * w; i++) {
        float *to = out + i / w * s->out_row + i % w * s->out_pixel;
        for (int c = 0; c < width; c += RNC_VL)
            vf_store(to + c, vf_act(vf_load(to + c), s->act, s->alpha));
    }
}

/* n tiles times nv vectors of one frequency. */
RNC_KERNEL void RNC_FN(winograd_block)(const rnc_conv_shape *s, const rnc_tile *t, int n, int nv,
                                       const float *in, const float *w, int width, float *out,
                                       int wide, const char *ahead)
{
    const int u = t->unroll > 1 ? (t->unroll < 8 ? t->unroll : 8) : 1;
    int turns = s->in_c / u;
    vf acc[32];
    RNC_UNROLL(32)
    for (int i = 0; i < n * nv; i++)
        RNC_ZERO(acc[i]);
    for (; turns > 0; turns--) {
        RNC_FN(conv_steps)(s, acc, in, w, u, n, nv, 32, width, t->memory_broadcasts, 0);
        for (int i = 0; i < t->prefetch_weights; i++)
            RNC_PREFETCH(ahead + i * 64);
        ahead += t->prefetch_weights * 64;
        in += u;
        w += u * width;
    }
    RNC_FN(conv_steps)(s, acc, in, w, s->in_c % u, n, nv, 32, width, t->memory_broadcasts, 0);
    RNC_UNROLL(32)
    for (int i = 0; i < n; i++) {
        RNC_UNROLL(8)
        for (int j = 0; j < nv; j++)
            vf_store(out + i * wide + j * RNC_VL, acc[i * nv + j]);
    }
}

/* `tiles` tiles times a panel of `width` channels, frequency after frequency.  s: as the products
 * see it, tiles as pixels. */
RNC_KERNEL void RNC_FN(winograd_products)(const rnc_conv_shape *s, const rnc_tile *t,
                                          const RNC_FN(winograd_cut) * c, int tiles,
                                          const float *in, const float *w, int width, float *out)
{
    const int vectors = width / RNC_VL, wish = t->vectors > 0 ? t->vectors : 1;
    const int nv = wish <= vectors && wish <= 8 && vectors % wish == 0 ? wish : 1;
    const int wide = t->pixels > 0 ? t->pixels : 1, n = wide * nv <= 32 ? wide : 32 / nv;
    const int blocks = (tiles + n - 1) / n, small = tiles / blocks, longer = tiles % blocks;
    const int side = s->winograd + 2, turns = s->in_c / (t->unroll > 1 ? t->unroll : 1);
    for (int f = 0; f < side * side; f++) {
        const char *ahead = (const char *)(w + s->in_c * width);
        for (int v = 0; v < vectors; v += nv) {
            const float *from = in;
            float *to = out + v * RNC_VL;
            for (int i = 0; i < longer; i++) {
                RNC_FN(winograd_block)
                (s, t, small + 1, nv, from, w + v * RNC_VL, width, to, c->wide, ahead);
                from += (small + 1) * c->pitch;
                to += (small + 1) * c->wide;
                ahead += turns * t->prefetch_weights * 64;
            }
            for (int i = longer; i < blocks; i++) {
                RNC_FN(winograd_block)
                (s, t, small, nv, from, w + v * RNC_VL, width, to, c->wide, ahead);
                from += small * c->pitch;
                to += small * c->wide;
                ahead += turns * t->prefetch_weights * 64;
            }
        }
        in += c->plane;
        out += c->product;
        w += s->in_c * width;
    }
}

/* Panels first .. end-1 of `width` channels for the group of tiles transformed in scratch. */
RNC_KERNEL void RNC_FN(winograd_panels)(const rnc_conv_shape *s, const rnc_tile *t,
                                        const RNC_FN(winograd_cut) * c, int tile, int tiles,
                                        float *scratch, const float *w, int width, const float *res,
                                        float *out, int first, int end)
{
    const int m = s->winograd, side = m + 2;
    float *products = scratch + side * side * c->plane;
    rnc_conv_shape by_tile = *s;
    by_tile.in_pixel = c->pitch;
    by_tile.stride_w = 1;
    for (int p = first; p < end; p++) {
        const float *panel = w + (ptrdiff_t)p * width * (side * side * s->in_c + 1);
        RNC_FN(winograd_products)
        (&by_tile, t, c, tiles, scratch, panel + width, width, products);
        for (int i = 0; i < tiles; i++) {
            RNC_FN(winograd_tile) at;
            const float *from = products + i * c->wide, *r = res;
            float *to;
            RNC_FN(winograd_find)(s, c, tile + i, &at);
            to = out + RNC_FN(at)(at.image, s->out_image, at.y, s->out_row, at.x, s->out_pixel) +
                 p * width;
            if (s->residual)
                r = res + RNC_FN(at)(at.image, s->res_image, at.y, s->res_row, at.x, s->res_pixel) +
                    p * width;
            if (at.h == m && at.w == m) {
                RNC_FN(winograd_output)(s, from, c->product, panel, r, to, m, m, width);
            } else {
                RNC_FN(winograd_output)(s, from, c->product, panel, r, to, at.h, at.w, width);
            }
            if (s->act > RNC_ACT_RELU6)
                RNC_FN(winograd_act)(s, to, at.h, at.w, width);
        }
    }
}

/* `tiles` tiles from `tile` on, panels p0 .. p1-1 of `full` whole ones and perhaps a narrow one. */
RNC_KERNEL void RNC_FN(winograd_group)(const rnc_conv_shape *s, const rnc_tile *t,
                                       const rnc_operands *o, const RNC_FN(winograd_cut) * c,
                                       int tile, int tiles, float *scratch, int p0, int p1)
{
    const int m = s->winograd, side = m + 2, full = s->out_c / s->panel;
    const int narrow = s->out_c % s->panel, wide = full * s->panel;
    const float *in = (const float *)o->in - s->pad_top * s->in_row - s->pad_left * s->in_pixel;
    const float *res = (const float *)o->in2;
    float *out = (float *)o->out;
    for (int i = 0; i < tiles; i++) {
        RNC_FN(winograd_tile) at;
        const float *from = in;
        RNC_FN(winograd_find)(s, c, tile + i, &at);
        from += RNC_FN(at)(at.image, s->in_image, at.y, s->in_row, at.x, s->in_pixel);
        if (at.h == m && at.w == m) {
            RNC_FN(winograd_window)(s, from, side, side, scratch + i * c->pitch, c->plane);
        } else {
            RNC_FN(winograd_window)
            (s, from, at.h + 2, at.w + 2, scratch + i * c->pitch, c->plane);
        }
    }
    RNC_FN(winograd_panels)
    (s, t, c, tile, tiles, scratch, o->weights, s->panel, res, out, p0, p1 < full ? p1 : full);
    if (narrow > 0 && p0 <= full && p1 > full) {
        const float *w = o->weights + (ptrdiff_t)wide * (side * side * s->in_c + 1);
        RNC_FN(winograd_panels)
        (s, t, c, tile, tiles, scratch, w, narrow, s->residual ? res + wide : res, out + wide, 0,
         1);
    }
}

/* Scratch, in floats, a part: winograd_scratch() of compiler/select_conv.c says the same. */
RNC_KERNEL void RNC_FN(conv_winograd)(const rnc_conv_shape *s, const rnc_tile *t,
                                      const rnc_operands *o, int part, int parts)
{
    const int panels = (s->out_c + s->panel - 1) / s->panel, side = s->winograd + 2;
    RNC_FN(winograd_cut) c;
    float *scratch;
    int g0, g1, p0, p1;
    RNC_FN(winograd_groups)(s, t, &c);
    scratch = (float *)o->scratch + (ptrdiff_t)part * side * side * (c.plane + c.product);
    g0 = t->split ? 0 : RNC_FN(share)(c.groups, part, parts);
    g1 = t->split ? c.groups : RNC_FN(share)(c.groups, part + 1, parts);
    p0 = t->split ? RNC_FN(share)(panels, part, parts) : 0;
    p1 = t->split ? RNC_FN(share)(panels, part + 1, parts) : panels;
    for (int g = g0; g < g1 && p0 < p1; g++) {
        const int tile = g * c.size + (g < c.longer ? g : c.longer);
        if (g < c.longer) {
            RNC_FN(winograd_group)(s, t, o, &c, tile, c.size + 1, scratch, p0, p1);
        } else {
            RNC_FN(winograd_group)(s, t, o, &c, tile, c.size, scratch, p0, p1);
        }
    }
}
