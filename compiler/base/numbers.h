/* numbers.h: small arithmetic that every layer needs. */
#ifndef RNC_NUMBERS_H
#define RNC_NUMBERS_H

#include <stddef.h>
#include <stdint.h>

/* a / b, rounded up; a >= 0, b > 0. */
static inline int64_t div_up(int64_t a, int64_t b)
{
    return (a + b - 1) / b;
}

/* The smallest multiple of `to` that is not below n >= 0. */
static inline int64_t round_up(int64_t n, int64_t to)
{
    return div_up(n, to) * to;
}

/* FNV-1a, 64 bits (Fowler, Noll, Vo): HASH_START, then bytes in order. */
#define HASH_START UINT64_C(0xcbf29ce484222325)
static inline uint64_t hash_bytes(uint64_t hash, const void *data, size_t n)
{
    const unsigned char *p = data;
    for (size_t i = 0; i < n; i++)
        hash = (hash ^ p[i]) * UINT64_C(0x100000001b3);
    return hash;
}

#endif
