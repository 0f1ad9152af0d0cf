/* irlex.h: words and values of a network's text form; private to irread.c. */
#ifndef RNC_IRLEX_H
#define RNC_IRLEX_H

#include "base/diag.h"
#include "net/ops.h"

/* Punctuation is its own character. */
typedef enum TokenKind {
    TOKEN_END = 256,
    TOKEN_NEWLINE, /* not reported inside parentheses */
    TOKEN_NAME,
    TOKEN_STRING,
    TOKEN_NUMBER,
    TOKEN_BY, /* the x of 3x3 */
    TOKEN_BAD /* it has been reported */
} TokenKind;

typedef struct Token {
    int kind; /* a TokenKind or a character */
    Loc loc;
    const char *text; /* for a name or string */
    double value;     /* for a number */
} Token;

typedef struct IrLexer {
    Arena *arena;
    Diag *diag;
    int file;
    const char *text;
    int size, at;
    int depth; /* of parentheses */
    Token token;
} IrLexer;

IrLexer irlex_new(Arena *arena, int file, Diag *diag);
/* Moves to the next token; comments count as blanks. */
void irlex_advance(IrLexer *l);
/* Moves past the end of the line that the token is in. */
void irlex_skip_line(IrLexer *l);

/* Reports `message`; returns false. */
bool irlex_fail(IrLexer *l, Loc loc, const char *message);
/* Reports that `what` was expected; returns false. */
bool irlex_unexpected(IrLexer *l, const char *what);
bool irlex_is(const IrLexer *l, int kind);
bool irlex_is_word(const IrLexer *l, const char *word);

/* Each reads what its name says, or reports what was expected and returns false, NULL or a
 * negative number. */
bool irlex_expect(IrLexer *l, int kind, const char *what);
const char *irlex_name(IrLexer *l, const char *what); /* plain or as a string */
bool irlex_real(IrLexer *l, double least, double most, double *value);
bool irlex_int(IrLexer *l, double least, double most, int *value);
int irlex_dims(IrLexer *l, int *dims, int most);      /* [2][3]: how many, up to `most` */
int irlex_word(IrLexer *l, const char *const *words); /* index in a NULL-terminated list */
/* Reads the value of an attribute into its member of Attrs. */
bool irlex_attr(IrLexer *l, const AttrRow *row, void *at);

#endif
