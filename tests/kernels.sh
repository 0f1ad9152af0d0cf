#!/bin/sh
# kernels.sh: kernels/kernel_tests, with ten thousand shapes a kernel when RNC_TEST_FULL is set.
exec "$RNC_BUILDDIR/tests/kernels/kernel_tests" ${RNC_TEST_FULL:+--cases 10000}
