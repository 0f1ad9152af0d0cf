/* loss_mean: the mean of a number of each image (losses, hits), added in a tree in double, so that
 * no number of threads or of images in a rank changes it.  Operands: numbers -> mean.  The first
 * part does it. */
#define loss_tree RNC_FN(loss_tree)

RNC_KERNEL double loss_tree(const float *x, int n)
{
    double wait[32], v = (double)*x;
    int top = 0;
    for (int i = 1; i < n; i++) {
        for (int k = i; (k & 1) == 0; k >>= 1)
            v = wait[--top] + v;
        wait[top++] = v;
        v = (double)x[i];
    }
    while (top > 0)
        v = wait[--top] + v;
    return v;
}

RNC_KERNEL void RNC_FN(loss_mean)(const rnc_loss_shape *s, const rnc_knobs *t,
                                  const rnc_operands *o, int part, int parts)
{
    (void)t, (void)parts;
    if (part == 0)
        *(float *)o->out[0] = (float)(loss_tree((const float *)o->in[0], s->images) / s->images);
}
#undef loss_tree
