/* training.h: what the plan of a training has beside steps, buffers and states: which pieces of the
 * state belong to a parameter, the optimizer, and the stages in which the steps run.
 *
 * Masters of parameters, moments, averages and gradients are what the optimizer works on.  Filters
 * of most convolutions are kept in panels with their biases (packed.c), which convolutions read as
 * they are; everything else is plain floats in the order of param_type(), [output][row][column]
 * [input] for a convolution.  Steps put filters into the order of other kernels before each use
 * (select_filters.c).
 */
#ifndef RNC_TRAINING_H
#define RNC_TRAINING_H

#include "net/train.h"
#include "plan/plan.h"

/* The stages of a plan, in the order of its steps.  Between them the emitted code looks at the loss
 * and sets the optimizer's rates. */
typedef enum Stage {
    STAGE_FORWARD,  /* up to the loss; the state does not change */
    STAGE_BACKWARD, /* running statistics, gradients, and updates unless they must wait */
    STAGE_UPDATE,   /* what waits for the norm of all gradients, or for several batches */
    STAGE_EVALUATE, /* forward with running statistics */
    STAGES
} Stage;

typedef enum OptimizerKind { OPTIMIZER_SGD, OPTIMIZER_ADAM } OptimizerKind;

typedef struct Optimizer {
    OptimizerKind kind;
    double rate, momentum, beta1, beta2, epsilon;
    bool nesterov, keras;
    double coupled;               /* weight decay that is added to the gradient */
    double decoupled;             /* that shrinks parameters by rate times this */
    double clip_norm, clip_value; /* 0: none */
    double average;               /* decay of the moving average; 0: none */
    int accumulate;               /* batches of an update */
} Optimizer;

/* What the state keeps of a parameter; NULL: nothing of this kind.  A bias that is in panels has
 * the tensors of the filters beside it. */
typedef struct Kept {
    Tensor *value, *first, *second, *average, *gradient;
    const Param *filters; /* in whose panels it is: they may be itself; NULL: it is plain floats */
    int rows;             /* of a panel */
    int row;              /* of these the first of its own: 0 of a bias, 1 of filters */
    bool bare;            /* filters without a bias: row 0 has zeros */
} Kept;

/* The two sets of rates that updates read (PLACE_RATES). */
enum { RATES_DECAY, RATES_PLAIN, RATES_SETS };

/* Where the loss and the right answers of each image are, plain floats. */
typedef struct Losses {
    int index;                   /* its step */
    const Tensor *losses, *hits; /* [images * each]; hits: NULL if there are no classes */
    int each;                    /* numbers of an image: its pixels */
    int port;                    /* the input with the labels or the target */
} Losses;

struct Training {
    Optimizer optimizer;
    int step_nodes; /* nodes of the step; those after them are of the evaluation */
    /* By node id: the convolution or dense layer that computes the node, if it is the transpose of
     * one with stride 1; else NULL. */
    const Node **views;
    Kept *kept; /* by id of Net.params */
    /* By node id: of a gradient that is kept in panels, the filters whose panels these are, or
     * NULL; that of a bias is computed with that of the filters. */
    const Param **panels;
    bool *served; /* by node id: a step before it computes it as well */
    int *last; /* by number of Net.updates: the last node of the step that reads what it changes */
    int begin[STAGES + 1];
    Losses losses[2]; /* of the step, of the evaluation */
    /* Sums of squares of pieces of all gradients, for their norm; those of the first parameter that
     * has a gradient in Net.updates come first, and so on. */
    const Tensor *squares;
    int64_t n_squares;
    int64_t gradients_begin, gradients_end; /* the pieces of the state with gradients, in bytes */
    int n_sums;                             /* over ranks, in a step */
};

bool optimizer_has_first(const Optimizer *o);
bool optimizer_has_second(const Optimizer *o);
/* Whether updates have a stage of their own. */
bool updates_wait(const Optimizer *o);
/* Whether running statistics are moved there, too, since the norm of the gradients may still turn
 * out not to be finite.  With several batches of an update each moves them. */
bool moves_wait(const Optimizer *o);
/* Whether weight decay leaves the parameter out. */
bool decays(const Train *train, const Param *param);
/* How many floats one of the parameter's tensors in the state has; with those of the filters or the
 * bias in the same panels. */
int64_t kept_floats(const Plan *plan, const Param *param);
/* Whether it is a gradient that steps of its own take: not that of a bias in panels. */
bool is_updated_alone(const Plan *plan, const Update *u);
/* How many floats a gradient has, or another node. */
int64_t gradient_floats(const Plan *plan, const Node *node);
/* How many sums of squares the parameter's gradient has in Training.squares. */
int64_t count_squares(const Plan *plan, const Param *param);
Optimizer optimizer_of(const Train *train); /* NULL: plain gradient descent */

#endif
