/* filter_sum: adds the gradients of slices, as conv_grad_weights stores them, in a binary tree over
 * the slices.  Operands: sums -> grad, and bias where s->plain.  The result is packed panels, or
 * plain filters and biases (those of channels from s->filters on are left out).  With s->accumulate
 * the sum is added to what the result was.  The result may be the first slice if it is packed. */
#define filter_turn RNC_FN(filter_turn)
#define filter_rows RNC_FN(filter_rows)
#define filter_bias RNC_FN(filter_bias)

#define filter_most 16

/* The filters of a vector of channels, of `most` rows, to plain filters `depth` floats apart; what
 * comes after these rows is fetched. */
RNC_KERNEL void filter_turn(float (*sums)[RNC_VL], float *to, int depth)
{
    float turned[RNC_VL][filter_most];
#if RNC_VL > 1
    for (int i = 0; i < filter_most; i += 4) {
        vf v[4];
        RNC_UNROLL(4)
        for (int k = 0; k < 4; k++)
            v[k] = vf_loadu(sums[i + k]);
        vf_turn(v);
        vf_put_fours(&turned[0][i], filter_most, v);
    }
#else
    for (int i = 0; i < filter_most; i++)
        turned[0][i] = sums[i][0];
#endif
    for (int j = 0; j < RNC_VL; j++, to += depth) {
        memcpy(to, turned[j], sizeof turned[j]);
        RNC_PREFETCH_WRITE(to + filter_most);
    }
}

/* Plain filters from rows `row` .. `end`-1, at most filter_most, of the vector of channels that
 * begins at channel `first`. */
RNC_KERNEL void filter_rows(const rnc_filter_shape *s, const rnc_operands *o, const float *from,
                            int width, int first, int row, int end)
{
    const int depth = s->kernel_h * s->kernel_w * s->in_c;
    float *const grad = (float *)o->out[0];
    float sums[filter_most][RNC_VL];
    for (int i = row; i < end; i++)
        vf_storeu(sums[i - row],
                  sum_tree(from + (ptrdiff_t)(i + 1) * width, rnc_filter_floats(s), s->slices));
    if (end - row == filter_most && first + RNC_VL <= s->filters && !s->accumulate) {
        filter_turn(sums, grad + (ptrdiff_t)first * depth + row, depth);
        return;
    }
    for (int j = 0; j < RNC_VL && first + j < s->filters; j++) {
        for (int i = row; i < end; i++) {
            float *to = grad + (ptrdiff_t)(first + j) * depth + i;
            *to = s->accumulate ? *to + sums[i - row][j] : sums[i - row][j];
        }
    }
}

/* The biases of a vector of channels. */
RNC_KERNEL void filter_bias(const rnc_filter_shape *s, const rnc_operands *o, const float *from,
                            int first)
{
    float *const bias = (float *)o->out[1];
    float sums[RNC_VL];
    vf_storeu(sums, sum_tree(from, rnc_filter_floats(s), s->slices));
    for (int j = 0; j < RNC_VL && first + j < s->filters; j++)
        bias[first + j] = s->accumulate ? bias[first + j] + sums[j] : sums[j];
}

RNC_KERNEL void RNC_FN(filter_sum)(const rnc_filter_shape *s, const rnc_knobs *t,
                                   const rnc_operands *o, int part, int parts)
{
    const ptrdiff_t floats = rnc_filter_floats(s), vectors = floats / RNC_VL;
    const int depth = s->kernel_h * s->kernel_w * s->in_c;
    const int pieces = rnc_div_up(depth, filter_most);
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
        const int row = i % pieces * filter_most, end = row + filter_most;
        rnc_panel_place p;
        rnc_find_panel(s, i / pieces, &p);
        for (int j = 0; j < p.width; j += RNC_VL) {
            const float *const from = sums + (ptrdiff_t)p.first * (depth + 1) + j;
            if (row == 0 && o->out[1])
                filter_bias(s, o, from, p.first + j);
            filter_rows(s, o, from, p.width, p.first + j, row, end < depth ? end : depth);
        }
    }
}
#undef filter_turn
#undef filter_rows
#undef filter_bias
#undef filter_most
