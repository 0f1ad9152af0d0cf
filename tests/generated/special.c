/* special.c: a network on inputs with numbers that are infinite, no numbers or denormal, beside
 * what `rnc eval` gives: -DNET_INFO=... -DNET_HEADER=... as drive.c, -DEMBEDDED and
 * -DEMBEDDED_BYTES the array of weights.
 *
 *   special make KIND       writes KIND.INPUT.npy for every input; KIND is nan, up (infinite),
 *                           down, all (the three), denormal, or flushed: the same with zeros for
 *                           its denormal numbers
 *   special check KIND DIR  runs on these inputs with every instruction set of this machine;
 *                           outputs have to be those in DIR/OUTPUT.npy
 */
#include NET_HEADER

#include <math.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { MOST_PORTS = 1024, MOST_ISAS = 16 };

static size_t elements(const rnc_port_info *p)
{
    return (size_t)p->n * (size_t)p->h * (size_t)p->w * (size_t)p->c;
}

static void *memory(size_t bytes)
{
    void *p = aligned_alloc(64, (bytes + 63) / 64 * 64);
    if (!p)
        exit(2);
    return p;
}

static FILE *npy(const char *mode, const char *folder, const char *separator, const char *name)
{
    char path[256];
    snprintf(path, sizeof path, "%s%s%s.npy", folder, separator, name);
    FILE *f = fopen(path, mode);
    if (!f) {
        perror(path);
        exit(2);
    }
    return f;
}

/* ---- inputs ---- */

static float value(const char *kind, uint32_t x)
{
    const float ordinary = (float)(x >> 8) / 1048576.0f - 8.0f;
    const int all = strcmp(kind, "all") == 0;
    if (strcmp(kind, "denormal") == 0)
        return x >> 4 & 1 ? ordinary : ordinary * 1e-39f;
    if (strcmp(kind, "flushed") == 0)
        return x >> 4 & 1 ? ordinary : 0.0f;
    switch (x >> 8 & 127) {
    case 1:
        return all || strcmp(kind, "nan") == 0 ? NAN : ordinary;
    case 2:
        return all || strcmp(kind, "up") == 0 ? INFINITY : ordinary;
    case 3:
        return all || strcmp(kind, "down") == 0 ? -INFINITY : ordinary;
    default:
        return ordinary;
    }
}

static void make(const char *kind, const rnc_port_info *p)
{
    FILE *f = npy("wb", kind, ".", p->name);
    char text[128];
    uint32_t x = 2463534242u;
    const int n = snprintf(text, sizeof text,
                           "{'descr': '<f4', 'fortran_order': False, 'shape': (%d, %d, %d, %d), }",
                           p->n, p->c, p->h, p->w);
    fwrite("\x93NUMPY\x01\x00\x76\x00", 1, 10, f);
    fprintf(f, "%s%*s\n", text, 117 - n, "");
    for (size_t i = 0; i < elements(p); i++) {
        x = x * 1664525u + 1013904223u;
        const float v = value(kind, x ^ x >> 15);
        fwrite(&v, sizeof v, 1, f);
    }
    fclose(f);
}

/* What follows the head of a file that rnc or make() wrote. */
static void load(FILE *f, void *to, size_t bytes)
{
    unsigned char head[10];
    if (fread(head, 1, 10, f) != 10 || fseek(f, 10 + head[8] + 256L * head[9], SEEK_SET) != 0 ||
        fread(to, 1, bytes, f) != bytes) {
        fprintf(stderr, "a file is shorter than its tensor\n");
        exit(2);
    }
    fclose(f);
}

/* ---- outputs ---- */

static int is_right(float got, double want)
{
    if (isnan(want))
        return isnan(got);
    if (isinf(want))
        return (double)got == want;
    return fabs((double)got - want) <= 2e-5 * (fabs(want) > 1 ? fabs(want) : 1);
}

static int compare(const char *isa, const rnc_port_info *p, const float *got, const char *folder)
{
    const size_t n = elements(p);
    double *want = memory(n * sizeof *want);
    int wrong = 0;
    load(npy("rb", folder, "/", p->name), want, n * sizeof *want);
    for (size_t i = 0; i < n; i++) {
        if (is_right(got[i], want[i]))
            continue;
        if (wrong++ == 0)
            printf("%s: %s[%lu] is %g, not %g\n", isa, p->name, (unsigned long)i, (double)got[i],
                   want[i]);
    }
    free(want);
    return wrong;
}

int main(int argc, char **argv)
{
    const rnc_net_info *info = &NET_INFO;
    const void *in[MOST_PORTS];
    void *out[MOST_PORTS], *net = memory(info->engine_bytes), *arena = memory(info->arena_bytes);
    int wrong = 0, isas = 0;
    rnc_weights w;
    if (argc == 3 && strcmp(argv[1], "make") == 0) {
        for (int i = 0; i < info->n_inputs; i++)
            make(argv[2], &info->inputs[i]);
        return 0;
    }
    if (argc != 4 || rnc_weights_memory(&w, EMBEDDED, EMBEDDED_BYTES))
        return 2;
    if (info->n_inputs > MOST_PORTS || info->n_outputs > MOST_PORTS) {
        fprintf(stderr, "more than %d inputs or outputs\n", MOST_PORTS);
        return 2;
    }
    for (int i = 0; i < info->n_inputs; i++) {
        const size_t bytes = elements(&info->inputs[i]) * sizeof(float);
        void *to = memory(bytes);
        load(npy("rb", argv[2], ".", info->inputs[i].name), to, bytes);
        in[i] = to;
    }
    for (int i = 0; i < info->n_outputs; i++)
        out[i] = memory(elements(&info->outputs[i]) * sizeof(float));
    for (int isa = RNC_ISA_BEST + 1; isa < MOST_ISAS; isa++) {
        if (info->init(net, &w, arena, info->arena_bytes, NULL))
            return 2;
        if (info->use(net, (rnc_isa)isa))
            continue;
        isas++;
        memset(arena, 0xff, info->arena_bytes); /* NaNs, wherever nobody writes */
        info->run(net, NULL, in, out);
        for (int i = 0; i < info->n_outputs; i++)
            wrong += compare(rnc_isa_name((rnc_isa)isa), &info->outputs[i], out[i], argv[3]);
    }
    printf("%d instruction sets, %d elements are wrong\n", isas, wrong);
    return wrong > 0 || isas == 0;
}
