/* format_parts.h: a text as rows of tokens; private to format*.c. */
#ifndef RNC_FORMAT_PARTS_H
#define RNC_FORMAT_PARTS_H

#include "base/arena.h"
#include "lang/lex.h"

enum { INDENT = 2, WIDTH = 100 };

typedef struct Piece {
    const char *text;
    size_t n;
    bool blank; /* one was before it */
    int lead;   /* blanks that are to be before it, unless it begins a line */
} Piece;

/* A line of the text. */
typedef struct Row {
    VEC(Piece) pieces;
    const char *comment; /* "# ...", at its end or alone; or NULL */
    size_t comment_n;
    int comment_lead; /* blanks before it */
    bool gap;         /* an empty line is before it */
    bool in_naming;   /* it is a row of a naming */
    bool inside;      /* it begins in parentheses */
} Row;

typedef struct Open {
    char text;   /* ( { or [ */
    bool naming; /* of a naming */
    int column;
} Open;

typedef struct Format {
    Arena *arena;
    VEC(Row) rows;
    VEC(Open) open;
    const char *head; /* the word that the statement begins with; "" before it */
} Format;

/* Whether the row's piece i is this text. */
bool piece_is(const Row *row, int i, const char *text);
/* Puts what consecutive rows have in common into columns; format_columns.c. */
void format_columns(Format *f);

#endif
