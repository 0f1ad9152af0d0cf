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
/* plancheck_train.c: likewise for the kernels of training. */
void check_train_shape(PlanCheck *check, const Step *step);

/* plancheck_slots.c: checks what bands that threads compute side by side use. */
void check_slots(PlanCheck *check);

/* What a step touches of an operand: pixels y0 .. y1 by x0 .. x1 of `c` floats. */
typedef struct Box {
    int64_t images, y0, y1, x0, x1, c;
    int64_t pixel, row, image;
} Box;
#define PLANE(s, H, W, C, p) \
    ((Box){(s)->images, 0, (H)-1, 0, (W)-1, (C), (s)->p##_pixel, (s)->p##_row, (s)->p##_image})

/* Checks that the box is inside the operand's memory; nothing where there is no operand. */
void check_box(PlanCheck *check, const Step *step, const Operand *o, Box b);
/* The last row or pixel that windows reach. */
int64_t window_end(int64_t out, int stride, int kernel, int dilation, int pad);

#endif
