/* zip.c: ZIP archives, strictly.
 *
 *   (header | name | extra | data | descriptor)...   one for each member
 *   (entry | name | extra | comment)...              the directory
 *   [64-bit end | its locator] | end | comment
 *
 * The directory at the end says what there is; a member's header must agree with it.  Archives
 * that begin with something else, that span several disks, or that have members inside of members
 * are refused.  Data that is compressed is inflated by zlib.
 */
#include "params/zip.h"

#include <stdlib.h>
#include <string.h>

#ifdef RNC_HAVE_ZLIB
#include <zlib.h>
#endif

enum {
    HEADER_BYTES = 30,
    ENTRY_BYTES = 46,
    END_BYTES = 22,
    END64_BYTES = 56,
    LOCATOR_BYTES = 20,
    COMMENT_MOST = 65535,
    DEFLATE_MOST = 1032, /* bytes that one byte of deflate can become (RFC 1951) */
};

typedef struct Reader {
    Zip *zip;
    const unsigned char *bytes;
    size_t size;
    uint64_t count;          /* entries of the directory */
    size_t begin, end;       /* the directory */
    const unsigned char *at; /* the entry in turn */
    Diag *diag;
} Reader;

static uint64_t little(const unsigned char *p, int bytes)
{
    uint64_t x = 0;
    while (bytes-- > 0)
        x = x << 8 | p[bytes];
    return x;
}

static bool fail(const Reader *r, const char *why)
{
    diag_file_error(r->diag, r->zip->path, "the ZIP archive is damaged: %s", why);
    return false;
}

static bool fail_member(const Zip *zip, const ZipMember *m, Diag *diag, const char *why)
{
    diag_file_error(diag, zip->path, "'%s' in the archive %s", m->name, why);
    return false;
}

bool zip_is(const unsigned char *bytes, size_t size)
{
    return size >= 4 && (memcmp(bytes, "PK\3\4", 4) == 0 || memcmp(bytes, "PK\5\6", 4) == 0);
}

/* ---- the directory ---- */

/* The end, which a comment may follow, or NULL. */
static const unsigned char *find_end(const Reader *r)
{
    for (size_t comment = 0; comment <= COMMENT_MOST && comment + END_BYTES <= r->size; comment++) {
        const unsigned char *p = r->bytes + r->size - END_BYTES - comment;
        if (memcmp(p, "PK\5\6", 4) == 0 && little(p + 20, 2) == comment)
            return p;
    }
    return NULL;
}

/* Finds the directory and stores its place in r. */
static bool find_directory(Reader *r)
{
    const unsigned char *end = find_end(r);
    if (!end)
        return fail(r, "it has no directory at its end, so it may be cut off");
    size_t limit = (size_t)(end - r->bytes);
    uint64_t size = little(end + 12, 4), begin = little(end + 16, 4);
    uint64_t disks = little(end + 4, 2) | little(end + 6, 2);
    r->count = little(end + 10, 2);
    if (limit >= LOCATOR_BYTES && memcmp(end - LOCATOR_BYTES, "PK\6\7", 4) == 0) {
        const uint64_t at = little(end - LOCATOR_BYTES + 8, 8);
        limit -= LOCATOR_BYTES;
        if (limit < END64_BYTES || at > limit - END64_BYTES ||
            memcmp(r->bytes + at, "PK\6\6", 4) != 0)
            return fail(r, "its 64-bit directory is not where it should be");
        const unsigned char *p = r->bytes + at;
        disks = little(p + 16, 4) | little(p + 20, 4);
        r->count = little(p + 32, 8);
        size = little(p + 40, 8);
        begin = little(p + 48, 8);
        limit = (size_t)at;
    }
    if (disks != 0)
        return fail(r, "it is a part of several");
    if (begin > limit || size > limit - begin)
        return fail(r, "its directory is outside of it");
    if (r->count > size / ENTRY_BYTES)
        return fail(r, "its directory is too short for its members");
    r->begin = (size_t)begin;
    r->end = (size_t)(begin + size);
    return true;
}

/* 64-bit values that the entry's own fields are too small for. */
static bool read_extra(const unsigned char *extra, size_t n, uint64_t *values[3])
{
    bool needed = false;
    for (int i = 0; i < 3; i++)
        needed = needed || *values[i] == UINT32_MAX;
    if (!needed)
        return true;
    while (n >= 4) {
        const size_t length = (size_t)little(extra + 2, 2);
        if (length > n - 4)
            return false;
        if (little(extra, 2) == 1) {
            const unsigned char *p = extra + 4, *end = p + length;
            for (int i = 0; i < 3; i++) {
                if (*values[i] != UINT32_MAX)
                    continue;
                if (end - p < 8)
                    return false;
                *values[i] = little(p, 8);
                p += 8;
            }
            return true;
        }
        extra += 4 + length;
        n -= 4 + length;
    }
    return false;
}

/* Checks that the header before the data agrees with the entry, and that the data is before the
 * directory. */
static bool place_data(const Reader *r, ZipMember *m, uint64_t offset, const unsigned char *entry)
{
    const size_t name = strlen(m->name);
    if (offset > r->begin || r->begin - offset < HEADER_BYTES)
        return fail_member(r->zip, m, r->diag, "begins outside of it");
    const unsigned char *p = r->bytes + offset;
    const size_t room = r->begin - (size_t)offset - HEADER_BYTES;
    const size_t before = (size_t)little(p + 26, 2) + (size_t)little(p + 28, 2);
    if (memcmp(p, "PK\3\4", 4) != 0 || little(p + 26, 2) != name || name > room ||
        memcmp(p + HEADER_BYTES, m->name, name) != 0 || memcmp(p + 8, entry + 10, 2) != 0)
        return fail_member(r->zip, m, r->diag, "has another header than the directory says");
    if (before > room || m->packed > room - before)
        return fail_member(r->zip, m, r->diag, "is cut off");
    m->offset = (size_t)offset;
    m->at = p + HEADER_BYTES + before;
    return true;
}

static bool read_entry(Reader *r, ZipMember *m, Arena *arena)
{
    const unsigned char *p = r->at;
    const size_t left = (size_t)(r->bytes + r->end - p);
    if (left < ENTRY_BYTES || memcmp(p, "PK\1\2", 4) != 0)
        return fail(r, "its directory cannot be read");
    const size_t name = (size_t)little(p + 28, 2), extra = (size_t)little(p + 30, 2);
    const size_t all = ENTRY_BYTES + name + extra + (size_t)little(p + 32, 2);
    if (all > left || memchr(p + ENTRY_BYTES, 0, name))
        return fail(r, "its directory cannot be read");
    uint64_t packed = little(p + 20, 4), size = little(p + 24, 4), offset = little(p + 42, 4);
    m->name = arena_strndup(arena, (const char *)p + ENTRY_BYTES, name);
    m->encrypted = p[8] & 1;
    m->method = (int)little(p + 10, 2);
    m->crc = (uint32_t)little(p + 16, 4);
    if (!read_extra(p + ENTRY_BYTES + name, extra, (uint64_t *[]){&size, &packed, &offset}))
        return fail_member(r->zip, m, r->diag, "has no 64-bit size");
    if (packed > r->size || size > SIZE_MAX)
        return fail_member(r->zip, m, r->diag, "is cut off");
    m->packed = (size_t)packed;
    m->size = (size_t)size;
    if (m->method == ZIP_STORED ? size != packed : size / DEFLATE_MOST > packed)
        return fail_member(r->zip, m, r->diag, "claims to be larger than its bytes can unpack to");
    r->at += all;
    return place_data(r, m, offset, p);
}

static int by_offset(const void *a, const void *b)
{
    const ZipMember *x = a, *y = b;
    return (x->offset > y->offset) - (x->offset < y->offset);
}

static int by_name(const void *a, const void *b)
{
    const ZipMember *x = *(const ZipMember *const *)a, *y = *(const ZipMember *const *)b;
    return strcmp(x->name, y->name);
}

/* Checks that no two members have the same name, and that no byte belongs to two. */
static bool check_members(const Reader *r, Arena *arena)
{
    Zip *zip = r->zip;
    qsort(zip->members, (size_t)zip->n, sizeof *zip->members, by_offset);
    zip->names = NEW_ARRAY(arena, const ZipMember *, zip->n + 1);
    for (int i = 0; i < zip->n; i++)
        zip->names[i] = &zip->members[i];
    qsort(zip->names, (size_t)zip->n, sizeof *zip->names, by_name);
    for (int i = 1; i < zip->n; i++) {
        if (str_eq(zip->names[i - 1]->name, zip->names[i]->name))
            return fail_member(zip, zip->names[i], r->diag, "is there twice");
    }
    for (int i = 1; i < zip->n; i++) {
        const ZipMember *m = &zip->members[i - 1];
        if (m->at + m->packed > r->bytes + zip->members[i].offset)
            return fail_member(zip, m, r->diag, "overlaps another member");
    }
    return true;
}

bool zip_open(Zip *zip, const char *path, const unsigned char *bytes, size_t size, Arena *arena,
              Diag *diag)
{
    *zip = (Zip){.path = path};
    Reader r = {.zip = zip, .bytes = bytes, .size = size, .diag = diag};
    if (!find_directory(&r))
        return false;
    zip->members = NEW_ARRAY(arena, ZipMember, r.count + 1);
    r.at = bytes + r.begin;
    for (; (uint64_t)zip->n < r.count; zip->n++) {
        if (!read_entry(&r, &zip->members[zip->n], arena))
            return false;
    }
    if (r.at != bytes + r.end)
        return fail(&r, "its directory holds more than its members");
    return check_members(&r, arena);
}

const ZipMember *zip_find(const Zip *zip, const char *name)
{
    const ZipMember key = {.name = name}, *wanted = &key;
    const ZipMember **found =
        zip->n ? bsearch(&wanted, zip->names, (size_t)zip->n, sizeof *zip->names, by_name) : NULL;
    return found ? *found : NULL;
}

/* ---- data ---- */

/* CRC-32 of ISO 3309, as ZIP has it; begin with 0. */
static uint32_t checksum(uint32_t crc, const unsigned char *p, size_t n)
{
    uint32_t table[256];
    for (uint32_t i = 0; i < 256; i++) {
        uint32_t x = i;
        for (int bit = 0; bit < 8; bit++)
            x = x & 1 ? x >> 1 ^ 0xedb88320 : x >> 1;
        table[i] = x;
    }
    crc = ~crc;
    while (n-- > 0)
        crc = crc >> 8 ^ table[(crc ^ *p++) & 255];
    return ~crc;
}

bool zip_check(const Zip *zip, const ZipMember *member, Diag *diag)
{
    return checksum(0, member->at, member->packed) == member->crc ||
           fail_member(zip, member, diag, "is damaged: its checksum differs");
}

static bool refuse_method(const Zip *zip, const ZipMember *m, Diag *diag)
{
    static const struct {
        int method;
        const char *name;
    } known[] = {{9, "Deflate64"}, {12, "bzip2"}, {14, "LZMA"}, {93, "Zstandard"}, {95, "xz"}};
    const char *name = NULL;
    for (size_t i = 0; i < sizeof known / sizeof *known; i++) {
        if (known[i].method == m->method)
            name = known[i].name;
    }
    if (name)
        diag_file_error(diag, zip->path, "'%s' in the archive is compressed by %s", m->name, name);
    else
        diag_file_error(diag, zip->path, "'%s' in the archive is compressed by method %d", m->name,
                        m->method);
    diag_file_note(
        diag, zip->path,
        "rnc reads members that are stored or deflated, as NumPy and PyTorch write them");
    return false;
}

#ifdef RNC_HAVE_ZLIB
/* From z into `to`, or nowhere if that is NULL: n bytes; the checksum goes on.  Z_OK, or
 * zlib's error. */
static int inflate_bytes(z_stream *z, unsigned char *to, size_t n, uint32_t *crc)
{
    enum { BLOCK = 1 << 16 };
    unsigned char scratch[1 << 12];
    while (n > 0) {
        const size_t most = to ? BLOCK : sizeof scratch, want = n < most ? n : most;
        unsigned char *out = to ? to : scratch;
        z->next_out = out;
        z->avail_out = (uInt)want;
        const int status = inflate(z, Z_SYNC_FLUSH);
        const size_t got = want - z->avail_out;
        *crc = checksum(*crc, out, got);
        n -= got;
        if (to)
            to += got;
        if ((status != Z_OK && status != Z_STREAM_END) || (got == 0 && n > 0))
            return status == Z_OK || status == Z_STREAM_END ? Z_DATA_ERROR : status;
    }
    return Z_OK;
}

/* Nothing follows what was inflated. */
static bool inflate_end(z_stream *z)
{
    unsigned char more;
    z->next_out = &more;
    z->avail_out = 1;
    const int status = inflate(z, Z_FINISH);
    return status == Z_STREAM_END && z->avail_out == 1 && z->avail_in == 0;
}

static bool inflate_member(const Zip *zip, const ZipMember *m, size_t skip, unsigned char *to,
                           size_t n, Diag *diag)
{
    z_stream z = {0};
    uint32_t crc = 0;
    if (m->packed > UINT32_MAX)
        return fail_member(zip, m, diag, "cannot be inflated: it is too large");
    if (inflateInit2(&z, -MAX_WBITS) != Z_OK)
        return fail_member(zip, m, diag, "cannot be inflated: out of memory");
    z.next_in = (unsigned char *)m->at; /* zlib does not write to it */
    z.avail_in = (uInt)m->packed;
    int status = inflate_bytes(&z, NULL, skip, &crc);
    if (status == Z_OK)
        status = inflate_bytes(&z, to, n, &crc);
    bool good = status == Z_OK;
    if (good && skip + n == m->size)
        good = inflate_end(&z) && crc == m->crc;
    inflateEnd(&z);
    return good || fail_member(zip, m, diag,
                               status == Z_MEM_ERROR ? "cannot be inflated: out of memory"
                                                     : "is damaged: it cannot be inflated");
}
#else
static bool inflate_member(const Zip *zip, const ZipMember *m, size_t skip, unsigned char *to,
                           size_t n, Diag *diag)
{
    (void)skip, (void)to, (void)n;
    fail_member(zip, m, diag, "is compressed, and rnc was built without zlib");
    diag_file_note(
        diag, zip->path,
        "install zlib (Debian: apt-get install zlib1g-dev), then configure and build rnc "
        "again; or let numpy.savez write it, not numpy.savez_compressed");
    return false;
}
#endif

bool zip_unpack(const Zip *zip, const ZipMember *member, size_t skip, unsigned char *to, size_t n,
                Diag *diag)
{
    if (skip > member->size || n > member->size - skip)
        return fail_member(zip, member, diag, "is cut off");
    if (member->encrypted)
        return fail_member(zip, member, diag, "is encrypted");
    if (member->method == ZIP_DEFLATED)
        return inflate_member(zip, member, skip, to, n, diag);
    if (member->method != ZIP_STORED)
        return refuse_method(zip, member, diag);
    memcpy(to, member->at + skip, n);
    return true;
}
