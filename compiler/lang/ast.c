/* ast.c: building the syntax tree. */
#include "lang/ast.h"

/* ---- building ---- */

Expr *expr_new(Arena *arena, ExprKind kind, Loc loc)
{
    Expr *e = NEW(arena, Expr);
    e->kind = kind;
    e->loc = loc;
    e->depth = 1;
    return e;
}

Expr *expr_int(Arena *arena, int64_t integer, Loc loc)
{
    Expr *e = expr_new(arena, EXPR_INT, loc);
    e->integer = integer;
    return e;
}

Expr *expr_text(Arena *arena, ExprKind kind, Name text)
{
    Expr *e = expr_new(arena, kind, text.loc);
    e->text = text.text;
    return e;
}

static void contain(Expr *e, const Expr *part)
{
    if (part && part->depth >= e->depth)
        e->depth = part->depth + 1;
}

Expr *expr_op(Arena *arena, ExprKind kind, Operator op, Expr *a, Expr *b, Expr *c, Loc loc)
{
    Expr *e = expr_new(arena, kind, loc);
    e->op = op;
    e->a = a;
    e->b = b;
    e->c = c;
    contain(e, a);
    contain(e, b);
    contain(e, c);
    return e;
}

Expr *expr_list(Arena *arena, Exprs items, Loc loc)
{
    Expr *e = expr_new(arena, EXPR_LIST, loc);
    e->items = items;
    for (int i = 0; i < items.n; i++)
        contain(e, items.at[i]);
    return e;
}

Expr *expr_call(Arena *arena, Call *call)
{
    Expr *e = expr_new(arena, EXPR_CALL, call->loc);
    e->call = call;
    for (int i = 0; i < call->args.n; i++)
        contain(e, call->args.at[i].value);
    return e;
}

Expr *expr_case(Arena *arena, Expr *subject, const Cases *rows, Loc loc)
{
    Expr *e = expr_new(arena, EXPR_CASE, loc);
    e->subject = subject;
    e->rows = rows;
    contain(e, subject);
    for (int i = 0; i < rows->n; i++) {
        contain(e, rows->at[i].value);
        for (int k = 0; k < rows->at[i].keys.n; k++)
            contain(e, rows->at[i].keys.at[k]);
    }
    return e;
}

Call *call_new(Arena *arena, Name name, Args args, bool parens, Loc loc)
{
    Call *call = NEW(arena, Call);
    *call = (Call){name, args, parens, loc};
    return call;
}

Stmt *stmt_new(Arena *arena, StmtKind kind, Loc loc)
{
    Stmt *s = NEW(arena, Stmt);
    s->kind = kind;
    s->loc = loc;
    return s;
}
