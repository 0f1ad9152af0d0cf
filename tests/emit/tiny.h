/* tiny.h: the network tiny in C, made by rnc: the interface of tiny.c.
 * Anyone may use it for any purpose, without conditions. */
#ifndef RNC_NET_TINY_H
#define RNC_NET_TINY_H

#include <rncrt.h>

#if !defined(RNCRT_ABI) || RNCRT_ABI != 2
#error "tiny was made for a runtime of another release (RNCRT_ABI 2): make it again with this one's rnc"
#endif

#ifdef __cplusplus
extern "C" {
#endif

#define TINY_ARENA_BYTES ...
#define TINY_ARENA_ALIGN 64
#define TINY_BATCH 1
/* A weights file fits only if it carries the same number. */
#define TINY_PLAN_HASH ...
/* Size of the weights file. */
#define TINY_WEIGHTS_BYTES 5248
/* Steps that need scratch use no more threads than this (rnc --threads). */
#define TINY_THREADS 4
/* The most stack that run uses on each thread, if compiled with optimization (gcc or
 * clang, -O1 or more). */
#define TINY_STACK_BYTES 16384

/* Input image, unsigned char [1][6][5][3]: image, row, pixel, channel.
 * Values 0..255.  Normalised inside: (x / 255 - mean) / std,
 * mean 0.5; std 0.25.
 * Channels in the order of training, which the .net does not say: as a rule red, green, blue. */
#define TINY_IMAGE_ELEMENTS 90
#define TINY_IMAGE_N 1
#define TINY_IMAGE_C 3
#define TINY_IMAGE_H 6
#define TINY_IMAGE_W 5

/* Input extra, float [1][4]: image, channel.
 * Values in the range of training.  Nothing is scaled or normalised inside.
 * Outliers, infinities and NaN change only outputs that read them. */
#define TINY_EXTRA_ELEMENTS 4
#define TINY_EXTRA_N 1
#define TINY_EXTRA_C 4
#define TINY_EXTRA_H 1
#define TINY_EXTRA_W 1

/* Output middle, float [1][8][6][5]: image, channel, row, pixel.
 * Result of conv1 (tiny.net:7). */
#define TINY_MIDDLE_ELEMENTS 240
#define TINY_MIDDLE_N 1
#define TINY_MIDDLE_C 8
#define TINY_MIDDLE_H 6
#define TINY_MIDDLE_W 5

/* Output int, float [1][4]: image, channel.
 * Result of softmax1 (tiny.net:13): probabilities, a softmax is inside; those of a pixel add up to 1. */
#define TINY_PORT_INT_ELEMENTS 4
#define TINY_PORT_INT_N 1
#define TINY_PORT_INT_C 4
#define TINY_PORT_INT_H 1
#define TINY_PORT_INT_W 1

/* An inference engine.  The caller allocates it, and may have as many as it likes.
 * Treat all members except `why` as private. */
typedef struct tiny {
    const void *kernels;          /* those for the instruction set in use */
    unsigned char *arena;
    const unsigned char *weights; /* the first tensor */
    rnc_pool *pool;
    rnc_trace_hook hook; /* or NULL */
    void *context;
    char why[192]; /* after an error: what was expected and found */
} tiny;

/* Makes an engine ready.  Everything that can fail fails here; net->why then says more.
 * arena: TINY_ARENA_BYTES bytes for this engine alone, aligned to TINY_ARENA_ALIGN.
 * w: weights, which are only read; any number of engines and threads may share them.
 * pool: threads that share the work; NULL: only the caller's thread works.
 * Weights, arena and pool must outlive the engine. */
rnc_status tiny_init(tiny *net, const rnc_weights *w,
    void *arena, size_t arena_bytes, rnc_pool *pool);

/* Selects another instruction set than the best one, for tests and comparisons. */
rnc_status tiny_use(tiny *net, rnc_isa isa);

/* Runs one inference.  It cannot fail, allocates nothing, and writes only the outputs and the
 * arena.  An engine serves one thread at a time.  On x86-64 and 64-bit ARM denormal numbers
 * are treated as 0 meanwhile; afterwards the caller's floating-point mode is restored. */
void tiny_run(tiny *net,
              const unsigned char *image,
              const float *extra,
              float *middle,
              float *port_int);

/* The name of class 0 .. 3; NULL for any other number. */
const char *tiny_port_int_label(int class_number);

/* From now on every run calls hook(context, ...) after each step, with the step's number in
 * tiny_info.steps and its results.  NULL removes the hook; after init there is none. */
void tiny_trace(tiny *net, rnc_trace_hook hook, void *context);

/* Describes the network to programs that serve any network (rncrt.h): ports, steps, sizes,
 * and pointers to these functions. */
extern const rnc_net_info tiny_info;

#ifdef __cplusplus
}
#endif

#endif
