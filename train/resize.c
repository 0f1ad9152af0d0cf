/* resize.c: pictures scaled and cut to a size (see picture.h). */
#include "train/picture.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* How one side is scaled: `from` pixels become `full`, of which `to` from `first` on are wanted. */
typedef struct Side {
    int from, full, first, to;
    int taps;       /* the most pixels that one is made of */
    int *begin;     /* [to] the first of them */
    float *weights; /* [to][taps], 0 beyond the last of them; the sum of each row is 1 */
} Side;

static float triangle(float d)
{
    d = d < 0 ? -d : d;
    return d < 1 ? 1 - d : 0;
}

static void side_free(Side *side)
{
    free(side->begin);
    free(side->weights);
}

/* Pixel i of `full` is the mean of the pixels x, weighted by triangle((x + 1/2 - centre) /
 * support), with centre = (i + 1/2) scale, scale = from / full, support = max(scale, 1). */
static bool side_new(Side *side)
{
    const float scale = (float)side->from / (float)side->full;
    const float support = scale > 1 ? scale : 1;
    side->taps = (int)(2 * support) + 2;
    side->begin = malloc((size_t)side->to * sizeof *side->begin);
    side->weights = calloc((size_t)side->to * (size_t)side->taps, sizeof *side->weights);
    if (!side->begin || !side->weights)
        return false;
    for (int i = 0; i < side->to; i++) {
        const float centre = ((float)(i + side->first) + 0.5f) * scale;
        const int first = centre > support ? (int)(centre - support + 0.5f) : 0;
        const float end = centre + support + 0.5f;
        float *weights = side->weights + (size_t)i * (size_t)side->taps, sum = 0;
        side->begin[i] = first;
        for (int k = 0; k < side->taps && first + k < side->from && (float)(first + k + 1) <= end;
             k++)
            sum += weights[k] = triangle(((float)(first + k) + 0.5f - centre) / support);
        for (int k = 0; k < side->taps; k++)
            weights[k] /= sum;
    }
    return true;
}

static unsigned char to_byte(float x)
{
    return (unsigned char)(x < 0 ? 0 : x > 254.5f ? 255 : x + 0.5f);
}

/* in[h][from][c] to out[h][to][c]. */
static void scale_rows(const unsigned char *in, unsigned char *out, const Side *side, int h, int c)
{
    for (int y = 0; y < h; y++, in += (size_t)side->from * (size_t)c) {
        for (int i = 0; i < side->to; i++) {
            const float *weights = side->weights + (size_t)i * (size_t)side->taps;
            const int n = side->from - side->begin[i];
            const unsigned char *at = in + (size_t)side->begin[i] * (size_t)c;
            for (int k = 0; k < c; k++) {
                float sum = 0;
                for (int x = 0; x < side->taps && x < n; x++)
                    sum += weights[x] * (float)at[x * c + k];
                *out++ = to_byte(sum);
            }
        }
    }
}

/* in[from][row] to out[to][row], of `row` bytes each; sums is as long. */
static void scale_columns(const unsigned char *in, unsigned char *out, const Side *side, int row,
                          float *sums)
{
    for (int i = 0; i < side->to; i++, out += row) {
        const float *weights = side->weights + (size_t)i * (size_t)side->taps;
        const int n = side->from - side->begin[i];
        for (int k = 0; k < row; k++)
            sums[k] = 0;
        for (int y = 0; y < side->taps && y < n; y++) {
            const unsigned char *at = in + (size_t)(side->begin[i] + y) * (size_t)row;
            const float weight = weights[y];
            for (int k = 0; k < row; k++)
                sums[k] += weight * (float)at[k];
        }
        for (int k = 0; k < row; k++)
            out[k] = to_byte(sums[k]);
    }
}

/* The size that just covers h x w in the picture's proportions, and what is cut from it. */
static void cover(const Picture *p, Side *rows, Side *columns)
{
    const int w = rows->to, h = columns->to;
    rows->full = w;
    columns->full = h;
    if ((long)p->w * h >= (long)p->h * w)
        rows->full = (int)((long)h * p->w / p->h);
    else
        columns->full = (int)((long)w * p->h / p->w);
    rows->first = (rows->full - w) / 2;
    columns->first = (columns->full - h) / 2;
}

bool rnct_picture_fit(Picture *p, int h, int w, char why[RNCT_WHY_BYTES])
{
    if (p->h == h && p->w == w)
        return true;
    Side rows = {.from = p->w, .to = w}, columns = {.from = p->h, .to = h};
    Picture narrow, out = {0};
    cover(p, &rows, &columns);
    const int c = p->c;
    float *sums = malloc((size_t)w * (size_t)c * sizeof *sums);
    bool good = rnct_picture_new(&narrow, p->h, w, c, why) && rnct_picture_new(&out, h, w, c, why);
    if (good && !(side_new(&rows) && side_new(&columns) && sums)) {
        snprintf(why, RNCT_WHY_BYTES, "no memory to scale it");
        good = false;
    }
    if (good) {
        scale_rows(p->pixels, narrow.pixels, &rows, p->h, c);
        scale_columns(narrow.pixels, out.pixels, &columns, w * c, sums);
        rnct_picture_free(p);
        *p = out;
    } else {
        rnct_picture_free(&out);
    }
    rnct_picture_free(&narrow);
    side_free(&rows);
    side_free(&columns);
    free(sums);
    return good;
}
