/* onnx_parts.h: what the files that make a network of an ONNX model share; private to import/.
 *
 * The nodes are taken in the order of the file.  Each gives values: numbers that are known now,
 * which are computed at once (onnx_fold.c), or tensors of the network, through a view
 * (onnx_view.h).  A node that cannot be said gives a refused value, with the reason; it is
 * reported at the end if an output needs it and nothing took it in, as `gelu` takes in Erf. */
#ifndef RNC_ONNX_PARTS_H
#define RNC_ONNX_PARTS_H

#include "base/utf8.h"
#include "import/builder.h"
#include "import/onnx_view.h"

typedef enum ValueKind {
    VALUE_NONE,  /* not computed */
    VALUE_KNOWN, /* numbers */
    VALUE_TENSOR,
    VALUE_ERF,  /* gain * (erf(node * factor) + shift): a step of the gelu of old exporters */
    VALUE_ROOT, /* max(sqrt(node), least), or its inverse: a step of a normalisation */
    VALUE_PART, /* x * weight / root, or bias - x * weight / root: a step of TensorFlow's layer norm
                 */
    VALUE_SPREAD, /* pixels of the node, one for each channel, repeated by Expand */
    VALUE_ABOVE,  /* node > factor: a step of the softplus of PyTorch's newer exporter */
    VALUE_REFUSED /* by its own node, if `why` says so, else by one before it */
} ValueKind;

typedef struct Value {
    ValueKind kind;
    const OnnxTensor *known;
    Node *node;
    View view;
    double factor, shift, gain;      /* VALUE_ERF, VALUE_ABOVE */
    double least;                    /* VALUE_ROOT */
    const OnnxTensor *weight, *bias; /* VALUE_PART, whose node is below the root; bias: or NULL */
    Node *part;                      /* its x, NULL: 1 */
    bool inverse;
    const OnnxTensor
        *spread;  /* VALUE_ROOT, VALUE_SPREAD: the shape that Expand gives it, or NULL */
    int producer; /* which node of the model gives it, or -1 */
    int users;    /* nodes and outputs that take it */
    const char *why, *help;
} Value;

/* in * scale + shift for each channel, of which the last step was from * by + plus, if that is the
 * same for all channels. */
typedef struct Channelwise {
    Node *in;
    const float *scale, *shift; /* [channels] */
    Node *from;
    bool uniform;
    double by, plus;
} Channelwise;

typedef struct Work {
    const OnnxModel *model;
    Builder *b;
    Arena *arena;
    NameTable names; /* of values; the number is the index */
    VEC(Value) values;
    VEC(Channelwise *) affine; /* by the id of the node that computes it, or NULL */
    const Place **places;      /* of the nodes, for messages */
    NameTable scopes;          /* module paths that have parts */
    bool own;                  /* rnc wrote the file: names and shared weights mean what they say */
    NameTable trained;    /* then by the name of their weights: layers, `number` of the network's */
    const OnnxNode *node; /* at hand */
    int at;               /* its number */
    const char *path;     /* of the module it is in, or NULL */
    bool inside;          /* the module has parts of its own, and this node is beside them */
} Work;

/* ---- operators ---- */

typedef void (*OnnxOp)(Work *w);

#define ONNX_OP(op, function) void function(Work *w);
#include "import/onnx_ops.def"

/* ---- values (onnx_value.c) ---- */

Value *value_named(Work *w, const char *name);
/* A new one; NULL if the name is taken. */
Value *new_value(Work *w, const char *name);
/* The value of result i, NULL if it is left out. */
Value *result(Work *w, int i);
/* The value of operand i, NULL if it is left out. */
Value *operand(Work *w, int i);
/* The numbers of operand i; NULL if it is left out or not known yet. */
const OnnxTensor *known(Work *w, int i);
bool has_operand(const Work *w, int i);
/* The tensor of operand i, which must be one; NULL after refusing the node. */
Value *tensor(Work *w, int i);
/* Operand i as an image, n | c | h | w or n | c | w, or as a vector n | c, also of height and width
 * 1; NULL after refusing the node. */
Node *image(Work *w, int i);

void give(Work *w, int result, Node *node, const View *view);
/* The result is an image as ONNX's operators with windows have it, of the rank of operand 0. */
void give_image(Work *w, Node *node);
void give_known(Work *w, int result, const OnnxTensor *t);
void give_same(Work *w, int result, const Value *value);
/* Refuses the node at hand. */
void refuse(Work *w, const char *why, const char *help);

bool any_operand_refused(Work *w);

/* Attributes, with what they are where the file says nothing. */
int64_t attr_int(const Work *w, const char *name, int64_t otherwise);
double attr_float(const Work *w, const char *name, double otherwise);
const char *attr_text(const Work *w, const char *name, const char *otherwise);
const OnnxAttr *attr_ints(const Work *w, const char *name); /* NULL: it is not there */
/* Numbers that are an attribute in old sets of operators and operand i in new ones.  False after
 * refusing the node; *n is 0 if they are left out. */
bool ints_of(Work *w, const char *name, int i, const int64_t **at, int *n);
/* Whether the numbers of an attribute are 1, or are not there. */
bool all_ones(const Work *w, const char *name);

/* A layer of the node at hand, called by its module's path. */
Node *layer(Work *w, Op op, Node *const *in, int n_in, const Attrs *attrs);
Node *simple(Work *w, Op op, Node *in);
/* One with weights, which are operand 1: in a file of rnc's with the parameters of the layer before
 * it that has the same. */
Node *trained(Work *w, Op op, Node *const *in, int n_in, const Attrs *attrs);
/* The name that such a layer gets, NULL: one that the builder finds. */
const char *layer_name(const Work *w, Op op);

/* ---- shapes (onnx_shape.c) ---- */

/* What Slice takes of each axis: `count` elements from `begin` on, `step` apart (also backwards).
 */
typedef struct Slices {
    int64_t begin[ONNX_RANK_MOST], step[ONNX_RANK_MOST], count[ONNX_RANK_MOST];
} Slices;

bool slices_of(Work *w, int rank, const int64_t *dims, Slices *s);
/* The extents that Reshape, Flatten, Squeeze and Unsqueeze give.  False after refusing the node. */
bool new_shape(Work *w, int rank, const int64_t *dims, int *to_rank, int64_t *to);
/* An axis that may be counted from the end; -1 if there is none such. */
int axis_in(int64_t axis, int rank);

/* ---- others ---- */

/* Computes the node at hand, whose operands are known; false if it has no rule here. */
bool fold(Work *w);
/* Whether it has one for this operator. */
bool folds(const char *op);
/* The shape of a value of any kind. */
int value_rank(const Value *v);
const int64_t *value_dims(const Value *v);
OnnxTensor *known_ints(Arena *arena, int rank, const int64_t *dims, const int64_t *ints);
OnnxTensor *known_floats(Arena *arena, int rank, const int64_t *dims, const float *floats);

/* x * scale + shift for each channel; `alone`: nothing else uses x (onnx_affine.c). */
Node *channelwise(Work *w, Node *x, const float *scale, const float *shift, bool alone);
/* The shortest decimal that is the same float, as a double: 0.1f is 0.1; or a whole number's
 * inverse, 1/6, that has no short one. */
double decimal(double x);
/* Whether two numbers are the same but for how many digits they were written with. */
bool near(double a, double b);
/* Whether `node` is x * by + plus, of any x if `x` is NULL. */
bool is_channelwise(const Work *w, const Node *node, const Node *x, double by, double plus);
/* What a node computes of another one, or NULL. */
const Channelwise *channelwise_of(const Work *w, const Node *node);

/* The view of what elementwise operators make of two tensors; false if axes do not lie alike
 * (onnx_math.c). */
bool common_view(const Value *a, const Value *b, View *to);
/* x, of operand 0, reduced as the node at hand says, and the view of it; NULL after refusing the
 * node (onnx_over.c). */
Node *reduced(Work *w, Node *x, Reduction by, View *view);

/* All operands, and the view of what an elementwise operator makes of them; NULL after refusing the
 * node.  x times a number (onnx_math.c). */
Node **all_operands(Work *w, View *view);
Node *scaled(Work *w, Node *x, double by);
/* |x| (onnx_activation.c); x to the power of 2, 3, ... (onnx_root.c). */
Node *absolute(Work *w, Node *x);
Node *power(Work *w, Node *x, int n);
/* Several tensors' sum, or the largest or smallest of them, number by number; NULL after refusing
 * the node (onnx_over.c). */
Node *joined_parts(Work *w, Node *const *in, int n, Reduction by);
/* The channels in parts of these sizes, which add up to them; NULL after a message (onnx_move.c).
 */
Node **split_channels(Work *w, Node *x, const int64_t *sizes, int parts);

/* Which of the weight and the bias, operands 1 and 2, a normalisation has (onnx_norm.c). */
void optional_params(Work *w, Attrs *a);

/* Roots (onnx_root.c).  If the other operand than i is a root, or the inverse of one, operand i
 * divided by that: true, and the node is refused if it is no normalisation of rnc's. */
bool by_root(Work *w, int i, bool inverse);
/* Steps of the layer norm of TensorFlow, x * (weight / root) + (bias - mean * (weight / root)):
 * true if the product, difference or sum at hand is one (onnx_moments.c). */
bool part_of_product(Work *w);
bool part_of_difference(Work *w);
bool part_of_sum(Work *w);
/* layer_norm or instance_norm of x without a weight, if root is that of the mean of (x - mean)^2;
 * NULL if it is not (onnx_root.c). */
Node *normalised(Work *w, Node *x, const Node *mean, const Value *root);
/* layer_norm without a weight of the vector that v is the image of, with one channel, if mean is
 * v's and the variance the sum of (x - mean)^2 times a number; NULL if they are not (onnx_root.c).
 */
Node *normalised_row(Work *w, const Value *v, const Node *mean, const Node *variance,
                     double epsilon);
/* The numbers of a known tensor, one for each channel of v; NULL if they are none (onnx_math.c). */
const float *numbers_per_channel(Work *w, const Value *v, const OnnxTensor *t);
/* 1 / operand 1, which is a root; a root that is at least this number.  False if it is none. */
bool inverse_root(Work *w);
bool root_at_least(Work *w, double least);
/* Takes an Expand of a root, whose quotient spreads it anyway; false if it is of something else. */
bool root_spread(Work *w);
/* Whether a tensor of this view has that shape; any has none's, NULL. */
bool has_spread_shape(Work *w, const View *view, const OnnxTensor *shape);

/* The tensor as a vector, flattened in the order of its view; NULL if it has none (onnx_move.c). */
Node *flat(Work *w, const Value *v);
/* Operand i as a vector; NULL after refusing the node. */
Node *vector(Work *w, int i);
/* One pixel whose channels the view has as channels and pixels, in order: a vector that is an image
 * now, as the sequence that efficient channel attention convolves along; NULL if it is none
 * (onnx_value.c). */
Node *unflattened(Work *w, const Value *v, const char *name);
/* What has pixels that the view has as channels, as channels: the end of a sequence that was a
 * vector; else v itself (onnx_math.c). */
const Value *channels_again(Work *w, const Value *v);
/* The layer that takes channels for pixels, pixels for channels or channels in another order, if
 * the tensor then lies as this view of x; NULL if there is none (onnx_shuffle.c). */
Node *shuffled(Work *w, Node *x, const View *view);
/* The tensor as an image whose axes are those of the view, which has them in another order or cuts
 * them at other places; NULL if no layer gives that (onnx_shuffle.c). */
Node *turned(Work *w, const Value *v);
/* The numbers of a tensor in the order of its view as a vector, where that has the axes of an
 * image, or two or three parts of one pixel's channels, in another order; NULL if it is none of
 * these (onnx_shuffle.c). */
Node *numbers_in_order(Work *w, const Value *v);
/* The numbers of a tensor, in the order that its view has them in, as an image with these extents;
 * NULL if there is no such layer (onnx_shuffle.c). */
Node *as_image(Work *w, const Value *v, int rank, const int64_t *dims, const char *name);
/* x with the rows (axis 0) or columns (1) of these numbers, if that is its padding by itself; else
 * NULL (onnx_sample.c). */
Node *padded_by(Work *w, Node *x, int axis, const int64_t *from, int n);
/* The paths of modules (onnx_names.c). */
const char *onnx_module(const Work *w, const OnnxNode *node);
void onnx_scopes(Work *w);

/* The model without calls of its functions (onnx_inline.c); NULL after a message. */
const OnnxModel *onnx_inlined(const OnnxModel *model, Arena *arena, Diag *d);

#endif
