/* conv_winograd_panels: 3x3 convolution with stride 1 by Winograd's F(m x m, 3 x 3) of the plain
 * filters that a training has: panels of bias[width], then [3][3][in_c][width].  Filters are
 * transformed in scratch, for each group of tiles again: those of conv_winograd, which
 * filter_winograd makes, are four times as large and pass through memory.  While a panel is
 * multiplied, the next one is fetched. */
#define panels_one RNC_FN(panels_one)

/* Computes panel i, which has `width` channels, for the windows of a group. */
RNC_KERNEL void panels_one(const rnc_conv_shape *s, const rnc_knobs *t, const rnc_operands *o,
                           const winograd_group *g, winograd_piece *p, int i, int width)
{
    enum { FLOAT = sizeof(float) };
    const int tap = s->in_c * width * FLOAT;
    const ptrdiff_t floats = (ptrdiff_t)(9 * s->in_c + 1) * s->panel;
    const float *bias = (const float *)o->weights + i * floats;
    const taps_place taps = {(const char *)(bias + width), tap, width * FLOAT};
    p->rows.width = width;
    p->ahead = taps.w + 9 * (ptrdiff_t)tap;
    p->far = p->ahead + floats * FLOAT;
    taps_in_blocks(s, t, g, p, &taps, g->windows + g->c->floats);
    winograd_outputs(s, o, g, bias, i * s->panel, width, s->winograd == 4);
}

/* Each part has scratch of its own; rnc_cut_winograd() and rnc_cut_taps() give its size. */
RNC_KERNEL void RNC_FN(conv_winograd_panels)(const rnc_conv_shape *s, const rnc_knobs *t,
                                             const rnc_operands *o, int part, int parts)
{
    rnc_panels_cut panels;
    rnc_taps_cut taps;
    winograd_work k;
    rnc_cut_panels(s, &panels);
    rnc_cut_taps(s, t, &taps);
    winograd_works(s, t, o, part, parts, taps.floats, &k);
    for (int i = k.g0; i < k.g1 && k.p0 < k.p1; i++) {
        winograd_group g;
        winograd_piece p;
        winograd_choose(&k, i, &g);
        winograd_begin(s, t, &k.cut, &p);
        winograd_windows(s, o, &g);
        for (int j = k.p0; j < (k.p1 < panels.full ? k.p1 : panels.full); j++)
            panels_one(s, t, o, &g, &p, j, s->panel);
#ifdef RNC_NARROW
        if (panels.narrow > 0 && k.p1 > panels.full)
            panels_one(s, t, o, &g, &p, panels.full, panels.narrow);
#endif
    }
}
#undef panels_one
