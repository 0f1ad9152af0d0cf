/* format.c: see format.h.
 *
 * It works on the lexer's tokens, not on the syntax tree, so that numbers stay as they are written
 * and nothing is lost.  The result is parsed again and must be the same tree. */
#include "lang/format.h"

#include "lang/format_parts.h"
#include "lang/parse.h"

#include <string.h>

/* ---- reading ---- */

static bool token_is(const Piece *p, const char *text)
{
    return p->n == strlen(text) && memcmp(p->text, text, p->n) == 0;
}

bool piece_is(const Row *row, int i, const char *text)
{
    return i >= 0 && i < row->pieces.n && token_is(&row->pieces.at[i], text);
}

static void end_row(Format *f, Row *row, int *empty)
{
    if (row->pieces.n == 0 && !row->comment) {
        ++*empty;
        return;
    }
    row->gap = *empty > 0 && f->rows.n > 0;
    *empty = 0;
    VEC_PUSH(f->arena, &f->rows, *row);
}

/* The comment between two tokens, without blanks at its end; NULL if there is none. */
static const char *comment_in(const char *text, int begin, int end, size_t *n)
{
    const char *at = memchr(text + begin, '#', (size_t)(end - begin));
    if (!at)
        return NULL;
    *n = (size_t)(text + end - at);
    while (*n && strchr(" \t\r\n", at[*n - 1]) && at[*n - 1])
        --*n;
    return at;
}

static void read_rows(Format *f, int file, Diag *d)
{
    const SrcFile *src = src_file(d->src, file);
    Lexer lexer;
    Row row = {0};
    int empty = 0, at = 0;
    lex_open(&lexer, f->arena, file, 0, d);
    for (;;) {
        const Token t = lex_scan(&lexer);
        const bool end = t.kind <= 0 && t.kind != LEX_NEWLINE;
        const int begin = end ? (int)src->size : t.loc.begin;
        size_t n;
        const char *comment = comment_in(src->text, at, begin, &n);
        if (comment) {
            row.comment = comment;
            row.comment_n = n;
        }
        if (end || t.kind == LEX_NEWLINE) {
            end_row(f, &row, &empty);
            row = (Row){0};
        } else {
            const Piece piece = {src->text + begin, (size_t)(t.loc.end - begin), begin > at, 0};
            VEC_PUSH(f->arena, &row.pieces, piece);
        }
        if (end)
            return;
        at = t.loc.end;
    }
}

/* ---- blanks ---- */

/* Whether `=` between these is an assignment of its own, ` = `: in parentheses, and in
 * declarations. */
static bool is_spaced_equals(const Format *f)
{
    static const char *const heads[] = {"let", "net", "block", "train"};
    const Open *in = f->open.n ? &f->open.at[f->open.n - 1] : NULL;
    if (in && in->text != '{')
        return true;
    for (size_t i = 0; i < sizeof heads / sizeof *heads; i++) {
        if (str_eq(f->head, heads[i]))
            return true;
    }
    return false;
}

static bool is_one_of(const Piece *p, const char *signs)
{
    return p->n == 1 && strchr(signs, *p->text);
}

/* The blanks between two tokens of a line: where the language gives them no meaning, the layout
 * decides; elsewhere they are as they were. */
static int blanks(const Format *f, const Piece *a, const Piece *b)
{
    if (is_one_of(b, ",)]") || is_one_of(a, "(["))
        return 0;
    if (is_one_of(a, ",;{") || is_one_of(b, ";{}"))
        return 1;
    if (token_is(a, "->") || token_is(b, "->"))
        return 1;
    if (is_one_of(a, "=") || is_one_of(b, "="))
        return is_spaced_equals(f);
    if (is_one_of(a, ":"))
        return 1;
    if (token_is(a, "..") || token_is(b, ".."))
        return 0;
    return b->blank;
}

/* Follows brackets and the word that a statement begins with. */
static void follow(Format *f, const Row *row, int i)
{
    const Piece *p = &row->pieces.at[i];
    if (is_one_of(p, "({[")) {
        const Open open = {*p->text, str_eq(f->head, "naming"), 0};
        VEC_PUSH(f->arena, &f->open, open);
    } else if (is_one_of(p, ")}]") && f->open.n) {
        f->open.n--;
    }
    if (is_one_of(p, ";{}"))
        f->head = "";
    else if (!*f->head && !is_one_of(p, "(["))
        f->head = arena_strndup(f->arena, p->text, p->n);
}

static void set_blanks(Format *f)
{
    f->head = "";
    f->open.n = 0;
    for (int r = 0; r < f->rows.n; r++) {
        Row *row = &f->rows.at[r];
        if (!f->open.n || f->open.at[f->open.n - 1].text == '{')
            f->head = "";
        row->in_naming = f->open.n && f->open.at[f->open.n - 1].naming;
        row->inside = f->open.n && f->open.at[f->open.n - 1].text != '{';
        for (int i = 0; i < row->pieces.n; i++) {
            if (i)
                row->pieces.at[i].lead = blanks(f, &row->pieces.at[i - 1], &row->pieces.at[i]);
            follow(f, row, i);
        }
    }
}

/* ---- writing ---- */

/* The column at which a row begins. */
static int indent_of(const Format *f, const Row *row)
{
    int depth = 0, closing = 0;
    const Open *in = f->open.n ? &f->open.at[f->open.n - 1] : NULL;
    if (in && in->text != '{')
        return in->column + 1;
    while (closing < row->pieces.n && is_one_of(&row->pieces.at[closing], "}"))
        closing++;
    for (int i = 0; i < f->open.n - closing; i++)
        depth += f->open.at[i].text == '{';
    return INDENT * depth;
}

/* In how many parentheses the text goes on. */
static int parentheses(const Format *f)
{
    int n = 0;
    while (n < f->open.n && f->open.at[f->open.n - 1 - n].text != '{')
        n++;
    return n;
}

/* How many pieces, from i on, stay on the line that is at this column: up to the last comma in
 * parentheses that still fits, if not all of them do. */
static int pieces_on_line(const Format *f, const Row *row, int i, int column)
{
    int last = 0, depth = parentheses(f), k = i;
    for (; k < row->pieces.n; k++) {
        const Piece *p = &row->pieces.at[k];
        column += (k > i ? p->lead : 0) + (int)p->n;
        if (column > WIDTH && last)
            return last - i;
        depth += is_one_of(p, "([") ? 1 : is_one_of(p, ")]") ? -1 : 0;
        if (is_one_of(p, ",") && column <= WIDTH && depth > 0)
            last = k + 1;
    }
    return k - i;
}

static void put_row(Format *f, Buf *out, const Row *row)
{
    int column = indent_of(f, row), begin = 0;
    if (row->gap)
        buf_putc(out, '\n');
    buf_printf(out, "%*s", column, "");
    int end = pieces_on_line(f, row, 0, column);
    for (int i = 0; i < row->pieces.n; i++) {
        const Piece *p = &row->pieces.at[i];
        if (i == end) {
            column = f->open.n ? f->open.at[f->open.n - 1].column + 1 : 0;
            buf_printf(out, "\n%*s", column, "");
            begin = i;
            end = i + pieces_on_line(f, row, i, column);
        }
        const int lead = i > begin ? p->lead : 0;
        buf_printf(out, "%*s", lead, "");
        buf_add(out, p->text, p->n);
        column += lead + (int)p->n;
        follow(f, row, i);
        if (is_one_of(p, "({["))
            f->open.at[f->open.n - 1].column = column - 1;
    }
    if (row->comment) {
        buf_printf(out, "%*s", row->pieces.n ? row->comment_lead : 0, "");
        buf_add(out, row->comment, row->comment_n);
    }
    buf_putc(out, '\n');
}

static void put_rows(Format *f, Buf *out)
{
    f->head = "";
    f->open.n = 0;
    for (int r = 0; r < f->rows.n; r++) {
        Row *row = &f->rows.at[r];
        const Row *before = r ? &f->rows.at[r - 1] : NULL;
        /* No empty line after `{` and before `}`. */
        if (before && before->pieces.n && piece_is(before, before->pieces.n - 1, "{"))
            row->gap = false;
        if (piece_is(row, 0, "}"))
            row->gap = false;
        if (!f->open.n || f->open.at[f->open.n - 1].text == '{')
            f->head = "";
        put_row(f, out, row);
    }
}

/* ---- the whole ---- */

static const char *tree_text(Arena *arena, int file, Diag *d)
{
    Buf out = buf_new(arena);
    ast_print(&out, parse_file(arena, file, d));
    return buf_text(&out);
}

/* The text of a file, laid out once. */
static Buf lay_out(Arena *arena, int file, Diag *d)
{
    Format f = {.arena = arena};
    Buf out = buf_new(arena);
    read_rows(&f, file, d);
    set_blanks(&f);
    format_columns(&f);
    put_rows(&f, &out);
    return out;
}

bool format_file(Buf *out, Arena *arena, int file, Diag *d)
{
    /* A row that is broken for the first time is then laid out as the two that it has become. */
    enum { ROUNDS = 4 };
    const int errors = d->errors;
    const char *tree = tree_text(arena, file, d);
    if (d->errors > errors)
        return false;
    /* The messages' map of sources may grow by the result, to compare what it says. */
    SrcMap *src = (SrcMap *)d->src;
    Diag quiet = diag_new(src, arena);
    Buf text = lay_out(arena, file, d);
    int again = src_add(src, src_file(src, file)->name, buf_text(&text), text.n);
    for (int i = 1; i < ROUNDS; i++) {
        const Buf before = text;
        text = lay_out(arena, again, &quiet);
        if (text.n == before.n && memcmp(buf_text(&text), buf_text(&before), text.n) == 0)
            break;
        again = src_add(src, src_file(src, file)->name, buf_text(&text), text.n);
    }
    buf_add(out, buf_text(&text), text.n);
    if (str_eq(tree, tree_text(arena, again, &quiet)))
        return true;

    diag_internal(d, "the laid-out text of '%s' does not say the same", src_file(src, file)->name);
    return false;
}
