/* rnctrain.h: what code made by `rnc --train` has in common: a step of training in the caller's
 * memory.  Beside rncrt.h, which it includes.  Everything here may be used without conditions.
 *
 * What such code computes, and in which order a program calls it, is in docs/training.md. */
#ifndef RNCTRAIN_H
#define RNCTRAIN_H

#include "rncrt.h"

/* Grows whenever a struct below changes. */
#define RNCTRAIN_ABI 5

#ifdef __cplusplus
extern "C" {
#endif

/* What a tensor of the state is.  The numbers never change. */
typedef enum rnc_role {
    RNC_ROLE_PARAMETER = 0, /* trained, or frozen */
    RNC_ROLE_STATISTIC = 1, /* running mean or variance */
    RNC_ROLE_FIRST = 2,     /* the optimizer's velocity or first moment of a parameter */
    RNC_ROLE_SECOND = 3,    /* its second moment */
    RNC_ROLE_AVERAGE = 4,   /* moving average of a parameter */
    RNC_ROLE_GRADIENT = 5   /* its gradient so far, between the batches of an update */
} rnc_role;

/* A tensor of the state, as NAME_get and NAME_set exchange it: row-major floats, dims[0] outermost;
 * a convolution's are [output][input][row][column]. */
typedef struct rnc_tensor_info {
    const char *name; /* in the network, as rnc convert has it: "layer1.0.conv1.weight"; of others
                       * than parameters and statistics, that of their parameter */
    rnc_role role;
    int trained; /* 1: steps change it */
    int rank, dims[4];
} rnc_tensor_info;

/* What a step or an evaluation measured. */
typedef struct rnc_metrics {
    double
        loss;   /* sum over the images whose label is a class; all images, if there are no labels */
    int hits;   /* images whose label has the largest logit, the first if there are several; where
                 * each pixel has a label, pixels */
    int images; /* how many count */
    double norm; /* Euclidean norm of all gradients of an update, before clipping; 0 where a call
                  * makes no update */
    int bad; /* -1; or, where the loss or `norm` is not finite, the step (rnc_train_find_step) that
              * gave the first number that is not: of the forward part, if the loss is not finite,
              * else the step that completed the first such gradient.  Nothing in the state has
              * changed then, unless `spoiled`, and except that where `accumulate` is above 1 a norm
              * that is not finite drops the gradients of the update, whose batches have moved the
              * running statistics */
    int spoiled; /* 1: parameters have changed with that gradient, so that a program that goes on
                  * must set them anew; only where no limit on the norm makes updates wait for it */
} rnc_metrics;

/* Ranks that train together.  A struct with this as its first member belongs to the caller.  All
 * ranks call the same functions in the same order.
 * sum: adds x, n floats, over all ranks by a binary tree of the ranks (0 + 1, 2 + 3, then these
 *      sums), and leaves the same bits in all.
 * start, finish: the same in the background; several may be under way, and finish waits for the one
 *      that start returned this number for.
 * gather: each rank gives `bytes` at all + rank * bytes, and gets those of the others. */
typedef struct rnc_ranks rnc_ranks;
struct rnc_ranks {
    int rank, count;
    void (*sum)(rnc_ranks *ranks, float *x, size_t n);
    int (*start)(rnc_ranks *ranks, float *x, size_t n);
    void (*finish)(rnc_ranks *ranks, int ticket);
    void (*gather)(rnc_ranks *ranks, void *all, size_t bytes);
};

/* A layer: "bn1", what is computed with it, " + relu1" or "", and "resnet50.net:31" or "". */
typedef struct rnc_train_layer {
    const char *name, *with, *line;
} rnc_train_layer;

/* What a step is; static and constant. */
typedef struct rnc_train_step {
    const char *layer;  /* "conv1" */
    const char *part;   /* what of the layer it computes: "" for the layer itself, "backward" and
                         * "weight.gradient" for gradients, "again", "evaluate" */
    const char *with;   /* what is computed with the layer itself: " + relu1", or "" */
    const char *kernel; /* "conv_direct" */
    const char *line;   /* "resnet50.net:31" or "" */
} rnc_train_step;

/* Describes a training (NAME_info) to programs that do not know which one they serve.  All that it
 * points to is static and constant. */
typedef struct rnc_train_info {
    const char *name;
    int n_inputs, n_outputs;
    const rnc_port_info *inputs;  /* n: the most images of a step; the last one is the labels
                                   * (i32, a class from 0 on for each image) or the target */
    const rnc_port_info *outputs; /* of evaluate; the loss is not among them */
    int ranks;                    /* for which the code was made; 1: init takes NULL */
    int accumulate;               /* batches of an update */
    int n_steps; /* 0 if the tables were left out (RNC_NO_STEP_TABLE); rnc_train_find_step
                  * says what each step is */
    const rnc_train_layer *layers;
    const char *const *parts, *const *kernels;      /* names */
    const int *step_layers;                         /* by step: its layer, */
    const unsigned char *step_parts, *step_kernels; /* which part of it, and its kernel */
    int n_tensors;
    const rnc_tensor_info *tensors;  /* parameters and statistics in the order of the network, then
                                      * moments, averages and gradients, each in that order */
    size_t state_bytes, arena_bytes; /* both are aligned to 64 bytes */
    size_t arena_bound;  /* the tensors alive at once, without halos and scratch: no plan
                          * of these steps can need less */
    size_t engine_bytes; /* sizeof(NAME) */
    double rate;         /* the learning rate as the training declares it */
    uint64_t plan;       /* equal: the same network, loss and optimizer, so that tensors fit */
    uint64_t layout;     /* equal, too: the state has the same order, so that a copy of it fits */

    /* Makes an engine ready.  The state keeps its contents, the arena needs none.  All that can
     * fail fails here, in initialise, set or get; net->why then says more.  pool, ranks: or NULL.
     */
    rnc_status (*init)(void *net, void *state, size_t state_bytes, void *arena, size_t arena_bytes,
                       rnc_pool *pool, rnc_ranks *ranks);
    rnc_status (*use)(void *net, rnc_isa isa);
    const char *(*why)(const void *net);
    /* Begins a training: parameters and statistics as the network says, everything else 0. */
    rnc_status (*initialise)(void *net, uint64_t seed);
    /* One tensor in or out; `floats` has as many as the product of its dims.  A parameter that is
     * set is its own average, too; its moments stay. */
    rnc_status (*set)(void *net, int tensor, const float *floats);
    rnc_status (*get)(const void *net, int tensor, float *floats);
    /* How many updates there have been; set it after the tensors of a checkpoint. */
    uint64_t (*updates)(const void *net);
    void (*set_updates)(void *net, uint64_t updates);
    /* One batch of 1 .. inputs[0].n images (of several ranks, the part of this one, which is all of
     * them unless the ranks after it have none; loss, hits and images are then of this part):
     * forward, backward, and after each `accumulate` batches an update with this learning rate.
     * Batch normalisation is over these images, and the gradient is of the mean of their losses.  A
     * buffer may hold images after the last one; they are read but have no influence.  An image
     * whose label is no class has a loss and a gradient of 0.  Returns RNC_OK, or an error where
     * `images` is not in that range. */
    rnc_status (*step)(void *net, const void *const *inputs, int images, double rate,
                       rnc_metrics *metrics);
    /* Forward with the running statistics and, if there are some, the averages of parameters; the
     * state does not change.  outputs, and each of them, may be NULL. */
    rnc_status (*evaluate)(void *net, const void *const *inputs, int images, void *const *outputs,
                           rnc_metrics *metrics);
    void (*trace)(void *net, rnc_trace_hook hook, void *context);
} rnc_train_info;

/* Sets *step and returns 1; 0 if the training has no such step, or no tables. */
RNCRT_API int rnc_train_find_step(const rnc_train_info *info, int number, rnc_train_step *step);

/* ---- for emitted code ---- */

enum { RNC_TRAIN_PANEL = 32 }; /* outputs of a panel */

/* A tensor's place in the state and how it begins.  It is [output][window][input] there or, with
 * `rows`, in panels, [panel][row][output of the panel]: each of as many outputs, the last of those
 * that are left, and of as many rows, of which filters have [window][input] from row 1 on, and
 * their biases row 0. */
typedef enum rnc_values {
    RNC_VALUES_CONSTANT,
    RNC_VALUES_UNIFORM,
    RNC_VALUES_NORMAL,
    RNC_VALUES_TRUNCATED /* normal, nothing beyond two deviations */
} rnc_values;

typedef struct rnc_train_place {
    size_t offset; /* in bytes */
    int outputs, inputs, window;
    int rows, row;     /* of a panel, the first of its own; 0: it is not in panels */
    int bare;          /* 1: filters without biases: row 0 has zeros */
    int same;          /* the tensor whose contents it has in the beginning, or -1 */
    rnc_values values; /* limit: the constant, the end of the range, or the deviation */
    double limit;
    uint64_t seed; /* added to that of initialise, unless `own` */
    int own;
    uint64_t block; /* where the generator begins */
} rnc_train_place;

/* How the first result of a step is stored, in floats. */
typedef struct rnc_train_grid {
    int images, h, w, c; /* images: 0: those of the batch */
    int image, row, pixel;
} rnc_train_grid;

/* Looks for the first step whose result is not finite: the context of rnc_train_look, which is a
 * trace hook. */
typedef struct rnc_train_search {
    const rnc_train_grid *grids;
    const unsigned short *results; /* by step: its grid, counted from 1; 0: it is not looked at */
    int steps;                     /* of them */
    int images;                    /* of the batch */
    int found;                     /* the first step, or -1 */
} rnc_train_search;

/* What NAME_init checks; after an error `why` (192 bytes) says what was expected and found. */
RNCRT_API rnc_status rnc_train_check(const rnc_train_info *info, const void *state,
                                     size_t state_bytes, const void *arena, size_t arena_bytes,
                                     const rnc_ranks *ranks, char *why);
/* RNC_E_PLAN unless 1 <= images <= most. */
RNCRT_API rnc_status rnc_train_images(int images, int most, char *why);
RNCRT_API void rnc_train_initialise(const rnc_train_place *places, int n, unsigned char *state,
                                    uint64_t seed);
RNCRT_API void rnc_train_set(const rnc_train_place *place, unsigned char *state,
                             const float *floats);
RNCRT_API void rnc_train_get(const rnc_train_place *place, const unsigned char *state,
                             float *floats);
/* Adds up the losses and hits of n images with `each` numbers each, those of every `shard` images
 * one after the other, and these sums in a binary tree.  labels: those of each number, classes 0 ..
 * classes-1; NULL: all count. */
RNCRT_API void rnc_train_measure(const float *losses, const float *hits, const int32_t *labels,
                                 int classes, int n, int each, int shard, rnc_metrics *metrics);
/* Of several ranks: sets both[0] to `images` and both[1] to those of all ranks.  RNC_E_PLAN in all
 * of them unless each has 0 .. most, and `most` where one with a higher number has some. */
RNCRT_API rnc_status rnc_train_share(rnc_ranks *ranks, int images, int most, int both[2],
                                     char *why);
/* Whether it is so in one of the ranks. */
RNCRT_API int rnc_train_any(rnc_ranks *ranks, int so);
/* Begins the sum over ranks of n floats at x, which mean nothing if this rank has no images;
 * returns what rnc_ranks.finish takes. */
RNCRT_API int rnc_train_sum(rnc_ranks *ranks, int images, void *x, size_t n);
RNCRT_API void rnc_train_look(void *search, int step, void *const *results);
/* The least of all ranks' numbers. */
RNCRT_API int rnc_train_least(rnc_ranks *ranks, int number);
/* How many sums of squares a gradient has, and the step that completes it. */
typedef struct rnc_train_squares {
    int n, step;
} rnc_train_squares;
/* The square root of the sum of all sums of squares of n gradients.  Where that is not finite, *bad
 * is set to the first step whose gradient is not. */
RNCRT_API double rnc_train_norm(const float *squares, const rnc_train_squares *of, int n, int *bad);

#ifdef __cplusplus
}
#endif

#endif
