/* ir.h: the network, a typed graph of operators.
 *
 * What the language says, with every block expanded, every parameter a number
 * and every shape known; and nothing of layout, vectors or memory, which belong
 * to the plan (plan.h).  Each node computes one tensor, which is written once
 * (static single assignment): an operand is a pointer to the node that computes
 * it.  nodes[] is in an order of execution; operands come before their users.
 *
 * An operator with several results is a run of neighbours in nodes[], a node a result: the
 * same operator, operands and attributes but for Attrs.result, each with a type and a name
 * of its own.  So a reference is to one result, and a result that is not used costs nothing
 * where a kernel can leave it out.
 *
 * Trained parameters are objects of the network, params[], which nodes refer to.  Several
 * nodes can refer to one (a siamese network): it is there once, and bound, counted and
 * packed once.
 *
 * Passes may fuse: a node's `act` is applied to its result last, and a conv or
 * dense with two operands adds the second (the residual) before `act`.  Passes
 * never change what the outputs compute, up to rounding.
 */
#ifndef RNC_IR_H
#define RNC_IR_H

#include "base/arena.h"
#include "base/src.h"
#include "net/elements.h"
#include "net/ops.h"

#include <stdbool.h>
#include <stdint.h>

/* A tensor's type: element type and logical dimensions: batch, height, width,
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
    ACT_COUNT
} Act;

/* A trained parameter, of one role whichever node refers to it.  `data` is row-major, dims
 * as ops.def says (OIHW for a convolution), owned by the arena or mapped; NULL while no
 * weights are known (the network can be compiled all the same). */
typedef struct Param {
    int id;            /* position in Net.params, or -1: it is in no network */
    int first;         /* id of the first node that refers to it */
    const char *name;  /* layer2.0.main.conv1.weight, unique in the net */
    const char *alias; /* the same by the net's naming: what weights files call it */
    const char *axes;  /* their order there, "hwio" (axes.h); NULL: as `dims` */
    Role role;
    int rank;
    int dims[4];
    const float *data;
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
    Param *params[P_ROLES]; /* by role; NULL where the operator has none */
    Act act;                /* fused activation */
    double act_alpha;       /* for ACT_LEAKY_RELU */
    const char *name;       /* layer2.0.main.conv1, unique in the net */
    /* Of the pre-pass network: the node whose value this one computes (-1: none,
     * a partial sum), and the names of the nodes this one has taken in, its own
     * not among them, in order ("layer2.0.main.bn1", "layer2.0.add1", ...). */
    int origin;
    VEC(const char *) absorbed;
    Node *taken_by; /* the node that has taken this one in: it is in no network then */
    const Place *place;
};

/* The interface: what the caller gives or gets, and how it lies there. */
/* Inputs and outputs of a network, taps counted. */
enum { MOST_PORTS = 4096 };

typedef struct Port {
    const char *name;
    Node *node; /* an OP_INPUT, or the node whose value goes out */
    Elem elem;
    Order order;               /* axes as the caller's buffer has them; contiguous */
    const char *const *labels; /* class names, n_labels of them, or NULL */
    int n_labels;
    const Place *place;
} Port;

/* What a naming that the net does not choose calls its parameters. */
typedef struct NetNaming {
    const char *name;
    const char *why_not;  /* it is none for this net; NULL: it is, and there are */
    const char **aliases; /* [id] of params[], as Param.alias and Param.axes */
    const char **axes;
} NetNaming;

/* A parameter of the net's declaration that is a whole number. */
typedef struct NetDefine {
    const char *name;
    int64_t value;
} NetDefine;

typedef struct Net {
    Arena *arena;
    const char *name;
    VEC(Node *) nodes;
    VEC(Param *) params; /* those that nodes refer to, in the order of their first nodes */
    VEC(Port) inputs;
    VEC(Port) outputs;
    int n_original; /* nodes before the first pass: Node.origin is below it */
    /* For binding weights, before any pass: */
    VEC(NetNaming) namings; /* other ones that may fit them */
    bool every_naming;      /* those that ship are among them */
    VEC(NetDefine) defines;
} Net;

/* ---- building (ir.c) ---- */

Net *ir_new(Arena *arena, const char *name);

/* Append a node; its operands, attributes, name and place are taken over, its
 * type and the dims of its parameters follow from the shape rule.  Returns NULL
 * after a message when the shapes do not fit (infer.h). */
struct Diag;
Node *ir_add(Net *net, struct Diag *diag, Op op, Node *const *in, int n_in, const Attrs *attrs,
             const char *name, const Place *place);
/* The same with the parameters of `like`, a node of the network and of the same operator;
 * NULL after a message also when their dims are not those that the new node needs. */
Node *ir_add_sharing(Net *net, struct Diag *diag, Op op, Node *const *in, int n_in,
                     const Attrs *attrs, const char *name, const Place *place, const Node *like);
/* The attributes of an operator that leaves all optional ones out; those with
 * no default are zero.  Padding words are left to the caller. */
Attrs ir_default_attrs(Op op);
/* An OP_INPUT node. */
Node *ir_add_input(Net *net, const char *name, Type type, const Place *place);
/* Sets the ids of nodes[], and params[] to the parameters that these refer to. */
void ir_renumber(Net *net);
/* A deep copy (parameters' data, places and class names shared): what the oracle
 * keeps of the network before the passes. */
Net *ir_copy(const Net *net, Arena *arena);

/* A node that is in no network yet, for passes (rewrite.h): parameters of its own, named,
 * nothing inferred; it computes no original node's value (origin -1). */
Node *ir_node(Arena *arena, Op op, Node *const *in, int n_in, const Attrs *attrs, const char *name,
              const Place *place);

/* ---- asking ---- */

/* Products of extents; INT64_MAX stands for all that do not fit. */
int64_t mul_extents(int64_t a, int64_t b);
int64_t type_elements(Type t); /* n * h * w * c */
bool type_eq(Type a, Type b);
const char *act_name(Act act); /* "relu"; "" for ACT_NONE */
/* The activation an ACTIVATION operator computes, ACT_NONE for others. */
Act act_of(Op op);
const char *role_name(const Node *node, Role role);
int64_t param_elements(const Param *param);
bool param_same_dims(const Param *a, const Param *b);
/* Whether `node` has a parameter of the role and is the first to refer to it. */
bool owns_param(const Node *node, Role role);
/* Trained parameters of nodes first..last or the whole net, running statistics not
 * counted (with `trained` false these alone), each at the first node that refers to it;
 * and multiply-adds of one node, of first..last or of the net for one image, as the field
 * counts them (convolutions and dense layers). */
int64_t nodes_parameters(const Net *net, int first, int last, bool trained);
int64_t net_parameters(const Net *net);
int64_t node_macs(const Node *node);
int64_t nodes_macs(const Net *net, int first, int last);
int64_t net_macs(const Net *net);
/* Users of a node: how many operand slots and output ports refer to it. */
int node_uses(const Net *net, const Node *node);
Node *net_node_named(const Net *net, const char *name);

#endif
