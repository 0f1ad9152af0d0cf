/* rncw.h: the weights file, as bytes (docs/weights-format.md).  Shared by the
 * compiler, which writes it, and the runtime, which checks it.  All numbers are
 * little-endian.
 *
 *   head (64 bytes) | table: n entries of 48 bytes | names | pad | tensors
 *
 * Tensors lie in the order the steps use them, each aligned to 64 bytes, the
 * first to 4096, with no gap but alignment.
 */
#ifndef RNC_RNCW_H
#define RNC_RNCW_H

#include "rncrt.h"

#include <stddef.h>
#include <stdint.h>

#define RNCW_MAGIC "RNCW\r\n\x1a\n" /* 8 bytes: text-mode damage shows */
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
    RNCW_AT_COUNT = 32,      /* u32, tensors */
    RNCW_AT_NAME_BYTES = 36, /* u32, all names, each with its NUL */
    RNCW_AT_DATA = 40,       /* u64, where the first tensor begins */
    RNCW_AT_TABLE_SUM = 48,  /* u64, rncw_hash of table and names, seed 0 */
    RNCW_AT_HEAD_SUM = 56    /* u64, rncw_hash of bytes 0..55, seed 0 */
};

/* Offsets in a table entry. */
enum {
    RNCW_ENTRY_NAME = 0,    /* u32, from the first name */
    RNCW_ENTRY_ELEM = 4,    /* u32, of the weights: 0 f32, 1 bfloat16, 2 binary16 */
    RNCW_ENTRY_OFFSET = 8,  /* u64, from the file's first byte */
    RNCW_ENTRY_BYTES_ = 16, /* u64 */
    RNCW_ENTRY_SUM = 24,    /* u64, rncw_hash of the bytes, seed 0 */
    RNCW_ENTRY_PACKING = 32 /* u32, index of the packing; 12 bytes of zeros follow */
};

/* XXH64 (Yann Collet's specification, version 0.1.1). */
RNCRT_API uint64_t rncw_hash(const void *data, size_t size, uint64_t seed);

/* What the runtime's parts say in a `why` of RNC_WHY_BYTES (why.c): a text or a
 * number is added behind what it holds, and cut where it does not fit. */
enum { RNC_WHY_BYTES = 192 };
RNCRT_API void rnc_why(char *why, const char *text);
RNCRT_API void rnc_why_number(char *why, uint64_t number, unsigned base);

#endif
