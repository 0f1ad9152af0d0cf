/* plancheck_parts.h: what the files that check a plan share. */
#ifndef RNC_PLANCHECK_PARTS_H
#define RNC_PLANCHECK_PARTS_H

#include "plan/plan_parts.h"

typedef struct PlanCheck {
    const Plan *plan;
    Diag *diag;
    bool ok; /* nothing was wrong so far */
} PlanCheck;

/* Says what is wrong with a step and clears check->ok; `what` comes before the name of `node`. */
void complain(PlanCheck *check, const Step *step, const char *what, const Node *node);

/* plancheck_shape.c: checks where the step's kernel reads and writes, going by its shape. */
void check_shape(PlanCheck *check, const Step *step);

#endif
