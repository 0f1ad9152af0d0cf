/* whole.c: see whole.h.  compiler/tool/output.c does the same for sets of outputs. */
#define _GNU_SOURCE /* getentropy, flock */
#include "train/whole.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

enum { RANDOM_BYTES = 8 };
static const char temporary_end[] = ".rnc-tmp";

static bool fail(const rnct_whole *file, rnct_problems *problems)
{
    return rnct_problem(problems, file->path, "cannot be written: %s", strerror(errno));
}

/* Where the file's name begins in its path. */
static const char *base_name(const char *path)
{
    const char *slash = strrchr(path, '/');
    return slash ? slash + 1 : path;
}

/* The folder of a path, in memory that the caller frees; NULL without memory. */
static char *folder_name(const char *path)
{
    const char *base = base_name(path);
    if (base == path)
        return strdup(".");
    return strndup(path, base - path > 1 ? (size_t)(base - path) - 1 : 1);
}

/* "PATH.RANDOM.rnc-tmp" in memory that the caller frees; NULL without memory. */
static char *temporary_name(const char *path)
{
    unsigned char bytes[RANDOM_BYTES];
    const uint64_t pid = (uint64_t)getpid();
    const size_t size = strlen(path) + 2 + 2 * RANDOM_BYTES + sizeof temporary_end;
    char *name = malloc(size);
    if (!name)
        return NULL;
    if (getentropy(bytes, sizeof bytes) != 0)
        memcpy(bytes, &pid, sizeof bytes); /* O_EXCL still keeps writers apart */
    size_t n = (size_t)snprintf(name, size, "%s.", path);
    for (int i = 0; i < RANDOM_BYTES; i++)
        n += (size_t)snprintf(name + n, size - n, "%02x", bytes[i]);
    snprintf(name + n, size - n, "%s", temporary_end);
    return name;
}

static bool is_temporary_of(const char *name, const char *path)
{
    const char *base = base_name(path);
    const size_t n = strlen(base), end = strlen(temporary_end), length = strlen(name);
    return length == n + 1 + 2 * RANDOM_BYTES + end && strncmp(name, base, n) == 0 &&
           name[n] == '.' && strcmp(name + length - end, temporary_end) == 0 &&
           strspn(name + n + 1, "0123456789abcdef") == 2 * RANDOM_BYTES;
}

/* Removes the temporaries of `path` that killed processes left. */
static void remove_dead(const char *path)
{
    char *folder = folder_name(path);
    DIR *dir = folder ? opendir(folder) : NULL;
    for (const struct dirent *entry; dir && (entry = readdir(dir)) != NULL;) {
        if (!is_temporary_of(entry->d_name, path))
            continue;
        const int flags = O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK;
        const int fd = openat(dirfd(dir), entry->d_name, flags);
        if (fd >= 0 && flock(fd, LOCK_EX | LOCK_NB) == 0)
            unlinkat(dirfd(dir), entry->d_name, 0);
        if (fd >= 0)
            close(fd);
    }
    if (dir)
        closedir(dir);
    free(folder);
}

static void forget(rnct_whole *file)
{
    if (file->temporary && file->fd >= 0)
        close(file->fd);
    free(file->temporary);
    free(file->path);
    *file = (rnct_whole){.fd = -1};
}

bool rnct_whole_begin(rnct_whole *file, const char *path, rnct_problems *problems)
{
    struct stat about;
    *file = (rnct_whole){.path = strdup(path), .temporary = temporary_name(path), .fd = -1};
    if (!file->path || !file->temporary) {
        forget(file);
        return rnct_problem(problems, path, "no memory");
    }
    if (stat(path, &about) == 0 && !S_ISREG(about.st_mode)) {
        rnct_problem(problems, path, "cannot be written: it is not an ordinary file");
        forget(file);
        return false;
    }
    remove_dead(path);
    file->fd = open(file->temporary, O_RDWR | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0666);
    if (file->fd < 0) {
        fail(file, problems);
        forget(file);
        return false;
    }
    flock(file->fd, LOCK_EX | LOCK_NB); /* where there are no locks, nothing is removed either */
    return true;
}

bool rnct_whole_write(rnct_whole *file, const void *bytes, size_t size, rnct_problems *problems)
{
    const size_t most = (size_t)1 << 30;
    const unsigned char *at = bytes;
    while (size > 0) {
        const ssize_t n = write(file->fd, at, size < most ? size : most);
        if (n < 0 && errno != EINTR)
            return fail(file, problems);
        if (n > 0)
            at += n, size -= (size_t)n;
    }
    return true;
}

bool rnct_whole_write_at(rnct_whole *file, const void *bytes, size_t size, size_t offset,
                         rnct_problems *problems)
{
    const unsigned char *at = bytes;
    while (size > 0) {
        const ssize_t n = pwrite(file->fd, at, size, (off_t)offset);
        if (n < 0 && errno != EINTR)
            return fail(file, problems);
        if (n > 0)
            at += n, size -= (size_t)n, offset += (size_t)n;
    }
    return true;
}

/* Gives the temporary's bytes the name `second`: a link under another temporary's name, renamed. */
static bool name_second(const rnct_whole *file, const char *second)
{
    char *name = temporary_name(second);
    remove_dead(second);
    const bool good = name && link(file->temporary, name) == 0 && rename(name, second) == 0;
    if (!good && name) {
        const int error = errno;
        unlink(name);
        errno = error;
    }
    free(name);
    return good;
}

/* After this the renames of the folder outlive a power failure. */
static bool sync_folder(const char *path)
{
    char *folder = folder_name(path);
    const int fd = folder ? open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC) : -1;
    /* Some file systems cannot sync a folder, and say so by EINVAL. */
    const bool good = fd >= 0 && (fsync(fd) == 0 || errno == EINVAL);
    if (fd >= 0)
        close(fd);
    free(folder);
    return good;
}

bool rnct_whole_commit(rnct_whole *file, const char *second, rnct_problems *problems)
{
    const bool named = fsync(file->fd) == 0 && (!second || name_second(file, second)) &&
                       rename(file->temporary, file->path) == 0;
    const bool good = (named && sync_folder(file->path)) || fail(file, problems);
    if (!named)
        unlink(file->temporary);
    forget(file);
    return good;
}

void rnct_whole_abort(rnct_whole *file)
{
    if (file->temporary)
        unlink(file->temporary);
    forget(file);
}

bool rnct_whole_save(const char *path, const void *bytes, size_t size, rnct_problems *problems)
{
    rnct_whole file;
    if (!rnct_whole_begin(&file, path, problems))
        return false;
    if (rnct_whole_write(&file, bytes, size, problems))
        return rnct_whole_commit(&file, NULL, problems);
    rnct_whole_abort(&file);
    return false;
}
