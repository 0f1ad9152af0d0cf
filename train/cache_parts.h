/* cache_parts.h: a cache file as bytes; private to cache.c and cache_write.c. */
#ifndef RNCT_CACHE_PARTS_H
#define RNCT_CACHE_PARTS_H

#include <stddef.h>
#include <stdint.h>

#define CACHE_MAGIC "RNCD\r\n\x1a\n" /* 8 bytes; shows text-mode damage */
enum { CACHE_HEAD_BYTES = 4096, CACHE_BLOCK = 1 << 20 };

/* Offsets of the head's numbers, little-endian, in bytes.  What is between them is zero. */
enum {
    CACHE_AT_VERSION = 8,     /* u32; then 4 bytes of zeros */
    CACHE_AT_N = 16,          /* u64 */
    CACHE_AT_H = 24,          /* u32 */
    CACHE_AT_W = 28,          /* u32 */
    CACHE_AT_C = 32,          /* u32 */
    CACHE_AT_CLASSES = 36,    /* u32 */
    CACHE_AT_NAME_BYTES = 40, /* u32 */
    CACHE_AT_SOURCE = 48,     /* u64, hash of the list of sources */
    CACHE_AT_SKIPPED = 56,    /* u64, samples that were left out */
    CACHE_AT_SUM = 64,        /* u64, cache_sum of all after the head */
    CACHE_AT_HEAD_SUM = 4088  /* u64, rncw_hash of the bytes before it, seed 0 */
};

typedef struct CacheHead {
    uint64_t n, source, skipped, sum;
    uint32_t h, w, c, classes, name_bytes;
} CacheHead;

/* rncw_hash of one block of CACHE_BLOCK bytes after the other, each with the hash before it as its
 * seed; `sum` is the first one's seed.  All blocks but the last of a file are whole. */
uint64_t cache_sum(const unsigned char *bytes, size_t size, uint64_t sum);

/* Where labels and names begin; returns the size of the file. */
uint64_t cache_payload(const CacheHead *h, uint64_t *labels, uint64_t *names);

#endif
