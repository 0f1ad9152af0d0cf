/* cc.c: see cc.h. */
#include "tool/cc.h"

#include <dlfcn.h>
#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

const char *cc_folder(const char *keep, const char *what, Arena *arena, Diag *d)
{
    const char *tmp = getenv("TMPDIR");
    char *made = arena_printf(arena, "%s/rnc-%s-XXXXXX", tmp && *tmp ? tmp : "/tmp", what);
    if (keep ? mkdir(keep, 0777) == 0 || errno == EEXIST : mkdtemp(made) != NULL)
        return keep ? keep : made;
    diag_file_error(d, keep ? keep : made, "cannot make the directory: %s", strerror(errno));
    return NULL;
}

const char *cc_path(const char *folder, const char *name, Arena *arena)
{
    return arena_printf(arena, "%s/%s", folder, name);
}

/* As one word of a shell's command. */
static const char *quoted(Arena *arena, const char *text)
{
    Buf out = buf_new(arena);
    buf_putc(&out, '\'');
    for (; *text; text++) {
        if (*text == '\'')
            buf_puts(&out, "'\\''");
        else
            buf_putc(&out, *text);
    }
    buf_putc(&out, '\'');
    return buf_text(&out);
}

static const char *file_of(const char *folder, const char *name, const char *ending, Arena *arena)
{
    return arena_printf(arena, "%s/%s%s", folder, name, ending);
}

bool cc_shared(const char *folder, const char *name, const char *flags, const char *libraries,
               const char *advice, Arena *arena, Diag *d)
{
    const char *cc = getenv("CC");
    const char *command =
        arena_printf(arena, "%s -O2 -shared -fPIC %s -o %s %s%s -lm", cc && *cc ? cc : "cc", flags,
                     quoted(arena, file_of(folder, name, ".so", arena)),
                     quoted(arena, file_of(folder, name, ".c", arena)), libraries);
    fflush(stdout);
    const int status = system(command);
    if (status != -1 && WIFEXITED(status) && WEXITSTATUS(status) == 0)
        return true;
    if (status != -1 &&
        (WIFSIGNALED(status) ? WTERMSIG(status) : WEXITSTATUS(status) - 128) == SIGINT) {
        diag_error(d, NO_LOC, "interrupted while the C compiler ran");
        return false;
    }
    diag_error(d, NO_LOC, "the C compiler failed: %s", command);
    diag_note(d, NO_LOC, "%s", advice);
    return false;
}

void *cc_load(const char *folder, const char *name, const char *symbol, void **handle, Arena *arena,
              Diag *d)
{
    char *path = realpath(file_of(folder, name, ".so", arena), NULL);
    *handle = path ? dlopen(path, RTLD_NOW | RTLD_LOCAL) : NULL;
    free(path);
    void *found = *handle ? dlsym(*handle, symbol) : NULL;
    if (!found) {
        const char *why = dlerror();
        diag_error(d, NO_LOC, "cannot load the compiled code%s%s", why ? ": " : "", why ? why : "");
    }
    return found;
}

void cc_remove(const char *folder, const char *name, Arena *arena)
{
    unlink(file_of(folder, name, ".c", arena));
    unlink(file_of(folder, name, ".so", arena));
}
