/* ast.h: the syntax tree, what a .net file says and where.
 *
 * Names are not looked up, expressions are not evaluated and repetitions are not expanded: lower.c
 * does that.  Every piece knows its place.  A tree is allocated in the arena it was parsed into,
 * and nothing changes it afterwards.
 */
#ifndef RNC_AST_H
#define RNC_AST_H

#include "base/arena.h"
#include "base/src.h"
#include "base/str.h"

#include <stdbool.h>
#include <stdint.h>

typedef struct Expr Expr;
typedef struct Stmt Stmt;

/* A word and its place. */
typedef struct Name {
    const char *text; /* NULL: none was written */
    Loc loc;
} Name;

typedef VEC(Name) Names;

/* One argument of a call: a value, with a name or by position. */
typedef struct Arg {
    Name name; /* name.text is NULL for a positional one */
    Expr *value;
    Expr *end; /* name=value..end, which only inputs and outputs can have; else NULL */
} Arg;

typedef VEC(Arg) Args;
typedef VEC(Expr *) Exprs;
typedef VEC(Stmt *) Stmts;

/* OP args, BLOCK args or FUNCTION(args); what kind of name it is becomes known later. */
typedef struct Call {
    Name name;
    Args args;
    bool parens; /* how it was written: NAME(a, b = c) or NAME a b=c */
    Loc loc;     /* the place of the whole call */
} Call;

typedef enum ExprKind {
    EXPR_INT,
    EXPR_REAL,
    EXPR_BOOL,
    EXPR_STRING,
    EXPR_NAME,
    EXPR_LIST,
    EXPR_CALL,
    EXPR_INDEX,  /* a[b] */
    EXPR_UNARY,  /* op a */
    EXPR_BINARY, /* a op b */
    EXPR_CHOICE, /* a ? b : c */
    EXPR_THEN,   /* a then b */
    EXPR_CASE,   /* case subject { rows } */
} ExprKind;

typedef enum Operator {
    OPERATOR_OR,
    OPERATOR_AND,
    OPERATOR_NOT,
    OPERATOR_EQ,
    OPERATOR_NE,
    OPERATOR_LT,
    OPERATOR_LE,
    OPERATOR_GT,
    OPERATOR_GE,
    OPERATOR_ADD,
    OPERATOR_SUB,
    OPERATOR_MUL,
    OPERATOR_DIV,
    OPERATOR_FLOORDIV,
    OPERATOR_MOD,
    OPERATOR_NEG,
} Operator;

/* keys -> value; no keys: else -> value. */
typedef struct Case {
    Exprs keys;
    Expr *value;
    Loc loc;
} Case;

typedef VEC(Case) Cases;

struct Expr {
    ExprKind kind;
    Loc loc;
    int depth; /* levels of expressions from here down, at most EXPR_DEEPEST */
    union {
        int64_t integer;
        double real;
        bool truth;
        const char *text; /* EXPR_STRING, EXPR_NAME */
        struct {
            Exprs items; /* EXPR_LIST */
            bool pair;   /* it was written 3x3 */
        };
        Call *call; /* EXPR_CALL */
        struct {
            Expr *subject; /* EXPR_CASE */
            const Cases *rows;
        };
        struct {
            Operator op;
            Expr *a, *b, *c;
        };
    };
};

/* Code that evaluates or prints trees recursively relies on this limit. */
enum { EXPR_DEEPEST = 400 };

typedef enum StmtKind {
    STMT_CALL,    /* label: call */
    STMT_ARM,     /* name { body } */
    STMT_REPEAT,  /* value x call, or value x { body } */
    STMT_FOR,     /* for name in value..end { body }, or in value (end is NULL) */
    STMT_IF,      /* if value { body } else { other } */
    STMT_LET,     /* let name = value */
    STMT_DEFAULT, /* default call: an operator and attributes by name */
    STMT_STAGE,   /* stage name { body } */
    STMT_INPUT,   /* input name[dims] args */
    STMT_OUTPUT,  /* output name args */
    STMT_TAP,     /* tap name, or tap */
    STMT_BATCH,   /* batch value */
    STMT_USE,     /* use naming name */
    STMT_FROM,    /* from name */
} StmtKind;

struct Stmt {
    StmtKind kind;
    Loc loc;
    Name name;   /* STMT_CALL: the label, if there is one */
    Names names; /* STMT_CALL: labels of several results, in order; then `name` is empty */
    Call *call;
    Expr *value, *end;
    Exprs dims;
    Args args;
    Stmts body, other;
    /* How it is printed, in trees that no parser made: */
    bool joined; /* after a `;`, on the line of the statement before */
    bool gap;    /* an empty line is before it */
    bool flat;   /* its body is on its own line: `stage layer1 { 3 x residual(64) }` */
};

/* A parameter of a block, a net or a training. */
typedef struct Parameter {
    Name name;
    Name type;   /* as written after ':', or none */
    Expr *value; /* default, or NULL: must be given */
} Parameter;

typedef VEC(Parameter) Parameters;

/* pattern -> to; operator.role -> to axes; operator.role pattern -> to axes; or
 * include naming */
typedef struct NamingRow {
    Name pattern;  /* or none */
    Name op, role; /* or none */
    Name to;
    Name axes;    /* or none */
    Name include; /* or none; a row with it has nothing else */
} NamingRow;

typedef VEC(NamingRow) NamingRows;

typedef enum DeclKind {
    DECL_INCLUDE,
    DECL_BLOCK,
    DECL_NET,
    DECL_TRAIN,
    DECL_NAMING,
    DECL_DEFAULT
} DeclKind;

typedef struct Decl {
    DeclKind kind;
    Loc loc;
    Name name; /* DECL_INCLUDE: the path */
    Parameters params;
    Stmts body;
    Call *base; /* net NAME = base(args), without params or body; for DECL_DEFAULT, its call */
    NamingRows rows;
    Stmts defaults; /* the file's defaults before the declaration, which apply in its body */
} Decl;

typedef struct Ast {
    int version; /* version of the language that the file names; 0: it names none */
    VEC(Decl *) decls;
    Stmts defaults; /* the file's STMT_DEFAULTs */
} Ast;

/* ---- building: what parse.y calls ---- */

Expr *expr_new(Arena *arena, ExprKind kind, Loc loc);
Expr *expr_int(Arena *arena, int64_t integer, Loc loc);
Expr *expr_text(Arena *arena, ExprKind kind, Name text);
/* An operator with one to three operands. */
Expr *expr_op(Arena *arena, ExprKind kind, Operator op, Expr *a, Expr *b, Expr *c, Loc loc);
Expr *expr_list(Arena *arena, Exprs items, Loc loc);
Expr *expr_call(Arena *arena, Call *call);
Expr *expr_case(Arena *arena, Expr *subject, const Cases *rows, Loc loc);
Call *call_new(Arena *arena, Name name, Args args, bool parens, Loc loc);
Stmt *stmt_new(Arena *arena, StmtKind kind, Loc loc);

/* ---- printing (astprint.c) ---- */

const char *operator_text(Operator op); /* "//" */
/* Prints the tree as .net text, which parses to an equal tree. */
void ast_print(Buf *out, const Ast *ast);
void expr_print(Buf *out, const Expr *expr);

#endif
