/* onnx_names.c: the paths of modules, as the program that wrote a model had them.
 *
 * Who wrote it decides where they are.  PyTorch's newer exporter gives each node the modules around
 * it as metadata, ['', 'layer1', 'layer1.0', 'layer1.0.relu', 'relu_1'] with its own name last; the
 * older one names nodes /layer1/layer1.0/relu/Relu, and Keras
 * StatefulPartitionedCall/net/conv/Conv2D. Weights have names such as layer1.0.conv1.weight, unless
 * the batch normalisation was folded into them by the older exporter: then they are called
 * onnx::Conv_193. */
#include "import/onnx_parts.h"

#include <ctype.h>
#include <string.h>

/* ---- a list of texts as Python prints it ---- */

/* The next text in quotes at or after *at, which moves after it; NULL if there is none. */
static const char *next_text(const char **at, Arena *arena)
{
    const char *open = *at + strcspn(*at, "'\"");
    if (!*open)
        return NULL;
    const char *close = strchr(open + 1, *open);
    if (!close)
        return NULL;
    *at = close + 1;
    return arena_strndup(arena, open + 1, (size_t)(close - open - 1));
}

/* The last but one text of a list; "" if there are fewer. */
static const char *module_of(const char *list, Arena *arena)
{
    const char *before = "", *last = "";
    for (const char *t = next_text(&list, arena); t; t = next_text(&list, arena)) {
        before = last;
        last = t;
    }
    return before;
}

/* ---- names that are paths ---- */

/* The path of /layer1/layer1.0/conv1/Conv: parts that repeat what is before them replace it. */
static const char *path_of_name(const char *name, Arena *arena)
{
    Buf path = buf_new(arena);
    size_t part = 0; /* where the last one begins */
    const char *end = strrchr(name, '/');
    while (name < end) {
        const size_t n = strcspn(name, "/");
        const char *text = arena_strndup(arena, name, n);
        name += n + 1;
        if (n == 0 || str_eq(text, "StatefulPartitionedCall"))
            continue;
        const char *last = buf_text(&path) + part;
        const size_t k = strlen(last);
        if (path.n && strncmp(text, last, k) == 0 && text[k] == '.') {
            buf_puts(&path, text + k);
            continue;
        }
        if (path.n)
            buf_putc(&path, '.');
        part = path.n;
        buf_puts(&path, text);
    }
    return buf_text(&path);
}

/* layer1.0.conv1 of layer1.0.conv1.weight; NULL if it is no such name. */
static const char *path_of_weight(const OnnxNode *node, Arena *arena)
{
    static const char end[] = ".weight";
    for (int i = 1; i < node->n_in; i++) {
        const char *name = node->in[i];
        if (str_ends(name, end) && !strchr(name, ':') && !strchr(name, '/') &&
            strlen(name) > sizeof end - 1)
            return arena_strndup(arena, name, strlen(name) - (sizeof end - 1));
    }
    return NULL;
}

static size_t parent_length(const char *path)
{
    const char *dot = strrchr(path, '.');
    return dot ? (size_t)(dot - path) : 0;
}

/* Whether two paths are of the same module's parts. */
static bool neighbours(const char *a, const char *b)
{
    const size_t n = parent_length(a);
    return n == parent_length(b) && strncmp(a, b, n) == 0;
}

const char *onnx_module(const Work *w, const OnnxNode *node)
{
    if (str_starts(w->model->producer, "rnc "))
        return node->name; /* rnc export names nodes as layers are called */
    const char *weight = path_of_weight(node, w->arena);
    if (node->scopes) {
        const char *module = module_of(node->scopes, w->arena);
        /* Equal weights are stored once, under the name of the first. */
        return weight && neighbours(weight, module) ? weight : module;
    }
    if (strchr(node->name, '/')) {
        const char *module = path_of_name(node->name, w->arena);
        return weight && neighbours(weight, module) ? weight : module;
    }
    return weight;
}

/* ---- modules with parts ---- */

/* The kinds of modules of a node: torchvision.models.resnet.BasicBlock is a BasicBlock. */
static void add_kinds(Work *w, const OnnxNode *node)
{
    const char *paths = node->scopes, *kinds = node->classes;
    if (!paths || !kinds)
        return;
    for (;;) {
        const char *path = next_text(&paths, w->arena), *kind = next_text(&kinds, w->arena);
        if (!path || !kind || !strpbrk(paths, "'\""))
            return;
        NameEntry *entry = table_find(&w->scopes, path);
        if (!*path || (entry && entry->number & 2))
            continue;
        if (!entry)
            entry = table_add(&w->scopes, path, NO_LOC);
        entry->number |= 2;
        const char *dot = strrchr(kind, '.');
        const ImportedScope scope = {builder_path(w->arena, path), dot ? dot + 1 : kind};
        VEC_PUSH(w->arena, &w->b->to->scopes, scope);
    }
}

void onnx_scopes(Work *w)
{
    for (int i = 0; i < w->model->n_nodes; i++) {
        const OnnxNode *node = &w->model->nodes[i];
        const char *path = onnx_module(w, node);
        add_kinds(w, node);
        for (size_t n = path ? parent_length(path) : 0; n > 0;) {
            const char *outer = arena_strndup(w->arena, path, n);
            NameEntry *entry = table_find(&w->scopes, outer);
            if (!entry)
                entry = table_add(&w->scopes, outer, NO_LOC);
            entry->number |= 1;
            n = parent_length(outer);
        }
    }
}
