/* plan_scratch.c: the scratch that a plan has for a part, by the planner's own code; in a file of
 * its own, since harness.h numbers the kernels as well. */
#include "plan/method.h"

int64_t plan_scratch(const char *kernel, const rnc_conv_shape *s, const rnc_knobs *t);

int64_t plan_scratch(const char *kernel, const rnc_conv_shape *s, const rnc_knobs *t)
{
    for (int i = 0; i < METHOD_COUNT; i++) {
        if (str_eq(kernel_rows[method_rows[i]->kernel].name, kernel))
            return method_rows[i]->scratch(s, t);
    }
    return 0;
}
