/* main.c: the program: the command line in, messages and the exit status out. */
#include "tool/commands.h"

#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>

static int dispatch(Options *o, Arena *arena, SrcMap *src, Diag *d)
{
    static int (*const commands[COMMANDS])(Options *, Arena *, SrcMap *, Diag *) = {
#define COMMAND(id, letter, usage, brief, what, doc) id##_command,
#include "tool/options.def"
    };
    return commands[o->command](o, arena, src, d);
}

/* The command's word and a blank; nothing for the one that needs none. */
static const char *word_of(Command command)
{
    static const char *const words[COMMANDS] = {
#define COMMAND(id, letter, usage, brief, what, doc) #id " ",
#include "tool/options.def"
    };
    return command == COMMAND_compile ? "" : words[command];
}

static int run(int argc, char **argv, Arena *arena)
{
    SrcMap src = {.arena = arena};
    Diag d = diag_new(&src, arena);
    Options o;
    int status;
    if (!options_parse(&o, argc, argv, arena, &d)) {
        diag_note(&d, NO_LOC, "'rnc %s--help' says how it is used", word_of(o.command));
        status = EXIT_USAGE;
    } else if (o.help) {
        Buf text = buf_new(arena);
        options_help(&text, o.command);
        print_text(&text);
        status = EXIT_GOOD;
    } else if (o.version) {
        puts("rnc " RNC_VERSION);
        status = EXIT_GOOD;
    } else {
        status = dispatch(&o, arena, &src, &d);
    }
    fputs(buf_text(&d.out), stderr);
    if (fflush(stdout) != 0 || ferror(stdout)) {
        fprintf(stderr, "rnc: error: cannot write to standard output: %s\n", strerror(errno));
        status = status ? status : EXIT_USER;
    }
    return status;
}

int main(int argc, char **argv)
{
    jmp_buf oom;
    Arena *arena = arena_new(&oom);
    int status = EXIT_USER;
    /* A file beyond the limit is a write that fails, and is cleaned up after. */
    signal(SIGXFSZ, SIG_IGN);
    if (arena && setjmp(oom) == 0)
        status = run(argc, argv, arena);
    else
        fputs("rnc: error: out of memory\n", stderr);
    arena_free(arena);
    return status;
}
