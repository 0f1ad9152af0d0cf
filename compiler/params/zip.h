/* zip.h: the members of a ZIP archive in memory (PKWARE's APPNOTE.TXT). */
#ifndef RNC_ZIP_H
#define RNC_ZIP_H

#include "base/arena.h"
#include "base/diag.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

typedef struct ZipMember {
    const char *name;
    const unsigned char *at; /* its bytes in the archive, packed */
    size_t packed, size;     /* sizes as stored, and unpacked */
    int method;              /* ZIP_STORED, ZIP_DEFLATED or what rnc does not unpack */
    bool encrypted;
    uint32_t crc;
    size_t offset; /* of its header */
} ZipMember;

enum { ZIP_STORED = 0, ZIP_DEFLATED = 8 };

typedef struct Zip {
    const char *path;        /* of the archive, for messages */
    ZipMember *members;      /* in the order of their data */
    const ZipMember **names; /* by name */
    int n;
} Zip;

bool zip_is(const unsigned char *bytes, size_t size);
/* Lists the members.  Checks that each is inside the archive, none is inside another, and none
 * claims to be larger than its bytes can unpack to.  Returns false after a message. */
bool zip_open(Zip *zip, const char *path, const unsigned char *bytes, size_t size, Arena *arena,
              Diag *diag);
const ZipMember *zip_find(const Zip *zip, const char *name);
/* Writes n of the member's bytes, from `skip` on, to `to`.  When they are the last
 * ones, its end and checksum are checked, too.  False after a message. */
bool zip_unpack(const Zip *zip, const ZipMember *member, size_t skip, unsigned char *to, size_t n,
                Diag *diag);
/* The checksum of a stored member.  False after a message. */
bool zip_check(const Zip *zip, const ZipMember *member, Diag *diag);

#endif
