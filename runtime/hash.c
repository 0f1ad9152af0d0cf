/* hash.c: XXH64, the checksum of weights files.
 * Written from the specification "xxHash fast digest algorithm", version 0.1.1 (Yann Collet).  Four
 * lanes of 64 bits take in stripes of 32 bytes.  Then the lanes are merged, the remaining bytes are
 * mixed in by 8, 4 and 1, and the bits are spread. */
#include "rncw.h"

#define RNCW_P1 UINT64_C(0x9E3779B185EBCA87)
#define RNCW_P2 UINT64_C(0xC2B2AE3D27D4EB4F)
#define RNCW_P3 UINT64_C(0x165667B19E3779F9)
#define RNCW_P4 UINT64_C(0x85EBCA77C2B2AE63)
#define RNCW_P5 UINT64_C(0x27D4EB2F165667C5)

/* Reads bytes as a little-endian number, on any machine and at any address; compilers make this a
 * single load. */
static uint64_t rncw_u32(const unsigned char *p)
{
    return (uint64_t)p[0] | (uint64_t)p[1] << 8 | (uint64_t)p[2] << 16 | (uint64_t)p[3] << 24;
}

static uint64_t rncw_u64(const unsigned char *p)
{
    return (uint64_t)p[0] | (uint64_t)p[1] << 8 | (uint64_t)p[2] << 16 | (uint64_t)p[3] << 24 |
           (uint64_t)p[4] << 32 | (uint64_t)p[5] << 40 | (uint64_t)p[6] << 48 |
           (uint64_t)p[7] << 56;
}

static uint64_t rncw_turn(uint64_t x, int n)
{
    return x << n | x >> (64 - n);
}

static uint64_t rncw_round(uint64_t lane, uint64_t word)
{
    return rncw_turn(lane + word * RNCW_P2, 31) * RNCW_P1;
}

static uint64_t rncw_merge(uint64_t h, uint64_t lane)
{
    return (h ^ rncw_round(0, lane)) * RNCW_P1 + RNCW_P4;
}

/* Updates the lanes with all whole stripes, and moves *at past them. */
static uint64_t rncw_stripes(const unsigned char **at, size_t stripes, uint64_t seed)
{
    const unsigned char *p = *at;
    uint64_t a = seed + RNCW_P1 + RNCW_P2, b = seed + RNCW_P2, c = seed, d = seed - RNCW_P1;
    for (; stripes > 0; stripes--, p += 32) {
        a = rncw_round(a, rncw_u64(p));
        b = rncw_round(b, rncw_u64(p + 8));
        c = rncw_round(c, rncw_u64(p + 16));
        d = rncw_round(d, rncw_u64(p + 24));
    }
    *at = p;
    uint64_t h = rncw_turn(a, 1) + rncw_turn(b, 7) + rncw_turn(c, 12) + rncw_turn(d, 18);
    h = rncw_merge(h, a);
    h = rncw_merge(h, b);
    h = rncw_merge(h, c);
    return rncw_merge(h, d);
}

uint64_t rncw_hash(const void *data, size_t size, uint64_t seed)
{
    const unsigned char *p = (const unsigned char *)data;
    size_t left = size % 32;
    uint64_t h = size < 32 ? seed + RNCW_P5 : rncw_stripes(&p, size / 32, seed);
    h += (uint64_t)size;
    for (; left >= 8; left -= 8, p += 8)
        h = rncw_turn(h ^ rncw_round(0, rncw_u64(p)), 27) * RNCW_P1 + RNCW_P4;
    if (left >= 4) {
        h = rncw_turn(h ^ rncw_u32(p) * RNCW_P1, 23) * RNCW_P2 + RNCW_P3;
        p += 4;
        left -= 4;
    }
    for (; left > 0; left--, p++)
        h = rncw_turn(h ^ *p * RNCW_P5, 11) * RNCW_P1;
    h = (h ^ h >> 33) * RNCW_P2;
    h = (h ^ h >> 29) * RNCW_P3;
    return h ^ h >> 32;
}
