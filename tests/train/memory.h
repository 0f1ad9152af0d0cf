/* memory.h: memory for an emitted training, for the programs of this folder. */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

/* Aligned to 64 bytes, until the program ends. */
static void *memory(size_t bytes, int value)
{
    unsigned char *p = malloc(bytes + 64);
    if (!p)
        exit(2);
    p += 64 - (uintptr_t)p % 64;
    memset(p, value, bytes);
    return p;
}
