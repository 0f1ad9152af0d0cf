/* fuzz_tensors.c: any bytes as a file of tensors.  Every byte of every tensor that
 * it is said to hold is read. */
#include "fuzz.h"
#include "params/tensorfile.h"

#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

static void read_tensors(Arena *arena, const char *path, TensorFile *file)
{
    SrcMap src = {.arena = arena};
    Diag diag = diag_new(&src, arena);
    if (!tensorfile_open(file, path, arena, &diag)) {
        if (diag.errors == 0)
            abort();
        return;
    }
    enum { LARGEST = 1 << 26 };
    volatile unsigned char sum = 0;
    for (int i = 0; i < file->n; i++) {
        const StoredTensor *t = &file->tensors[i];
        if (tensorfile_find(file, t->name) == NULL)
            abort();
        for (size_t b = 0; t->bytes && b < t->size; b++)
            sum = (unsigned char)(sum + t->bytes[b]);
        /* A tensor of few bytes can say a number very often (expand() of PyTorch). */
        if (t->elem != STORED_OTHER && t->size <= LARGEST)
            tensor_floats(file, t, arena, &diag);
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    char path[] = "/tmp/rnc-fuzz-XXXXXX";
    jmp_buf oom;
    TensorFile file = {0};
    const int fd = mkstemp(path);
    if (fd < 0)
        abort();
    const int written = write(fd, data, size) == (ssize_t)size;
    close(fd);
    Arena *volatile arena = arena_new(&oom);
    if (arena && written && setjmp(oom) == 0)
        read_tensors(arena, path, &file);
    unlink(path);
    tensorfile_close(&file);
    arena_free(arena);
    return 0;
}
