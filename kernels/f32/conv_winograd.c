/* conv_winograd: 3x3 convolution of stride 1 or 2 by Winograd's method: tiles of m x m output
 * pixels cost (m + 2)^2 products a channel instead of 9 m^2, of stride 2 (2 m + 1)^2.  A group of
 * tiles at a time: their windows are transformed into scratch, [plane][tile][in_c]; then, a panel
 * of output channels after the other, the products of each plane, [tile][in_c] times [in_c][width],
 * and the transform back with bias, residual and activation.  The filters lie transformed in the
 * panels, [frequency][in_c][width]; the planes of odd pixels share theirs.
 * RNC_NARROW stands before, as for conv_direct. */
#define winograd_plane RNC_FN(winograd_plane)
#define winograd_products RNC_FN(winograd_products)
#define winograd_panels RNC_FN(winograd_panels)
#define winograd_group RNC_FN(winograd_group)

/* Tiles first .. end-1 of one plane, a block of rows of the filters after the other: it stays in a
 * near cache while all tiles pass. */
RNC_KERNEL void winograd_plane(const rnc_conv_shape *s, const rnc_tile *t,
                               const rnc_winograd_cut *c, winograd_piece *p, int first, int end,
                               const float *in, const float *w, float *out)
{
    /* Bytes that filters are fetched ahead at most.  With few tiles a plane is too short to fetch
     * the next plane's: they are fetched earlier and wait in the L2. */
    enum { AHEAD = 65536 };
    const int depth = rnc_depth(t, s->in_c);
    in += first * p->pitch;
#ifdef RNC_DIAGONALS
    if (s->in_c % 4 == 0) {
        winograd_diagonals(t, p, s->in_c, 0, end - first, in, w, out + first * p->wide);
        return;
    }
#endif
    for (int k = 0; k < s->in_c; k += depth) {
        p->last = k + depth >= s->in_c;
        p->depth = p->last ? s->in_c - k : depth;
        p->more = k > 0;
        p->far = (const char *)(w + k * p->width) + AHEAD;
        p->next = in + (p->last ? c->plane : k + depth);
        winograd_blocks(s, t, p, end - first, in + k, w + k * p->width, out + first * p->wide);
    }
}

/* `units` units times a panel of p->width channels, plane after plane. */
RNC_KERNEL void winograd_products(const rnc_conv_shape *s, const rnc_tile *t,
                                  const rnc_winograd_cut *c, winograd_piece *p, int units,
                                  const float *in, const float *w, float *out)
{
    const int side = c->side, frequencies = s->winograd + 2;
    rnc_conv_shape by_tile = *s;
    winograd_kinds k;
    by_tile.in_pixel = c->pitch;
    by_tile.stride_w = 1;
    winograd_count(c, units, &k);
    for (int y = 0; y < side; y++) {
        const int fy = y < frequencies ? y : frequencies - 1, spare_y = winograd_spare(s, y);
        for (int x = 0; x < side; x++) {
            const int fx = x < frequencies ? x : frequencies - 1;
            const int spare_x = winograd_spare(s, x);
            const int first = spare_x ? k.whole : 0;
            const int end = spare_y ? k.low : spare_x ? k.small : k.end;
            winograd_plane(&by_tile, t, c, p, first, end, in,
                           w + (fy * frequencies + fx) * s->in_c * p->width, out);
            in += c->plane;
            out += c->product;
        }
    }
}

/* Panels first .. end-1 of `width` channels, from `channel` on, for the units transformed in
 * scratch. */
RNC_KERNEL void winograd_panels(const rnc_conv_shape *s, const rnc_tile *t, const rnc_operands *o,
                                const rnc_winograd_cut *c, int unit, int units, float *scratch,
                                const float *w, int channel, int width, int first, int end)
{
    const int frequencies = s->winograd + 2;
    const ptrdiff_t size = (ptrdiff_t)width * (frequencies * frequencies * s->in_c + 1);
    float *products = scratch + c->side * c->side * c->plane;
    winograd_piece p;
    p.width = width;
    p.pitch = c->pitch;
    p.wide = c->wide;
    p.ahead = (const char *)(w + first * size + (s->in_c + 1) * width); /* the second plane's */
    for (int i = first; i < end; i++) {
        const float *panel = w + i * size;
        winograd_products(s, t, c, &p, units, scratch, panel + width, products);
        winograd_outputs(s, o, c, unit, units, products, panel, channel + i * width, width, 0);
    }
}

/* `units` units from `unit` on, panels p0 .. p1-1 of `full` whole ones and perhaps a narrow one. */
RNC_KERNEL void winograd_group(const rnc_conv_shape *s, const rnc_tile *t, const rnc_operands *o,
                               const rnc_winograd_cut *c, int unit, int units, float *scratch,
                               int p0, int p1)
{
    const int frequencies = s->winograd + 2;
    rnc_panels_cut panels;
    rnc_cut_panels(s, &panels);
    winograd_windows(s, o, c, unit, units, scratch);
    winograd_panels(s, t, o, c, unit, units, scratch, o->weights, 0, s->panel, p0,
                    p1 < panels.full ? p1 : panels.full);
    if (RNC_NARROW && panels.narrow > 0 && p0 <= panels.full && p1 > panels.full) {
        const int wide = panels.full * s->panel;
        const float *w = o->weights + (ptrdiff_t)wide * (frequencies * frequencies * s->in_c + 1);
        winograd_panels(s, t, o, c, unit, units, scratch, w, wide, panels.narrow, 0, 1);
    }
}

/* Each part has scratch of its own, of which rnc_cut_winograd() says the size. */
RNC_KERNEL void RNC_FN(conv_winograd)(const rnc_conv_shape *s, const rnc_tile *t,
                                      const rnc_operands *o, int part, int parts)
{
    winograd_work k;
    winograd_works(s, t, o, part, parts, 0, &k);
    for (int g = k.g0; g < k.g1 && k.p0 < k.p1; g++) {
        const rnc_winograd_cut *const c = &k.cut;
        const int unit = g * c->size + (g < c->longer ? g : c->longer);
        winograd_group(s, t, o, c, unit, c->size + (g < c->longer), k.scratch, k.p0, k.p1);
    }
}
#undef winograd_plane
#undef winograd_products
#undef winograd_panels
#undef winograd_group
