/* grad_tile.h: a register tile of conv_grad_weights.c: the columns and blocks that it is one of,
 * the pixels of a block that it meets, and its sums over them. */
#define grad_columns RNC_FN(grad_columns)
#define grad_block RNC_FN(grad_block)
#define grad_share RNC_FN(grad_share)
#define grad_aim RNC_FN(grad_aim)
#define grad_work RNC_FN(grad_work)
#define grad_tile RNC_FN(grad_tile)
#define grad_begin RNC_FN(grad_begin)
#define grad_meet RNC_FN(grad_meet)
#define grad_runs RNC_FN(grad_runs)
#define grad_sums RNC_FN(grad_sums)
#define grad_copy RNC_FN(grad_copy)
#define grad_bias RNC_FN(grad_bias)

/* The columns of a set of panels, each `width` channels: nv vectors from vector `vector` on,
 * `across` of them in a panel. */
typedef struct grad_columns {
    const float *in, *grad; /* the group's first channel; the set's first channel */
    float *out;             /* the set's first panel, in the slice */
    float *copy;            /* scratch for a block's gradients of a column, or NULL */
    rnc_grad_run *runs;     /* scratch for a block's runs */
    int width, nv, across, vector;
    rnc_grad_pixels_cut p;
    rnc_grad_rows_cut c;
} grad_columns;

/* A block of output pixels of one slice: lines line .. end-1, counted over all images, and of each
 * the pixels x0 .. x1-1. */
typedef struct grad_block {
    int line, end, x0, x1;
    int first;          /* 1: the slice's first block: sums in memory are set, not added to */
    ptrdiff_t in, grad; /* of its first pixel, in elements from the tensors' first ones */
} grad_block;

/* Tiles from .. to-1 of a rectangle. */
typedef struct grad_share {
    rnc_grad_rect r;
    int from, to;
    int is_wide, is_tall; /* 1: the rectangle has all columns, all rows */
} grad_share;

/* What is fetched of a tensor while the tiles of a share are in a block.  follows: every tile goes
 * on where the last one ended; else it fetches a line of each pixel of the next block. */
typedef struct grad_aim {
    int follows;
    const char *at; /* where the next tile begins, if it follows */
    int step;       /* bytes from pixel to pixel of this block */
} grad_aim;

/* The tiles of a share in a block, and what they fetch meanwhile: what the share and the block that
 * come next read. */
typedef struct grad_work {
    grad_share now, next;
    grad_block b, then;
    grad_aim in, out;
    int lines; /* of each pixel of the inputs */
    int first; /* the first input channel */
} grad_work;

/* The sums of a tile: n rows times nv vectors. */
typedef struct grad_tile {
    const rnc_grad_run *runs;        /* the block's pixels that its tap meets */
    const float *in;                 /* what the first pixel of the block's first image reads */
    const float *grad;               /* its gradients, from the column's first channel on */
    const float *copy;               /* or NULL: the block's gradients, one after the other */
    const char *next_in, *next_grad; /* what the block's first pixel fetches */
    int in_step, grad_step;          /* bytes to what the next pixel fetches */
    int column;
    float *bias, *out; /* the column's first sum; the tile's */
    int width;         /* floats from row to row of sums */
    int first;         /* 1: sums are set, not added to */
} grad_tile;

/* Block i of a slice. */
RNC_KERNEL void grad_begin(const rnc_grad_weights_shape *s, const rnc_grad_pixels_cut *p, int slice,
                           int i, grad_block *b)
{
    const int line1 = rnc_slice_begin(s->images, s->slice, slice + 1) * p->h;
    const int piece = i % p->pieces;
    const int line = rnc_slice_begin(s->images, s->slice, slice) * p->h + i / p->pieces * p->lines;
    b->line = line;
    b->end = line + p->lines < line1 ? line + p->lines : line1;
    b->x0 = rnc_share(p->w, piece, p->pieces);
    b->x1 = rnc_share(p->w, piece + 1, p->pieces);
    b->first = i == 0;
    b->in = rnc_at(line / p->h, s->in_image, line % p->h * s->stride_h, s->in_row,
                   b->x0 * s->stride_w, s->in_pixel);
    b->grad = rnc_at(line / p->h, s->out_image, line % p->h, s->out_row, b->x0, s->out_pixel);
}

/* Lists the block's pixels in the given rows and at the given places in them. */
RNC_KERNEL void grad_meet(const rnc_grad_weights_shape *s, const rnc_grad_pixels_cut *p,
                          const grad_work *w, const rnc_met_cut *rows, const rnc_met_cut *across,
                          rnc_grad_run *to)
{
    enum { FLOAT = sizeof(float) };
    const grad_block *b = &w->b;
    const int x0 = b->x0 > across->first ? b->x0 : across->first;
    const int x1 = b->x1 < across->end ? b->x1 : across->end;
    int image = 0, y = b->line % p->h, pixels = 0;
    for (int i = 0; i < b->end - b->line && x0 < x1; i++, y++) {
        if (y == p->h)
            image++, y = 0;
        if (y < rows->first || y >= rows->end)
            continue;
        const int in =
            image * s->in_image + y * s->stride_h * s->in_row + x0 * s->stride_w * s->in_pixel;
        const int grad = image * s->out_image + y * s->out_row + x0 * s->out_pixel;
        if (pixels > 0 && x1 - x0 == b->x1 - b->x0 &&
            to->in + pixels * s->stride_w * s->in_pixel == in &&
            to->grad + pixels * s->out_pixel == grad) {
            pixels += x1 - x0; /* goes on where the last row ends */
        } else {
            to += pixels > 0;
            to->in = in, to->grad = grad;
            to->number = i * (b->x1 - b->x0) + x0 - b->x0;
            to->next_in = w->in.follows ? to->number * w->in.step : in * FLOAT;
            to->next_grad = w->out.follows ? to->number * w->out.step : grad * FLOAT;
            pixels = x1 - x0;
        }
        to->pixels = pixels;
    }
    to += pixels > 0;
    to->pixels = 0;
}

/* Lists the block's pixels for each tap, or row of taps, then all of them. */
RNC_KERNEL void grad_runs(const rnc_grad_weights_shape *s, const grad_columns *set,
                          const grad_work *w)
{
    const rnc_grad_pixels_cut *p = &set->p;
    const int runs = set->c.runs, lists = s->kernel_h * runs;
    rnc_met_cut rows = {0, p->h}, across = {0, p->w};
    grad_meet(s, p, w, &rows, &across, set->runs + (ptrdiff_t)lists * (p->lines + 1));
    for (int i = 0; i < lists; i++) {
        rnc_cut_met(s->out_h, s->in_h, s->stride_h, i / runs * s->dilation_h, s->pad_top, &rows);
        if (runs == s->kernel_w)
            rnc_cut_met(s->out_w, s->in_w, s->stride_w, i % runs * s->dilation_w, s->pad_left,
                        &across);
        grad_meet(s, p, w, &rows, &across, set->runs + (ptrdiff_t)i * (p->lines + 1));
    }
}

/* Adds the products of all pixels of a block. */
RNC_KERNEL void grad_sums(const rnc_grad_weights_shape *s, const conv_rows *r, const grad_tile *k,
                          int n, int nv)
{
    const int in_step = s->stride_w * s->in_pixel;
    const int pixel = k->copy ? nv * RNC_VL : s->out_pixel;
    const conv_fetch nothing = {NULL, 0, 0};
    vf acc[32];
    RNC_UNROLL(32)
    for (int i = 0; i < n * nv; i++)
        RNC_ZERO(acc[i]);
    for (const rnc_grad_run *run = k->runs; run->pixels > 0; run++) {
        const float *in = k->in + run->in;
        const float *grad = k->copy ? k->copy + run->number * pixel : k->grad + run->grad;
        const char *next_in = k->next_in + run->next_in;
        const char *next_grad = k->next_grad + run->next_grad;
        for (int x = 0; x < run->pixels; x++) {
            conv_steps(r, acc, in, (const char *)grad, &nothing, 1, n, nv);
            RNC_PREFETCH(next_in);
            RNC_PREFETCH(next_grad);
            next_in += k->in_step;
            next_grad += k->grad_step;
            in += in_step;
            grad += pixel;
        }
    }
    RNC_UNROLL(32)
    for (int i = 0; i < n; i++) {
        float *to = k->out + i * k->width;
        RNC_UNROLL(8)
        for (int j = 0; j < nv; j++, to += RNC_VL)
            vf_store(to, k->first ? acc[i * nv + j] : vf_load(to) + acc[i * nv + j]);
    }
}

/* Copies a column's gradients of the pixels of a block. */
RNC_KERNEL void grad_copy(const rnc_grad_weights_shape *s, const rnc_grad_run *run,
                          const float *grad, float *to, int nv)
{
    for (; run->pixels > 0; run++) {
        const float *from = grad + run->grad;
        for (int x = 0; x < run->pixels; x++, from += s->out_pixel) {
            RNC_UNROLL(8)
            for (int j = 0; j < nv; j++, to += RNC_VL)
                vf_store(to, vf_load(from + j * RNC_VL));
        }
    }
}

/* The sums of the gradients themselves, or zeros. */
RNC_KERNEL void grad_bias(const rnc_grad_weights_shape *s, const rnc_grad_run *run,
                          const grad_tile *k, int nv)
{
    float *out = k->bias;
    vf acc[8];
    RNC_UNROLL(8)
    for (int j = 0; j < nv; j++)
        RNC_ZERO(acc[j]);
    for (; run->pixels > 0 && s->bias; run++) {
        const float *from = k->grad + run->grad;
        for (int x = 0; x < run->pixels; x++, from += s->out_pixel) {
            RNC_UNROLL(8)
            for (int j = 0; j < nv; j++)
                acc[j] = acc[j] + vf_load(from + j * RNC_VL);
        }
    }
    RNC_UNROLL(8)
    for (int j = 0; j < nv; j++, out += RNC_VL)
        vf_store(out, k->first ? acc[j] : vf_load(out) + acc[j]);
}
