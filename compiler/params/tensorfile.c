/* tensorfile.c: files of tensors, opened by what is in them.
 *
 * The file is mapped, so that only what is used is read; the reader of its format
 * lists the tensors, which point into the map or are unpacked when they are used.
 */
#include "params/tensorfile.h"

#include "base/file.h"
#include "base/half.h"
#include "params/foreign.h"
#include "params/h5file.h"
#include "params/normed.h"
#include "params/npz.h"
#include "params/safetensors.h"
#include "params/shards.h"
#include "params/torch.h"
#include "params/torch_stream.h"
#include "params/zip.h"

#include <errno.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

/* A member's bytes, unpacked if need be; NULL after a message. */
static const unsigned char *member_bytes(const Zip *zip, const ZipMember *m, Arena *arena,
                                         Diag *diag)
{
    if (m->method == ZIP_STORED && !m->encrypted)
        return zip_check(zip, m, diag) ? m->at : NULL;
    unsigned char *to = NEW_ARRAY(arena, unsigned char, m->size);
    return zip_unpack(zip, m, 0, to, m->size, diag) ? to : NULL;
}

#ifdef RNC_HAVE_HDF5
/* "3.15.1" of {"keras_version": "3.15.1", ...}; NULL if the archive does not say it. */
static const char *keras_version(const Zip *zip, Arena *arena, Diag *diag)
{
    static const char key[] = "\"keras_version\"";
    const ZipMember *about = zip_find(zip, "metadata.json");
    const unsigned char *json = about ? member_bytes(zip, about, arena, diag) : NULL;
    const char *text = json ? arena_strndup(arena, (const char *)json, about->size) : "";
    const char *at = strstr(text, key);
    at = at ? strchr(at + strlen(key), '"') : NULL;
    return at ? arena_strndup(arena, at + 1, strcspn(at + 1, "\"")) : NULL;
}
#endif

/* A model of Keras: its layers as JSON, its weights as HDF5. */
static bool read_keras(TensorFile *file, const Zip *zip, const ZipMember *weights, Arena *arena,
                       Diag *diag)
{
#ifdef RNC_HAVE_HDF5
    const ZipMember *about = zip_find(zip, "config.json");
    KerasConfig config = {0};
    const unsigned char *json = about ? member_bytes(zip, about, arena, diag) : NULL;
    if (about && !json)
        return false;
    if (json) {
        keras_config_read(&config, (const char *)json, about->size, arena);
        file->model = arena_strndup(arena, (const char *)json, about->size);
        file->model_version = keras_version(zip, arena, diag);
    }
    const H5Bytes bytes = {member_bytes(zip, weights, arena, diag), weights->size, true};
    return bytes.at && h5_read(file, bytes, &config, arena, diag);
#else
    (void)weights, (void)arena;
    foreign_refuse(zip->path, (const unsigned char *)"\x89HDF\r\n\x1a\n", 8, diag);
    return false;
#endif
}

/* What a ZIP archive is for is seen by its members. */
static bool read_archive(TensorFile *file, Arena *arena, Diag *diag)
{
    Zip zip;
    if (!zip_open(&zip, file->path, file->map, file->map_size, arena, diag))
        return false;
    if (torch_is(&zip))
        return torch_read(file, &zip, arena, diag);
    if (npz_is(&zip))
        return npz_read(file, &zip, arena, diag);
    const ZipMember *weights = zip_find(&zip, "model.weights.h5");
    if (weights)
        return read_keras(file, &zip, weights, arena, diag);
    foreign_refuse_archive(&zip, diag);
    return false;
}

static bool read_format(TensorFile *file, Arena *arena, Diag *diag)
{
    const unsigned char *bytes = file->map;
    const size_t size = file->map_size;
    if (safetensors_is(bytes, size))
        return safetensors_read(file, bytes, size, arena, diag);
#ifdef RNC_HAVE_HDF5
    if (h5_is(bytes, size))
        return h5_read(file, (H5Bytes){bytes, size, false}, NULL, arena, diag);
#endif
    if (zip_is(bytes, size))
        return read_archive(file, arena, diag);
    if (torch_stream_is(bytes, size))
        return torch_stream_read(file, arena, diag);
    foreign_refuse(file->path, bytes, size, diag);
    return false;
}

/* Opens the file and maps it.  False after a message. */
static bool map_file(TensorFile *file, Diag *diag)
{
    struct stat about;
    const char *why;
    int64_t size;
    if (stat(file->path, &about) == 0 && S_ISDIR(about.st_mode)) {
        foreign_refuse_folder(file->path, diag);
        return false;
    }
    const int fd = file_open(file->path, &size, &why);
    if (fd < 0) {
        diag_file_error(diag, file->path, "cannot read the weights: %s", why);
        return false;
    }
    if (size == 0) {
        close(fd);
        diag_file_error(diag, file->path, "the file is empty");
        return false;
    }
    void *map = (uint64_t)size > SIZE_MAX ? MAP_FAILED
                                          : mmap(NULL, (size_t)size, PROT_READ, MAP_PRIVATE, fd, 0);
    const int error = errno;
    close(fd);
    if (map == MAP_FAILED) {
        diag_file_error(diag, file->path, "cannot map the weights: %s", strerror(error));
        return false;
    }
    file->map = map;
    file->map_size = (size_t)size;
    return true;
}

const char *tensorfile_path(const char *argument, const char **key, Arena *arena)
{
    struct stat about;
    *key = NULL;
    for (const char *colon = strchr(argument, ':'); colon && stat(argument, &about) != 0;
         colon = strchr(colon + 1, ':')) {
        const char *path = arena_strndup(arena, argument, (size_t)(colon - argument));
        if (colon[1] && stat(path, &about) == 0) {
            *key = arena_strdup(arena, colon + 1);
            return path;
        }
    }
    return arena_strdup(arena, argument);
}

/* Of formats whose names are flat: the tensors below the key alone, called by what follows
 * it.  False after a message. */
static bool keep_part(TensorFile *file, Arena *arena, Diag *diag)
{
    const size_t n = strlen(file->key);
    int kept = 0;
    for (int i = 0; i < file->n; i++) {
        StoredTensor *t = &file->tensors[i];
        if (strncmp(t->name, file->key, n) != 0 || (t->name[n] != '.' && t->name[n] != '/'))
            continue;
        file->tensors[kept] = *t;
        file->tensors[kept++].name = arena_strdup(arena, t->name + n + 1);
    }
    if (kept == 0 && file->n > 0) {
        diag_file_error(diag, file->path, "it has no tensors under '%s'", file->key);
        diag_file_note(diag, file->path, "the first one is called '%s'", file->tensors[0].name);
        return false;
    }
    file->n = kept;
    return true;
}

bool tensorfile_open(TensorFile *file, const char *argument, Arena *arena, Diag *diag)
{
    *file = (TensorFile){0};
    file->path = tensorfile_path(argument, &file->key, arena);
    if (map_file(file, diag) &&
        (shards_is(file->map, file->map_size) ? shards_read(file, arena, diag)
                                              : read_format(file, arena, diag)) &&
        (!file->key || file->keyed || keep_part(file, arena, diag))) {
        normed_read(file, arena, diag);
        return true;
    }
    tensorfile_close(file);
    return false;
}

bool tensorfile_open_shard(TensorFile *file, const char *path, Arena *arena, Diag *diag)
{
    *file = (TensorFile){.path = path};
    if (map_file(file, diag)) {
        if (!shards_is(file->map, file->map_size)) {
            if (read_format(file, arena, diag))
                return true;
        } else {
            diag_file_error(diag, path, "an index names this file, which is an index itself");
        }
    }
    tensorfile_close(file);
    return false;
}

void tensorfile_close(TensorFile *file)
{
    if (file->close)
        file->close(file);
    file->close = NULL;
    if (file->map)
        munmap(file->map, file->map_size);
    file->map = NULL;
    file->map_size = 0;
    file->tensors = NULL;
    file->n = 0;
}

const StoredTensor *tensorfile_find(const TensorFile *file, const char *name)
{
    for (int i = 0; i < file->n; i++)
        if (str_eq(file->tensors[i].name, name))
            return &file->tensors[i];
    return NULL;
}

/* ---- elements ---- */

bool tensor_elements(const int64_t *dims, int rank, int64_t *n)
{
    *n = 1;
    for (int i = 0; i < rank; i++) {
        if (dims[i] && *n > INT64_MAX / dims[i])
            return false;
        *n *= dims[i];
    }
    return true;
}

void tensor_gather(unsigned char *to, const unsigned char *from, int bytes, int rank,
                   const int64_t *dims, const int64_t *steps)
{
    int64_t index[8] = {0}, n;
    if (!tensor_elements(dims, rank, &n))
        return;
    while (n-- > 0) {
        memcpy(to, from, (size_t)bytes);
        to += bytes;
        for (int i = rank - 1; i >= 0; i--) {
            from += steps[i] * bytes;
            if (++index[i] < dims[i])
                break;
            from -= steps[i] * bytes * dims[i];
            index[i] = 0;
        }
    }
}

static uint64_t little_endian(const unsigned char *p, int bytes)
{
    uint64_t x = 0;
    while (bytes-- > 0)
        x = x << 8 | p[bytes];
    return x;
}

static float float_of_bits(uint32_t bits)
{
    float x;
    memcpy(&x, &bits, sizeof x);
    return x;
}

static float float_of_double(const unsigned char *p)
{
    const uint64_t bits = little_endian(p, 8);
    double x;
    memcpy(&x, &bits, sizeof x);
    return (float)x;
}

/* The bytes in the map, or unpacked; NULL after a message. */
static const unsigned char *bytes_of(const TensorFile *file, const StoredTensor *tensor,
                                     Arena *arena, Diag *diag)
{
    if (tensor->bytes || tensor->size == 0)
        return tensor->bytes ? tensor->bytes : (const unsigned char *)"";
    unsigned char *to = NEW_ARRAY(arena, unsigned char, tensor->size);
    return file->load(file, tensor, to, arena, diag) ? to : NULL;
}

const float *tensor_floats(const TensorFile *file, const StoredTensor *tensor, Arena *arena,
                           Diag *diag)
{
    static const int sizes[] = {8, 4, 2, 2};
    const uint16_t one = 1;
    unsigned char first;
    memcpy(&first, &one, 1);
    if (tensor->elem == STORED_OTHER)
        return NULL;
    const unsigned char *p = bytes_of(file, tensor, arena, diag);
    if (!p)
        return NULL;
    if (tensor->elem == STORED_F32 && first == 1 && (uintptr_t)p % sizeof(float) == 0)
        return (const float *)(const void *)p;
    const int bytes = sizes[tensor->elem];
    const size_t n = tensor->size / (size_t)bytes;
    float *to = NEW_ARRAY(arena, float, n ? n : 1);
    for (size_t i = 0; i < n; i++, p += bytes) {
        if (tensor->elem == STORED_F64)
            to[i] = float_of_double(p);
        else if (tensor->elem == STORED_F32)
            to[i] = float_of_bits((uint32_t)little_endian(p, 4));
        else if (tensor->elem == STORED_F16)
            to[i] = float_of_f16((uint16_t)little_endian(p, 2));
        else
            to[i] = float_of_bf16((uint16_t)little_endian(p, 2));
    }
    return to;
}
