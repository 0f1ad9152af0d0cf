/* read_list.c: a list of pictures: a line "path TAB class" for each.
 *
 * Paths are from the list's folder.  Classes that are all whole numbers are indices; any other are
 * names.  Blanks around a class are no part of it, nor is a byte order mark of the list.  The
 * samples have the order of the list.  A file is one sample, however the list spells its path. */
#define _GNU_SOURCE
#include "train/source.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

static bool set_root(Source *s)
{
    const char *slash = strrchr(s->data->path, '/');
    s->root = strndup(s->data->path, slash ? (size_t)(slash + 1 - s->data->path) : 0);
    return s->root || source_no_memory(s);
}

/* Whether a class is a whole number, of whatever size and sign. */
static bool is_number(const char *class)
{
    const char *digits = class + (*class == '-');
    return *digits && strspn(digits, "0123456789") == strlen(digits);
}

/* The index that a class is, if it is one; else -1. */
static int64_t index_of(const char *class)
{
    const size_t n = strlen(class);
    if (n == 0 || n > 9 || strspn(class, "0123456789") != n)
        return -1;
    return strtol(class, NULL, 10);
}

/* One line, which is changed; its end is no part of it. */
static bool read_line(Source *s, char *line, size_t number)
{
    size_t n = strlen(line);
    while (n && strchr(" \t\r", line[n - 1]))
        n--;
    line[n] = '\0';
    if (n == 0)
        return true;
    char *tab = strrchr(line, '\t');
    if (!tab || tab == line) {
        source_drop(s, s->data->path, "line %zu is not a path, a TAB and a class%s", number,
                    strchr(line, ',') ? ": it has a comma" : "");
        return true;
    }
    *tab = '\0';
    const char *class = tab + 1 + strspn(tab + 1, " ");
    const int64_t index = index_of(class);
    int label;
    if (s->taken && source_find_class(s, class) < 0 && index >= 0 && index < s->classes)
        label = (int)index;
    else
        label = source_class(s, class, line);
    const size_t before = s->n;
    if (label >= 0 && !source_add_file(s, line, label))
        return false;
    if (s->n > before)
        s->samples[before].line = number;
    return true;
}

/* Takes classes that are all numbers for indices. */
static bool take_numbers(Source *s)
{
    size_t kept = 0;
    if (s->taken || s->classes == 0)
        return true;
    for (int i = 0; i < s->classes; i++) {
        if (!is_number(s->names[i]))
            return true;
    }
    const int64_t end = s->data->n_classes > 0 ? s->data->n_classes : RNCT_MOST_CLASSES;
    for (size_t i = 0; i < s->n; i++) {
        const int64_t index = index_of(s->names[s->labels[i]]);
        if (index < 0 || index >= end) {
            source_drop(s, s->samples[i].path, "has the label %s, which is not from 0 to %d",
                        s->names[s->labels[i]], (int)end - 1);
            free(s->samples[i].path);
            continue;
        }
        s->labels[kept] = (int32_t)index;
        s->samples[kept++] = s->samples[i];
    }
    s->n = kept;
    classes_forget(s);
    s->numbers = true;
    return true;
}

/* By the file, and of one file in the order of the list. */
static int by_file(const void *a, const void *b)
{
    const Sample *x = *(const Sample *const *)a, *y = *(const Sample *const *)b;
    if (x->device != y->device)
        return x->device < y->device ? -1 : 1;
    if (x->inode != y->inode)
        return x->inode < y->inode ? -1 : 1;
    return x < y ? -1 : x > y;
}

/* Finds for each sample the first one that is the same file; false without memory. */
static bool find_firsts(const Source *s, size_t *firsts)
{
    const Sample **sorted = malloc((s->n ? s->n : 1) * sizeof *sorted);
    const Sample *first = NULL;
    if (!sorted)
        return false;
    for (size_t i = 0; i < s->n; i++)
        sorted[i] = &s->samples[i];
    qsort((void *)(uintptr_t)sorted, s->n, sizeof *sorted, by_file);
    for (size_t i = 0; i < s->n; i++) {
        if (!first || first->device != sorted[i]->device || first->inode != sorted[i]->inode)
            first = sorted[i];
        firsts[sorted[i] - s->samples] = (size_t)(first - s->samples);
    }
    free((void *)(uintptr_t)sorted);
    return true;
}

/* The name of a sample's class, or its number where it has only that. */
static const char *class_of(const Source *s, size_t i, char number[16])
{
    if (s->labels[i] < s->classes)
        return s->names[s->labels[i]];
    snprintf(number, 16, "%d", (int)s->labels[i]);
    return number;
}

/* Sample `i` is the file of `first`.  Which of two classes is right, only a person knows. */
static void drop_double(Source *s, size_t i, size_t first)
{
    const Sample *x = &s->samples[i], *y = &s->samples[first];
    char numbers[2][16];
    if (s->labels[i] != s->labels[first])
        rnct_problem(s->problems, x->path,
                     "has the class '%s' in line %zu, and '%s' in line %zu, which calls the same "
                     "file '%s': leave out the line that is wrong",
                     class_of(s, i, numbers[0]), x->line, class_of(s, first, numbers[1]), y->line,
                     y->path);
    else if (strcmp(x->path, y->path) == 0)
        source_drop(s, x->path, "is in the list twice, in lines %zu and %zu: leave one of them out",
                    y->line, x->line);
    else
        source_drop(s, x->path,
                    "line %zu names the file that line %zu calls '%s': leave one of them out",
                    x->line, y->line, y->path);
}

/* Drops what is there for a second time. */
static bool drop_doubles(Source *s)
{
    size_t *firsts = malloc((s->n ? s->n : 1) * sizeof *firsts), kept = 0;
    const bool good = firsts && find_firsts(s, firsts);
    for (size_t i = 0; good && i < s->n; i++) {
        if (firsts[i] != i)
            drop_double(s, i, firsts[i]);
    }
    for (size_t i = 0; good && i < s->n; i++) {
        if (firsts[i] != i) {
            free(s->samples[i].path);
            continue;
        }
        s->labels[kept] = s->labels[i];
        s->samples[kept++] = s->samples[i];
    }
    if (good)
        s->n = kept;
    free(firsts);
    return good || source_no_memory(s);
}

bool read_list(Source *s)
{
    const rnct_mapped *file = set_root(s) ? source_map(s, s->data->path) : NULL;
    size_t number = 1;
    bool good = true;
    if (!file)
        return false;
    const bool marked = file->size >= 3 && memcmp(file->bytes, "\xef\xbb\xbf", 3) == 0;
    for (size_t at = marked ? 3 : 0; good && at < file->size; number++) {
        const unsigned char *end = memchr(file->bytes + at, '\n', file->size - at);
        const size_t n = end ? (size_t)(end - file->bytes) - at : file->size - at;
        char *line = strndup((const char *)file->bytes + at, n);
        good = line ? read_line(s, line, number) : source_no_memory(s);
        free(line);
        at += n + 1;
    }
    return good && take_numbers(s) && drop_doubles(s);
}
