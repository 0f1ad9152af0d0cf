/* filter_pack: master filters, plain or in packed panels, in the order that a convolution reads.
 * Operands: filters, bias (NULL if the master is packed, or there is none) -> packed.
 *
 * Without s->turned: packed panels for the forward convolution, [group][panel]: bias[width], then
 * [kernel_h][kernel_w][to_in][width].  With it, for conv_grad_data: one set of panels for each
 * phase of the stride that has taps, [phase][group][panel]: zeros[width], then [taps down][taps
 * across][to_in][width], where a panel's channels are the forward convolution's inputs, to_in
 * counts its outputs, and the taps of a phase are in reverse order (rnc_cut_phase).  A phase of
 * stride 1 is what conv_direct and filter_winograd read.  Numbers that no filter has are 0. */
#define pack_panel RNC_FN(pack_panel)
#define pack_rows RNC_FN(pack_rows)
#define pack_columns RNC_FN(pack_columns)
#define pack_copy RNC_FN(pack_copy)
#define pack_block RNC_FN(pack_block)
#define pack_tap RNC_FN(pack_tap)
#define pack_bias RNC_FN(pack_bias)
#define pack_phase RNC_FN(pack_phase)

/* A panel of the result: channels first .. first+width-1 of a group. */
typedef struct pack_panel {
    int group, first, width;
    float *to; /* its biases */
} pack_panel;

/* Copies nc rows of nj numbers each; from: distances dc and dj, to: rows of `width`.  What is read
 * some rows or blocks later is fetched: it is far apart, so the CPU does not see it coming. */
RNC_KERNEL void pack_rows(const float *from, ptrdiff_t dc, float *to, int width, int nc, int nj)
{
    enum { AHEAD = 16, LINE = 16 };
    for (int c = 0; c < nc; c++, from += dc, to += width) {
        RNC_PREFETCH(from + AHEAD * dc);
        RNC_PREFETCH(from + AHEAD * dc + LINE);
        for (int j = 0; j < nj; j += RNC_VL) {
            const int n = nj - j < RNC_VL ? nj - j : RNC_VL;
            vf_store_some(to + j, vf_load_some(from + j, n), n);
        }
    }
}

/* ahead: the distance to what is read next but not side by side with this. */
RNC_KERNEL void pack_columns(const float *from, ptrdiff_t dc, ptrdiff_t dj, float *to, int width,
                             int nc, int nj, ptrdiff_t ahead)
{
    for (int j = 0, n; j < nj; j += n) {
        int c = 0;
        n = nj - j < 4 ? nj - j : 4;
        for (int i = 0; i < n; i++)
            RNC_PREFETCH(from + (j + i) * dj + ahead);
#if RNC_VL > 1
        for (; n == 4 && dc == 1 && c + RNC_VL <= nc; c += RNC_VL) {
            vf v[4];
            RNC_UNROLL(4)
            for (int i = 0; i < 4; i++)
                v[i] = vf_loadu(from + (j + i) * dj + c);
            vf_turn(v);
            vf_put_fours(to + c * width + j, width, v);
        }
#endif
        for (; c < nc; c++)
            for (int i = j; i < j + n; i++)
                to[c * width + i] = from[c * dc + i * dj];
    }
}

RNC_KERNEL void pack_copy(const float *from, ptrdiff_t dc, ptrdiff_t dj, float *to, int width,
                          int nc, int nj, ptrdiff_t ahead)
{
    if (dj == 1)
        pack_rows(from, dc, to, width, nc, nj);
    else
        pack_columns(from, dc, dj, to, width, nc, nj, ahead);
}

/* Rows c .. c+nc-1 of a tap, which exist, up to the last channel that exists. */
RNC_KERNEL void pack_block(const rnc_repack_shape *s, const float *filters, const pack_panel *p,
                           int tap, int c, int nc, float *to)
{
    const int depth = s->kernel_h * s->kernel_w * s->in_c, group_c = s->out_c / s->groups;
    const int real = s->plain ? s->filters / s->groups : group_c;
    const int channels = (s->turned ? s->in_c : real) - p->first;
    const int end = channels < p->width ? channels : p->width;
    for (int i = c, ni = nc; i < c + nc && end > 0; i += ni)
        for (int j = 0, nj; j < end; j += nj) {
            const int out = s->turned ? i : p->first + j, in = s->turned ? p->first + j : i;
            const int begin = out / s->panel * s->panel, left = group_c - begin;
            const int width = left < s->panel ? left : s->panel, more = begin + width - out;
            ptrdiff_t at = (ptrdiff_t)(p->group * real + out) * depth + tap * s->in_c + in;
            ptrdiff_t dout = depth, din = 1, ahead = 32;
            ni = c + nc - i, nj = end - j;
            if (!s->plain) { /* not beyond the end of the master's panel */
                at = (ptrdiff_t)(p->group * group_c + begin) * (depth + 1) + (out - begin) +
                     (ptrdiff_t)(tap * s->in_c + in + 1) * width;
                dout = 1, din = width;
                ahead = (ptrdiff_t)(depth + 1) * width; /* the next panel */
                ni = s->turned && more < ni ? more : ni;
                nj = !s->turned && more < nj ? more : nj;
            }
            pack_copy(filters + at, s->turned ? dout : din, s->turned ? din : dout,
                      to + (i - c) * p->width + j, p->width, ni, nj, ahead);
        }
}

/* Tap `tap` of the master as tap `place` of a panel.  The rows are taken in blocks, so that what is
 * read side by side is used before it leaves the near cache. */
RNC_KERNEL void pack_tap(const rnc_repack_shape *s, const float *filters, const pack_panel *p,
                         int tap, int place)
{
    enum { BLOCK = 16 };
    const int real = s->plain ? s->filters / s->groups : s->out_c / s->groups;
    const int rows = s->turned ? real : s->in_c, channels = s->turned ? s->in_c : real;
    float *to = p->to + (ptrdiff_t)(place * s->to_in + 1) * p->width;
    for (int c = 0; c < s->to_in; c += BLOCK, to += BLOCK * p->width) {
        const int n = s->to_in - c < BLOCK ? s->to_in - c : BLOCK;
        const int exist = rnc_clamp(rows - c, 0, n);
        if (exist < n || channels - p->first < p->width)
            for (int i = 0; i < n * p->width; i++) /* gcc fears a memset of a negative size */
                to[i] = 0.0f;
        if (exist > 0)
            pack_block(s, filters, p, tap, c, exist, to);
    }
}

RNC_KERNEL void pack_bias(const rnc_repack_shape *s, const rnc_operands *o, const pack_panel *p)
{
    const int depth = s->kernel_h * s->kernel_w * s->in_c, group_c = s->out_c / s->groups;
    const float *const filters = (const float *)o->in[0], *const bias = (const float *)o->in[1];
    for (int j = 0; j < p->width; j++) {
        const int out = p->first + j, begin = out / s->panel * s->panel;
        float b = 0.0f;
        if (!s->turned && s->plain && bias && p->group * group_c + out < s->filters)
            b = bias[p->group * group_c + out];
        else if (!s->turned && !s->plain && out < group_c)
            b = filters[(ptrdiff_t)(p->group * group_c + begin) * (depth + 1) + (out - begin)];
        p->to[j] = b;
    }
}

/* The part's share of a phase's (panel, tap). */
RNC_KERNEL void pack_phase(const rnc_repack_shape *s, const rnc_operands *o, const rnc_phase_cut *y,
                           const rnc_phase_cut *x, float *to, const int *share)
{
    const int group_c = s->to_c / s->groups, each = rnc_div_up(group_c, s->to_panel);
    const int taps = y->taps * x->taps, all = s->groups * each * taps;
    for (int i = rnc_share(all, share[0], share[1]); i < rnc_share(all, share[0] + 1, share[1]);
         i++) {
        const int panel = i / taps, place = i % taps, at = panel % each * s->to_panel;
        const int ky = y->first + (y->taps - 1 - place / x->taps) * y->step;
        const int kx = x->first + (x->taps - 1 - place % x->taps) * x->step;
        const int tap = s->turned ? ky * s->kernel_w + kx : place;
        pack_panel p;
        p.group = panel / each, p.first = at;
        p.width = group_c - at < s->to_panel ? group_c - at : s->to_panel;
        p.to = to + (ptrdiff_t)(p.group * group_c + at) * (taps * s->to_in + 1);
        if (place == 0)
            pack_bias(s, o, &p);
        pack_tap(s, (const float *)o->in[0], &p, tap, place);
    }
}

RNC_KERNEL void RNC_FN(filter_pack)(const rnc_repack_shape *s, const rnc_knobs *t,
                                    const rnc_operands *o, int part, int parts)
{
    const int share[2] = {part, parts};
    const int down = s->turned ? s->stride_h : 1, across = s->turned ? s->stride_w : 1;
    float *to = (float *)o->out[0];
    rnc_phase_cut y, x;
    (void)t;
    for (int i = 0; i < down * across; i++) {
        rnc_cut_phase(1, s->kernel_h, down, s->dilation_h, s->pad_top, i / across, &y);
        rnc_cut_phase(1, s->kernel_w, across, s->dilation_w, s->pad_left, i % across, &x);
        pack_phase(s, o, &y, &x, to, share);
        to += rnc_phase_floats(&y, &x, s->to_in, s->to_c);
    }
}
#undef pack_panel
#undef pack_rows
#undef pack_columns
#undef pack_copy
#undef pack_block
#undef pack_tap
#undef pack_bias
#undef pack_phase
