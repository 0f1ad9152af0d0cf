/* file.c: see file.h. */
#include "base/file.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

int file_open(const char *path, int64_t *size, const char **why)
{
    /* Without O_NONBLOCK a FIFO would wait here for somebody to write to it. */
    const int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);
    struct stat s;
    *why = NULL;
    if (fd < 0 || fstat(fd, &s) != 0)
        *why = strerror(errno);
    else if (S_ISDIR(s.st_mode))
        *why = strerror(EISDIR);
    else if (!S_ISREG(s.st_mode))
        *why = "it is not a regular file";
    if (!*why) {
        if (size)
            *size = (int64_t)s.st_size;
        return fd;
    }
    if (fd >= 0)
        close(fd);
    return -1;
}
