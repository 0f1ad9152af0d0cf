/* import_command.c: rnc import: another tool's model as a .net file and its weights. */
#include "import/import.h"
#include "import/write.h"
#include "net/figures.h"
#include "params/safetensors_write.h"
#include "tool/check_outputs.h"
#include "tool/commands.h"

#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

/* NAME of -o NAME.net, or of the model in the current folder; NULL after a message. */
static const char *base_of_output(const Options *o, Arena *arena, Diag *d)
{
    static const char ending[] = ".net";
    const char *path = output_ending(o, ending, arena, d);
    return path ? arena_strndup(arena, path, strlen(path) - strlen(ending)) : NULL;
}

static bool has_values(const Net *net)
{
    for (int i = 0; i < net->params.n; i++) {
        if (!net->params.at[i]->data)
            return false;
    }
    return net->params.n > 0;
}

/* Whether pixels go into a picture's first layers as they come: what a framework's code does to a
 * picture before it calls the model is not in the file. */
static bool takes_raw_pixels(const Net *net)
{
    const Node *input = net->inputs.n ? net->inputs.at[0].node : NULL;
    if (!input || input->type.c > 4 || input->type.h < 8 || input->type.w < 8)
        return false;
    for (int i = 0; i < net->nodes.n; i++) {
        const Node *node = net->nodes.at[i];
        for (int k = 0; k < node->n_in; k++) {
            if (node->in[k] == input && (node->op == OP_NORMALIZE || node->op == OP_AFFINE))
                return false;
        }
    }
    return true;
}

/* Somebody may have edited the text that an earlier import wrote.  If another one than `text` is at
 * its path, copies it to NAME.net~, the path in `kept`, else NULL.  False after a message: it
 * cannot be kept, and must not be replaced. */
static bool keep_edited(const OutputFile *text, const char **kept, Arena *arena, Diag *d)
{
    struct stat about;
    *kept = NULL;
    if (stat(text->path, &about) != 0 || !S_ISREG(about.st_mode) || about.st_size <= 0)
        return true;
    const size_t size = (size_t)about.st_size;
    char *bytes = arena_alloc(arena, size);
    FILE *f = fopen(text->path, "rb");
    const size_t got = f ? fread(bytes, 1, size, f) : 0;
    if (f)
        fclose(f);
    if (got != size) {
        diag_file_error(d, text->path, "it is there already, and cannot be read to keep it");
        diag_note(d, NO_LOC, "-o OTHER.net writes to another file");
        return false;
    }
    if (size == text->size && memcmp(bytes, text->bytes, size) == 0)
        return true;
    *kept = arena_printf(arena, "%s~", text->path);
    const OutputFile copy = {*kept, bytes, size};
    return outputs_write(&copy, 1, NULL, 0, arena, d);
}

static void print_made(const Imported *model, const Net *net, const OutputFile *files, int n,
                       Arena *arena)
{
    printf("%s: %s, %s, %s an image\n", net->name, figure_layers(arena, net),
           figure_count(arena, net_parameters(net), " parameters"),
           figure_count(arena, net_macs(net), "MAC"));
    for (int i = 0; i < model->remarks.n; i++)
        printf("note: %s\n", model->remarks.at[i]);
    if (takes_raw_pixels(net))
        printf(
            "note: it has no 'normalize': pixels of 0..255 go in as they are. If your code scales "
            "a picture before\n"
            "      the model gets it, write that after the input, as in models/resnet50.net\n");
    printf("wrote %s", files[0].path);
    if (n > 1)
        printf(", %s (%s)\n", files[1].path, figure_bytes(arena, (int64_t)files[1].size));
    else
        printf("; %s\n", net->params.n ? "the model has no weights" : "it has no parameters");
}

static void write_files(const Options *o, const Imported *model, const Written *written,
                        const char *base, const SrcMap *src, Arena *arena, Diag *d)
{
    const char *kept;
    OutputFile files[2] = {
        {arena_printf(arena, "%s.net", base), buf_text(&written->text), written->text.n},
        {.path = arena_printf(arena, "%s.safetensors", base)},
    };
    int n = 1;
    if (has_values(written->net))
        files[n++].bytes = safetensors_print(written->net, &files[1].size, arena);
    if (!keep_edited(&files[0], &kept, arena, d) || !write_made(o, files, n, base, src, arena, d))
        return;
    if (!o->quiet)
        print_made(model, written->net, files, n, arena);
    if (kept)
        fprintf(stderr, "rnc: note: the %s that was there was another text; it is %s now\n",
                files[0].path, kept);
}

int import_command(Options *o, Arena *arena, SrcMap *src, Diag *d)
{
    Imported model = {0};
    Written written;
    const char *base = base_of_output(o, arena, d);
    if (!base)
        return EXIT_USAGE;
    /* Memory that runs out must not leave files open. */
    jmp_buf oom;
    jmp_buf *outer = arena_on_oom(arena, &oom);
    if (setjmp(oom)) {
        arena_on_oom(arena, outer);
        imported_close(&model);
        longjmp(*outer, 1);
    }
    const char *path = arena_printf(arena, "%s.net", base);
    if (import_model(&model, o->compile.input, src, d) &&
        write_net(&written, &model, path, src, d) &&
        (o->check.n == 0 || check_outputs(o, written.net, arena, d)))
        write_files(o, &model, &written, base, src, arena, d);
    arena_on_oom(arena, outer);
    imported_close(&model);
    return status_of(d);
}
