/* lex.h: characters to tokens; private to lex.l and parse.y.
 *
 * Around the flex scanner lies a layer that decides what a newline means: it ends
 * a statement (token END) unless the statement cannot end there.  The grammar
 * sees an END behind every statement, before every `}` and at the end of the
 * file, whether it was written or not.
 */
#ifndef RNC_LEX_H
#define RNC_LEX_H

#include "base/diag.h"
#include "lang/ast.h"

/* What the grammar computes with; bison's YYSTYPE. */
typedef union Symbol {
    int64_t integer;
    int64_t pair[2];
    double real;
    const char *text;
    Name name;
    Expr *expr;
    Exprs exprs;
    Arg arg;
    Args args;
    Call *call;
    Stmt *stmt;
    Stmts stmts;
    Decl *decl;
    Parameter param;
    Parameters params;
    NamingRow row;
    NamingRows rows;
    Case one_case;
    Cases cases;
} Symbol;

typedef struct Token {
    int kind;
    Symbol value;
    Loc loc;
} Token;

typedef struct Lexer {
    Arena *arena;
    Diag *diag;
    void *scanner; /* flex's */
    int file;
    int at;             /* bytes scanned */
    Token first;        /* which of the grammar's starts; given before the text */
    Token pending;      /* read ahead; kind < 0: none */
    Token last, before; /* given last, and the one before it */
    Token head;         /* the first of the statement */
    int parens;         /* open ( and [ */
    VEC(Loc) open;      /* where they and the { were opened */
    bool skip;          /* after a syntax error: to the end of the statement */
    int skip_braces;
} Lexer;

/* `start`: START_FILE or START_DEFINE. */
void lex_open(Lexer *lexer, Arena *arena, int file, int start, Diag *d);
/* The next token for the grammar. */
int lex_next(Lexer *lexer, Symbol *value, Loc *loc);
/* After a syntax error at the last token: the rest of its statement is skipped. */
void lex_recover(Lexer *lexer);

/* syntax.c: the message for a syntax error at the last token, which the grammar
 * calls `found`, where it could take any of `expected`. */
void syntax_error(Lexer *lexer, const char *found, const char *const *expected, int n);

/* A reserved word of the language, or NULL at the end of the list. */
const char *lex_word(int i);

#endif
