/* imported.c: the files that an imported network's parameters point into. */
#include "import/imported.h"

#include "base/file.h"

#include <errno.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

/* Listed before it is opened, so that it is closed even if memory runs out in between. */
static Opened *list(Imported *to, const char *path, SrcMap *src)
{
    Opened *file = NEW(src->arena, Opened);
    file->path = arena_strdup(src->arena, path);
    VEC_PUSH(src->arena, &to->files, file);
    src_add_input(src, file->path);
    return file;
}

bool opened_map(Opened *file, const char **why)
{
    int64_t size;
    const int fd = file_open(file->path, &size, why);
    if (fd < 0)
        return false;
    if (size == 0) {
        close(fd);
        file->bytes = (const unsigned char *)"";
        return true;
    }
    void *map = (uint64_t)size > SIZE_MAX ? MAP_FAILED
                                          : mmap(NULL, (size_t)size, PROT_READ, MAP_PRIVATE, fd, 0);
    *why = strerror(errno);
    close(fd);
    if (map == MAP_FAILED)
        return false;
    file->bytes = map;
    file->size = (size_t)size;
    return true;
}

void opened_close(Opened *file)
{
    tensorfile_close(&file->tensors);
    if (file->size)
        munmap((void *)file->bytes, file->size);
    file->bytes = NULL;
    file->size = 0;
}

const Opened *imported_map(Imported *to, const char *path, SrcMap *src, Diag *d)
{
    Opened *file = list(to, path, src);
    const char *why;
    if (opened_map(file, &why))
        return file;
    diag_file_error(d, path, "cannot read it: %s", why);
    return NULL;
}

TensorFile *imported_tensors(Imported *to, const char *path, SrcMap *src, Diag *d)
{
    Opened *file = list(to, path, src);
    return tensorfile_open(&file->tensors, path, src->arena, d) ? &file->tensors : NULL;
}

void imported_close(Imported *imported)
{
    for (int i = 0; i < imported->files.n; i++)
        opened_close(imported->files.at[i]);
    imported->files.n = 0;
}
