/* tile.h: the core of the convolutions: a register tile of n pixels times nv vectors of
 * channels. */
#define conv_rows RNC_FN(conv_rows)
#define conv_fetch RNC_FN(conv_fetch)
#define conv_steps RNC_FN(conv_steps)
#define conv_limit RNC_FN(conv_limit)
#define conv_diagonals RNC_FN(conv_diagonals)
#define conv_steps_diagonal RNC_FN(conv_steps_diagonal)
#define conv_run_diagonal RNC_FN(conv_run_diagonal)
#define conv_split RNC_FN(conv_split)
#define conv_join RNC_FN(conv_join)

/* How the pixels of a register tile and the rows of its weights are stored. */
typedef struct conv_rows {
    int wide;        /* how many neighbouring pixels of the tile are in one row */
    int row, pixel;  /* elements from input row to row, and from pixel to pixel */
    int elem, width; /* of the weights: element type, and channels in a row */
    int memory;      /* percent of the multiply-adds that take their input from memory */
    int near;        /* 1: rows of weights are fetched into the nearest cache */
} conv_rows;

/* Weights to fetch during some input channels: `lines` cache lines, `gap` bytes apart.  They are
 * spread over the multiply-adds: a core has few lines on their way at a time, and what it loads
 * waits behind a burst of them. */
typedef struct conv_fetch {
    const char *at;
    int lines, gap;
} conv_fetch;

/* u input channels: acc[i][j] += a[pixel i][k] * w[k][vector j]. */
RNC_KERNEL void conv_steps(const conv_rows *r, vf *acc, const float *a, const char *w,
                           const conv_fetch *fetch, int u, int n, int nv)
{
    const int elem = r->elem, bytes = rnc_weight_bytes(elem), step = r->width * bytes;
    const int vector = RNC_VL * bytes;
    RNC_UNROLL(32)
    for (int k = 0; k < u; k++) {
        vf b[32]; /* what stays in registers for this k: weights or, with few pixels, inputs */
        const int few = n < nv, kept = few ? 0 : nv, passed = nv - kept; /* vectors of weights */
        RNC_UNROLL(8)
        for (int j = 0; j < kept; j++)
            b[j] = vf_load_weights(w + k * step + j * vector, elem);
        if (r->near)
            RNC_PREFETCH_NEAR(w + (k + 4) * step);
        RNC_UNROLL(32)
        for (int i = 0; i < n; i++) {
            const float *x = a + i / r->wide * r->row + i % r->wide * r->pixel + k;
            if (few) {
                RNC_BROADCAST(b[i], x);
            } else if ((i + 1) * r->memory / 100 > i * r->memory / 100) {
                RNC_UNROLL(8)
                for (int j = 0; j < nv; j++)
                    RNC_FMA_MEM(acc[i * nv + j], x, b[j]);
            } else {
                vf v;
                RNC_BROADCAST(v, x);
                RNC_UNROLL(8)
                for (int j = 0; j < nv; j++)
                    RNC_FMA(acc[i * nv + j], v, b[j]);
            }
            RNC_UNROLL(8)
            for (int j = (k * n + i) * fetch->lines / (u * n);
                 j < (k * n + i + 1) * fetch->lines / (u * n); j++)
                RNC_PREFETCH(fetch->at + j * fetch->gap);
        }
        RNC_UNROLL(8)
        for (int j = 0; j < passed; j++) {
            const vf v = vf_load_weights(w + k * step + j * vector, elem);
            RNC_UNROLL(8)
            for (int i = 0; i < n; i++)
                RNC_FMA(acc[i * nv + j], b[i], v);
        }
    }
}

/* Applies the short activations.  Their constants are loaded here, by asm: in registers they would
 * displace sums. */
RNC_KERNEL vf conv_limit(const rnc_conv_shape *s, vf v)
{
    static const float six = 6.0f;
    vf limit;
    if (s->act == RNC_ACT_RELU || s->act == RNC_ACT_RELU6) {
        RNC_ZERO(limit);
        v = vf_max(limit, v);
    }
    if (s->act == RNC_ACT_RELU6) {
        RNC_BROADCAST(limit, &six);
        v = vf_min(limit, v);
    }
    return v;
}

#ifdef RNC_LONG_ACT
#define conv_act RNC_FN(conv_act)

/* The long activations, in a loop of their own; slopes: those of the first channel on. */
RNC_KERNEL void conv_act(const rnc_conv_shape *s, int n, int nv, int wide, const float *slopes,
                         float *out)
{
    for (int i = 0; i < n; i++) {
        float *to = out + i / wide * s->out_row + i % wide * s->out_pixel;
        for (int j = 0; j < nv; j++, to += RNC_VL)
            vf_store(to, vf_layer_act(vf_load(to), s->act, s->alpha, s->beta, slopes + j * RNC_VL));
    }
}
#endif

#ifdef RNC_DIAGONALS
/* For ISAs where a multiplication cannot take one number from memory for all lanes: vectors of four
 * inputs, as they are stored, times diagonals of 4 x 4 weights.  Lane l of sum r is a part of
 * output l ^ r, so no input is shuffled.  This reorders weights, [rows][width], into floats,
 * [width / 4][rows / 4][4][4]: number l of diagonal r is that of input l and output l ^ r. */
RNC_KERNEL void conv_diagonals(float *d, const char *w, int elem, int rows, int width)
{
    const int bytes = rnc_weight_bytes(elem), row = width * bytes;
    for (int k = 0; k < rows; k += 4, w += 4 * row) {
        for (int j = 0; j < width; j += 4) {
            float *to = d + j * rows + 4 * k;
            const char *from = w + j * bytes;
            const vf w0 = vf_load_weights(from, elem), w1 = vf_load_weights(from + row, elem);
            const vf w2 = vf_load_weights(from + 2 * row, elem);
            const vf w3 = vf_load_weights(from + 3 * row, elem);
            vf low, high, low2, high2, v;
            RNC_MIX(low, w0, w1, 0, 4, 1, 5);
            RNC_MIX(high, w0, w1, 2, 6, 3, 7);
            RNC_MIX(low2, w2, w3, 0, 4, 1, 5);
            RNC_MIX(high2, w2, w3, 2, 6, 3, 7);
            RNC_MIX(v, low, high2, 0, 3, 4, 7);
            vf_store(to, v);
            RNC_MIX(v, low, high2, 2, 1, 6, 5);
            vf_store(to + 4, v);
            RNC_MIX(v, high, low2, 0, 3, 4, 7);
            vf_store(to + 8, v);
            RNC_MIX(v, high, low2, 2, 1, 6, 5);
            vf_store(to + 12, v);
        }
    }
}

/* Multiplies u times four inputs of n pixels, one to three, which are `pixel` floats apart; d:
 * their diagonals. */
RNC_KERNEL void conv_steps_diagonal(vf *acc, const float *a, int pixel, const float *d, int u,
                                    int n)
{
    RNC_UNROLL(4)
    for (int k = 0; k < u; k++) {
        const float *const x0 = a + 4 * k, *const x2 = n > 2 ? x0 + 2 * pixel : x0;
        vf x = vf_load(x0), y = vf_load(n > 1 ? x0 + pixel : x0);
        RNC_UNROLL(4)
        for (int r = 0; r < 4; r++) {
            const float *v = d + 16 * k + 4 * r;
            if (n == 3 && r < 3)
                RNC_FMA_AT3(acc[3 * r], acc[3 * r + 1], acc[3 * r + 2], x, y, x2, v);
            else if (n == 3)
                RNC_FMA_LAST3(acc[3 * r], acc[3 * r + 1], acc[3 * r + 2], x, y, x2, v);
            else if (n == 2)
                RNC_FMA_AT2(acc[2 * r], acc[2 * r + 1], x, y, v);
            else
                RNC_FMA_AT(acc[r], x, v);
        }
    }
}

/* Takes `rows` inputs that are stored side by side, a multiple of 4, and fetches as many floats
 * from `ahead` on. */
RNC_KERNEL void conv_run_diagonal(vf *acc, const float *a, int pixel, const float *d, int rows,
                                  int n, const char *ahead)
{
    for (int turns = rows / 16; turns > 0; turns--) {
        RNC_BASE(a);
        RNC_BASE(d);
        conv_steps_diagonal(acc, a, pixel, d, 4, n);
        RNC_PREFETCH_NEAR(ahead);
        ahead += 64;
        a += 16;
        d += 64;
    }
    conv_steps_diagonal(acc, a, pixel, d, rows / 4 % 4, n);
}

/* Sets the other sums of n pixels to 0 before the loop, and adds them to the first after it. */
RNC_KERNEL void conv_split(vf *acc, int n)
{
    RNC_UNROLL(9)
    for (int i = n; i < 4 * n; i++)
        RNC_ZERO(acc[i]);
}

RNC_KERNEL void conv_join(vf *acc, int n)
{
    RNC_UNROLL(3)
    for (int i = 0; i < n; i++)
        acc[i] = (acc[i] + vf_swap(acc[n + i], 1)) +
                 (vf_swap(acc[2 * n + i], 2) + vf_swap(acc[3 * n + i], 3));
}
#endif
