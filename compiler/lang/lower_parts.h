/* lower_parts.h: what the parts of lowering (lower*.c) share; private to them.
 *
 * A Frame is a place in the network's tree of names: the net, a stage, a block as expanded by one
 * call, an arm.  Statements work on the current tensor of their frame.  After an error the current
 * tensor is unknown: what depends on it is skipped without further messages, and the rest is still
 * checked.
 */
#ifndef RNC_LOWERING_H
#define RNC_LOWERING_H

#include "net/nametable.h"
#include "lang/ast.h"
#include "lang/synonyms.h"
#include "lang/lower.h"
#include "lang/naming.h"
#include "lang/value.h"

/* A network has at most this many nodes, blocks nest this deep (bodies in braces
 * likewise), and expansion executes this many statements. */
enum {
    MOST_NODES = 200000,
    MOST_CALLS_DEEP = 256,
    MOST_BODIES_DEEP = 1024,
    MOST_STEPS = 4000000,
    MOST_VARS = 10000,
    MOST_PATH = 4000,              /* characters of a layer's path */
    MOST_PATHS = 64 * 1024 * 1024, /* of all paths */
};

/* A current tensor: none yet, known, or unknown after an error. */
typedef struct Point {
    Node *node;
    bool unknown;
} Point;

/* An arm that waits for its join. */
typedef struct Arm {
    Name name;
    Point end;
} Arm;

typedef VEC(Arm) Arms;

/* An attribute's default, set by `default`. */
typedef struct Default Default;
struct Default {
    const Default *next; /* the one before it */
    const AttrRow *row;
    Value value;
    const Expr *expr; /* the value as written */
    int number;       /* of defaults up to and including this one */
};

/* A labelled call or a stage, which `again` can expand a second time.  It has the text as it was
 * written, what was known there, and the layers that it became. */
typedef struct Reuse {
    const Call *call; /* or NULL: a stage */
    const Stmt *stage;
    const Var *vars;
    const Default *defaults;
    int64_t index;
    const char *path;
    int first, end; /* range of the network's nodes */
} Reuse;

/* A name for a tensor, which `from` and joins accept. */
typedef struct Label {
    const char *name;
    Point point;
    const Reuse *reuse; /* what made it; NULL for an input or a tap */
} Label;

typedef struct Frame Frame;
struct Frame {
    Frame *parent;     /* frame in the same block or net, or NULL */
    const Decl *decl;  /* the block or net */
    const char *path;  /* "layer2.0.main"; "" for the net */
    const char *title; /* for messages: "stage 'layer2'" */
    bool stage;
    bool again;         /* a stage's second expansion: it reads nothing from outside */
    int ops[OP_COUNT];  /* calls so far, by operator */
    int blocks;         /* calls of blocks so far, for a stage */
    NameTable counters; /* uses of a name so far: blocks, arms */
    VEC(Label) labels;
    NameTable label_names; /* numbers are indices in labels, counted from 1 */
    Arms arms;
    Point point;
    const Var *vars;
    const Default *defaults;
    int64_t index; /* of the repetition, or -1 */
    const Place *caller;
};

/* A source file whose declarations were read. */
typedef struct ReadFile {
    int file;
    Loc included; /* the include that names it, or NO_LOC */
    uint64_t device, inode;
} ReadFile;

typedef NamingDecls Decls;

/* Layers under the path `path` share the parameters of those under `of`. */
typedef struct Sharing {
    const char *path, *of;
} Sharing;

typedef struct Lower {
    Arena *arena;
    SrcMap *src;
    const LowerOptions *options;
    Diag *d;
    Complaints complaints;
    VEC(ReadFile) files;
    Decls blocks, nets, trainings, namings;
    const Decl *training;             /* the one that is lowered, or NULL */
    NameTable declared[DECL_DEFAULT]; /* by DeclKind; numbers are indices in those, from 1 */
    NameTable ports;                  /* names of inputs and outputs */
    Net *net;
    NameTable names; /* paths of layers, blocks, stages */
    Name naming;     /* of `use naming`, or none */
    int batch;
    Loc batch_loc;
    VEC(Node *) casts;      /* one for each u8 tensor that is read */
    const Sharing *sharing; /* while something is expanded again, or NULL */
    int depth, bodies;      /* of nested calls and bodies */
    int64_t steps;
    int64_t paths;                  /* characters of all paths so far */
    const Default **block_defaults; /* [blocks.n], file_defaults() of those that were called */
    bool *has_block_defaults;
    bool listed;  /* a message has listed the operators and blocks */
    bool stopped; /* a limit was exceeded: give up */
    bool shipped; /* reading the namings that ship with rnc: known ones stay */
} Lower;

/* ---- messages (lower_scope.c) ---- */

/* Reports an error and returns true; notes may follow, the last of which must be
 * lower_note_callers().  Returns false, without a message, if there was one at this place before.
 */
bool lower_error(Lower *l, Loc loc, const char *format, ...) __attribute__((format(printf, 3, 4)));
void lower_note_callers(Lower *l, const Frame *f, Loc loc);
/* "; did you mean 'x'?", or "". */
const char *lower_suggestion(Lower *l, const char *word, const char *const *words, int n);
/* "; here it is `conv 3x3 64`", or "". */
const char *lower_synonym(Lower *l, const Synonym *synonym);
/* "a, b, c". */
const char *lower_listed(Lower *l, const char *const *words, int n);

/* ---- frames and names (lower_scope.c) ---- */

Frame frame_inside(Frame *parent, const char *path, const char *title);
Env frame_env(Lower *l, const Frame *f);
const Place *frame_place(Lower *l, const Frame *f, Loc loc);
/* How often this name was asked for in this frame, including this call. */
int frame_count(Lower *l, Frame *f, const char *name);
const char *path_join(Lower *l, const char *path, const char *name);
/* Reserves a path; returns false after a message if it is taken. */
bool claim_path(Lower *l, const Frame *f, const char *path, Loc loc);
/* Makes the path name a tensor. */
void set_path(Lower *l, const char *path, const Node *node);
void add_label(Lower *l, Frame *f, const char *name, Point point, const Reuse *reuse);
/* The label with that name in this frame only, or NULL. */
const Label *label_in(const Frame *f, const char *name);
/* The tensor that a label names; it is unknown after a message. */
Point find_label(Lower *l, const Frame *f, Name name);
/* Adds a variable, at most MOST_VARS; returns false after a message if the name has a meaning
 * already. */
bool add_var(Lower *l, const Frame *f, const Var **vars, Name name, Value value);

/* ---- phases, in order ---- */

/* lower_include.c: reads all declarations of a file and of those that it includes. */
void read_declarations(Lower *l, int file);
/* Also reads the namings of lib/namings.net, except those whose names are taken. */
void read_shipped_namings(Lower *l);
/* Reads a file's text, which is looked for as includes are.  Returns its number, or -1 after a
 * message ("cannot read `what` ...").  An include that was read before is not read again: then
 * *again is true. */
int read_beside(Lower *l, Name path, const char *what, bool *again);

/* lower_params.c: the values of parameters. */
typedef struct Binding {
    const Decl *decl;
    Value *values; /* [decl->params.n], VALUE_BAD where none was given */
    bool *given;
    Loc *locs;
} Binding;
Binding binding_new(Lower *l, const Decl *decl);
/* Binds the arguments of a call, which are evaluated in `env`.  Returns false after messages. */
bool bind_args(Lower *l, const Env *env, Binding *b, const Call *call);
/* Adds defaults, checks types, and reports at `loc` what is missing; sets *vars to the parameters.
 */
bool bind_finish(Lower *l, const Env *env, Binding *b, Loc loc, const Var **vars);
/* Binds the values of -D; `net` is the name for messages.  A name that is a parameter of the
 * training is that one's alone. */
bool bind_defines(Lower *l, Binding *b, const char *net);

/* lower_stmt.c */
void lower_body(Lower *l, Frame *f, const Stmts *body);
/* Ends a frame; arms that nothing joined are an error. */
void close_frame(Lower *l, Frame *f);

/* lower_call.c */
void lower_call(Lower *l, Frame *f, const Call *call, Name label);
/* Expands an operator, or a block (`op` is OP_COUNT), under the path `path`; the point is unknown
 * after messages. */
Point expand_call(Lower *l, Frame *f, const Call *call, Op op, const Decl *block, const char *path);
/* Finds the operator or block with that name: sets *op, or sets it to OP_COUNT and returns the
 * block. */
const Decl *called(const Lower *l, const char *name, Op *op);
/* Finds the operands and attributes of an operator; returns false if its result is unknown. */
bool prepare_op(Lower *l, Frame *f, const Call *call, Op op, Point **points, int *n, Attrs *attrs);
/* Whether there is a current tensor; false after a message, or if that is unknown. */
bool has_current(Lower *l, Frame *f, const Call *call);
/* Appends a node; returns NULL after messages, or if an operand is NULL. */
Node *add_node(Lower *l, const Frame *f, Op op, Node *const *in, int n_in, const Attrs *attrs,
               const char *path, const Place *place);
/* The tensor as f32: itself, or a cast of it if it is u8. */
Node *as_float(Lower *l, Frame *f, Node *node, const Place *place);

/* The declaration of that name, or NULL (lower_include.c). */
const Decl *declared(const Lower *l, DeclKind kind, const char *name);

/* lower_default.c */
void lower_default(Lower *l, Frame *f, const Stmt *s);
/* The defaults that the declaration's own file has before it. */
const Default *file_defaults(Lower *l, const Decl *decl);
/* The default of an attribute that holds here, or NULL. */
const Default *default_of(const Frame *f, const AttrRow *row);
/* Notes, after an error about a call, which of its attributes are defaults and where those are. */
void note_defaults(Lower *l, const Frame *f, Op op, const Call *call);

/* lower_results.c: an operator with several results, which `n` labels name. */
void lower_results(Lower *l, Frame *f, const Call *call, const Name *labels, int n);

/* lower_again.c: `again NAME`, a call or stage expanded once more with the same parameters. */
#define AGAIN "again"
void lower_again(Lower *l, Frame *f, const Call *call, Name label);
/* Records what was expanded, the network's nodes from `first` on, for its label. */
const Reuse *reuse_of(Lower *l, const Frame *f, const Call *call, const Stmt *stage,
                      const char *path, int first);
/* Sets *like to the layer whose parameters the one at `path` shares, or to NULL if it has its own.
 * Returns false after a message. */
bool find_like(Lower *l, const Frame *f, Op op, const Attrs *attrs, const char *path,
               const Place *place, const Node **like);

/* lower_join.c */
void lower_arm(Lower *l, Frame *f, const Stmt *s);
/* Returns false after a message if arms wait for a join and what is at `loc` is not one. */
bool arms_joined(Lower *l, Frame *f, Loc loc);
/* Finds the operands of a join; returns false after a message. */
bool join_operands(Lower *l, Frame *f, const Call *call, Op op, Point **points, int *n);

/* lower_constant.c: whether a call of a join computes with a number, and the attributes of the
 * `affine` that it is then; false after a message. */
bool is_constant_call(const Frame *f, const Call *call, Op op);
bool constant_attrs(Lower *l, Frame *f, const Call *call, Op op, Attrs *attrs);

/* lower_args.c: sets the attributes of an operator; `in` is its operand's type, or NULL while that
 * is unknown.  Returns false after messages. */
bool lower_attrs(Lower *l, Frame *f, Op op, const Call *call, const Type *in, Attrs *attrs);
/* Evaluates the attributes that `call` gives and checks them as far as possible without an
 * operand.  For each attribute i of the operator's row, given[i] is the expression of values[i],
 * or NULL.  Returns false after messages. */
bool lower_attr_values(Lower *l, Frame *f, Op op, const Call *call, const Expr **given,
                       Value *values);

/* lower_port.c */
void lower_input(Lower *l, Frame *f, const Stmt *s);
void lower_output(Lower *l, Frame *f, const Stmt *s);
void lower_tap(Lower *l, Frame *f, const Stmt *s);
/* Makes l->batch the part of one rank. */
void lower_part_of_batch(Lower *l);
void lower_batch(Lower *l, Frame *f, const Stmt *s);
/* Applies --tap and --labels, and checks that the interface is complete. */
void finish_ports(Lower *l, Frame *f, const Decl *net);
/* The tensor with this path, or with the only path that ends with this name; `option` is what
 * messages call it.  NULL after a message. */
const Node *lower_tapped(Lower *l, const char *option, const char *tap);

/* ---- --end (lower_end.c) ---- */

/* Ends the net where --end says: that is its first output, the others are those of --tap, the
 * outputs from `taps` on, and what they do not need is gone. */
void lower_end(Lower *l, Frame *f, int taps);

/* lower_train.c: whether the main file has a training. */
bool has_training(const Lower *l, int file);
/* The last training of the main file.  Sets *network to the net it names, or to
 * NULL, and *vars to what the arguments of that call may refer to.  Returns NULL after messages. */
const struct Train *lower_train(Lower *l, int file, const Call **network, const Var **vars);
/* lower_range.c: reads what an input of this element type says of its numbers: range, typical,
 * specials.  Returns false after messages. */
bool lower_range(Lower *l, Frame *f, const Stmt *s, Elem elem, Range *range);

/* lower_naming.c: sets Param.alias of every parameter. */
void name_parameters(Lower *l);

#endif
