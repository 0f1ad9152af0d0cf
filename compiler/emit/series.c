/* series.c: writes texts that differ in evenly growing numbers as one text. */
#include "emit/series.h"

#include <string.h>

/* A piece of the texts: a number, or what stands between two numbers. */
typedef struct Piece {
    const char *text; /* taken from the first text */
    int length;
    bool is_number;
    int value, last, step; /* first number, latest, and the step between two */
} Piece;

struct Series {
    Arena *arena;
    VEC(Piece) pieces;
    int n; /* number of texts so far */
    bool fits;
};

static bool is_digit(char c)
{
    return c >= '0' && c <= '9';
}

static bool is_word(char c)
{
    return is_digit(c) || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
}

/* The piece that begins at `at`. */
static Piece piece_at(const char *at)
{
    enum { DIGITS_MOST = 9 };
    Piece p = {.text = at};
    if (is_digit(*at)) {
        while (is_digit(at[p.length]))
            p.length++;
        const bool leads = *at == '0' && is_word(at[1]); /* such as 0x10 or 007 */
        p.is_number = p.length <= DIGITS_MOST && !leads;
        for (int i = 0; p.is_number && i < p.length; i++)
            p.value = 10 * p.value + (at[i] - '0');
        while (leads && is_word(at[p.length]))
            p.length++;
    } else {
        while (at[p.length] && !is_digit(at[p.length]))
            p.length++;
    }
    p.last = p.value;
    return p;
}

Series *series_begin(Arena *arena, const char *first)
{
    Series *s = NEW(arena, Series);
    s->arena = arena;
    s->n = 1;
    s->fits = true;
    for (const char *at = arena_strdup(arena, first); *at;) {
        const Piece p = piece_at(at);
        VEC_PUSH(arena, &s->pieces, p);
        at += p.length;
    }
    return s;
}

/* Does the piece at `at` of the next text continue p? */
static bool continues(Piece *p, const Piece *next, bool second)
{
    if (p->is_number != next->is_number)
        return false;
    if (!p->is_number)
        return p->length == next->length && memcmp(p->text, next->text, (size_t)p->length) == 0;
    if (second)
        p->step = next->value - p->value;
    const bool even = next->value == p->last + p->step;
    p->last = next->value;
    return even;
}

bool series_add(Series *s, const char *text)
{
    for (int i = 0; i < s->pieces.n && s->fits; i++) {
        const Piece next = piece_at(text);
        s->fits = continues(&s->pieces.at[i], &next, s->n == 1);
        text += next.length;
    }
    s->fits = s->fits && *text == '\0';
    s->n++;
    return s->fits;
}

const char *series_text(const Series *s)
{
    if (!s->fits)
        return NULL;
    Buf out = buf_new(s->arena);
    for (int i = 0; i < s->pieces.n; i++) {
        const Piece *p = &s->pieces.at[i];
        if (!p->is_number || p->step == 0)
            buf_add(&out, p->text, (size_t)p->length);
        else if (p->step == 1)
            buf_printf(&out, "{%d..%d}", p->value, p->last);
        else
            buf_printf(&out, "{%d, %d..%d}", p->value, p->value + p->step, p->last);
    }
    return buf_text(&out);
}
