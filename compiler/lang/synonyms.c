/* synonyms.c: see synonyms.h. */
#include "lang/synonyms.h"

#include "net/ops.h"

#include <ctype.h>
#include <string.h>

static const Synonym operators[] = {
#define OPERATOR(names, here, note) {names, here, note},
#include "lang/synonyms.def"
};
static const Synonym attributes[] = {
#define ATTRIBUTE(names, here, note) {names, here, note},
#include "lang/synonyms.def"
};
enum {
    N_OPERATORS = sizeof operators / sizeof *operators,
    N_ATTRIBUTES = sizeof attributes / sizeof *attributes
};

/* The name in lower case, without `_`, and without 1d, 2d or 3d at the end. */
static const char *folded(const char *name, Arena *arena)
{
    Buf out = buf_new(arena);
    for (; *name; name++) {
        if (*name != '_')
            buf_putc(&out, (char)tolower((unsigned char)*name));
    }
    char *text = arena_strdup(arena, buf_text(&out));
    size_t n = strlen(text);
    if (n > 2 && text[n - 1] == 'd' && text[n - 2] >= '1' && text[n - 2] <= '3')
        text[n - 2] = '\0';
    return text;
}

static bool has_name(const char *names, const char *name)
{
    size_t n = strlen(name);
    for (const char *at = names; n && *at;) {
        size_t length = strcspn(at, " ");
        if (length == n && memcmp(at, name, n) == 0)
            return true;
        at += length;
        at += strspn(at, " ");
    }
    return false;
}

static const Synonym *find(const Synonym *rows, int n, const char *name, Arena *arena)
{
    const char *wanted = folded(name, arena);
    for (int i = 0; i < n; i++) {
        if (has_name(rows[i].names, wanted))
            return &rows[i];
    }
    return NULL;
}

const Synonym *synonym_operator(const char *name, Arena *arena)
{
    const Synonym *row = find(operators, N_OPERATORS, name, arena);
    /* ReLU and MaxPool2d differ from an operator's own name only in spelling. */
    for (int op = 0; op < OP_COUNT && !row; op++) {
        const char *own = op_row((Op)op)->name;
        if (op_row((Op)op)->flags & INTERNAL || !str_eq(folded(own, arena), folded(name, arena)))
            continue;
        Synonym *itself = NEW(arena, Synonym);
        *itself = (Synonym){own, own, NULL};
        row = itself;
    }
    return row;
}

const Synonym *synonym_attribute(const char *name, Arena *arena)
{
    return find(attributes, N_ATTRIBUTES, name, arena);
}

const Synonym *synonym_operator_row(int i)
{
    return i < N_OPERATORS ? &operators[i] : NULL;
}

const Synonym *synonym_attribute_row(int i)
{
    return i < N_ATTRIBUTES ? &attributes[i] : NULL;
}
