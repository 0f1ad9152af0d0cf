/* write_defaults.c: `default conv bias=true` for what most calls of a file say. */
#include "import/write_parts.h"

#include <stdlib.h>
#include <string.h>

enum { LEAST_CALLS = 3 };

typedef VEC(Call *) Calls;

static void collect(Arena *arena, const Stmts *stmts, Op op, Calls *calls)
{
    for (int i = 0; i < stmts->n; i++) {
        const Stmt *s = stmts->at[i];
        if (s->call && op_named(s->call->name.text) == op)
            VEC_PUSH(arena, calls, s->call);
        collect(arena, &s->body, op, calls);
        collect(arena, &s->other, op, calls);
    }
}

static int find_arg(const Call *call, const char *word)
{
    for (int i = 0; i < call->args.n; i++) {
        if (call->args.at[i].name.text && str_eq(call->args.at[i].name.text, word))
            return i;
    }
    return -1;
}

static const char *text_of(Arena *arena, const Expr *e)
{
    Buf out = buf_new(arena);
    expr_print(&out, e);
    return buf_text(&out);
}

/* Whether a value means the same wherever it is: a number, a word, no parameter. */
static bool is_plain(const AttrRow *row, const Expr *e)
{
    return e->kind == EXPR_INT || e->kind == EXPR_REAL || e->kind == EXPR_BOOL ||
           (e->kind == EXPR_NAME && (row->kind == ATTR_PADDING || row->kind == ATTR_WORDS));
}

/* The value that most calls give, and how many do. */
static const Expr *commonest(Arena *arena, const Calls *calls, const AttrRow *row, int *most)
{
    const Expr *best = NULL;
    *most = 0;
    for (int i = 0; i < calls->n; i++) {
        const int at = find_arg(calls->at[i], row->word);
        if (at < 0 || !is_plain(row, calls->at[i]->args.at[at].value))
            continue;
        const Expr *e = calls->at[i]->args.at[at].value;
        int n = 0;
        for (int k = 0; k < calls->n; k++) {
            const int other = find_arg(calls->at[k], row->word);
            n += other >= 0 &&
                 str_eq(text_of(arena, e), text_of(arena, calls->at[k]->args.at[other].value));
        }
        if (n > *most) {
            *most = n;
            best = e;
        }
    }
    return best;
}

static Expr *own_default(Arena *arena, const AttrRow *row)
{
    if (row->kind == ATTR_BOOL)
        return write_bool(arena, str_eq(row->def, "true"));
    if (row->kind == ATTR_PADDING || row->kind == ATTR_WORDS)
        return write_name(arena, row->def);
    return write_real(arena, strtod(row->def, NULL));
}

/* Makes the value the default: calls that give it leave it out, those that left it out give the
 * operator's own. */
static void apply(Arena *arena, const Calls *calls, const AttrRow *row, const Expr *value)
{
    for (int i = 0; i < calls->n; i++) {
        Call *call = calls->at[i];
        const int at = find_arg(call, row->word);
        if (at < 0) {
            write_arg(arena, call, row->word, own_default(arena, row));
        } else if (str_eq(text_of(arena, call->args.at[at].value), text_of(arena, value))) {
            memmove(&call->args.at[at], &call->args.at[at + 1],
                    (size_t)(call->args.n - at - 1) * sizeof(Arg));
            call->args.n--;
        }
    }
}

static bool may_have_default(const AttrRow *row)
{
    return row->def && row->position < 0 && !str_eq(row->word, "groups") &&
           !str_eq(row->word, "dilation") && !str_eq(row->word, "seed") &&
           !str_eq(row->word, "draw") && row->kind != ATTR_PAIR && row->kind != ATTR_REALS;
}

void write_defaults(Arena *arena, Ast *ast)
{
    VEC(Decl *) decls = {0};
    for (int op = 0; op < OP_COUNT; op++) {
        const OpRow *row = op_row((Op)op);
        Calls calls = {0};
        Call *made = write_new_call(arena, row->name);
        for (int i = 0; i < ast->decls.n; i++)
            collect(arena, &ast->decls.at[i]->body, (Op)op, &calls);
        for (int i = 0; i < row->n_attrs; i++) {
            int n;
            if (!may_have_default(&row->attrs[i]))
                continue;
            const Expr *value = commonest(arena, &calls, &row->attrs[i], &n);
            if (!value || n < LEAST_CALLS || 2 * n < calls.n + 2)
                continue;
            apply(arena, &calls, &row->attrs[i], value);
            write_arg(arena, made, row->attrs[i].word, (Expr *)value);
        }
        if (made->args.n == 0)
            continue;
        Decl *decl = NEW(arena, Decl);
        *decl = (Decl){.kind = DECL_DEFAULT, .loc = NO_LOC, .base = made};
        VEC_PUSH(arena, &decls, decl);
    }
    for (int i = 0; i < ast->decls.n; i++)
        VEC_PUSH(arena, &decls, ast->decls.at[i]);
    ast->decls.at = decls.at;
    ast->decls.n = decls.n;
    ast->decls.cap = decls.cap;
}
