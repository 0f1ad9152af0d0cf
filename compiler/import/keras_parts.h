/* keras_parts.h: a model of Keras, and how its layers become layers of a network; what only the
 * files keras*.c share.
 *
 * A file has the model as JSON.  keras_graph.c makes a graph of it: layers, and the calls that make
 * tensors.  keras_run.c takes the calls in order, and a rule for each class of layers (keras.def)
 * says what a call becomes. */
#ifndef RNC_KERAS_PARTS_H
#define RNC_KERAS_PARTS_H

#include "import/builder.h"
#include "params/keras.h"

#include <jansson.h>

/* ---- the graph (keras_graph.c) ---- */

typedef enum ArgKind { ARG_TENSOR, ARG_NUMBER, ARG_ARRAY } ArgKind;

/* An argument of a call: what another call gives, or a constant. */
typedef struct KerasArg {
    ArgKind kind;
    int layer, call, result; /* of a tensor: a layer of the model, by number */
    double number;
    const json_t *array; /* numbers, in lists */
} KerasArg;

/* How a tensor differs from the node that it names: an operator that is only made where the next
 * one does not take it in. */
typedef enum Later {
    LATER_NOTHING,
    LATER_PADDING, /* zeros around it, which a convolution can have itself */
    LATER_AFFINE,  /* scale * x + offset */
    LATER_RELU6,   /* relu6(x + 3), which is a hard sigmoid if it is divided by 6 */
} Later;

typedef struct KerasTensor {
    Node *node; /* NULL: it, or something before it, was refused */
    int rank;   /* with the batch: 4 an image, 3 a sequence, 2 a vector */
    Later later;
    int padding[4];
    double scale, offset;
    const char *name; /* of the operator that is to come */
    Node **made;      /* that operator, once one has needed it; NULL or shared by copies */
} KerasTensor;

typedef VEC(KerasArg) KerasArgs;

typedef struct KerasCall {
    KerasArgs args;
    const json_t *given;   /* all arguments as the file of Keras 3 has them, or NULL */
    const json_t *options; /* arguments by name, or NULL */
    bool listed;           /* the tensors are in a list, as those of a layer that joins */
    /* While the model is run: */
    KerasTensor *results;
    int n_results; /* 0: it was not made yet */
    int next;      /* argument to look at */
    bool waiting;
} KerasCall;

typedef struct KerasGraph KerasGraph;

typedef struct KerasNode {
    const char *name;
    const char *kind;     /* its class, without the package */
    const json_t *config; /* never NULL */
    const char *group;    /* of its weights in a .keras file */
    KerasGraph *model;    /* if it is a model itself */
    VEC(KerasCall) calls;
    VEC(Node *) made; /* by its first call, those that have parameters */
    bool known;       /* it was called before, in whichever call of the model */
    int times;        /* calls that were made in this one */
} KerasNode;

struct KerasGraph {
    const char *name;
    VEC(KerasNode) layers;
    KerasArgs inputs, outputs;
};

/* The model that `json` describes, with all models in it.  NULL after a message about the file
 * `path`. */
KerasGraph *keras_graph(const json_t *json, const char *path, Arena *arena, Diag *d);
/* A class's name without its package: "Custom>Mish" is "Mish". */
const char *keras_class(const char *name);

/* ---- all of it (keras_import.c) ---- */

/* The model that the JSON `text` describes, with its weights from `tensors`; `version` is that of
 * the Keras that wrote it, or NULL.  For keras_import(), and for fuzzing without HDF5. */
bool keras_import_text(Imported *to, const char *path, TensorFile *tensors, const char *text,
                       const char *version, SrcMap *src, Diag *d);

/* ---- running it (keras_run.c) ---- */

typedef struct Keras {
    Builder b;
    Arena *arena;
    TensorFile *tensors;
    NameTable index; /* of the tensors, by name without ":0"; `number` is which */
    int version;     /* 2 or 3 */
    int calls;       /* of layers so far; those of an inner model count at each call of it */
} Keras;

/* The call of a layer that is at hand, for a rule. */
typedef struct Site {
    Keras *k;
    KerasNode *layer;
    const KerasCall *call;
    const json_t *config;
    const char *path;      /* of the layer in the network, models around it included */
    const char *models;    /* names of the models around it, each with a slash after it */
    const KerasTensor *in; /* of the call's arguments that are tensors */
    int n_in;
    bool again;    /* the layer was called before */
    int made;      /* nodes with parameters so far */
    int n_results; /* 1, unless a rule sets `results` */
    KerasTensor *results;
} Site;

typedef KerasTensor KerasRule(Site *s);
#define LAYER(kind, rule) KerasRule keras_##rule;
#include "import/keras.def"

/* Runs a model: makes the layers of its calls.  `inputs` has a tensor for each of its inputs,
 * results one for each of its outputs.  False if a message says that the graph is wrong. */
bool keras_run(Keras *k, KerasGraph *model, const KerasTensor *inputs, int n_inputs,
               const char *path, const char *models, KerasTensor *results);

/* ---- what rules use (keras_site.c) ---- */

/* A tensor of this rank that is a node. */
KerasTensor keras_tensor(Node *node, int rank);
KerasTensor keras_refuse(Site *s, const char *why, const char *help);
/* The i-th tensor as a node, whatever was to be done to it later made.  NULL if it was refused. */
Node *keras_in(Site *s, int i);
Node *keras_solid(Site *s, const KerasTensor *x);
/* Whether the first tensor has this rank, or was refused; refuses the call if not. */
bool keras_rank_is(Site *s, int rank);
/* scale * x + shift, a number each for all channels or one for each. */
Node *keras_each(Keras *k, Node *in, const double *scale, int n_scale, const double *shift,
                 int n_shift, const char *name);
/* A layer called SITE, or SITE.part, or, where the part begins with '_', SITE_part. */
Node *keras_add(Site *s, Op op, Node *const *in, int n_in, const Attrs *attrs, const char *part);
Node *keras_simple(Site *s, Op op, Node *in, const char *part);
/* Values of the configuration; `otherwise` where it has none or null. */
const char *keras_text(const json_t *config, const char *key, const char *otherwise);
bool keras_truth(const json_t *config, const char *key, bool otherwise);
/* A value of the configuration, or of the call, where Keras 2 has those of operations; or NULL. */
const json_t *keras_given(const Site *s, const char *key);
double keras_number(const json_t *config, const char *key, double otherwise);
/* One number, or n of them in a list; false if it is something else. */
bool keras_ints(const json_t *config, const char *key, int n, int *to);
/* The numbers in lists of any depth, or a number alone; how many, -1 if there is something else. */
int keras_numbers(const json_t *list, double **to, Arena *arena);
/* The number with the fewest digits that is the same as a float: 103.939 for 103.93900299072266. */
double keras_short(double x);
/* Whether `axis` of the configuration is the channels' of a tensor of this rank; an axis that the
 * configuration leaves out is. */
bool keras_axis_is_last(const json_t *config, int rank);
/* The operator that an activation's name or description stands for, applied. */
KerasTensor keras_activation(Site *s, KerasTensor x, const json_t *activation, const char *part);

/* softmax or log_softmax over the axes that the call at hand names (keras_over.c). */
KerasTensor keras_softmax_over(Site *s, KerasTensor x, Op op, const char *part);
/* The constant among the call's two arguments; how many numbers, or -1.  *second: it comes after
 * the tensor (keras_simple.c). */
int keras_constant(const Site *s, double **to, bool *second);

/* The tensor times a scale plus an offset, made when it is needed, so that the next rule can take
 * it in (keras_norm.c); and the site's first tensor with a number each, or one for each channel. */
KerasTensor keras_affine(Site *s, const KerasTensor *x, double scale, double offset);
KerasTensor keras_scaled(Site *s, const double *scale, int n_scale, const double *offset,
                         int n_offset);

/* ---- weights (keras_weights.c) ---- */

void keras_index(Keras *k);
/* The tensor of this layer's weight, and its values; NULL without a message. */
const StoredTensor *keras_weight(const Site *s, const char *weight);
/* The name of the only weight that an .h5 file has of this layer, or NULL. */
const char *keras_only_weight(const Site *s);
/* How a kernel's axes are stored, and what is made of it. */
typedef enum KernelForm {
    KERNEL_VECTOR,    /* [c] */
    KERNEL_DENSE,     /* [in][out] -> oi */
    KERNEL_CONV,      /* [h][w][in][out] or [w][in][out] -> oihw */
    KERNEL_DEPTHWISE, /* [h][w][channels][multiplier] -> oihw */
} KernelForm;
/* Binds a parameter of a node that the site's first call made.  False after a message. */
bool keras_bind(Site *s, Node *node, Role role, const char *weight, KernelForm form);

#endif
