/* output.c: see output.h. */
#include "tool/output.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

/* The temporary name is the pid's, so that two runs do not meet. */
static char *temporary_name(Arena *arena, const char *path)
{
    return arena_printf(arena, "%s.%ld.tmp", path, (long)getpid());
}

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

/* False with errno set; the file is then gone. */
static bool write_whole(const char *path, const void *bytes, size_t size)
{
    const char *at = bytes;
    const int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0666);
    if (fd < 0)
        return false;
    int error = 0;
    while (size > 0 && !error) {
        const size_t most = (size_t)1 << 30;
        const ssize_t n = write(fd, at, size < most ? size : most);
        if (n < 0 && errno != EINTR)
            error = errno;
        else if (n > 0)
            at += n, size -= (size_t)n;
    }
    if (close(fd) != 0 && !error)
        error = errno;
    if (error) {
        unlink(path);
        errno = error;
    }
    return !error;
}

bool outputs_write(const OutputFile *files, int n, const char *const *inputs, int n_inputs,
                   Arena *arena, Diag *d)
{
    const char **temporary = NEW_ARRAY(arena, const char *, n);
    int written = 0, renamed = 0;
    for (int i = 0; i < n; i++) {
        temporary[i] = temporary_name(arena, files[i].path);
        if (!may_write(&files[i], inputs, n_inputs, d))
            return false;
    }
    for (; written < n; written++) {
        if (!write_whole(temporary[written], files[written].bytes, files[written].size)) {
            diag_file_error(d, files[written].path, "cannot write the output: %s", strerror(errno));
            break;
        }
    }
    for (; written == n && renamed < n; renamed++) {
        if (rename(temporary[renamed], files[renamed].path) != 0) {
            diag_file_error(d, files[renamed].path, "cannot write the output: %s", strerror(errno));
            break;
        }
    }
    for (int i = renamed; renamed < n && i < written; i++)
        unlink(temporary[i]);
    for (int i = 0; renamed < n && i < renamed; i++)
        unlink(files[i].path);
    return renamed == n;
}
