/* import.c: chooses the reader of a model file. */
#include "import/import.h"

#include "import/import_parts.h"
#include "net/check.h"
#include "params/bind.h"

#include <ctype.h>
#include <inttypes.h>
#include <math.h>
#include <string.h>

typedef struct Reader {
    const char *what;
    bool (*is)(const Opened *file);
    bool (*import)(Imported *to, const Opened *file, SrcMap *src, Diag *d);
} Reader;

static const Reader readers[] = {
#define READER(id, what) {what, id##_is, id##_import},
#include "import/readers.def"
};
enum { READERS = sizeof readers / sizeof *readers };

const char *import_net_name(const char *path, Arena *arena)
{
    const char *slash = strrchr(path, '/'), *base = slash ? slash + 1 : path;
    const char *dot = strrchr(base, '.');
    const size_t n = dot && dot > base ? (size_t)(dot - base) : strlen(base);
    char *name = arena_strndup(arena, base, n);
    for (char *c = name; *c; c++)
        *c = isalnum((unsigned char)*c) ? *c : '_';
    return isdigit((unsigned char)*name) || !*name ? arena_printf(arena, "net_%s", name) : name;
}

static const Reader *reader_of(const Opened *file)
{
    for (int i = 0; i < READERS; i++) {
        if (readers[i].is(file))
            return &readers[i];
    }
    return NULL;
}

bool import_is_model(const char *path)
{
    Opened file = {.path = path};
    const char *why;
    if (str_ends(path, ".net") || !opened_map(&file, &why))
        return false;
    const bool is = reader_of(&file) != NULL;
    opened_close(&file);
    return is;
}

void import_refuse(const char *path, Arena *arena, Diag *d)
{
    Diag quiet = diag_new(d->src, arena);
    TensorFile weights;
    if (tensorfile_open(&weights, path, arena, &quiet)) {
        diag_file_error(d, path, "these are %d tensors and no network", weights.n);
        diag_file_note(d, path,
                       "'rnc guess %s' finds the networks that ship and fit them; 'rnc NETWORK.net "
                       "-w %s' takes them",
                       path, path);
        tensorfile_close(&weights);
        return;
    }
    Buf list = buf_new(arena);
    for (int i = 0; i < READERS; i++)
        buf_printf(&list, "%s%s", i == 0 ? "" : i == READERS - 1 ? " and " : ", ", readers[i].what);
    diag_file_error(d, path, "this is no model that rnc reads");
    diag_file_note(d, path, "it reads %s", buf_text(&list));
}

/* As a weights file is refused for the same numbers.  False after a message. */
static bool check_param(const Node *node, const Param *param, const char *path, Diag *d)
{
    const float *x = param_floats(param);
    const double epsilon = node->attrs.epsilon;
    const int64_t at = x ? first_unusable(param, x, epsilon) : 0;
    if (!x || at == param_elements(param))
        return true;
    if (isfinite(x[at]))
        diag_file_error(d, path,
                        "'%s' holds %.9g at element %" PRId64
                        ": a variance and epsilon, %.9g, must be above 0",
                        param->name, (double)x[at], at, epsilon);
    else
        diag_file_error(d, path, "'%s' holds %s at element %" PRId64, param->name,
                        isnan(x[at]) ? "a NaN" : "infinity, or a number too large for 32 bits,",
                        at);
    return false;
}

static bool check_values(const Net *net, const char *path, Diag *d)
{
    bool good = true;
    for (int i = 0; i < net->nodes.n; i++) {
        const Node *node = net->nodes.at[i];
        for (int r = 0; r < P_ROLES; r++) {
            if (node->params[r] && node->params[r]->elem == ELEM_F32)
                good = check_param(node, node->params[r], path, d) && good;
        }
    }
    return good;
}

bool import_model(Imported *to, const char *path, SrcMap *src, Diag *d)
{
    const int errors = d->errors;
    const Opened *file = imported_map(to, path, src, d);
    if (!file)
        return false;
    const Reader *reader = reader_of(file);
    if (!reader) {
        import_refuse(path, src->arena, d);
        return false;
    }
    return reader->import(to, file, src, d) && d->errors == errors &&
           check_values(to->net, path, d) && check_net(to->net, d, "the import");
}
