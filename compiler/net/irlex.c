/* irlex.c: see irlex.h. */
#include "net/irlex.h"

#include <limits.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

IrLexer irlex_new(Arena *arena, int file, Diag *diag)
{
    const SrcFile *f = src_file(diag->src, file);
    return (IrLexer){.arena = arena,
                     .diag = diag,
                     .file = file,
                     .text = f ? f->text : "",
                     .size = f && f->size < INT_MAX ? (int)f->size : 0};
}

static bool is_digit(int c)
{
    return c >= '0' && c <= '9';
}

static bool is_letter(int c)
{
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_';
}

/* The character that is `ahead` characters after the next one; -1 after the end. */
static int peek(const IrLexer *l, int ahead)
{
    return ahead < l->size - l->at ? (unsigned char)l->text[l->at + ahead] : -1;
}

static void skip_blanks(IrLexer *l)
{
    for (;;) {
        int c = peek(l, 0);
        if (c == '#') {
            while (peek(l, 0) >= 0 && peek(l, 0) != '\n')
                l->at++;
        } else if (c == ' ' || c == '\t' || c == '\r' || (c == '\n' && l->depth > 0)) {
            l->at++;
        } else {
            return;
        }
    }
}

static Loc loc_from(const IrLexer *l, int begin)
{
    return (Loc){l->file, begin, l->at};
}

static void lex_bad(IrLexer *l, int begin, const char *message)
{
    l->token.kind = TOKEN_BAD;
    irlex_fail(l, loc_from(l, begin), message);
}

static int hex_digit(int c)
{
    static const char digits[] = "0123456789abcdef";
    const char *at = c > 0 ? strchr(digits, c) : NULL;
    return at ? (int)(at - digits) : -1;
}

/* Reads what follows a backslash and returns the character that it stands for; 0 or less if it is
 * not an escape. */
static int escaped(IrLexer *l)
{
    const int c = peek(l, 0);
    if (c == '"' || c == '\\' || c == 'n') {
        l->at++;
        return c == 'n' ? '\n' : c;
    }
    const int high = c == 'x' ? hex_digit(peek(l, 1)) : -1;
    const int low = high >= 0 ? hex_digit(peek(l, 2)) : -1;
    if (low < 0)
        return 0;
    l->at += 3;
    return high << 4 | low;
}

/* Reads a string, from after the opening quote on. */
static void lex_string(IrLexer *l, int begin)
{
    Buf text = buf_new(l->arena);
    for (;;) {
        int c = peek(l, 0);
        if (c < 0 || c == '\n' || c == '\0') {
            lex_bad(l, begin, "the string does not end on its line");
            return;
        }
        l->at++;
        if (c == '"')
            break;
        if (c == '\\') {
            c = escaped(l);
            if (c <= 0) {
                lex_bad(l, begin,
                        "after '\\' in a string stands one of: \" \\ n, or x and two hexadecimal "
                        "digits of a byte that is not zero");
                return;
            }
        }
        buf_putc(&text, (char)c);
    }
    l->token.kind = TOKEN_STRING;
    l->token.text = buf_text(&text);
}

static void skip_digits(IrLexer *l)
{
    while (is_digit(peek(l, 0)))
        l->at++;
}

static bool is_minus_infinity(const IrLexer *l)
{
    return peek(l, 0) == '-' && peek(l, 1) == 'i' && peek(l, 2) == 'n' && peek(l, 3) == 'f' &&
           !is_letter(peek(l, 4)) && !is_digit(peek(l, 4));
}

static void lex_number(IrLexer *l, int begin)
{
    char text[64];
    if (is_minus_infinity(l)) {
        l->at += 4;
        l->token.kind = TOKEN_NUMBER;
        l->token.value = -INFINITY;
        return;
    }
    l->at += peek(l, 0) == '-';
    skip_digits(l);
    if (peek(l, 0) == '.') {
        l->at++;
        skip_digits(l);
    }
    bool sign = peek(l, 1) == '-' || peek(l, 1) == '+';
    if ((peek(l, 0) == 'e' || peek(l, 0) == 'E') && is_digit(peek(l, sign ? 2 : 1))) {
        l->at += sign ? 2 : 1;
        skip_digits(l);
    }
    size_t n = (size_t)(l->at - begin);
    if (n >= sizeof text) {
        lex_bad(l, begin, "the number is too long");
        return;
    }
    memcpy(text, l->text + begin, n);
    text[n] = '\0';
    l->token.kind = TOKEN_NUMBER;
    l->token.value = strtod(text, NULL);
}

static void lex_name(IrLexer *l, int begin)
{
    while (is_letter(peek(l, 0)) || is_digit(peek(l, 0)) || peek(l, 0) == '.')
        l->at++;
    l->token.kind = TOKEN_NAME;
    l->token.text = arena_strndup(l->arena, l->text + begin, (size_t)(l->at - begin));
}

static void lex_punctuation(IrLexer *l, int begin, int c)
{
    l->at++;
    if (!c || !strchr("()[],:=", c)) {
        lex_bad(l, begin, "this character has no meaning here");
        return;
    }
    l->depth += c == '(';
    l->depth -= c == ')' && l->depth > 0;
    l->token.kind = c;
}

void irlex_advance(IrLexer *l)
{
    bool behind_number = l->token.kind == TOKEN_NUMBER && l->token.loc.end == l->at;
    skip_blanks(l);
    int begin = l->at, c = peek(l, 0);
    l->token = (Token){0};
    if (c < 0) {
        l->token.kind = TOKEN_END;
    } else if (c == '\n') {
        l->at++;
        l->token.kind = TOKEN_NEWLINE;
    } else if (behind_number && c == 'x' && is_digit(peek(l, 1))) {
        l->at++;
        l->token.kind = TOKEN_BY;
    } else if (c == '"') {
        l->at++;
        lex_string(l, begin);
    } else if (is_digit(c) || (c == '-' && is_digit(peek(l, 1))) || is_minus_infinity(l)) {
        lex_number(l, begin);
    } else if (is_letter(c)) {
        lex_name(l, begin);
    } else {
        lex_punctuation(l, begin, c);
    }
    l->token.loc = loc_from(l, begin);
}

void irlex_skip_line(IrLexer *l)
{
    l->depth = 0;
    /* With an open parenthesis, the lexer may have passed the end of the line already: then it
     * continues from the token. */
    while (!irlex_is(l, TOKEN_END) && !irlex_is(l, TOKEN_NEWLINE)) {
        while (peek(l, 0) >= 0 && peek(l, 0) != '\n')
            l->at++;
        l->token.kind = 0;
        irlex_advance(l);
    }
    if (irlex_is(l, TOKEN_NEWLINE))
        irlex_advance(l);
}

bool irlex_fail(IrLexer *l, Loc loc, const char *message)
{
    diag_error(l->diag, loc, "%s", message);
    return false;
}

bool irlex_is(const IrLexer *l, int kind)
{
    return l->token.kind == kind;
}

bool irlex_is_word(const IrLexer *l, const char *word)
{
    return irlex_is(l, TOKEN_NAME) && str_eq(l->token.text, word);
}

/* A bad token has been reported already. */
bool irlex_unexpected(IrLexer *l, const char *what)
{
    if (!irlex_is(l, TOKEN_BAD))
        diag_error(l->diag, l->token.loc, "expected %s", what);
    return false;
}

bool irlex_expect(IrLexer *l, int kind, const char *what)
{
    if (!irlex_is(l, kind))
        return irlex_unexpected(l, what);
    /* The end of a line is left to irlex_skip_line(). */
    if (kind != TOKEN_NEWLINE)
        irlex_advance(l);
    return true;
}

const char *irlex_name(IrLexer *l, const char *what)
{
    const char *name = l->token.text;
    if (!irlex_is(l, TOKEN_NAME) && !irlex_is(l, TOKEN_STRING)) {
        irlex_unexpected(l, what);
        return NULL;
    }
    irlex_advance(l);
    return name;
}

bool irlex_real(IrLexer *l, double least, double most, double *value)
{
    const bool infinite = irlex_is_word(l, "inf") && most >= INFINITY;
    if (!irlex_is(l, TOKEN_NUMBER) && !infinite)
        return irlex_unexpected(l, "a number");
    *value = infinite ? INFINITY : l->token.value;
    if (!(*value >= least && *value <= most)) {
        diag_error(l->diag, l->token.loc, "the number must be from %.10g to %.10g", least, most);
        return false;
    }
    irlex_advance(l);
    return true;
}

bool irlex_int(IrLexer *l, double least, double most, int *value)
{
    Loc loc = l->token.loc;
    double real;
    if (!irlex_real(l, least, most, &real))
        return false;
    *value = (int)real;
    return *value == real || irlex_fail(l, loc, "expected a whole number");
}

int irlex_dims(IrLexer *l, int *dims, int most)
{
    int n = 0;
    while (irlex_is(l, '[')) {
        irlex_advance(l);
        if (n == most) {
            irlex_fail(l, l->token.loc, "too many dimensions");
            return -1;
        }
        if (!irlex_int(l, 1, INT_MAX, &dims[n++]) || !irlex_expect(l, ']', "']'"))
            return -1;
    }
    return n;
}

int irlex_word(IrLexer *l, const char *const *words)
{
    for (int i = 0; words[i]; i++) {
        if (irlex_is_word(l, words[i])) {
            irlex_advance(l);
            return i;
        }
    }
    Buf list = buf_new(l->arena);
    for (int i = 0; words[i]; i++)
        buf_printf(&list, "%s'%s'", i == 0 ? "" : words[i + 1] ? ", " : " or ", words[i]);
    irlex_unexpected(l, buf_text(&list));
    return -1;
}

/* ---- attributes ---- */

static bool read_ints(IrLexer *l, const AttrRow *row, int *at, int n)
{
    if (!irlex_expect(l, '(', "'('"))
        return false;
    for (int i = 0; i < n; i++) {
        if ((i && !irlex_expect(l, ',', "','")) || !irlex_int(l, row->least, row->most, &at[i]))
            return false;
    }
    return irlex_expect(l, ')', "')'");
}

static bool read_reals(IrLexer *l, const AttrRow *row, Reals *reals)
{
    VEC(double) at = {0};
    double value;
    if (!irlex_expect(l, '(', "'('"))
        return false;
    do {
        if (!irlex_real(l, row->least, row->most, &value))
            return false;
        VEC_PUSH(l->arena, &at, value);
        if (!irlex_is(l, ','))
            break;
        irlex_advance(l);
    } while (true);
    *reals = (Reals){at.at, at.n};
    return irlex_expect(l, ')', "')'");
}

static bool read_pair(IrLexer *l, const AttrRow *row, int *at)
{
    if (!irlex_int(l, row->least, row->most, &at[0]))
        return false;
    return irlex_expect(l, TOKEN_BY, "a pair, such as 3x3") &&
           irlex_int(l, row->least, row->most, &at[1]);
}

bool irlex_attr(IrLexer *l, const AttrRow *row, void *at)
{
    static const char *const bools[] = {"false", "true", NULL};
    int index;
    switch (row->kind) {
    case ATTR_INT:
        return irlex_int(l, row->least, row->most, at);
    case ATTR_PAIR:
        return read_pair(l, row, at);
    case ATTR_PADDING:
        return read_ints(l, row, at, 4);
    case ATTR_REAL:
        return irlex_real(l, row->least, row->most, at);
    case ATTR_REALS:
        return read_reals(l, row, at);
    case ATTR_BOOL:
        index = irlex_word(l, bools);
        *(bool *)at = index == 1;
        return index >= 0;
    case ATTR_WORDS:
        index = irlex_word(l, row->words);
        *(int *)at = index < 0 ? 0 : index;
        return index >= 0;
    }
    return false;
}
