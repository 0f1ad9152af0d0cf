/* mpi.c: ranks that mpirun starts (see ranks.h).  A module, rncmpi.so, that rnc loads when it runs
 * under mpirun, so that rnc itself needs no MPI.  All calls of MPI come from the thread of
 * rnct_ranks_new, which MPI therefore takes for the main one. */
#include "train/mpi.h"

#include <limits.h>
#include <mpi.h>
#include <stdio.h>
#include <stdlib.h>

static bool mpi_open(void *context, int *rank, int *count, rnct_problems *problems)
{
    int provided = 0;
    (void)context, (void)problems; /* by default MPI ends the job itself where something fails */
    if (MPI_Init_thread(NULL, NULL, MPI_THREAD_FUNNELED, &provided) != MPI_SUCCESS)
        return false;
    MPI_Comm_rank(MPI_COMM_WORLD, rank);
    MPI_Comm_size(MPI_COMM_WORLD, count);
    /* A rank that is lost is reported by exchange(). */
    MPI_Comm_set_errhandler(MPI_COMM_WORLD, MPI_ERRORS_RETURN);
    return true;
}

static bool mpi_exchange(void *context, int other, const void *out, void *in, size_t n)
{
    const char *from = out;
    char *to = in;
    (void)context;
    while (n > 0) {
        const int part = n < (size_t)INT_MAX ? (int)n : INT_MAX;
        if (MPI_Sendrecv(from, part, MPI_BYTE, other, 0, to, part, MPI_BYTE, other, 0,
                         MPI_COMM_WORLD, MPI_STATUS_IGNORE) != MPI_SUCCESS)
            return false;
        from += part;
        to += part;
        n -= (size_t)part;
    }
    return true;
}

static void mpi_close(void *context, bool failed)
{
    (void)context;
    if (failed)
        MPI_Abort(MPI_COMM_WORLD, 1);
    else
        MPI_Finalize();
}

static void mpi_lost(void *context, int other)
{
    (void)context;
    fprintf(stderr,
            "rnc: error: rank %d is lost, and the training ends; --resume goes on from the last "
            "checkpoint\n",
            other);
    MPI_Abort(MPI_COMM_WORLD, 1);
    _Exit(1);
}

const rnct_link rnct_mpi_link = {NULL, mpi_open, mpi_exchange, mpi_close, mpi_lost};
