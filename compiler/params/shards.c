/* shards.c: a model whose tensors are in several files, which an index lists.
 *
 *   {"metadata": {"total_size": ...},
 *    "weight_map": {"conv1.weight": "model-00001-of-00002.safetensors", ...}}
 *
 * transformers and diffusers call it model.safetensors.index.json or pytorch_model.bin.index.json.
 * The files are beside it.  Each is opened as any other file of weights, and every tensor must be
 * where the index says, and nowhere else.
 */
#include "params/shards.h"

#include "params/jsontext.h"

#include <ctype.h>
#include <stdlib.h>
#include <string.h>

enum { SHARDS_MOST = 1000 };

typedef struct Shards {
    const char *path; /* of the index */
    VEC(const char *) names;
    TensorFile *files; /* [names.n], when they are open */
} Shards;

/* What TensorFile.load is told of a tensor. */
typedef struct Packed {
    const TensorFile *file;
    const StoredTensor *tensor;
} Packed;

bool shards_is(const unsigned char *bytes, size_t size)
{
    enum { SOME = 1 << 16 };
    static const char word[] = "\"weight_map\"";
    const size_t some = size < SOME ? size : SOME;
    size_t i = size >= 3 && memcmp(bytes, "\xef\xbb\xbf", 3) == 0 ? 3 : 0;
    while (i < some && isspace(bytes[i]))
        i++;
    if (i >= some || bytes[i] != '{')
        return false;
    for (; i + strlen(word) <= some; i++) {
        if (memcmp(bytes + i, word, strlen(word)) == 0)
            return true;
    }
    return false;
}

static const char *beside(const char *path, const char *name, Arena *arena)
{
    const char *slash = strrchr(path, '/');
    return slash ? arena_printf(arena, "%.*s%s", (int)(slash - path + 1), path, name) : name;
}

/* ---- the index ---- */

/* Adds the name of a shard, unless it is there.  False after a message. */
static bool add_shard(Shards *s, const char *name, Arena *arena, Diag *diag)
{
    for (int i = s->names.n - 1; i >= 0; i--) {
        if (str_eq(s->names.at[i], name))
            return true;
    }
    if (!*name || strchr(name, '/') || strchr(name, '\\')) {
        diag_file_error(diag, s->path,
                        "the index names '%s', and a shard is a file in the folder of its index",
                        name);
        return false;
    }
    if (s->names.n == SHARDS_MOST) {
        diag_file_error(diag, s->path, "the index names more than %d files", SHARDS_MOST);
        return false;
    }
    VEC_PUSH(arena, &s->names, arena_strdup(arena, name));
    return true;
}

/* Lists the files of the map.  False after a message. */
static bool list_shards(Shards *s, const json_t *map, Arena *arena, Diag *diag)
{
    const char *tensor;
    json_t *name;
    if (!json_is_object(map)) {
        diag_file_error(diag, s->path,
                        "the index has no \"weight_map\", an object of tensors and their files");
        return false;
    }
    json_object_foreach((json_t *)map, tensor, name)
    {
        if (!json_is_string(name)) {
            diag_file_error(diag, s->path, "the index names no file for the tensor '%s'", tensor);
            return false;
        }
        if (!add_shard(s, json_string_value(name), arena, diag))
            return false;
    }
    if (s->names.n == 0)
        diag_file_error(diag, s->path, "the index names no files");
    return s->names.n > 0;
}

/* The index as JSON.  Blanks and a byte order mark may come first. */
static json_t *parse_index(const char *path, const unsigned char *bytes, size_t size, Diag *diag)
{
    const size_t mark = memcmp(bytes, "\xef\xbb\xbf", 3) == 0 ? 3 : 0;
    return jsontext_object(path, "index", bytes + mark, size - mark, diag);
}

/* ---- the files ---- */

static bool load(const TensorFile *file, const StoredTensor *tensor, unsigned char *to,
                 Arena *arena, Diag *diag)
{
    const Packed *p = tensor->packed;
    (void)file;
    return p->file->load(p->file, p->tensor, to, arena, diag);
}

static void close_shards(TensorFile *file)
{
    const Shards *s = file->reader;
    for (int i = 0; i < s->names.n; i++)
        tensorfile_close(&s->files[i]);
}

static bool open_shards(TensorFile *file, Shards *s, Arena *arena, Diag *diag)
{
    s->files = NEW_ARRAY(arena, TensorFile, s->names.n);
    file->own = true;
    file->parts = NEW_ARRAY(arena, const char *, s->names.n);
    file->reader = s;
    file->close = close_shards;
    file->load = load;
    for (int i = 0; i < s->names.n; i++) {
        const char *path = beside(s->path, s->names.at[i], arena);
        file->parts[file->n_parts++] = path;
        if (!tensorfile_open_shard(&s->files[i], path, arena, diag)) {
            diag_file_note(diag, s->path, "it has a part of the model, says this index");
            return false;
        }
        file->n += s->files[i].n;
        file->own &= s->files[i].own;
    }
    return true;
}

/* A tensor and the shard in which it was found. */
typedef struct Found {
    const char *name;
    int shard;
} Found;

static int by_name(const void *a, const void *b)
{
    const Found *x = a, *y = b;
    const int order = strcmp(x->name, y->name);
    return order ? order : x->shard - y->shard;
}

/* Lists the tensors of all shards in file->tensors, and by name in *found. */
static void list_tensors(TensorFile *file, const Shards *s, Found **found, Arena *arena)
{
    int n = 0;
    file->tensors = NEW_ARRAY(arena, StoredTensor, file->n + 1);
    *found = NEW_ARRAY(arena, Found, file->n + 1);
    for (int i = 0; i < s->names.n; i++) {
        for (int k = 0; k < s->files[i].n; k++, n++) {
            StoredTensor *t = &file->tensors[n];
            *t = s->files[i].tensors[k];
            (*found)[n] = (Found){t->name, i};
            if (t->bytes)
                continue;
            Packed *p = NEW(arena, Packed);
            *p = (Packed){&s->files[i], &s->files[i].tensors[k]};
            t->packed = p;
        }
    }
    qsort(*found, (size_t)n, sizeof **found, by_name);
}

/* Checks that each tensor is in one shard, and where the index says.  False after a message. */
static bool check_places(const TensorFile *file, const Shards *s, const Found *found,
                         const json_t *map, Diag *diag)
{
    const char *tensor;
    json_t *name;
    for (int i = 1; i < file->n; i++) {
        if (str_eq(found[i].name, found[i - 1].name)) {
            diag_file_error(diag, s->path, "the tensor '%s' is in '%s' and in '%s'", found[i].name,
                            s->names.at[found[i - 1].shard], s->names.at[found[i].shard]);
            return false;
        }
    }
    json_object_foreach((json_t *)map, tensor, name)
    {
        int low = 0, high = file->n;
        while (low < high) {
            const int middle = low + (high - low) / 2;
            if (strcmp(found[middle].name, tensor) < 0)
                low = middle + 1;
            else
                high = middle;
        }
        if (low == file->n || !str_eq(found[low].name, tensor) ||
            !str_eq(s->names.at[found[low].shard], json_string_value(name))) {
            diag_file_error(diag, s->path, "the tensor '%s' is not in '%s', where the index has it",
                            tensor, json_string_value(name));
            return false;
        }
    }
    return true;
}

static bool read_index(TensorFile *file, const json_t *root, Arena *arena, Diag *diag)
{
    Shards *s = NEW(arena, Shards);
    Found *found;
    const json_t *map = json_object_get(root, "weight_map");
    s->path = file->path;
    if (!list_shards(s, map, arena, diag) || !open_shards(file, s, arena, diag))
        return false;
    list_tensors(file, s, &found, arena);
    return check_places(file, s, found, map, diag);
}

bool shards_read(TensorFile *file, Arena *arena, Diag *diag)
{
    json_t *root = parse_index(file->path, file->map, file->map_size, diag);
    if (!root)
        return false;
    /* Jansson's memory is not the arena's: when that runs out, free it and pass on. */
    jmp_buf here;
    jmp_buf *const outer = arena_on_oom(arena, &here);
    if (setjmp(here) != 0) {
        json_decref(root);
        arena_on_oom(arena, outer);
        longjmp(*outer, 1);
    }
    const bool good = read_index(file, root, arena, diag);
    arena_on_oom(arena, outer);
    json_decref(root);
    return good;
}
