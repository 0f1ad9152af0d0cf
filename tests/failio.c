/* failio.c: preloaded before rnc, makes one call to the C library fail, or sends a signal
 * when it is made.
 *
 *   FAIL_CALL   rename, write, link or fdatasync
 *   FAIL_AT     which of these calls, counted from 1
 *   FAIL_SIG    the signal to send then; without it the call fails with EIO
 */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* A program leaves signals ignored that were so when it began, as in the background they are; here
 * it begins without. */
__attribute__((constructor)) static void heed_signal(void)
{
    const char *number = getenv("FAIL_SIG");
    if (number)
        signal(atoi(number), SIG_DFL);
}

/* True if this call is to fail. */
static int is_hit(const char *call)
{
    static long calls;
    const char *wanted = getenv("FAIL_CALL"), *at = getenv("FAIL_AT");
    const char *number = getenv("FAIL_SIG");
    if (!wanted || !at || strcmp(wanted, call) != 0 || ++calls != atol(at))
        return 0;
    if (number) {
        kill(getpid(), atoi(number));
        return 0;
    }
    errno = EIO;
    return 1;
}

int rename(const char *from, const char *to)
{
    int (*real)(const char *, const char *);
    *(void **)&real = dlsym(RTLD_NEXT, "rename");
    return is_hit("rename") ? -1 : real(from, to);
}

int link(const char *from, const char *to)
{
    int (*real)(const char *, const char *);
    *(void **)&real = dlsym(RTLD_NEXT, "link");
    return is_hit("link") ? -1 : real(from, to);
}

int fdatasync(int fd)
{
    int (*real)(int);
    *(void **)&real = dlsym(RTLD_NEXT, "fdatasync");
    return is_hit("fdatasync") ? -1 : real(fd);
}

ssize_t write(int fd, const void *bytes, size_t n)
{
    ssize_t (*real)(int, const void *, size_t);
    *(void **)&real = dlsym(RTLD_NEXT, "write");
    return is_hit("write") ? -1 : real(fd, bytes, n);
}
