/* lex.h: characters to tokens; private to lex.l, tokens.c, syntax.c and parse.y.
 *
 * Around the flex scanner (lex.l), a second layer (tokens.c) decides what a token means at its
 * place.  A newline ends a statement (token END) unless the statement cannot end there: the
 * grammar sees an END after every statement, before every `}` and at the end of the file, whether
 * it was written or not.  A keyword is a name wherever it cannot have its meaning, so `input x[3,
 * 8, 8]` and `from input` are fine.  The braces of a `case` are separate tokens, because a `case`
 * is part of an expression, which may continue after its `}`.
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
    Names names;
    Call *call;
    Stmt *stmt;
    Stmts stmts;
    Decl *decl;
    Parameter param;
    Parameters params;
    NamingRow row;
    NamingRows rows;
    Case one_case;
    Cases *cases;
} Symbol;

typedef struct Token {
    int kind;
    Symbol value;
    Loc loc;
} Token;

/* These pass between the two layers and are not tokens of the grammar. */
enum { LEX_NEWLINE = -3, LEX_NO_TOKEN = -4 };

/* What is known about the current statement. */
typedef struct Statement {
    Token head;    /* its first token */
    int parens;    /* open ( and [ */
    int cases;     /* `case` that wait for their { */
    bool words;    /* two values in a row or a `=` were read: it is a call, not an expression */
    bool repeated; /* `N x` was read */
} Statement;

/* An open bracket.  The brace of a `case` saves the state of the statement around it. */
typedef struct Bracket {
    Loc loc;
    bool brace, of_case;
    Statement outer;
} Bracket;

typedef struct Lexer {
    Arena *arena;
    Diag *diag;
    void *scanner; /* flex's */
    int file;
    int at;             /* bytes scanned */
    Token first;        /* which start symbol of the grammar; passed before the text */
    bool define;        /* the text is a -D option, which has no keywords of statements */
    Token pending;      /* read ahead; kind < 0: none */
    Token last, before; /* the token that was returned last, and the one before it */
    Statement now;
    VEC(Bracket) open;
    bool skip; /* after a syntax error: skip to the end of the statement */
    int skip_braces;
} Lexer;

/* `start`: START_FILE or START_DEFINE. */
void lex_open(Lexer *lexer, Arena *arena, int file, int start, Diag *d);
/* Returns the next token for the grammar. */
int lex_next(Lexer *lexer, Symbol *value, Loc *loc);
/* Must be called after a syntax error at the last token: skips the rest of its statement. */
void lex_recover(Lexer *lexer);

/* lex.l: returns the scanner's own tokens, including LEX_NEWLINE; every word is a NAME. */
void lex_scanner(Lexer *lexer);
Token lex_scan(Lexer *lexer);

/* syntax.c: gives the message for a syntax error at the last token, which the grammar calls
 * `found`, where it would accept any of `expected`. */
void syntax_error(Lexer *lexer, const char *found, const char *const *expected, int n);

/* Warns that `names NAME` is the older form of `use naming NAME`, as which it is read. */
void syntax_old_naming(Diag *d, Name name, Loc loc);

/* The following refuse what the grammar would accept. */
enum { LANGUAGE_VERSION = 1 };
void syntax_version(Diag *d, int64_t version, Loc loc);
/* Refuses `3 x conv 3x3 16 ; relu`, which looks as if both were repeated; `end` is the `;`. */
void syntax_repeat(Diag *d, const Stmt *s, Loc end);

/* The i-th keyword, or NULL at the end of the list. */
const char *lex_word(int i);
/* Whether the word can never be used as a name. */
bool lex_reserved(const char *word);

#endif
