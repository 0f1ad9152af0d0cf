/* kernels_scalar.c: the kernels, compiled for scalar as emitted code has them. */
#include "blas.h"
#include "harness.h"

#include <math.h>
#include <string.h>

#if 1
#define TEST_ISA scalar
#define RNC_FN(name) name##_scalar
#define RNC_HALVES 1
#include "kernels/isa/isa_scalar.h"
#include "kernels_isa.h"
#else
typedef int no_scalar; /* C has no empty files */
#endif
