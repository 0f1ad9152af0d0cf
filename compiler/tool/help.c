/* help.c: the help of each command, from the rows of options.def. */
#include "tool/options_parts.h"

#include <string.h>

/* The first lines; those of compile name the other commands as well. */
static void put_head(Buf *out, Command command)
{
    enum { COLUMN = 40 };
    const CommandRow *row = &command_rows[command];
    buf_printf(out, command == COMMAND_compile ? "usage: rnc [%s]" : "usage: rnc %s", row->name);
    buf_printf(out, "%s%s\n", *row->usage ? " " : "", row->usage);
    for (int i = 0; command == COMMAND_compile && i < COMMANDS; i++) {
        const CommandRow *other = &command_rows[i];
        const size_t begin = out->n;
        if (i == COMMAND_compile)
            continue;
        buf_printf(out, "       rnc %s %s", other->name, other->brief);
        buf_printf(out, "%*s%s\n", COLUMN + 3 - (int)(out->n - begin), "", other->what);
    }
    buf_printf(out, "\n%s", row->doc);
}

static void put_option(Buf *out, const OptionRow *row)
{
    enum { COLUMN = 28 };
    const size_t begin = out->n;
    buf_puts(out, "  ");
    if (row->letter)
        buf_printf(out, "-%c, ", row->letter);
    buf_printf(out, "%s%s%s%s", option_dashes(row), row->word, row->argument ? " " : "",
               row->argument ? row->argument : "");
    if (out->n - begin + 2 > COLUMN)
        buf_printf(out, "\n%*s", COLUMN, "");
    else
        buf_printf(out, "%*s", COLUMN - (int)(out->n - begin), "");
    for (const char *c = row->doc; *c; c++) {
        if (*c == '\n')
            buf_printf(out, "\n%*s", COLUMN, "");
        else
            buf_putc(out, *c);
    }
    buf_putc(out, '\n');
}

void options_help(Buf *out, Command command)
{
    put_head(out, command);
    for (int i = 0; i < option_count; i++) {
        const OptionRow *row = &option_rows[i];
        if (!option_belongs(row, command))
            continue;
        if (row->section)
            buf_printf(out, "\n%s\n", row->section);
        else
            put_option(out, row);
    }
}
