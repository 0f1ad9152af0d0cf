/* onnx_model.h: a model of ONNX as data: nodes, tensors, attributes.
 *
 * It says what the file says, and knows neither protobuf nor rnc's networks: onnx_read.c makes it
 * from a file, onnx_net.c makes a network of it.  Texts and tensors are in the arena, or the
 * latter in files that are mapped. */
#ifndef RNC_ONNX_MODEL_H
#define RNC_ONNX_MODEL_H

#include "import/imported.h"

enum { ONNX_RANK_MOST = 8 };

/* TensorProto.DataType, as far as rnc looks into it. */
typedef enum OnnxType {
    ONNX_UNDEFINED = 0,
    ONNX_FLOAT = 1,
    ONNX_UINT8 = 2,
    ONNX_INT8 = 3,
    ONNX_UINT16 = 4,
    ONNX_INT16 = 5,
    ONNX_INT32 = 6,
    ONNX_INT64 = 7,
    ONNX_STRING = 8,
    ONNX_BOOL = 9,
    ONNX_FLOAT16 = 10,
    ONNX_DOUBLE = 11,
    ONNX_UINT32 = 12,
    ONNX_UINT64 = 13,
    ONNX_BFLOAT16 = 16,
} OnnxType;

/* Elements are row-major and little-endian, `bytes` may be unaligned. */
typedef struct OnnxTensor {
    const char *name;
    int type; /* OnnxType, or a number that rnc does not know */
    int rank;
    int64_t dims[ONNX_RANK_MOST];
    int64_t elements;
    const unsigned char *bytes; /* NULL: of a type that rnc does not read */
} OnnxTensor;

typedef enum OnnxAttrKind {
    ONNX_ATTR_NONE, /* of a kind that rnc does not read: a subgraph, a list of tensors */
    ONNX_ATTR_FLOAT,
    ONNX_ATTR_INT,
    ONNX_ATTR_STRING,
    ONNX_ATTR_TENSOR,
    ONNX_ATTR_FLOATS,
    ONNX_ATTR_INTS,
} OnnxAttrKind;

typedef struct OnnxAttr {
    const char *name;
    const char *ref; /* in a function: the attribute of its caller, or NULL */
    OnnxAttrKind kind;
    double f;
    int64_t i;
    const char *s;
    const OnnxTensor *t;
    const float *floats; /* [n] */
    const int64_t *ints; /* [n] */
    int n;
} OnnxAttr;

typedef struct OnnxNode {
    const char *op, *domain; /* "" is ONNX's own domain */
    const char *name;        /* "" if it has none */
    const char *scopes;      /* metadata: ['', 'layer1', 'layer1.0'], or NULL */
    const char *classes;     /* metadata: the classes of these modules, or NULL */
    const char **in, **out;  /* "" is left out */
    int n_in, n_out;
    OnnxAttr *attrs;
    int n_attrs;
} OnnxNode;

/* An input or an output of the graph.  An extent is -1 if the file leaves it open. */
typedef struct OnnxPort {
    const char *name;
    int type;
    int rank; /* -1: the file does not say it */
    int64_t dims[ONNX_RANK_MOST];
    const char *open[ONNX_RANK_MOST]; /* what it calls an open extent, or NULL */
} OnnxPort;

typedef struct OnnxFunction {
    const char *name, *domain;
    const char **in, **out, **attrs;
    int n_in, n_out, n_attrs;
    OnnxNode *nodes;
    int n_nodes;
    OnnxAttr *defaults; /* attributes with values of their own */
    int n_defaults;
} OnnxFunction;

typedef struct OnnxModel {
    const char *path;
    const char *producer; /* "pytorch 2.9.1" */
    const char *name;     /* of the graph */
    int64_t ir, opset;    /* opset 0: the file has none of ONNX's domain */
    OnnxNode *nodes;
    int n_nodes;
    OnnxTensor *tensors; /* initializers */
    int n_tensors;
    OnnxPort *inputs, *outputs; /* without inputs that are initializers as well */
    int n_inputs, n_outputs;
    OnnxFunction *functions;
    int n_functions;
} OnnxModel;

/* The model that a file, which is mapped, has; files of tensors beside it are opened through
 * imported_map().  NULL after a message. */
const OnnxModel *onnx_read(Imported *to, const Opened *file, SrcMap *src, Diag *d);

/* Bytes of an element, 0 for types that rnc does not read; and what people call a type. */
int onnx_type_bytes(int type);
const char *onnx_type_name(int type);
/* Whether elements are whole numbers (or truth values), or floats. */
bool onnx_type_whole(int type);
bool onnx_type_real(int type);
/* Elements of a tensor of whole numbers, or of floats (a pointer into the file where it can). */
const int64_t *onnx_ints(const OnnxTensor *tensor, Arena *arena);
const float *onnx_floats(const OnnxTensor *tensor, Arena *arena);

/* The attribute of this name, or NULL. */
const OnnxAttr *onnx_attr(const OnnxNode *node, const char *name);

#endif
