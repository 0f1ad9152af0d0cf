/* drive.c: a residual block against whole outputs and rows that were published.
 *
 *   drive WEIGHTS INPUT.npy EXPECTED.npy THREADS ROW...   runs the emitted network,
 *       -DNET_INFO=block_info -DNET_HEADER='"block.h"', with every instruction set
 *       that it was made for and the CPU has
 *   drive --file RESULT.npy EXPECTED.npy ROW...           compares a file
 *
 * ROW are the numbers published for [1][1][0].  Every element must agree to 1e-6;
 * prints a line for each comparison, and on stderr what differs.
 */
#include NET_HEADER

#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { MOST = 4096, RANK = 4 };
static const double tolerance = 1e-6;

typedef struct Tensor {
    int dims[RANK], n;
    double values[MOST];
} Tensor;

static void fail(const char *what, const char *why)
{
    fprintf(stderr, "%s: %s\n", what, why);
    exit(1);
}

/* Little-endian floats or doubles of four axes, as NumPy writes them. */
static Tensor read_npy(const char *path)
{
    unsigned char head[10];
    char text[512];
    Tensor t = {{0}, 1, {0}};
    FILE *file = fopen(path, "rb");
    if (!file || fread(head, 1, 10, file) != 10 || memcmp(head, "\x93NUMPY", 6) != 0)
        fail(path, "no .npy file");
    const size_t length = head[8] + 256u * head[9];
    if (length >= sizeof text || fread(text, 1, length, file) != length)
        fail(path, "its head is cut");
    text[length] = '\0';
    const char *shape = strstr(text, "'shape': (");
    if (!shape || sscanf(shape, "'shape': (%d, %d, %d, %d", &t.dims[0], &t.dims[1], &t.dims[2],
                         &t.dims[3]) != RANK)
        fail(path, "it has not four axes");
    for (int i = 0; i < RANK; i++)
        t.n *= t.dims[i];
    const size_t bytes = strstr(text, "<f8") ? 8 : 4;
    for (int i = 0; i < t.n && i < MOST; i++) {
        float single;
        if (fread(bytes == 8 ? (void *)&t.values[i] : &single, bytes, 1, file) != 1)
            fail(path, "it is cut");
        if (bytes == 4)
            t.values[i] = (double)single;
    }
    if (t.n > MOST || getc(file) != EOF)
        fail(path, "it is too long");
    fclose(file);
    return t;
}

static double off(double a, double b)
{
    return a > b ? a - b : a < b ? b - a : a == b ? 0 : 1;
}

/* The whole tensor and the published row; true when both agree. */
static int compare(const char *what, const Tensor *got, const Tensor *expected, char **row,
                   int row_n)
{
    double worst = 0, worst_row = 0;
    const int *d = expected->dims;
    if (memcmp(got->dims, d, sizeof got->dims) != 0 || row_n != d[3])
        fail(what, "another shape than expected");
    for (int i = 0; i < expected->n; i++) {
        const double x = off(got->values[i], expected->values[i]);
        worst = x > worst ? x : worst;
    }
    const double *at = &got->values[((d[1] + 1) * d[2] + 0) * d[3]];
    for (int i = 0; i < row_n; i++) {
        const double x = off(at[i], atof(row[i]));
        worst_row = x > worst_row ? x : worst_row;
    }
    const int good = worst <= tolerance && worst_row <= tolerance;
    fprintf(good ? stdout : stderr, "%s: worst of all %.2g, of the published row %.2g\n", what,
            worst, worst_row);
    return good;
}

static int run(const rnc_weights *w, const Tensor *input, const Tensor *expected, int threads,
               char **row, int row_n)
{
    static const char *const names[] = {"avx512", "avx2", "neon", "portable", "scalar"};
    static const int isas[] = {RNC_ISA_AVX512, RNC_ISA_AVX2, RNC_ISA_NEON, RNC_ISA_PORTABLE,
                               RNC_ISA_SCALAR};
    static float in[MOST], out[MOST];
    const void *inputs[] = {in};
    void *outputs[] = {out};
    int good = 1, runs = 0;
    rnc_pool *pool = NULL;
    void *engine = malloc(NET_INFO.engine_bytes);
    void *arena = aligned_alloc(64, (NET_INFO.arena_bytes + 63) / 64 * 64);
    if (!engine || !arena || (threads > 1 && rnc_pool_new(&pool, threads) != RNC_OK))
        fail(NET_INFO.name, "no memory or no threads");
    if (NET_INFO.init(engine, w, arena, NET_INFO.arena_bytes, pool) != RNC_OK)
        fail(NET_INFO.name, NET_INFO.why(engine));
    for (int i = 0; i < input->n; i++)
        in[i] = (float)input->values[i];
    for (size_t k = 0; k < sizeof isas / sizeof *isas; k++) {
        char what[64];
        Tensor got = *expected;
        if (NET_INFO.use(engine, (rnc_isa)isas[k]) != RNC_OK)
            continue;
        memset(out, 0xff, sizeof out);
        NET_INFO.run(engine, NULL, inputs, outputs);
        for (int i = 0; i < got.n; i++)
            got.values[i] = (double)out[i];
        snprintf(what, sizeof what, "%s with %d threads", names[k], threads);
        good &= compare(what, &got, expected, row, row_n);
        runs++;
    }
    rnc_pool_free(pool);
    free(engine);
    free(arena);
    return good && runs > 0;
}

int main(int argc, char **argv)
{
    if (argc > 4 && strcmp(argv[1], "--file") == 0) {
        const Tensor got = read_npy(argv[2]), expected = read_npy(argv[3]);
        return !compare("the interpreter", &got, &expected, argv + 4, argc - 4);
    }
    if (argc < 6)
        fail("drive", "WEIGHTS INPUT.npy EXPECTED.npy THREADS ROW...");
    const Tensor input = read_npy(argv[2]), expected = read_npy(argv[3]);
    const rnc_port_info *port = &NET_INFO.outputs[0];
    rnc_weights w;
    if (port->n * port->h * port->w * port->c != expected.n || port->order != RNC_ORDER_NHWC)
        fail(NET_INFO.name, "its output is not as expected");
    if (rnc_weights_open(&w, argv[1]) != RNC_OK)
        fail(argv[1], w.why);
    const int good = run(&w, &input, &expected, atoi(argv[4]), argv + 5, argc - 5);
    rnc_weights_close(&w);
    return !good;
}
