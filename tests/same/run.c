/* run.c: runs an emitted network and writes what it computes, for tests/same.sh.
 *
 *   run WEIGHTS f32|u8 FOLDER ISA...   FOLDER/ISA.N is output N as it is in memory
 *
 * The network is same.c, same.h.  Every input has the element type given, whatever the header
 * says of it, and the same numbers whoever emitted the network: so this builds with the headers
 * of any rnc.  Prints the bytes of arena and weights.  An output that is not finite, or all
 * of whose elements are equal, shows nothing when compared and is refused.
 */
#include "same.h"

#include <math.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { MOST_ISAS = 32, MOST_PORTS = 16 };

static void fail(const char *what, const char *more)
{
    fprintf(stderr, "%s: %s\n", what, more);
    exit(1);
}

static void *memory(size_t bytes)
{
    void *p = aligned_alloc(64, (bytes + 127) / 64 * 64);
    if (!p)
        fail("memory", "there is not enough");
    memset(p, 0xa5, bytes);
    return p;
}

static size_t elements(const rnc_port_info *p)
{
    return (size_t)p->n * (size_t)p->h * (size_t)p->w * (size_t)p->c;
}

/* Pixels of 0 to 255, the same for both types to within their fractions. */
static void *filled(const rnc_port_info *p, int u8)
{
    static uint32_t x = 12345;
    void *to = memory(elements(p) * sizeof(float));
    for (size_t i = 0; i < elements(p); i++) {
        x = x * 1664525u + 1013904223u;
        if (u8)
            ((unsigned char *)to)[i] = (unsigned char)(x >> 24);
        else
            ((float *)to)[i] = (float)(x >> 8) / 65536.0f;
    }
    return to;
}

static void *whole_file(const char *path, size_t *size)
{
    FILE *f = fopen(path, "rb");
    if (!f || fseek(f, 0, SEEK_END) != 0)
        fail(path, "it cannot be read");
    *size = (size_t)ftell(f);
    rewind(f);
    void *data = memory(*size);
    if (fread(data, 1, *size, f) != *size)
        fail(path, "it cannot be read");
    fclose(f);
    return data;
}

static void check(const char *isa, const float *out, size_t n)
{
    int alike = n > 1;
    for (size_t i = 0; i < n; i++) {
        if (!isfinite(out[i]))
            fail(isa, "an output is not finite");
        alike = alike && out[i] == out[0];
    }
    if (alike)
        fail(isa, "all elements of an output are equal");
}

static void write_output(const char *folder, const char *isa, int port, const float *out, size_t n)
{
    char path[4096];
    snprintf(path, sizeof path, "%s/%s.%d", folder, isa, port);
    FILE *f = fopen(path, "wb");
    if (!f || fwrite(out, sizeof(float), n, f) != n || fclose(f) != 0)
        fail(path, "it cannot be written");
}

static rnc_isa isa_named(const char *name)
{
    for (int isa = 1; isa < MOST_ISAS; isa++)
        if (strcmp(rnc_isa_name((rnc_isa)isa), name) == 0)
            return (rnc_isa)isa;
    fail(name, "there is no such instruction set");
    return RNC_ISA_BEST;
}

int main(int argc, char **argv)
{
    const rnc_net_info *info = &same_info;
    const void *in[MOST_PORTS];
    void *out[MOST_PORTS];
    size_t size;
    rnc_weights w;
    if (argc < 5 || info->n_inputs > MOST_PORTS || info->n_outputs > MOST_PORTS)
        fail("run", "WEIGHTS f32|u8 FOLDER ISA...");
    const void *weights = whole_file(argv[1], &size);
    void *net = memory(info->engine_bytes), *arena = memory(info->arena_bytes);
    if (rnc_weights_memory(&w, weights, size))
        fail(argv[1], w.why);
    if (info->init(net, &w, arena, info->arena_bytes, NULL))
        fail("init", info->why(net));
    for (int i = 0; i < info->n_inputs; i++)
        in[i] = filled(&info->inputs[i], strcmp(argv[2], "u8") == 0);
    for (int i = 0; i < info->n_outputs; i++)
        out[i] = memory(elements(&info->outputs[i]) * sizeof(float));
    for (int a = 4; a < argc; a++) {
        if (info->use(net, isa_named(argv[a])))
            fail(argv[a], info->why(net));
#if RNCRT_ABI >= 2
        void *state = memory(info->state_bytes + 64);
        if (info->init_state && info->init_state(net, state, info->state_bytes))
            fail("init_state", info->why(net));
        info->run(net, state, in, out);
        free(state);
#else
        info->run(net, in, out);
#endif
        for (int i = 0; i < info->n_outputs; i++) {
            const size_t n = elements(&info->outputs[i]);
            check(argv[a], (const float *)out[i], n);
            write_output(argv[3], argv[a], i, (const float *)out[i], n);
        }
    }
    printf("%zu %zu\n", info->arena_bytes, info->weight_bytes);
    return 0;
}
