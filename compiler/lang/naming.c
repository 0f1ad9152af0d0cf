/* naming.c: applies patterns of layer names.
 *
 * A variable matches one or more characters without a dot ({v*}: with dots), as few as make the
 * rest match.  It matches only digits if the template computes with it.  A pattern also does not
 * match if a number of the template would be negative, or should become a letter and has none (a
 * to z).  {channels} in a template is the number of channels of the layer's result.
 */
#include "lang/naming.h"

#include <ctype.h>
#include <string.h>

/* With this many digits, products with the numbers of a template do not overflow. */
enum { MOST_VARIABLES = NAMING_VARIABLES, MOST_DIGITS = 11 };

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

/* The number that a match of at most MOST_DIGITS digits has. */
static int64_t digits_of(Match match)
{
    int64_t number = 0;
    for (int i = 0; i < match.n; i++)
        number = number * 10 + (match.at[i] - '0');
    return number;
}

/* Fills in the template with what matched; NULL if a number would be negative or has no letter. */
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
        if (!p->computed) {
            const Match match = matches[p->terms.at[0].which];
            buf_add(&out, match.at, (size_t)match.n);
            continue;
        }
        int64_t number = p->plus;
        for (int t = 0; t < p->terms.n; t++)
            number += p->terms.at[t].times * digits_of(matches[p->terms.at[t].which]);
        if (number < 0 || (p->letter && number > 'z' - 'a'))
            return NULL;
        if (p->letter)
            buf_putc(&out, (char)('a' + number));
        else
            buf_printf(&out, "%lld", (long long)number);
    }
    return buf_text(&out);
}

/* `size` times false, valid until the next call. */
static bool *none_failed(NamingWork *work, size_t size, Arena *arena)
{
    if (size > work->size) {
        work->size = 2 * size;
        work->failed = NEW_ARRAY(arena, bool, work->size);
    }
    memset(work->failed, 0, size * sizeof *work->failed);
    return work->failed;
}

/* What the rule turns a path into, or NULL if it does not match. */
static const char *apply(const Naming *naming, const NameRule *rule, const char *path, int channels,
                         Arena *arena)
{
    enum { LONGEST = 4096 };
    const size_t length = strlen(path);
    /* Most rules fail at their first piece. */
    const NamePiece *first = &rule->pattern.at[0];
    if (length >= LONGEST || (!first->variable && !str_starts(path, first->text)))
        return NULL;
    Matcher m = {.pattern = &rule->pattern, .path = path, .length = (int)length};
    m.failed = none_failed(naming->work, (size_t)rule->pattern.n * (length + 1), arena);
    return match_from(&m, 0, 0) ? expand(&rule->to, m.matches, channels, arena) : NULL;
}

const char *naming_path(const Naming *naming, const char *path, int channels, Arena *arena)
{
    for (int i = 0; i < naming->rules.n; i++) {
        const char *to = apply(naming, &naming->rules.at[i], path, channels, arena);
        if (to)
            return to;
    }
    return path;
}

const char *naming_param(const Naming *naming, Op op, Role role, const char *path, int channels,
                         const char **axes, Arena *arena)
{
    const RoleRule *found = NULL;
    for (int i = 0; i < naming->roles.n; i++) {
        const RoleRule *rule = &naming->roles.at[i];
        if (rule->op != op || rule->role != role)
            continue;
        const char *whole = rule->whole ? apply(naming, &rule->layer, path, channels, arena) : NULL;
        if (whole) {
            *axes = rule->axes;
            return whole;
        }
        if (!rule->whole && !found)
            found = rule;
    }
    *axes = found ? found->axes : NULL;
    return arena_printf(arena, "%s.%s", naming_path(naming, path, channels, arena),
                        found ? found->to : op_param_name(op, role));
}
