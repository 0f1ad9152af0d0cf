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

/* A network before any pass, whose parameters have data, as a model of opset 20: layers are nodes
 * of the same name, parameters are called as in weights files.  Weights of more than `inside_most`
 * bytes go to `data`, which the model says is the file `data_name`.  The same network gives the
 * same bytes.  False after a message about layers that ONNX cannot say. */
bool onnx_write(const Net *net, int64_t inside_most, const char *data_name, OnnxFile *file,
                Arena *arena, Diag *diag);

#endif
