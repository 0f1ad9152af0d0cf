/* bind.h: the network's parameters bound to the tensors of weights files, or
 * initialised. */
#ifndef RNC_BIND_H
#define RNC_BIND_H

#include "base/diag.h"
#include "net/ir.h"
#include "params/tensorfile.h"

/* What --init says: "glorot_uniform:0", "he:1", "zeros" ... */
typedef struct InitSpec {
    InitKind kind;
    uint64_t seed;
} InitSpec;

/* Returns false after a message if `text` is not a valid specification. */
bool init_parse(InitSpec *spec, const char *text, Diag *diag);
/* Fills one parameter.  Weights follow the node's `init`, `seed` and `draw`, or `spec` where the
 * node has none; biases are 0, and the parameters of bn 1, 0, 0 and 1.  With `random` all of them
 * are drawn, whatever the node says.  glorot_uniform equals that of TensorFlow 1.x to the bit
 * (init.c). */
void init_param(Param *param, const Node *node, InitSpec spec, Arena *arena);
/* How the numbers of a parameter are drawn by `spec`, without the seed of the network: for code
 * that initialises by itself (runtime/train.c). */
typedef enum InitValues { INIT_CONSTANT, INIT_UNIFORM, INIT_GAUSS, INIT_TRUNCATED } InitValues;
typedef struct InitDraw {
    InitValues values;
    double limit;  /* the constant; the end of the range; the deviation */
    uint64_t seed; /* its own if `own`, else added to the network's */
    bool own;
    uint64_t block; /* where the generator begins */
} InitDraw;
InitDraw init_draw(const Param *param, const Node *node, InitSpec spec);
/* Computes four random words from a counter: Philox4x32-10 (init.c). */
void philox4x32(const uint32_t counter[4], const uint32_t key[2], uint32_t out[4]);

/* What bind_params() did, for reports: "161 parameters bound, 25557032 numbers".
 * Running statistics are counted apart, as the field counts parameters. */
typedef struct BindReport {
    int bound;       /* parameters that a file gave */
    int statistics;  /* running means and variances that a file gave */
    int initialised; /* parameters and statistics that --init filled */
    int left_over;   /* tensors that no parameter uses */
    int64_t numbers; /* elements of the bound parameters */
} BindReport;

/* Binds every parameter of `net` by Param.alias, else by Param.name, in the files in order;
 * strict: a parameter without a tensor (unless `init` fills it), a tensor without a parameter, a
 * shape or an element type that does not fit and a value that is not finite are errors, with the
 * nearest name suggested.  "num_batches_tracked" and the like are ignored.
 *
 * If the names do not fit, they are tried without a prefix that they all have, without the parts
 * that wrappers of a model add, and by the other namings of `net`; a note says what fitted.  Axes
 * of extent 1 may be missing or additional.  A normalisation may lack scale or centre, or be
 * folded into the convolution before it, whose bias is then in the file. */
bool bind_params(Net *net, TensorFile *files, int n_files, InitSpec init, BindReport *done,
                 Diag *diag);

/* Likewise, but parameters whose names fit one of these patterns (str_fits()) are initialised,
 * whatever the files have for them: a classifier of other classes begins anew.  All others must be
 * in the files, although there is an `init`.  A pattern that fits no parameter is an error. */
typedef struct BindAnew {
    const char *const *patterns;
    int n;
} BindAnew;
bool bind_params_but(Net *net, TensorFile *files, int n_files, InitSpec init, BindAnew anew,
                     BindReport *done, Diag *diag);

/* The index of the parameter's first number with which nothing can be computed, or how many it has:
 * one that is not finite, and of a variance one that is not above 0 with the normalisation's
 * epsilon. */
int64_t first_unusable(const Param *param, const float *x, double epsilon);

/* How well tensors fit a network: how many parameters it has, how many of them have a tensor of
 * their name, and of their name and extents; tensors left over. */
typedef struct BindFit {
    int params, named, fitting;
    int tensors, left;
    const char *naming;    /* the naming that fits, or NULL: the net's own */
    VEC(NetDefine) wishes; /* values of the net's parameters that would make extents fit */
} BindFit;

/* Compares; binds nothing and gives no messages. */
void bind_fit(BindFit *fit, Net *net, TensorFile *files, int n_files, const SrcMap *src);

#endif
