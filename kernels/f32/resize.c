/* resize.c: an image in another size: the nearest pixel, or between four.  Positions are whole
 * numbers over a whole number, so that they are exact.  Parts share the output rows. */
#define resize_tap RNC_FN(resize_tap)
#define resize_find RNC_FN(resize_find)
#define resize_near RNC_FN(resize_near)
#define resize_between RNC_FN(resize_between)

/* A position between two pixels, in distances from the first, and what each counts. */
typedef struct resize_tap {
    ptrdiff_t low, high;
    float a, b;
} resize_tap;

/* Pixel o is at (o * mul + add) / div, not before 0, of n pixels `step` apart. */
RNC_KERNEL void resize_find(long long at, int div, int n, int step, resize_tap *t)
{
    const long long place = at > 0 ? at : 0;
    const int low = place / div < n ? (int)(place / div) : n - 1;
    t->b = (float)(place % div) / (float)div;
    t->a = (float)(div - place % div) / (float)div;
    t->low = (ptrdiff_t)low * step;
    t->high = (ptrdiff_t)(low + 1 < n ? low + 1 : low) * step;
}

RNC_KERNEL void resize_near(const rnc_resize_shape *s, const float *in, float *out)
{
    int c;
    for (c = 0; c < s->c; c += RNC_VL) {
        const int n = s->c - c < RNC_VL ? s->c - c : RNC_VL;
        const vf v = n == RNC_VL ? vf_loadu(in + c) : vf_load_part(in + c, n);
        if (n == RNC_VL)
            vf_storeu(out + c, vf_act(v, s->act, s->alpha, s->beta));
        else
            vf_store_part(out + c, vf_act(v, s->act, s->alpha, s->beta), n);
    }
}

RNC_KERNEL void resize_between(const rnc_resize_shape *s, const float *in, const resize_tap *y,
                               const resize_tap *x, float *out)
{
    const float *p = in + y->low + x->low, *q = in + y->low + x->high;
    const float *r = in + y->high + x->low, *u = in + y->high + x->high;
    const vf pw = vf_set1(y->a * x->a), qw = vf_set1(y->a * x->b);
    const vf rw = vf_set1(y->b * x->a), uw = vf_set1(y->b * x->b);
    int c;
    for (c = 0; c + RNC_VL <= s->c; c += RNC_VL) {
        vf v = vf_loadu(p + c) * pw;
        v = vf_fma(vf_loadu(q + c), qw, v);
        v = vf_fma(vf_loadu(r + c), rw, v);
        v = vf_fma(vf_loadu(u + c), uw, v);
        vf_storeu(out + c, vf_act(v, s->act, s->alpha, s->beta));
    }
    if (c < s->c) {
        const int n = s->c - c;
        vf v = vf_load_part(p + c, n) * pw;
        v = vf_fma(vf_load_part(q + c, n), qw, v);
        v = vf_fma(vf_load_part(r + c, n), rw, v);
        v = vf_fma(vf_load_part(u + c, n), uw, v);
        vf_store_part(out + c, vf_act(v, s->act, s->alpha, s->beta), n);
    }
}

RNC_KERNEL void RNC_FN(resize)(const rnc_resize_shape *s, const rnc_knobs *t, const rnc_operands *o,
                               int part, int parts)
{
    const int rows = s->images * s->out_h, end = rnc_share(rows, part + 1, parts);
    int i, x;
    (void)t;
    for (i = rnc_share(rows, part, parts); i < end; i++) {
        const int n = i / s->out_h, y = i % s->out_h;
        const float *in = (const float *)o->in[0] + (ptrdiff_t)n * s->in_image;
        float *out = (float *)o->out[0] + rnc_at(n, s->out_image, y, s->out_row, 0, 0);
        resize_tap down, across;
        resize_find((long long)y * s->mul_h + s->add_h, s->div_h, s->in_h, s->in_row, &down);
        for (x = 0; x < s->out_w; x++) {
            resize_find((long long)x * s->mul_w + s->add_w, s->div_w, s->in_w, s->in_pixel,
                        &across);
            if (s->bilinear)
                resize_between(s, in, &down, &across, out + (ptrdiff_t)x * s->out_pixel);
            else
                resize_near(s, in + down.low + across.low, out + (ptrdiff_t)x * s->out_pixel);
        }
    }
}
#undef resize_tap
#undef resize_find
#undef resize_near
#undef resize_between
