/* write_layer.c: a layer as a call with its attributes, and other small pieces of a tree. */
#include "import/write_parts.h"
#include "lang/lex.h"

#include <ctype.h>
#include <math.h>
#include <string.h>

/* ---- expressions ---- */

Expr *write_int(Arena *arena, int64_t value)
{
    return expr_int(arena, value, NO_LOC);
}

Expr *write_name(Arena *arena, const char *text)
{
    return expr_text(arena, EXPR_NAME, (Name){text, NO_LOC});
}

/* 1/255 rather than 0.00392156862745098, and 3 rather than 3.0, where an integer is as good. */
Expr *write_real(Arena *arena, double value)
{
    const double inverse = round(1 / value);
    if (value == round(value) && fabs(value) < 1e6)
        return write_int(arena, (int64_t)value);
    if (inverse > 1 && inverse < 1e4 && 1 / inverse == value && value * 1e6 != round(value * 1e6))
        return expr_op(arena, EXPR_BINARY, OPERATOR_DIV, write_int(arena, 1),
                       write_int(arena, (int64_t)inverse), NULL, NO_LOC);
    Expr *e = expr_new(arena, EXPR_REAL, NO_LOC);
    e->real = value;
    return e;
}

Expr *write_bool(Arena *arena, bool value)
{
    Expr *e = expr_new(arena, EXPR_BOOL, NO_LOC);
    e->truth = value;
    return e;
}

Expr *write_binary(Arena *arena, Operator op, Expr *a, Expr *b)
{
    return expr_op(arena, EXPR_BINARY, op, a, b, NULL, NO_LOC);
}

static Expr *write_ints(Arena *arena, const int *at, int n)
{
    Exprs items = {0};
    for (int i = 0; i < n; i++)
        VEC_PUSH(arena, &items, write_int(arena, at[i]));
    return expr_list(arena, items, NO_LOC);
}

/* A kernel is 3x3; another pair is one number if it can be, else (2, 1). */
static Expr *write_pair(Arena *arena, const AttrRow *row, const int *at)
{
    const bool kernel = str_eq(row->word, "kernel");
    if (!kernel && at[0] == at[1])
        return write_int(arena, at[0]);
    Expr *e = write_ints(arena, at, 2);
    e->pair = kernel;
    return e;
}

static Expr *write_padding(Arena *arena, const int *p)
{
    if (p[0] != p[2] || p[1] != p[3])
        return write_ints(arena, p, 4);
    return p[0] == p[1] ? write_int(arena, p[0]) : write_ints(arena, p, 2);
}

static Expr *write_reals(Arena *arena, Reals reals)
{
    Exprs items = {0};
    for (int i = 0; i < reals.n; i++)
        VEC_PUSH(arena, &items, write_real(arena, reals.at[i]));
    return reals.n == 1 ? items.at[0] : expr_list(arena, items, NO_LOC);
}

Expr *write_value(Arena *arena, const AttrRow *row, const void *at)
{
    switch (row->kind) {
    case ATTR_INT:
        return write_int(arena, *(const int *)at);
    case ATTR_PAIR:
        return write_pair(arena, row, at);
    case ATTR_PADDING:
        return write_padding(arena, at);
    case ATTR_REAL:
        return write_real(arena, *(const double *)at);
    case ATTR_REALS:
        return write_reals(arena, *(const Reals *)at);
    case ATTR_WORDS:
        return write_name(arena, row->words[*(const int *)at]);
    case ATTR_BOOL:
        break;
    }
    return write_bool(arena, *(const bool *)at);
}

/* ---- calls ---- */

void write_arg(Arena *arena, Call *call, const char *name, Expr *value)
{
    const Arg arg = {{name, NO_LOC}, value, NULL};
    VEC_PUSH(arena, &call->args, arg);
}

Call *write_new_call(Arena *arena, const char *name)
{
    return call_new(arena, (Name){name, NO_LOC}, (Args){0}, false, NO_LOC);
}

bool write_is_half(const Node *node)
{
    const Attrs *a = &node->attrs;
    for (int axis = 0; axis < 2; axis++) {
        const int dilation = op_attr(node->op, "dilation") ? a->dilation[axis] : 1;
        const int both = dilation * (a->kernel[axis] - 1);
        if (a->kernel[axis] % 2 == 0 || 2 * a->padding[axis] != both ||
            2 * a->padding[axis + 2] != both)
            return false;
    }
    return true;
}

bool write_is_same(const Node *node)
{
    const Attrs *a = &node->attrs;
    const int in[2] = {node->in[0]->type.h, node->in[0]->type.w};
    if (node->op == OP_CONV_TRANSPOSE) /* whose `same` is another one */
        return false;
    for (int axis = 0; axis < 2; axis++) {
        const int64_t dilation = op_attr(node->op, "dilation") ? a->dilation[axis] : 1;
        const int64_t out = ((int64_t)in[axis] + a->stride[axis] - 1) / a->stride[axis];
        int64_t all = (out - 1) * a->stride[axis] + dilation * (a->kernel[axis] - 1) + 1 - in[axis];
        all = all < 0 ? 0 : all;
        if (a->padding[axis] != all / 2 || a->padding[axis + 2] != all - all / 2)
            return false;
    }
    return true;
}

bool write_is_global(const Node *node)
{
    const Attrs *a = &node->attrs;
    const int *p = a->padding;
    return (node->op == OP_AVGPOOL || node->op == OP_MAXPOOL) &&
           a->kernel[0] == node->in[0]->type.h && a->kernel[1] == node->in[0]->type.w && !p[0] &&
           !p[1] && !p[2] && !p[3] && a->stride[0] == 1 && a->stride[1] == 1;
}

/* ---- statements ---- */

Stmt *write_call(Arena *arena, const char *label, Call *call)
{
    Stmt *s = stmt_new(arena, STMT_CALL, NO_LOC);
    s->name.text = label;
    s->call = call;
    return s;
}

Stmt *write_from(Arena *arena, const char *label)
{
    Stmt *s = stmt_new(arena, STMT_FROM, NO_LOC);
    s->name.text = label;
    return s;
}

static void port_arg(Arena *arena, Stmt *s, const char *name, Expr *value, Expr *end)
{
    const Arg arg = {{name, NO_LOC}, value, end};
    VEC_PUSH(arena, &s->args, arg);
}

static void write_range(Arena *arena, Stmt *s, const Range *r)
{
    if (r->given && !isfinite(r->low))
        port_arg(arena, s, "range", write_name(arena, "any"), NULL);
    else if (r->given)
        port_arg(arena, s, "range", write_real(arena, r->low), write_real(arena, r->high));
    if (r->given)
        port_arg(arena, s, "typical", write_real(arena, r->typical), NULL);
    if (!r->nan && !r->inf)
        return;
    Exprs words = {0};
    if (r->nan)
        VEC_PUSH(arena, &words, write_name(arena, "nan"));
    if (r->inf)
        VEC_PUSH(arena, &words, write_name(arena, "inf"));
    port_arg(arena, s, "specials", words.n == 1 ? words.at[0] : expr_list(arena, words, NO_LOC),
             NULL);
}

const char *write_port_name(Arena *arena, const Port *port)
{
    char *name = arena_strdup(arena, port->name);
    for (char *c = name; *c; c++)
        *c = isalnum((unsigned char)*c) ? *c : '_';
    return name;
}

Stmt *write_input(Arena *arena, const Port *port)
{
    Stmt *s = stmt_new(arena, STMT_INPUT, NO_LOC);
    const Type t = port->node->type;
    s->name.text = write_port_name(arena, port);
    VEC_PUSH(arena, &s->dims, write_int(arena, t.c));
    if (t.h > 1 || t.w > 1) {
        VEC_PUSH(arena, &s->dims, write_int(arena, t.h));
        VEC_PUSH(arena, &s->dims, write_int(arena, t.w));
    }
    if (port->elem != ELEM_F32)
        port_arg(arena, s, "type", write_name(arena, elem_name(port->elem)), NULL);
    if (port->order == ORDER_NHWC)
        port_arg(arena, s, "order", write_name(arena, "nhwc"), NULL);
    write_range(arena, s, &port->range);
    return s;
}

Stmt *write_output(Arena *arena, const Port *port)
{
    Stmt *s = stmt_new(arena, STMT_OUTPUT, NO_LOC);
    s->name.text = write_port_name(arena, port);
    if (port->order == ORDER_NHWC)
        port_arg(arena, s, "order", write_name(arena, "nhwc"), NULL);
    return s;
}

const char *write_new_word(Arena *arena, NameTable *used, const char *name)
{
    const char *word = write_word(arena, name), *free_word = word;
    for (int i = 2; !table_add(used, free_word, NO_LOC); i++)
        free_word = arena_printf(arena, "%s_%d", word, i);
    return free_word;
}

/* Whether layers and arms have such names by themselves: "conv2", "main". */
static bool is_automatic(Arena *arena, const char *word)
{
    static const char *const arms[] = {"main", "shortcut", "gate", "old", "new", "arm"};
    size_t n = strlen(word);
    while (n && isdigit((unsigned char)word[n - 1]))
        n--;
    const char *stem = arena_strndup(arena, word, n);
    bool is = op_named(stem) != OP_COUNT && word[n];
    for (size_t i = 0; i < sizeof arms / sizeof *arms; i++)
        is = is || str_eq(stem, arms[i]);
    return is;
}

const char *write_word(Arena *arena, const char *name)
{
    static const char *const taken[] = {"channels", "height", "width", "index", "x"};
    char *word = arena_printf(arena, "%s%s", isdigit((unsigned char)*name) ? "_" : "", name);
    for (char *c = word; *c; c++)
        *c = isalnum((unsigned char)*c) ? *c : '_';
    bool bad = !*word || lex_reserved(word) || is_automatic(arena, word);
    for (size_t i = 0; i < sizeof taken / sizeof *taken; i++)
        bad = bad || str_eq(word, taken[i]);
    return bad ? arena_printf(arena, "%s_", word) : word;
}
