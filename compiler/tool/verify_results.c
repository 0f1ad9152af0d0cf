/* verify_results.c: where the values of a step's results are. */
#include "tool/verify_parts.h"

float written_by(const Operand *result, Type t, const float *out, int64_t i)
{
    const Tensor *at = result->tensor;
    if (!at)
        return out[i];
    const int64_t c = i % t.c, x = i / t.c % t.w, y = i / t.c / t.w % t.h;
    const int64_t n = i / t.c / t.w / t.h;
    return out[n * at->image + y * at->row + x * at->pixel + c - result->shift];
}

int64_t element_of_band(const Node *node, Type all, int64_t i)
{
    const Type t = node->type;
    const int64_t row = (int64_t)t.w * t.c, image = t.h * row;
    if (!node->band_group)
        return i;
    return i / image * all.h * row + node->first_row * row + i % image;
}

bool is_last_of_tensor(const Plan *plan, const Step *s, const Tensor *tensor)
{
    for (int i = s->index + 1; i < plan->steps.n; i++) {
        for (int k = 0; k < MOST_OUT; k++) {
            if (plan->steps.at[i].out[k].tensor == tensor)
                return false;
        }
    }
    return true;
}
