/* output.c: see output.h.
 *
 * Each file is written to a temporary beside it, which holds a lock while rnc lives: one that
 * nobody has locked was left by a run that was killed, and is removed.  Before the renames,
 * each old file gets a second name, so that a rename that fails can be taken back.  Signals
 * are held back from the first rename to the last; at other times they remove the temporaries
 * before they end the program.
 */
#include "tool/output.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/file.h>
#include <sys/random.h>
#include <sys/stat.h>
#include <unistd.h>

enum { RANDOM_BYTES = 8 };
static const char temporary_end[] = ".rnc-tmp";

/* The state of one output while it is being written. */
typedef struct Pending {
    const OutputFile *file;
    char *temporary; /* NULL where there is none: the file is as it should be already */
    char *backup;    /* the old file's second name, or NULL */
    int fd, old;     /* of the temporary and of the old file, locked; or -1 */
    bool renamed;
} Pending;

/* ---- signals ---- */

static const int ending_signals[] = {SIGHUP, SIGINT, SIGQUIT, SIGPIPE, SIGALRM, SIGTERM};
enum { SIGNALS = sizeof ending_signals / sizeof *ending_signals };

/* The state that a signal's handler needs: the names that are to be removed, or NULL. */
static const char *volatile *volatile to_remove;
static volatile sig_atomic_t to_remove_most;
static struct sigaction before[SIGNALS];

static void remove_and_end(int number)
{
    for (int i = 0; i < to_remove_most; i++) {
        if (to_remove[i])
            unlink(to_remove[i]);
    }
    signal(number, SIG_DFL);
    raise(number);
}

/* Signals that are ignored (nohup) stay so. */
static void catch_signals(int n, Arena *arena)
{
    to_remove = NEW_ARRAY(arena, const char *volatile, n);
    to_remove_most = n;
    struct sigaction catching = {.sa_handler = remove_and_end};
    sigemptyset(&catching.sa_mask);
    for (int i = 0; i < SIGNALS; i++) {
        if (sigaction(ending_signals[i], NULL, &before[i]) == 0 && before[i].sa_handler == SIG_DFL)
            sigaction(ending_signals[i], &catching, NULL);
    }
}

static void let_signals(void)
{
    for (int i = 0; i < SIGNALS; i++)
        sigaction(ending_signals[i], &before[i], NULL);
    to_remove_most = 0;
}

static void hold_signals(sigset_t *old)
{
    sigset_t held;
    sigemptyset(&held);
    for (int i = 0; i < SIGNALS; i++)
        sigaddset(&held, ending_signals[i]);
    sigprocmask(SIG_BLOCK, &held, old);
}

/* ---- what is there ---- */

static bool same_file(const char *a, const char *b)
{
    struct stat x, y;
    return stat(a, &x) == 0 && stat(b, &y) == 0 && x.st_dev == y.st_dev && x.st_ino == y.st_ino;
}

static bool may_write(const OutputFile *file, const char *const *inputs, int n, Diag *d)
{
    struct stat s;
    if (stat(file->path, &s) == 0 && !S_ISREG(s.st_mode)) {
        diag_file_error(d, file->path, "cannot write the output: %s",
                        S_ISDIR(s.st_mode) ? "it is a directory" : "it is not an ordinary file");
        return false;
    }
    for (int i = 0; i < n; i++) {
        if (same_file(file->path, inputs[i])) {
            diag_file_error(d, file->path, "the output would overwrite an input, '%s'", inputs[i]);
            diag_file_note(d, file->path, "choose another name with -o");
            return false;
        }
    }
    return true;
}

/* Whether the file has these bytes already. */
static bool is_current(const OutputFile *file)
{
    struct stat s;
    char chunk[1 << 16];
    const char *at = file->bytes;
    size_t left = file->size;
    const int fd = open(file->path, O_RDONLY | O_CLOEXEC);
    if (fd < 0)
        return false;
    bool same = fstat(fd, &s) == 0 && (uintmax_t)s.st_size == left;
    while (same && left > 0) {
        const ssize_t n = read(fd, chunk, sizeof chunk);
        same = n > 0 && (size_t)n <= left && memcmp(chunk, at, (size_t)n) == 0;
        if (same)
            at += n, left -= (size_t)n;
    }
    close(fd);
    return same;
}

/* ---- temporaries ---- */

static const char *base_name(const char *path)
{
    const char *slash = strrchr(path, '/');
    return slash ? slash + 1 : path;
}

/* "PATH.RANDOM.rnc-tmp", which the second name of an old file has as well. */
static bool is_temporary_of(const char *name, const char *path)
{
    const char *base = base_name(path);
    const size_t n = strlen(base), end = strlen(temporary_end), length = strlen(name);
    return length == n + 1 + 2 * RANDOM_BYTES + end && strncmp(name, base, n) == 0 &&
           name[n] == '.' && strcmp(name + length - end, temporary_end) == 0 &&
           strspn(name + n + 1, "0123456789abcdef") == 2 * RANDOM_BYTES;
}

static char *temporary_name(Arena *arena, const char *path)
{
    unsigned char bytes[RANDOM_BYTES];
    char text[2 * RANDOM_BYTES + 1];
    const uint64_t pid = (uint64_t)getpid();
    if (getentropy(bytes, sizeof bytes) != 0)
        memcpy(bytes, &pid, sizeof bytes); /* O_EXCL still keeps runs apart */
    for (int i = 0; i < RANDOM_BYTES; i++)
        snprintf(text + 2 * i, 3, "%02x", bytes[i]);
    return arena_printf(arena, "%s.%s%s", path, text, temporary_end);
}

/* Removes temporaries of `path` that a killed run left: nobody holds their locks. */
static void remove_dead(const char *path, Arena *arena)
{
    const int n = (int)(base_name(path) - path);
    DIR *folder = opendir(n ? arena_strndup(arena, path, (size_t)n) : ".");
    for (const struct dirent *entry; folder && (entry = readdir(folder)) != NULL;) {
        if (!is_temporary_of(entry->d_name, path))
            continue;
        const char *name = arena_printf(arena, "%.*s%s", n, path, entry->d_name);
        const int fd = open(name, O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK);
        if (fd >= 0 && flock(fd, LOCK_EX | LOCK_NB) == 0)
            unlink(name);
        if (fd >= 0)
            close(fd);
    }
    if (folder)
        closedir(folder);
}

/* False with errno set. */
static bool write_all(int fd, const char *at, size_t size)
{
    const size_t most = (size_t)1 << 30;
    while (size > 0) {
        const ssize_t n = write(fd, at, size < most ? size : most);
        if (n < 0 && errno != EINTR)
            return false;
        if (n > 0)
            at += n, size -= (size_t)n;
    }
    return true;
}

/* False with errno set; the temporary is removed with the others. */
static bool write_temporary(Pending *p, Arena *arena, const char *volatile *remove_it)
{
    p->temporary = temporary_name(arena, p->file->path);
    p->fd = open(p->temporary, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0666);
    if (p->fd < 0) {
        p->temporary = NULL;
        return false;
    }
    *remove_it = p->temporary;
    flock(p->fd, LOCK_EX | LOCK_NB); /* where there are no locks, nothing is removed either */
    return write_all(p->fd, p->file->bytes, p->file->size);
}

/* ---- renames ---- */

/* Gives the old file, if there is one, a second name. */
static bool keep_old(Pending *p, Arena *arena)
{
    struct stat s;
    if (lstat(p->file->path, &s) != 0)
        return true;
    char *name = temporary_name(arena, p->file->path);
    p->old = open(p->file->path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
    if (p->old >= 0)
        flock(p->old, LOCK_EX | LOCK_NB);
    if (link(p->file->path, name) != 0 && rename(p->file->path, name) != 0)
        return false;
    p->backup = name;
    return true;
}

/* Renames all or none; *failed is the one that failed, and errno says why. */
static bool rename_all(Pending *pending, int n, Arena *arena, const Pending **failed)
{
    for (int i = 0; i < n; i++) {
        Pending *p = &pending[i];
        *failed = p;
        if (!p->temporary)
            continue;
        if (!keep_old(p, arena) || rename(p->temporary, p->file->path) != 0)
            return false;
        p->renamed = true;
    }
    return true;
}

static void take_back(Pending *pending, int n)
{
    for (int i = 0; i < n; i++) {
        Pending *p = &pending[i];
        if (p->backup)
            rename(p->backup, p->file->path);
        else if (p->renamed)
            unlink(p->file->path);
        /* A link onto itself stays where it is. */
        if (p->backup)
            unlink(p->backup);
    }
}

static bool replace_all(Pending *pending, int n, Arena *arena, Diag *d)
{
    sigset_t old;
    const Pending *failed = pending;
    hold_signals(&old);
    const bool good = rename_all(pending, n, arena, &failed);
    if (!good) {
        diag_file_error(d, failed->file->path, "cannot write the output: %s", strerror(errno));
        take_back(pending, n);
    }
    for (int i = 0; i < n; i++) {
        if (good && pending[i].backup)
            unlink(pending[i].backup);
        if (pending[i].temporary && !pending[i].renamed)
            unlink(pending[i].temporary);
    }
    let_signals();
    sigprocmask(SIG_SETMASK, &old, NULL);
    return good;
}

bool outputs_write(const OutputFile *files, int n, const char *const *inputs, int n_inputs,
                   Arena *arena, Diag *d)
{
    Pending *pending = NEW_ARRAY(arena, Pending, n);
    bool good = true;
    for (int i = 0; i < n; i++) {
        pending[i] = (Pending){.file = &files[i], .fd = -1, .old = -1};
        if (!may_write(&files[i], inputs, n_inputs, d))
            return false;
    }
    catch_signals(n, arena);
    for (int i = 0; i < n && good; i++) {
        remove_dead(files[i].path, arena);
        good = is_current(&files[i]) || write_temporary(&pending[i], arena, &to_remove[i]);
        if (!good)
            diag_file_error(d, files[i].path, "cannot write the output: %s", strerror(errno));
    }
    if (good) {
        good = replace_all(pending, n, arena, d);
    } else {
        for (int i = 0; i < n; i++) {
            if (pending[i].temporary)
                unlink(pending[i].temporary);
        }
        let_signals();
    }
    for (int i = 0; i < n; i++) {
        if (pending[i].fd >= 0)
            close(pending[i].fd);
        if (pending[i].old >= 0)
            close(pending[i].old);
    }
    return good;
}
