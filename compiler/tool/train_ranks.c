/* train_ranks.c: the ranks of rnc train: processes that mpirun starts, or that --ranks forks.
 *
 * Under mpirun each process lowers and compiles the network by itself, which gives the same C; rank
 * 0 alone runs the C compiler, decodes the data and writes, and the others get the code from it.
 * With --ranks the processes part when all that is done. */
#include "tool/cc.h"
#include "tool/installed.h"
#include "tool/train_parts.h"

#include "train/mpi.h"

#include <dlfcn.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* ---- beginning ---- */

static bool connect(Training *t)
{
    rnct_problems *problems = NEW(t->arena, rnct_problems);
    *problems = (rnct_problems){0};
    t->ranks = rnct_ranks_new(&t->link, problems);
    say_problems(t, problems);
    if (!t->ranks)
        return false;
    t->rank = t->ranks->rank;
    t->count = t->ranks->count;
    t->o->quiet |= t->rank > 0;
    return true;
}

/* Open MPI, MPICH and others that speak PMI or PMIx say so in the environment. */
static bool under_mpirun(void)
{
    static const char *const names[] = {"OMPI_COMM_WORLD_SIZE", "PMI_SIZE", "PMI_RANK",
                                        "PMIX_RANK"};
    for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
        if (getenv(names[i]))
            return true;
    }
    return false;
}

bool ranks_begin(Training *t)
{
    const char *module = getenv("RNC_MPI");
    t->rank = 0;
    t->count = t->o->ranks ? t->o->ranks : 1;
    if (!under_mpirun())
        return true;
    if (t->o->ranks) {
        diag_error(t->d, NO_LOC, "mpirun says how many ranks there are; leave --ranks out");
        return false;
    }
    module = module && *module ? module : installed_path(RNC_MPI_MODULE, t->arena);
    /* The parts that MPI loads look for its symbols among all programs'. */
    t->mpi = dlopen(module, RTLD_NOW | RTLD_GLOBAL);
    const rnct_link *link = t->mpi ? dlsym(t->mpi, RNCT_MPI_SYMBOL) : NULL;
    if (!link) {
        const char *why = dlerror();
        diag_error(t->d, NO_LOC, "this is mpirun, and rnc cannot use MPI: %s", why ? why : module);
        diag_note(t->d, NO_LOC,
                  "rnc is built for it where configure finds mpicc; --ranks N trains in N "
                  "processes of one machine without");
        return false;
    }
    t->link = *link;
    return connect(t);
}

bool ranks_fork(Training *t)
{
    rnct_problems *problems = NEW(t->arena, rnct_problems);
    *problems = (rnct_problems){0};
    if (t->ranks || t->count == 1)
        return true;
    if (!rnct_ranks_fork(t->count, &t->link, problems)) {
        say_problems(t, problems);
        return false;
    }
    t->forked = true;
    const bool good = connect(t);
    ranks_hush(t);
    return good;
}

bool ranks_agree(const Training *t, bool good)
{
    unsigned char all[RNCT_RANKS_MOST] = {0};
    if (!t->ranks)
        return good;
    all[t->rank] = good;
    t->ranks->gather(t->ranks, all, 1);
    for (int i = 0; i < t->count; i++)
        good = good && all[i];
    return good;
}

/* ---- the code ---- */

unsigned char *read_code(const Training *t, const char *path, size_t *size)
{
    FILE *f = fopen(path, "rb");
    unsigned char *bytes = NULL;
    *size = 0;
    if (f && fseek(f, 0, SEEK_END) == 0 && ftell(f) > 0) {
        *size = (size_t)ftell(f);
        rewind(f);
        bytes = NEW_ARRAY(t->arena, unsigned char, *size);
        if (fread(bytes, 1, *size, f) != *size)
            bytes = NULL;
    }
    if (!bytes)
        diag_file_error(t->d, path, "cannot read the compiled code: %s", strerror(errno));
    if (f)
        fclose(f);
    return bytes;
}

bool ranks_share_code(Training *t, const OutputFile *made)
{
    if (!t->ranks)
        return made != NULL;
    if (t->rank > 0)
        t->dir = cc_folder(NULL, "train", t->arena, t->d);
    if (!ranks_agree(t, t->rank == 0 ? made != NULL : t->dir != NULL))
        return false;
    uint64_t size = made ? made->size : 0;
    rnct_ranks_share(t->ranks, &size, sizeof size);
    unsigned char *bytes = NEW_ARRAY(t->arena, unsigned char, size);
    if (made)
        memcpy(bytes, made->bytes, size);
    rnct_ranks_share(t->ranks, bytes, size);
    if (t->rank == 0)
        return true;
    const OutputFile file = {cc_path(t->dir, "net_trained.so", t->arena), bytes, size};
    return outputs_write(&file, 1, NULL, 0, t->arena, t->d);
}

/* ---- the end ---- */

void ranks_hush(const Training *t)
{
    if (t->rank > 0)
        t->d->out = buf_new(t->arena);
}

bool ranks_end(Training *t, bool failed)
{
    /* Messages come first: a failure can end the process. */
    fputs(buf_text(&t->d->out), stderr);
    fflush(NULL);
    t->d->out = buf_new(t->arena);
    rnct_ranks_free(t->ranks, failed);
    if (t->forked && !rnct_ranks_wait(&t->link, failed ? 2 : 60) && !failed) {
        diag_error(t->d, NO_LOC, "a rank has failed");
        return false;
    }
    return true;
}
