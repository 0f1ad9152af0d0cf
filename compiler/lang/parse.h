/* parse.h: .net text to syntax tree. */
#ifndef RNC_PARSE_H
#define RNC_PARSE_H

#include "base/diag.h"
#include "lang/ast.h"

/* The tree of source file `file` of d->src.  What has syntax errors is left out
 * of it, after messages. */
Ast *parse_file(Arena *arena, int file, Diag *d);

/* The value in `NAME=VALUE`, as -D has it; several with commas make a list.
 * NULL after messages. */
Expr *parse_define(Arena *arena, int file, Diag *d);

#endif
