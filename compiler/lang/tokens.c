/* tokens.c: decides what the scanner's tokens mean at their places: newlines become the ends of
 * statements, keywords become names where they cannot have their meaning, and open brackets are
 * tracked.  See lex.h. */
#include "lang/lex.h"

#include "lang/grammar.h"
#include "net/ops.h"

#include <ctype.h>
#include <string.h>

/* ---- the words of the language ---- */

/* Where a keyword has its meaning; elsewhere it is a name. */
typedef enum Where {
    ANYWHERE,  /* it is reserved */
    AT_FIRST,  /* as the first word of a file */
    AT_BEGIN,  /* at the beginning of a statement, unless a ':' follows */
    BEFORE_IN, /* after `for NAME` */
    BETWEEN,   /* between a number of repetitions and what is repeated */
} Where;

static const struct {
    const char *text;
    int token;
    Where where;
    bool arm; /* before a '{' it is the name of an arm */
} words[] = {
    {"include", INCLUDE, AT_BEGIN, false},
    {"block", BLOCK, AT_BEGIN, false},
    {"net", NET, AT_BEGIN, false},
    {"train", TRAIN, AT_BEGIN, true},
    {"naming", NAMING, AT_BEGIN, false},
    {"input", INPUT, AT_BEGIN, true},
    {"output", OUTPUT, AT_BEGIN, true},
    {"tap", TAP, AT_BEGIN, true},
    {"stage", STAGE, AT_BEGIN, false},
    {"from", FROM, AT_BEGIN, true},
    {"use", USE, AT_BEGIN, true},
    {"names", NAMES, AT_BEGIN, true},
    {"default", DEFAULT, AT_BEGIN, true},
    {"batch", BATCH, AT_BEGIN, true},
    {"rnc", RNC, AT_FIRST, false},
    {"in", IN, BEFORE_IN, false},
    {"x", X, BETWEEN, false},
    {"let", LET, ANYWHERE, false},
    {"case", CASE, ANYWHERE, false},
    {"if", IF, ANYWHERE, false},
    {"else", ELSE, ANYWHERE, false},
    {"for", FOR, ANYWHERE, false},
    {"then", THEN, ANYWHERE, false},
    {"and", AND, ANYWHERE, false},
    {"or", OR, ANYWHERE, false},
    {"not", NOT, ANYWHERE, false},
    {"true", TRUE, ANYWHERE, false},
    {"false", FALSE, ANYWHERE, false},
};
enum { N_WORDS = sizeof words / sizeof *words };

const char *lex_word(int i)
{
    return i < N_WORDS ? words[i].text : NULL;
}

bool lex_reserved(const char *word)
{
    for (int i = 0; i < N_WORDS; i++) {
        if (str_eq(words[i].text, word))
            return words[i].where == ANYWHERE;
    }
    return false;
}

/* ---- kinds of tokens ---- */

/* Whether an operand ends with this token, so that `-` after it is binary. */
static bool ends_operand(int token)
{
    return token == NAME || token == INTEGER || token == REAL || token == PAIR || token == STRING ||
           token == TRUE || token == FALSE || token == ')' || token == ']' || token == CASE_CLOSE;
}

/* Whether an operand can begin with it. */
static bool begins_operand(int token)
{
    return token == NAME || token == INTEGER || token == REAL || token == PAIR || token == STRING ||
           token == TRUE || token == FALSE || token == '(' || token == UMINUS || token == NOT ||
           token == CASE;
}

/* Whether a statement cannot end after this token, so that a newline there has
 * no meaning. */
static bool goes_on(int token)
{
    switch (token) {
    case END:
    case '{':
    case CASE_OPEN:
    case ',':
    case '=':
    case ':':
    case '?':
    case '+':
    case '-':
    case UMINUS:
    case '*':
    case '/':
    case '%':
    case '<':
    case '>':
    case FLOORDIV:
    case EQ:
    case NE:
    case LE:
    case GE:
    case AND:
    case OR:
    case NOT:
    case THEN:
    case X:
    case ARROW:
    case DOTDOT:
        return true;
    default:
        return false;
    }
}

/* Whether a statement that begins with this token has a body, which the grammar reads even after
 * an error before it. */
static bool has_body(int token)
{
    return token == BLOCK || token == NET || token == TRAIN || token == NAMING || token == STAGE ||
           token == FOR || token == IF;
}

/* ---- words where they stand ---- */

/* The text from `at` on, after any blanks; the file ends with a NUL. */
static const char *rest(const Lexer *lexer, int at)
{
    const char *text = src_file(lexer->diag->src, lexer->file)->text + at;
    return text + strspn(text, " \t");
}

/* Whether the innermost open brace is that of a `case`. */
static bool in_case(const Lexer *lexer)
{
    int i = lexer->open.n - 1 - lexer->now.parens;
    return i >= 0 && lexer->open.at[i].of_case;
}

static bool same_token(const Token *a, const Token *b)
{
    return a->loc.begin == b->loc.begin && a->loc.end == b->loc.end;
}

/* Whether a statement can begin here. */
static bool at_begin(const Lexer *lexer)
{
    int last = lexer->last.kind;
    return !lexer->define && !in_case(lexer) && (last == END || last == '{' || last == ELSE);
}

static bool follows_colon(const Lexer *lexer, const Token *t)
{
    return *rest(lexer, t->loc.end) == ':';
}

/* Whether `x` repeats after a single word at the beginning of a statement: it does in `n x relu`,
 * but `b x` and `b x stride=2` call b, and `add x y` calls add, which is an operator. */
static bool repeats_after_name(const Lexer *lexer, const Token *t)
{
    if (op_reserved(lexer->now.head.value.name.text) != OP_COUNT)
        return false;
    const char *next = rest(lexer, t->loc.end);
    if (!isalpha((unsigned char)*next) && *next != '_')
        return *next == '{';
    while (isalnum((unsigned char)*next) || *next == '_')
        next++;
    next += strspn(next, " \t");
    return *next != '=' || next[1] == '=';
}

/* Whether the word `x` is the sign of repetition.  It is also taken for one in `3 x 3`: a pair was
 * meant there, and the message says so. */
static bool repeats(const Lexer *lexer, const Token *t)
{
    const Statement *now = &lexer->now;
    if (lexer->last.kind == INTEGER && isdigit((unsigned char)*rest(lexer, t->loc.end)))
        return true;
    if (now->parens || now->words || now->repeated || in_case(lexer) ||
        !ends_operand(lexer->last.kind))
        return false;
    bool lone = lexer->last.kind == NAME && same_token(&lexer->last, &now->head);
    return !lone || repeats_after_name(lexer, t);
}

static bool means_itself(const Lexer *lexer, const Token *t, int word)
{
    switch (words[word].where) {
    case ANYWHERE:
        return true;
    case AT_FIRST:
        return !lexer->define && lexer->last.kind == END && lexer->last.loc.end == 0;
    case AT_BEGIN:
        if (lexer->last.kind == USE && words[word].token == NAMING)
            return true;
        return at_begin(lexer) && !follows_colon(lexer, t) &&
               !(words[word].arm && *rest(lexer, t->loc.end) == '{');
    case BEFORE_IN:
        return lexer->before.kind == FOR && lexer->last.kind == NAME;
    case BETWEEN:
        return repeats(lexer, t);
    }
    return false;
}

static int word_token(const Lexer *lexer, const Token *t)
{
    for (int i = 0; i < N_WORDS; i++) {
        if (str_eq(words[i].text, t->value.name.text))
            return means_itself(lexer, t, i) ? words[i].token : NAME;
    }
    return NAME;
}

/* ---- the ends of statements ---- */

void lex_open(Lexer *lexer, Arena *arena, int file, int start, Diag *d)
{
    *lexer = (Lexer){.arena = arena, .diag = d, .file = file};
    lexer->first.kind = start;
    lexer->define = start == START_DEFINE;
    lexer->first.loc = lexer->last.loc = (Loc){file, 0, 0};
    lexer->pending.kind = LEX_NO_TOKEN;
    lexer->last.kind = END;
    lex_scanner(lexer);
}

/* The scanner's next token, which may be LEX_NEWLINE. */
static Token scan(Lexer *lexer)
{
    Token t = lexer->pending;
    if (t.kind == LEX_NO_TOKEN)
        return lex_scan(lexer);
    lexer->pending.kind = LEX_NO_TOKEN;
    return t;
}

static Token end_before(Lexer *lexer, Token next)
{
    lexer->pending = next;
    return (Token){.kind = END, .loc = {lexer->file, lexer->last.loc.end, lexer->last.loc.end}};
}

/* Whether the next word is `else`; consumes the newlines before it. */
static bool before_else(Lexer *lexer)
{
    Token ahead = scan(lexer);
    while (ahead.kind == LEX_NEWLINE)
        ahead = scan(lexer);
    lexer->pending = ahead;
    return ahead.kind == NAME && str_eq(ahead.value.name.text, "else");
}

/* Skips the rest of a statement that has a syntax error, including a body in braces. */
static Token skip_statement(Lexer *lexer)
{
    for (;;) {
        Token t = scan(lexer);
        if (t.kind == '{' && !lexer->skip_braces && has_body(lexer->now.head.kind)) {
            lexer->skip = false;
            return t;
        }
        if (t.kind == '{') {
            lexer->skip_braces++;
            continue;
        }
        bool inside = lexer->skip_braces > 0;
        if (t.kind == '}' && inside && --lexer->skip_braces > 0)
            continue;
        if (t.kind == END_OF_FILE || !inside || t.kind == '}') {
            if (t.kind != END_OF_FILE && t.kind != '}' && t.kind != ';' && t.kind != LEX_NEWLINE)
                continue;
            if (inside && t.kind == '}' && before_else(lexer))
                continue;
            lexer->skip = false;
            lexer->skip_braces = 0;
            if (t.kind == END_OF_FILE || (t.kind == '}' && !inside)) {
                lexer->last.loc = t.loc;
                return end_before(lexer, t);
            }
            t.kind = END;
            return t;
        }
    }
}

/* The kind of this token at its place. */
static int kind_here(const Lexer *lexer, const Token *t)
{
    switch (t->kind) {
    case NAME:
        return word_token(lexer, t);
    case '{':
        return lexer->now.cases ? CASE_OPEN : '{';
    case '}':
        return in_case(lexer) ? CASE_CLOSE : '}';
    case ';':
        return END;
    default:
        return t->kind;
    }
}

static Token next(Lexer *lexer)
{
    if (lexer->skip)
        return skip_statement(lexer);
    for (;;) {
        int last = lexer->last.kind;
        Token t = scan(lexer);
        if (t.kind == LEX_NEWLINE) {
            if (lexer->now.parens || goes_on(last))
                continue;
            if (last == '}' && before_else(lexer))
                continue;
            t.kind = END;
            return t;
        }
        int kind = kind_here(lexer, &t);
        bool ends = kind == '}' || kind == CASE_CLOSE || kind == END_OF_FILE;
        if ((ends && last != END && last != '{' && last != CASE_OPEN) ||
            (last == '}' && !ends && kind != END && kind != ELSE))
            return end_before(lexer, t);
        t.kind = kind;
        return t;
    }
}

/* ---- brackets ---- */

static void open_bracket(Lexer *lexer, const Token *t)
{
    Bracket bracket = {.loc = t->loc, .outer = lexer->now};
    bracket.of_case = t->kind == CASE_OPEN;
    bracket.brace = bracket.of_case || t->kind == '{';
    VEC_PUSH(lexer->arena, &lexer->open, bracket);
    if (bracket.brace)
        lexer->now = (Statement){.head = lexer->now.head};
    else
        lexer->now.parens++;
}

/* Closes what is still open at the end of a statement. */
static void drop_parens(Lexer *lexer)
{
    lexer->open.n -= lexer->now.parens;
    lexer->now.parens = 0;
    lexer->now.cases = 0;
}

static void note_brackets(Lexer *lexer, const Token *t)
{
    switch (t->kind) {
    case '(':
    case CALL_OPEN:
    case '[':
        open_bracket(lexer, t);
        break;
    case ')':
    case ']':
        if (lexer->now.parens > 0) {
            lexer->now.parens--;
            lexer->open.n--;
        }
        break;
    case CASE:
        lexer->now.cases++;
        break;
    case CASE_OPEN:
        lexer->now.cases--;
        open_bracket(lexer, t);
        break;
    case CASE_CLOSE:
        drop_parens(lexer);
        lexer->now = lexer->open.at[--lexer->open.n].outer;
        break;
    case '{':
    case '}':
    case END:
        drop_parens(lexer);
        if (t->kind == '{')
            open_bracket(lexer, t);
        else if (t->kind == '}' && lexer->open.n)
            lexer->open.n--;
        break;
    }
}

/* ---- the statement so far ---- */

/* `n -1` may be meant as a difference or as two values: where arguments are separated by blanks,
 * it is refused, and the parser continues with two values. */
static int minus(Lexer *lexer, const Token *t)
{
    const char *text = src_file(lexer->diag->src, lexer->file)->text;
    bool call = lexer->now.head.kind == NAME || lexer->now.repeated;
    if (lexer->now.parens || in_case(lexer) || !call || t->loc.begin == lexer->last.loc.end ||
        isspace((unsigned char)text[t->loc.end]))
        return '-';
    diag_error(lexer->diag, t->loc, "this '-' may begin a value or be that of a difference");
    diag_note(lexer->diag, t->loc,
              "a difference has a blank on both sides or on none, `n - 1`; a negative value has "
              "parentheses, `(-1)`, or a name, `alpha=-1`");
    return UMINUS;
}

static void note_statement(Lexer *lexer, Token *t)
{
    Statement *now = &lexer->now;
    int last = lexer->last.kind;
    if (t->kind == '(' && last == NAME && lexer->last.loc.end == t->loc.begin)
        t->kind = CALL_OPEN;
    if (t->kind == '-' && !ends_operand(last))
        t->kind = UMINUS;
    else if (t->kind == '-')
        t->kind = minus(lexer, t);
    if ((last == END || last == '{' || last == ELSE || last == CASE_OPEN) &&
        t->kind != CASE_CLOSE) {
        *now = (Statement){.head = *t, .words = !begins_operand(t->kind)};
    } else if (!now->parens) {
        bool label = t->kind == ':' && same_token(&lexer->last, &now->head);
        now->words = now->words || t->kind == '=' || label ||
                     (begins_operand(t->kind) && ends_operand(last));
    }
    now->repeated = now->repeated || t->kind == X;
}

int lex_next(Lexer *lexer, Symbol *value, Loc *loc)
{
    if (lexer->first.kind) {
        *loc = lexer->first.loc;
        int kind = lexer->first.kind;
        lexer->first.kind = 0;
        return kind;
    }
    Token t = next(lexer);
    note_statement(lexer, &t);
    note_brackets(lexer, &t);
    lexer->before = lexer->last;
    lexer->last = t;
    *value = t.value;
    *loc = t.loc;
    return t.kind;
}

void lex_recover(Lexer *lexer)
{
    int token = lexer->last.kind;
    if (token == END || token == END_OF_FILE || (token == '{' && has_body(lexer->now.head.kind)))
        return;
    lexer->skip = true;
    lexer->skip_braces = token == '{' || token == CASE_OPEN;
    if (token == '{')
        lexer->open.n--;
    else if (token == CASE_OPEN)
        lexer->now = lexer->open.at[--lexer->open.n].outer;
}
