/* verify_parts.h: what the files of rnc verify share; private to them. */
#ifndef RNC_VERIFY_PARTS_H
#define RNC_VERIFY_PARTS_H

#include "compile.h"
#include "tool/options.h"

/* The value of element i of [n][h][w][c] of a step's result. */
float written_by(const Operand *result, Type t, const float *out, int64_t i);
/* Element i of a node's value as an element of the whole value, of type `all`, if it is a band of
 * that (plan/bands.h); else i. */
int64_t element_of_band(const Node *node, Type all, int64_t i);
/* Several steps may write one tensor (a concat's parts): it is complete after the last of them. */
bool is_last_of_tensor(const Plan *plan, const Step *s, const Tensor *tensor);

/* ---- verify_scale.c ---- */

typedef struct Scale Scale;
/* In `arena`; `c` must live as long. */
Scale *scale_new(const Compiled *c, Arena *arena);
/* The least number that the errors of a node of the original network are relative to, a 32nd of
 * the largest sum of magnitudes that any of its values is; `values` are those of the interpreter,
 * by node. */
double scale_of(Scale *s, const Node *node, double *const *values);

/* ---- verify_reach.c ---- */

/* The inputs of a run with a special value, or of one with an outlier, among ordinary ones. */
typedef struct Spike {
    int port;
    double value;
} Spike;

/* The runs that --inputs asks for: n of them, in `arena`.  Inputs that say what they hold get what
 * they say; if none does, all inputs of floats get everything.  NULL after a message. */
const Spike *spikes_of(const Net *net, InputKind kind, int *n, Arena *arena, Diag *d);
/* Copies of the inputs of ordinary numbers, where one element of each image is the spike. */
const double **spike_inputs(const Net *net, const double *const *ordinary, Spike spike,
                            uint64_t seed, Arena *arena);

/* Compares each step with what it should make of the operands that were really computed, element
 * by element, so that only the layer that lets a value reach others is found. */
typedef struct Reach Reach;
Reach *reach_new(const Compiled *c, const Options *o, const Spike *spikes, int n_spikes,
                 Arena *arena, Diag *d);
/* A run begins with this one of the spikes, in these inputs of the whole batch. */
void reach_begin(Reach *r, Isa isa, const Spike *spike, const double *const *inputs);
/* rnc_trace_hook: `results` are what step `number` was given to write to. */
void reach_step(void *reach, int number, void *const *results);
/* Ends the run: prints a line about it, and says what the first layer that differed was. */
void reach_end(Reach *r);

#endif
