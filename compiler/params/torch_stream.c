/* torch_stream.c: what torch.save() wrote before PyTorch 1.6, and writes still with
 * _use_new_zipfile_serialization=False: pickles, and then the numbers of each storage.
 *
 *   pickle    0x1950a86a20f9469cfc6c, a number of 80 bits
 *   pickle    1001, the version of the format
 *   pickle    {"protocol_version": 1001, "little_endian": True, "type_sizes": {...}}
 *   pickle    what was saved, with storages as outer objects (torch_tensor.c)
 *   pickle    [KEY, ...], the order of the storages
 *   storages  each an int64, how many numbers it has, and these
 *
 * The bytes of a number are not said with the storage: they follow from the type that the
 * pickle gives to its key.
 */
#include "params/torch_stream.h"

#include "params/torch_parts.h"

#include <stdlib.h>
#include <string.h>

enum { FORMAT_VERSION = 1001, LENGTH_BYTES = 8 };

typedef struct Storage {
    const char *key;
    const unsigned char *at;
    size_t size; /* 0: no tensor was found that is in it */
    int bytes;   /* of a number */
} Storage;

typedef struct Stream {
    const unsigned char *at, *end;
    Storage *storages; /* in the order of the file */
    int n;
} Stream;

bool torch_stream_is(const unsigned char *bytes, size_t size)
{
    /* After the protocol, and after a frame where that has them. */
    static const char magic[] = "\x8a\x0a\x6c\xfc\x9c\x46\xf9\x20\x6a\xa8\x50\x19";
    enum { MAGIC = sizeof magic - 1, FRAME = 9 };
    if (size < 2 + MAGIC || bytes[0] != 0x80)
        return false;
    return memcmp(bytes + 2, magic, MAGIC) == 0 ||
           (size >= 2 + FRAME + MAGIC && memcmp(bytes + 2 + FRAME, magic, MAGIC) == 0);
}

static bool fail(const TorchReader *r, const char *why)
{
    diag_file_error(r->diag, r->file->path, "the file of PyTorch is damaged: %s", why);
    return false;
}

static Pickled *next_pickle(const TorchReader *r, Stream *s, const char *what)
{
    size_t used = 0;
    const char *label = arena_printf(r->arena, "%s(%s)", r->file->path, what);
    Pickled *value = pickle_read(s->at, (size_t)(s->end - s->at), &used, label, r->arena, r->diag);
    s->at += used;
    return value;
}

/* ---- which storages there are ---- */

typedef struct Width {
    const char *key;
    int bytes;
} Width;

typedef struct Widths {
    const TorchReader *r;
    VEC(Width) list;
} Widths;

/* Bytes of a number of the type that a storage's global names, or 0. */
static int width_of(const char *global)
{
    static const struct {
        const char *name;
        int bytes;
    } rows[] = {
        {"DoubleStorage", 8},   {"FloatStorage", 4},        {"HalfStorage", 2},
        {"BFloat16Storage", 2}, {"LongStorage", 8},         {"IntStorage", 4},
        {"ShortStorage", 2},    {"CharStorage", 1},         {"ByteStorage", 1},
        {"BoolStorage", 1},     {"QInt8Storage", 1},        {"QUInt8Storage", 1},
        {"QInt32Storage", 4},   {"ComplexFloatStorage", 8}, {"ComplexDoubleStorage", 16},
        {"UntypedStorage", 1},
    };
    const char *dot = strrchr(global, '.');
    for (size_t i = 0; dot && i < sizeof rows / sizeof *rows; i++) {
        if (str_eq(dot + 1, rows[i].name))
            return rows[i].bytes;
    }
    return 0;
}

/* Every outer object of the tree, each once. */
static void find_widths(Widths *w, Pickled *root)
{
    VEC(Pickled *) open = {0};
    VEC_PUSH(w->r->arena, &open, root);
    while (open.n > 0) {
        Pickled *value = open.at[--open.n];
        if (!value || value->seen >= TORCH_SEEN_WIDTHS)
            continue;
        value->seen = TORCH_SEEN_WIDTHS;
        if (value->kind == PICKLED_OUTER) {
            const Pickled *id = pickled_item(value, 0);
            const Pickled *type = pickled_item(id, 1), *key = pickled_item(id, 2);
            if (pickled_is(type, PICKLED_GLOBAL) && pickled_is(key, PICKLED_STRING))
                VEC_PUSH(w->r->arena, &w->list, ((Width){key->text, width_of(type->text)}));
        }
        for (int i = 0; i < value->items.n; i++)
            VEC_PUSH(w->r->arena, &open, value->items.at[i]);
        if (value->state)
            VEC_PUSH(w->r->arena, &open, (Pickled *)value->state);
    }
}

static int by_key(const void *a, const void *b)
{
    return strcmp(((const Width *)a)->key, ((const Width *)b)->key);
}

/* The storages in their order, as far as the keys go. */
static bool list_storages(const TorchReader *r, Stream *s, Pickled *root, const Pickled *keys)
{
    Widths w = {.r = r};
    find_widths(&w, root);
    if (w.list.n > 1)
        qsort(w.list.at, (size_t)w.list.n, sizeof *w.list.at, by_key);
    s->storages = NEW_ARRAY(r->arena, Storage, keys->items.n + 1);
    for (s->n = 0; s->n < keys->items.n; s->n++) {
        const Pickled *key = keys->items.at[s->n];
        const Width wanted = {pickled_is(key, PICKLED_STRING) ? key->text : "", 0};
        const Width *width =
            w.list.n ? bsearch(&wanted, w.list.at, (size_t)w.list.n, sizeof wanted, by_key) : NULL;
        if (!width || width->bytes == 0)
            return fail(r, "it has a storage whose type is not known");
        s->storages[s->n] = (Storage){.key = width->key, .bytes = width->bytes};
    }
    return true;
}

static int by_storage_key(const void *a, const void *b)
{
    return strcmp(((const Storage *)a)->key, ((const Storage *)b)->key);
}

/* Where the numbers of each are.  Sorts the storages by key. */
static bool place_storages(const TorchReader *r, Stream *s)
{
    for (int i = 0; i < s->n; i++) {
        Storage *x = &s->storages[i];
        uint64_t numbers = 0;
        if (s->end - s->at < LENGTH_BYTES)
            return fail(r, "it is cut off");
        for (int b = LENGTH_BYTES - 1; b >= 0; b--)
            numbers = numbers << 8 | s->at[b];
        s->at += LENGTH_BYTES;
        if (numbers > (uint64_t)(s->end - s->at) / (uint64_t)x->bytes)
            return fail(r, "it is cut off");
        x->at = s->at;
        x->size = (size_t)numbers * (size_t)x->bytes;
        s->at += x->size;
    }
    if (s->n > 1)
        qsort(s->storages, (size_t)s->n, sizeof *s->storages, by_storage_key);
    return s->at == s->end || fail(r, "more follows than its storages");
}

static const unsigned char *storage(const TorchReader *r, const char *key, size_t *size,
                                    const char **why)
{
    const Stream *s = r->source;
    const Storage wanted = {.key = key};
    const Storage *found =
        s->n ? bsearch(&wanted, s->storages, (size_t)s->n, sizeof wanted, by_storage_key) : NULL;
    if (!found) {
        *why = "its storage is not in the file";
        return NULL;
    }
    *size = found->size;
    return found->at;
}

/* ---- the file ---- */

static bool check_system(const TorchReader *r, const Pickled *version, const Pickled *system)
{
    if (!pickled_is(version, PICKLED_INT) || version->integer != FORMAT_VERSION)
        return fail(r, "its version is not 1001");
    const Pickled *little =
        pickled_is(system, PICKLED_DICT) ? pickled_get(system, "little_endian") : NULL;
    if (!pickled_is(little, PICKLED_BOOL))
        return fail(r, "it does not say in which order its bytes are");
    if (little->integer)
        return true;
    diag_file_error(r->diag, r->file->path, "its numbers are not in the order 'little' of bytes");
    diag_file_note(r->diag, r->file->path, "save it again on a little-endian machine");
    return false;
}

bool torch_stream_read(TensorFile *file, Arena *arena, Diag *diag)
{
    Stream s = {.at = file->map, .end = (const unsigned char *)file->map + file->map_size};
    TorchReader r = {.file = file, .arena = arena, .diag = diag, .storage = storage, .source = &s};
    file->load = torch_load;
    if (!next_pickle(&r, &s, "magic"))
        return false;
    const Pickled *version = next_pickle(&r, &s, "version");
    const Pickled *system = version ? next_pickle(&r, &s, "system") : NULL;
    if (!system || !check_system(&r, version, system))
        return false;
    Pickled *root = next_pickle(&r, &s, "data");
    const Pickled *keys = root ? next_pickle(&r, &s, "storages") : NULL;
    if (!keys)
        return false;
    if (keys->kind != PICKLED_TUPLE)
        return fail(&r, "it has no list of storages");
    return list_storages(&r, &s, root, keys) && place_storages(&r, &s) && torch_tensors(&r, root);
}
