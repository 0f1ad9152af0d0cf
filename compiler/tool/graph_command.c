/* graph_command.c: rnc graph: a picture of the network, as SVG or for Graphviz. */
#include "view/diagram.h"
#include "tool/commands.h"
#include "tool/output.h"

#include <stdio.h>

/* To -o, or to standard output. */
static void write_graph(const Options *o, const Buf *text, const SrcMap *src, Arena *arena, Diag *d)
{
    if (!o->output) {
        fputs(buf_text(text), stdout);
        return;
    }
    const OutputFile file = {o->output, text->text, text->n};
    write_made(o, &file, 1, o->output, src, arena, d);
}

int graph_command(Options *o, Arena *arena, SrcMap *src, Diag *d)
{
    Compiled c;
    /* The compilation ends where the network is as it was written. */
    o->compile.dump = DUMP_IR;
    if (compile(&o->compile, arena, src, d, &c)) {
        Buf text = buf_new(arena);
        Diagram *diagram = diagram_make(c.original, src, o->expand, arena);
        if (o->graph_format == GRAPH_DOT) {
            dot_print(&text, diagram);
        } else {
            diagram_layout(diagram);
            svg_print(&text, diagram);
        }
        write_graph(o, &text, src, arena, d);
    }
    compiled_close(&c);
    return status_of(d);
}
