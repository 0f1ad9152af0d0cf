/* kernels_avx2.c: the kernels, compiled for avx2 as emitted code has them. */
#include "blas.h"
#include "harness.h"

#include <math.h>
#include <string.h>

#if defined(__x86_64__) && defined(__GNUC__)
#define TEST_ISA avx2
#define RNC_FN(name) name##_avx2
#define RNC_HALVES 1
#include "kernels/isa/isa_avx2.h"
#include "kernels_isa.h"
#else
typedef int no_avx2; /* C has no empty files */
#endif
