/* batch.c: see batch.h. */
#include "train/batch.h"

#include "train/draw.h"

#include <math.h>
#include <string.h>

static bool in_range(float x)
{
    return x >= 0 && x <= 1;
}

bool rnct_form_set(rnct_form *form, const rnct_set *set, rnct_problems *problems)
{
    const rnct_augment *a = &form->augment;
    bool good = true;
    if (!in_range(a->brightness) || !in_range(a->contrast) || !in_range(a->saturation) ||
        !in_range(a->erase) || !in_range(a->flip))
        good = rnct_problem(problems, "augmentation",
                            "flip, brightness, contrast, saturation and erasing are from 0 to 1");
    if (!in_range(a->erase_least) || !in_range(a->erase_most) || a->erase_least > a->erase_most)
        good = rnct_problem(problems, "augmentation",
                            "the least and the most that is erased are parts, from 0 to 1");
    if (a->crop < 0 || a->crop > 4096)
        good = rnct_problem(problems, "augmentation", "a crop of %d pixels is not from 0 to 4096",
                            a->crop);
    if (a->saturation > 0 && set->c != 3)
        good = rnct_problem(problems, "augmentation",
                            "saturation needs pictures of 3 channels, and these have %d", set->c);
    for (int c = 0; c < set->c; c++) {
        if (!(form->deviation[c] > 0) || !(form->unit > 0))
            return rnct_problem(problems, "normalisation",
                                "the unit and the deviation of each channel must be above 0");
        for (int i = 0; i < 256; i++)
            form->table[c][i] = ((float)i / form->unit - form->mean[c]) / form->deviation[c];
    }
    return good;
}

/* ---- geometry ---- */

/* Which part of a picture is taken: from pixel (y, x) on, which may be outside. */
typedef struct Window {
    int y, x;
    bool flip;
} Window;

static Window draw_window(const rnct_form *form, uint32_t epoch, uint32_t sample)
{
    Window w = {0, 0, false};
    uint32_t bits[4];
    const int crop = form->augment.crop;
    if (crop > 0) {
        rnct_draw(form->seed, RNCT_STREAM_CROP, epoch, sample, 0, bits);
        w.y = (int)rnct_below(bits[0], 2 * (uint32_t)crop + 1) - crop;
        w.x = (int)rnct_below(bits[1], 2 * (uint32_t)crop + 1) - crop;
    }
    if (form->augment.flip > 0) {
        rnct_draw(form->seed, RNCT_STREAM_FLIP, epoch, sample, 0, bits);
        w.flip = rnct_unit(bits[0]) >= 1 - form->augment.flip;
    }
    return w;
}

/* One row of one channel: n pixels, `step` bytes apart, through a table.  Pixels outside are black.
 */
static void put_row(float *to, int to_step, const unsigned char *row, int step, int n,
                    const Window *w, const float *table)
{
    for (int x = 0; x < n; x++, to += to_step) {
        const int from = (w->flip ? n - 1 - x : x) + w->x;
        *to = table[row && from >= 0 && from < n ? row[from * step] : 0];
    }
}

/* All pixels, each through the table of its channel. */
static void put_pixels(const rnct_set *set, const rnct_form *form, const Window *w,
                       const unsigned char *pixels, float tables[4][256], float *to)
{
    const bool planar = form->order == RNC_ORDER_NCHW;
    const int h = set->h, n = set->w, c = set->c;
    for (int k = 0; k < c; k++) {
        for (int y = 0; y < h; y++) {
            const int from = y + w->y;
            const unsigned char *row =
                from >= 0 && from < h ? pixels + ((size_t)from * (size_t)n) * (size_t)c + k : NULL;
            float *at = planar ? to + ((size_t)k * (size_t)h + (size_t)y) * (size_t)n
                               : to + (size_t)y * (size_t)n * (size_t)c + k;
            put_row(at, planar ? 1 : c, row, c, n, w, tables[k]);
        }
    }
}

/* ---- colour ---- */

/* Where the pixels of a sample are: channel c of pixel i is at[i * pixel + c * channel]. */
typedef struct Pixels {
    float *at;
    size_t n, pixel, channel;
    int c;
} Pixels;

static float clamp(float x)
{
    const float above = x > 0 ? x : 0;
    return above < 1 ? above : 1;
}

/* ITU-R BT.601's luma, as torchvision has its weights. */
static float grey_of(const Pixels *p, size_t i)
{
    const float *at = p->at + i * p->pixel;
    if (p->c < 3)
        return at[0];
    return 0.2989f * at[0] + 0.587f * at[p->channel] + 0.114f * at[2 * p->channel];
}

static float draw_factor(uint32_t bits, float range)
{
    return 1 - range + 2 * range * rnct_unit(bits);
}

/* x becomes factor x + (1 - factor) other, from 0 to 1; other is each pixel's grey, or `same`. */
static void blend(const Pixels *p, float factor, const float *same)
{
    const size_t channel = p->channel;
    const float rest = 1 - factor;
    float *at = p->at;
    for (size_t i = 0; i < p->n; i++, at += p->pixel) {
        const float other = rest * (same ? *same : grey_of(p, i));
        for (size_t c = 0; c < (size_t)p->c * channel; c += channel)
            at[c] = clamp(factor * at[c] + other);
    }
}

/* Brightness, contrast, saturation, in this order, of pixels from 0 to 1 (torchvision's ColorJitter
 * has them in an order of chance). */
static void change_colour(const rnct_form *form, const Pixels *p, uint32_t epoch, uint32_t sample)
{
    const rnct_augment *a = &form->augment;
    const float zero = 0;
    uint32_t bits[4];
    rnct_draw(form->seed, RNCT_STREAM_COLOUR, epoch, sample, 0, bits);
    if (a->brightness > 0)
        blend(p, draw_factor(bits[0], a->brightness), &zero);
    if (a->contrast > 0) {
        double sum = 0;
        for (size_t i = 0; i < p->n; i++)
            sum += (double)grey_of(p, i);
        const float mean = (float)(sum / (double)p->n);
        blend(p, draw_factor(bits[1], a->contrast), &mean);
    }
    if (a->saturation > 0)
        blend(p, draw_factor(bits[2], a->saturation), NULL);
}

/* The sample in colours that are changed, normalised. */
static void put_coloured(const rnct_set *set, const rnct_form *form, const Window *w,
                         const unsigned char *pixels, uint32_t epoch, uint32_t sample, float *to)
{
    const size_t n = (size_t)set->h * (size_t)set->w, c = (size_t)set->c;
    const bool planar = form->order == RNC_ORDER_NCHW;
    const Pixels p = {to, n, planar ? 1 : c, planar ? n : 1, set->c};
    float plain[4][256];
    for (int k = 0; k < set->c; k++) {
        for (int i = 0; i < 256; i++)
            plain[k][i] = (float)i / 255;
    }
    put_pixels(set, form, w, pixels, plain, to);
    change_colour(form, &p, epoch, sample);
    for (size_t k = 0; k < c; k++) {
        for (size_t i = 0; i < n; i++) {
            float *x = &to[i * p.pixel + k * p.channel];
            *x = (*x * (255 / form->unit) - form->mean[k]) / form->deviation[k];
        }
    }
}

/* ---- erasing ---- */

/* The rectangle of h x w pixels whose first one is (top, left) becomes form->erased. */
static void erase_part(const rnct_set *set, const rnct_form *form, const int part[4], float *to)
{
    const bool planar = form->order == RNC_ORDER_NCHW;
    const size_t row = (size_t)set->w, c = (size_t)set->c, plane = (size_t)set->h * row;
    for (int y = part[0]; y < part[0] + part[2]; y++) {
        for (int x = part[1]; x < part[1] + part[3]; x++) {
            const size_t pixel = (size_t)y * row + (size_t)x;
            for (size_t k = 0; k < c; k++)
                to[planar ? k * plane + pixel : pixel * c + k] = form->erased[k];
        }
    }
}

/* Random erasing: Zhong, Zheng, Kang, Li, Yang, AAAI 2020 (arXiv 1708.04896).  A rectangle of 0.02
 * to 0.33 of the area, or as form->augment says, whose height by width is from 0.3 to 1 / 0.3;
 * where ten that are drawn do not fit, none. */
static void erase(const rnct_set *set, const rnct_form *form, uint32_t epoch, uint32_t sample,
                  float *to)
{
    enum { TRIES = 10 };
    const rnct_augment *a = &form->augment;
    const float area = (float)set->h * (float)set->w, least = 0.3f;
    const bool given = a->erase_most > 0;
    const float from = given ? a->erase_least : 0.02f;
    const float range = given ? a->erase_most - a->erase_least : 0.31f;
    uint32_t bits[4];
    rnct_draw(form->seed, RNCT_STREAM_ERASE, epoch, sample, 0, bits);
    if (!(rnct_unit(bits[0]) < a->erase))
        return;
    for (uint32_t i = 1; i <= TRIES; i++) {
        rnct_draw(form->seed, RNCT_STREAM_ERASE, epoch, sample, i, bits);
        const float wanted = area * (from + range * rnct_unit(bits[0]));
        const float ratio = least + (1 / least - least) * rnct_unit(bits[1]);
        /* IEEE 754 rounds square roots alike everywhere. */
        const int h = (int)(sqrtf(wanted * ratio) + 0.5f), w = (int)(sqrtf(wanted / ratio) + 0.5f);
        if (h < 1 || w < 1 || h >= set->h || w >= set->w)
            continue;
        const int part[4] = {(int)rnct_below(bits[2], (uint32_t)(set->h - h + 1)),
                             (int)rnct_below(bits[3], (uint32_t)(set->w - w + 1)), h, w};
        erase_part(set, form, part, to);
        return;
    }
}

/* ---- samples ---- */

void rnct_sample(const rnct_set *set, const rnct_form *form, uint32_t epoch, uint32_t sample,
                 float *to)
{
    const rnct_augment *a = &form->augment;
    const size_t bytes = (size_t)set->h * (size_t)set->w * (size_t)set->c;
    const unsigned char *pixels = set->pixels + sample * bytes;
    const Window w = draw_window(form, epoch, sample);
    if (a->brightness > 0 || a->contrast > 0 || a->saturation > 0)
        put_coloured(set, form, &w, pixels, epoch, sample, to);
    else
        put_pixels(set, form, &w, pixels, (float(*)[256])(uintptr_t)form->table, to);
    if (a->erase > 0)
        erase(set, form, epoch, sample, to);
}

void rnct_fill(const rnct_set *set, const rnct_form *form, uint32_t epoch, const uint32_t *samples,
               size_t n, size_t places, float *pixels, int32_t *labels)
{
    const size_t each = (size_t)set->h * (size_t)set->w * (size_t)set->c;
    for (size_t i = 0; i < n; i++) {
        rnct_sample(set, form, epoch, samples[i], pixels + i * each);
        labels[i] = set->labels[samples[i]];
    }
    memset(pixels + n * each, 0, (places - n) * each * sizeof *pixels);
    for (size_t i = n; i < places; i++)
        labels[i] = -1;
}
