/* onnx_write.h: a network as a model of ONNX. */
#ifndef RNC_ONNX_WRITE_H
#define RNC_ONNX_WRITE_H

#include "base/diag.h"
#include "net/ir.h"

/* Beyond this, weights are in a file of their own: a protobuf message is below 2 GB. */
#define ONNX_INSIDE_MOST ((int64_t)1500 << 20)

/* The bytes of a model, and of the file of weights beside it; `data` is NULL without one. */
typedef struct OnnxFile {
    unsigned char *model, *data;
    size_t model_size, data_size;
} OnnxFile;

typedef struct OnnxOptions {
    bool fixed_batch;      /* also a batch of one image is written; else its extent is left open */
    int64_t inside_most;   /* weights of more bytes go to a file of their own ... */
    const char *data_name; /* ... which the model calls so */
} OnnxOptions;

/* A network before any pass, whose parameters have data, as a model of opset 20: layers are nodes
 * of the same name, parameters are called as in weights files.  The same network gives the same
 * bytes.  False after a message about layers that ONNX cannot say. */
bool onnx_write(const Net *net, const OnnxOptions *options, OnnxFile *file, Arena *arena,
                Diag *diag);

#endif
