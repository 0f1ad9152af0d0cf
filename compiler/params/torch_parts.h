/* torch_parts.h: what the readers of PyTorch's files share; private to torch*.c.
 *
 * An archive (torch.c) and the stream of before version 1.6 (torch_stream.c) differ in where
 * the numbers are; what the pickle says of them is the same (torch_dict.c finds the
 * tensors in it, torch_tensor.c reads one).
 */
#ifndef RNC_TORCH_PARTS_H
#define RNC_TORCH_PARTS_H

#include "params/pickle.h"
#include "params/tensorfile.h"

/* Pickled.seen, by the walks in their order. */
enum { TORCH_SEEN_WIDTHS = 1, TORCH_SEEN_SEARCH, TORCH_SEEN_MODULE };

typedef struct TorchReader TorchReader;
struct TorchReader {
    TensorFile *file;
    Arena *arena;
    Diag *diag;
    /* The bytes of the storage called `key`, *size of them; NULL where *why says why not, or
     * after a message if it is NULL. */
    const unsigned char *(*storage)(const TorchReader *r, const char *key, size_t *size,
                                    const char **why);
    const void *source; /* theirs */
};

/* A call that makes a tensor, without what is put around it (a Parameter). */
typedef struct TorchCall {
    const char *function;
    const Pickled *arguments;
    bool subclass; /* the tensor is of a class of its own */
} TorchCall;

/* Whether a value is a tensor. */
bool torch_call(const Pickled *value, TorchCall *call);
/* Of the call's tensor: 0 for a single number. */
int torch_rank(const TorchCall *call);
/* Fills `t` by what the call says.  False after a message. */
bool torch_tensor(const TorchReader *r, StoredTensor *t, const char *name, const TorchCall *call);
/* TensorFile.load for tensors that are not contiguous, or are negated. */
bool torch_load(const TensorFile *file, const StoredTensor *t, unsigned char *to, Arena *arena,
                Diag *diag);

/* Fills file->tensors from what was saved, or the part of it that file->key names: a dict
 * of tensors or a module.  False after a message. */
bool torch_tensors(TorchReader *r, const Pickled *root);

#endif
