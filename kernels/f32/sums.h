/* sums.h: the register tiles of the methods that multiply in scratch, Winograd's and Strassen's.  A
 * tile knows the shape of no layer but only its kind (rnc_tile_kind), so one function serves many
 * steps, and compilers see its loops once. */
#define sums_job RNC_FN(sums_job)
#define sums_now RNC_FN(sums_now)
#define sums_places RNC_FN(sums_places)
#define sums_pixel RNC_FN(sums_pixel)
#define sums_begin RNC_FN(sums_begin)
#define sums_steps RNC_FN(sums_steps)
#define sums_loop RNC_FN(sums_loop)
#define sums_store RNC_FN(sums_store)
#define sums_output RNC_FN(sums_output)
#define sums_tile RNC_FN(sums_tile)
#define sums_fetch RNC_FN(sums_fetch)
#define sums_tiles RNC_FN(sums_tiles)
#define sums_run RNC_FN(sums_run)

/* Some pixels times the vectors of a tile.  The pixels are cut into tiles of nearly equal size, of
 * at most `most` pixels each. */
typedef struct sums_job {
    int pixels, most;
    int turns;               /* each of `unroll` input channels */
    int pixel, wide;         /* floats from pixel to pixel of the inputs and of the sums */
    const float *in, *next;  /* the inputs, and those that are read after them */
    const char *w;           /* the weights */
    const char *ahead, *far; /* weights to fetch meanwhile, up to `far` */
    int step, share;         /* of these, bytes from channel to channel and from tile to tile */
    const float *from;       /* sums to continue, or NULL */
    float *to; /* where the sums go; NULL: to the output, with bias, residual and activation */
    const float *bias, *res; /* of the first vector; res may be NULL */
    float *out;
    const ptrdiff_t *res_at, *out_at; /* the pixels' places in res and out */
    int fetch_out;                    /* 1: the output is fetched before it is written */
    float low, high;                  /* limits of the output: the short activations */
} sums_job;

/* What changes from tile to tile.  (A copy of the job would wait for the stores that wrote it.) */
typedef struct sums_now {
    const float *in, *next;
    const char *ahead;
    const float *from;
    float *to;
    const ptrdiff_t *res_at, *out_at;
} sums_now;

/* Sets the sums that a tile begins with. */
RNC_KERNEL void sums_begin(vf *acc, const float *from, int wide, int n, int nv)
{
    RNC_UNROLL(32)
    for (int i = 0; i < n; i++) {
        RNC_UNROLL(8)
        for (int j = 0; j < nv; j++) {
            if (from)
                acc[i * nv + j] = vf_load(from + j * RNC_VL);
            else
                RNC_ZERO(acc[i * nv + j]);
        }
        from = from ? from + wide : NULL;
    }
}

/* Where the pixels of a tile are, if their distance is not constant.  A load adds once or twice a
 * register to another, so these six serve 16 pixels: in[] has every fourth one, of which the next
 * are `one`, twice `one` and `three` floats away. */
typedef struct sums_places {
    const float *in[4];
    ptrdiff_t one, three;
} sums_places;

/* Pixel i. */
RNC_KERNEL const float *sums_pixel(const sums_places *p, int i)
{
    const float *x = p->in[i / 4];
    return i % 4 == 3 ? x + p->three : x + i % 4 * p->one;
}

/* One turn: acc[i][j] += pixel i [k] * w[k][vector j] for each of its input channels k.  Fetches
 * lines of weights between the multiply-adds (conv_fetch in tile.h says why) and returns where to
 * go on. */
RNC_KERNEL const char *sums_steps(const rnc_tile_kind *kind, vf *acc, sums_places *p, const char *w,
                                  const char *ahead, int on, int n)
{
    const int elem = kind->weights, bytes = rnc_weight_bytes(elem), nv = kind->vectors;
    const int few = n < nv, kept = few ? 0 : nv, passed = nv - kept; /* vectors of weights */
    const int moved = n > 4 ? 4 : 0; /* addresses that move by channels; else, by turns */
    RNC_UNROLL(8)
    for (int k = 0; k < kind->unroll; k++, w += kind->width * bytes) {
        vf b[32]; /* what stays in registers for this k: weights or, with few pixels, inputs */
        RNC_UNROLL(8)
        for (int j = 0; j < kept; j++)
            b[j] = vf_load_weights(w + j * RNC_VL * bytes, elem);
        RNC_UNROLL(32)
        for (int i = 0; i < n; i++) {
            const float *x = sums_pixel(p, i) + (moved > 0 ? 0 : k);
            if (few) {
                RNC_BROADCAST(b[i], x);
            } else if ((i + 1) * kind->memory / 100 > i * kind->memory / 100) {
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
            RNC_UNROLL(2)
            for (int j = i * kind->lines / n; j < (i + 1) * kind->lines / n; j++)
                RNC_PREFETCH(ahead + j * 64);
        }
        ahead += kind->lines > 0 ? on : 0;
        RNC_BASE(ahead);
        RNC_UNROLL(8)
        for (int j = 0; j < passed; j++) {
            const vf v = vf_load_weights(w + j * RNC_VL * bytes, elem);
            RNC_UNROLL(8)
            for (int i = 0; i < n; i++)
                RNC_FMA(acc[i * nv + j], b[i], v);
        }
        RNC_UNROLL(4)
        for (int i = 0; i < moved; i++) {
            p->in[i]++;
            if (4 * i < n)
                RNC_BASE(p->in[i]); /* or all addresses are kept, more than there are registers */
        }
    }
    return ahead;
}

/* Multiplies a tile. */
RNC_KERNEL void sums_loop(const rnc_tile_kind *kind, vf *acc, const sums_job *job,
                          const sums_now *now, int n)
{
    const int step = kind->unroll * kind->width * rnc_weight_bytes(kind->weights);
    const int pixel = job->pixel, on = job->step;
    const int moved = n <= 4 ? 1 : 0; /* addresses that move here, not in sums_steps */
    const float *next = now->next;
    const char *w = job->w, *ahead = now->ahead;
    sums_places p;
    p.one = pixel;
    RNC_BASE(p.one);
    p.three = 3 * p.one;
    RNC_BASE(p.three);
    RNC_UNROLL(4)
    for (int i = 0; i < 4; i++) {
        p.in[i] = now->in + (4 * i < n ? 4 * i * pixel : 0);
        if (4 * i < n)
            RNC_BASE(p.in[i]);
    }
    for (int turns = job->turns; turns > 0; turns--) {
        ahead = sums_steps(kind, acc, &p, w, ahead, on, n);
        if (kind->near) {
            RNC_PREFETCH_NEAR(next + (turns & 3) * pixel);
            next += kind->unroll;
        }
        RNC_UNROLL(4)
        for (int i = 0; i < moved; i++)
            p.in[i] += kind->unroll;
        w += step;
    }
}

RNC_KERNEL void sums_store(const vf *acc, float *to, int wide, int n, int nv)
{
    RNC_UNROLL(32)
    for (int i = 0; i < n; i++, to += wide) {
        RNC_UNROLL(8)
        for (int j = 0; j < nv; j++)
            vf_store(to + j * RNC_VL, acc[i * nv + j]);
    }
}

/* Writes the sums to the output, with bias, residual and the short activations. */
RNC_KERNEL void sums_output(vf *acc, const sums_job *job, const sums_now *now, int n, int nv)
{
    const float *const res = job->res;
    float *const out = job->out;
    const ptrdiff_t *const res_at = now->res_at, *const out_at = now->out_at;
    vf low, high;
    RNC_UNROLL(8)
    for (int j = 0; j < nv; j++) {
        const vf b = vf_load(job->bias + j * RNC_VL);
        RNC_UNROLL(32)
        for (int i = 0; i < n; i++)
            acc[i * nv + j] = acc[i * nv + j] + b;
    }
    if (res) {
        RNC_UNROLL(32)
        for (int i = 0; i < n; i++) {
            RNC_UNROLL(8)
            for (int j = 0; j < nv; j++)
                acc[i * nv + j] = acc[i * nv + j] + vf_load(res + res_at[i] + j * RNC_VL);
        }
    }
    RNC_BROADCAST(low, &job->low);
    RNC_BROADCAST(high, &job->high);
    RNC_UNROLL(32)
    for (int i = 0; i < n; i++) {
        RNC_UNROLL(8)
        for (int j = 0; j < nv; j++)
            vf_store(out + out_at[i] + j * RNC_VL, vf_min(high, vf_max(low, acc[i * nv + j])));
    }
}

/* n pixels times the vectors of a tile. */
RNC_KERNEL void sums_tile(const rnc_tile_kind *kind, const sums_job *job, const sums_now *now,
                          int n)
{
    const int nv = kind->vectors;
    vf acc[32];
    sums_begin(acc, now->from, job->wide, n, nv);
    sums_loop(kind, acc, job, now, n);
    if (now->to) {
        sums_store(acc, now->to, job->wide, n, nv);
    } else {
        sums_output(acc, job, now, n, nv);
    }
}

/* Fetches the output of n pixels, which is written soon. */
RNC_KERNEL void sums_fetch(const sums_job *job, const ptrdiff_t *out_at, int n, int width)
{
    for (int i = 0; i < n; i++)
        for (int j = 0; j < width; j += 16)
            RNC_PREFETCH_WRITE(job->out + out_at[i] + j);
}

#define RNC_FOURTEEN(X) X(1) X(2) X(3) X(4) X(5) X(6) X(7) X(8) X(9) X(10) X(11) X(12) X(13) X(14)

/* Computes a job, tile after tile, and returns where the fetching of weights goes on. */
RNC_KERNEL const char *sums_tiles(const rnc_tile_kind *kind, const sums_job *job)
{
    const int pixels = job->pixels, single = pixels <= job->most; /* spares two divisions */
    const int tiles = single ? pixels > 0 : rnc_div_up(pixels, job->most);
    const int small = single ? pixels : pixels / tiles, longer = pixels - small * tiles;
    const float *in = job->in;
    const char *ahead = job->ahead;
    sums_now k;
    k.from = job->from, k.to = job->to;
    k.res_at = job->res_at, k.out_at = job->out_at;
    for (int i = 0; i < tiles; i++) {
        const int n = small + (i < longer), due = ahead < job->far;
        k.in = in;
        in += n * job->pixel;
        k.next = i + 1 < tiles ? in : job->next;
        k.ahead = due ? ahead : job->w; /* these are in cache already */
        if (job->fetch_out)
            sums_fetch(job, k.out_at, n, kind->vectors * RNC_VL);
/* A constant number of pixels. */
#define RNC_SUMS_CASE(n_) \
    case n_: \
        if (n_ <= RNC_TILES && n_ * kind->vectors <= RNC_REGISTERS) \
            sums_tile(kind, job, &k, n_); \
        break;
        switch (n) {
            RNC_FOURTEEN(RNC_SUMS_CASE)
        }
#undef RNC_SUMS_CASE
#undef RNC_FOURTEEN
        ahead += due ? job->share : 0;
        if (k.from)
            k.from += n * job->wide;
        if (k.to) {
            k.to += n * job->wide;
        } else {
            k.out_at += n;
            k.res_at += n;
        }
    }
    return ahead;
}

#define RNC_SUMS_NAME(u, nv, width, elem, memory, lines, near) \
    RNC_FN(sums_##u##_##nv##_##width##_##elem##_##memory##_##lines##_##near)
#define RNC_SUMS_FUNCTION(u, nv, width, elem, memory, lines, near) \
    RNC_SHARED const char *RNC_SUMS_NAME(u, nv, width, elem, memory, lines, \
                                         near)(const sums_job *j) \
    { \
        const rnc_tile_kind kind = {u, nv, width, elem, memory, lines, near}; \
        return sums_tiles(&kind, j); \
    }
RNC_TILE_KINDS(RNC_SUMS_FUNCTION)

RNC_KERNEL const char *sums_run(const rnc_tile_kind *kind, const sums_job *job)
{
#define RNC_SUMS_TRY(u, nv, w, elem, mem, lin, nea) \
    if (kind->unroll == u && kind->vectors == nv && kind->width == w && kind->weights == elem && \
        kind->memory == mem && kind->lines == lin && kind->near == nea) \
        return RNC_SUMS_NAME(u, nv, w, elem, mem, lin, nea)(job);
    RNC_TILE_KINDS(RNC_SUMS_TRY)
#undef RNC_SUMS_TRY
    return RNC_OTHER_KINDS ? sums_tiles(kind, job) : job->ahead;
}
#undef RNC_SUMS_NAME
#undef RNC_SUMS_FUNCTION
