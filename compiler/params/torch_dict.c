/* torch_dict.c: where the tensors are in what torch.save() was given.
 *
 * That is a state dict, or a checkpoint that has one somewhere, beside an epoch, an
 * optimizer and whatever else a training loop keeps, or a whole module.  A set of tensors
 * is a dict that has at least one of some extent, or a module with its parts:
 *
 *     {"conv1.weight": tensor, ...}
 *     {"epoch": 90, "state_dict": {...}, "best_acc1": tensor(71.2), "optimizer": {...}}
 *     ResNet object with {"_parameters": {...}, "_buffers": {...}, "_modules": {...}}
 *
 * Values other than tensors are never interpreted.
 */
#include "params/torch_parts.h"

#include <stdlib.h>
#include <string.h>

enum {
    DEEPEST = 64,
    LISTED = 6,
    KEY_MOST = 1000,
    PATH_MOST = 250,
    ITEMS_MOST = 100,
    VISITS_MOST = 100000
};

/* A set of tensors, and the keys that lead to it with dots between them; "" is all. */
typedef struct Found {
    const char *path;
    const Pickled *value;
    int tensors; /* those of some extent */
} Found;

typedef struct Search {
    const TorchReader *r;
    VEC(Found) found;
    const char *opaque; /* the first function or class that is no tensor's, or NULL */
    int visits;         /* of modules */
} Search;

/* A tensor of the chosen set. */
typedef struct Entry {
    const char *name;
    TorchCall call;
} Entry;

typedef struct Listing {
    const TorchReader *r;
    VEC(Entry) entries;
    VEC(const char *) rest; /* keys of what is no tensor */
    int visits;             /* of modules */
} Listing;

static const char *join(Arena *arena, const char *path, const char *key)
{
    return *path ? arena_printf(arena, "%s.%s", path, key) : key;
}

/* ---- modules ---- */

/* The attributes of an object, a dict, or NULL. */
static const Pickled *attributes(const Pickled *object)
{
    return pickled_is(object, PICKLED_CALL) && pickled_is(object->state, PICKLED_DICT)
               ? object->state
               : NULL;
}

/* An object of a module's class: with its parts in dicts, or as attributes in TorchScript. */
static bool is_module(const Pickled *object)
{
    const Pickled *state = attributes(object), *type = state ? object->items.at[0] : NULL;
    if (!state)
        return false;
    if (pickled_is(type, PICKLED_GLOBAL) && str_starts(type->text, "__torch__."))
        return true;
    return pickled_is(pickled_get(state, "_parameters"), PICKLED_DICT) &&
           pickled_is(pickled_get(state, "_modules"), PICKLED_DICT);
}

/* Whether a set, of any of the forms that a pickle has for one, holds a text. */
static bool set_holds(const Pickled *set, const char *text)
{
    const Pickled *items = pickled_is(set, PICKLED_CALL) ? pickled_item(set->items.at[1], 0) : set;
    for (int i = 0; items && items->kind != PICKLED_DICT && i < items->items.n; i++) {
        if (pickled_is(items->items.at[i], PICKLED_STRING) &&
            str_eq(items->items.at[i]->text, text))
            return true;
    }
    return false;
}

static void list_dict(Listing *l, const Pickled *dict, const char *prefix, const Pickled *without)
{
    for (int i = 0; pickled_is(dict, PICKLED_DICT) && i + 1 < dict->items.n; i += 2) {
        const Pickled *key = dict->items.at[i], *value = dict->items.at[i + 1];
        Entry entry;
        if (!pickled_is(key, PICKLED_STRING) || set_holds(without, key->text) ||
            strlen(prefix) + strlen(key->text) > KEY_MOST)
            continue;
        entry.name = arena_printf(l->r->arena, "%s%s", prefix, key->text);
        if (torch_call(value, &entry.call))
            VEC_PUSH(l->r->arena, &l->entries, entry);
        else if (!*prefix)
            VEC_PUSH(l->r->arena, &l->rest, entry.name);
    }
}

/* The tensors of a module and of those in it, under each name that they have. */
static void list_module(Listing *l, Pickled *module, const char *prefix, int depth)
{
    const Pickled *state = attributes(module);
    const Pickled *parts = pickled_get(state, "_modules");
    const bool script = !parts;
    const int seen = module->seen;
    if (seen == TORCH_SEEN_MODULE || depth > DEEPEST || strlen(prefix) > KEY_MOST ||
        ++l->visits > VISITS_MOST)
        return;
    module->seen = TORCH_SEEN_MODULE;
    if (script) {
        list_dict(l, state, prefix, NULL);
    } else {
        list_dict(l, pickled_get(state, "_parameters"), prefix, NULL);
        list_dict(l, pickled_get(state, "_buffers"), prefix,
                  pickled_get(state, "_non_persistent_buffers_set"));
    }
    parts = script ? state : parts;
    for (int i = 0; pickled_is(parts, PICKLED_DICT) && i + 1 < parts->items.n; i += 2) {
        const Pickled *key = parts->items.at[i];
        Pickled *part = parts->items.at[i + 1];
        if (pickled_is(key, PICKLED_STRING) && is_module(part))
            list_module(l, part, arena_printf(l->r->arena, "%s%s.", prefix, key->text), depth + 1);
    }
    module->seen = seen;
}

/* ---- finding ---- */

static int count_tensors(const Pickled *dict)
{
    TorchCall call;
    int n = 0;
    for (int i = 0; i + 1 < dict->items.n; i += 2)
        n += pickled_is(dict->items.at[i], PICKLED_STRING) &&
             torch_call(dict->items.at[i + 1], &call) && torch_rank(&call) > 0;
    return n;
}

/* An optimizer's state is shaped like the parameters but does not count as them. */
static bool is_optimizer(const Pickled *dict)
{
    return pickled_get(dict, "param_groups") && pickled_get(dict, "state");
}

static void search(Search *s, Pickled *value, const char *path, int depth);

static void search_items(Search *s, const Pickled *dict, int first, const char *path, int depth)
{
    for (int i = first; i + 1 < dict->items.n; i += 2) {
        const Pickled *key = dict->items.at[i];
        if (pickled_is(key, PICKLED_STRING) && strlen(path) + strlen(key->text) <= PATH_MOST)
            search(s, dict->items.at[i + 1], join(s->r->arena, path, key->text), depth + 1);
    }
}

static void found(Search *s, const char *path, const Pickled *value, int tensors)
{
    if (tensors > 0)
        VEC_PUSH(s->r->arena, &s->found, ((Found){path, value, tensors}));
}

static void search_call(Search *s, Pickled *value, const char *path, int depth)
{
    TorchCall call;
    const Pickled *state = attributes(value), *type = pickled_item(value, 0);
    if (torch_call(value, &call))
        return;
    if (!s->opaque && pickled_is(type, PICKLED_GLOBAL))
        s->opaque = type->text;
    if (is_module(value)) {
        Listing l = {.r = s->r, .visits = s->visits};
        list_module(&l, value, "", 0);
        s->visits = l.visits;
        found(s, path, value, l.entries.n);
        return;
    }
    search_items(s, value, 2, path, depth); /* of a class that is a dict */
    if (state)
        search_items(s, state, 0, path, depth);
}

static void search_dict(Search *s, const Pickled *dict, const char *path, int depth)
{
    found(s, path, dict, count_tensors(dict));
    search_items(s, dict, 0, path, depth);
}

static void search_list(Search *s, const Pickled *list, const char *path, int depth)
{
    for (int i = 0; i < list->items.n && i < ITEMS_MOST; i++)
        search(s, list->items.at[i], join(s->r->arena, path, arena_printf(s->r->arena, "%d", i)),
               depth + 1);
}

static void search(Search *s, Pickled *value, const char *path, int depth)
{
    if (!value || value->seen >= TORCH_SEEN_SEARCH || depth > DEEPEST)
        return;
    value->seen = TORCH_SEEN_SEARCH;
    if (value->kind == PICKLED_CALL)
        search_call(s, value, path, depth);
    else if (value->kind == PICKLED_DICT && !is_optimizer(value))
        search_dict(s, value, path, depth);
    else if (value->kind == PICKLED_TUPLE)
        search_list(s, value, path, depth);
}

/* If one set is inside of another, drops the one with fewer tensors. */
static void drop_beside(Search *s)
{
    for (int a = 0; a < s->found.n; a++) {
        Found *outer = &s->found.at[a];
        const size_t n = strlen(outer->path);
        for (int b = 0; b < s->found.n; b++) {
            Found *inner = &s->found.at[b];
            if (a == b || strncmp(inner->path, outer->path, n) != 0 ||
                (n > 0 && inner->path[n] != '.') || !outer->tensors || !inner->tensors)
                continue;
            if (outer->tensors > inner->tensors)
                inner->tensors = 0;
            else
                outer->tensors = 0;
        }
    }
    int kept = 0;
    for (int i = 0; i < s->found.n; i++) {
        if (s->found.at[i].tensors)
            s->found.at[kept++] = s->found.at[i];
    }
    s->found.n = kept;
}

/* ---- choosing ---- */

static const char *listed(const Search *s)
{
    Buf text = buf_new(s->r->arena);
    for (int i = 0; i < s->found.n && i < LISTED; i++) {
        const Found *f = &s->found.at[i];
        buf_printf(&text, "%s'%s' (%d tensors)", i ? ", " : "", f->path, f->tensors);
    }
    if (s->found.n > LISTED)
        buf_printf(&text, " and %d more", s->found.n - LISTED);
    return buf_text(&text);
}

static void say_none(const Search *s)
{
    const char *path = s->r->file->path;
    Diag *d = s->r->diag;
    if (s->opaque)
        diag_file_error(d, path,
                        "the pickle calls for '%s', which would run code; rnc executes "
                        "nothing, and finds no tensors beside it",
                        s->opaque);
    else
        diag_file_error(d, path, "no dict of tensors was saved in it");
    diag_file_note(d, path, "in Python, torch.save(model.state_dict(), \"FILE.pt\") saves one");
}

/* The value that a path of keys leads to, or NULL.  A key may have dots itself. */
static const Pickled *follow(const Pickled *value, const char *path)
{
    const Pickled *dict = attributes(value) ? attributes(value) : value;
    const int first = pickled_is(dict, PICKLED_CALL) ? 2 : 0;
    if (!*path)
        return value;
    for (int i = first; dict->kind != PICKLED_TUPLE && i + 1 < dict->items.n; i += 2) {
        const Pickled *key = dict->items.at[i];
        const size_t n = pickled_is(key, PICKLED_STRING) ? strlen(key->text) : 0;
        if (n == 0 || strncmp(path, key->text, n) != 0 || (path[n] != '.' && path[n]))
            continue;
        const Pickled *inner = follow(dict->items.at[i + 1], path + n + (path[n] == '.'));
        if (inner)
            return inner;
    }
    char *end;
    const long item = dict->kind == PICKLED_TUPLE ? strtol(path, &end, 10) : -1;
    if (item < 0 || item >= dict->items.n || end == path || (*end != '.' && *end))
        return NULL;
    return follow(dict->items.at[item], end + (*end == '.'));
}

/* The set that file->key names, also where it was passed over for another one. */
static const Found *named(Search *s, const Pickled *root)
{
    const char *key = s->r->file->key;
    const Pickled *value = strlen(key) <= PATH_MOST ? follow(root, key) : NULL;
    if (!is_module(value) && !(pickled_is(value, PICKLED_DICT) && count_tensors(value) > 0))
        return NULL;
    Found *found = NEW(s->r->arena, Found);
    *found = (Found){.path = key, .value = value};
    return found;
}

/* The set that file->key names, or the only one; NULL after a message. */
static const Found *choose(Search *s, const Pickled *root)
{
    const TensorFile *file = s->r->file;
    const Found *wanted = file->key ? named(s, root) : NULL;
    if (wanted)
        return wanted;
    if (s->found.n == 0) {
        say_none(s);
        return NULL;
    }
    if (file->key) {
        diag_file_error(s->r->diag, file->path, "it has no tensors under '%s'", file->key);
        diag_file_note(s->r->diag, file->path, "it has %s", listed(s));
        return NULL;
    }
    if (s->found.n == 1)
        return &s->found.at[0];
    diag_file_error(s->r->diag, file->path, "it has several sets of tensors: %s", listed(s));
    diag_file_note(s->r->diag, file->path, "-w %s:%s takes one of them", file->path,
                   s->found.at[0].path);
    return NULL;
}

/* Reports what else is stored beside the chosen set, on the path to it from the root. */
static void say_taken(const TorchReader *r, const Pickled *root, const Found *taken)
{
    Buf beside = buf_new(r->arena);
    int n = 0;
    for (int i = 0; pickled_is(root, PICKLED_DICT) && i < root->items.n; i += 2) {
        const Pickled *key = root->items.at[i];
        const size_t length = key->text ? strlen(key->text) : 0;
        if (!pickled_is(key, PICKLED_STRING) ||
            (strncmp(taken->path, key->text, length) == 0 &&
             (taken->path[length] == '.' || taken->path[length] == '\0')))
            continue;
        if (n++ < LISTED)
            buf_printf(&beside, "%s'%s'", n > 1 ? ", " : "", key->text);
    }
    if (n > LISTED)
        buf_printf(&beside, " and %d more", n - LISTED);
    if (*taken->path && n > 0)
        diag_file_note(r->diag, r->file->path, "took the tensors of '%s', and left out %s",
                       taken->path, buf_text(&beside));
    else if (*taken->path)
        diag_file_note(r->diag, r->file->path, "took the tensors of '%s'", taken->path);
}

bool torch_tensors(TorchReader *r, const Pickled *root)
{
    Search s = {.r = r};
    Listing l = {.r = r};
    TensorFile *file = r->file;
    file->keyed = true;
    search(&s, (Pickled *)root, "", 0);
    drop_beside(&s);
    const Found *taken = choose(&s, root);
    if (!taken)
        return false;
    if (is_module(taken->value))
        list_module(&l, (Pickled *)taken->value, "", 0);
    else
        list_dict(&l, taken->value, "", NULL);
    file->tensors = NEW_ARRAY(r->arena, StoredTensor, l.entries.n + 1);
    for (int i = 0; i < l.entries.n; i++, file->n++) {
        const Entry *entry = &l.entries.at[i];
        if (!torch_tensor(r, &file->tensors[file->n], entry->name, &entry->call))
            return false;
    }
    say_taken(r, root, taken);
    if (l.rest.n > 0 && !is_module(taken->value))
        diag_file_note(r->diag, file->path,
                       "left out %d entries of the dict that are no tensors, "
                       "'%s'%s",
                       l.rest.n, l.rest.at[0], l.rest.n > 1 ? " ..." : "");
    return true;
}
