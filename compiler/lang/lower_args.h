/* lower_args.h: the call of an operator while its attributes are read; private to lower_args.c and
 * lower_padding.c. */
#ifndef RNC_LOWER_ARGS_H
#define RNC_LOWER_ARGS_H

#include "lang/lower_parts.h"

/* The call of an operator that is being read. */
typedef struct OpCall {
    Lower *l;
    Frame *f;
    const Call *call;
    const OpRow *row;
    const Type *in;     /* type of the operand, or NULL while it is unknown */
    const Expr **given; /* [row->n_attrs], NULL where none was */
    Attrs *attrs;
    bool global;              /* the kernel is the whole image, so a stride has no meaning */
    const char *padding_word; /* half, same, valid; NULL: attrs->padding is set */
    Loc padding_loc;
} OpCall;

/* Sets the padding from a word: half, same, valid.  False after a message. */
bool lower_padding(OpCall *c);
/* Warns about a kernel that is most likely not meant. */
void lower_check_kernel(const OpCall *c);

#endif
