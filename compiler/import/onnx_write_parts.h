/* onnx_write_parts.h: a model of ONNX under construction; private to import/. */
#ifndef RNC_ONNX_WRITE_PARTS_H
#define RNC_ONNX_WRITE_PARTS_H

#include "import/onnx_write.h"

#include "import/onnx.pb-c.h"
#include "net/nametable.h"

enum { OUT_FLOAT = 1, OUT_UINT8 = 2, OUT_INT32 = 6, OUT_INT64 = 7 };

/* A parameter that is an initializer of this rank. */
typedef struct OutParam {
    const Param *param;
    int rank;
    const char *name;
} OutParam;

typedef struct OnnxOut {
    const Net *net;
    const OnnxOptions *options;
    Arena *arena;
    Diag *diag;
    VEC(Onnx__NodeProto *) nodes;
    VEC(Onnx__TensorProto *) tensors;
    VEC(OutParam) params;
    NameTable names;        /* of values and initializers */
    const char **values;    /* by the id of a node: what its result is called */
    bool *row;              /* by the id: the value is [batch][channels] */
    const char *why, *help; /* the layer at hand cannot be said: why, and what the user can do */
} OnnxOut;

/* ---- onnx_write.c ---- */

/* A name that nothing has yet. */
const char *out_name(OnnxOut *o, const char *name);
/* A node of one result, called `name`; returns the value. */
const char *out_node(OnnxOut *o, const char *op, const char *name, int n_in, const char *const *in);
/* The same with two operands. */
const char *out_step(OnnxOut *o, const char *op, const char *name, const char *a, const char *b);
/* The same with `n` results, whose names are given. */
void out_results(OnnxOut *o, const char *op, const char *name, int n_in, const char *const *in,
                 int n, const char *const *out);
/* Attributes of the last node. */
void out_int(OnnxOut *o, const char *name, int64_t value);
void out_ints(OnnxOut *o, const char *name, int n, const int64_t *values);
void out_float(OnnxOut *o, const char *name, double value);
void out_text(OnnxOut *o, const char *name, const char *value);
/* Initializers; the name of one. */
const char *out_floats(OnnxOut *o, const char *name, int rank, const int64_t *dims,
                       const float *values);
const char *out_numbers(OnnxOut *o, const char *name, int n, const int64_t *values);
const char *out_number(OnnxOut *o, const char *name, double value);
const char *out_param(OnnxOut *o, const Param *param, int rank, const int64_t *dims);

/* "layer1.0.conv1.pads": what belongs to a layer. */
const char *out_part(OnnxOut *o, const Node *node, const char *what);
/* Operand i as it is, as an image, [batch][channels][1][1] if it is a vector, or as a row. */
const char *out_operand(const OnnxOut *o, const Node *node, int i);
const char *out_image(OnnxOut *o, const Node *node, int i);
const char *out_row(OnnxOut *o, const Node *node, int i);
bool out_is_row(const OnnxOut *o, const Node *node, int i);
/* The layer's result is this value: of the form of operand 0, or an image. */
void out_same(OnnxOut *o, const Node *node, const char *value);
void out_give_image(OnnxOut *o, const Node *node, const char *value);
/* The layer cannot be said: why, and what helps (NULL: nothing).  Returns false. */
bool out_refuse(OnnxOut *o, const char *why, const char *help);

/* ---- onnx_write_ops.c ---- */

/* The nodes of a layer; false after out_refuse(). */
bool out_layer(OnnxOut *o, const Node *node);

/* ---- onnx_write_window.c ---- */

bool out_conv(OnnxOut *o, const Node *node);
bool out_conv_transpose(OnnxOut *o, const Node *node);
bool out_dense(OnnxOut *o, const Node *node);
bool out_pool(OnnxOut *o, const Node *node);
bool out_blurpool(OnnxOut *o, const Node *node);

/* ---- onnx_write_norm.c ---- */

bool out_bn(OnnxOut *o, const Node *node);
bool out_instance_norm(OnnxOut *o, const Node *node);
bool out_group_norm(OnnxOut *o, const Node *node);
bool out_layer_norm(OnnxOut *o, const Node *node);
bool out_l2_norm(OnnxOut *o, const Node *node);

/* ---- onnx_write_over.c ---- */

bool out_softmax(OnnxOut *o, const Node *node);
bool out_reduce(OnnxOut *o, const Node *node);

/* ---- onnx_write_move.c ---- */

bool out_split(OnnxOut *o, const Node *node);
bool out_flatten(OnnxOut *o, const Node *node);
bool out_unflatten(OnnxOut *o, const Node *node);
bool out_reshape(OnnxOut *o, const Node *node);
bool out_transpose(OnnxOut *o, const Node *node);
bool out_zeropad(OnnxOut *o, const Node *node);
bool out_pad(OnnxOut *o, const Node *node);
bool out_crop(OnnxOut *o, const Node *node);
bool out_subsample(OnnxOut *o, const Node *node);
bool out_upsample(OnnxOut *o, const Node *node);
bool out_resize(OnnxOut *o, const Node *node);
bool out_depth_to_space(OnnxOut *o, const Node *node);
bool out_space_to_depth(OnnxOut *o, const Node *node);
bool out_channel_shuffle(OnnxOut *o, const Node *node);
/* Operand 0, which is an image, in its padding, which is pixels of itself or zeros. */
const char *out_padded(OnnxOut *o, const Node *node, const char *name, PaddingMode mode,
                       const int padding[4]);

#endif
