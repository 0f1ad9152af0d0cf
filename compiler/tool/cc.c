/* cc.c: see cc.h.
 *
 * Compilers run in a process group of their own, so that a signal to rnc can end them with the
 * programs that they have started, whether it comes from a terminal or from kill.
 */
#include "tool/cc.h"

#include <dirent.h>
#include <dlfcn.h>
#include <errno.h>
#include <signal.h>
#include <spawn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#ifdef __linux__
#include <sys/prctl.h>
#endif
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

extern char **environ;

/* ---- signals ---- */

static const int held_signals[] = {SIGHUP, SIGINT, SIGQUIT, SIGTERM};
enum { SIGNALS = sizeof held_signals / sizeof *held_signals };

/* The state that a signal's handler needs: the group of the compilers that run, or 0, and the
 * signal that came, or 0. */
static volatile sig_atomic_t compilers, came;
static struct sigaction before[SIGNALS];

/* SIGTERM whatever came: what a shell runs in the background ignores SIGINT. */
static void end_compilers(int number)
{
    const int error = errno;
    came = number;
    if (compilers > 0)
        kill(-compilers, number == SIGQUIT ? SIGKILL : SIGTERM);
    errno = error;
}

/* Signals that are ignored (nohup) stay so. */
static void hold_signals(void)
{
    struct sigaction catching = {.sa_handler = end_compilers, .sa_flags = SA_RESTART};
    sigemptyset(&catching.sa_mask);
    came = 0;
    for (int i = 0; i < SIGNALS; i++) {
        if (sigaction(held_signals[i], NULL, &before[i]) == 0 && before[i].sa_handler == SIG_DFL)
            sigaction(held_signals[i], &catching, NULL);
    }
}

static void let_signals(void)
{
    for (int i = 0; i < SIGNALS; i++)
        sigaction(held_signals[i], &before[i], NULL);
    if (came)
        raise(came);
}

/* ---- folders ---- */

const char *cc_folder(const char *keep, const char *what, Arena *arena, Diag *d)
{
    const char *tmp = getenv("TMPDIR");
    char *made = arena_printf(arena, "%s/rnc-%s-XXXXXX", tmp && *tmp ? tmp : "/tmp", what);
    hold_signals();
    if (keep ? mkdir(keep, 0777) == 0 || errno == EEXIST : mkdtemp(made) != NULL)
        return keep ? keep : made;
    diag_file_error(d, keep ? keep : made, "cannot make the directory: %s", strerror(errno));
    let_signals();
    return NULL;
}

/* With the files in it; no folder is in it. */
static void remove_folder(const char *path)
{
    DIR *folder = opendir(path);
    for (const struct dirent *entry; folder && (entry = readdir(folder)) != NULL;)
        unlinkat(dirfd(folder), entry->d_name, 0);
    if (folder)
        closedir(folder);
    rmdir(path);
}

void cc_end(const char *folder)
{
    if (folder)
        remove_folder(folder);
    let_signals();
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

/* ---- compilers ---- */

/* Starts a shell's command in a group, or in a new one if that is 0; -1 if it cannot be started.
 * SIGTTIN and SIGTTOU are blocked, since a terminal would stop what is not in its foreground. */
static pid_t start(char *command, pid_t group)
{
    char shell[] = "sh", option[] = "-c";
    char *const words[] = {shell, option, command, NULL};
    posix_spawnattr_t how;
    sigset_t blocked, usual;
    pid_t pid = -1;
    pthread_sigmask(SIG_SETMASK, NULL, &blocked);
    sigaddset(&blocked, SIGTTIN);
    sigaddset(&blocked, SIGTTOU);
    sigemptyset(&usual);
    sigaddset(&usual, SIGTERM);
    posix_spawnattr_init(&how);
    posix_spawnattr_setflags(&how, POSIX_SPAWN_SETPGROUP | POSIX_SPAWN_SETSIGMASK |
                                       POSIX_SPAWN_SETSIGDEF);
    posix_spawnattr_setpgroup(&how, group);
    posix_spawnattr_setsigmask(&how, &blocked);
    posix_spawnattr_setsigdefault(&how, &usual);
    const int error = posix_spawn(&pid, "/bin/sh", NULL, &how, words, environ);
    posix_spawnattr_destroy(&how);
    return error ? -1 : pid;
}

/* What the compilers had started may still be removing temporaries of its own, and has a second for
 * that.  It is reaped here if rnc adopts it; a zombie would look as if it still ran. */
static void end_rest(pid_t group)
{
    enum { ENOUGH = 100 };
    const struct timespec turn = {.tv_nsec = 10000000};
    for (int i = 0; i < 2 * ENOUGH; i++) {
        while (waitpid(-group, NULL, WNOHANG) > 0)
            continue;
        if (kill(-group, i == ENOUGH ? SIGKILL : 0) != 0)
            return;
        nanosleep(&turn, NULL);
    }
}

/* Whether programs whose parent has ended become children of rnc. */
static void adopt(bool on)
{
#ifdef PR_SET_CHILD_SUBREAPER
    prctl(PR_SET_CHILD_SUBREAPER, (unsigned long)on, 0UL, 0UL, 0UL);
#else
    (void)on;
#endif
}

/* Runs commands at once, and sets their status as waitpid() gives it; -1 of one that did not
 * start.  Returns false if a signal came to rnc: then they are ended. */
static bool run_all(char *const *commands, int n, int *status, Arena *arena)
{
    pid_t *pids = NEW_ARRAY(arena, pid_t, n);
    adopt(true);
    for (int i = 0; i < n; i++) {
        pids[i] = came ? -1 : start(commands[i], compilers);
        if (compilers == 0 && pids[i] > 0)
            compilers = pids[i];
        if (came && compilers > 0) /* as this one started */
            kill(-compilers, SIGTERM);
    }
    for (int i = 0; i < n; i++) {
        status[i] = -1;
        while (pids[i] > 0 && waitpid(pids[i], &status[i], 0) < 0 && errno == EINTR)
            continue;
    }
    const pid_t group = compilers;
    compilers = 0;
    if (came && group > 0)
        end_rest(group);
    adopt(false);
    return !came;
}

bool cc_shared(const char *folder, const char *const *names, int n, const char *flags,
               const char *libraries, const char *advice, Arena *arena, Diag *d)
{
    const char *cc = getenv("CC");
    char **commands = NEW_ARRAY(arena, char *, n);
    int *status = NEW_ARRAY(arena, int, n), bad = 0;
    for (int i = 0; i < n; i++)
        commands[i] =
            arena_printf(arena, "%s -O2 -shared -fPIC %s -o %s %s%s -lm", cc && *cc ? cc : "cc",
                         flags, quoted(arena, file_of(folder, names[i], ".so", arena)),
                         quoted(arena, file_of(folder, names[i], ".c", arena)), libraries);
    fflush(stdout);
    if (!run_all(commands, n, status, arena))
        return false;
    while (bad < n && status[bad] == 0)
        bad++;
    if (bad == n)
        return true;
    const int first = status[bad];
    if (first != -1 &&
        (WIFSIGNALED(first) ? WTERMSIG(first) : WEXITSTATUS(first) - 128) == SIGINT) {
        diag_error(d, NO_LOC, "interrupted while the C compiler ran");
        return false;
    }
    diag_error(d, NO_LOC, "the C compiler failed: %s", commands[bad]);
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
