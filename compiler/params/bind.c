/* bind.c: the network's parameters bound to the tensors of weights files.
 *
 * Strict, because a network with one wrong tensor still gives answers: every
 * parameter needs a tensor of its shape, every tensor a parameter, and every
 * number is finite.
 */
#include "params/bind_parts.h"

#include "net/axes.h"

#include <inttypes.h>
#include <math.h>
#include <string.h>

static void list_tensors(Binder *b, const TensorFile *files, int n_files)
{
    int n = 0;
    for (int f = 0; f < n_files; f++)
        n += files[f].n;
    b->slots = NEW_ARRAY(b->arena, Slot, n + 1);
    for (int f = 0; f < n_files; f++)
        for (int i = 0; i < files[f].n; i++, b->n_slots++)
            b->slots[b->n_slots] = (Slot){&files[f].tensors[i], &files[f], b->n_slots, NULL};
}

static void list_params(Binder *b, const Net *net)
{
    for (int i = 0; i < net->params.n; i++) {
        Param *param = net->params.at[i];
        const Node *node = net->nodes.at[param->first];
        VEC_PUSH(b->arena, &b->uses,
                 ((Use){.param = param, .node = node, .epsilon = node->attrs.epsilon}));
    }
    for (int i = 0; i < net->nodes.n; i++) {
        const Node *node = net->nodes.at[i];
        const Param *variance = node->params[P_VARIANCE];
        if (variance && node->attrs.epsilon < b->uses.at[variance->id].epsilon)
            b->uses.at[variance->id].epsilon = node->attrs.epsilon;
    }
}

void bind_list(Binder *b, const TensorFile *files, int n_files)
{
    list_tensors(b, files, n_files);
    list_params(b, b->net);
}

/* ---- numbers ---- */

/* [3][0][1] for the element at `at` of the tensor. */
static const char *index_text(Arena *arena, int64_t at, const StoredTensor *t)
{
    int64_t index[8];
    for (int i = t->rank - 1; i >= 0; i--) {
        index[i] = at % t->dims[i];
        at /= t->dims[i];
    }
    return bind_shape_text(arena, index, t->rank);
}

/* Whether out and in are in the same order in both, whatever other axes there are. */
static bool same_order(const char *a, const char *b)
{
    return (strchr(a, 'i') < strchr(a, 'o')) == (strchr(b, 'i') < strchr(b, 'o'));
}

/* If a file itself says the order of axes, it must agree with the naming. */
static bool check_axes(Binder *b, const Use *use, const char *axes)
{
    const StoredTensor *t = use->slot->tensor;
    if (!axes || !t->axes || same_order(t->axes, axes))
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

/* The index of the first number that is not finite (its exponent is all ones), or n.  Adding one
 * to such an exponent carries into the sign; a block is checked as a whole. */
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

int64_t first_unusable(const Param *param, const float *x, double epsilon)
{
    const int64_t n = param_elements(param);
    int64_t i = first_not_finite(x, n);
    if (i < n || param->role != P_VARIANCE)
        return i;
    for (i = 0; i < n && (double)x[i] + epsilon > 0; i++)
        continue;
    return i;
}

static bool check_numbers(Binder *b, const Use *use, const float *x)
{
    const StoredTensor *t = use->slot->tensor;
    const int64_t at = first_unusable(use->param, x, use->epsilon);
    if (at == param_elements(use->param))
        return true;
    if (isfinite(x[at]))
        diag_file_error(b->diag, use->slot->file->path,
                        "tensor '%s' holds %.9g at [%" PRId64
                        "]: a variance and epsilon, %.9g, must be above 0",
                        t->name, (double)x[at], at, use->epsilon);
    else
        diag_file_error(b->diag, use->slot->file->path, "tensor '%s' holds %s at %s", t->name,
                        isnan(x[at])            ? "a NaN"
                        : t->elem == STORED_F64 ? "infinity, or a number too large for 32 bits,"
                                                : "infinity",
                        index_text(b->arena, at, t));
    return false;
}

static bool take_tensor(Binder *b, const Use *use)
{
    const StoredTensor *t = use->slot->tensor;
    const char *axes = bind_axes(use);
    int64_t dims[4] = {0};
    if (t->elem == STORED_OTHER) {
        diag_file_error(b->diag, use->slot->file->path,
                        "tensor '%s' holds numbers of type %s; a parameter's are F32, F16, BF16 or "
                        "F64",
                        t->name, t->elem_name);
        if (t->way_out)
            diag_file_note(b->diag, use->slot->file->path, "%s", t->way_out);
        return false;
    }
    if (!bind_shape(b, use, axes, dims) || !check_axes(b, use, axes))
        return false;
    const float *x = tensor_floats(use->slot->file, t, b->arena, b->diag);
    if (!x || !check_numbers(b, use, x))
        return false;
    param_set_floats(use->param, x);
    if (axes && !str_eq(axes, axes_own(use->node->op))) {
        float *own = NEW_ARRAY(b->arena, float, param_elements(use->param));
        axes_reorder(own, x, use->node, axes, dims);
        param_set_floats(use->param, own);
    }
    return true;
}

static void fill_param(Binder *b, const Use *use)
{
    const int64_t n = param_elements(use->param);
    float *to = NEW_ARRAY(b->arena, float, n);
    for (int64_t i = 0; i < n; i++)
        to[i] = use->fill;
    param_set_floats(use->param, to);
}

static void say_reshaped(const Binder *b)
{
    if (b->reshaped == 0)
        return;
    const Use *use = b->first_reshaped;
    const StoredTensor *t = use->slot->tensor;
    int64_t dims[4];
    for (int i = 0; i < use->param->rank; i++)
        dims[i] = use->param->dims[i];
    diag_file_note(b->diag, use->slot->file->path,
                   "%d tensors differ from the network in axes of extent 1, as '%s': %s for %s",
                   b->reshaped, t->name, bind_shape_text(b->arena, t->dims, t->rank),
                   bind_shape_text(b->arena, dims, use->param->rank));
}

static BindReport report(const Binder *b)
{
    BindReport report = {0};
    for (int i = 0; i < b->uses.n; i++) {
        const Use *use = &b->uses.at[i];
        const bool given = (use->slot || use->filled) && !use->anew;
        const bool trained = use->param->role != P_MEAN && use->param->role != P_VARIANCE;
        report.bound += given && trained;
        report.statistics += given && !trained;
        report.initialised += !given && use->param->data;
        report.numbers += given && trained ? param_elements(use->param) : 0;
    }
    for (int i = 0; i < b->n_slots; i++)
        report.left_over += !b->slots[i].param;
    return report;
}

/* Marks what begins anew; false after a message. */
static bool mark_anew(Binder *b, BindAnew anew)
{
    bool good = true;
    for (int i = 0; i < anew.n; i++) {
        bool any = false;
        for (int k = 0; k < b->uses.n; k++) {
            Use *use = &b->uses.at[k];
            const bool fits = str_fits(use->param->name, anew.patterns[i]);
            use->anew = use->anew || fits;
            any = any || fits;
        }
        if (!any) {
            diag_error(b->diag, NO_LOC, "no parameter fits '%s', which is to begin anew",
                       anew.patterns[i]);
            diag_note(b->diag, NO_LOC, "the last one is '%s'; '*' stands for any characters",
                      b->uses.at[b->uses.n - 1].param->name);
            good = false;
        }
    }
    return good;
}

/* Every parameter's numbers, by what the names gave. */
static void take_all(Binder *b, InitSpec init)
{
    for (int i = 0; i < b->uses.n; i++) {
        const Use *use = &b->uses.at[i];
        if (use->slot && !use->anew)
            take_tensor(b, use);
        else if (use->filled && !use->anew)
            fill_param(b, use);
        else if (init.kind != INIT_NONE)
            init_param(use->param, use->node, (InitSpec){init.kind, init.seed + (uint64_t)i},
                       b->arena);
    }
}

static bool bind_all(Binder *b, TensorFile *files, int n_files, InitSpec init, bool strict)
{
    if (!bind_names(b, !strict))
        return false;
    if (n_files > 0 && b->reading.missing * 2 > b->uses.n) {
        bind_names_differ(b, files);
        return false;
    }
    bind_report_names(b, strict);
    take_all(b, init);
    say_reshaped(b);
    return true;
}

bool bind_params(Net *net, TensorFile *files, int n_files, InitSpec init, BindReport *done,
                 Diag *diag)
{
    Binder b = {.arena = net->arena, .diag = diag, .net = net};
    const int errors = diag->errors;
    *done = (BindReport){0};
    if (n_files == 0 && init.kind == INIT_NONE)
        return true;
    bind_list(&b, files, n_files);
    if (!bind_all(&b, files, n_files, init, init.kind == INIT_NONE))
        return false;
    *done = report(&b);
    return diag->errors == errors;
}

/* Weights of other classes are what most trainings begin from. */
static void note_anew(const Binder *b, const Use *use)
{
    const char *name = use->param->name, *dot = strrchr(name, '.');
    diag_note(b->diag, NO_LOC, "--except '%.*s.*' lets that layer begin anew, as for other classes",
              dot ? (int)(dot - name) : (int)strlen(name), name);
}

bool bind_params_but(Net *net, TensorFile *files, int n_files, InitSpec init, BindAnew anew,
                     BindReport *done, Diag *diag)
{
    Binder b = {.arena = net->arena, .diag = diag, .net = net};
    const int errors = diag->errors;
    *done = (BindReport){0};
    bind_list(&b, files, n_files);
    if (!mark_anew(&b, anew) || !bind_all(&b, files, n_files, init, true))
        return false;
    if (b.misfit)
        note_anew(&b, b.misfit);
    *done = report(&b);
    return diag->errors == errors;
}
