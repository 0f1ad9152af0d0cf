/* src.c: see src.h. */
#include "base/src.h"

#include "base/file.h"

#include <errno.h>
#include <limits.h>
#include <stdbool.h>
#include <string.h>
#include <unistd.h>

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

/* Reads all bytes of a file; returns false with errno set if that fails. */
typedef VEC(char) Bytes;
static bool read_all(int fd, Arena *arena, Bytes *text)
{
    char chunk[1 << 16];
    for (;;) {
        const ssize_t got = read(fd, chunk, sizeof chunk);
        if (got == 0)
            return true;
        if (got < 0 && errno != EINTR)
            return false;
        for (ssize_t i = 0; i < got; i++)
            VEC_PUSH(arena, text, chunk[i]);
        if (text->n > INT_MAX / 4) {
            errno = EFBIG;
            return false;
        }
    }
}

int src_read(SrcMap *map, const char *path, const char **why)
{
    const int fd = file_open(path, NULL, why);
    if (fd < 0)
        return -1;
    /* The file must be closed even if memory runs out. */
    jmp_buf oom;
    jmp_buf *outer = arena_on_oom(map->arena, &oom);
    if (setjmp(oom)) {
        close(fd);
        arena_on_oom(map->arena, outer);
        longjmp(*outer, 1);
    }
    Bytes text = {0};
    const bool good = read_all(fd, map->arena, &text);
    if (!good)
        *why = strerror(errno);
    close(fd);
    arena_on_oom(map->arena, outer);
    if (!good)
        return -1;
    const int file = src_add(map, path, text.at ? text.at : "", (size_t)text.n);
    map->files.at[file].on_disk = true;
    return file;
}

void src_add_input(SrcMap *map, const char *path)
{
    const int file = src_add(map, path, "", 0);
    map->files.at[file].on_disk = true;
}

int src_listing(SrcMap *map, const char *name)
{
    const SrcFile f = {.name = arena_strdup(map->arena, name), .text = "", .listing = true};
    VEC_PUSH(map->arena, &map->files, f);
    return map->files.n - 1;
}

Loc src_list(SrcMap *map, int file, const char *line)
{
    SrcFile *f = &map->files.at[file];
    const size_t n = strlen(line), begin = f->size;
    if (begin + n + 2 > f->room) {
        f->room = 2 * (begin + n + 2);
        char *text = arena_alloc(map->arena, f->room);
        memcpy(text, f->text, begin);
        f->text = text;
    }
    char *at = (char *)f->text + begin;
    for (size_t i = 0; i < n; i++)
        at[i] = line[i] == '\n' ? ' ' : line[i];
    at[n] = '\n';
    f->size = begin + n + 1;
    if (f->n_lines == f->lines_room)
        f->lines =
            arena_grow(map->arena, (int *)f->lines, sizeof *f->lines, f->n_lines, &f->lines_room);
    ((int *)f->lines)[f->n_lines++] = (int)begin;
    return (Loc){file, (int)begin, (int)(begin + n)};
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
