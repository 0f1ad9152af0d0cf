/* read_npz.c: pictures and labels in NumPy's archives.
 *
 * An archive is a ZIP file (PKWARE's APPNOTE.TXT) of arrays in NumPy's format (NEP 1), which
 * numpy.savez stores and numpy.savez_compressed deflates; zlib inflates and has the checksum.
 * compiler/params/zip.c and npy.c read the same for weights, into an arena and with a Diag; this
 * library includes nothing of the compiler, and needs of both formats only what is here.  Every
 * extent is checked before it is used. */
#include "train/source.h"

#ifdef RNC_HAVE_ZLIB
#include "train/bytes.h"

#include <inttypes.h>
#include <stdlib.h>
#include <zlib.h>

typedef struct Member {
    const unsigned char *at; /* in the archive */
    size_t packed, size;
    uint32_t crc;
    bool deflated;
} Member;

typedef struct Npy {
    char descr[8]; /* "|u1" */
    int64_t dims[4];
    int rank;
    const unsigned char *data;
    size_t size;
} Npy;

enum { DIRECTORY_BYTES = 22, ENTRY_BYTES = 46, LOCAL_BYTES = 30, UNPACKS_MOST = 1032 };

static bool damaged(const Source *s, const char *what)
{
    return rnct_problem(s->problems, s->data->path, "the archive is damaged or cut off: %s", what);
}

/* A size of 64 bits, as an extra field of a directory entry has it: the `which`th of those that
 * are there. */
static uint64_t long_size(const unsigned char *extra, size_t n, int which)
{
    while (n >= 4) {
        const size_t size = (size_t)get_number(extra + 2, 2);
        if (size > n - 4)
            return UINT64_MAX;
        if (get_number(extra, 2) == 1 && size >= 8 * ((size_t)which + 1))
            return get_u64(extra + 4 + 8 * which);
        extra += 4 + size;
        n -= 4 + size;
    }
    return UINT64_MAX;
}

/* Where the directory is, and its entries: from the record at the archive's end. */
static bool find_directory(const rnct_mapped *file, uint64_t *at, uint64_t *n)
{
    if (file->size < DIRECTORY_BYTES)
        return false;
    const unsigned char *end = file->bytes + file->size;
    const size_t most = file->size < 65535 + DIRECTORY_BYTES ? file->size : 65535 + DIRECTORY_BYTES;
    for (size_t back = DIRECTORY_BYTES; back <= most; back++) {
        if (memcmp(end - back, "PK\5\6", 4) != 0)
            continue;
        *n = get_number(end - back + 10, 2);
        *at = get_u32(end - back + 16);
        if (back + 20 <= file->size && memcmp(end - back - 20, "PK\6\7", 4) == 0) {
            const uint64_t record = get_u64(end - back - 12); /* of ZIP64 */
            if (record > file->size || file->size - record < 56)
                return false;
            *n = get_u64(file->bytes + record + 32);
            *at = get_u64(file->bytes + record + 48);
        }
        return true;
    }
    return false;
}

/* The bytes of a directory entry's member. */
static bool read_entry(const rnct_mapped *file, const unsigned char *entry, size_t name,
                       size_t extra, Member *m)
{
    const unsigned char *more = entry + ENTRY_BYTES + name;
    uint64_t packed = get_u32(entry + 20), size = get_u32(entry + 24), at = get_u32(entry + 42);
    int which = 0;
    if (size == UINT32_MAX)
        size = long_size(more, extra, which++);
    if (packed == UINT32_MAX)
        packed = long_size(more, extra, which++);
    if (at == UINT32_MAX)
        at = long_size(more, extra, which);
    const uint64_t method = get_number(entry + 10, 2);
    if (at > file->size || file->size - at < LOCAL_BYTES || (method != 0 && method != 8))
        return false;
    const unsigned char *local = file->bytes + at;
    const uint64_t skip = LOCAL_BYTES + get_number(local + 26, 2) + get_number(local + 28, 2);
    if (memcmp(local, "PK\3\4", 4) != 0 || file->size - at < skip ||
        packed > file->size - at - skip)
        return false;
    if (method == 0 ? size != packed : size / UNPACKS_MOST > packed)
        return false;
    *m = (Member){local + skip, (size_t)packed, (size_t)size, get_u32(entry + 16), method == 8};
    return true;
}

/* Finds NAME.npy.  False where it is not there, after a problem if the archive is damaged. */
static bool find_member(const Source *s, const rnct_mapped *file, const char *wanted, Member *m)
{
    uint64_t at, n;
    char name[32];
    const size_t length = (size_t)snprintf(name, sizeof name, "%s.npy", wanted);
    if (!find_directory(file, &at, &n))
        return damaged(s, "it has no directory");
    for (uint64_t i = 0; i < n; i++) {
        if (at > file->size || file->size - at < ENTRY_BYTES)
            return damaged(s, "its directory is cut off");
        const unsigned char *entry = file->bytes + at;
        const size_t sizes[3] = {(size_t)get_number(entry + 28, 2),
                                 (size_t)get_number(entry + 30, 2),
                                 (size_t)get_number(entry + 32, 2)};
        const uint64_t all = ENTRY_BYTES + sizes[0] + sizes[1] + sizes[2];
        if (memcmp(entry, "PK\1\2", 4) != 0 || all > file->size - at)
            return damaged(s, "its directory is cut off");
        if (sizes[0] == length && memcmp(entry + ENTRY_BYTES, name, length) == 0)
            return read_entry(file, entry, sizes[0], sizes[1], m) || damaged(s, name);
        at += all;
    }
    return false;
}

/* The member's bytes, unpacked, in memory that is kept in *kept where it is the caller's. */
static const unsigned char *unpack(const Source *s, const Member *m, void **kept)
{
    const unsigned char *bytes = m->at;
    if (m->deflated) {
        z_stream z = {.next_in = (unsigned char *)(uintptr_t)m->at};
        unsigned char *to = *kept = malloc(m->size ? m->size : 1);
        size_t in = m->packed, out = m->size;
        int status = Z_OK;
        if (!to || inflateInit2(&z, -MAX_WBITS) != Z_OK) {
            rnct_problem(s->problems, s->data->path, "no memory for %zu bytes", m->size);
            return NULL;
        }
        z.next_out = to;
        while (status == Z_OK) {
            const uInt step_in = in < 1u << 30 ? (uInt)in : 1u << 30;
            const uInt step_out = out < 1u << 30 ? (uInt)out : 1u << 30;
            z.avail_in = step_in;
            z.avail_out = step_out;
            status = inflate(&z, Z_NO_FLUSH);
            in -= step_in - z.avail_in;
            out -= step_out - z.avail_out;
        }
        inflateEnd(&z);
        if (status != Z_STREAM_END || in != 0 || out != 0) {
            damaged(s, "its compressed data");
            return NULL;
        }
        bytes = to;
    }
    if (crc32_z(0, bytes, m->size) != m->crc) {
        damaged(s, "a checksum is wrong");
        return NULL;
    }
    return bytes;
}

/* ---- arrays ---- */

static const char *after(const char *head, const char *key)
{
    const char *at = strstr(head, key);
    return at ? at + strlen(key) + strspn(at + strlen(key), " :") : "";
}

/* The head of an array: {'descr': '|u1', 'fortran_order': False, 'shape': (10, 32, 32, 3), }. */
static bool parse_head(Npy *a, const char *head)
{
    const char *descr = after(head, "'descr'"), *shape = after(head, "'shape'");
    const size_t n = *descr == '\'' ? strcspn(descr + 1, "'") : 0;
    if (n == 0 || n >= sizeof a->descr || *shape != '(' ||
        strncmp(after(head, "'fortran_order'"), "False", 5) != 0)
        return false;
    memcpy(a->descr, descr + 1, n);
    a->descr[n] = '\0';
    uint64_t all = 1;
    for (shape++; *shape >= '0' && *shape <= '9'; shape += strspn(shape, ", ")) {
        char *end;
        const unsigned long long extent = strtoull(shape, &end, 10);
        if (a->rank == 4 || extent > INT64_MAX || (extent && all > (uint64_t)INT64_MAX / extent))
            return false;
        all *= extent;
        a->dims[a->rank++] = (int64_t)extent;
        shape = end;
    }
    const int bytes = a->descr[2] - '0';
    return *shape == ')' && bytes >= 1 && bytes <= 8 && all <= a->size / (unsigned)bytes &&
           a->size == all * (unsigned)bytes;
}

static bool read_array(const Source *s, const rnct_mapped *file, const char *name, Npy *a,
                       void **kept)
{
    Member m = {0};
    char head[1024];
    *a = (Npy){0};
    if (!find_member(s, file, name, &m))
        return false;
    const unsigned char *bytes = unpack(s, &m, kept);
    if (!bytes)
        return false;
    if (m.size < 12 || memcmp(bytes, "\x93NUMPY", 6) != 0)
        return damaged(s, "a member is no array of NumPy's");
    const size_t begin = bytes[6] == 1 ? 10 : 12;
    const size_t length = (size_t)get_number(bytes + 8, (int)begin - 8);
    if (length >= sizeof head || length > m.size - begin)
        return damaged(s, "the head of an array");
    memcpy(head, bytes + begin, length);
    head[length] = '\0';
    a->data = bytes + begin + length;
    a->size = m.size - begin - length;
    if (parse_head(a, head))
        return true;
    return rnct_problem(s->problems, s->data->path,
                        "the array '%s' cannot be read, whose head is %.100s: "
                        "numbers without names, of at most four axes, in C's order can, as "
                        "numpy.ascontiguousarray makes them",
                        name, head);
}

static bool check_types(const Source *s, const Npy *x, const Npy *y)
{
    const char *t = x->descr, *l = y->descr;
    bool good = true;
    if (strcmp(t, "|u1") != 0 && strcmp(t, "<u1") != 0)
        good = rnct_problem(
            s->problems, s->data->path,
            "the pictures have the type '%s': pixels of type uint8 from 0 to 255 are "
            "read, x.astype('uint8') of such numbers, numpy.uint8(numpy.round(x * 255)) of "
            "numbers up to 1",
            t);
    if ((l[1] != 'u' && l[1] != 'i') || (l[0] != '<' && l[0] != '|'))
        good = rnct_problem(s->problems, s->data->path,
                            "the labels have the type '%s': whole numbers are read, one for each "
                            "picture, y.astype('int64'), or y.argmax(1) of a row for each class",
                            l);
    return good;
}

bool read_npz(Source *s)
{
    static const char *const names[3][2] = {
        {"x_train", "y_train"}, {"x", "y"}, {"x_test", "y_test"}};
    const bool test = s->data->part != RNCT_TRAIN;
    const int least = s->data->part == RNCT_TEST ? 1 : 0;
    const rnct_mapped *file = source_map(s, s->data->path);
    const size_t before = s->problems->n;
    Npy x, y;
    void *kept = NULL;
    if (!file)
        return false;
    for (int i = test ? 2 : 0; i >= least && i < 3; i += test ? -1 : 1) {
        if (!read_array(s, file, names[i][0], &x, &s->memory)) {
            if (s->problems->n > before)
                return false;
            continue;
        }
        bool good = read_array(s, file, names[i][1], &y, &kept);
        if (!good && s->problems->n == before)
            rnct_problem(s->problems, s->data->path, "has the pictures '%s' and no labels '%s'",
                         names[i][0], names[i][1]);
        if (good && check_types(s, &x, &y)) {
            Arrays a = {.x = x.data, .rank = x.rank, .y = y.data, .label_bytes = y.descr[2] - '0'};
            a.label_signed = y.descr[1] == 'i';
            a.n_labels = (int64_t)(y.size / (unsigned)a.label_bytes);
            memcpy(a.dims, x.dims, sizeof a.dims);
            good = source_add_arrays(s, &a);
        }
        free(kept);
        return good && s->problems->n == before;
    }
    return rnct_problem(s->problems, s->data->path,
                        "has no arrays x and y, nor %sx_test and y_test",
                        least > 0 ? "" : "x_train and y_train, nor ");
}

#else

bool read_npz(Source *s)
{
    return rnct_problem(s->problems, s->data->path,
                        "cannot be read: this rnc was built without zlib (zlib1g-dev)");
}

#endif
