/* dot.c: a diagram as text for Graphviz (dot -Tsvg): clusters for frames. */
#include "view/diagram.h"

#include "base/utf8.h"

#include <string.h>

static const char *const fills[HUES] = {
    [HUE_END] = "#ffffff",   [HUE_CONV] = "#cfe1fa", [HUE_DEPTHWISE] = "#c4ecec",
    [HUE_DENSE] = "#e3d5f7", [HUE_POOL] = "#fbdcc0", [HUE_POINTWISE] = "#e8ebef",
    [HUE_JOIN] = "#cdeed3",  [HUE_MOVE] = "#f7eeb5",
};

static void put_string(Buf *out, const char *text)
{
    Buf shown = buf_new(out->arena);
    buf_add_shown(&shown, text, strlen(text), true);
    for (const char *c = buf_text(&shown); *c; c++) {
        if (*c == '"' || *c == '\\')
            buf_putc(out, '\\');
        buf_puts(out, *c == '\n' ? "\\n" : (const char[]){*c, '\0'});
    }
}

static void put_quoted(Buf *out, const char *before, const char *a, const char *between,
                       const char *b)
{
    buf_printf(out, "%s\"", before);
    put_string(out, a);
    if (*b) {
        buf_puts(out, between);
        put_string(out, b);
    }
    buf_putc(out, '"');
}

static void put_box(Buf *out, const Box *box, int deep, int *clusters)
{
    const bool leaf = box->kind == BOX_LAYER || box->kind == BOX_END;
    if (leaf) {
        buf_printf(out, "%*sn%d [", 2 * deep, "", box->id);
        put_quoted(out, "label=", box->title, "\\n", box->detail);
        buf_printf(out, ", fillcolor=\"%s\"%s", fills[box->hue],
                   box->kind == BOX_END || box->hue == HUE_JOIN ? ", style=\"filled,rounded\""
                                                                : "");
        put_quoted(out, ", tooltip=", box->tip, "", "");
        buf_puts(out, "];\n");
        return;
    }
    if (box->kind != BOX_PAGE) {
        buf_printf(out, "%*ssubgraph cluster_%d {\n", 2 * deep, "", (*clusters)++);
        buf_printf(out, "%*s", 2 * deep + 2, "");
        put_quoted(out, "label=", box->title, " ", box->detail);
        if (box->times > 1) {
            out->text[--out->n] = '\0';
            buf_printf(out, " \xc3\x97%d\"", box->times);
        }
        buf_puts(out, box->kind == BOX_ARM ? "; color=none; fontname=\"Helvetica-Oblique\";" : ";");
        put_quoted(out, " tooltip=", box->tip, "", "");
        buf_puts(out, ";\n");
    }
    for (int i = 0; i < box->boxes.n; i++)
        put_box(out, box->boxes.at[i], deep + 1, clusters);
    if (box->kind != BOX_PAGE)
        buf_printf(out, "%*s}\n", 2 * deep, "");
}

void dot_print(Buf *out, const Diagram *d)
{
    int clusters = 0;
    put_quoted(out, "digraph ", d->title, "", "");
    buf_puts(out, " {\n  ");
    put_quoted(out, "label=", d->title, "\\n", d->subtitle);
    buf_puts(out, "; labelloc=t; fontname=Helvetica; color=\"#9aa5b1\";\n"
                  "  node [shape=box, style=filled, fontname=Helvetica, fontsize=12];\n"
                  "  edge [fontname=Helvetica, fontsize=10];\n");
    put_box(out, d->page, 0, &clusters);
    for (int i = 0; i < d->wires.n; i++) {
        const Wire *wire = d->wires.at[i];
        for (int k = 0; k < wire->to.n; k++) {
            buf_printf(out, "  n%d -> n%d", wire->from->id, wire->to.at[k]->id);
            if (wire->label)
                put_quoted(out, " [label=", wire->label, "", "");
            buf_puts(out, wire->label ? "];\n" : ";\n");
        }
    }
    buf_puts(out, "}\n");
}
