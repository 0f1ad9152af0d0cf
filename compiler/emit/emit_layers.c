/* emit_layers.c: what the steps of a training are: the layers that they compute, which have some
 * steps one after the other, and their kernels. */
#include "emit/emit_parts.h"

#include "net/describe.h"

/* A list of texts, each once, in the order in which they are first asked for. */
typedef struct Texts {
    const char **at;
    int n;
} Texts;

static int number_of(Texts *texts, const char *text)
{
    int i = 0;
    while (i < texts->n && !str_eq(texts->at[i], text))
        i++;
    if (i == texts->n)
        texts->at[texts->n++] = text;
    return i;
}

static void emit_texts(Emit *e, const char *what, const Texts *texts)
{
    buf_printf(e->out, "static const char *const %s_%s[] = {\n", e->name, what);
    for (int i = 0; i < texts->n; i++) {
        buf_puts(e->out, "    ");
        emit_string(e->out, texts->at[i]);
        buf_puts(e->out, ",\n");
    }
    buf_puts(e->out, "};\n");
}

static const char *line_of(const Emit *e, const Step *s)
{
    const char *line = describe_line(e->arena, e->src, s->node->place);
    return line ? line : "";
}

static void emit_rows(Emit *e, Texts *lines)
{
    const char *last = "";
    int last_line = -1;
    for (int i = 0; i < e->plan->steps.n; i++) {
        const Step *s = &e->plan->steps.at[i];
        const char *name = layers_name(e->plan, s, e->arena);
        const int line = number_of(lines, line_of(e, s));
        if (line == last_line && str_eq(name, last))
            continue;
        last = name, last_line = line;
        buf_printf(e->out, "    {%d, ", i);
        emit_string(e->out, name);
        buf_printf(e->out, ", %d},\n", line);
    }
}

void emit_layers(Emit *e)
{
    const Plan *plan = e->plan;
    Texts lines = {NEW_ARRAY(e->arena, const char *, plan->steps.n + 1), 0};
    Texts kernels = {NEW_ARRAY(e->arena, const char *, plan->steps.n + 1), 0};
    emit_template(e, "\n#ifndef RNC_NO_STEP_TABLE\n"
                     "/* the first step, the layer, its line */\n"
                     "static const rnc_train_layer @_layers[] = {\n");
    emit_rows(e, &lines);
    buf_puts(e->out, "};\n");
    emit_texts(e, "lines", &lines);
    emit_template(e, "/* The kernel of each step. */\n"
                     "static const unsigned char @_step_kernels[] = {");
    for (int i = 0; i < plan->steps.n; i++)
        buf_printf(e->out, "%s%d,", i % 24 ? " " : "\n    ",
                   number_of(&kernels, kernel_rows[plan->steps.at[i].kernel].name));
    buf_puts(e->out, "\n};\n");
    emit_texts(e, "kernels", &kernels);
    buf_puts(e->out, "#endif\n");
}
