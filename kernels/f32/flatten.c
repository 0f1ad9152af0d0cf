/* flatten.c: turns an image into one vector, channel by channel: out[c][y][x] = in[y][x][c].  Parts
 * share the channels in groups of 16, so that each reads whole cache lines of the input. */
RNC_KERNEL void RNC_FN(flatten)(const rnc_flatten_shape *s, const rnc_knobs *t,
                                const rnc_operands *o, int part, int parts)
{
    const int groups = (s->c + 15) / 16, units = s->images * groups;
    const int end = rnc_share(units, part + 1, parts);
    int i, y, x, c;
    (void)t;
    for (i = rnc_share(units, part, parts); i < end; i++) {
        const int n = i / groups, first = i % groups * 16;
        const int last = first + 16 < s->c ? first + 16 : s->c;
        for (y = 0; y < s->h; y++)
            for (x = 0; x < s->w; x++) {
                const float *in =
                    (const float *)o->in[0] + rnc_at(n, s->in_image, y, s->in_row, x, s->in_pixel);
                float *out = (float *)o->out[0] + rnc_at(n, s->out_image, y, s->w, x, 1);
                for (c = first; c < last; c++)
                    out[(ptrdiff_t)c * s->h * s->w] = in[c];
            }
    }
}
