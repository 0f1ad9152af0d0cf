/* emit_layers.c: what the steps of a training are: the layers that they belong to, what of these
 * they compute, and their kernels. */
#include "emit/emit_parts.h"

#include "net/describe.h"

#include <string.h>

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

/* The layer "conv1" of "conv1.weight.gradient", with what comes after it; NULL if there is none. */
static const char *owner_of(const Emit *e, const char *name, const char **part)
{
    for (const char *end = name + strlen(name) - 1; end > name; end--) {
        if (*end != '.')
            continue;
        const char *layer = arena_printf(e->arena, "%.*s", (int)(end - name), name);
        if (table_find(&e->layers, layer)) {
            *part = end + 1;
            return layer;
        }
    }
    return NULL;
}

StepLabel step_label(const Emit *e, const Step *s)
{
    static const char evaluate[] = "evaluate.";
    const char *name = step_layer(e->plan, s), *dot = strrchr(name, '.'), *part = "";
    const char *last = dot ? dot + 1 : "", *layer = NULL;
    if (str_eq(last, "backward") || str_eq(last, "gradient") || str_eq(last, "again")) {
        layer = owner_of(e, name, &part);
    } else if (strncmp(name, evaluate, sizeof evaluate - 1) == 0 &&
               table_find(&e->layers, name + sizeof evaluate - 1)) {
        layer = name + sizeof evaluate - 1;
        part = "evaluate";
    }
    return (StepLabel){layer ? layer : name, part};
}

/* A layer, what is computed with it, and its line. */
static void emit_row(Emit *e, const Step *s, const char *layer)
{
    const char *line = describe_line(e->arena, e->src, s->node->place);
    const char *all = layers_name(e->plan, s, e->arena), *with = all + strlen(layer);
    buf_puts(e->out, "    {");
    emit_string(e->out, layer);
    buf_puts(e->out, ", ");
    emit_string(e->out, strncmp(all, layer, strlen(layer)) == 0 ? with : "");
    buf_puts(e->out, ", ");
    emit_string(e->out, line ? line : "");
    buf_puts(e->out, "},\n");
}

/* Numbers by step, under a comment and a declaration. */
static void emit_by_step(Emit *e, const char *type, const char *what, const int *numbers)
{
    buf_printf(e->out, "static const %s %s_step_%s[] = {", type, e->name, what);
    for (int i = 0; i < e->plan->steps.n; i++)
        buf_printf(e->out, "%s%d,", i % 24 ? " " : "\n    ", numbers[i]);
    buf_puts(e->out, "\n};\n");
}

void emit_layers(Emit *e)
{
    const int n = e->plan->steps.n;
    Texts layers = {NEW_ARRAY(e->arena, const char *, n + 1), 0};
    Texts parts = {NEW_ARRAY(e->arena, const char *, n + 1), 0};
    Texts kernels = {NEW_ARRAY(e->arena, const char *, n + 1), 0};
    int *layer_of = NEW_ARRAY(e->arena, int, n + 1), *part_of = NEW_ARRAY(e->arena, int, n + 1);
    int *kernel_of = NEW_ARRAY(e->arena, int, n + 1);
    emit_template(e, "\n#ifndef RNC_NO_STEP_TABLE\n"
                     "/* Each layer, what is computed with it, and its line. */\n"
                     "static const rnc_train_layer @_layers[] = {\n");
    for (int i = 0; i < n; i++) {
        const Step *s = &e->plan->steps.at[i];
        const StepLabel label = step_label(e, s);
        const int known = layers.n;
        layer_of[i] = number_of(&layers, label.layer);
        part_of[i] = number_of(&parts, label.part);
        kernel_of[i] = number_of(&kernels, kernel_rows[s->kernel].name);
        if (layers.n > known)
            emit_row(e, s, label.layer);
    }
    buf_puts(e->out, "};\n");
    emit_texts(e, "parts", &parts);
    emit_texts(e, "kernels", &kernels);
    buf_puts(e->out, "/* Of each step: its layer, which part of it, and its kernel. */\n");
    emit_by_step(e, "int", "layers", layer_of);
    emit_by_step(e, "unsigned char", "parts", part_of);
    emit_by_step(e, "unsigned char", "kernels", kernel_of);
    buf_puts(e->out, "#endif\n");
}
