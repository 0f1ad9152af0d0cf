/* bind.c: the network's parameters bound to the tensors of weights files.
 *
 * Strict, because a network with one wrong tensor still gives answers: every
 * parameter needs a tensor of its shape, every tensor a parameter, and every
 * number is finite.
 */
#include "params/bind.h"

#include "net/axes.h"
#include "params/keras.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

/* A tensor of a file and the parameter that uses it. */
typedef struct Slot {
    const char *name; /* the tensor's, or layer.weight of a path (keras.h) */
    const StoredTensor *tensor;
    const TensorFile *file;
    int order; /* of files, and in the file */
    const Param *param;
} Slot;

/* A parameter, the first node that refers to it, and its tensor or NULL. */
typedef struct Use {
    Param *param;
    const Node *node;
    double epsilon; /* of a variance: the least of the nodes that refer to it */
    Slot *slot;
    bool by_alias; /* found by the naming's name, so in the naming's order of axes */
} Use;

typedef struct Binder {
    Arena *arena;
    Diag *diag;
    Slot *slots; /* by name */
    int n_slots;
    VEC(Use) uses; /* in the order of execution */
    int missing;
} Binder;

enum { EXAMPLES = 3, LISTED = 6 };

/* What frameworks store beside parameters. */
static const char *const beside[] = {"num_batches_tracked", "total_ops", "total_params"};

static bool lies_beside(const char *name)
{
    const char *dot = strrchr(name, '.');
    for (size_t i = 0; i < sizeof beside / sizeof *beside; i++)
        if (str_eq(dot ? dot + 1 : name, beside[i]))
            return true;
    return false;
}

static Loc place_of(const Param *param)
{
    return param->place ? param->place->loc : NO_LOC;
}

/* The name that weights files have for it. */
static const char *file_name(const Param *param)
{
    return param->alias ? param->alias : param->name;
}

/* ---- who belongs to whom ---- */

static int by_name(const void *a, const void *b)
{
    const Slot *x = a, *y = b;
    const int order = strcmp(x->name, y->name);
    return order ? order : (x->order > y->order) - (x->order < y->order);
}

static int by_order(const void *a, const void *b)
{
    const Slot *x = *(Slot *const *)a, *y = *(Slot *const *)b;
    return (x->order > y->order) - (x->order < y->order);
}

static void list_tensors(Binder *b, const TensorFile *files, int n_files)
{
    int n = 0;
    for (int f = 0; f < n_files; f++)
        n += files[f].n;
    b->slots = NEW_ARRAY(b->arena, Slot, n + 1);
    for (int f = 0; f < n_files; f++)
        for (int i = 0; i < files[f].n; i++, b->n_slots++)
            b->slots[b->n_slots] = (Slot){keras_name(files[f].tensors[i].name, b->arena),
                                          &files[f].tensors[i], &files[f], b->n_slots, NULL};
    qsort(b->slots, (size_t)n, sizeof *b->slots, by_name);
    /* Where layers of several models have one name, it is the path that tells. */
    for (int i = 1; i < n; i++) {
        Slot *x = &b->slots[i - 1], *y = &b->slots[i];
        if (str_eq(keras_name(x->tensor->name, b->arena), y->name))
            x->name = x->tensor->name, y->name = y->tensor->name;
    }
    qsort(b->slots, (size_t)n, sizeof *b->slots, by_name);
}

static Slot *find(const Binder *b, const char *name)
{
    int low = 0, high = b->n_slots;
    while (low < high) {
        const int middle = low + (high - low) / 2;
        if (strcmp(b->slots[middle].name, name) < 0)
            low = middle + 1;
        else
            high = middle;
    }
    return low < b->n_slots && str_eq(b->slots[low].name, name) ? &b->slots[low] : NULL;
}

static void list_params(Binder *b, const Net *net)
{
    for (int i = 0; i < net->params.n; i++) {
        Param *param = net->params.at[i];
        const Node *node = net->nodes.at[param->first];
        VEC_PUSH(b->arena, &b->uses, ((Use){param, node, node->attrs.epsilon, NULL, false}));
    }
    for (int i = 0; i < net->nodes.n; i++) {
        const Node *node = net->nodes.at[i];
        const Param *variance = node->params[P_VARIANCE];
        if (variance && node->attrs.epsilon < b->uses.at[variance->id].epsilon)
            b->uses.at[variance->id].epsilon = node->attrs.epsilon;
    }
}

static void match(Binder *b)
{
    for (int i = 1; i < b->n_slots; i++)
        if (str_eq(b->slots[i - 1].tensor->name, b->slots[i].tensor->name))
            diag_file_error(b->diag, b->slots[i].file->path, "tensor '%s' is in '%s' as well",
                            b->slots[i].tensor->name, b->slots[i - 1].file->path);
    for (int i = 0; i < b->uses.n; i++) {
        Use *use = &b->uses.at[i];
        Slot *slot = find(b, file_name(use->param));
        if (slot && slot->file->own)
            slot = NULL;
        use->by_alias = slot != NULL;
        if (!slot)
            slot = find(b, use->param->name);
        if (slot && slot->param) {
            diag_error(b->diag, place_of(use->param), "'%s' and '%s' both take the tensor '%s'",
                       slot->param->name, use->param->name, slot->tensor->name);
            diag_note(b->diag, NO_LOC, "the naming gives both layers the same name");
        } else if (slot) {
            slot->param = use->param;
        } else {
            b->missing++;
        }
        use->slot = slot;
    }
}

/* Tensors that no parameter uses, in the order of the files; *n of them. */
static Slot **left_over(const Binder *b, int *n)
{
    Slot **rest = NEW_ARRAY(b->arena, Slot *, b->n_slots + 1);
    *n = 0;
    for (int i = 0; i < b->n_slots; i++)
        if (!b->slots[i].param && !lies_beside(b->slots[i].name))
            rest[(*n)++] = &b->slots[i];
    qsort(rest, (size_t)*n, sizeof(*rest), by_order);
    return rest;
}

/* ---- names that do not fit ---- */

/* What stands in front of the files' names where the network has nothing
 * ("module."), if that makes most of them fit; else NULL. */
static const char *common_prefix(const Binder *b)
{
    const char *prefix = NULL;
    for (int i = 0; i < b->uses.n && !prefix; i++) {
        const char *name = file_name(b->uses.at[i].param);
        for (int s = 0; s < b->n_slots && !prefix; s++) {
            const char *stored = b->slots[s].name;
            const size_t n = strlen(stored), k = strlen(name);
            if (n > k && stored[n - k - 1] == '.' && str_ends(stored, name))
                prefix = arena_strndup(b->arena, stored, n - k);
        }
    }
    int found = 0;
    for (int i = 0; prefix && i < b->uses.n; i++)
        found +=
            find(b, arena_printf(b->arena, "%s%s", prefix, file_name(b->uses.at[i].param))) != NULL;
    return found * 2 > b->uses.n ? prefix : NULL;
}

static void add_example(Buf *out, int nth, const char *name)
{
    if (nth < EXAMPLES)
        buf_printf(out, "%s'%s'", nth ? ", " : "", name);
}

/* Once, with examples of both sides, instead of an error for each name. */
static void names_differ(const Binder *b, const TensorFile *files)
{
    Buf wanted = buf_new(b->arena), held = buf_new(b->arena);
    int n_wanted = 0, n_held;
    Slot **const rest = left_over(b, &n_held);
    for (int i = 0; i < b->uses.n; i++)
        if (!b->uses.at[i].slot)
            add_example(&wanted, n_wanted++, file_name(b->uses.at[i].param));
    for (int i = 0; i < n_held; i++)
        add_example(&held, i, rest[i]->name);
    diag_file_error(b->diag, files[0].path,
                    "these are other names than the network's: %d of its %d parameters are here",
                    b->uses.n - b->missing, b->uses.n);
    diag_note(b->diag, NO_LOC, "the network looks for %s ...", buf_text(&wanted));
    if (n_held)
        diag_file_note(b->diag, files[0].path, "the weights hold %s ...", buf_text(&held));
    const char *prefix = common_prefix(b);
    if (prefix)
        diag_note(b->diag, NO_LOC, "with '%s' in front, most of the network's names are there",
                  prefix);
    diag_note(b->diag, NO_LOC,
              "--names NAMING takes another naming of the .net files; 'naming' in one makes it");
}

static void report_missing(Binder *b, const Use *use, const char *const *rest, int n_rest)
{
    const char *name = file_name(use->param);
    const char *nearest = str_nearest(name, rest, n_rest);
    if (str_eq(name, use->param->name))
        diag_error(b->diag, place_of(use->param), "the weights have no tensor '%s'", name);
    else
        diag_error(b->diag, place_of(use->param), "the weights have no tensor '%s' for '%s'", name,
                   use->param->name);
    diag_note_callers(b->diag, use->param->place);
    if (nearest)
        diag_note(b->diag, NO_LOC, "the nearest that is left over is '%s'", nearest);
}

/* Every name without its counterpart, up to LISTED of each kind. */
static void report_names(Binder *b, bool strict)
{
    int n_rest, shown = 0;
    Slot **const slots = left_over(b, &n_rest);
    const char **rest = NEW_ARRAY(b->arena, const char *, n_rest + 1);
    for (int i = 0; i < n_rest; i++)
        rest[i] = slots[i]->name;
    for (int i = 0; strict && i < b->uses.n && shown < LISTED; i++)
        if (!b->uses.at[i].slot && ++shown)
            report_missing(b, &b->uses.at[i], rest, n_rest);
    if (strict && b->missing > shown)
        diag_note(b->diag, NO_LOC, "%d more parameters have no tensor", b->missing - shown);
    if (strict && b->missing)
        diag_note(b->diag, NO_LOC, "--init he:0 would fill what is missing with random numbers");
    for (int i = 0; i < n_rest && i < LISTED; i++)
        diag_file_error(b->diag, slots[i]->file->path, "tensor '%s' belongs to no parameter",
                        rest[i]);
    if (n_rest > LISTED)
        diag_file_note(b->diag, slots[LISTED]->file->path, "%d more tensors belong to none",
                       n_rest - LISTED);
}

/* ---- tensors that do not fit ---- */

static const char *shape_text(Arena *arena, const int64_t *dims, int rank)
{
    Buf text = buf_new(arena);
    for (int i = 0; i < rank; i++)
        buf_printf(&text, "[%" PRId64 "]", dims[i]);
    return rank ? buf_text(&text) : "a single number";
}

/* [3][0][1] for the element at `at` of the tensor. */
static const char *index_text(Arena *arena, int64_t at, const StoredTensor *t)
{
    int64_t index[8];
    for (int i = t->rank - 1; i >= 0; i--) {
        index[i] = at % t->dims[i];
        at /= t->dims[i];
    }
    return shape_text(arena, index, t->rank);
}

/* The order of axes in which a weight is expected; NULL: it has none. */
static const char *wanted_axes(const Use *use)
{
    const int rank = axes_rank(use->node->op, use->param->role);
    if (rank == 0)
        return NULL;
    return use->by_alias && use->param->axes ? use->param->axes : axes_own(rank);
}

/* Another order that the tensor's extents would fit, Keras' or rnc's own. */
static const char *other_axes(const Use *use, const char *axes)
{
    const StoredTensor *t = use->slot->tensor;
    const char *const known[] = {axes_own(use->param->rank), use->param->rank == 4 ? "hwio" : "io"};
    for (int i = 0; i < 2; i++) {
        if (!str_eq(known[i], axes) && axes_fit(use->node, known[i], t->dims, t->rank))
            return known[i];
    }
    return NULL;
}

/* What it is instead, and the way out. */
static void note_axes(Binder *b, const Use *use, const char *axes)
{
    const char *other = other_axes(use, axes);
    const char *op = op_row(use->node->op)->name, *role = role_name(use->node, use->param->role);
    if (!other)
        return;
    diag_note(b->diag, NO_LOC, "this is the order of %s, %s; expected is that of %s, %s",
              str_eq(other, axes_own(use->param->rank)) ? "PyTorch" : "Keras",
              axes_text(b->arena, other),
              use->param->axes && str_eq(axes, use->param->axes) ? "the naming" : "PyTorch",
              axes_text(b->arena, axes));
    if (use->param->axes && use->by_alias)
        diag_note(b->diag, NO_LOC, "--names NAMING takes one without '%s' behind '%s.%s -> ...'",
                  use->param->axes, op, role);
    else
        diag_note(b->diag, NO_LOC,
                  "a naming can say the order, `%s.%s -> \"kernel\" %s`, as 'keras' of "
                  "lib/keras.net does",
                  op, role, other);
}

static bool check_shape(Binder *b, const Use *use)
{
    const StoredTensor *t = use->slot->tensor;
    const Param *param = use->param;
    const char *axes = wanted_axes(use);
    int64_t dims[4] = {0};
    bool same = t->rank == param->rank;
    for (int i = 0; i < param->rank; i++) {
        dims[i] = param->dims[i];
        same = same && t->dims[i] == dims[i];
    }
    if (axes) {
        axes_extents(use->node, axes, dims);
        same = axes_fit(use->node, axes, t->dims, t->rank);
    }
    if (same)
        return true;
    diag_file_error(b->diag, use->slot->file->path,
                    "tensor '%s' has the wrong shape: it is %s, the network needs %s", t->name,
                    shape_text(b->arena, t->dims, t->rank),
                    shape_text(b->arena, dims, param->rank));
    if (axes)
        note_axes(b, use, axes);
    if (place_of(param).file >= 0)
        diag_note(b->diag, place_of(param), "'%s' is needed here", param->name);
    return false;
}

/* A file that says the order itself is to agree with the naming. */
static bool check_axes(Binder *b, const Use *use, const char *axes)
{
    const StoredTensor *t = use->slot->tensor;
    if (!axes || !t->axes || str_eq(t->axes, axes))
        return true;
    diag_file_error(b->diag, use->slot->file->path,
                    "tensor '%s' has the order of Keras, %s, and the naming says %s", t->name,
                    axes_text(b->arena, t->axes), axes_text(b->arena, axes));
    diag_note(b->diag, NO_LOC,
              "`%s.%s -> \"kernel\" %s` in the naming says so, as in lib/keras.net",
              op_row(use->node->op)->name, role_name(use->node, use->param->role), t->axes);
    return false;
}

static uint32_t bits_of(float x)
{
    uint32_t bits;
    memcpy(&bits, &x, sizeof bits);
    return bits;
}

/* The first number that is not finite (exponent all ones), or n.  Adding one to
 * the exponent carries into the sign; a block is looked at as a whole. */
static int64_t first_not_finite(const float *x, int64_t n)
{
    enum { BLOCK = 256 };
    int64_t i = 0;
    for (; i + BLOCK <= n; i += BLOCK) {
        uint32_t carry = 0;
        for (int j = 0; j < BLOCK; j++)
            carry |= (bits_of(x[i + j]) & 0x7fffffff) + 0x00800000;
        if (carry >> 31)
            break;
    }
    while (i < n && (bits_of(x[i]) & 0x7f800000) != 0x7f800000)
        i++;
    return i;
}

static bool check_numbers(Binder *b, const Use *use, const float *x)
{
    const Param *param = use->param;
    const StoredTensor *t = use->slot->tensor;
    const int64_t n = param_elements(param), at = first_not_finite(x, n);
    if (at < n) {
        const bool nan = (bits_of(x[at]) & 0x007fffff) != 0;
        diag_file_error(b->diag, use->slot->file->path, "tensor '%s' holds %s at %s", t->name,
                        nan                     ? "a NaN"
                        : t->elem == STORED_F64 ? "infinity, or a number too large for 32 bits,"
                                                : "infinity",
                        index_text(b->arena, at, t));
        return false;
    }
    for (int64_t i = 0; param->role == P_VARIANCE && i < n; i++)
        if ((double)x[i] + use->epsilon <= 0) {
            diag_file_error(b->diag, use->slot->file->path,
                            "tensor '%s' holds %.9g at [%" PRId64
                            "]: a variance and epsilon, %.9g, must be above 0",
                            t->name, (double)x[i], i, use->epsilon);
            return false;
        }
    return true;
}

static bool take_tensor(Binder *b, const Use *use)
{
    const StoredTensor *t = use->slot->tensor;
    const char *axes = wanted_axes(use);
    if (t->elem == STORED_OTHER) {
        diag_file_error(b->diag, use->slot->file->path,
                        "tensor '%s' holds numbers of type %s; a parameter's are F32, F16, BF16 or "
                        "F64",
                        t->name, t->elem_name);
        if (t->way_out)
            diag_file_note(b->diag, use->slot->file->path, "%s", t->way_out);
        return false;
    }
    if (!check_shape(b, use) || !check_axes(b, use, axes))
        return false;
    const float *x = tensor_floats(use->slot->file, t, b->arena, b->diag);
    if (!x || !check_numbers(b, use, x))
        return false;
    use->param->data = x;
    if (axes && !str_eq(axes, axes_own(use->param->rank))) {
        float *own = NEW_ARRAY(b->arena, float, param_elements(use->param));
        axes_reorder(own, x, use->node, axes, t->dims);
        use->param->data = own;
    }
    return true;
}

bool bind_params(Net *net, TensorFile *files, int n_files, InitSpec init, Diag *diag)
{
    Binder b = {.arena = net->arena, .diag = diag};
    const int errors = diag->errors;
    if (n_files == 0 && init.kind == INIT_NONE)
        return true;
    list_tensors(&b, files, n_files);
    list_params(&b, net);
    match(&b);
    if (n_files > 0 && b.missing * 2 > b.uses.n) {
        names_differ(&b, files);
        return false;
    }
    report_names(&b, init.kind == INIT_NONE);
    for (int i = 0; i < b.uses.n; i++) {
        const Use *use = &b.uses.at[i];
        if (use->slot)
            take_tensor(&b, use);
        else if (init.kind != INIT_NONE)
            init_param(use->param, use->node, (InitSpec){init.kind, init.seed + (uint64_t)i},
                       b.arena);
    }
    return diag->errors == errors;
}

BindReport bind_report(const Net *net, const TensorFile *files, int n_files)
{
    Binder b = {.arena = net->arena};
    BindReport report = {0};
    list_tensors(&b, files, n_files);
    list_params(&b, net);
    for (int i = 0; i < b.uses.n; i++) {
        const Param *param = b.uses.at[i].param;
        const bool given = find(&b, file_name(param)) || find(&b, param->name);
        const bool trained = param->role == P_WEIGHT || param->role == P_BIAS;
        report.bound += given && trained;
        report.statistics += given && !trained;
        report.initialised += !given && param->data;
        report.numbers += given && trained ? param_elements(param) : 0;
    }
    report.left_over = b.n_slots - report.bound - report.statistics;
    return report;
}
