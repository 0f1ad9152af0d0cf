/* blocks.c: each pixel is made of blocks, which are stored at other places and whose channels may
 * be apart: depth to space, space to depth, channels shuffled.  Parts share the rows. */
#define blocks_one RNC_FN(blocks_one)

/* Moves c channels. */
RNC_KERNEL void blocks_one(const rnc_blocks_shape *s, const float *in, float *out)
{
    const ptrdiff_t from = s->in_step, to = s->out_step;
    int c = 0;
    if (from == 1 && to == 1) {
        for (; c + RNC_VL <= s->c; c += RNC_VL)
            vf_storeu(out + c, vf_loadu(in + c));
        if (c < s->c)
            vf_store_part(out + c, vf_load_part(in + c, s->c - c), s->c - c);
        return;
    }
    for (; c + 4 <= s->c; c += 4, in += 4 * from, out += 4 * to) {
        const float a = in[0], b = in[from], d = in[2 * from], e = in[3 * from];
        out[0] = a;
        out[to] = b;
        out[2 * to] = d;
        out[3 * to] = e;
    }
    for (; c < s->c; c++, in += from, out += to)
        *out = *in;
}

RNC_KERNEL void RNC_FN(blocks)(const rnc_blocks_shape *s, const rnc_knobs *t, const rnc_operands *o,
                               int part, int parts)
{
    const int rows = s->images * s->h, end = rnc_share(rows, part + 1, parts);
    int k, x, i, j;
    (void)t;
    for (k = rnc_share(rows, part, parts); k < end; k++)
        for (i = 0; i < s->down; i++)
            for (x = 0; x < s->w; x++) {
                const float *in =
                    (const float *)o->in[0] +
                    rnc_at(k / s->h, s->in_image, k % s->h, s->in_row, x, s->in_pixel) +
                    (ptrdiff_t)i * s->in_down;
                float *out = (float *)o->out[0] +
                             rnc_at(k / s->h, s->out_image, k % s->h, s->out_row, x, s->out_pixel) +
                             (ptrdiff_t)i * s->out_down;
                for (j = 0; j < s->across; j++)
                    blocks_one(s, in + (ptrdiff_t)j * s->in_across,
                               out + (ptrdiff_t)j * s->out_across);
            }
}
#undef blocks_one
