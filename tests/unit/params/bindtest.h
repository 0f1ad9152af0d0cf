/* bindtest.h: a small network and files of tensors, for the tests of binding. */
#ifndef RNC_BINDTEST_H
#define RNC_BINDTEST_H

#include "params/bind.h"

/* A small network, conv (2 filters of 3x3 over 3 channels), bn, dense of 4, and up
 * to two files. */
typedef struct BindTest {
    jmp_buf oom;
    Arena *arena;
    SrcMap src;
    Diag diag;
    Net *net;
    TensorFile files[2];
    int n_files;
    BindReport done;
    Buf header, data; /* of the file under construction */
} BindTest;

/* The network, no file; frees them. */
void bindtest_begin(BindTest *b);
void bindtest_end(BindTest *b);

/* Adds a tensor of `n` numbers, the i-th first + i * step. */
void bindtest_tensor(BindTest *b, const char *name, const char *shape, int n, float first,
                     float step);
/* Adds the tensors of one layer, as the network has them. */
void bindtest_convolution(BindTest *b);
void bindtest_normalisation(BindTest *b);
void bindtest_dense(BindTest *b);
/* Writes what was added and opens it as one more file. */
void bindtest_finish(BindTest *b);

/* Binds all parameters; what the files lack is initialised by `init`. */
bool bindtest_bind(BindTest *b, InitKind init);
const Param *bindtest_param(const BindTest *b, const char *node, Role role);
/* Binding fails with `errors` errors and says all of `says`; ends the test. */
void bindtest_refused(BindTest *b, int errors, const char *const *says, int n);
#define REFUSED(b, errors, ...)                                                   \
    do {                                                                          \
        static const char *const says[] = {__VA_ARGS__};                          \
        bindtest_refused((b), (errors), says, (int)(sizeof says / sizeof *says)); \
    } while (0)

#endif
