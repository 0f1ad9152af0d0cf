/* grad.h: the rules of differentiation, one for each operator.
 *
 * A rule gets the loss's gradients by the results of an operator and appends the nodes that
 * compute its share of the gradients by the operands and by the parameters.  What a value or a
 * parameter gets from its users is collected here and added up by differentiate()
 * (passes/differentiate.h), which calls the rules from the last node to the first. */
#ifndef RNC_GRAD_H
#define RNC_GRAD_H

#include "base/diag.h"
#include "net/ir.h"
#include "net/nametable.h"

typedef VEC(Node *) Shares;

typedef struct Grad {
    Net *net;
    Diag *diag;
    int n_nodes, n_params; /* of the network without its backward part */
    const bool *frozen;    /* by id of a parameter: it is not trained */
    bool *needed;          /* by id: the value depends on a trained parameter */
    Shares *of_node;       /* by id: what the gradient by the value is the sum of */
    Shares *of_param;      /* by id: likewise for parameters */
    NameTable names;       /* of all nodes */
} Grad;

/* Begins the backward part of a network; all its nodes are there. */
Grad grad_begin(Net *net, const bool *frozen, Diag *diag);
/* Appends what the operator with the first result `node` gives to its operands and parameters.
 * dy[i] is the gradient by its i-th result; NULL where the loss does not depend on it, though at
 * least one is there.  Returns false after a message if the operator cannot be differentiated. */
bool grad_node(Grad *g, Node *node, Node *const *dy);
/* The sum of the shares: one of them, or a new node `name` at `place`; NULL if there are none. */
Node *grad_sum(Grad *g, const Shares *shares, const char *name, const Place *place);
/* A name that no node of the network has: `wanted`, or that and a number. */
const char *grad_name(Grad *g, const char *wanted);

#endif
