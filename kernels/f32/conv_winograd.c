/* conv_winograd: 3x3 convolution with stride 1 or 2 by Winograd's method.
 * The kernel takes one group of tiles at a time.  First, their windows are transformed into
 * scratch, [plane][tile][in_c].  Then, for one panel after the other, come the products of each
 * plane, [tile][in_c] times [in_c][width], and the transform back with bias, residual and
 * activation.  Filters are stored transformed in the panels, [frequency][in_c][width]; the planes
 * of odd pixels share filters. */
#define winograd_plane RNC_FN(winograd_plane)
#define winograd_products RNC_FN(winograd_products)
#define winograd_one_panel RNC_FN(winograd_one_panel)

/* Tiles first .. end-1 of one plane.  The filters are taken in blocks of rows, one after the other:
 * a block stays in a near cache while all tiles pass. */
RNC_KERNEL void winograd_plane(const rnc_knobs *t, winograd_piece *p, int first, int end,
                               const float *in, const char *w, float *out)
{
    /* The most bytes ahead that filters are fetched: with few tiles a plane is too short to fetch
     * the next plane's, which then wait in the L2. */
    enum { AHEAD = 131072 };
    const int depth = rnc_depth(t, p->in_c), row = p->rows.width * rnc_weight_bytes(p->rows.elem);
    in += first * p->rows.pixel;
    out += first * p->wide;
#ifdef RNC_DIAGONALS
    if (p->in_c % 4 == 0) {
        p->depth = p->in_c;
        p->more = 0;
        winograd_diagonals(t, p, end - first, in, w, out);
        return;
    }
#endif
    for (int k = 0; k < p->in_c; k += depth) {
        const int last = k + depth >= p->in_c;
        p->depth = last ? p->in_c - k : depth;
        p->more = k > 0;
        p->far = w + k * row + AHEAD;
        p->next = in - first * p->rows.pixel + (last ? p->plane : k + depth);
        winograd_blocks(t, p, end - first, in + k, w + k * row, out);
    }
}

/* Multiplies the tiles of a group by a panel, plane after plane; w: the panel's filters. */
RNC_KERNEL void winograd_products(const rnc_conv_shape *s, const rnc_knobs *t,
                                  const winograd_group *g, winograd_piece *p, const char *w)
{
    const int side = g->c->side, frequencies = s->winograd + 2;
    const int plane = s->in_c * p->rows.width * rnc_weight_bytes(p->rows.elem);
    const winograd_kinds *const k = &g->kinds;
    const float *in = g->windows;
    float *out = g->products;
    for (int y = 0; y < side; y++) {
        const int fy = y < frequencies ? y : frequencies - 1, spare_y = winograd_spare(s, y);
        for (int x = 0; x < side; x++) {
            const int fx = x < frequencies ? x : frequencies - 1;
            const int spare_x = winograd_spare(s, x);
            const int first = spare_x ? k->whole : 0;
            const int end = spare_y ? k->low : spare_x ? k->small : k->end;
            winograd_plane(t, p, first, end, in, w + (fy * frequencies + fx) * plane, out);
            in += g->c->plane;
            out += g->c->product;
        }
    }
}

/* Computes panel i, which has `width` channels, for the windows of a group. */
RNC_KERNEL void winograd_one_panel(const rnc_conv_shape *s, const rnc_knobs *t,
                                   const rnc_operands *o, const winograd_group *g,
                                   winograd_piece *p, int i, int width)
{
    const int frequencies = s->winograd + 2, deep = frequencies * frequencies * s->in_c;
    const char *panel = (const char *)o->weights +
                        i * rnc_panel_bytes(s->weights, s->panel, (ptrdiff_t)deep * s->panel);
    const float *bias = (const float *)(const void *)panel;
    p->rows.width = width;
    winograd_products(s, t, g, p, (const char *)(bias + width));
    winograd_outputs(s, o, g, bias, i * s->panel, width, 0);
}

/* Each part has scratch of its own, whose size rnc_cut_winograd() gives. */
RNC_KERNEL void RNC_FN(conv_winograd)(const rnc_conv_shape *s, const rnc_knobs *t,
                                      const rnc_operands *o, int part, int parts)
{
    const int frequencies = s->winograd + 2, deep = frequencies * frequencies * s->in_c;
    const ptrdiff_t size = rnc_panel_bytes(s->weights, s->panel, (ptrdiff_t)deep * s->panel);
    rnc_panels_cut panels;
    winograd_work k;
    rnc_cut_panels(s, &panels);
    winograd_works(s, t, o, part, parts, 0, &k);
    for (int i = k.g0; i < k.g1 && k.p0 < k.p1; i++) {
        winograd_group g;
        winograd_piece p;
        winograd_choose(&k, i, &g);
        winograd_begin(s, t, &k.cut, &p);
        p.rows.elem = s->weights;
        p.ahead = (const char *)o->weights + k.p0 * size + s->panel * (int)sizeof(float) +
                  s->in_c * s->panel * rnc_weight_bytes(s->weights); /* of the second plane */
        winograd_windows(s, o, &g);
        for (int j = k.p0; j < (k.p1 < panels.full ? k.p1 : panels.full); j++)
            winograd_one_panel(s, t, o, &g, &p, j, s->panel);
#ifdef RNC_NARROW
        if (panels.narrow > 0 && k.p1 > panels.full)
            winograd_one_panel(s, t, o, &g, &p, panels.full, panels.narrow);
#endif
    }
}
#undef winograd_plane
#undef winograd_products
#undef winograd_one_panel
