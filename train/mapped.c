/* mapped.c: see mapped.h. */
#define _GNU_SOURCE
#include "train/mapped.h"

#include <errno.h>
#include <fcntl.h>
#include <stdint.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

int rnct_open(const char *path, size_t *size, const char **why)
{
    struct stat about;
    /* Without O_NONBLOCK a FIFO would wait here for somebody to write to it. */
    const int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);
    *why = NULL;
    if (fd < 0 || fstat(fd, &about) != 0)
        *why = strerror(errno);
    else if (S_ISDIR(about.st_mode))
        *why = strerror(EISDIR);
    else if (!S_ISREG(about.st_mode))
        *why = "it is not an ordinary file";
    else if ((uintmax_t)about.st_size > SIZE_MAX)
        *why = "it is larger than this machine's memory can be";
    if (!*why) {
        if (size)
            *size = (size_t)about.st_size;
        return fd;
    }
    if (fd >= 0)
        close(fd);
    return -1;
}

bool rnct_map(rnct_mapped *file, const char *path, rnct_problems *problems)
{
    const char *why;
    *file = (rnct_mapped){0};
    const int fd = rnct_open(path, &file->size, &why);
    if (fd < 0)
        return rnct_problem(problems, path, "cannot be read: %s", why);
    void *map = file->size ? mmap(NULL, file->size, PROT_READ, MAP_PRIVATE, fd, 0) : NULL;
    const int error = errno;
    close(fd);
    if (map == MAP_FAILED) {
        file->size = 0;
        return rnct_problem(problems, path, "cannot be mapped: %s", strerror(error));
    }
    file->bytes = map;
    return true;
}

void rnct_unmap(rnct_mapped *file)
{
    if (file->bytes)
        munmap((void *)(uintptr_t)file->bytes, file->size);
    *file = (rnct_mapped){0};
}
