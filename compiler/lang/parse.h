/* parse.h: .net text to syntax tree. */
#ifndef RNC_PARSE_H
#define RNC_PARSE_H

#include "base/diag.h"
#include "lang/ast.h"

/* Parses source file `file` of d->src.  What has syntax errors is left out of the tree, after
 * messages. */
Ast *parse_file(Arena *arena, int file, Diag *d);

/* Parses the value of -D's `NAME=VALUE`; several values with commas make a list. Returns NULL
 * after messages. */
Expr *parse_define(Arena *arena, int file, Diag *d);

#endif
