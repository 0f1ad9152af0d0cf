/* build.c: what the grammar's actions call to build the syntax tree (parse.y). */
#include "lang/parse_parts.h"

Loc loc_join(Loc first, Loc last)
{
    return (Loc){first.file, first.begin, last.end};
}

/* The expression, unless it nests too deeply for recursive code. */
Expr *build_shallow(Parse *p, Expr *expr)
{
    if (expr->depth <= EXPR_DEEPEST)
        return expr;
    diag_error(p->d, expr->loc, "the expression nests more than %d deep", EXPR_DEEPEST);
    diag_note(p->d, expr->loc, "`let` can give a name to a part of it");
    return expr_int(p->arena, 1, expr->loc);
}

Expr *build_operation(Parse *p, ExprKind kind, Operator op, Expr *a, Expr *b, Expr *c, Loc loc)
{
    return build_shallow(p, expr_op(p->arena, kind, op, a, b, c, loc));
}

Expr *build_pair(Parse *p, const int64_t pair[2], Loc loc)
{
    Exprs items = {0};
    VEC_PUSH(p->arena, &items, expr_int(p->arena, pair[0], loc));
    VEC_PUSH(p->arena, &items, expr_int(p->arena, pair[1], loc));
    Expr *e = expr_list(p->arena, items, loc);
    e->pair = true;
    return e;
}

Stmt *build_statement(Parse *p, StmtKind kind, Name name, Loc loc)
{
    Stmt *s = stmt_new(p->arena, kind, loc);
    s->name = name;
    return s;
}

void build_body(Stmt *s, Expr *value, Stmts body)
{
    s->value = value;
    s->body = body;
}

Decl *build_decl(Parse *p, DeclKind kind, Name name, Loc loc)
{
    Decl *decl = NEW(p->arena, Decl);
    decl->kind = kind;
    decl->name = name;
    decl->loc = loc;
    return decl;
}

Decl *build_bodied(Parse *p, DeclKind kind, Name name, Parameters params, Stmts body)
{
    Decl *decl = build_decl(p, kind, name, name.loc);
    decl->params = params;
    decl->body = body;
    decl->defaults = p->ast->defaults;
    return decl;
}
