/* bytes.h: numbers in files, little-endian on any machine; private to train/. */
#ifndef RNCT_BYTES_H
#define RNCT_BYTES_H

#include <stdint.h>
#include <string.h>

static inline void put_u64(unsigned char *to, uint64_t x)
{
    for (int i = 0; i < 8; i++)
        to[i] = (unsigned char)(x >> 8 * i);
}

static inline void put_u32(unsigned char *to, uint32_t x)
{
    for (int i = 0; i < 4; i++)
        to[i] = (unsigned char)(x >> 8 * i);
}

/* The number of n bytes, n <= 8. */
static inline uint64_t get_number(const unsigned char *from, int n)
{
    uint64_t x = 0;
    for (int i = n - 1; i >= 0; i--)
        x = x << 8 | from[i];
    return x;
}

static inline uint64_t get_u64(const unsigned char *from)
{
    return get_number(from, 8);
}

static inline uint32_t get_u32(const unsigned char *from)
{
    return (uint32_t)get_number(from, 4);
}

#endif
