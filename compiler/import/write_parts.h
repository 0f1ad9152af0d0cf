/* write_parts.h: what the parts of writing a network share; private to write*.c.
 *
 * A network becomes text in these steps:
 *
 *     write_shape.c   chains of layers; arms that a join joins become one part of a chain, so a
 *                     residual network is a single chain in the end
 *     write_tangle.c  what no arms say, from a split to a join: a list with labels, as one part
 *     write_again.c   chains with the parameters of other ones
 *     write_blocks.c  runs of parts that occur again, differing in numbers alone, become blocks
 *     write_unify.c   one text for all occurrences of a block: what differs is a parameter
 *     write_text.c    the statements of the net: repetitions, stages, labels, ports
 *
 * write.c lowers what comes out and compares. */
#ifndef RNC_WRITE_PARTS_H
#define RNC_WRITE_PARTS_H

#include "import/write.h"
#include "lang/ast.h"
#include "net/nametable.h"

typedef struct Part Part;
typedef struct Chain Chain;
typedef struct Block Block;
typedef VEC(Part *) Parts;

/* A piece of a chain: a layer, arms with their join, or the call of a block. */
struct Part {
    const Node *node; /* the layer, or the join; of a block its last node */
    Chain **arms;     /* [n_arms] of a join; 0: a layer, or a join of labels */
    int n_arms;
    Block *block;     /* of a call, else NULL */
    int instance;     /* the number of the call among the block's */
    Parts inner;      /* what the block stands for here */
    int symbol;       /* equal for parts that differ in numbers alone */
    int weight;       /* about what its text takes; a call takes little */
    int size;         /* its layers */
    bool pinned;      /* stays in the net: its label is needed there */
    bool loose;       /* a join of labels that are those of a tangle, where it stays */
    const Node *root; /* of a tangle (write_tangle.c): the split where it begins; its arms are the
                       * chains in it, in an order of execution.  Else NULL */
    const Part
        *again; /* the first call, which has a label, of what this calls once more; or NULL */
};

/* Layers that follow one another, each the only user of the one before. */
struct Chain {
    const Node *start; /* the tensor it begins at; NULL: a join of labels */
    Parts parts;       /* none: `start` itself, an empty arm */
    int uses;          /* of `start` that the first part takes */
    bool absorbed;     /* it is an arm */
    bool pinned;       /* one of its parts is */
};

typedef struct Shape {
    VEC(Chain *) chains; /* of the net, in an order of execution */
    int *uses;           /* by root: operands and outputs that refer to it or its other results */
} Shape;

/* What the text reads for a tensor: casts come by themselves where floats are needed. */
const Node *write_source(const Node *node);
/* The first result of an operator with several; the node itself otherwise. */
const Node *write_root(const Net *net, const Node *node);
/* The first node with the parameters of this one, which is then called again; or NULL. */
const Node *write_shared(const Net *net, const Node *node);

Shape write_shape(Arena *arena, const Net *net);
/* Whether arms begin at several results of a split, or the part is a tangle. */
bool part_forks_split(const Part *part);
/* All nodes in the order in which the chain lowers, casts included, to order[*n] and on. */
typedef struct NodeOrder {
    const Net *net;
    const Node **at;
    int n;
    bool *seen; /* by node */
} NodeOrder;
void order_node(NodeOrder *order, const Node *node);
void order_chain(NodeOrder *order, const Chain *chain);

/* ---- blocks ---- */

/* A parameter of a block while it is found: its value at each call. */
typedef struct Hole {
    const char *name;
    bool truth;  /* a bool, else an integer */
    bool must;   /* it has no default */
    int64_t def; /* the default */
    int64_t *v;  /* [calls] */
    bool *known; /* [calls] false: the value does not matter there */
} Hole;

struct Block {
    const char *name;
    VEC(Part *) calls;
    VEC(Hole) holes;
    Decl *decl; /* NULL until it is unified */
    bool bad;   /* no text says all calls: what is in them stands in their places */
};

typedef struct Writer {
    Arena *arena;
    const Imported *from;
    const Net *net;
    Shape shape;
    bool same_style;          /* padding is that of TensorFlow rather than half the kernel */
    bool plain;               /* no blocks */
    NameTable symbols, words; /* words: of blocks; and labels of the net */
    VEC(Block *) blocks;
    VEC(Decl *) decls;   /* of those that are used, inner ones first */
    const char **labels; /* by node id, NULL: none */
    const char **local;  /* likewise, in blocks */
    const Node **like;   /* by node id: the one before it with its parameters, or NULL */
} Writer;

/* Gives every part its symbol and weight. */
void write_symbols(Writer *w);
void write_find_blocks(Writer *w);
/* Chains that are called several times become calls of blocks, before other blocks are found. */
void write_find_again(Writer *w);
/* What must be equal where one text is to say two layers, appended to `out`. */
void write_layer_key(Buf *out, const Writer *w, const Node *node);
/* A call of a block, whose text is that of these parts. */
Part *write_make_call(Writer *w, Block *block, Part *const *parts, int n);
/* The common beginning of the names of all nodes of some parts, up to a '.' or '_'. */
const char *write_prefix(Arena *arena, Part *const *parts, int n);

/* ---- text ---- */

/* Some of the calls of what is unified. */
typedef struct Mask {
    const int *at;
    int n;
} Mask;

/* A convolution's filters, for conditions. */
typedef struct Width {
    const int64_t *v;
    Expr *expr;
} Width;

typedef struct Unify {
    Writer *w;
    Arena *arena;
    int n; /* calls; 1 for the net */
    VEC(Hole) holes;
    VEC(Width) widths;
    NameTable words; /* labels and parameters of the block */
    bool net;        /* it is the net: w->labels are its labels */
    bool bad;        /* no text says it */
    Expr *classes;   /* of the net: what the last dense layer's units are called */
    const Node *last_dense;
} Unify;

/* The split where all begins that a join depends on, with nothing in between that anybody else
 * uses; NULL if there is none.  inside[root id]: what is in between. */
const Node *tangle_root(Arena *arena, const Net *net, const int *uses, const bool *pinned,
                        const Node *join, bool *inside);
/* What a chain computes. */
const Node *tangle_end(const Chain *chain);
/* What must be equal in tangles that one text says. */
void tangle_symbol(Buf *out, const Part *part);
/* A tangle with its join. */
void tangle_text(Unify *u, Mask m, Part *const *parts, Stmts *out);

Unify unify_new(Writer *w, int n);
/* Appends statements for the parts of each call in `mask`, lists[call], which have equal
 * symbols. */
void unify_list(Unify *u, Mask mask, const Parts *const *lists, Stmts *out);
/* Blocks that no text says are replaced by what is in them. */
void flatten(Writer *w, const Parts *from, Parts *to);
/* The layer or the join of labels that each call has. */
void unify_node(Unify *u, Mask mask, Part *const *parts, Stmts *out);
/* The word for a tensor in this text, or NULL. */
const char *unify_label(const Unify *u, const Node *node);
/* Whether a part is a join of results of a split that nothing was done with. */
bool joins_labels(const Part *part);
/* The call of a layer that each call has; parts[call]. */
Call *unify_layer(Unify *u, Mask mask, Part *const *parts);
/* An expression that is v[call] for all calls of the mask: a number, a parameter, a multiple of
 * one or of `channels`, whose values are ch (or NULL); else a new parameter called `word`. */
Expr *unify_value(Unify *u, Mask mask, const int64_t *v, const int64_t *ch, const char *word,
                  bool truth);
/* A condition that holds for those calls of the mask with present[call]; `ch` has the channels
 * where it stands. */
Expr *unify_condition(Unify *u, Mask mask, const bool *present, const int64_t *ch);
/* Arms with their join. */
void unify_arms(Unify *u, Mask mask, Part *const *parts, Stmts *out);
/* The declaration of a block, made once; and a call of it. */
void unify_block(Writer *w, Block *block);
Call *block_call(Writer *w, const Block *block, int call);
const char *block_name(Writer *w, const Block *block);

/* Calls of one block, one after the other, as repetitions. */
void write_runs(Writer *w, Part *const *parts, int n, Stmts *out);
/* Attributes that most calls of an operator have become defaults of the file. */
void write_defaults(Arena *arena, Ast *ast);
/* The network as a tree; `order` gets the nodes in the order in which they lower. */
Ast *write_tree(const Imported *from, bool plain, Arena *arena, const Node **order);

/* Likewise as a plain list of layers. */
Ast *write_flat(const Imported *from, Arena *arena, const Node **order);

/* ---- small pieces of a tree, without places; write_layer.c ---- */

Expr *write_int(Arena *arena, int64_t value);
Expr *write_real(Arena *arena, double value);
Expr *write_bool(Arena *arena, bool value);
Expr *write_name(Arena *arena, const char *text);
Expr *write_binary(Arena *arena, Operator op, Expr *a, Expr *b);
/* The value of an attribute that is the same for all. */
Expr *write_value(Arena *arena, const AttrRow *row, const void *at);
void write_arg(Arena *arena, Call *call, const char *name, Expr *value);
Call *write_new_call(Arena *arena, const char *name);
Stmt *write_call(Arena *arena, const char *label, Call *call);
Stmt *write_from(Arena *arena, const char *label);
Stmt *write_input(Arena *arena, const Port *port);
Stmt *write_output(Arena *arena, const Port *port);
/* What a port is called in the text: a tap's "layer1.0" is layer1_0. */
const char *write_port_name(Arena *arena, const Port *port);
/* Whether a layer's padding is half its kernel on each side, and whether it is what `same` gives.
 */
bool write_is_half(const Node *node);
bool write_is_same(const Node *node);
/* Whether a pool's window is the whole image. */
bool write_is_global(const Node *node);

/* A word that can be a label: `name` with '_' for what cannot be in one, and one at the end if it
 * has a meaning of its own. */
const char *write_word(Arena *arena, const char *name);
/* Likewise, and no other has it. */
const char *write_new_word(Arena *arena, NameTable *used, const char *name);

/* Whether `a`, lowered from a written text, is `b`, whose nodes are in `order`, but for names.
 * write_same.c. */
bool write_same(const Net *a, const Net *b, const Node *const *order, const char **why);

#endif
