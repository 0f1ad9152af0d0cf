/* arena.h: memory whose lifetime is an argument of its allocation.
 *
 * Everything a compilation allocates comes from an Arena and is freed with it,
 * at once.  Allocation never returns NULL: when memory runs out, or the
 * requested size overflows, the arena jumps to the handler it was made with.
 * Built with -DRNC_ARENA_DEBUG every object has a malloc of its own, so that
 * sanitizers and valgrind see each overrun.
 */
#ifndef RNC_ARENA_H
#define RNC_ARENA_H

#include <setjmp.h>
#include <stddef.h>

typedef struct Arena Arena;

/* A new arena, or NULL if there is no memory even for that.  When an allocation fails, the arena
 * jumps to `oom` (longjmp, value 1), which must outlive the arena. */
Arena *arena_new(jmp_buf *oom);
void arena_free(Arena *arena);
/* From now on, the arena behaves as if memory ran out once `bytes` more are in use. */
void arena_limit(Arena *arena, size_t bytes);
/* Sets another handler; returns the previous one. */
jmp_buf *arena_on_oom(Arena *arena, jmp_buf *oom);

/* Returns zeroed memory, aligned to 64 bytes if size >= 64, else to 16. */
void *arena_alloc(Arena *arena, size_t size);
/* Likewise for n objects of `size` bytes; the product is checked for overflow. */
void *arena_alloc_n(Arena *arena, size_t n, size_t size);
char *arena_strdup(Arena *arena, const char *s);
char *arena_strndup(Arena *arena, const char *s, size_t n);
char *arena_printf(Arena *arena, const char *format, ...) __attribute__((format(printf, 2, 3)));

#define NEW(arena, T) ((T *)arena_alloc((arena), sizeof(T)))
#define NEW_ARRAY(arena, T, n) ((T *)arena_alloc_n((arena), (size_t)(n), sizeof(T)))

/* A growable array: VEC(int) v = {0}; VEC_PUSH(arena, &v, 3); v.at[0] == 3. */
#define VEC(T)      \
    struct {        \
        T *at;      \
        int n, cap; \
    }
#define VEC_PUSH(arena, v, x)                                                                 \
    ((v)->n == (v)->cap                                                                       \
         ? (void)((v)->at = arena_grow((arena), (v)->at, sizeof *(v)->at, (v)->n, &(v)->cap)) \
         : (void)0,                                                                           \
     (v)->at[(v)->n++] = (x))
void *arena_grow(Arena *arena, void *old, size_t size, int n, int *cap);

#endif
