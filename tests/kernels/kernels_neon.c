/* kernels_neon.c: the kernels, compiled for neon as emitted code has them. */
#include "blas.h"
#include "harness.h"

#include <math.h>
#include <string.h>

#if defined(__aarch64__) && defined(__GNUC__)
#define TEST_ISA neon
#define RNC_FN(name) name##_neon
#define RNC_HALVES 1
#include "kernels/isa/isa_neon.h"
#include "kernels_isa.h"
#else
typedef int no_neon; /* C has no empty files */
#endif
