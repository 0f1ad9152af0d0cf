/* rncrt.h: the runtime that code made by rnc links against.
 * It maps and checks weights, tells which instruction sets the CPU has, provides threads if the
 * caller wants them, and has texts for the statuses.  No function keeps state of its own; only
 * rnc_pool_new allocates.  Everything here may be used without conditions (see LICENSE). */
#ifndef RNCRT_H
#define RNCRT_H

#include <stddef.h>
#include <stdint.h>

/* Grows whenever a struct or a function below changes.  Every file that rnc emits compares it with
 * the number of the rnc that made the file. */
#define RNCRT_ABI 2

/* Functions declared with RNCRT_API need no operating system.  rnc --single-file pastes them as
 * static functions, so that any number of such files can be linked into one program. */
#ifndef RNCRT_API
#define RNCRT_API
#endif

#ifdef __cplusplus
extern "C" {
#endif

typedef enum rnc_status {
    RNC_OK = 0,
    RNC_E_OPEN,      /* the file cannot be opened, read or mapped */
    RNC_E_FORMAT,    /* not a weights file of rnc, or one of another version */
    RNC_E_TRUNCATED, /* shorter than its own header says */
    RNC_E_CORRUPT,   /* a checksum or an extent is wrong */
    RNC_E_PLAN,      /* made for another network, or with other options */
    RNC_E_ARENA,     /* the arena is too small, not aligned, or NULL */
    RNC_E_ISA,       /* the instruction set is not compiled in, or this CPU does not have it */
    RNC_E_THREADS,   /* threads cannot be started */
    RNC_E_MEMORY,    /* no memory for the pool */
    RNC_E_STATE      /* the state is too small, not aligned, or NULL */
} rnc_status;

/* What a status means, in English.  The text is never NULL and is static. */
RNCRT_API const char *rnc_status_text(rnc_status status);

/* ---- weights ---- */

/* A weights file in memory: constant, and shared by any number of engines in any number of threads.
 * The caller owns the struct; the memory must outlive every engine that uses it. */
typedef struct rnc_weights {
    const unsigned char *base; /* the file's first byte, aligned to 64 bytes */
    size_t size;               /* in bytes */
    uint64_t plan;             /* hash of the plan that the weights were packed for */
    void *map;                 /* what rnc_weights_close unmaps, or NULL */
    char why[192];             /* after an error: what was expected and found */
} rnc_weights;

/* Maps a file and checks its header and table, but not the checksums of the tensors: for those call
 * rnc_weights_verify.  After an error `why` says more, and nothing needs to be closed. */
rnc_status rnc_weights_open(rnc_weights *w, const char *path);
/* Does the same for a file that is in memory already, such as an array or a flash section.  `data`
 * must be aligned to 64 bytes and still belongs to the caller. */
RNCRT_API rnc_status rnc_weights_memory(rnc_weights *w, const void *data, size_t size);
/* Reads everything once and compares the checksums. */
RNCRT_API rnc_status rnc_weights_verify(rnc_weights *w);
void rnc_weights_close(rnc_weights *w);

/* ---- instruction sets ---- */

typedef enum rnc_isa {
    RNC_ISA_BEST = 0, /* the best one that is compiled in and that the CPU has */
    RNC_ISA_AVX512,
    RNC_ISA_AVX2,
    RNC_ISA_NEON,
    RNC_ISA_PORTABLE,
    RNC_ISA_SCALAR
} rnc_isa;

/* 1 if this CPU and the operating system support the instruction set. */
RNCRT_API int rnc_isa_present(rnc_isa isa);
RNCRT_API const char *rnc_isa_name(rnc_isa isa); /* "avx512" */

/* ---- threads ---- */

typedef void (*rnc_task)(void *arg, int part, int parts);

/* Threads that engines may use: those of the pool below, or the caller's own, in a struct with this
 * as its first member.  begin and end enclose one inference, so that workers can stay awake between
 * its steps.  run calls task(arg, p, parts) for p = 0 .. parts-1, on any threads, and returns when
 * all calls are done.  A pool serves one inference at a time. */
typedef struct rnc_pool rnc_pool;
struct rnc_pool {
    int (*threads)(const rnc_pool *pool);
    void (*begin)(rnc_pool *pool);
    void (*run)(rnc_pool *pool, rnc_task task, void *arg, int parts);
    void (*end)(rnc_pool *pool);
};

/* Makes a pool of `threads` threads, one of which is the caller's own; 0 means one for each
 * processor.  This is the only function of the runtime that starts threads or allocates;
 * rnc_pool_free joins the threads and frees the memory.  *pool is NULL after an error. */
rnc_status rnc_pool_new(rnc_pool **pool, int threads);
void rnc_pool_free(rnc_pool *pool);

/* ---- any network ---- */

/* What the elements of a tensor are.  The numbers never change. */
typedef enum rnc_elem {
    RNC_ELEM_F32 = 0, /* float */
    RNC_ELEM_U8 = 1,  /* unsigned char */
    RNC_ELEM_S8 = 2,  /* signed char */
    RNC_ELEM_I32 = 3, /* int32_t */
    RNC_ELEM_F16 = 4, /* IEEE 754 binary16 in a uint16_t */
    RNC_ELEM_BF16 = 5 /* the upper half of a float in a uint16_t */
} rnc_elem;

/* Bytes in one element; 0 if the number is none of the above. */
RNCRT_API size_t rnc_elem_bytes(rnc_elem elem);

/* The order of a port's axes, the outermost first. */
typedef enum rnc_order {
    RNC_ORDER_NCHW = 0, /* image, channel, row, pixel */
    RNC_ORDER_NHWC = 1  /* image, row, pixel, channel */
} rnc_order;

/* An input or output of a network, as the caller has it in memory: contiguous. */
typedef struct rnc_port_info {
    const char *name;
    rnc_elem elem;
    rnc_order order;
    int n, h, w, c;            /* images, rows, pixels, channels */
    const char *const *labels; /* [n_labels] class names, or NULL */
    int n_labels;
} rnc_port_info;

/* A step: one kernel call of an inference, for profilers.  The figures are those of one call, for
 * all the images that it computes. */
typedef struct rnc_step_info {
    const char *name;       /* its layers: "layer1.0.main.conv1 + bn1 + relu1" */
    const char *kernel;     /* "conv_direct" */
    const char *line;       /* its line in the network's file: "resnet50.net:31", or "" */
    uint64_t macs;          /* multiply-adds, counted by the layer's definition */
    uint64_t read_bytes;    /* size of its operands, without weights */
    uint64_t written_bytes; /* size of its results */
    uint64_t weight_bytes;  /* size of its weights, as they are packed */
    int n_results;
} rnc_step_info;

/* Called after each step with the step's number, counted from 0, and its results, n_results in the
 * table of steps, which are in the arena, in the state or in the caller's buffers. */
typedef void (*rnc_trace_hook)(void *context, int step, void *const *results);

/* A piece of a network's state: the memory, the caller's, that keeps its contents from run to run.
 * Its elements are stored as the steps need them, with what is between rows and pixels. */
typedef struct rnc_state_info {
    const char *name; /* of the layer that keeps it */
    rnc_elem elem;
    size_t offset, bytes; /* in the part of the state that a turn of the batch has */
} rnc_state_info;

/* Describes a network (NAME_info) to programs that do not know which one they serve.  All that it
 * points to is static and constant. */
typedef struct rnc_net_info {
    const char *name;
    int n_inputs, n_outputs;
    const rnc_port_info *inputs, *outputs;
    int n_steps;                /* 0 if the table was left out (RNC_NO_STEP_TABLE) */
    int turns;                  /* parts of the batch; each runs all steps */
    const rnc_step_info *steps; /* [n_steps], in the order of execution */
    size_t arena_bytes;         /* aligned to 64 bytes */
    size_t weight_bytes;        /* from the first tensor on; 0: init takes NULL for weights */
    uint64_t plan;
    size_t engine_bytes; /* sizeof(NAME) */
    rnc_status (*init)(void *net, const rnc_weights *w, void *arena, size_t arena_bytes,
                       rnc_pool *pool);
    rnc_status (*use)(void *net, rnc_isa isa);
    /* state: NULL if the network has none. */
    void (*run)(void *net, void *state, const void *const *inputs, void *const *outputs);
    const char *(*why)(const void *net);
    void (*trace)(void *net, rnc_trace_hook hook, void *context);
    size_t state_bytes; /* aligned to 64 bytes; turn k has the k-th of `turns` equal parts */
    int n_states;       /* 0: the network has no state */
    const rnc_state_info *states;                                         /* [n_states] */
    rnc_status (*init_state)(void *net, void *state, size_t state_bytes); /* NULL: no state */
} rnc_net_info;

/* For emitted code: what NAME_init checks.  *tensors is set to the first tensor of the weights;
 * after an error `why` (192 bytes) says what was expected and found. */
RNCRT_API rnc_status rnc_net_check(const rnc_net_info *info, const rnc_weights *w,
                                   const void *arena, size_t arena_bytes,
                                   const unsigned char **tensors, char *why);
/* For emitted code: what NAME_init_state checks; after an error `why` says what is wrong. */
RNCRT_API rnc_status rnc_state_check(const rnc_net_info *info, const void *state,
                                     size_t state_bytes, char *why);
/* Returns RNC_E_ISA and says why. */
RNCRT_API rnc_status rnc_no_isa(rnc_isa isa, char *why);

#ifdef __cplusplus
}
#endif

#endif
