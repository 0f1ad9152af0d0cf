/* finetune.c: a product that goes on learning: it takes trained weights and a few pictures of a new
 * class, trains in memory of its own, and saves.
 *
 *   finetune WEIGHTS.safetensors FOLDER EPOCHS OUT.safetensors
 *
 * FOLDER/labels.txt has a line `file class` for each picture.  The step is compiled from a training
 * that freezes all but the last layers, with one class more than the weights have:
 *
 *   rnc more.net --train -o more.c
 *   cc -DTRAINING=more -DSTATE_BYTES=MORE_STATE_BYTES -DARENA_BYTES=MORE_ARENA_BYTES -include
 * more.h ...
 *
 * (docs/training-run.md has all of it).  No memory is allocated but for the pictures. */
#include "picture.h"

#include "train/safetensors.h"

#include <rnctrain.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define NAME2(a, b) a##b
#define NAME(a, b) NAME2(a, b)
#define INFO (&NAME(TRAINING, _info))

enum { PICTURES_MOST = 4096, TENSORS_MOST = 4096 };

/* What a step needs: known before anything runs. */
#ifdef __GNUC__
#define ALIGNED __attribute__((aligned(64)))
#else
#define ALIGNED _Alignas(64)
#endif
static ALIGNED unsigned char state[STATE_BYTES], arena[ARENA_BYTES];
static struct TRAINING net;

/* The pictures, as bytes [row][pixel][channel]. */
typedef struct pictures {
    int n;
    unsigned char *pixels[PICTURES_MOST];
    int32_t classes[PICTURES_MOST];
} pictures;

static size_t elements(const rnc_port_info *port)
{
    return (size_t)port->h * (size_t)port->w * (size_t)port->c;
}

static size_t floats_of(const rnc_tensor_info *t)
{
    size_t n = 1;
    for (int i = 0; i < t->rank; i++)
        n *= (size_t)t->dims[i];
    return n;
}

/* ---- weights ---- */

/* The tensor's values from the file.  Of a classifier with more classes than the file has, those
 * that are there: the others begin as they were initialised.  0, or -1 after a message. */
static int take_tensor(int i, const rnct_mapped *file, const char *path)
{
    const rnc_tensor_info *t = &INFO->tensors[i];
    rnct_tensor stored;
    const size_t n = floats_of(t);
    if (!rnct_safetensors_find(file, t->name, &stored)) {
        fprintf(stderr, "%s: it has no tensor %s\n", path, t->name);
        return -1;
    }
    int fits = stored.rank == t->rank && stored.dims[0] <= t->dims[0];
    for (int k = 1; fits && k < t->rank; k++)
        fits = stored.dims[k] == t->dims[k];
    float *values = malloc(n * sizeof *values);
    if (!fits || !values || INFO->get(&net, i, values)) {
        fprintf(stderr, "%s: %s has other extents than in the network\n", path, t->name);
        free(values);
        return -1;
    }
    memcpy(values, stored.floats, n / (size_t)t->dims[0] * (size_t)stored.dims[0] * sizeof *values);
    const int failed = INFO->set(&net, i, values) != RNC_OK;
    if (stored.dims[0] < t->dims[0])
        printf("%s: %d of %d rows are known, the others are new\n", t->name, stored.dims[0],
               t->dims[0]);
    free(values);
    return failed ? -1 : 0;
}

static int load(const char *path)
{
    rnct_problems problems = {0};
    rnct_mapped file;
    int failed = 0;
    if (!rnct_map(&file, path, &problems)) {
        rnct_problems_print(&problems, "", stderr);
        return -1;
    }
    for (int i = 0; !failed && i < INFO->n_tensors; i++) {
        if (INFO->tensors[i].role <= RNC_ROLE_STATISTIC)
            failed = take_tensor(i, &file, path);
    }
    rnct_unmap(&file);
    return failed;
}

static int save(const char *path)
{
    static rnct_tensor tensors[TENSORS_MOST];
    rnct_problems problems = {0};
    int n = 0, failed = 0;
    for (int i = 0; !failed && i < INFO->n_tensors && n < TENSORS_MOST; i++) {
        const rnc_tensor_info *t = &INFO->tensors[i];
        if (t->role > RNC_ROLE_STATISTIC)
            continue;
        float *values = malloc(floats_of(t) * sizeof *values);
        failed = !values || INFO->get(&net, i, values) != RNC_OK;
        tensors[n] = (rnct_tensor){t->name, t->rank, {0}, values};
        memcpy(tensors[n++].dims, t->dims, sizeof t->dims);
    }
    if (!failed && !rnct_safetensors_save(path, tensors, n, true, &problems)) {
        rnct_problems_print(&problems, "", stderr);
        failed = 1;
    }
    while (n > 0)
        free((void *)(uintptr_t)tensors[--n].floats);
    return failed ? -1 : 0;
}

/* ---- pictures ---- */

static int read_one(pictures *all, const char *folder, const char *file, int class_)
{
    const rnc_port_info *in = &INFO->inputs[0];
    char path[4096], why[256];
    picture p;
    if (class_ < 0 || class_ >= INFO->outputs[0].c || all->n == PICTURES_MOST) {
        fprintf(stderr, "%s: class %d is not one of the network's, or pictures are too many\n",
                file, class_);
        return -1;
    }
    snprintf(path, sizeof path, "%s/%s", folder, file);
    if (picture_read(&p, path, why) || picture_fit(&p, in->w, in->h)) {
        fprintf(stderr, "%s: it cannot be used\n", path);
        return -1;
    }
    all->pixels[all->n] = p.rgb;
    all->classes[all->n++] = class_;
    return 0;
}

static int read_all(pictures *all, const char *folder)
{
    char path[4096], line[1024], file[1000];
    int class_, failed = 0;
    snprintf(path, sizeof path, "%s/labels.txt", folder);
    FILE *f = fopen(path, "r");
    if (!f) {
        perror(path);
        return -1;
    }
    while (!failed && fgets(line, sizeof line, f)) {
        if (line[strspn(line, " \t\r\n")] == '\0' || line[0] == '#')
            continue;
        if (sscanf(line, "%999s %d", file, &class_) == 2) {
            failed = read_one(all, folder, file, class_);
        } else {
            fprintf(stderr, "%s: a line is `file class`, not: %s", path, line);
            failed = -1;
        }
    }
    fclose(f);
    return failed || all->n == 0 ? -1 : 0;
}

/* Picture `from` as place `to` of a batch, in the order and type that the step takes. */
static void put_picture(const unsigned char *rgb, void *batch, size_t to)
{
    const rnc_port_info *in = &INFO->inputs[0];
    const size_t pixels = (size_t)in->h * (size_t)in->w, c = (size_t)in->c;
    for (size_t i = 0; i < pixels * c; i++) {
        const size_t at =
            to * pixels * c + (in->order == RNC_ORDER_NHWC ? i : i % c * pixels + i / c);
        if (in->elem == RNC_ELEM_U8)
            ((unsigned char *)batch)[at] = rgb[i];
        else
            ((float *)batch)[at] = (float)rgb[i];
    }
}

/* ---- training ---- */

/* Another order: each place exchanged with one before it, by a linear congruential generator. */
static void shuffle(int *order, int n, unsigned *random)
{
    for (int i = n - 1; i > 0; i--) {
        *random = *random * 1664525u + 1013904223u;
        const int k = (int)((*random >> 8) % (unsigned)(i + 1)), kept = order[i];
        order[i] = order[k];
        order[k] = kept;
    }
}

static int train(const pictures *all, int epochs, void *batch, int32_t *labels)
{
    const int most = INFO->inputs[0].n;
    const void *inputs[2] = {batch, labels};
    static int order[PICTURES_MOST];
    unsigned random = 1;
    for (int i = 0; i < all->n; i++)
        order[i] = i;
    for (int epoch = 0; epoch < epochs; epoch++) {
        double loss = 0;
        int hits = 0;
        shuffle(order, all->n, &random);
        for (int first = 0; first < all->n; first += most) {
            rnc_metrics m;
            const int n = all->n - first < most ? all->n - first : most;
            for (int i = 0; i < n; i++) {
                const int from = order[first + i];
                put_picture(all->pixels[from], batch, (size_t)i);
                labels[i] = all->classes[from];
            }
            if (INFO->step(&net, inputs, n, INFO->rate, &m) || m.bad >= 0) {
                fprintf(stderr, "a step has a result that is not finite\n");
                return -1;
            }
            loss += m.loss;
            hits += m.hits;
        }
        printf("epoch %d: loss %.4f, %d of %d right\n", epoch + 1, loss / all->n, hits, all->n);
    }
    return 0;
}

int main(int argc, char **argv)
{
    static pictures all;
    const rnc_port_info *in = &INFO->inputs[0];
    if (argc != 5 || in->c != 3) {
        fputs("usage: finetune WEIGHTS FOLDER EPOCHS OUT, for pictures of three colours\n", stderr);
        return 2;
    }
    void *batch = calloc((size_t)in->n * elements(in), sizeof(float));
    int32_t *labels = calloc((size_t)in->n, sizeof *labels);
    int failed = !batch || !labels ||
                 INFO->init(&net, state, sizeof state, arena, sizeof arena, NULL, NULL) ||
                 INFO->initialise(&net, 1);
    if (failed)
        fprintf(stderr, "the step cannot be prepared: %s\n", INFO->why(&net));
    printf("a step needs %zu bytes for its state and %zu besides\n", sizeof state, sizeof arena);
    failed = failed || load(argv[1]) || read_all(&all, argv[2]) ||
             train(&all, atoi(argv[3]), batch, labels) || save(argv[4]);
    for (int i = 0; i < all.n; i++)
        free(all.pixels[i]);
    free(labels);
    free(batch);
    return failed ? 1 : 0;
}
