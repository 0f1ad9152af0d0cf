/* halo.c: writes zeros around a tensor, c channels deep, also while a kernel writes the tensor.
 * Parts share the rows. */
#define halo_zeros RNC_FN(halo_zeros)
RNC_KERNEL void halo_zeros(const rnc_halo_shape *s, float *out, int pixels)
{
    int x, c;
    if (s->pixel == s->c && pixels > 0) {
        memset(out, 0, sizeof(float) * (size_t)pixels * (size_t)s->c);
        return;
    }
    for (x = 0; x < pixels; x++, out += s->pixel) {
        for (c = 0; c + RNC_VL <= s->c; c += RNC_VL)
            vf_storeu(out + c, vf_zero());
        if (c < s->c)
            vf_store_part(out + c, vf_zero(), s->c - c);
    }
}

RNC_KERNEL void RNC_FN(halo_clear)(const rnc_halo_shape *s, const rnc_operands *o, int part,
                                   int parts)
{
    const int below = s->image / s->row - s->top - s->h; /* up to the next zeros */
    const int behind = s->row / s->pixel - s->left - s->w;
    const int height = s->top + s->h + (s->bottom < below ? s->bottom : below);
    const int rows = (s->images - 1) * height + s->top + s->h + s->bottom;
    int i;
    for (i = rnc_share(rows, part, parts); i < rnc_share(rows, part + 1, parts); i++) {
        const int n = i / height, y = i % height - s->top;
        const int right = i < rows - 1 && behind < s->right ? behind : s->right;
        float *row = (float *)o->out[s->result] - s->shift + rnc_at(n, s->image, y, s->row, 0, 0);
        float *left = row - (ptrdiff_t)s->left * s->pixel;
        halo_zeros(s, left, y < 0 || y >= s->h ? s->left + s->w : s->left);
        halo_zeros(s, row + (ptrdiff_t)s->w * s->pixel, right);
    }
}
#undef halo_zeros
