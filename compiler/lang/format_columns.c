/* format_columns.c: columns of consecutive rows: `;`, the arrows of namings, comments. */
#include "lang/format_parts.h"

#include "base/str.h"

#include <string.h>

/* The columns of a row's text up to piece `end`. */
static int width(const Row *row, int end)
{
    int n = 0;
    for (int i = 0; i < end; i++) {
        const Piece *p = &row->pieces.at[i];
        n += i ? p->lead : 0;
        for (size_t k = 0; k < p->n; k++)
            n += ((unsigned char)p->text[k] & 0xC0) != 0x80;
    }
    return n;
}

/* How much deeper in braces the row ends than it begins. */
static int change_of_depth(const Row *row)
{
    int depth = 0;
    for (int i = 0; i < row->pieces.n; i++)
        depth += piece_is(row, i, "{") ? 1 : piece_is(row, i, "}") ? -1 : 0;
    return depth;
}

/* The first piece that is `text`, outside of brackets; -1: none. */
static int find(const Row *row, const char *text)
{
    int depth = 0;
    for (int i = 0; i < row->pieces.n; i++) {
        if (depth == 0 && piece_is(row, i, text))
            return i;
        const bool opens = piece_is(row, i, "(") || piece_is(row, i, "[") || piece_is(row, i, "{");
        const bool closes = piece_is(row, i, ")") || piece_is(row, i, "]") || piece_is(row, i, "}");
        depth += opens - closes;
    }
    return -1;
}

/* The word after a label, `conv` of `fc1: conv 1x1 8`. */
static const Piece *operator_of(const Row *row)
{
    const int colon = find(row, ":");
    const int at = colon == 1 ? 2 : 0;
    return at < row->pieces.n ? &row->pieces.at[at] : NULL;
}

/* Whether the `;` of both rows stand in one column. */
static bool semicolons_agree(const Row *a, const Row *b)
{
    const Piece *x = operator_of(a), *y = operator_of(b);
    return find(a, ";") > 0 && find(b, ";") > 0 && x && y && x->n == y->n &&
           memcmp(x->text, y->text, x->n) == 0;
}

static bool arrows_agree(const Row *a, const Row *b)
{
    return a->in_naming && b->in_naming && find(a, "->") > 0 && find(b, "->") > 0;
}

static bool comments_agree(const Row *a, const Row *b)
{
    return a->pieces.n && b->pieces.n && a->comment && b->comment;
}

/* The end of the run of rows from `begin` on that agree. */
static int run_end(const Format *f, int begin, bool (*agree)(const Row *, const Row *), bool deep)
{
    int end = begin + 1;
    while (end < f->rows.n && !f->rows.at[end].gap &&
           (deep || (change_of_depth(&f->rows.at[end - 1]) == 0 && !f->rows.at[end].inside)) &&
           agree(&f->rows.at[end - 1], &f->rows.at[end]))
        end++;
    return end;
}

/* Puts a piece of each row of a run into one column. */
static void align(Format *f, const char *text, bool (*agree)(const Row *, const Row *))
{
    for (int begin = 0, end; begin < f->rows.n; begin = end) {
        int most = 0;
        end = run_end(f, begin, agree, false);
        if (end == begin + 1)
            continue;
        for (int r = begin; r < end; r++) {
            const int n = width(&f->rows.at[r], find(&f->rows.at[r], text));
            most = n > most ? n : most;
        }
        for (int r = begin; r < end; r++) {
            Row *row = &f->rows.at[r];
            const int at = find(row, text);
            row->pieces.at[at].lead = most - width(row, at) + 1;
        }
    }
}

/* Comments behind consecutive rows, which may be of different depths. */
static void align_comments(Format *f)
{
    int depth = 0;
    int *columns = NEW_ARRAY(f->arena, int, f->rows.n + 1);
    for (int r = 0; r < f->rows.n; r++) {
        const Row *row = &f->rows.at[r];
        const bool closes = piece_is(row, 0, "}");
        columns[r] = INDENT * (depth - closes) + width(row, row->pieces.n);
        depth += change_of_depth(row);
    }
    for (int begin = 0, end; begin < f->rows.n; begin = end) {
        int most = 0;
        end = run_end(f, begin, comments_agree, true);
        for (int r = begin; r < end; r++)
            most = columns[r] > most ? columns[r] : most;
        for (int r = begin; r < end; r++)
            f->rows.at[r].comment_lead = most - columns[r] + 1;
    }
}

void format_columns(Format *f)
{
    align(f, ";", semicolons_agree);
    align(f, "->", arrows_agree);
    align_comments(f);
}
