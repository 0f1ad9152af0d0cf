/* normed.c: kernels that PyTorch keeps as what they are computed from.
 *
 * Weight normalisation (torch.nn.utils.weight_norm) keeps magnitudes g and directions v:
 *
 *     weight = g * v / |v|
 *
 * with the norm over all axes in which g has the extent 1 (Salimans and Kingma, NIPS 2016).  They
 * are called weight_g and weight_v, or parametrizations.weight.original0 and .original1.
 *
 * Spectral normalisation (torch.nn.utils.spectral_norm) keeps the kernel W and two vectors, which
 * training iterates:
 *
 *     weight = W / (u' W v)
 *
 * with W as a matrix of dims[0] rows (Miyato and others, ICLR 2018).  They are called weight_orig,
 * weight_u and weight_v, or parametrizations.weight.original, .0._u and .0._v.
 */
#include "params/normed.h"

#include "net/nametable.h"

#include <math.h>
#include <string.h>

typedef enum Kind { WEIGHT_NORM, SPECTRAL_NORM } Kind;

/* How the parts of a kernel are called after the layer's name; the first one is replaced by
 * `weight`. */
static const struct {
    Kind kind;
    const char *first, *others[2];
} spellings[] = {
    {WEIGHT_NORM, "weight_g", {"weight_v", NULL}},
    {WEIGHT_NORM, "parametrizations.weight.original0", {"parametrizations.weight.original1", NULL}},
    {SPECTRAL_NORM, "weight_orig", {"weight_u", "weight_v"}},
    {SPECTRAL_NORM,
     "parametrizations.weight.original",
     {"parametrizations.weight.0._u", "parametrizations.weight.0._v"}},
};
enum { SPELLINGS = sizeof spellings / sizeof *spellings };

/* What load() computes a kernel from. */
typedef struct Normed {
    Kind kind;
    const StoredTensor *parts[3]; /* g and v, or W, u and v */
} Normed;

/* ---- which there are ---- */

static bool is_float(const StoredTensor *t)
{
    return t->elem != STORED_OTHER;
}

static int64_t elements_of(const StoredTensor *t)
{
    int64_t n;
    return tensor_elements(t->dims, t->rank, &n) ? n : -1;
}

/* Whether g has an extent of v or 1 in each axis. */
static bool fits_norm(const StoredTensor *g, const StoredTensor *v)
{
    if (elements_of(g) == 1)
        return true;
    if (g->rank != v->rank)
        return false;
    for (int i = 0; i < g->rank; i++) {
        if (g->dims[i] != 1 && g->dims[i] != v->dims[i])
            return false;
    }
    return true;
}

static bool fits(const Normed *n)
{
    const StoredTensor *const *p = n->parts;
    if (n->kind == WEIGHT_NORM)
        return is_float(p[0]) && is_float(p[1]) && p[1]->rank > 0 && fits_norm(p[0], p[1]);
    return is_float(p[0]) && is_float(p[1]) && is_float(p[2]) && p[0]->rank > 1 &&
           elements_of(p[1]) == p[0]->dims[0] &&
           elements_of(p[2]) * p[0]->dims[0] == elements_of(p[0]);
}

/* ---- what they are ---- */

/* The element of g for the element of v at `at`. */
static int64_t magnitude_at(const StoredTensor *g, const StoredTensor *v, int64_t at)
{
    int64_t to = 0, step = 1;
    for (int i = v->rank - 1; i >= 0 && g->rank == v->rank; i--) {
        const int64_t index = at % v->dims[i];
        at /= v->dims[i];
        if (g->dims[i] > 1)
            to += index * step;
        step *= g->dims[i];
    }
    return to;
}

static void compute_weight_norm(const Normed *n, const float *g, const float *v, float *to,
                                Arena *arena)
{
    const StoredTensor *magnitude = n->parts[0], *direction = n->parts[1];
    const int64_t all = elements_of(direction), norms = elements_of(magnitude);
    double *norm = NEW_ARRAY(arena, double, norms);
    for (int64_t i = 0; i < all; i++)
        norm[magnitude_at(magnitude, direction, i)] += (double)v[i] * v[i];
    for (int64_t i = 0; i < all; i++) {
        const int64_t k = magnitude_at(magnitude, direction, i);
        to[i] = (float)((double)v[i] * g[k] / sqrt(norm[k]));
    }
}

static void compute_spectral_norm(const Normed *n, const float *w, const float *u, const float *v,
                                  float *to)
{
    const int64_t rows = n->parts[0]->dims[0], columns = elements_of(n->parts[2]);
    double sigma = 0;
    for (int64_t i = 0; i < rows; i++) {
        double sum = 0;
        for (int64_t k = 0; k < columns; k++)
            sum += (double)w[i * columns + k] * v[k];
        sigma += u[i] * sum;
    }
    for (int64_t i = 0; i < rows * columns; i++)
        to[i] = (float)(w[i] / sigma);
}

static bool load(const TensorFile *file, const StoredTensor *tensor, unsigned char *to,
                 Arena *arena, Diag *diag)
{
    const TensorFile *inner = file->inner;
    const float *x[3] = {NULL};
    if (!tensor->computed)
        return inner->load(inner, tensor, to, arena, diag);
    const Normed *n = tensor->packed;
    for (int i = 0; i < 3 && n->parts[i]; i++) {
        x[i] = tensor_floats(inner, n->parts[i], arena, diag);
        if (!x[i])
            return false;
    }
    float *floats = NEW_ARRAY(arena, float, tensor->size / sizeof(float) + 1);
    if (n->kind == WEIGHT_NORM)
        compute_weight_norm(n, x[0], x[1], floats, arena);
    else
        compute_spectral_norm(n, x[0], x[1], x[2], floats);
    memcpy(to, floats, tensor->size);
    return true;
}

/* ---- the file without them ---- */

/* Fills n->parts with the tensors that belong to `first`, whose name is LAYER.(spelling's first).
 * False if one is missing. */
static bool find_parts(const TensorFile *file, const NameTable *names, int spelling,
                       const StoredTensor *first, Normed *n, Arena *arena)
{
    const size_t layer = strlen(first->name) - strlen(spellings[spelling].first);
    *n = (Normed){spellings[spelling].kind, {first}};
    for (int i = 0; i < 2 && spellings[spelling].others[i]; i++) {
        const char *name =
            arena_printf(arena, "%.*s%s", (int)layer, first->name, spellings[spelling].others[i]);
        const NameEntry *entry = table_find(names, name);
        if (!entry)
            return false;
        n->parts[i + 1] = &file->tensors[entry->number];
    }
    return true;
}

/* Whether the name is `word`, or ends with it after a dot. */
static bool ends_in(const char *name, const char *word)
{
    const size_t n = strlen(name), m = strlen(word);
    return str_ends(name, word) && (n == m || name[n - m - 1] == '.');
}

/* The kernel of n, called LAYER.weight, as a tensor that load() computes. */
static StoredTensor kernel_of(const Normed *n, size_t layer, Arena *arena)
{
    const StoredTensor *like = n->parts[n->kind == WEIGHT_NORM ? 1 : 0];
    StoredTensor t = *like;
    t.name = arena_printf(arena, "%.*sweight", (int)layer, n->parts[0]->name);
    t.elem = STORED_F32;
    t.elem_name = "F32";
    t.bytes = NULL;
    t.size = (size_t)elements_of(like) * sizeof(float);
    t.packed = n;
    t.computed = true;
    return t;
}

/* The kernel whose first part is tensor i of the file, in *n; false if it is no such part. */
static bool find_kernel(const TensorFile *file, const NameTable *names, int i, Normed *n,
                        size_t *layer, Arena *arena)
{
    const StoredTensor *first = &file->tensors[i];
    for (int s = 0; s < SPELLINGS; s++) {
        if (!ends_in(first->name, spellings[s].first))
            continue;
        *layer = strlen(first->name) - strlen(spellings[s].first);
        if (find_parts(file, names, s, first, n, arena) && fits(n))
            return true;
    }
    return false;
}

static bool has_any(const TensorFile *file)
{
    for (int i = 0; i < file->n; i++) {
        for (int s = 0; s < SPELLINGS; s++) {
            if (ends_in(file->tensors[i].name, spellings[s].first))
                return true;
        }
    }
    return false;
}

void normed_read(TensorFile *file, Arena *arena, Diag *diag)
{
    if (!has_any(file))
        return;
    TensorFile *inner = NEW(arena, TensorFile);
    *inner = *file;
    NameTable names = {.arena = arena};
    for (int i = 0; i < file->n; i++) {
        NameEntry *entry = table_add(&names, file->tensors[i].name, NO_LOC);
        if (entry)
            entry->number = i;
    }
    StoredTensor *tensors = NEW_ARRAY(arena, StoredTensor, file->n + 1);
    bool *gone = NEW_ARRAY(arena, bool, file->n + 1);
    const Normed **kernels = NEW_ARRAY(arena, const Normed *, file->n + 1);
    size_t *layers = NEW_ARRAY(arena, size_t, file->n + 1);
    int found = 0, n = 0;
    for (int i = 0; i < file->n; i++) {
        Normed kernel;
        if (!find_kernel(inner, &names, i, &kernel, &layers[i], arena))
            continue;
        Normed *own = NEW(arena, Normed);
        *own = kernel;
        kernels[i] = own;
        for (int k = 0; k < 3 && kernel.parts[k]; k++)
            gone[kernel.parts[k] - inner->tensors] = true;
        found++;
    }
    for (int i = 0; i < file->n; i++) {
        if (kernels[i])
            tensors[n++] = kernel_of(kernels[i], layers[i], arena);
        else if (!gone[i])
            tensors[n++] = inner->tensors[i];
    }
    if (found == 0)
        return;
    file->tensors = tensors;
    file->n = n;
    file->inner = inner;
    file->load = load;
    diag_file_note(diag, file->path,
                   "%d kernels are computed from what weight or spectral normalisation keeps, as "
                   "PyTorch does in evaluation",
                   found);
}
