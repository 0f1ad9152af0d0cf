/* operands.h: the memory of a step of training.
 * Steps of training read and write more tensors than those of inference, so they have lists: in[i]
 * and out[i] are the operands of a row of train/kernels.def, in its order, NULL where a step has
 * none.  The pointers of tensors point at the first pixel of the first image, and are aligned to 64
 * bytes if the tensor's channels begin there. */
#ifndef RNC_TRAIN_OPERANDS_H
#define RNC_TRAIN_OPERANDS_H

typedef struct rnc_train_operands {
    const void *in[8];
    void *out[4];
    void *scratch; /* or NULL */
} rnc_train_operands;

#endif
