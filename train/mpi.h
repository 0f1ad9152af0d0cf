/* mpi.h: what the module rncmpi.so has: the link of ranks that mpirun starts. */
#ifndef RNCT_MPI_H
#define RNCT_MPI_H

#include "train/ranks.h"

#define RNCT_MPI_SYMBOL "rnct_mpi_link"
extern const rnct_link rnct_mpi_link;

#endif
