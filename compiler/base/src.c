/* src.c: see src.h. */
#include "base/src.h"

#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>

int src_add(SrcMap *map, const char *name, const char *text, size_t size)
{
    SrcFile f = {.name = arena_strdup(map->arena, name),
                 .text = arena_strndup(map->arena, text, size),
                 .size = size};
    VEC(int) lines = {0};
    VEC_PUSH(map->arena, &lines, 0);
    for (size_t i = 0; i < size; i++) {
        if (text[i] == '\n')
            VEC_PUSH(map->arena, &lines, (int)i + 1);
    }
    f.lines = lines.at;
    f.n_lines = lines.n;
    VEC_PUSH(map->arena, &map->files, f);
    return map->files.n - 1;
}

int src_read(SrcMap *map, const char *path)
{
    FILE *in = fopen(path, "rb");
    if (!in)
        return -1;
    /* The file is to be closed, even when memory runs out. */
    jmp_buf oom;
    jmp_buf *outer = arena_on_oom(map->arena, &oom);
    if (setjmp(oom)) {
        fclose(in);
        arena_on_oom(map->arena, outer);
        longjmp(*outer, 1);
    }
    VEC(char) text = {0};
    char chunk[4096];
    size_t got;
    int too_big = 0;
    while (!too_big && (got = fread(chunk, 1, sizeof chunk, in)) > 0) {
        for (size_t i = 0; i < got; i++)
            VEC_PUSH(map->arena, &text, chunk[i]);
        too_big = text.n > INT_MAX / 4;
    }
    int failed = too_big ? EFBIG : ferror(in) ? (errno ? errno : EIO) : 0;
    fclose(in);
    arena_on_oom(map->arena, outer);
    if (failed) {
        errno = failed;
        return -1;
    }
    return src_add(map, path, text.at ? text.at : "", (size_t)text.n);
}

const SrcFile *src_file(const SrcMap *map, int file)
{
    return file >= 0 && file < map->files.n ? &map->files.at[file] : NULL;
}

void src_line(const SrcMap *map, int file, int byte, int *line, int *column)
{
    const SrcFile *f = src_file(map, file);
    *line = *column = 1;
    if (!f || byte < 0)
        return;
    const int at = (size_t)byte < f->size ? byte : (int)f->size;
    int low = 0, high = f->n_lines; /* the line is low or one before high */
    while (high - low > 1) {
        const int middle = low + (high - low) / 2;
        if (f->lines[middle] <= at)
            low = middle;
        else
            high = middle;
    }
    *line = low + 1;
    *column = at - f->lines[low] + 1;
}

const SrcFile *src_place(const SrcMap *map, const Place *place, int *line)
{
    const SrcFile *file = place ? src_file(map, place->loc.file) : NULL;
    int column;
    if (file)
        src_line(map, place->loc.file, place->loc.begin, line, &column);
    return file;
}
