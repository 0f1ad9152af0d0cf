/* naming_read.c: reads the rows of a naming.
 *
 *     "layer{s}.{b}.main.conv{n}" -> "res{s+1}{b:a}_branch2{n-1:a}"
 *     "layer{s}.{b}.conv{n}"      -> "conv2d_{6*s+2*b+n}"
 *     conv.weight                 -> "kernel" hwio
 *     bn.weight "{layer*}"        -> "{layer}_scale"
 *     include keras
 */
#include "lang/naming.h"

#include "net/axes.h"

#include <ctype.h>
#include <string.h>

enum { MOST_VARIABLES = NAMING_VARIABLES, MOST_NUMBER = 1000000 };

/* ---- reading ---- */

typedef struct Reader {
    Arena *arena;
    Diag *d;
    Name text;
    int at;
    const NamePieces *pattern; /* whose variables a template may use; NULL in a pattern */
    bool good;
} Reader;

/* The place of characters in a quoted text.  Escapes shift it, but it stays inside the quotes. */
static Loc part(const Reader *r, int begin, int end)
{
    Loc loc = r->text.loc;
    int from = loc.begin + 1 + begin, to = loc.begin + 1 + end;
    return (Loc){loc.file, from < loc.end ? from : loc.end - 1, to < loc.end ? to : loc.end};
}

static void refuse(Reader *r, Loc loc, const char *what, const char *way_out)
{
    diag_error(r->d, loc, "%s", what);
    diag_note(r->d, loc, "%s", way_out);
    r->good = false;
}

static NamePiece *piece_named(const NamePieces *pieces, const char *name)
{
    for (int i = 0; i < pieces->n; i++) {
        if (pieces->at[i].variable && str_eq(pieces->at[i].text, name))
            return &pieces->at[i];
    }
    return NULL;
}

static int count_variables(const NamePieces *pieces)
{
    int n = 0;
    for (int i = 0; i < pieces->n; i++)
        n += pieces->at[i].variable;
    return n;
}

static void check_pattern_variable(Reader *r, const NamePieces *pieces, NamePiece *piece)
{
    if (piece_named(pieces, piece->text))
        refuse(r, piece->loc, "the variable stands in the pattern twice",
               "give the second one another name");
    else if (pieces->n && pieces->at[pieces->n - 1].variable)
        refuse(r, piece->loc, "two variables in a row leave open where the first one ends",
               "put text between them, or one {v*} in their place");
    piece->which = count_variables(pieces);
    if (piece->which >= MOST_VARIABLES)
        refuse(r, piece->loc, "the pattern has more than 16 variables",
               "one {v*} can match several parts with the dots between them");
}

/* A variable of the pattern that a template names; NULL after a message. */
static NamePiece *source_of(Reader *r, Loc loc, const char *name)
{
    NamePiece *source = piece_named(r->pattern, name);
    if (source)
        return source;
    Buf list = buf_new(r->arena);
    for (int i = 0; i < r->pattern->n; i++) {
        if (r->pattern->at[i].variable)
            buf_printf(&list, "%s{%s}", list.n ? ", " : "", r->pattern->at[i].text);
    }
    refuse(r, loc, arena_printf(r->arena, "the pattern has no variable '%s'", name),
           list.n ? arena_printf(r->arena, "it has %s", buf_text(&list)) : "it has none at all");
    return NULL;
}

/* The content of braces: a sum of numbers and of variables, each of which may be multiplied by a
 * number. */
typedef struct Braces {
    VEC(const char *) names;
    VEC(int64_t) times; /* [names.n] */
    int64_t plus;
    bool star, letter;
} Braces;

static void skip_blanks(Reader *r)
{
    while (r->text.text[r->at] == ' ')
        r->at++;
}

static bool take_number(Reader *r, int64_t *number)
{
    const char *text = r->text.text;
    if (!isdigit((unsigned char)text[r->at]))
        return false;
    for (*number = 0; isdigit((unsigned char)text[r->at]); r->at++)
        *number = *number < MOST_NUMBER ? *number * 10 + (text[r->at] - '0') : *number;
    return true;
}

static const char *take_name(Reader *r)
{
    const char *text = r->text.text;
    const int begin = r->at;
    if (isdigit((unsigned char)text[r->at]))
        return NULL;
    while (isalnum((unsigned char)text[r->at]) || text[r->at] == '_')
        r->at++;
    return r->at > begin ? arena_strndup(r->arena, text + begin, (size_t)(r->at - begin)) : NULL;
}

/* Reads v, 2, 2*v or v*2; v* is a variable that matches dots.  Returns false if it is none of
 * these. */
static bool take_term(Reader *r, Braces *b, int64_t sign)
{
    int64_t times = 1;
    const char *text = r->text.text, *name = take_name(r);
    skip_blanks(r);
    if (name) {
        if (text[r->at] == '*') {
            r->at++;
            skip_blanks(r);
            b->star = !take_number(r, &times);
        }
    } else if (!take_number(r, &times)) {
        return false;
    } else {
        skip_blanks(r);
        if (text[r->at] != '*') {
            b->plus += sign * times;
            return true;
        }
        r->at++;
        skip_blanks(r);
        name = take_name(r);
        if (!name)
            return false;
    }
    VEC_PUSH(r->arena, &b->names, name);
    VEC_PUSH(r->arena, &b->times, sign * times);
    return true;
}

/* Reads up to the closing brace, which is left; returns false if this may not be in braces. */
static bool take_braces(Reader *r, Braces *b)
{
    const char *text = r->text.text;
    int64_t sign = 1;
    for (;;) {
        skip_blanks(r);
        if (!take_term(r, b, sign))
            return false;
        skip_blanks(r);
        if (text[r->at] != '+' && text[r->at] != '-')
            break;
        sign = text[r->at++] == '+' ? 1 : -1;
    }
    if (strncmp(text + r->at, ":a", 2) == 0) {
        b->letter = true;
        r->at += 2;
    }
    return text[r->at] == '}' && b->names.n > 0 && b->names.n <= MOST_VARIABLES;
}

static void pattern_variable(Reader *r, const NamePieces *pieces, NamePiece *piece, const Braces *b)
{
    piece->text = b->names.at[0];
    piece->dots = b->star;
    if (b->names.n > 1 || b->times.at[0] != 1 || b->plus || b->letter)
        refuse(r, piece->loc, "a pattern does not compute",
               "the template, right of the arrow, can: {v+1}, {v-1}, {2*v+1}, {v:a}");
    else
        check_pattern_variable(r, pieces, piece);
}

static void template_variable(Reader *r, NamePiece *piece, const Braces *b)
{
    piece->plus = b->plus;
    piece->letter = b->letter;
    piece->computed = b->names.n > 1 || b->times.at[0] != 1 || b->plus || b->letter;
    piece->channels = !b->star && !piece->computed && str_eq(b->names.at[0], "channels") &&
                      !piece_named(r->pattern, "channels");
    if (piece->channels)
        return;
    if (b->star) {
        refuse(r, piece->loc, "the star belongs into the pattern",
               "left of the arrow, {v*} matches dots too; here it is {v}");
        return;
    }
    for (int i = 0; i < b->names.n; i++) {
        NamePiece *source = source_of(r, piece->loc, b->names.at[i]);
        if (!source)
            return;
        VEC_PUSH(r->arena, &piece->terms, ((NameTerm){source->which, b->times.at[i]}));
        source->number = source->number || piece->computed;
        if (source->number && source->dots) {
            refuse(r, piece->loc, "a variable that matches dots is no number",
                   "write {v} without a star in the pattern");
            return;
        }
    }
}

/* Reads {name}, {name*}, {name+1} or {2*name-1:a}; r->at is after the opening brace. */
static NamePiece read_variable(Reader *r, const NamePieces *pieces)
{
    const char *text = r->text.text;
    const int open = r->at - 1;
    NamePiece piece = {.variable = true};
    Braces b = {0};
    if (!take_braces(r, &b)) {
        while (text[r->at] && text[r->at] != '}')
            r->at++;
        refuse(r, part(r, open, r->at + (text[r->at] == '}')), "this is no variable of a naming",
               "variables are {v}, {v*} in a pattern and {v}, {v+1}, {2*v-1}, {v:a}, {v-1:a} in a "
               "template");
        return piece;
    }
    r->at++;
    piece.loc = part(r, open, r->at);
    if (r->pattern)
        template_variable(r, &piece, &b);
    else
        pattern_variable(r, pieces, &piece, &b);
    return piece;
}

static NamePieces read_pieces(Reader *r)
{
    NamePieces pieces = {0};
    const char *text = r->text.text;
    if (!*text)
        refuse(r, r->text.loc, "the text is empty", "give it a layer's path, like \"conv1\"");
    while (text[r->at] && r->good) {
        NamePiece piece = {0};
        if (text[r->at] == '{') {
            r->at++;
            piece = read_variable(r, &pieces);
        } else {
            size_t n = strcspn(text + r->at, "{");
            piece.text = arena_strndup(r->arena, text + r->at, n);
            r->at += (int)n;
        }
        VEC_PUSH(r->arena, &pieces, piece);
    }
    return pieces;
}

static bool read_rule(NameRule *rule, const NamingRow *row, Arena *arena, Diag *d)
{
    Reader pattern = {.arena = arena, .d = d, .text = row->pattern, .good = true};
    rule->pattern = read_pieces(&pattern);
    if (!pattern.good)
        return false;
    Reader to = {.arena = arena, .d = d, .text = row->to, .pattern = &rule->pattern, .good = true};
    rule->to = read_pieces(&to);
    return to.good;
}

/* The namings that a row may include, and how deeply includes are nested. */
typedef struct Includes {
    const NamingDecls *known;
    int depth;
} Includes;

static bool read_rows(Naming *naming, const Decl *decl, Includes in, Arena *arena, Diag *d);

static bool refuse_op(const NamingRow *row, Arena *arena, Diag *d)
{
    VEC(const char *) names = {0};
    Buf list = buf_new(arena);
    for (int op = 0; op < OP_COUNT; op++) {
        if (op_row((Op)op)->n_params == 0 || op_row((Op)op)->flags & INTERNAL)
            continue;
        const char *name = op_row((Op)op)->name;
        buf_printf(&list, "%s%s", names.n ? ", " : "", name);
        VEC_PUSH(arena, &names, name);
    }
    const char *near = str_nearest(row->op.text, names.at, names.n);
    diag_error(d, row->op.loc, "no operator '%s' has trained parameters%s%s%s", row->op.text,
               near ? "; did you mean '" : "", near ? near : "", near ? "'?" : "");
    diag_note(d, row->op.loc, "those that have some are %s", buf_text(&list));
    return false;
}

/* Checks that the word after the name is an order of the axes of that parameter. */
static bool check_axes(const NamingRow *row, const RoleRule *rule, Diag *d)
{
    const int rank = axes_rank(rule->op, rule->role);
    if (rank == 0) {
        diag_error(d, row->axes.loc, "'%s.%s' has one axis, and no order of axes", row->op.text,
                   row->role.text);
        diag_note(d, row->axes.loc, "conv.weight, conv_transpose.weight and dense.weight have one");
        return false;
    }
    if (axes_valid(row->axes.text, rule->op))
        return true;
    diag_error(d, row->axes.loc, "'%s' is no order of the axes of '%s.%s'", row->axes.text,
               row->op.text, row->role.text);
    diag_note(d, row->axes.loc,
              "it has the letters of '%s', each once: o is out, i is in%s; Keras has %s",
              axes_own(rule->op), rank == 4 ? ", h is height, w is width" : "",
              axes_keras(rule->op));
    return false;
}

static bool read_role(Naming *naming, const NamingRow *row, Arena *arena, Diag *d)
{
    Op op = op_reserved(row->op.text);
    const OpRow *ops = op_row(op);
    if (ops->n_params == 0)
        return refuse_op(row, arena, d);
    const char *names[P_ROLES];
    Buf list = buf_new(arena);
    for (int i = 0; i < ops->n_params; i++) {
        names[i] = ops->params[i].name;
        buf_printf(&list, "%s%s", i ? ", " : "", names[i]);
        if (str_eq(names[i], row->role.text)) {
            RoleRule rule = {.op = op,
                             .role = ops->params[i].role,
                             .whole = row->pattern.text != NULL,
                             .to = row->to.text,
                             .axes = row->axes.text};
            if (row->axes.text && !check_axes(row, &rule, d))
                return false;
            if (rule.whole && !read_rule(&rule.layer, row, arena, d))
                return false;
            if (rule.axes && str_eq(rule.axes, axes_own(op)))
                rule.axes = NULL;
            VEC_PUSH(arena, &naming->roles, rule);
            return true;
        }
    }
    const char *near = str_nearest(row->role.text, names, ops->n_params);
    diag_error(d, row->role.loc, "'%s' has no parameter '%s'%s%s%s", ops->name, row->role.text,
               near ? "; did you mean '" : "", near ? near : "", near ? "'?" : "");
    diag_note(d, row->role.loc, "it has %s", buf_text(&list));
    return false;
}

/* Reads the rows of another naming at this place. */
static bool read_include(Naming *naming, const NamingRow *row, const Includes *in, Arena *arena,
                         Diag *d)
{
    VEC(const char *) names = {0};
    if (in->depth > in->known->n) {
        diag_error(d, row->include.loc, "the naming includes itself");
        diag_note(d, row->include.loc, "one of those that include each other must not");
        return false;
    }
    for (int i = 0; i < in->known->n; i++) {
        const Decl *decl = in->known->at[i];
        if (str_eq(decl->name.text, row->include.text))
            return read_rows(naming, decl, (Includes){in->known, in->depth + 1}, arena, d);
        VEC_PUSH(arena, &names, decl->name.text);
    }
    const char *near = str_nearest(row->include.text, names.at, names.n);
    diag_error(d, row->include.loc, "there is no naming '%s'%s%s%s", row->include.text,
               near ? "; did you mean '" : "", near ? near : "", near ? "'?" : "");
    diag_note(d, row->include.loc, "include \"lib/torchvision.net\" has that of torchvision");
    return false;
}

static bool read_rows(Naming *naming, const Decl *decl, Includes in, Arena *arena, Diag *d)
{
    bool good = true;
    for (int i = 0; i < decl->rows.n; i++) {
        const NamingRow *row = &decl->rows.at[i];
        NameRule rule = {0};
        bool read;
        if (row->include.text) {
            read = read_include(naming, row, &in, arena, d);
        } else if (row->op.text) {
            read = read_role(naming, row, arena, d);
        } else {
            read = read_rule(&rule, row, arena, d);
            if (read)
                VEC_PUSH(arena, &naming->rules, rule);
        }
        good = read && good;
    }
    return good;
}

bool naming_make(Naming *naming, const Decl *decl, const NamingDecls *known, Arena *arena, Diag *d)
{
    *naming = (Naming){.name = decl->name.text, .work = NEW(arena, NamingWork)};
    return read_rows(naming, decl, (Includes){known, 0}, arena, d);
}
