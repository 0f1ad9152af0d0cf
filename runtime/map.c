/* map.c: maps weights files into memory, on POSIX systems.
 * A mapped file costs no copy, is shared by all processes that use it, and is read from the disk as
 * it is needed.  The file must not be changed while it is open. */
#define _POSIX_C_SOURCE 200809L
#define _DEFAULT_SOURCE /* for madvise */
#include "rncrt.h"
#include "rncw.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

static rnc_status fail(rnc_weights *w, const char *what, int error)
{
    char text[96] = "";
    w->why[0] = '\0';
    rnc_why(w->why, what);
    if (error) {
        rnc_why(w->why, ": ");
        rnc_why(w->why, strerror_r(error, text, sizeof text) == 0 ? text : "unknown error");
    }
    return RNC_E_OPEN;
}

/* Every inference reads all of a large file, and with small pages waits for the tables that say
 * where they are.  A kernel that can keep files in huge pages (Linux, from 6.16 on with ext4) does
 * so if it is told before it reads the file; any other ignores it. */
static void want_huge_pages(void *map, size_t size)
{
#ifdef MADV_HUGEPAGE
    (void)madvise(map, size, MADV_HUGEPAGE);
#else
    (void)map, (void)size;
#endif
}

/* Maps the file that is open as `fd`, and checks it. */
static rnc_status map_file(rnc_weights *w, int fd)
{
    struct stat about;
    rnc_status status;
    void *map;
    size_t size;
    if (fstat(fd, &about) != 0)
        return fail(w, "cannot ask for the size of the weights file", errno);
    if (!S_ISREG(about.st_mode))
        return fail(w, "the weights are not a regular file", 0);
    size = (size_t)about.st_size;
    if ((uintmax_t)about.st_size > SIZE_MAX)
        return fail(w, "the weights file is larger than this machine's memory can be", 0);
    if (size == 0)
        return fail(w, "the weights file is empty", 0);
    map = mmap(NULL, size, PROT_READ, MAP_PRIVATE, fd, 0);
    if (map == MAP_FAILED)
        return fail(w, "cannot map the weights file", errno);
    want_huge_pages(map, size);
    status = rnc_weights_memory(w, map, size);
    if (status == RNC_OK)
        w->map = map;
    else
        munmap(map, size);
    return status;
}

rnc_status rnc_weights_open(rnc_weights *w, const char *path)
{
    rnc_status status;
    int fd;
    memset(w, 0, sizeof *w);
    if (!path)
        return fail(w, "the weights file's path is NULL", 0);
    do {
        fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK); /* a FIFO is refused, not waited for */
    } while (fd < 0 && errno == EINTR);
    if (fd < 0)
        return fail(w, "cannot open the weights file", errno);
    status = map_file(w, fd);
    close(fd);
    return status;
}

void rnc_weights_close(rnc_weights *w)
{
    if (w->map)
        munmap(w->map, w->size);
    w->base = NULL;
    w->map = NULL;
    w->size = 0;
}
