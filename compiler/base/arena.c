/* arena.c: chained blocks, bump allocation. */
#include "base/arena.h"

#include <limits.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { BLOCK_BYTES = 64 * 1024, ALIGN = 64 };

typedef struct Block Block;
struct Block {
    Block *next;
    void *memory; /* what malloc returned; the block is at the first aligned address in it */
    size_t used, size;
};

struct Arena {
    Block *blocks;
    jmp_buf *oom;
    size_t left; /* bytes left until the limit of arena_limit() is reached */
};

static const size_t head_bytes = (sizeof(Block) + ALIGN - 1) / ALIGN * ALIGN;

Arena *arena_new(jmp_buf *oom)
{
    Arena *arena = calloc(1, sizeof *arena);
    if (arena) {
        arena->oom = oom;
        arena->left = SIZE_MAX;
    }
    return arena;
}

void arena_limit(Arena *arena, size_t bytes)
{
    arena->left = bytes;
}

jmp_buf *arena_on_oom(Arena *arena, jmp_buf *oom)
{
    jmp_buf *before = arena->oom;
    arena->oom = oom;
    return before;
}

void arena_free(Arena *arena)
{
    if (!arena)
        return;
    for (Block *b = arena->blocks, *next; b; b = next) {
        next = b->next;
        free(b->memory);
    }
    free(arena);
}

/* Zeroed by calloc: a large block's pages come zeroed from the system, and
 * clearing them again would touch each of them once more. */
static Block *new_block(Arena *arena, size_t size)
{
    if (size > SIZE_MAX - head_bytes - ALIGN)
        longjmp(*arena->oom, 1);
    void *memory = calloc(1, head_bytes + size + ALIGN);
    if (!memory)
        longjmp(*arena->oom, 1);
    Block *b = (Block *)(((uintptr_t)memory + ALIGN - 1) / ALIGN * ALIGN);
    b->memory = memory;
    b->size = size;
    return b;
}

void *arena_alloc(Arena *arena, size_t size)
{
#ifdef RNC_ARENA_DEBUG
    const int own_block = 1;
#else
    const int own_block = size >= BLOCK_BYTES / 4;
#endif
    if (size > arena->left)
        longjmp(*arena->oom, 1);
    arena->left -= arena->left == SIZE_MAX ? 0 : size;
    Block *b = arena->blocks;
    if (own_block) {
        /* Link it after the current block, so that the free space of that one stays in use. */
        Block *own = new_block(arena, size ? size : 1);
        own->used = own->size;
        own->next = b ? b->next : NULL;
        if (b)
            b->next = own;
        else
            arena->blocks = own;
        return (char *)own + head_bytes;
    }
    size_t align = size >= ALIGN ? ALIGN : 16;
    size_t at = b ? (b->used + align - 1) / align * align : 0;
    if (!b || at > b->size || size > b->size - at) {
        b = new_block(arena, BLOCK_BYTES);
        b->next = arena->blocks;
        arena->blocks = b;
        at = 0;
    }
    b->used = at + size;
    return (char *)b + head_bytes + at;
}

void *arena_alloc_n(Arena *arena, size_t n, size_t size)
{
    if (size && n > SIZE_MAX / size)
        longjmp(*arena->oom, 1);
    return arena_alloc(arena, n * size);
}

char *arena_strndup(Arena *arena, const char *s, size_t n)
{
    char *copy = arena_alloc(arena, n + 1);
    memcpy(copy, s, n);
    return copy;
}

char *arena_strdup(Arena *arena, const char *s)
{
    return arena_strndup(arena, s, strlen(s));
}

char *arena_printf(Arena *arena, const char *format, ...)
{
    va_list args, again;
    va_start(args, format);
    va_copy(again, args);
    int n = vsnprintf(NULL, 0, format, args);
    va_end(args);
    char *text = arena_alloc(arena, (size_t)(n < 0 ? 0 : n) + 1);
    if (n > 0)
        vsnprintf(text, (size_t)n + 1, format, again);
    va_end(again);
    return text;
}

void *arena_grow(Arena *arena, void *old, size_t size, int n, int *cap)
{
    if (*cap > INT_MAX / 2)
        longjmp(*arena->oom, 1);
    *cap = *cap ? 2 * *cap : 8;
    void *grown = arena_alloc_n(arena, (size_t)*cap, size);
    if (n)
        memcpy(grown, old, (size_t)n * size);
    return grown;
}
