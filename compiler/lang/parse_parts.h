/* parse_parts.h: a parse under way, and what the grammar's actions call; private to parsing. */
#ifndef RNC_PARSE_PARTS_H
#define RNC_PARSE_PARTS_H

#include "lang/lex.h"

typedef struct Parse {
    Arena *arena;
    Diag *d;
    Lexer lexer;
    Ast *ast;     /* START_FILE */
    Expr *define; /* START_DEFINE */
} Parse;

/* From the begin of the first to the end of the last. */
Loc loc_join(Loc first, Loc last);
/* The expression; after a message a number in its place if it nests too deeply for recursive
 * code. */
Expr *build_shallow(Parse *p, Expr *expr);
/* An operator with one to three operands, which are NULL from the first that it lacks on. */
Expr *build_operation(Parse *p, ExprKind kind, Operator op, Expr *a, Expr *b, Expr *c, Loc loc);
/* The list of two that `3x3` is. */
Expr *build_pair(Parse *p, const int64_t pair[2], Loc loc);
Stmt *build_statement(Parse *p, StmtKind kind, Name name, Loc loc);
void build_body(Stmt *s, Expr *value, Stmts body);
Decl *build_decl(Parse *p, DeclKind kind, Name name, Loc loc);
/* A declaration with parameters and statements; the file's defaults so far are its own. */
Decl *build_bodied(Parse *p, DeclKind kind, Name name, Parameters params, Stmts body);

#endif
