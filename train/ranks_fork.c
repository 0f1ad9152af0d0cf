/* ranks_fork.c: ranks that are processes of one machine, connected by sockets (see ranks.h). */
#define _GNU_SOURCE
#include "train/ranks.h"

#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

enum { PROCESSES_MOST = 64 };

typedef struct Fork {
    int rank, count;
    int sockets[PROCESSES_MOST]; /* by the other rank; -1: none */
    pid_t children[PROCESSES_MOST];
} Fork;

static bool fork_open(void *context, int *rank, int *count, rnct_problems *problems)
{
    const Fork *f = context;
    (void)problems;
    *rank = f->rank;
    *count = f->count;
    return true;
}

/* Moves what can be moved without waiting; false when the other is gone. */
static bool move(int fd, short events, const char **out, size_t *n_out, char **in, size_t *n_in)
{
    if (*n_out > 0 && events & POLLOUT) {
        const ssize_t n = send(fd, *out, *n_out, MSG_DONTWAIT | MSG_NOSIGNAL);
        if (n < 0 && errno != EAGAIN && errno != EINTR)
            return false;
        *out += n > 0 ? n : 0;
        *n_out -= n > 0 ? (size_t)n : 0;
    }
    if (*n_in > 0 && events & (POLLIN | POLLHUP)) {
        const ssize_t n = recv(fd, *in, *n_in, MSG_DONTWAIT);
        if (n == 0 || (n < 0 && errno != EAGAIN && errno != EINTR))
            return false;
        *in += n > 0 ? n : 0;
        *n_in -= n > 0 ? (size_t)n : 0;
    }
    return true;
}

static bool fork_exchange(void *context, int other, const void *out, void *in, size_t n)
{
    const Fork *f = context;
    const int fd = f->sockets[other];
    const char *from = out;
    char *to = in;
    size_t n_out = n, n_in = n;
    while (n_out > 0 || n_in > 0) {
        struct pollfd p = {fd, (short)((n_out ? POLLOUT : 0) | (n_in ? POLLIN : 0)), 0};
        if (poll(&p, 1, -1) < 0 && errno != EINTR)
            return false;
        if (p.revents & (POLLERR | POLLNVAL) || !move(fd, p.revents, &from, &n_out, &to, &n_in))
            return false;
    }
    return true;
}

static void fork_close(void *context, bool failed)
{
    Fork *f = context;
    (void)failed; /* the others see that the sockets are closed */
    for (int i = 0; i < f->count; i++) {
        if (f->sockets[i] >= 0)
            close(f->sockets[i]);
        f->sockets[i] = -1;
    }
}

static void fork_lost(void *context, int other)
{
    const Fork *f = context;
    if (f->rank == 0 || other == 0)
        fprintf(stderr,
                "rnc: error: rank %d of %d is lost, and the training ends; --resume goes on from "
                "the last checkpoint\n",
                other, f->count);
    _exit(1);
}

/* Both ends of a socket between any two ranks: ends[a][b] is a's end. */
static bool make_sockets(int count, int (*ends)[PROCESSES_MOST])
{
    for (int a = 0; a < count; a++) {
        for (int b = 0; b < count; b++)
            ends[a][b] = -1;
    }
    for (int a = 0; a < count; a++) {
        for (int b = a + 1; b < count; b++) {
            int pair[2];
            if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, pair) != 0)
                return false;
            ends[a][b] = pair[0];
            ends[b][a] = pair[1];
        }
    }
    return true;
}

/* Keeps the ends of one rank; -1: none. */
static void keep(Fork *f, int rank, int (*ends)[PROCESSES_MOST])
{
    for (int a = 0; a < f->count; a++) {
        for (int b = 0; b < f->count; b++) {
            if (a == rank)
                f->sockets[b] = ends[a][b];
            else if (ends[a][b] >= 0)
                close(ends[a][b]);
        }
    }
    f->rank = rank;
}

/* The children; in each of them 0 or more is returned, its rank; in the parent 0, or -1 if not all
 * could be made. */
static int make_processes(Fork *f)
{
    const pid_t parent = getpid();
    fflush(NULL);
    for (int rank = 1; rank < f->count; rank++) {
        const pid_t pid = fork();
        if (pid == 0) {
            /* A rank does not outlive rank 0, even where that is killed before they talk. */
            prctl(PR_SET_PDEATHSIG, SIGKILL);
            if (getppid() != parent)
                _exit(1);
            return rank;
        }
        f->children[rank] = pid;
        if (pid < 0)
            return -1;
    }
    return 0;
}

bool rnct_ranks_fork(int count, rnct_link *link, rnct_problems *problems)
{
    if (count < 1 || count > PROCESSES_MOST || (count & (count - 1)) != 0)
        return rnct_problem(problems, "ranks", "%d is no power of two from 1 to %d", count,
                            PROCESSES_MOST);
    Fork *f = calloc(1, sizeof *f);
    int(*ends)[PROCESSES_MOST] = calloc(PROCESSES_MOST, sizeof *ends);
    bool good = f && ends;
    if (good) {
        f->count = count;
        good = make_sockets(count, ends);
    }
    const int rank = good ? make_processes(f) : -1, error = errno;
    if (f && ends)
        keep(f, rank, ends);
    free(ends);
    if (rank < 0) {
        for (int i = 1; f && i < count; i++) {
            if (f->children[i] > 0) {
                kill(f->children[i], SIGKILL);
                waitpid(f->children[i], NULL, 0);
            }
        }
        free(f);
        return rnct_problem(problems, "ranks", "%d processes cannot be started: %s", count,
                            strerror(error));
    }
    *link = (rnct_link){f, fork_open, fork_exchange, fork_close, fork_lost};
    return true;
}

bool rnct_ranks_wait(const rnct_link *link, double seconds)
{
    Fork *f = link->context;
    const struct timespec pause = {0, 10000000};
    bool good = true;
    for (int i = 1; f->rank == 0 && i < f->count; i++) {
        int status = 0;
        pid_t ended;
        while ((ended = waitpid(f->children[i], &status, WNOHANG)) == 0 && seconds > 0) {
            nanosleep(&pause, NULL);
            seconds -= 0.01;
        }
        if (ended == 0) {
            kill(f->children[i], SIGKILL);
            waitpid(f->children[i], &status, 0);
        }
        good = good && WIFEXITED(status) && WEXITSTATUS(status) == 0;
    }
    free(f);
    return good;
}
