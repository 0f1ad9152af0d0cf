/* blas.h: cblas_sgemm for kernels/f32/conv_blas.c: the library's where there is one
 * (RNC_HAVE_CBLAS), else plain loops, which test all but the library. */
#ifndef KERNEL_BLAS_H
#define KERNEL_BLAS_H

#include <stddef.h>

#ifdef RNC_HAVE_CBLAS
#include <cblas.h>
#else
enum { CblasRowMajor = 101, CblasNoTrans = 111 };

/* c[m][n] = alpha a[m][k] b[k][n] + beta c[m][n] */
static inline void cblas_sgemm(int order, int trans_a, int trans_b, int m, int n, int k,
                               float alpha, const float *a, int lda, const float *b, int ldb,
                               float beta, float *c, int ldc)
{
    (void)order, (void)trans_a, (void)trans_b;
    for (int i = 0; i < m; i++)
        for (int j = 0; j < n; j++) {
            float sum = 0.0f;
            for (int l = 0; l < k; l++)
                sum += a[(ptrdiff_t)i * lda + l] * b[(ptrdiff_t)l * ldb + j];
            float *to = &c[(ptrdiff_t)i * ldc + j];
            *to = alpha * sum + (beta == 0.0f ? 0.0f : beta * *to);
        }
}
#endif

#endif
