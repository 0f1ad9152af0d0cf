/* torch.c: PyTorch's archives, of version 1.6 and later: NAME/data.pkl, a pickle of what
 * was saved, and NAME/data/KEY, the numbers of each storage.  The pickle is read as data
 * (pickle.h); nothing in it is executed.
 */
#include "params/torch.h"

#include "params/torch_parts.h"

#include <string.h>

typedef struct Archive {
    const Zip *zip;
    const char *folder; /* "archive/" */
    bool *checked;      /* [zip->n] */
} Archive;

/* The folder that data.pkl is in, with its slash; NULL: there is none. */
static const char *folder_of(const Zip *zip, Arena *arena)
{
    for (int i = 0; i < zip->n; i++) {
        const char *name = zip->members[i].name, *slash = strchr(name, '/');
        if (slash && str_eq(slash, "/data.pkl"))
            return arena ? arena_strndup(arena, name, (size_t)(slash - name) + 1) : name;
    }
    return NULL;
}

bool torch_is(const Zip *zip)
{
    return folder_of(zip, NULL) != NULL;
}

/* Stored as it is, and undamaged where a checksum was kept (PyTorch can leave it 0). */
static bool check_member(const TorchReader *r, const ZipMember *m)
{
    const Archive *a = r->source;
    unsigned char first;
    if (m->method != ZIP_STORED || m->encrypted) {
        if (m->encrypted || m->method != ZIP_DEFLATED)
            return zip_unpack(a->zip, m, 0, &first, m->size > 0, r->diag);
        diag_file_error(r->diag, r->file->path,
                        "'%s' in the archive is compressed, and PyTorch does not do so", m->name);
        diag_file_note(r->diag, r->file->path,
                       "unzip it, then zip -0 -r FILE.pt FOLDER makes an archive that rnc reads");
        return false;
    }
    bool *checked = &a->checked[m - a->zip->members];
    if (!*checked && m->crc != 0 && !zip_check(a->zip, m, r->diag))
        return false;
    *checked = true;
    return true;
}

static const unsigned char *storage(const TorchReader *r, const char *key, size_t *size,
                                    const char **why)
{
    const Archive *a = r->source;
    const ZipMember *m = zip_find(a->zip, arena_printf(r->arena, "%sdata/%s", a->folder, key));
    if (!m) {
        *why = "its storage is not in the archive";
        return NULL;
    }
    *size = m->size;
    return check_member(r, m) ? m->at : NULL;
}

static bool check_byte_order(const TorchReader *r)
{
    const Archive *a = r->source;
    const ZipMember *m = zip_find(a->zip, arena_printf(r->arena, "%sbyteorder", a->folder));
    if (!m || (m->method == ZIP_STORED && m->size == 6 && memcmp(m->at, "little", 6) == 0))
        return true;
    diag_file_error(r->diag, r->file->path, "its numbers are not in the order 'little' of bytes");
    diag_file_note(r->diag, r->file->path, "save it again on a little-endian machine");
    return false;
}

bool torch_read(TensorFile *file, const Zip *zip, Arena *arena, Diag *diag)
{
    Archive *a = NEW(arena, Archive);
    TorchReader r = {.file = file, .arena = arena, .diag = diag, .storage = storage, .source = a};
    *a = (Archive){zip, folder_of(zip, arena), NEW_ARRAY(arena, bool, zip->n + 1)};
    file->load = torch_load;
    const ZipMember *m = zip_find(zip, arena_printf(arena, "%sdata.pkl", a->folder));
    if (!check_member(&r, m) || !check_byte_order(&r))
        return false;
    const char *label = arena_printf(arena, "%s(%s)", file->path, m->name);
    size_t used;
    const Pickled *root = pickle_read(m->at, m->size, &used, label, arena, diag);
    return root && torch_tensors(&r, root);
}
