/* source.c: samples and classes of any reader (see source.h). */
#define _GNU_SOURCE
#include "train/source.h"

#include "runtime/rncw.h"
#include "train/bytes.h"

#include <inttypes.h>
#include <errno.h>
#include <stdarg.h>
#include <stdlib.h>
#include <strings.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

void source_drop(Source *s, const char *path, const char *format, ...)
{
    char text[RNCT_PROBLEM_BYTES];
    va_list args;
    va_start(args, format);
    vsnprintf(text, sizeof text, format, args);
    va_end(args);
    rnct_problem(s->data->skip ? s->skipped : s->problems, path, "%s", text);
}

bool source_no_memory(Source *s)
{
    return rnct_problem(s->problems, s->data->path, "no memory for its list of samples");
}

static void add_to_hash(Source *s, const void *bytes, size_t size)
{
    s->hash = rncw_hash(bytes, size, s->hash);
}

static void add_number(Source *s, uint64_t x)
{
    unsigned char bytes[8];
    put_u64(bytes, x);
    add_to_hash(s, bytes, sizeof bytes);
}

/* ---- samples ---- */

static bool make_room(Source *s)
{
    if (s->n < s->room)
        return true;
    const size_t room = s->room ? 2 * s->room : 1024;
    const size_t bytes = s->in_memory ? sizeof *s->pixels : sizeof *s->samples;
    void *old = s->in_memory ? (void *)(uintptr_t)s->pixels : s->samples;
    int32_t *labels = realloc(s->labels, room * sizeof *labels);
    if (labels)
        s->labels = labels;
    void *each = realloc(old, room * bytes);
    if (each && s->in_memory)
        s->pixels = each;
    else if (each)
        s->samples = each;
    if (!labels || !each)
        return source_no_memory(s);
    s->room = room;
    return true;
}

bool is_picture_name(const char *name)
{
    const char *dot = strrchr(name, '.');
    return dot && (strcasecmp(dot, ".jpg") == 0 || strcasecmp(dot, ".jpeg") == 0 ||
                   strcasecmp(dot, ".png") == 0);
}

/* "ROOT/PATH" in memory that the caller frees, or NULL. */
static char *whole_path(const Source *s, const char *path)
{
    const size_t size = strlen(s->root) + strlen(path) + 1;
    char *whole = malloc(size);
    if (whole)
        snprintf(whole, size, "%s%s", path[0] == '/' ? "" : s->root, path);
    return whole;
}

bool source_add_file(Source *s, const char *path, int label)
{
    struct stat about;
    char *whole = whole_path(s, path), *kept = NULL;
    if (!whole)
        return source_no_memory(s);
    bool good = true;
    if (stat(whole, &about) != 0) {
        source_drop(s, whole, "cannot be read: %s", strerror(errno));
    } else if (!S_ISREG(about.st_mode)) {
        source_drop(s, whole, "is not an ordinary file");
    } else if (s->n == UINT32_MAX - 1) {
        good = rnct_problem(s->problems, whole, "more than %" PRIu32 " samples", UINT32_MAX - 1);
    } else {
        kept = strdup(path);
        good = kept ? make_room(s) : source_no_memory(s);
    }
    if (kept && good) {
        const int64_t changed = (int64_t)about.st_mtim.tv_sec * 1000000000 + about.st_mtim.tv_nsec;
        s->samples[s->n] = (Sample){.path = kept,
                                    .size = (uint64_t)about.st_size,
                                    .changed = changed,
                                    .device = about.st_dev,
                                    .inode = about.st_ino};
        s->labels[s->n++] = label;
    } else {
        free(kept);
    }
    free(whole);
    return good;
}

bool source_add_pixels(Source *s, const unsigned char *pixels, int64_t label)
{
    const int64_t end = s->classes > 0           ? s->classes
                        : s->data->n_classes > 0 ? s->data->n_classes
                                                 : RNCT_MOST_CLASSES;
    if (label < 0 || label >= end) {
        source_drop(s, s->data->path,
                    "sample %zu has the label %" PRId64 ", which is not from 0 to %" PRId64,
                    s->n_seen++, label, end - 1);
        return true;
    }
    if (!make_room(s))
        return false;
    s->n_seen++;
    s->pixels[s->n] = pixels;
    s->labels[s->n++] = (int32_t)label;
    return true;
}

static void hash_file(Source *s, const char *name, uint64_t size, int64_t changed)
{
    add_to_hash(s, name, strlen(name) + 1);
    add_number(s, size);
    add_number(s, (uint64_t)changed);
}

const rnct_mapped *source_map(Source *s, const char *path)
{
    struct stat about;
    if (s->n_maps == (int)(sizeof s->maps / sizeof *s->maps))
        return NULL;
    rnct_mapped *map = &s->maps[s->n_maps];
    if (!rnct_map(map, path, s->problems))
        return NULL;
    s->n_maps++;
    if (stat(path, &about) != 0) {
        rnct_problem(s->problems, path, "cannot be read: %s", strerror(errno));
        return NULL;
    }
    const char *slash = strrchr(path, '/');
    hash_file(s, slash ? slash + 1 : path, (uint64_t)about.st_size,
              (int64_t)about.st_mtim.tv_sec * 1000000000 + about.st_mtim.tv_nsec);
    return map;
}

/* ---- one sample ---- */

void source_name(const Source *s, size_t i, char *to, size_t size)
{
    if (s->samples)
        snprintf(to, size, "%s%s", s->samples[i].path[0] == '/' ? "" : s->root, s->samples[i].path);
    else
        snprintf(to, size, "%s, sample %zu", s->data->path, i);
}

bool source_read(const Source *s, size_t i, Picture *p, char why[RNCT_WHY_BYTES])
{
    if (s->samples) {
        char *path = whole_path(s, s->samples[i].path);
        *p = (Picture){0};
        if (!path)
            snprintf(why, RNCT_WHY_BYTES, "no memory");
        const bool good = path && rnct_picture_decode(p, path, why);
        free(path);
        return good;
    }
    if (!rnct_picture_new(p, s->h, s->w, s->c, why))
        return false;
    const size_t plane = (size_t)s->h * (size_t)s->w, c = (size_t)s->c;
    if (!s->planar) {
        memcpy(p->pixels, s->pixels[i], plane * c);
        return true;
    }
    for (size_t k = 0; k < c; k++) {
        const unsigned char *from = s->pixels[i] + k * plane;
        for (size_t x = 0; x < plane; x++)
            p->pixels[x * c + k] = from[x];
    }
    return true;
}

/* ---- all of it ---- */

/* Hashes what decides what is read, and in which order. */
static void hash_source(Source *s)
{
    enum { RULES = 2 }; /* one more where pictures become other pixels than before */
    const uint64_t options[] = {RULES,
                                (uint64_t)s->kind,
                                (uint64_t)s->data->h,
                                (uint64_t)s->data->w,
                                (uint64_t)s->data->skip,
                                s->n,
                                (uint64_t)s->classes};
    for (size_t i = 0; i < sizeof options / sizeof *options; i++)
        add_number(s, options[i]);
    for (int i = 0; i < s->classes; i++)
        add_to_hash(s, s->names[i], strlen(s->names[i]) + 1);
    for (size_t i = 0; i < s->n; i++)
        add_number(s, (uint64_t)(uint32_t)s->labels[i]);
    for (size_t i = 0; s->samples && i < s->n; i++)
        hash_file(s, s->samples[i].path, s->samples[i].size, s->samples[i].changed);
}

static bool has_file(const char *folder, const char *name)
{
    char path[4096];
    return snprintf(path, sizeof path, "%s/%s", folder, name) < (int)sizeof path &&
           access(path, F_OK) == 0;
}

static rnct_kind kind_of_folder(const char *path)
{
    if (has_file(path, "data_batch_1.bin") || has_file(path, "test_batch.bin"))
        return RNCT_CIFAR10;
    if (has_file(path, "train.bin") || has_file(path, "test.bin"))
        return RNCT_CIFAR100;
    return RNCT_FOLDERS;
}

/* By what is there.  RNCT_AUTO after a problem. */
static rnct_kind find_kind(Source *s)
{
    enum { CIFAR10_BYTES = 3073, CIFAR100_BYTES = 3074 };
    struct stat about;
    rnct_mapped file;
    const char *path = s->data->path;
    if (stat(path, &about) == 0 && S_ISDIR(about.st_mode))
        return kind_of_folder(path);
    if (!rnct_map(&file, path, s->problems))
        return RNCT_AUTO;
    const size_t n = file.size;
    const char *dot = strrchr(path, '.');
    rnct_kind kind = RNCT_LIST;
    if (n >= 8 && memcmp(file.bytes, "\x89HDF\r\n\x1a\n", 8) == 0)
        kind = RNCT_H5;
    else if (n >= 4 && memcmp(file.bytes, "PK\3\4", 4) == 0)
        kind = RNCT_NPZ;
    else if (dot && strcmp(dot, ".bin") == 0)
        kind = n % CIFAR10_BYTES == 0 ? RNCT_CIFAR10 : n % CIFAR100_BYTES == 0 ? RNCT_CIFAR100 : 0;
    else if (n == 0 || memchr(file.bytes, '\0', n < 4096 ? n : 4096))
        kind = RNCT_AUTO;
    rnct_unmap(&file);
    if (kind == RNCT_AUTO)
        rnct_problem(s->problems, path,
                     "is no data that is read: folders by class, a list of pictures (path TAB "
                     "class), h5, npz, or CIFAR's binary files, which have 3073 or 3074 bytes a "
                     "picture");
    return kind;
}

static bool read_kind(Source *s)
{
    switch (s->kind) {
    case RNCT_FOLDERS:
        return read_folders(s);
    case RNCT_NAMES:
        return read_names(s);
    case RNCT_LIST:
        return read_list(s);
    case RNCT_H5:
        return read_h5(s);
    case RNCT_CIFAR10:
    case RNCT_CIFAR100:
        return read_cifar(s);
    case RNCT_NPZ:
        return read_npz(s);
    case RNCT_AUTO:
        break;
    }
    return rnct_problem(s->problems, s->data->path, "no kind of data has the number %d", s->kind);
}

bool source_open(Source *s, const rnct_data *data, rnct_problems *problems, rnct_problems *skipped)
{
    *s = (Source){.data = data, .problems = problems, .skipped = skipped};
    if ((data->h > 0) != (data->w > 0) || data->h < 0 || data->w < 0)
        return rnct_problem(problems, data->path, "the size %d x %d that is wanted is none",
                            data->h, data->w);
    s->kind = data->kind == RNCT_AUTO ? find_kind(s) : data->kind;
    if (!classes_take(s) || s->kind == RNCT_AUTO || !read_kind(s) || !classes_settle(s))
        return false;
    hash_source(s);
    return true;
}

void source_close(Source *s)
{
    for (size_t i = 0; s->samples && i < s->n; i++)
        free(s->samples[i].path);
    classes_forget(s);
    for (int i = 0; i < s->n_maps; i++)
        rnct_unmap(&s->maps[i]);
    free(s->samples);
    free((void *)(uintptr_t)s->pixels);
    free(s->labels);
    free(s->names);
    free(s->root);
    free(s->memory);
    *s = (Source){0};
}
