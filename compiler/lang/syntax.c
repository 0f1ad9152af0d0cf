/* syntax.c: the message of a syntax error: what was expected, in the words of the language's
 * manual, what was found, and the way out of common mistakes. */
#include "lang/lex.h"

#include <string.h>

typedef struct Expected {
    const char *const *names; /* [n], as parse.y names its tokens */
    int n;
} Expected;

static bool has(const Expected *e, const char *name)
{
    for (int i = 0; i < e->n; i++) {
        if (str_eq(e->names[i], name))
            return true;
    }
    return false;
}

/* ---- what was expected ---- */

enum { MOST_WORDS = 5 };

typedef struct Words {
    const char *at[MOST_WORDS];
    int n;
} Words;

static void want(Words *words, bool condition, const char *text)
{
    if (condition && words->n < MOST_WORDS)
        words->at[words->n++] = text;
}

/* Binary operators are left out: they could follow almost anything, so naming them would not help.
 */
static Words describe(const Expected *e)
{
    Words w = {0};
    bool value = has(e, "integer"), operand_ended = has(e, "'+'"), statement = has(e, "let");
    want(&w, has(e, "include"), "`include`, `default`, `block`, `naming`, `net` or `train`");
    want(&w, statement, "a statement");
    want(&w, value && !statement, "a value");
    want(&w, has(e, "name") && !value, "a name");
    want(&w, has(e, "string") && !value, "a text in quotes");
    want(&w, has(e, "->"), "`->`");
    want(&w, has(e, "in"), "`in`");
    want(&w, has(e, "'='"), "`=`");
    want(&w, has(e, "x") && !has(e, "end of statement"), "`x`");
    want(&w, has(e, "'{'") || has(e, "{ of case"), "`{`");
    want(&w, has(e, "')'"), "`)`");
    want(&w, has(e, "']'"), "`]`");
    want(&w, has(e, "'['") && !operand_ended, "`[`");
    want(&w, has(e, "','"), "`,`");
    want(&w, has(e, "':'") && operand_ended && !value, "`:`");
    want(&w, has(e, "'.'"), "`.`");
    want(&w, has(e, "'}'") || has(e, "} of case"), "`}`");
    want(&w, has(e, "naming") && !has(e, "include"), "`naming`");
    want(&w, has(e, "end of statement") && !statement && !has(e, "include"),
         "the end of the statement");
    return w;
}

static const char *joined(Arena *arena, const Words *w)
{
    Buf out = buf_new(arena);
    for (int i = 0; i < w->n; i++)
        buf_printf(&out, "%s%s", i == 0 ? "" : i == w->n - 1 ? " or " : ", ", w->at[i]);
    return buf_text(&out);
}

/* ---- what was found ---- */

static const char *source_text(const Lexer *lexer, Loc loc)
{
    enum { LONGEST = 40 };
    const SrcFile *f = src_file(lexer->diag->src, loc.file);
    int length = loc.end - loc.begin;
    const char *text = arena_strndup(lexer->arena, f->text + loc.begin,
                                     (size_t)(length < LONGEST ? length : LONGEST));
    return length < LONGEST ? text : arena_printf(lexer->arena, "%s...", text);
}

/* The text of what was found; sets *loc to its place. */
static const char *found_text(const Lexer *lexer, const char *found, Loc *loc)
{
    if (str_eq(found, "end of statement") && loc->begin == loc->end) {
        *loc = lexer->pending.loc; /* an END that was not written comes before a token */
        found = lexer->pending.kind == 0 ? "end of file" : "";
    }
    if (str_eq(found, "end of file"))
        return "the end of the file";
    const char *text = source_text(lexer, *loc);
    if (strpbrk(text, "\r\n"))
        return "the end of the line";
    return arena_printf(lexer->arena, "'%s'", text);
}

/* " after 'stage'", where there is something on the same line. */
static const char *after_text(const Lexer *lexer)
{
    const Token *t = &lexer->before;
    const SrcFile *f = src_file(lexer->diag->src, lexer->file);
    if (t->loc.begin >= t->loc.end || strpbrk(source_text(lexer, t->loc), "\r\n;"))
        return "";
    for (int i = t->loc.end; i < lexer->last.loc.begin; i++) {
        if (f->text[i] == '\n' || f->text[i] == '\r')
            return "";
    }
    return arena_printf(lexer->arena, " after '%s'", source_text(lexer, t->loc));
}

/* ---- ways out ---- */

/* Whether it is a keyword, even if only in some places. */
static bool known_word(const char *text)
{
    for (int i = 0; lex_word(i); i++) {
        if (str_eq(lex_word(i), text))
            return true;
    }
    return false;
}

static const char *nearest_word(const char *text)
{
    const char *words[64];
    int n = 0;
    while (n < 64 && lex_word(n)) {
        words[n] = lex_word(n);
        n++;
    }
    return str_nearest(text, words, n);
}

static void note_unclosed(Lexer *lexer, const Expected *e, const char *found)
{
    Diag *d = lexer->diag;
    if (!lexer->open.n)
        return;
    /* If the error is at a `{`, that is open already. */
    int top = lexer->open.n - 1 - (str_eq(found, "'{'") ? 1 : 0);
    if (top < 0)
        return;
    Loc open = lexer->open.at[top].loc;
    int line, open_line, column;
    src_line(d->src, open.file, open.begin, &open_line, &column);
    src_line(d->src, open.file, lexer->last.loc.begin, &line, &column);
    if (line == open_line && !str_eq(found, "'{'") && !str_starts(found, "end of"))
        return;
    char sign = src_file(d->src, open.file)->text[open.begin];
    if (sign == '{' ? has(e, "'}'") && str_eq(found, "end of file")
                    : has(e, "')'") || has(e, "']'"))
        diag_note(d, open, "this '%c' is not closed", sign);
}

static void note_equals(Lexer *lexer, const Expected *e, Loc loc)
{
    Diag *d = lexer->diag;
    if (has(e, "==") && !lexer->now.parens) {
        diag_note(d, loc, "`==` compares; a `=` gives a value to a name: `let n = 2`, `stride=2`");
    } else if (lexer->now.parens && lexer->open.n) {
        Loc open = lexer->open.at[lexer->open.n - 1].loc;
        const char *text = src_file(d->src, open.file)->text;
        if (open.begin > 0 && text[open.begin] == '(' && text[open.begin - 1] == ' ')
            diag_note(d, open,
                      "with a blank before it, '(' begins a list; arguments in parentheses "
                      "follow the name directly: `conv(3x3, 64, stride = 2)`");
    }
}

static void note_head(Lexer *lexer)
{
    const Token *head = &lexer->now.head;
    const char *text = source_text(lexer, head->loc);
    const char *near = nearest_word(text);
    if (!known_word(text) && near)
        diag_note(lexer->diag, head->loc, "did you mean '%s'?", near);
    else
        diag_note(lexer->diag, lexer->last.loc,
                  "a '{' follows the name of an arm, `stage NAME`, `N x`, `if`, `for`, `else`");
}

static void note_way_out(Lexer *lexer, const Expected *e, const char *found, Loc loc)
{
    Diag *d = lexer->diag;
    const char *text = source_text(lexer, loc);
    bool name_alone = has(e, "name") && !has(e, "integer");
    if (has(e, "include")) {
        const char *near = nearest_word(text);
        if (str_eq(text, "rnc"))
            diag_note(d, loc, "`rnc 1`, the version of the language, is the first line of a file");
        else if (near && !str_eq(near, text))
            diag_note(d, loc, "did you mean '%s'?", near);
        else if (!str_eq(found, "'}'"))
            diag_note(d, loc, "statements stand inside `net NAME { ... }` or `block NAME { ... }`");
        else
            diag_note(d, loc, "no '{' is open here");
    } else if (str_eq(found, "x") && !has(e, "x") && !name_alone) {
        diag_note(d, loc,
                  "a pair is written without blanks, `3x3`; a repetition stands alone, "
                  "`3 x block`");
    } else if (name_alone && lex_reserved(text)) {
        diag_note(d, loc, "'%s' is a word of the language and cannot be a name", text);
    } else if (str_eq(found, "'='")) {
        note_equals(lexer, e, loc);
    } else if (has(e, "'}'") && lexer->open.n &&
               (str_eq(found, "net") || str_eq(found, "block") || str_eq(found, "naming"))) {
        diag_note(d, lexer->open.at[lexer->open.n - 1].loc,
                  "`%s` stands outside of other blocks, and this '{' is not closed", found);
    } else if (str_eq(found, "else")) {
        diag_note(d, loc, "`else` follows the '}' of an `if`");
    } else if (str_eq(found, "'{'") && has(e, "end of statement")) {
        note_head(lexer);
    } else if (has(e, "x") && str_eq(found, "end of statement")) {
        diag_note(d, lexer->now.head.loc,
                  "a repetition is `N x block`; a negative value that has no name goes into "
                  "parentheses, `leaky_relu(-0.1)`");
    }
    note_unclosed(lexer, e, found);
}

void syntax_error(Lexer *lexer, const char *found, const char *const *expected, int n)
{
    Expected e = {expected, n};
    Loc loc = lexer->last.loc;
    Words words = describe(&e);
    const char *text = found_text(lexer, found, &loc);
    if (words.n)
        diag_error(lexer->diag, loc, "expected %s%s, found %s", joined(lexer->arena, &words),
                   after_text(lexer), text);
    else
        diag_error(lexer->diag, loc, "%s cannot stand here", text);
    note_way_out(lexer, &e, found, loc);
    lex_recover(lexer);
}

/* ---- what is refused although the grammar takes it ---- */

void syntax_version(Diag *d, int64_t version, Loc loc)
{
    if (version == LANGUAGE_VERSION)
        return;
    diag_error(d, loc, "this rnc reads version %d of the language, and the file is of version %lld",
               LANGUAGE_VERSION, (long long)version);
    diag_note(d, loc,
              version > LANGUAGE_VERSION
                  ? "a newer rnc may read it"
                  : "there was none before version 1; `rnc 1` is the first line of a file");
}

void syntax_old_naming(Diag *d, Name name, Loc loc)
{
    diag_warning(d, loc, "`names %s` is the old form of `use naming %s`", name.text, name.text);
}

void syntax_repeat(Diag *d, const Stmt *s, Loc end)
{
    const SrcFile *f = src_file(d->src, end.file);
    if (s->kind != STMT_REPEAT || !s->call || end.end == end.begin || f->text[end.begin] != ';')
        return;
    const char *next = f->text + end.end;
    next += strspn(next, " \t;");
    if (!*next || strchr("\r\n#}", *next))
        return;
    diag_error(d, s->call->loc, "only '%s' is repeated here, and not what follows the ';'",
               s->call->name.text);
    diag_note(d, end,
              "`N x { %s ... ; ... }` repeats all that the braces hold; what is not repeated "
              "begins a line "
              "of its own",
              s->call->name.text);
}
