/* tiny.h: the network tiny in C, made by rnc: what tiny.c offers.
 * For any use by anyone, without conditions. */
#ifndef RNC_NET_TINY_H
#define RNC_NET_TINY_H

#include <rncrt.h>

#if !defined(RNCRT_ABI) || RNCRT_ABI != 1
#error "tiny was made for a runtime of another release (RNCRT_ABI 1): make it again with this one's rnc"
#endif

#ifdef __cplusplus
extern "C" {
#endif

#define TINY_ARENA_BYTES ...
#define TINY_ARENA_ALIGN 64
#define TINY_BATCH 1
/* Weights files carry the same number, or do not fit. */
#define TINY_PLAN_HASH ...
/* Of the weights file. */
#define TINY_WEIGHTS_BYTES 5248
/* More threads than these gain nothing in steps that need scratch (rnc --threads). */
#define TINY_THREADS 4
/* Stack that run takes at most, on each thread, compiled with optimization (gcc and clang, -O1 or more). */
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
 * Values in the range of training.  Nothing is scaled or normalised inside. */
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

/* An inference engine.  The caller provides the memory of it, as many engines as it likes.
 * Treat the members as private, but for why. */
typedef struct tiny {
    const void *kernels;          /* of the instruction set in use */
    unsigned char *arena;
    const unsigned char *weights; /* the first tensor */
    rnc_pool *pool;
    rnc_trace_hook hook; /* or NULL */
    void *context;
    char why[192]; /* after an error: what was expected and found */
} tiny;

/* Everything that can go wrong goes wrong here; net->why then says more.  The
 * arena belongs to this engine, TINY_ARENA_BYTES aligned to
 * TINY_ARENA_ALIGN; weights are only read, by any number of engines in any
 * number of threads.  pool: threads to share the work, or NULL for the caller's
 * own alone.  Weights, arena and pool must outlive the engine. */
rnc_status tiny_init(tiny *net, const rnc_weights *w,
    void *arena, size_t arena_bytes, rnc_pool *pool);

/* Another instruction set than the best one: for tests and comparisons. */
rnc_status tiny_use(tiny *net, rnc_isa isa);

/* One inference: cannot fail, allocates nothing, writes the outputs and the arena
 * alone.  An engine serves one thread at a time.  On x86-64 and 64-bit ARM denormal numbers
 * count as 0 inside; the state of the caller's floating-point unit is as before. */
void tiny_run(tiny *net,
              const unsigned char *image,
              const float *extra,
              float *middle,
              float *port_int);

/* The name of class 0 .. 3; NULL for any other number. */
const char *tiny_port_int_label(int class_number);

/* Calls hook(context, ...) after each step of every later run, with the number of the step
 * in tiny_info.steps and its result; NULL: no longer.  init begins without. */
void tiny_trace(tiny *net, rnc_trace_hook hook, void *context);

/* The network described for programs that serve any network (rncrt.h): ports, steps, sizes,
 * and these functions by pointer. */
extern const rnc_net_info tiny_info;

#ifdef __cplusplus
}
#endif

#endif
