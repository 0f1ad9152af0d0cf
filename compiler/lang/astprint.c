/* astprint.c: the syntax tree as .net text.
 *
 * The text is as it was written except for blanks, comments and lines.  Each statement has its own
 * line, unless it is joined to the one before, and calls have parentheses if they had them.
 * Expressions have no parentheses that precedence makes needless.
 */
#include "lang/ast.h"

#include <stdlib.h>
#include <string.h>

/* ---- printing expressions ---- */

const char *operator_text(Operator op)
{
    static const char *const text[] = {"or", "and", "not", "==", "!=", "<",  "<=", ">",
                                       ">=", "+",   "-",   "*",  "/",  "//", "%",  "-"};
    return text[op];
}

/* How tightly an expression binds; parse.y has the same order. */
static int precedence(const Expr *e)
{
    static const int of_operator[] = {3, 4, 5, 6, 6, 6, 6, 6, 6, 7, 7, 8, 8, 8, 8, 9};
    switch (e->kind) {
    case EXPR_THEN:
        return 1;
    case EXPR_CHOICE:
        return 2;
    case EXPR_UNARY:
    case EXPR_BINARY:
        return of_operator[e->op];
    default:
        return 10;
    }
}

/* Prints an expression, in parentheses if it binds less tightly than `least`. */
static void print_part(Buf *out, const Expr *e, int least)
{
    bool parens = precedence(e) < least;
    if (parens)
        buf_putc(out, '(');
    expr_print(out, e);
    if (parens)
        buf_putc(out, ')');
}

static void print_real(Buf *out, double real)
{
    Buf shortest = buf_new(out->arena);
    buf_real(&shortest, real);
    const char *text = buf_text(&shortest);
    const char *e = strchr(text, 'e');
    if (e) { /* 1e-05 becomes 1e-5, as people write it */
        const char *digits = e + 1 + strspn(e + 1, "+-");
        buf_printf(out, "%.*se%s%s", (int)(e - text), text, e[1] == '-' ? "-" : "",
                   digits + strspn(digits, "0"));
        return;
    }
    buf_puts(out, text);
    if (!strchr(text, '.'))
        buf_puts(out, ".0");
}

static void print_items(Buf *out, const Exprs *items)
{
    for (int i = 0; i < items->n; i++) {
        buf_puts(out, i ? ", " : "");
        expr_print(out, items->at[i]);
    }
}

/* Prints arguments with blanks between them.  A value that begins with a sign, or with the word
 * that repeats, is put in parentheses. */
static void print_words(Buf *out, const Args *args)
{
    for (int i = 0; i < args->n; i++) {
        const Arg *arg = &args->at[i];
        buf_putc(out, ' ');
        if (arg->name.text)
            buf_printf(out, "%s=", arg->name.text);
        size_t begin = out->n;
        expr_print(out, arg->value);
        if (arg->end) {
            buf_puts(out, "..");
            expr_print(out, arg->end);
        }
        const char *value = out->text + begin;
        bool sign = value[0] == '-' || (value[0] == 'x' && (value[1] == ' ' || !value[1]));
        if (arg->name.text || !sign)
            continue;
        const char *copy = arena_strdup(out->arena, value);
        out->n = begin;
        buf_printf(out, "(%s)", copy);
    }
}

static void print_call(Buf *out, const Call *call)
{
    buf_puts(out, call->name.text);
    if (!call->parens) {
        print_words(out, &call->args);
        return;
    }
    buf_putc(out, '(');
    for (int i = 0; i < call->args.n; i++) {
        const Arg *arg = &call->args.at[i];
        buf_puts(out, i ? ", " : "");
        if (arg->name.text)
            buf_printf(out, "%s = ", arg->name.text);
        expr_print(out, arg->value);
    }
    buf_putc(out, ')');
}

/* Prints a case on one line: `case n { 1, 2 -> a ; else -> b }`. */
static void print_case(Buf *out, const Expr *e)
{
    buf_puts(out, "case ");
    expr_print(out, e->subject);
    buf_puts(out, " { ");
    for (int i = 0; i < e->rows->n; i++) {
        const Case *row = &e->rows->at[i];
        buf_puts(out, i ? " ; " : "");
        print_items(out, &row->keys);
        buf_puts(out, row->keys.n ? " -> " : "else -> ");
        expr_print(out, row->value);
    }
    buf_puts(out, e->rows->n ? " }" : "}");
}

static void print_operation(Buf *out, const Expr *e)
{
    int level = precedence(e);
    switch (e->kind) {
    case EXPR_UNARY:
        buf_puts(out, e->op == OPERATOR_NOT ? "not " : "-");
        print_part(out, e->a, level);
        break;
    case EXPR_BINARY: {
        if (e->op == OPERATOR_DIV && e->a->kind == EXPR_INT && e->b->kind == EXPR_INT) {
            buf_printf(out, "%lld/%lld", (long long)e->a->integer, (long long)e->b->integer);
            break; /* 1/255 is a number to people */
        }
        bool compares = e->op >= OPERATOR_EQ && e->op <= OPERATOR_GE; /* no chains of these */
        print_part(out, e->a, level + compares);
        buf_printf(out, " %s ", operator_text(e->op));
        print_part(out, e->b, level + 1);
        break;
    }
    case EXPR_CHOICE:
        print_part(out, e->a, level + 1);
        buf_puts(out, " ? ");
        print_part(out, e->b, level);
        buf_puts(out, " : ");
        print_part(out, e->c, level);
        break;
    default:
        print_part(out, e->a, level + 1);
        buf_puts(out, " then ");
        print_part(out, e->b, level);
        break;
    }
}

void expr_print(Buf *out, const Expr *e)
{
    switch (e->kind) {
    case EXPR_INT:
        buf_printf(out, "%lld", (long long)e->integer);
        break;
    case EXPR_REAL:
        print_real(out, e->real);
        break;
    case EXPR_BOOL:
        buf_puts(out, e->truth ? "true" : "false");
        break;
    case EXPR_STRING:
        buf_quoted(out, e->text);
        break;
    case EXPR_NAME:
        buf_puts(out, e->text);
        break;
    case EXPR_LIST:
        if (e->pair) {
            buf_printf(out, "%lldx%lld", (long long)e->items.at[0]->integer,
                       (long long)e->items.at[1]->integer);
            break;
        }
        buf_putc(out, '(');
        print_items(out, &e->items);
        buf_puts(out, e->items.n == 1 ? ",)" : ")");
        break;
    case EXPR_CALL:
        print_call(out, e->call);
        break;
    case EXPR_CASE:
        print_case(out, e);
        break;
    case EXPR_INDEX:
        print_part(out, e->a, precedence(e));
        buf_putc(out, '[');
        expr_print(out, e->b);
        buf_putc(out, ']');
        break;
    default:
        print_operation(out, e);
        break;
    }
}

/* ---- printing statements ---- */

static void print_stmts(Buf *out, const Stmts *stmts, int indent);

/* Prints a statement and those that are joined to it; returns the number of the next one. */
static int print_line(Buf *out, const Stmts *stmts, int i, int indent);

static void print_body(Buf *out, const Stmts *body, bool flat, int indent)
{
    if (!body->n) {
        buf_puts(out, "{ }");
        return;
    }
    if (flat) {
        buf_puts(out, "{ ");
        print_line(out, body, 0, indent);
        buf_puts(out, " }");
        return;
    }
    buf_puts(out, "{\n");
    print_stmts(out, body, indent + 1);
    buf_printf(out, "%*s}", 2 * indent, "");
}

static void print_loop(Buf *out, const Stmt *s, int indent)
{
    if (s->kind == STMT_REPEAT) {
        expr_print(out, s->value);
        buf_puts(out, " x ");
        if (s->call) {
            print_call(out, s->call);
            return;
        }
    } else {
        buf_printf(out, "for %s in ", s->name.text);
        expr_print(out, s->value);
        if (s->end) {
            buf_puts(out, "..");
            expr_print(out, s->end);
        }
        buf_putc(out, ' ');
    }
    print_body(out, &s->body, s->flat, indent);
}

static void print_if(Buf *out, const Stmt *s, int indent)
{
    for (;;) {
        buf_puts(out, "if ");
        expr_print(out, s->value);
        buf_putc(out, ' ');
        print_body(out, &s->body, s->flat, indent);
        if (!s->other.n)
            return;
        buf_puts(out, " else ");
        if (s->other.n != 1 || s->other.at[0]->kind != STMT_IF) {
            print_body(out, &s->other, s->flat, indent);
            return;
        }
        s = s->other.at[0];
    }
}

static void print_port(Buf *out, const Stmt *s)
{
    buf_printf(out, "%s %s", s->kind == STMT_INPUT ? "input" : "output", s->name.text);
    if (s->kind == STMT_INPUT) {
        buf_putc(out, '[');
        print_items(out, &s->dims);
        buf_putc(out, ']');
    }
    print_words(out, &s->args);
}

static void print_stmt(Buf *out, const Stmt *s, int indent)
{
    switch (s->kind) {
    case STMT_CALL:
        if (s->name.text)
            buf_printf(out, "%s: ", s->name.text);
        for (int i = 0; i < s->names.n; i++)
            buf_printf(out, "%s%s", s->names.at[i].text, i < s->names.n - 1 ? ", " : ": ");
        print_call(out, s->call);
        break;
    case STMT_ARM:
    case STMT_STAGE:
        buf_printf(out, "%s%s ", s->kind == STMT_STAGE ? "stage " : "", s->name.text);
        print_body(out, &s->body, s->flat, indent);
        break;
    case STMT_REPEAT:
    case STMT_FOR:
        print_loop(out, s, indent);
        break;
    case STMT_IF:
        print_if(out, s, indent);
        break;
    case STMT_LET:
        buf_printf(out, "let %s = ", s->name.text);
        expr_print(out, s->value);
        break;
    case STMT_DEFAULT:
        buf_puts(out, "default ");
        print_call(out, s->call);
        break;
    case STMT_INPUT:
    case STMT_OUTPUT:
        print_port(out, s);
        break;
    case STMT_TAP:
        buf_printf(out, s->name.text ? "tap %s" : "tap", s->name.text);
        break;
    case STMT_BATCH:
        buf_puts(out, "batch ");
        expr_print(out, s->value);
        break;
    case STMT_USE:
        buf_printf(out, "use naming %s", s->name.text);
        break;
    case STMT_FROM:
        buf_printf(out, "from %s", s->name.text);
        break;
    }
}

static int print_line(Buf *out, const Stmts *stmts, int i, int indent)
{
    print_stmt(out, stmts->at[i++], indent);
    while (i < stmts->n && stmts->at[i]->joined) {
        buf_puts(out, " ; ");
        print_stmt(out, stmts->at[i++], indent);
    }
    return i;
}

static void print_stmts(Buf *out, const Stmts *stmts, int indent)
{
    for (int i = 0; i < stmts->n;) {
        if (stmts->at[i]->gap)
            buf_putc(out, '\n');
        buf_printf(out, "%*s", 2 * indent, "");
        i = print_line(out, stmts, i, indent);
        buf_putc(out, '\n');
    }
}

/* ---- printing declarations ---- */

static void print_parameters(Buf *out, const Parameters *params)
{
    for (int i = 0; i < params->n; i++) {
        const Parameter *p = &params->at[i];
        buf_printf(out, "%s%s", i ? ", " : "(", p->name.text);
        if (p->type.text)
            buf_printf(out, ": %s", p->type.text);
        if (p->value) {
            buf_puts(out, " = ");
            expr_print(out, p->value);
        }
    }
    buf_puts(out, params->n ? ") " : " ");
}

static void print_naming(Buf *out, const Decl *decl)
{
    buf_printf(out, "naming %s {\n", decl->name.text);
    for (int i = 0; i < decl->rows.n; i++) {
        const NamingRow *row = &decl->rows.at[i];
        buf_puts(out, "  ");
        if (row->include.text) {
            buf_printf(out, "include %s\n", row->include.text);
            continue;
        }
        if (row->op.text)
            buf_printf(out, "%s.%s%s", row->op.text, row->role.text, row->pattern.text ? " " : "");
        if (row->pattern.text)
            buf_quoted(out, row->pattern.text);
        buf_puts(out, " -> ");
        buf_quoted(out, row->to.text);
        buf_printf(out, "%s%s\n", row->axes.text ? " " : "", row->axes.text ? row->axes.text : "");
    }
    buf_puts(out, "}\n");
}

static void print_decl(Buf *out, const Decl *decl)
{
    switch (decl->kind) {
    case DECL_INCLUDE:
        buf_puts(out, "include ");
        buf_quoted(out, decl->name.text);
        buf_putc(out, '\n');
        break;
    case DECL_DEFAULT:
        buf_puts(out, "default ");
        print_call(out, decl->base);
        buf_putc(out, '\n');
        break;
    case DECL_NAMING:
        print_naming(out, decl);
        break;
    case DECL_BLOCK:
    case DECL_NET:
    case DECL_TRAIN:
        buf_printf(out, "%s %s",
                   decl->kind == DECL_NET     ? "net"
                   : decl->kind == DECL_TRAIN ? "train"
                                              : "block",
                   decl->name.text);
        if (decl->base) {
            buf_puts(out, " = ");
            print_call(out, decl->base);
        } else {
            print_parameters(out, &decl->params);
            print_body(out, &decl->body, false, 0);
        }
        buf_putc(out, '\n');
        break;
    }
}

void ast_print(Buf *out, const Ast *ast)
{
    if (ast->version)
        buf_printf(out, "rnc %d\n%s", ast->version, ast->decls.n ? "\n" : "");
    for (int i = 0; i < ast->decls.n; i++) {
        DeclKind kind = ast->decls.at[i]->kind;
        bool short_one = kind == DECL_INCLUDE || kind == DECL_DEFAULT;
        if (i && !(short_one && ast->decls.at[i - 1]->kind == kind))
            buf_putc(out, '\n');
        print_decl(out, ast->decls.at[i]);
    }
}
