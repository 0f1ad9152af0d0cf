/* lower_padding.c: the words for paddings, in pixels; kernels that are most likely not meant. */
#include "lang/lower_args.h"

/* Pads as TensorFlow does: as much as is needed for output = input / stride, rounded up, with the
 * odd pixel after the input. */
static void pad_same(int in, int kernel, int stride, int dilation, int *before, int *after)
{
    int64_t out = ((int64_t)in + stride - 1) / stride;
    int64_t all = (out - 1) * stride + (int64_t)dilation * (kernel - 1) + 1 - in;
    if (all < 0)
        all = 0;
    *before = (int)(all / 2);
    *after = (int)(all - all / 2);
}

/* The kernel of a `conv` as it was written, if that is a number or a product like `3*3`. */
static const Expr *kernel_of(const OpCall *c)
{
    int i = 0;
    while (i < c->row->n_attrs && !str_eq(c->row->attrs[i].word, "kernel"))
        i++;
    return i < c->row->n_attrs ? c->given[i] : NULL;
}

static void note_order(const OpCall *c, Loc loc)
{
    const Attrs *a = c->attrs;
    if (op_attr(c->row->attrs->op, "filters"))
        diag_note(c->l->d, loc, "the kernel comes first, then the filters: `conv %dx%d %d`",
                  a->filters < 8 && a->filters > 0 ? a->filters : 3,
                  a->filters < 8 && a->filters > 0 ? a->filters : 3, a->kernel[0]);
}

/* Warns about a kernel that is most likely not meant: a product, or one that is larger than the
 * image and was given in place of the filters.  If it does not even fit, the shape rules say so.
 */
void lower_check_kernel(const OpCall *c)
{
    enum { SMALL = 7 };
    const Expr *e = kernel_of(c);
    const int *kernel = c->attrs->kernel;
    if (!e || !c->in || c->row->attrs->op != OP_CONV)
        return;
    bool product = e->kind == EXPR_BINARY && e->op == OPERATOR_MUL && e->a->kind == EXPR_INT &&
                   e->b->kind == EXPR_INT;
    int64_t most = kernel[0] > kernel[1] ? kernel[0] : kernel[1];
    bool larger = kernel[0] > c->in->h || kernel[1] > c->in->w;
    bool much = kernel[0] > 2 * (int64_t)c->in->h || kernel[1] > 2 * (int64_t)c->in->w;
    const int *pad = c->attrs->padding, *dilation = c->attrs->dilation;
    bool fits = 1 + (int64_t)dilation[0] * (kernel[0] - 1) <= (int64_t)c->in->h + pad[0] + pad[2] &&
                1 + (int64_t)dilation[1] * (kernel[1] - 1) <= (int64_t)c->in->w + pad[1] + pad[3];
    bool strange = most > SMALL && larger && fits && (much || c->attrs->filters < most);
    if ((!product && !strange) || !complain_once(&c->l->complaints, e->loc))
        return;
    if (product) {
        diag_warning(c->l->d, e->loc, "this is a kernel of %d x %d", kernel[0], kernel[1]);
        diag_note(c->l->d, e->loc, "`*` multiplies; a pair is written %lldx%lld",
                  (long long)e->a->integer, (long long)e->b->integer);
    } else {
        diag_warning(c->l->d, e->loc, "the kernel of %d x %d is larger than its input of %d x %d",
                     kernel[0], kernel[1], c->in->h, c->in->w);
        note_order(c, e->loc);
    }
    lower_note_callers(c->l, c->f, e->loc);
}

static bool refuse_half(const OpCall *c)
{
    const Attrs *a = c->attrs;
    Loc loc = c->padding_loc.file < 0 ? c->call->loc : c->padding_loc;
    if (lower_error(c->l, loc, "an even kernel has no padding that is half of it")) {
        diag_note(c->l->d, c->call->loc,
                  "the kernel is %d x %d; `padding=same` keeps the size as TensorFlow does, "
                  "`padding=(top, left, bottom, right)` says it in pixels",
                  a->kernel[0], a->kernel[1]);
        if (a->kernel[0] > 15)
            note_order(c, c->call->loc);
        lower_note_callers(c->l, c->f, loc);
    }
    return false;
}

/* The padding with which a transposed convolution has `stride` times as many pixels as its operand,
 * that of a convolution back with `same`; where the window is smaller than the stride, the rest is
 * output_padding. */
static void transpose_same(Attrs *a, int axis)
{
    const int64_t all = (int64_t)a->dilation[axis] * (a->kernel[axis] - 1) + 1 - a->stride[axis];
    a->padding[axis] = all > 0 ? (int)(all / 2) : 0;
    a->padding[axis + 2] = all > 0 ? (int)(all - all / 2) : 0;
    a->output_padding[axis] = all < 0 ? (int)-all : 0;
}

bool lower_padding(OpCall *c)
{
    Attrs *a = c->attrs;
    const char *word = c->padding_word;
    if (!word || str_eq(word, "valid"))
        return true;
    for (int axis = 0; axis < 2; axis++) {
        int dilation = op_attr(c->row->attrs->op, "dilation") ? a->dilation[axis] : 1;
        int *before = &a->padding[axis], *after = &a->padding[axis + 2];
        if (str_eq(word, "half") && a->kernel[axis] % 2 == 0 && (c->in || a->kernel[axis]))
            return refuse_half(c);
        if (str_eq(word, "half"))
            *before = *after = dilation * (a->kernel[axis] / 2);
        else if (c->row->attrs->op == OP_CONV_TRANSPOSE)
            transpose_same(a, axis);
        else if (c->in)
            pad_same(axis ? c->in->w : c->in->h, a->kernel[axis], a->stride[axis], dilation, before,
                     after);
    }
    return true;
}
