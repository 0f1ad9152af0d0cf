/* rncw.h: the weights file, as bytes (docs/weights-format.md).  The compiler, which writes the
 * file, and the runtime, which checks it, share this header.  All numbers are little-endian.
 *   head (64 bytes) | table: n entries of 48 bytes | names | pad | tensors
 * Tensors are stored in the order in which the steps use them.  Each is aligned to 64 bytes and the
 * first to 4096, with no gaps except for alignment. */
#ifndef RNC_RNCW_H
#define RNC_RNCW_H

#include "rncrt.h"

#include <stddef.h>
#include <stdint.h>

#define RNCW_MAGIC "RNCW\r\n\x1a\n" /* 8 bytes; shows text-mode damage */
enum {
    RNCW_VERSION = 1,
    RNCW_ORDER = 0x01020304,
    RNCW_HEAD_BYTES = 64,
    RNCW_ENTRY_BYTES = 48,
    RNCW_ALIGN = 64,
    RNCW_DATA_ALIGN = 4096
};

/* Offsets of the head's numbers, in bytes. */
enum {
    RNCW_AT_MAGIC = 0,       /* 8 bytes */
    RNCW_AT_VERSION = 8,     /* u32 */
    RNCW_AT_ORDER = 12,      /* u32, RNCW_ORDER */
    RNCW_AT_PLAN = 16,       /* u64, hash of the plan */
    RNCW_AT_FILE_BYTES = 24, /* u64 */
    RNCW_AT_COUNT = 32,      /* u32, number of tensors */
    RNCW_AT_NAME_BYTES = 36, /* u32, size of all names, each with its NUL */
    RNCW_AT_DATA = 40,       /* u64, where the first tensor begins */
    RNCW_AT_TABLE_SUM = 48,  /* u64, rncw_hash of table and names, seed 0 */
    RNCW_AT_HEAD_SUM = 56    /* u64, rncw_hash of bytes 0..55, seed 0 */
};

/* Offsets in a table entry. */
enum {
    RNCW_ENTRY_NAME = 0,    /* u32, counted from the first name */
    RNCW_ENTRY_ELEM = 4,    /* u32, type of the weights: 0 f32, 1 bfloat16, 2 binary16 */
    RNCW_ENTRY_OFFSET = 8,  /* u64, counted from the file's first byte */
    RNCW_ENTRY_BYTES_ = 16, /* u64 */
    RNCW_ENTRY_SUM = 24,    /* u64, rncw_hash of the bytes, seed 0 */
    RNCW_ENTRY_PACKING = 32 /* u32, index of the packing; 12 bytes of zeros follow */
};

/* XXH64 (Yann Collet's specification, version 0.1.1). */
RNCRT_API uint64_t rncw_hash(const void *data, size_t size, uint64_t seed);

/* For the parts of the runtime that report errors: they add a text or a number to the end of a
 * `why` of RNC_WHY_BYTES bytes, cut where it does not fit (why.c). */
enum { RNC_WHY_BYTES = 192 };
RNCRT_API void rnc_why(char *why, const char *text);
RNCRT_API void rnc_why_number(char *why, uint64_t number, unsigned base);

/* Checks memory of the caller's, called `what`: not NULL, aligned to 64 bytes, large enough.  Else
 * returns `error` and adds to `why` what is wrong. */
RNCRT_API rnc_status rnc_check_memory(const char *what, const void *memory, size_t bytes,
                                      size_t needed, rnc_status error, char *why);

#endif
