/* rncrt.h: the runtime that code made by rnc links against.
 *
 * Weights mapped and checked, the CPU's instruction sets, threads if the caller
 * wants them, and the texts of the statuses.  No function keeps state of its
 * own; none allocates but rnc_pool_new.  Everything here may be used without
 * conditions (see LICENSE).
 */
#ifndef RNCRT_H
#define RNCRT_H

#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

typedef enum rnc_status {
    RNC_OK = 0,
    RNC_E_OPEN,      /* the file cannot be opened, read or mapped */
    RNC_E_FORMAT,    /* not a weights file of rnc, or of another version */
    RNC_E_TRUNCATED, /* shorter than its own header says */
    RNC_E_CORRUPT,   /* a checksum or an extent is wrong */
    RNC_E_PLAN,      /* made for another network, or by other options */
    RNC_E_ARENA,     /* the arena is too small, not aligned, or NULL */
    RNC_E_ISA,       /* the instruction set is not compiled in, or not this CPU's */
    RNC_E_THREADS,   /* threads cannot be started */
    RNC_E_MEMORY     /* no memory for the pool */
} rnc_status;

/* What a status means, in English; never NULL, static storage. */
const char *rnc_status_text(rnc_status status);

/* ---- weights ---- */

/* A weights file in memory: const, shared by any number of engines in any
 * number of threads.  The caller owns the struct; its memory outlives every
 * engine that uses it. */
typedef struct rnc_weights {
    const unsigned char *base; /* the file's first byte, aligned to 64 */
    size_t size;               /* bytes */
    uint64_t plan;             /* hash of the plan they were packed for */
    void *map;                 /* what rnc_weights_close unmaps, or NULL */
    char why[192];             /* after an error: what was expected and found */
} rnc_weights;

/* Map a file and check its header and table (not the checksums of the tensors:
 * rnc_weights_verify).  After an error `why` says more and nothing is held. */
rnc_status rnc_weights_open(rnc_weights *w, const char *path);
/* The same for a file that is in memory: an array, a flash section.  `data` is
 * aligned to 64 bytes and stays the caller's. */
rnc_status rnc_weights_memory(rnc_weights *w, const void *data, size_t size);
/* Read everything once and compare the checksums. */
rnc_status rnc_weights_verify(rnc_weights *w);
void rnc_weights_close(rnc_weights *w);

/* ---- instruction sets ---- */

typedef enum rnc_isa {
    RNC_ISA_BEST = 0, /* the best of those compiled in that the CPU has */
    RNC_ISA_AVX512,
    RNC_ISA_AVX2,
    RNC_ISA_NEON,
    RNC_ISA_PORTABLE,
    RNC_ISA_SCALAR
} rnc_isa;

/* 1 when this CPU, and the operating system, have it. */
int rnc_isa_present(rnc_isa isa);
const char *rnc_isa_name(rnc_isa isa); /* "avx512" */

/* ---- threads ---- */

typedef void (*rnc_task)(void *arg, int part, int parts);

/* Threads that engines may use: the pool below, or the caller's own, as the
 * first member of a struct.  begin and end surround one inference, so that
 * workers can stay awake between its steps.  run calls task(arg, p, parts) for
 * p = 0 .. parts-1, on any threads, and returns when all are done.  A pool
 * serves one inference at a time. */
typedef struct rnc_pool rnc_pool;
struct rnc_pool {
    int (*threads)(const rnc_pool *pool);
    void (*begin)(rnc_pool *pool);
    void (*run)(rnc_pool *pool, rnc_task task, void *arg, int parts);
    void (*end)(rnc_pool *pool);
};

/* A pool of `threads` threads, the caller's own one of them; 0 means one for
 * each processor.  The only function of the runtime that starts threads or
 * allocates; rnc_pool_free joins and frees.  *pool is NULL after an error. */
rnc_status rnc_pool_new(rnc_pool **pool, int threads);
void rnc_pool_free(rnc_pool *pool);

/* ---- any network ---- */

/* An input or output of a network, as the caller has it in memory. */
typedef struct rnc_port_info {
    const char *name;
    int n, h, w, c;            /* images, rows, pixels, channels */
    int u8;                    /* 1: unsigned char, 0: float */
    int nhwc;                  /* 1: [n][h][w][c], 0: [n][c][h][w] */
    const char *const *labels; /* class names, or NULL */
    int n_labels;
} rnc_port_info;

/* Called behind each step of code compiled with -DRNC_TRACE. */
typedef void (*rnc_trace_hook)(void *context, int step, const void *out);

/* A network, for programs that do not know which one they serve: NAME_info. */
typedef struct rnc_net_info {
    const char *name;
    int n_inputs, n_outputs;
    const rnc_port_info *inputs, *outputs;
    size_t arena_bytes;  /* aligned to 64 */
    size_t weight_bytes; /* from the first tensor on; 0: init takes NULL for weights */
    uint64_t plan;
    size_t engine_bytes; /* sizeof(NAME) */
    rnc_status (*init)(void *net, const rnc_weights *w, void *arena, size_t arena_bytes,
                       rnc_pool *pool);
    rnc_status (*use)(void *net, rnc_isa isa);
    void (*run)(const void *net, const void *const *inputs, void *const *outputs);
    const char *(*why)(const void *net);
    void (*trace)(void *net, rnc_trace_hook hook, void *context); /* NULL without RNC_TRACE */
} rnc_net_info;

/* For emitted code: what NAME_init checks.  *tensors is the first tensor of the
 * weights; `why` (192 bytes) says what was expected and found. */
rnc_status rnc_net_check(const rnc_net_info *info, const rnc_weights *w, const void *arena,
                         size_t arena_bytes, const unsigned char **tensors, char *why);
/* RNC_E_ISA, and why. */
rnc_status rnc_no_isa(rnc_isa isa, char *why);

#ifdef __cplusplus
}
#endif

#endif
