/* describe.c: layers in few words. */
#include "net/describe.h"

#include "base/utf8.h"
#include "base/str.h"

#include <string.h>

static void put_pair(Buf *out, const char *before, const int pair[2], bool one_will_do)
{
    if (one_will_do && pair[0] == pair[1])
        buf_printf(out, "%s%d", before, pair[0]);
    else
        buf_printf(out, "%s%dx%d", before, pair[0], pair[1]);
}

static bool is_one(const int pair[2])
{
    return pair[0] == 1 && pair[1] == 1;
}

static void put_conv(Buf *out, const Node *node)
{
    const Attrs *a = &node->attrs;
    const bool depthwise = a->groups > 1 && a->groups == node->in[0]->type.c;
    put_pair(out, depthwise ? "depthwise " : "conv ", a->kernel, false);
    if (!is_one(a->stride))
        put_pair(out, " /", a->stride, true);
    if (!is_one(a->dilation))
        put_pair(out, " dilation ", a->dilation, true);
    if (a->groups > 1 && !depthwise)
        buf_printf(out, " in %d", a->groups);
}

static void put_pool(Buf *out, const Node *node)
{
    const Attrs *a = &node->attrs;
    const Type in = node->in[0]->type;
    buf_printf(out, "%s ", op_row(node->op)->name);
    if (a->kernel[0] == in.h && a->kernel[1] == in.w && node->type.h == 1 && node->type.w == 1) {
        buf_puts(out, "global");
        return;
    }
    put_pair(out, "", a->kernel, false);
    if (!is_one(a->stride))
        put_pair(out, " /", a->stride, true);
}

const char *describe_kind(Arena *arena, const Node *node)
{
    Buf out = buf_new(arena);
    switch (node->op) {
    case OP_CONV:
        put_conv(&out, node);
        break;
    case OP_MAXPOOL:
    case OP_AVGPOOL:
        put_pool(&out, node);
        break;
    case OP_SUBSAMPLE:
        put_pair(&out, "subsample /", node->attrs.stride, true);
        break;
    case OP_CONV_TRANSPOSE:
        put_pair(&out, "conv_transpose ", node->attrs.kernel, false);
        put_pair(&out, " x", node->attrs.stride, true);
        break;
    case OP_BLURPOOL:
        put_pool(&out, node);
        break;
    case OP_DELAY:
    case OP_HISTORY:
        buf_printf(&out, "%s %d", op_row(node->op)->name, node->attrs.frames);
        break;
    case OP_UPSAMPLE:
        put_pair(&out, "upsample x", node->attrs.scale_by, true);
        break;
    default:
        buf_puts(&out, op_row(node->op)->name);
    }
    if (op_results(node->op, &node->attrs) > 1)
        buf_printf(&out, ", %d of %d", node->attrs.result + 1, node->attrs.parts);
    if (node->act != ACT_NONE)
        buf_printf(&out, ", %s", act_name(node->act));
    return buf_text(&out);
}

const char *describe_type(Arena *arena, Type t, const char *times)
{
    Buf out = buf_new(arena);
    if (t.n > 1)
        buf_printf(&out, "%d%s", t.n, times);
    buf_printf(&out, "%d", t.c);
    if (t.h > 1 || t.w > 1)
        buf_printf(&out, "%s%d%s%d", times, t.h, times, t.w);
    if (t.elem != ELEM_F32)
        buf_printf(&out, " %s", elem_name(t.elem));
    return buf_text(&out);
}

const char *describe_line(Arena *arena, const SrcMap *src, const Place *place)
{
    int line;
    const SrcFile *file = src_place(src, place, &line);
    const char *slash = file ? strrchr(file->name, '/') : NULL;
    if (!file)
        return NULL;
    return arena_printf(arena, "%s:%d", str_shown(arena, slash ? slash + 1 : file->name), line);
}

const char *describe_number(Arena *arena, int64_t n)
{
    const char *digits = arena_printf(arena, "%lld", (long long)n);
    const size_t length = strlen(digits);
    Buf out = buf_new(arena);
    for (size_t i = 0; i < length; i++) {
        if (i && (length - i) % 3 == 0 && digits[i - 1] != '-')
            buf_putc(&out, ',');
        buf_putc(&out, digits[i]);
    }
    return buf_text(&out);
}
