/* machine_option.c: what --machine means: a row of machine.def, this machine, or numbers. */
#include "tool/native.h"
#include "tool/options_parts.h"

#include <string.h>

/* The machine of a word; NULL: none has that name. */
static const Machine *by_name(Parser *p, const char *word)
{
    const bool again = str_eq(word, "measure");
    if (again || str_eq(word, "native")) {
        p->o->native = true;
        return native_machine(again, p->arena);
    }
    for (int i = 0; i < MACHINE_COUNT; i++) {
        if (str_eq(word, machine_rows[i].name))
            return &machine_rows[i];
    }
    return NULL;
}

static void unknown(Parser *p, const char *word)
{
    const char *names[MACHINE_COUNT + 2];
    Buf list = buf_new(p->arena);
    for (int i = 0; i < MACHINE_COUNT; i++)
        names[i] = machine_rows[i].name;
    names[MACHINE_COUNT] = "native";
    names[MACHINE_COUNT + 1] = "measure";
    for (int i = 0; i < MACHINE_COUNT + 2; i++)
        buf_printf(&list, "%s%s", i == 0 ? "" : i == MACHINE_COUNT + 1 ? " or " : ", ", names[i]);
    const char *nearest = str_nearest(word, names, MACHINE_COUNT + 2);
    diag_error(p->d, NO_LOC, "'%s' is no value for %s%s%s%s", word, p->option,
               nearest ? "; did you mean '" : "", nearest ? nearest : "", nearest ? "'?" : "");
    diag_note(p->d, NO_LOC, "%s takes %s, and numbers with it or without, as in avx512=165,l2=130",
              p->option, buf_text(&list));
}

bool option_machine(Parser *p, const char *value)
{
    const char *numbers = value, *word, *why;
    const Machine *named = &machine_rows[MACHINE_generic];
    const size_t n = strcspn(value, ",");
    if (!memchr(value, '=', n)) {
        const char *name = arena_strndup(p->arena, value, n);
        named = by_name(p, name);
        if (!named) {
            unknown(p, name);
            return false;
        }
        numbers = value[n] ? value + n + 1 : NULL;
    }
    if (numbers) {
        Machine *machine = NEW(p->arena, Machine);
        *machine = *named;
        if (!machine_read(numbers, machine, p->arena, &word, &why)) {
            diag_error(p->d, NO_LOC, "'%s' is no number of a machine for %s", word, p->option);
            diag_note(p->d, NO_LOC, "%s", why);
            return false;
        }
        named = machine;
    }
    p->o->compile.plan.machine = named;
    return true;
}
