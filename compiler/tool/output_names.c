/* output_names.c: what the outputs are called, as files and in C. */
#include "emit/identifiers.h"
#include "tool/options.h"

#include <string.h>

static const char *base_name(const char *path)
{
    const char *slash = strrchr(path, '/');
    return slash ? slash + 1 : path;
}

bool names_of_outputs(Options *o, Arena *arena, Diag *d, const char **base)
{
    const char *from = o->output ? o->output : base_name(o->compile.input);
    const char *dot = strrchr(base_name(from), '.');
    if (o->output && (!dot || !str_eq(dot, ".c"))) {
        diag_error(d, NO_LOC, "the output's name must end in .c, and '%s' does not", o->output);
        return false;
    }
    *base = dot && dot != base_name(from) ? arena_strndup(arena, from, (size_t)(dot - from)) : from;
    const char *stem = base_name(*base);
    if (!*stem || *stem == '.') {
        diag_error(d, NO_LOC, "'%s' leaves no name for the network", from);
        diag_note(d, NO_LOC, "-o NAME.c gives one");
        return false;
    }
    for (const char *c = stem; *c; c++) {
        if (*c == '"' || *c == '\\' || (unsigned char)*c < ' ') {
            diag_error(d, NO_LOC, "'%s' cannot stand in an #include: use another name", stem);
            return false;
        }
    }
    EmitOptions *e = &o->compile.emit;
    e->name = c_identifier(arena, o->name ? o->name : stem, "net_");
    if (o->name && !str_eq(e->name, o->name)) {
        diag_error(d, NO_LOC, "'%s' cannot be a name in C: use another", o->name);
        return false;
    }
    e->source = arena_printf(arena, "%s.c", stem);
    /* <string.h> would find string.h in the network's folder. */
    e->header = arena_printf(arena, is_header_name(stem) ? "net_%s.h" : "%s.h", stem);
    e->weights_file = arena_printf(arena, "%s.weights", stem);
    return true;
}

const char *default_output(const Options *o, const char *ending, Arena *arena)
{
    const char *base = base_name(o->compile.input), *dot = strrchr(base, '.');
    const size_t n = dot && dot > base ? (size_t)(dot - base) : strlen(base);
    return arena_printf(arena, "%.*s%s", (int)n, base, ending);
}

const char *output_ending(const Options *o, const char *ending, Arena *arena, Diag *d)
{
    if (!o->output)
        return default_output(o, ending, arena);
    if (str_ends(o->output, ending))
        return o->output;
    diag_error(d, NO_LOC, "the output's name must end in %s, and '%s' does not", ending, o->output);
    return NULL;
}
