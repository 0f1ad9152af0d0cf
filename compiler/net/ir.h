/* ir.h: the network, a typed graph of operators.
 *
 * It has what the language says, with every block expanded, every parameter a number and every
 * shape known.  It has nothing about layout, vectors or memory, which belong to the plan (plan.h).
 * Each node computes one tensor, which is written once (static single assignment): an operand is a
 * pointer to the node that computes it.  nodes[] is in an order of execution, in which operands
 * come before their users.
 *
 * An operator with several results is a run of neighbours in nodes[], one node for each result.
 * They have the same operator, operands and attributes except for Attrs.result, and each has its
 * own type and name.  So a reference is to one result, and an unused result costs nothing if the
 * kernel can leave it out.
 *
 * Trained parameters are objects of the network, params[], which nodes refer to.  Several nodes
 * can refer to the same one (a siamese network): it exists once, and is bound, counted and packed
 * once.
 *
 * Passes may fuse operators: a node's `act` is applied to its result last, and a conv,
 * conv_transpose, dense or bn_train with two operands adds the second (the residual) before `act`.
 * The slopes of a fused prelu are the node's parameter P_SLOPE, one for each channel.
 * Passes never change what the outputs compute, up to rounding.
 */
#ifndef RNC_IR_H
#define RNC_IR_H

#include "base/arena.h"
#include "base/src.h"
#include "net/elements.h"
#include "net/ops.h"

#include <stdbool.h>
#include <stdint.h>

/* A tensor's type: its element type and its logical dimensions, which are batch, height, width and
 * channels.  A vector has h == w == 1. */
typedef struct Type {
    Elem elem;
    int n, h, w, c;
} Type;

/* Activations that a node can apply to its result. */
typedef enum Act {
    ACT_NONE,
    ACT_RELU,
    ACT_RELU6,
    ACT_LEAKY_RELU,
    ACT_SIGMOID,
    ACT_TANH,
    ACT_HARD_SIGMOID,
    ACT_HARD_SWISH,
    ACT_SILU,
    ACT_GELU,
    ACT_ELU,
    ACT_SELU,
    ACT_SOFTPLUS,
    ACT_MISH,
    ACT_CLIP,
    ACT_PRELU,
    ACT_COUNT
} Act;

/* A trained parameter, which has the same role for every node that refers to it.  `data` is
 * row-major with dims as in ops.def (OIHW for a convolution), and is owned by the arena or mapped.
 * It is NULL while no weights are known (the network can be compiled all the same). */
typedef struct Param {
    int id;            /* position in Net.params, or -1: it is in no network */
    int first;         /* id of the first node that refers to it */
    const char *name;  /* layer2.0.main.conv1.weight, unique in the net */
    const char *alias; /* its name in weights files, by the net's naming */
    const char *axes;  /* the order of its axes there, "hwio" (axes.h); NULL: as `dims` */
    Role role;
    int rank;
    int dims[4];
    Elem elem;        /* of `data`: f32, unless whoever gives the data says another */
    const void *data; /* param_at(), param_floats() */
    bool fixed;       /* the data are what the operator says: nothing else gives or trains them */
    const Place *place;
} Param;

typedef struct Node Node;
struct Node {
    Op op;
    int id;    /* position in Net.nodes; ir_renumber() keeps it so */
    Type type; /* of the result */
    Node **in;
    int n_in;
    Attrs attrs;
    Param *params[P_ROLES];     /* by role; NULL where the operator has none */
    Act act;                    /* fused activation */
    double act_alpha, act_beta; /* its numbers, 0 where it has none (act_numbers()) */
    const char *name;           /* layer2.0.main.conv1, unique in the net */
    const char *again; /* the node whose value this one computes once more (recompute.h), or NULL */
    /* About the network before the passes: `origin` is the node whose value this one computes (-1:
     * none, it is a partial sum).  The names are those of the nodes that this one has absorbed, in
     * order and without its own ("layer2.0.main.bn1", "layer2.0.add1", ...). */
    int origin;
    /* Of a node of a band (plan/bands.h): the group's number, counted from 1, and the band's, from
     * 0; the row of that value that its first row is; the node that computes the same in the first
     * band, unless it is this one.  Else all zero. */
    int band_group, band, first_row;
    Node *band_of;
    VEC(const char *) absorbed;
    Node *taken_by; /* the node that absorbed this one, which is then in no network */
    const Place *place;
};

/* The interface: what the caller gives or gets, and how it is stored there. */
/* The most inputs and the most outputs of a network, taps included. */
enum { MOST_PORTS = 4096 };

/* What a net says of the numbers that the caller gives (docs/numerics.md). */
typedef struct Range {
    bool given;       /* false: nothing, and low, high and typical have no meaning */
    double low, high; /* finite numbers are from low to high; infinite: any */
    double typical;   /* magnitude of ordinary numbers, > 0 */
    bool nan, inf;    /* NaN and infinities occur as well, whether `given` or not */
} Range;

typedef struct Port {
    const char *name;
    Node *node; /* an OP_INPUT, or the node whose value goes out */
    Elem elem;
    Order order;               /* order of the axes in the caller's buffer, which is contiguous */
    Range range;               /* of an input of floats */
    const char *const *labels; /* class names, n_labels of them, or NULL */
    int n_labels;
    const Place *place;
} Port;

/* The names that a naming which the net does not choose gives to its parameters. */
typedef struct NetNaming {
    const char *name;
    const char *why_not; /* why the naming cannot name this net; NULL: it can, and then there are */
    const char **aliases; /* by id of params[], as Param.alias and Param.axes */
    const char **axes;
} NetNaming;

/* What a step of training does to a parameter, which `node` says.
 *
 * UPDATE_GRADIENT: the node's value is the loss's gradient by the parameter, and the optimizer
 * decides.  There is one at most for each parameter.
 *
 * UPDATE_STATISTIC: a running statistic moves towards the node's value,
 *
 *     statistic = (1 - rate) * statistic + rate * scale * value
 *
 * where `scale` turns the variance of a batch of n values for each channel into the unbiased one,
 * n / (n - 1), or is 1.  Where several nodes share a statistic, it moves once for each, in order.
 *
 * The node has the type param_type() of the parameter. */
typedef enum UpdateKind { UPDATE_GRADIENT, UPDATE_STATISTIC } UpdateKind;

typedef struct Update {
    UpdateKind kind;
    Param *param;
    Node *node;
    double rate, scale; /* of a statistic; else 0 and 1 */
} Update;

/* A parameter of the net's declaration that is a whole number. */
typedef struct NetDefine {
    const char *name;
    int64_t value;
} NetDefine;

typedef struct Net {
    Arena *arena;
    const char *name;
    VEC(Node *) nodes;
    VEC(Param *) params; /* all that nodes refer to, in the order of their first nodes */
    VEC(Port) inputs;
    VEC(Port) outputs;
    VEC(Update) updates; /* of a network with a backward part (passes/differentiate.h); else none */
    int n_original;      /* nodes before the first pass: Node.origin is below it */
    int n_step;          /* nodes of a step of training, if others after them evaluate the network
                            (passes/evaluation.h); else 0 */
    /* For binding weights, before any pass: */
    VEC(NetNaming) namings; /* other namings that may fit them */
    bool every_naming;      /* `namings` includes the ones that ship with rnc */
    VEC(NetDefine) defines;
    bool cut;                  /* --end cut a part of it off, whose weights may be in the files */
    const struct Train *train; /* how it is trained (train.h), or NULL */
} Net;

/* ---- building (ir.c) ---- */

Net *ir_new(Arena *arena, const char *name);

/* Appends a node with these operands, attributes, name and place; its type and the dims of its
 * parameters follow from the shape rule.  Returns NULL after a message if the shapes do not fit
 * (infer.h). */
struct Diag;
Node *ir_add(Net *net, struct Diag *diag, Op op, Node *const *in, int n_in, const Attrs *attrs,
             const char *name, const Place *place);
/* Likewise, but the new node shares the parameters of `like`, a node of the network with the same
 * operator.  Returns NULL after a message also if their dims are not those that the new node
 * needs. */
Node *ir_add_sharing(Net *net, struct Diag *diag, Op op, Node *const *in, int n_in,
                     const Attrs *attrs, const char *name, const Place *place, const Node *like);
/* Likewise, with these parameters by role, objects of the network, where the operator has some. */
Node *ir_add_with(Net *net, struct Diag *diag, Op op, Node *const *in, int n_in, const Attrs *attrs,
                  const char *name, const Place *place, Param *const *params);
/* The attributes of an operator when all optional ones are left out; those without a default are
 * zero.  Padding words are left to the caller. */
Attrs ir_default_attrs(Op op);
/* Appends an OP_INPUT node. */
Node *ir_add_input(Net *net, const char *name, Type type, const Place *place);
/* Sets the ids of nodes[], and rebuilds params[] from the parameters that the nodes refer to. */
void ir_renumber(Net *net);
/* A deep copy, which shares only the parameters' data, places and class names.  The oracle
 * evaluates such a copy, taken before the passes. */
Net *ir_copy(const Net *net, Arena *arena);

/* Makes a node that is in no network yet, for passes (rewrite.h).  It has its own parameters, with
 * names, but nothing is inferred, and it computes no original node's value (origin -1). */
Node *ir_node(Arena *arena, Op op, Node *const *in, int n_in, const Attrs *attrs, const char *name,
              const Place *place);

/* Gives a node whose `act` is prelu its parameter P_SLOPE, which is in no network yet and has no
 * data.  Does nothing to other nodes. */
void ir_give_slopes(Arena *arena, Node *node);

/* ---- asking ---- */

/* Products of extents; INT64_MAX if they do not fit. */
int64_t mul_extents(int64_t a, int64_t b);
int64_t type_elements(Type t); /* n * h * w * c */
bool type_eq(Type a, Type b);
const char *act_name(Act act); /* "relu"; "" for ACT_NONE */
/* The activation that an ACTIVATION operator computes; ACT_NONE for other operators. */
Act act_of(Op op);
/* Whether the operator can apply the activation to its result. */
bool op_fuses(Op op, Act act);
/* The numbers of an ACTIVATION operator with these attributes, 0 where it has none: leaky_relu and
 * elu have alpha, hard_sigmoid slope and offset, clip its least and largest result. */
void act_numbers(Op op, const Attrs *attrs, double *alpha, double *beta);
/* Whether the activation has an `alpha` (or, with `second`, a `beta`). */
bool act_has_number(Act act, bool second);
const char *role_name(const Node *node, Role role);
int64_t param_elements(const Param *param);
/* Element i of a parameter that has data, whatever its element type. */
double param_at(const Param *param, int64_t i);
/* The data of a parameter of type f32, which is what passes and packings work with; NULL if `param`
 * is NULL or has none. */
const float *param_floats(const Param *param);
/* Gives a parameter data of type f32, which must live as long as the network. */
void param_set_floats(Param *param, const float *data);
bool param_same_dims(const Param *a, const Param *b);
/* The type of a tensor with one element for each of the parameter's: [o][h][w][i] for dims OIHW,
 * [1][h][w][c] for [c][h][w],
 * [o][1][1][i] for [o][i], [1][1][1][c] for [c]. */
Type param_type(const Param *param);
/* Whether `node` has a parameter of the role and is the first to refer to it. */
bool owns_param(const Node *node, Role role);
/* Counts of trained parameters, for nodes first..last or the whole net.  Running statistics are
 * not counted; with `trained` false, only they are.  Each parameter counts at the first node that
 * refers to it.  Then there are counts of multiply-adds for one image, of one node, of first..last
 * or of the net; as is usual in the field, only convolutions and dense layers count. */
int64_t nodes_parameters(const Net *net, int first, int last, bool trained);
int64_t net_parameters(const Net *net);
int64_t node_macs(const Node *node);
int64_t nodes_macs(const Net *net, int first, int last);
int64_t net_macs(const Net *net);
/* How many operand slots, output ports and updates refer to a node. */
int node_uses(const Net *net, const Node *node);
Node *net_node_named(const Net *net, const char *name);

#endif
