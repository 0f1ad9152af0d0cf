/* lower_parts.h: what the parts of lowering (lower*.c) share; private to them.
 *
 * A Frame is a place in the network's tree of names: the net, a stage, a block as
 * expanded by one call, an arm.  Statements work on the current tensor of their
 * frame.  After an error the current tensor is unknown: what depends on it is
 * passed over without further messages, and the rest is still checked.
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

/* An attribute's default, as `default` says it. */
typedef struct Default Default;
struct Default {
    const Default *next; /* said before */
    const AttrRow *row;
    Value value;
    const Expr *expr; /* the value as written */
    int number;       /* of those said before, and this one */
};

/* A labelled call or a stage, which `again` can expand a second time: as it was written,
 * what was known there, and the layers that it became. */
typedef struct Reuse {
    const Call *call; /* or NULL: a stage */
    const Stmt *stage;
    const Var *vars;
    const Default *defaults;
    int64_t index;
    const char *path;
    int first, end; /* of the network's nodes */
} Reuse;

/* A name for a tensor, as `from` and joins take it. */
typedef struct Label {
    const char *name;
    Point point;
    const Reuse *reuse; /* what made it, or NULL: an input, a tap */
} Label;

typedef struct Frame Frame;
struct Frame {
    Frame *parent;     /* of the same block or net, or NULL */
    const Decl *decl;  /* the block or net */
    const char *path;  /* "layer2.0.main"; "" for the net */
    const char *title; /* for messages: "stage 'layer2'" */
    bool stage;
    bool again;         /* a stage's second expansion: it reads nothing from outside */
    int ops[OP_COUNT];  /* calls so far, by operator */
    int blocks;         /* calls of blocks so far, for a stage */
    NameTable counters; /* uses of a name so far: blocks, arms */
    VEC(Label) labels;
    NameTable label_names; /* numbers are places in labels, the first one 1 */
    Arms arms;
    Point point;
    const Var *vars;
    const Default *defaults;
    int64_t index; /* of the repetition, or -1 */
    const Place *caller;
};

/* A source file that was read for its declarations. */
typedef struct ReadFile {
    int file;
    Loc included; /* by this include, or NO_LOC */
    uint64_t device, inode;
} ReadFile;

typedef NamingDecls Decls;

/* Layers under the path `path` have the parameters of those under `of`. */
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
    Decls blocks, nets, namings;
    NameTable declared[DECL_DEFAULT]; /* by DeclKind; numbers are places in those, the first 1 */
    NameTable ports;                  /* names of inputs and outputs */
    Net *net;
    NameTable names; /* paths of layers, blocks, stages */
    Name naming;     /* of `use naming`, or none */
    int batch;
    Loc batch_loc;
    VEC(Node *) casts;      /* of u8 tensors, one a tensor */
    const Sharing *sharing; /* while something is expanded again, or NULL */
    int depth, bodies;      /* of nested calls and bodies */
    int64_t steps;
    int64_t paths;                  /* characters of all paths so far */
    const Default **block_defaults; /* [blocks.n], file_defaults() of those that were called */
    bool *has_block_defaults;
    bool listed;  /* the operators and blocks were, in a message */
    bool stopped; /* a limit was passed: give up */
    bool shipped; /* what is read are the namings that ship: those that are known stay */
} Lower;

/* ---- messages (lower_scope.c) ---- */

/* True if the message was given: its notes may follow, the last of them
 * lower_note_callers().  False where something was said at this place before. */
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
/* How often this name was asked for in this frame, now included. */
int frame_count(Lower *l, Frame *f, const char *name);
const char *path_join(Lower *l, const char *path, const char *name);
/* False after a message when the path is taken. */
bool claim_path(Lower *l, const Frame *f, const char *path, Loc loc);
/* The path now names a tensor. */
void set_path(Lower *l, const char *path, const Node *node);
void add_label(Lower *l, Frame *f, const char *name, Point point, const Reuse *reuse);
/* The label of that name in this frame alone, or NULL. */
const Label *label_in(const Frame *f, const char *name);
/* The tensor a label names; unknown after a message. */
Point find_label(Lower *l, const Frame *f, Name name);
/* A variable, of MOST_VARS at most; false after a message when the name has a meaning already. */
bool add_var(Lower *l, const Frame *f, const Var **vars, Name name, Value value);

/* ---- phases, in order ---- */

/* lower_include.c: all declarations of a file and of those it includes. */
void read_declarations(Lower *l, int file);
/* The namings of lib/namings.net as well, but for those whose name is taken. */
void read_shipped_namings(Lower *l);
/* A file's text by the path written at `loc`, looked for as includes are; its
 * number, or -1 after a message ("cannot read `what` ...").  An include that was
 * read before is not read again: *again. */
int read_beside(Lower *l, Name path, const char *what, bool *again);

/* lower_params.c: the values of parameters. */
typedef struct Binding {
    const Decl *decl;
    Value *values; /* [decl->params.n], VALUE_BAD where none was given */
    bool *given;
    Loc *locs;
} Binding;
Binding binding_new(Lower *l, const Decl *decl);
/* The arguments of a call; `env` is where it stands.  False after messages. */
bool bind_args(Lower *l, const Env *env, Binding *b, const Call *call);
/* Defaults, types, what is missing at `loc`; *vars are the parameters then. */
bool bind_finish(Lower *l, const Env *env, Binding *b, Loc loc, const Var **vars);
/* -D; `net` is the name for messages. */
bool bind_defines(Lower *l, Binding *b, const char *net);

/* lower_stmt.c */
void lower_body(Lower *l, Frame *f, const Stmts *body);
/* The end of a frame: arms that nothing joined are an error. */
void close_frame(Lower *l, Frame *f);

/* lower_call.c */
void lower_call(Lower *l, Frame *f, const Call *call, Name label);
/* An operator or a block (OP_COUNT) under the path `path`; no point after messages. */
Point expand_call(Lower *l, Frame *f, const Call *call, Op op, const Decl *block, const char *path);
/* The operator or the block of that name: *op is OP_COUNT for a block, which is returned. */
const Decl *called(const Lower *l, const char *name, Op *op);
/* The operands and attributes of an operator; false when its result is unknown. */
bool prepare_op(Lower *l, Frame *f, const Call *call, Op op, Point **points, int *n, Attrs *attrs);
/* A node behind the others; NULL after messages, or when an operand is NULL. */
Node *add_node(Lower *l, const Frame *f, Op op, Node *const *in, int n_in, const Attrs *attrs,
               const char *path, const Place *place);
/* The tensor as f32: itself, or behind a cast of u8. */
Node *as_float(Lower *l, Frame *f, Node *node, const Place *place);

/* The declaration of that name, or NULL (lower_include.c). */
const Decl *declared(const Lower *l, DeclKind kind, const char *name);

/* lower_default.c */
void lower_default(Lower *l, Frame *f, const Stmt *s);
/* Those that the declaration's own file has before it. */
const Default *file_defaults(Lower *l, const Decl *decl);
/* The one that holds here, or NULL. */
const Default *default_of(const Frame *f, const AttrRow *row);
/* After an error about a call: which of its attributes are defaults, and whose. */
void note_defaults(Lower *l, const Frame *f, Op op, const Call *call);

/* lower_results.c: an operator with several results, which `n` labels name. */
void lower_results(Lower *l, Frame *f, const Call *call, const Name *labels, int n);

/* lower_again.c: `again NAME`, a call or stage expanded once more with the same parameters. */
#define AGAIN "again"
void lower_again(Lower *l, Frame *f, const Call *call, Name label);
/* What was expanded from `first` of the network's nodes on, for its label. */
const Reuse *reuse_of(Lower *l, const Frame *f, const Call *call, const Stmt *stage,
                      const char *path, int first);
/* The layer whose parameters the one at `path` takes: *like, NULL if it has its own.
 * False after a message. */
bool find_like(Lower *l, const Frame *f, Op op, const Attrs *attrs, const char *path,
               const Place *place, const Node **like);

/* lower_join.c */
void lower_arm(Lower *l, Frame *f, const Stmt *s);
/* False after a message when arms wait for a join that `loc` is not. */
bool arms_joined(Lower *l, Frame *f, Loc loc);
/* The operands of a join: *in, *n; false after a message. */
bool join_operands(Lower *l, Frame *f, const Call *call, Op op, Point **points, int *n);

/* lower_args.c: the attributes of an operator; `in` is its operand's type, or
 * NULL while that is unknown.  False after messages. */
bool lower_attrs(Lower *l, Frame *f, Op op, const Call *call, const Type *in, Attrs *attrs);
/* The values of those that `call` has, checked as far as they can be without an
 * operand: given[i] is NULL or the text of values[i], an attribute of the operator's
 * row each.  False after messages. */
bool lower_attr_values(Lower *l, Frame *f, Op op, const Call *call, const Expr **given,
                       Value *values);

/* lower_port.c */
void lower_input(Lower *l, Frame *f, const Stmt *s);
void lower_output(Lower *l, Frame *f, const Stmt *s);
void lower_tap(Lower *l, Frame *f, const Stmt *s);
void lower_batch(Lower *l, Frame *f, const Stmt *s);
/* --tap, --labels, and what an interface must have. */
void finish_ports(Lower *l, Frame *f, const Decl *net);

/* lower_naming.c: Param.alias of every parameter. */
void name_parameters(Lower *l);

#endif
