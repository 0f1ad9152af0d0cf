/* filter_sum: adds the gradients of slices, as conv_grad_weights stores them, in a binary tree over
 * the slices.  Operands: sums -> grad, and bias where s->plain.  The result is packed panels, or
 * plain filters and biases (those of channels from s->filters on are left out).  With s->accumulate
 * the sum is added to what the result was.  The result may be the first slice if it is packed. */
#define filter_rows RNC_FN(filter_rows)

#define filter_most 16

/* Plain filters from rows `row` .. `end`-1, at most filter_most, of the vector of channels that
 * begins at channel `first`; row -1 is the biases. */

RNC_KERNEL void filter_rows(const rnc_filter_shape *s, const rnc_operands *o, const float *from,
                            int width, int first, int row, int end)
{
    const int depth = s->kernel_h * s->kernel_w * s->in_c;
    float *const grad = (float *)o->out[0], *const bias = (float *)o->out[1];
    float sums[filter_most][RNC_VL];
    for (int i = row; i < end; i++)
        vf_storeu(sums[i - row],
                  sum_tree(from + (ptrdiff_t)(i + 1) * width, rnc_filter_floats(s), s->slices));
    for (int j = 0; j < RNC_VL && first + j < s->filters; j++) {
        if (row < 0 && bias)
            bias[first + j] = s->accumulate ? bias[first + j] + sums[0][j] : sums[0][j];
        for (int i = row < 0 ? 0 : row; i < end; i++) {
            float *to = grad + (ptrdiff_t)(first + j) * depth + i;
            *to = s->accumulate ? *to + sums[i - row][j] : sums[i - row][j];
        }
    }
}

RNC_KERNEL void RNC_FN(filter_sum)(const rnc_filter_shape *s, const rnc_knobs *t,
                                   const rnc_operands *o, int part, int parts)
{
    const ptrdiff_t floats = rnc_filter_floats(s), vectors = floats / RNC_VL;
    const int depth = s->kernel_h * s->kernel_w * s->in_c,
              pieces = rnc_div_up(depth + 1, filter_most);
    const float *const sums = (const float *)o->in[0];
    (void)t;
    if (!s->plain) {
        float *const out = (float *)o->out[0];
        const ptrdiff_t end = vectors * (part + 1) / parts * RNC_VL;
        for (ptrdiff_t i = vectors * part / parts * RNC_VL; i < end; i += RNC_VL) {
            const vf v = sum_tree(sums + i, floats, s->slices);
            vf_store(out + i, s->accumulate ? vf_load(out + i) + v : v);
        }
        return;
    }
    const int all = rnc_filter_panels(s) * pieces;
    for (int i = rnc_share(all, part, parts); i < rnc_share(all, part + 1, parts); i++) {
        const int row = i % pieces * filter_most - 1, end = row + filter_most;
        rnc_panel_place p;
        rnc_find_panel(s, i / pieces, &p);
        for (int j = 0; j < p.width; j += RNC_VL)
            filter_rows(s, o, sums + (ptrdiff_t)p.first * (depth + 1) + j, p.width, p.first + j,
                        row, end < depth ? end : depth);
    }
}
#undef filter_rows
#undef filter_most
