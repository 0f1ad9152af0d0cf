/* kernels_portable.c: the kernels, compiled for portable as emitted code has them. */
#include "blas.h"
#include "harness.h"

#include <math.h>
#include <string.h>

#if defined(__GNUC__)
#define TEST_ISA portable
#define RNC_FN(name) name##_portable
#define RNC_HALVES 1
#include "kernels/isa/isa_portable.h"
#include "kernels_isa.h"
#else
typedef int no_portable; /* C has no empty files */
#endif
