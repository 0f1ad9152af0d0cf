/* filetest.c: weights files made of bytes. */
#include "filetest.h"

#include <CUnit/CUnit.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static void begin(FileTest *t)
{
    if (t->arena)
        return;
    t->arena = arena_new(&t->oom);
    t->src = (SrcMap){.arena = t->arena};
    t->diag = diag_new(&t->src, t->arena);
}

void filetest_open_path(FileTest *t, const char *path)
{
    begin(t);
    t->opened = tensorfile_open(&t->file, path, t->arena, &t->diag);
}

void filetest_open(FileTest *t, const void *bytes, size_t size)
{
    char path[] = "/tmp/rnc-test-XXXXXX";
    const int fd = mkstemp(path);
    CU_ASSERT_FATAL(fd >= 0 && write(fd, bytes, size) == (ssize_t)size);
    close(fd);
    filetest_open_path(t, path);
    unlink(path);
}

void filetest_close(FileTest *t)
{
    tensorfile_close(&t->file);
    arena_free(t->arena);
    t->arena = NULL;
}

void filetest_refused(FileTest *t, const char *says)
{
    CU_ASSERT_FALSE(t->opened);
    CU_ASSERT_EQUAL(t->diag.errors, 1);
    CU_ASSERT(t->file.map == NULL && t->file.n == 0);
    if (!strstr(buf_text(&t->diag.out), says)) {
        printf("expected: %s\nfound: %s", says, buf_text(&t->diag.out));
        CU_FAIL("another message");
    }
    filetest_close(t);
}

const float *filetest_floats(FileTest *t, const char *name)
{
    const StoredTensor *tensor = tensorfile_find(&t->file, name);
    if (!t->opened || !tensor)
        printf("no tensor '%s': %s\n", name, buf_text(&t->diag.out));
    CU_ASSERT_FATAL(t->opened && tensor != NULL);
    const float *x = tensor_floats(&t->file, tensor, t->arena, &t->diag);
    CU_ASSERT_PTR_NOT_NULL_FATAL(x);
    return x;
}

/* ---- ZIP archives ---- */

static void put(Buf *to, uint64_t x, int bytes)
{
    for (int i = 0; i < bytes; i++)
        buf_putc(to, (char)(unsigned char)(i < 8 ? x >> 8 * i : 0));
}

uint32_t zip_crc(const void *data, size_t size)
{
    const unsigned char *p = data;
    uint32_t crc = UINT32_MAX;
    while (size-- > 0) {
        crc ^= *p++;
        for (int bit = 0; bit < 8; bit++)
            crc = crc & 1 ? crc >> 1 ^ 0xedb88320 : crc >> 1;
    }
    return ~crc;
}

void zip_begin(ZipTest *z, FileTest *t)
{
    *t = (FileTest){0};
    begin(t);
    *z = (ZipTest){.t = t, .bytes = buf_new(t->arena), .directory = buf_new(t->arena)};
}

/* What header and directory have in common: from the flags to the length of extras. */
static void put_facts(Buf *to, const ZipTestMember *m, bool sizes)
{
    put(to, (uint64_t)m->flags, 2);
    put(to, (uint64_t)m->method, 2);
    put(to, 0, 4); /* when */
    put(to, sizes ? m->crc : 0, 4);
    put(to, sizes ? m->packed : 0, 4);
    put(to, sizes ? m->size : 0, 4);
    put(to, strlen(m->name), 2);
    put(to, 0, 2);
}

void zip_add(ZipTest *z, ZipTestMember m)
{
    const size_t at = z->bytes.n;
    const bool behind = m.flags & 8;
    buf_add(&z->bytes, "PK\3\4\x14\0", 6);
    put_facts(&z->bytes, &m, !behind);
    buf_puts(&z->bytes, m.name);
    buf_add(&z->bytes, m.data, m.packed);
    if (behind) {
        buf_add(&z->bytes, "PK\7\10", 4);
        put(&z->bytes, m.crc, 4);
        put(&z->bytes, m.packed, 4);
        put(&z->bytes, m.size, 4);
    }
    buf_add(&z->directory, "PK\1\2\x14\0\x14\0", 8);
    put_facts(&z->directory, &m, true);
    put(&z->directory, 0, 10);
    put(&z->directory, at, 4);
    buf_puts(&z->directory, m.name);
    z->n++;
}

void zip_store(ZipTest *z, const char *name, const void *data, size_t size)
{
    zip_add(z, (ZipTestMember){name, data, size, size, 0, 0, zip_crc(data, size)});
}

void zip_end(ZipTest *z)
{
    const size_t at = z->bytes.n;
    buf_add(&z->bytes, buf_text(&z->directory), z->directory.n);
    buf_add(&z->bytes, "PK\5\6\0\0\0\0", 8);
    put(&z->bytes, (uint64_t)z->n, 2);
    put(&z->bytes, (uint64_t)z->n, 2);
    put(&z->bytes, z->directory.n, 4);
    put(&z->bytes, at, 4);
    put(&z->bytes, 0, 2);
}

void zip_open_test(ZipTest *z)
{
    zip_end(z);
    filetest_open(z->t, z->bytes.text, z->bytes.n);
}
