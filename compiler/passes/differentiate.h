/* differentiate.h: the backward part of a network. */
#ifndef RNC_DIFFERENTIATE_H
#define RNC_DIFFERENTIATE_H

#include "base/diag.h"
#include "net/ir.h"

typedef enum LossKind { LOSS_CROSS_ENTROPY, LOSS_MEAN_SQUARED_ERROR } LossKind;

typedef struct Loss {
    LossKind kind;
    double smoothing;     /* of the labels of LOSS_CROSS_ENTROPY, 0 to 1 */
    const char *output;   /* the name of the output port it is of; NULL: the only one */
    bool keep_statistics; /* bn stays as it is, as fine-tuning often has it */
    /* Patterns (str_fits()) of the names of parameters that are not trained.  A bn whose weight and
     * bias are not trained keeps its statistics. */
    const char *const *frozen;
    int n_frozen;
} Loss;

/* Makes of a network, as it is before the passes, a step of training: what the emitted step and
 * the oracle compute.
 *
 *   - Each bn becomes bn_train, which normalises by the statistics of the batch; unless the
 *     statistics are to be kept.
 *   - There is a loss, of the output's value; if that is a softmax, cross-entropy takes its
 *     operand.  A new input has the labels (i32, a class for each pixel, [n][1][1][1] for vectors),
 *     named "labels", or for LOSS_MEAN_SQUARED_ERROR what the output should be (f32), named
 * "target". The value of the loss, [1][1][1][1], is a new output, "loss".
 *   - Then come the nodes that compute the loss's gradients by values and parameters, by the rules
 *     of net/grad.h, and Net.updates lists what becomes of the parameters.
 *
 * The result counts as an original network: Node.origin is each node's own number.  Returns false
 * after a message if an operator cannot be differentiated, if there is nothing to train, if a
 * pattern fits no parameter, or if the
 * loss does not fit the network.  A parameter on which the loss does not depend has no update; a
 * warning names it. */
bool differentiate(Net *net, const Loss *loss, Diag *diag);

#endif
