/* filetest.h: weights files made of bytes, for tests of what reads them. */
#ifndef RNC_FILETEST_H
#define RNC_FILETEST_H

#include "params/tensorfile.h"

#include <stddef.h>
#include <stdint.h>

/* A file that is opened; it begins as {0}. */
typedef struct FileTest {
    jmp_buf oom;
    Arena *arena;
    SrcMap src;
    Diag diag;
    TensorFile file;
    bool opened;
} FileTest;

/* Opens a file of these bytes, which is gone when this returns. */
void filetest_open(FileTest *t, const void *bytes, size_t size);
/* The same of a file that is there. */
void filetest_open_path(FileTest *t, const char *path);
void filetest_close(FileTest *t);
/* A refusal with one error whose messages hold `says`; nothing stays open.  Closes. */
void filetest_refused(FileTest *t, const char *says);
/* The numbers of a tensor; fails the test when it has none. */
const float *filetest_floats(FileTest *t, const char *name);

/* A ZIP archive under construction. */
typedef struct ZipTest {
    FileTest *t; /* whose arena the bytes are in: zip_begin() makes it */
    Buf bytes, directory;
    int n;
} ZipTest;

typedef struct ZipTestMember {
    const char *name;
    const void *data; /* as it lies in the archive */
    size_t packed, size;
    int method, flags; /* flag 8: sizes stand behind the data only */
    uint32_t crc;
} ZipTestMember;

void zip_begin(ZipTest *z, FileTest *t);
void zip_add(ZipTest *z, ZipTestMember member);
/* A stored member, right in all. */
void zip_store(ZipTest *z, const char *name, const void *data, size_t size);
/* Writes the directory; bytes are complete. */
void zip_end(ZipTest *z);
/* zip_end(), and opens it. */
void zip_open_test(ZipTest *z);
uint32_t zip_crc(const void *data, size_t size);

#endif
