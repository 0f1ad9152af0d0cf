/* bind_names.c: which tensor each parameter takes, by its name.
 *
 * The same names come in several spellings: with `module.` before all of them, by another naming
 * than the net's, or with Keras' layers renumbered.  Each way to read them is tried as a whole,
 * and the first that gives every parameter a tensor is chosen, so that nothing is ever bound half
 * by one spelling and half by another.
 */
#include "params/bind_parts.h"

#include "params/keras.h"

#include <stdlib.h>
#include <string.h>

/* A name, and where its last two parts, like "conv1.weight", begin.  Sorted by these, names that
 * end alike are neighbours. */
typedef struct Entry {
    const char *name, *tail;
    Slot *slot;
} Entry;

struct Index {
    Entry *at; /* by tail */
    int n;
};

enum { PREFIXES_MOST = 8, TRIED_BY = 3 };

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

/* ---- spelling ---- */

/* The name with dots for slashes. */
static const char *dotted(const char *name, Arena *arena)
{
    if (!strchr(name, '/'))
        return name;
    char *copy = arena_strdup(arena, name);
    for (char *c = copy; *c; c++)
        *c = *c == '/' ? '.' : *c;
    return copy;
}

/* The name without the parts that PyTorch's wrappers add. */
static const char *unwrapped(const char *name, Arena *arena)
{
    static const char *const wrappers[] = {"module", "_orig_mod", "_fsdp_wrapped_module",
                                           "_checkpoint_wrapped_module", "_forward_module"};
    Buf out = buf_new(arena);
    while (*name) {
        const size_t n = strcspn(name, ".");
        bool wrapper = false;
        for (size_t i = 0; name[n] && i < sizeof wrappers / sizeof *wrappers; i++)
            wrapper = wrapper || (strlen(wrappers[i]) == n && strncmp(name, wrappers[i], n) == 0);
        if (!wrapper)
            buf_add(&out, name, n + (name[n] == '.'));
        name += n + (name[n] == '.');
    }
    return buf_text(&out);
}

const char *bind_spelled(const Binder *b, const Slot *slot, View view)
{
    const StoredTensor *t = slot->tensor;
    const char *path = view == VIEW_PLACE && t->place ? t->place : t->name;
    const char *name = dotted(keras_name(path, b->arena), b->arena);
    return view == VIEW_UNWRAPPED ? unwrapped(name, b->arena) : name;
}

/* Where the last two parts of a name begin. */
static const char *tail_of(const char *name)
{
    const char *at = name + strlen(name);
    for (int dots = 0; at > name; at--) {
        if (at[-1] == '.' && ++dots == 2)
            break;
    }
    return at;
}

static int by_tail(const void *a, const void *b)
{
    const Entry *x = a, *y = b;
    const int order = strcmp(x->tail, y->tail);
    return order ? order : (x->slot->order > y->slot->order) - (x->slot->order < y->slot->order);
}

static const Index *index_of(Binder *b, View view)
{
    if (b->views[view])
        return b->views[view];
    Index *index = NEW(b->arena, Index);
    index->at = NEW_ARRAY(b->arena, Entry, b->n_slots + 1);
    for (; index->n < b->n_slots; index->n++) {
        Slot *slot = &b->slots[index->n];
        const char *name = bind_spelled(b, slot, view);
        index->at[index->n] = (Entry){name, tail_of(name), slot};
    }
    qsort(index->at, (size_t)index->n, sizeof *index->at, by_tail);
    b->views[view] = index;
    return index;
}

/* ---- finding ---- */

static bool is_path(const Slot *slot)
{
    return strchr(slot->tensor->name, '/') != NULL;
}

/* The tensor with that name or, among the tensors that have a path, the only one whose path ends
 * with it.  `own`: names in files that rnc wrote count, too. */
static Slot *find(const Index *index, const char *name, bool own)
{
    const char *tail = tail_of(name);
    const size_t length = strlen(name);
    int low = 0, high = index->n, found = 0;
    Slot *by_end = NULL;
    while (low < high) {
        const int middle = low + (high - low) / 2;
        if (strcmp(index->at[middle].tail, tail) < 0)
            low = middle + 1;
        else
            high = middle;
    }
    for (; low < index->n && str_eq(index->at[low].tail, tail); low++) {
        const Entry *e = &index->at[low];
        const size_t n = strlen(e->name);
        if (e->slot->file->own && !own)
            continue;
        if (str_eq(e->name, name))
            return e->slot;
        if (is_path(e->slot) && n > length && e->name[n - length - 1] == '.' &&
            str_ends(e->name, name)) {
            by_end = e->slot;
            found++;
        }
    }
    return found == 1 ? by_end : NULL;
}

Slot *bind_find(Binder *b, View view, const char *name)
{
    return find(index_of(b, view), name, false);
}

/* Keras' other name for the kernel of a depthwise convolution, which is not `kernel`. */
static const char *depthwise(const char *name, Arena *arena)
{
    static const char kernel[] = ".kernel";
    if (!str_ends(name, kernel))
        return NULL;
    return arena_printf(arena, "%.*s.depthwise_kernel", (int)(strlen(name) - strlen(kernel)), name);
}

static const char *alias_of(const Binder *b, int naming, const Param *param)
{
    const char *alias = naming < 0 ? param->alias : b->net->namings.at[naming].aliases[param->id];
    return alias ? alias : param->name;
}

const char *bind_wanted(const Binder *b, const Param *param)
{
    return alias_of(b, b->reading.naming, param);
}

const char *bind_naming_name(const Binder *b, int naming)
{
    return b->net->namings.at[naming].name;
}

static void look_up(Binder *b, Use *use, const Reading *r)
{
    const Index *index = index_of(b, r->view);
    const char *alias = dotted(alias_of(b, r->naming, use->param), b->arena);
    const char *name = use->param->name;
    if (*r->prefix) {
        alias = arena_printf(b->arena, "%s%s", r->prefix, alias);
        name = arena_printf(b->arena, "%s%s", r->prefix, name);
    }
    use->slot = find(index, alias, false);
    const char *other = use->slot ? NULL : depthwise(alias, b->arena);
    if (other)
        use->slot = find(index, other, false);
    use->by_alias = use->slot != NULL;
    if (!use->slot)
        use->slot = find(index, name, true);
}

/* ---- trying ---- */

/* Looks everything up, and counts what does not fit. */
static void look_all_up(Binder *b, Reading *r)
{
    for (int i = 0; i < b->n_slots; i++)
        b->slots[i].param = NULL;
    for (int i = 0; i < b->uses.n; i++) {
        b->uses.at[i].filled = false;
        look_up(b, &b->uses.at[i], r);
    }
    bind_fill(b, r);
    r->missing = r->left = 0;
    for (int i = 0; i < b->uses.n; i++) {
        if (b->uses.at[i].slot)
            b->uses.at[i].slot->param = b->uses.at[i].param;
        else
            r->missing += !b->uses.at[i].filled && !b->uses.at[i].anew;
    }
    for (int i = 0; i < b->n_slots; i++)
        r->left += !b->slots[i].param && !lies_beside(b->slots[i].tensor->name);
}

/* Lists prefixes that turn each of a few parameters' names into a name of the file; at most
 * PREFIXES_MOST of them. */
static int list_prefixes(Binder *b, const Reading *r, const char **prefixes)
{
    const Index *index = index_of(b, r->view);
    int n = 0;
    for (int i = 0; i < b->uses.n && i < TRIED_BY; i++) {
        const char *name = dotted(alias_of(b, r->naming, b->uses.at[i].param), b->arena);
        const size_t k = strlen(name);
        for (int e = 0; e < index->n && n < PREFIXES_MOST; e++) {
            const char *stored = index->at[e].name;
            const size_t length = strlen(stored);
            if (length <= k || stored[length - k - 1] != '.' || !str_ends(stored, name) ||
                index->at[e].slot->file->own)
                continue;
            const char *prefix = arena_strndup(b->arena, stored, length - k);
            bool known = false;
            for (int p = 0; p < n; p++)
                known = known || str_eq(prefixes[p], prefix);
            if (!known)
                prefixes[n++] = prefix;
        }
    }
    return n;
}

/* Fewer parameters without a tensor are better; then the one that was tried first. */
static bool better(const Reading *r, const Reading *best)
{
    return r->missing < best->missing;
}

/* Reads names with the prefix under which most fit.  Returns false after a message if several fit
 * equally well. */
static bool try_prefixes(Binder *b, Reading *r)
{
    const char *prefixes[PREFIXES_MOST], *full = NULL;
    const int n = list_prefixes(b, r, prefixes);
    for (int i = 0; i < n; i++) {
        Reading with = *r;
        with.prefix = prefixes[i];
        look_all_up(b, &with);
        if (with.missing == 0 && full) {
            diag_file_error(
                b->diag, b->slots[0].file->path,
                "the network's names are there several times: after '%s' and after '%s'", full,
                prefixes[i]);
            diag_file_note(b->diag, b->slots[0].file->path, "-w FILE:%.*s takes the former",
                           (int)strlen(full) - 1, full);
            return false;
        }
        if (with.missing == 0)
            full = prefixes[i];
        if (better(&with, r))
            *r = with;
    }
    return true;
}

static bool any_place(const Binder *b)
{
    for (int i = 0; i < b->n_slots; i++) {
        if (b->slots[i].tensor->place)
            return true;
    }
    return false;
}

/* Tries all spellings under one naming and sets *best to the best.  Returns false after a message.
 */
static bool try_naming(Binder *b, int naming, Reading *best)
{
    for (View view = VIEW_PLAIN; view < VIEW_COUNT; view++) {
        Reading r = {.naming = naming, .view = view, .prefix = ""};
        if (view == VIEW_PLACE && !any_place(b))
            continue;
        look_all_up(b, &r);
        if (r.missing > 0 && !try_prefixes(b, &r))
            return false;
        if (view == VIEW_PLAIN || better(&r, best))
            *best = r;
        if (best->missing == 0)
            return true;
    }
    return true;
}

/* ---- saying ---- */

static void say_reading(const Binder *b, const char *path)
{
    const Reading *r = &b->reading;
    if (r->naming >= 0)
        diag_file_note(b->diag, path, "the names are those of the naming '%s'",
                       bind_naming_name(b, r->naming));
    if (r->view == VIEW_PLACE)
        diag_file_note(
            b->diag, path,
            "Keras has numbered the layers anew; their places in the file are their names");
    if (r->view == VIEW_UNWRAPPED)
        diag_file_note(b->diag, path, "left out of the names what wraps a model, as 'module.'");
    if (*r->prefix)
        diag_file_note(b->diag, path, "left out '%s', which the names begin with", r->prefix);
}

/* ---- the whole ---- */

static int by_stored_name(const void *a, const void *b)
{
    const Slot *x = *(Slot *const *)a, *y = *(Slot *const *)b;
    const int order = strcmp(x->tensor->name, y->tensor->name);
    return order ? order : (x->order > y->order) - (x->order < y->order);
}

static bool check_twice(const Binder *b)
{
    Slot **sorted = NEW_ARRAY(b->arena, Slot *, b->n_slots + 1);
    const int errors = b->diag->errors;
    for (int i = 0; i < b->n_slots; i++)
        sorted[i] = &b->slots[i];
    qsort(sorted, (size_t)b->n_slots, sizeof *sorted, by_stored_name);
    for (int i = 1; i < b->n_slots; i++) {
        if (str_eq(sorted[i - 1]->tensor->name, sorted[i]->tensor->name))
            diag_file_error(b->diag, sorted[i]->file->path, "tensor '%s' is in '%s' as well",
                            sorted[i]->tensor->name, sorted[i - 1]->file->path);
    }
    return b->diag->errors == errors;
}

/* Tries the namings that the net did not choose; one is used only if it fits exactly. */
static bool try_others(Binder *b)
{
    for (int i = 0; i < b->net->namings.n; i++) {
        Reading r = {.missing = b->uses.n};
        if (b->net->namings.at[i].why_not)
            continue;
        if (!try_naming(b, i, &r))
            return false;
        VEC_PUSH(b->arena, &b->tried, r);
        if (r.missing > 0 || b->reading.missing == 0)
            continue;
        look_all_up(b, &r);
        if (r.left == 0)
            b->reading = r;
    }
    return true;
}

/* From now on the parameters have the names of the chosen naming. */
static void adopt(Binder *b)
{
    if (b->reading.naming < 0)
        return;
    const NetNaming *naming = &b->net->namings.at[b->reading.naming];
    for (int i = 0; i < b->uses.n; i++) {
        b->uses.at[i].param->alias = naming->aliases[i];
        b->uses.at[i].param->axes = naming->axes[i];
    }
}

static void report_twice(Binder *b)
{
    for (int i = 0; i < b->n_slots; i++)
        b->slots[i].param = NULL;
    for (int i = 0; i < b->uses.n; i++) {
        Use *use = &b->uses.at[i];
        if (use->slot && use->slot->param) {
            diag_error(b->diag, bind_place(use->param), "'%s' and '%s' both take the tensor '%s'",
                       use->slot->param->name, use->param->name, use->slot->tensor->name);
            diag_note(b->diag, NO_LOC, "the naming gives both layers the same name");
        } else if (use->slot) {
            use->slot->param = use->param;
        }
    }
}

bool bind_names(Binder *b, bool some)
{
    if (!check_twice(b) || !try_naming(b, -1, &b->reading))
        return false;
    if (b->reading.missing > 0 && !(some && b->reading.missing * 2 <= b->uses.n) && !try_others(b))
        return false;
    look_all_up(b, &b->reading);
    adopt(b);
    report_twice(b);
    if (b->n_slots > 0 && b->reading.missing * 2 <= b->uses.n) {
        say_reading(b, b->slots[0].file->path);
        bind_say_fills(b, b->slots[0].file->path);
    }
    return true;
}

static int by_order(const void *a, const void *b)
{
    const Slot *x = *(Slot *const *)a, *y = *(Slot *const *)b;
    return (x->order > y->order) - (x->order < y->order);
}

Slot **bind_left_over(const Binder *b, int *n)
{
    Slot **rest = NEW_ARRAY(b->arena, Slot *, b->n_slots + 1);
    *n = 0;
    for (int i = 0; i < b->n_slots; i++)
        if (!b->slots[i].param && !lies_beside(b->slots[i].tensor->name))
            rest[(*n)++] = &b->slots[i];
    qsort(rest, (size_t)*n, sizeof(*rest), by_order);
    return rest;
}
