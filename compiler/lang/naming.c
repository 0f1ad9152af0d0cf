/* naming.c: patterns of layer names, read and applied.
 *
 *     "layer{s}.{b}.main.conv{n}" -> "res{s+1}{b:a}_branch2{n-1:a}"
 *     conv.weight -> "kernel" hwio
 *
 * A variable matches one or more characters without a dot ({v*}: with dots), as
 * few as make the rest match; digits alone if the template computes with it.  A
 * pattern also does not match where a template's number would be negative or has
 * no letter (a to z).  {channels} of a template are those of the layer's result.
 */
#include "lang/naming.h"

#include "net/axes.h"

#include <ctype.h>
#include <string.h>

enum { MOST_VARIABLES = 16, MOST_DIGITS = 17, MOST_PLUS = 1000000 };

/* ---- reading ---- */

typedef struct Reader {
    Arena *arena;
    Diag *d;
    Name text;
    int at;
    const NamePieces *pattern; /* whose variables a template may name; NULL: this is one */
    bool good;
} Reader;

/* The place of characters of a text in quotes.  Escapes move it; it stays inside
 * the quotes. */
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
    if (piece->plus || piece->letter)
        refuse(r, piece->loc, "a pattern does not compute",
               "the template, right of the arrow, can: {v+1}, {v-1}, {v:a}");
    else if (piece_named(pieces, piece->text))
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

static void check_template_variable(Reader *r, NamePiece *piece)
{
    NamePiece *source = piece_named(r->pattern, piece->text);
    if (!source && str_eq(piece->text, "channels") && !piece->dots && !piece->plus &&
        !piece->letter) {
        piece->channels = true;
    } else if (piece->dots) {
        refuse(r, piece->loc, "the star belongs into the pattern",
               "left of the arrow, {v*} matches dots too; here it is {v}");
    } else if (!source) {
        Buf list = buf_new(r->arena);
        for (int i = 0; i < r->pattern->n; i++) {
            if (r->pattern->at[i].variable)
                buf_printf(&list, "%s{%s}", list.n ? ", " : "", r->pattern->at[i].text);
        }
        refuse(
            r, piece->loc, arena_printf(r->arena, "the pattern has no variable '%s'", piece->text),
            list.n ? arena_printf(r->arena, "it has %s", buf_text(&list)) : "it has none at all");
    } else {
        piece->which = source->which;
        source->number = source->number || piece->plus || piece->letter;
        if (source->number && source->dots)
            refuse(r, piece->loc, "a variable that matches dots is no number",
                   "write {v} without a star in the pattern");
    }
}

/* {name}, {name*}, {name+1}, {name-1:a}; r->at is behind the brace. */
static NamePiece read_variable(Reader *r)
{
    const char *text = r->text.text;
    int open = r->at - 1, begin = r->at;
    while (isalnum((unsigned char)text[r->at]) || text[r->at] == '_')
        r->at++;
    NamePiece piece = {.variable = true};
    piece.text = arena_strndup(r->arena, text + begin, (size_t)(r->at - begin));
    bool named = r->at > begin && !isdigit((unsigned char)text[begin]);
    if (text[r->at] == '*') {
        piece.dots = true;
        r->at++;
    }
    if (text[r->at] == '+' || text[r->at] == '-') {
        int sign = text[r->at++] == '+' ? 1 : -1;
        named = named && isdigit((unsigned char)text[r->at]);
        while (isdigit((unsigned char)text[r->at]) && piece.plus < MOST_PLUS)
            piece.plus = piece.plus * 10 + (text[r->at++] - '0');
        piece.plus *= sign;
    }
    if (strncmp(text + r->at, ":a", 2) == 0) {
        piece.letter = true;
        r->at += 2;
    }
    if (!named || text[r->at] != '}') {
        while (text[r->at] && text[r->at] != '}')
            r->at++;
        refuse(r, part(r, open, r->at + (text[r->at] == '}')), "this is no variable of a naming",
               "variables are {v}, {v*} in a pattern and {v}, {v+1}, {v-1}, {v:a}, {v-1:a} in a "
               "template");
    }
    if (text[r->at] == '}')
        r->at++;
    piece.loc = part(r, open, r->at);
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
            piece = read_variable(r);
            if (!r->good)
                break;
            if (r->pattern)
                check_template_variable(r, &piece);
            else
                check_pattern_variable(r, &pieces, &piece);
        } else {
            size_t n = strcspn(text + r->at, "{");
            piece.text = arena_strndup(r->arena, text + r->at, n);
            r->at += (int)n;
        }
        VEC_PUSH(r->arena, &pieces, piece);
    }
    return pieces;
}

static bool read_rule(Naming *naming, const NamingRow *row, Arena *arena, Diag *d)
{
    NameRule rule = {0};
    Reader pattern = {.arena = arena, .d = d, .text = row->pattern, .good = true};
    rule.pattern = read_pieces(&pattern);
    if (!pattern.good)
        return false;
    Reader to = {.arena = arena, .d = d, .text = row->to, .pattern = &rule.pattern, .good = true};
    rule.to = read_pieces(&to);
    if (!to.good)
        return false;
    VEC_PUSH(arena, &naming->rules, rule);
    return true;
}

static bool refuse_op(const NamingRow *row, Arena *arena, Diag *d)
{
    VEC(const char *) names = {0};
    Buf list = buf_new(arena);
    for (int op = 0; op < OP_COUNT; op++) {
        if (op_row((Op)op)->n_params == 0)
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

/* The word behind the name is an order of the axes of that parameter. */
static bool check_axes(const NamingRow *row, const RoleRule *rule, Diag *d)
{
    const int rank = axes_rank(rule->op, rule->role);
    if (rank == 0) {
        diag_error(d, row->axes.loc, "'%s.%s' has one axis, and no order of axes", row->op.text,
                   row->role.text);
        diag_note(d, row->axes.loc, "conv.weight and dense.weight have one");
        return false;
    }
    if (axes_valid(row->axes.text, rank))
        return true;
    diag_error(d, row->axes.loc, "'%s' is no order of the axes of '%s.%s'", row->axes.text,
               row->op.text, row->role.text);
    diag_note(d, row->axes.loc, "it has the letters of '%s', each once: o is out, i is in%s; %s",
              axes_own(rank), rank == 4 ? ", h is height, w is width" : "",
              rank == 4 ? "Keras has hwio" : "Keras has io");
    return false;
}

static bool read_role(Naming *naming, const NamingRow *row, Arena *arena, Diag *d)
{
    Op op = op_named(row->op.text);
    const OpRow *ops = op_row(op);
    if (ops->n_params == 0)
        return refuse_op(row, arena, d);
    const char *names[P_ROLES];
    Buf list = buf_new(arena);
    for (int i = 0; i < ops->n_params; i++) {
        names[i] = ops->params[i].name;
        buf_printf(&list, "%s%s", i ? ", " : "", names[i]);
        if (str_eq(names[i], row->role.text)) {
            RoleRule rule = {op, ops->params[i].role, row->to.text, row->axes.text};
            if (row->axes.text && !check_axes(row, &rule, d))
                return false;
            if (rule.axes && str_eq(rule.axes, axes_own(axes_rank(op, rule.role))))
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

bool naming_make(Naming *naming, const Decl *decl, Arena *arena, Diag *d)
{
    *naming = (Naming){.name = decl->name.text};
    bool good = true;
    for (int i = 0; i < decl->rows.n; i++) {
        const NamingRow *row = &decl->rows.at[i];
        bool read =
            row->pattern.text ? read_rule(naming, row, arena, d) : read_role(naming, row, arena, d);
        good = read && good;
    }
    return good;
}

/* ---- applying ---- */

/* What a variable of the pattern matched. */
typedef struct Match {
    const char *at;
    int n;
} Match;

typedef struct Matcher {
    const NamePieces *pattern;
    const char *path;
    int length;
    bool *failed; /* [piece][character]: nothing matches from there */
    Match matches[MOST_VARIABLES];
} Matcher;

static bool match_from(Matcher *m, int piece, int at)
{
    if (piece == m->pattern->n)
        return at == m->length;
    bool *failed = &m->failed[piece * (m->length + 1) + at];
    if (*failed)
        return false;
    const NamePiece *p = &m->pattern->at[piece];
    if (!p->variable) {
        int n = (int)strlen(p->text);
        if (n <= m->length - at && memcmp(m->path + at, p->text, (size_t)n) == 0 &&
            match_from(m, piece + 1, at + n))
            return true;
    }
    for (int n = 1; p->variable && n <= m->length - at; n++) {
        char c = m->path[at + n - 1];
        if ((c == '.' && !p->dots) ||
            (p->number && (!isdigit((unsigned char)c) || n > MOST_DIGITS)))
            break;
        m->matches[p->which] = (Match){m->path + at, n};
        if (match_from(m, piece + 1, at + n))
            return true;
    }
    *failed = true;
    return false;
}

/* Of digits alone, MOST_DIGITS at most. */
static int64_t digits_of(Match match)
{
    int64_t number = 0;
    for (int i = 0; i < match.n; i++)
        number = number * 10 + (match.at[i] - '0');
    return number;
}

/* The template with what matched, or NULL where it has no letter or number. */
static const char *expand(const NamePieces *to, const Match *matches, int channels, Arena *arena)
{
    Buf out = buf_new(arena);
    for (int i = 0; i < to->n; i++) {
        const NamePiece *p = &to->at[i];
        if (!p->variable) {
            buf_puts(&out, p->text);
            continue;
        }
        if (p->channels) {
            buf_printf(&out, "%d", channels);
            continue;
        }
        Match match = matches[p->which];
        if (!p->plus && !p->letter) {
            buf_add(&out, match.at, (size_t)match.n);
            continue;
        }
        int64_t number = p->plus + digits_of(match);
        if (number < 0 || (p->letter && number > 'z' - 'a'))
            return NULL;
        if (p->letter)
            buf_putc(&out, (char)('a' + number));
        else
            buf_printf(&out, "%lld", (long long)number);
    }
    return buf_text(&out);
}

const char *naming_path(const Naming *naming, const char *path, int channels, Arena *arena)
{
    enum { LONGEST = 4096 };
    size_t length = strlen(path);
    for (int i = 0; length < LONGEST && i < naming->rules.n; i++) {
        const NameRule *rule = &naming->rules.at[i];
        Matcher m = {.pattern = &rule->pattern, .path = path, .length = (int)length};
        /* Most rules fail at their first piece, before memory is of use. */
        const NamePiece *first = &rule->pattern.at[0];
        if (!first->variable && !str_starts(path, first->text))
            continue;
        m.failed = NEW_ARRAY(arena, bool, (size_t)rule->pattern.n *(length + 1));
        const char *to =
            match_from(&m, 0, 0) ? expand(&rule->to, m.matches, channels, arena) : NULL;
        if (to)
            return to;
    }
    return path;
}

const char *naming_role(const Naming *naming, Op op, Role role, const char **axes)
{
    for (int i = 0; i < naming->roles.n; i++) {
        const RoleRule *rule = &naming->roles.at[i];
        if (rule->op == op && rule->role == role) {
            *axes = rule->axes;
            return rule->to;
        }
    }
    *axes = NULL;
    return op_param_name(op, role);
}
