/* engine.c: everything between a picture's file and a network's scores. */
#include "engine.h"
#include "picture.h"

#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { ALIGN = 64 };

static size_t elements(const rnc_port_info *port)
{
    return (size_t)port->n * (size_t)port->h * (size_t)port->w * (size_t)port->c;
}

static void *aligned(size_t bytes)
{
    return aligned_alloc(ALIGN, (bytes + ALIGN) / ALIGN * ALIGN);
}

/* The memory a network wants of its caller; 0 when there is none. */
static int allocate(engine *e)
{
    const rnc_net_info *info = e->info;
    const rnc_port_info *in = &info->inputs[0];
    int good = 1;
    e->net = aligned(info->engine_bytes);
    e->arena = aligned(info->arena_bytes);
    e->input = calloc(elements(in), rnc_elem_bytes(in->elem));
    e->names = calloc((size_t)e->n, sizeof *e->names);
    e->outputs = calloc((size_t)info->n_outputs, sizeof *e->outputs);
    if (!e->net || !e->arena || !e->input || !e->names || !e->outputs)
        return 0;
    for (int i = 0; i < info->n_outputs; i++) {
        e->outputs[i] = calloc(elements(&info->outputs[i]), sizeof(float));
        good &= e->outputs[i] != NULL;
    }
    return good;
}

int engine_open(engine *e, const char *weights)
{
    memset(e, 0, sizeof *e);
    e->info = &NET_INFO;
    const rnc_port_info *in = &e->info->inputs[0], *out = &e->info->outputs[0];
    if (e->info->n_inputs != 1 || in->c != 3) {
        fprintf(stderr, "%s does not take one picture of three colours\n", e->info->name);
        return -1;
    }
    if (e->info->state_bytes > 0) {
        fprintf(stderr, "%s takes a stream of pictures, not one\n", e->info->name);
        return -1;
    }
    e->n = out->h * out->w * out->c;
    if (!allocate(e)) {
        fprintf(stderr, "no memory for %s\n", e->info->name);
        engine_close(e);
        return -1;
    }
    for (int i = 0; i < e->n && out->labels; i++)
        e->names[i] = out->labels[i];
    rnc_status status = rnc_weights_open(&e->weights, weights);
    if (status) {
        fprintf(stderr, "%s: %s: %s\n", weights, rnc_status_text(status), e->weights.why);
        engine_close(e);
        return -1;
    }
    status = e->info->init(e->net, &e->weights, e->arena, e->info->arena_bytes, NULL);
    if (status) {
        fprintf(stderr, "%s: %s: %s\n", weights, rnc_status_text(status), e->info->why(e->net));
        engine_close(e);
        return -1;
    }
    return 0;
}

int engine_labels(engine *e, const char *path)
{
    FILE *f = fopen(path, "rb");
    long size = -1;
    if (f && fseek(f, 0, SEEK_END) == 0 && (size = ftell(f)) >= 0)
        rewind(f);
    e->names_text = size >= 0 ? calloc((size_t)size + 1, 1) : NULL;
    if (!e->names_text || fread(e->names_text, 1, (size_t)size, f) != (size_t)size) {
        perror(path);
        if (f)
            fclose(f);
        return -1;
    }
    fclose(f);
    char *line = e->names_text;
    if (strncmp(line, "\xef\xbb\xbf", 3) == 0) /* a byte order mark */
        line += 3;
    for (int i = 0; i < e->n; i++) {
        if (*line == '\0') {
            fprintf(stderr, "%s: it has %d names, and the network %d classes\n", path, i, e->n);
            return -1;
        }
        char *end = line + strcspn(line, "\r\n");
        e->names[i] = line;
        line = end + strspn(end, "\r");
        line += *line == '\n';
        *end = '\0';
    }
    return 0;
}

/* The pixels, 0..255, as the port wants them: bytes or floats, picture by
 * picture [h][w][3] (nhwc) or [3][h][w] (nchw). */
static void fill(const rnc_port_info *port, void *input, const unsigned char *rgb)
{
    const size_t pixels = (size_t)port->h * (size_t)port->w;
    for (size_t i = 0; i < pixels; i++) {
        for (size_t c = 0; c < 3; c++) {
            const size_t at = port->order == RNC_ORDER_NHWC ? i * 3 + c : c * pixels + i;
            if (port->elem == RNC_ELEM_U8)
                ((unsigned char *)input)[at] = rgb[i * 3 + c];
            else
                ((float *)input)[at] = (float)rgb[i * 3 + c];
        }
    }
}

int engine_classify(engine *e, const char *path)
{
    const rnc_port_info *in = &e->info->inputs[0];
    char why[256];
    picture p;
    if (picture_read(&p, path, why)) {
        fprintf(stderr, "%s: %s\n", path, why);
        return -1;
    }
    if (picture_fit(&p, in->w, in->h)) {
        fprintf(stderr, "%s: it cannot be scaled to %d x %d\n", path, in->w, in->h);
        picture_free(&p);
        return -1;
    }
    engine_classify_pixels(e, p.rgb);
    picture_free(&p);
    return 0;
}

void engine_classify_pixels(engine *e, const unsigned char *pixels)
{
    const void *inputs[1] = {e->input};
    fill(&e->info->inputs[0], e->input, pixels);
    e->info->run(e->net, NULL, inputs, e->outputs);
}

const float *engine_scores(const engine *e, int port)
{
    return e->outputs[port];
}

void engine_top(const engine *e, int best, int *top)
{
    const float *scores = engine_scores(e, 0);
    for (int i = 0, n = 0; i < e->n; i++) {
        int at = n < best ? n++ : best;
        while (at > 0 && scores[i] > scores[top[at - 1]]) {
            if (at < best)
                top[at] = top[at - 1];
            at--;
        }
        if (at < best)
            top[at] = i;
    }
}

void engine_close(engine *e)
{
    for (int i = 0; e->outputs && i < e->info->n_outputs; i++)
        free(e->outputs[i]);
    free(e->outputs);
    free((void *)e->names);
    free(e->names_text);
    free(e->input);
    free(e->arena);
    free(e->net);
    rnc_weights_close(&e->weights);
}
