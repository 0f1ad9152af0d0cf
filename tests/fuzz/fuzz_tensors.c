/* fuzz_tensors.c: any bytes as a file of tensors.  Every byte of every tensor that
 * it is said to hold is read.  Beside it are two files that the index of a model in several files
 * can name, `a` and `b`. */
#include "fuzz.h"
#include "params/tensorfile.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
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

static void write_file(const char *path, const uint8_t *data, size_t size)
{
    FILE *f = fopen(path, "wb");
    if (!f || fwrite(data, 1, size, f) != size || fclose(f) != 0)
        abort();
}

/* A safetensors file of four bytes. */
static void write_shard(const char *path, const char *head)
{
    uint8_t bytes[128] = {(uint8_t)strlen(head)};
    memcpy(bytes + 8, head, strlen(head));
    write_file(path, bytes, 8 + strlen(head) + 4);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    char folder[] = "/tmp/rnc-fuzz-XXXXXX", path[3][sizeof folder + 2];
    jmp_buf oom;
    TensorFile file = {0};
    if (!mkdtemp(folder))
        abort();
    for (int i = 0; i < 3; i++)
        snprintf(path[i], sizeof path[i], "%s/%c", folder, "tab"[i]);
    write_file(path[0], data, size);
    write_shard(path[1], "{\"v\":{\"dtype\":\"F32\",\"shape\":[1],\"data_offsets\":[0,4]}}");
    write_shard(path[2], "{\"w\":{\"dtype\":\"U8\",\"shape\":[4],\"data_offsets\":[0,4]}}");
    Arena *volatile arena = arena_new(&oom);
    if (arena && setjmp(oom) == 0)
        read_tensors(arena, path[0], &file);
    for (int i = 0; i < 3; i++)
        unlink(path[i]);
    rmdir(folder);
    tensorfile_close(&file);
    arena_free(arena);
    return 0;
}
