/* kernels_avx512.c: the kernels, compiled for avx512 as emitted code has them. */
#include "blas.h"
#include "harness.h"

#include <math.h>
#include <string.h>

#if defined(__x86_64__) && defined(__GNUC__)
#define TEST_ISA avx512
#define RNC_FN(name) name##_avx512
#define RNC_HALVES 1
#include "kernels/isa/isa_avx512.h"
#include "kernels_isa.h"
#else
typedef int no_avx512; /* C has no empty files */
#endif
