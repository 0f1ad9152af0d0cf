/* builder.h: how a reader makes the network, node by node, and says what it cannot make.
 *
 * The source's nodes are taken one after another: builder_at() says which one is at hand, then
 * come the layers that it becomes.  Messages have its number and a line about it as their place,
 * since a binary file has no lines:
 *
 *     model.onnx: node 12: error: the kernel of 'conv' is larger than ...
 *        12 | Conv layer1.0.conv1 kernel_shape=[9,9]
 *
 * What rnc has no words for is refused by builder_refuse(), which returns NULL: a node that has
 * NULL among its operands is NULL without a message.  builder_end() then gives one message about
 * all of them, once a kind and reason, so that a user sees at once what is in the way.
 *
 *     Builder b = builder_new(to, path, "resnet50", src, d);
 *     Node *x = builder_input(&b, "image", (Type){ELEM_F32, 1, 224, 224, 3}, ORDER_NCHW);
 *     builder_at(&b, "Conv", "layer1.0.conv1", "kernel_shape=[3,3]");
 *     Attrs a = ir_default_attrs(OP_CONV);
 *     a.kernel[0] = a.kernel[1] = 3, a.filters = 64, a.bias = true;
 *     x = builder_add(&b, OP_CONV, &x, 1, &a, "layer1.0.conv1");
 *     builder_param(&b, x, P_WEIGHT, "layer1.0.conv1.weight", 4, dims, floats);
 *     builder_output(&b, "scores", x, ORDER_NCHW);
 *     return builder_end(&b);
 */
#ifndef RNC_BUILDER_H
#define RNC_BUILDER_H

#include "import/imported.h"
#include "net/nametable.h"

/* What cannot be said: nodes of the source of one kind, for one reason. */
typedef struct Refusal {
    const char *kind, *why, *help; /* help: a way out, or NULL */
    VEC(const char *) names;
    const Place *place; /* of the first */
} Refusal;

typedef struct Builder {
    Imported *to;
    Net *net;
    Arena *arena;
    SrcMap *src;
    Diag *diag;
    const char *path;        /* the file, for messages */
    int listing;             /* the lines about the source's nodes, as a source text */
    const char *kind, *name; /* of the node at hand */
    const Place *place;
    NameTable names; /* of the layers */
    VEC(Refusal) refused;
    int errors; /* of diag, when it began */
    int nodes;  /* of the source, so far */
} Builder;

/* Begins the network to->net. */
Builder builder_new(Imported *to, const char *path, const char *net_name, SrcMap *src, Diag *d);

/* From here on layers and messages are about this node of the source: its kind there ("Conv",
 * "SeparableConv2D"), its name, and what else is worth showing ("" if nothing). */
void builder_at(Builder *b, const char *kind, const char *name, const char *detail);

/* An input of floats.  `order` is how the caller has the axes: ORDER_NHWC for Keras and
 * TensorFlow. */
Node *builder_input(Builder *b, const char *name, Type type, Order order);

/* A layer.  `name` is its path in the source, NULL for one that has none there; characters that
 * no path of rnc has become '_', and a number makes it unique.  NULL if an operand is NULL, and
 * after a message if the shapes do not fit. */
Node *builder_add(Builder *b, Op op, Node *const *in, int n_in, const Attrs *attrs,
                  const char *name);
/* One of an operator without attributes or with all of them left out, and one operand. */
Node *builder_simple(Builder *b, Op op, Node *in, const char *name);
/* A layer once more, with the parameters of `like`, as two calls of one module have them. */
Node *builder_again(Builder *b, Node *const *in, int n_in, const Attrs *attrs, const char *name,
                    const Node *like);
/* An operator with several results, attrs->parts of them: results[i] is called names[i].  False
 * if there are none, as builder_add(). */
bool builder_results(Builder *b, Op op, Node *in, const Attrs *attrs, const char *const *names,
                     Node **results);

/* The largest of up to 16 tensors, number by number, which must be alike: as the pixels of a block,
 * of which a maxpool takes the largest.  `smallest`: the smallest, by their opposites. */
bool builder_alike(Node *const *in, int n);
Node *builder_largest(Builder *b, Node *const *in, int n, bool smallest, const char *name);
/* Tensors one below the other, or beside it (`columns`), as channels for as long as that takes;
 * they must have the other extents in common.  NULL if one is NULL, and after a message if they do
 * not fit. */
Node *builder_concat_pixels(Builder *b, Node *const *in, int n, bool columns, const char *name);
/* x * (1 + tanh(sqrt(2 / pi) * (x + 0.044715 * x^3))) / 2, the approximation of gelu by tanh
 * (Hendrycks and Gimpel, 2016), which differs from gelu by up to 5e-4. */
Node *builder_gelu_tanh(Builder *b, Node *x, const char *name);

/* Gives a parameter its values, row-major in the order of axes that ops.def says (oihw, oi); they
 * must live as long as the network.  Checks the extents, which exporters get wrong; extents of 1
 * may be missing or additional.  `source` is what the file calls the tensor.  Does nothing if
 * `node` is NULL.  False after a message. */
bool builder_param(Builder *b, Node *node, Role role, const char *source, int rank,
                   const int64_t *dims, const float *values);
/* The same for one number for all elements, which the source leaves out: the 1s and 0s of a
 * normalisation without scale or centre. */
bool builder_fill(Builder *b, Node *node, Role role, float value);
/* Row-major floats with their axes in another order: axis i of the result is axis axes[i] of
 * `from`, whose extents are dims[rank].  In the arena. */
const float *builder_permuted(Builder *b, const float *from, int rank, const int64_t *dims,
                              const int *axes);

/* An output; `node` may be NULL, if something before it was refused.  Where an input or output has
 * the name already, as that of a tensor that the source gives twice, this one gets a number. */
void builder_output(Builder *b, const char *name, Node *node, Order order);

/* The node at hand cannot be said: `why` completes "Resize: ..." ("cubic interpolation"), `help`
 * is what the user can do, or NULL.  Returns NULL. */
Node *builder_refuse(Builder *b, const char *why, const char *help);
/* Something of the source that the network does without; said to the user as a note, once. */
void builder_remark(Builder *b, const char *format, ...) __attribute__((format(printf, 2, 3)));

/* The end: all that was refused as one message; what no output needs is left out, and
 * concatenations that begin alike are nested.  False if there was any error since builder_new(). */
bool builder_end(Builder *b);

/* A path as rnc has it: parts of letters, digits and '_', with dots between them; "/" separates
 * parts as well, and empty parts are left out. */
const char *builder_path(Arena *arena, const char *name);

#endif
