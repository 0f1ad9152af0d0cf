/* write_parts.h: what the parts of writing a network share; private to write*.c. */
#ifndef RNC_WRITE_PARTS_H
#define RNC_WRITE_PARTS_H

#include "import/write.h"
#include "lang/ast.h"

/* The call of a layer, with the attributes that differ from their defaults; of a join without its
 * operands.  write_layer.c. */
Call *write_layer(Arena *arena, const Node *node);

/* Small pieces of a tree, without places. */
Expr *write_int(Arena *arena, int64_t value);
Expr *write_real(Arena *arena, double value);
Expr *write_name(Arena *arena, const char *text);
void write_arg(Arena *arena, Call *call, const char *name, Expr *value);
Stmt *write_call(Arena *arena, const char *label, Call *call);
Stmt *write_from(Arena *arena, const char *label);
Stmt *write_input(Arena *arena, const Port *port);
Stmt *write_output(Arena *arena, const Port *port);
/* A tree with the net alone. */
Ast *write_ast(Arena *arena, const char *name, Stmts body);

/* A word that can be a label: `name` with '_' for what cannot be in one, and one at the end if it
 * has a meaning of its own. */
const char *write_word(Arena *arena, const char *name);

/* All layers one after the other; `order` gets the nodes in the order in which they lower. */
Ast *write_flat(Arena *arena, const Net *net, const Node **order);

/* Whether `a`, lowered from a written text, is `b`, whose nodes are in `order`, but for names.
 * write_same.c. */
bool write_same(const Net *a, const Net *b, const Node *const *order, const char **why);

#endif
