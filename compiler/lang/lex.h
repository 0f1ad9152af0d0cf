/* lex.h: characters to tokens; private to lex.l, tokens.c, syntax.c and parse.y.
 *
 * Around the flex scanner (lex.l) a second layer (tokens.c) decides what a token
 * means where it stands.  A newline ends a statement (token END) unless the
 * statement cannot end there: the grammar sees an END after every statement, before
 * every `}` and at the end of the file, whether it was written or not.  A word of
 * the language is a name wherever it cannot have its meaning, so `input x[3, 8, 8]`
 * and `from input` are fine.  The braces of a `case` are tokens of their own, for a
 * `case` stands in expressions, which go on after its `}`.
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

/* Between the two layers; no tokens of the grammar. */
enum { LEX_NEWLINE = -3, LEX_NO_TOKEN = -4 };

/* What is known of the statement under way. */
typedef struct Statement {
    Token head;    /* its first token */
    int parens;    /* open ( and [ */
    int cases;     /* `case` that wait for their { */
    bool words;    /* two values in a row, or a `=`: a call, no longer an expression */
    bool repeated; /* `N x` was read */
} Statement;

/* An open bracket.  That of a `case` keeps the statement around it. */
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
    Token first;        /* which of the grammar's starts; given before the text */
    bool define;        /* the text is that of -D, and has no words of statements */
    Token pending;      /* read ahead; kind < 0: none */
    Token last, before; /* given last, and the one before it */
    Statement now;
    VEC(Bracket) open;
    bool skip; /* after a syntax error: to the end of the statement */
    int skip_braces;
} Lexer;

/* `start`: START_FILE or START_DEFINE. */
void lex_open(Lexer *lexer, Arena *arena, int file, int start, Diag *d);
/* The next token for the grammar. */
int lex_next(Lexer *lexer, Symbol *value, Loc *loc);
/* After a syntax error at the last token: the rest of its statement is skipped. */
void lex_recover(Lexer *lexer);

/* lex.l: the scanner's own tokens, LEX_NEWLINE among them; every word is a NAME. */
void lex_scanner(Lexer *lexer);
Token lex_scan(Lexer *lexer);

/* syntax.c: the message for a syntax error at the last token, which the grammar
 * calls `found`, where it could take any of `expected`. */
void syntax_error(Lexer *lexer, const char *found, const char *const *expected, int n);

/* What is refused although the grammar takes it. */
enum { LANGUAGE_VERSION = 1 };
void syntax_version(Diag *d, int64_t version, Loc loc);
void syntax_old_naming(Diag *d, Name name, Loc loc);
/* `3 x conv 3x3 16 ; relu` looks as if both were repeated; `end` is the `;`. */
void syntax_repeat(Diag *d, const Stmt *s, Loc end);

/* A word of the language, or NULL at the end of the list. */
const char *lex_word(int i);
/* Whether the word can be no name anywhere. */
bool lex_reserved(const char *word);

#endif
