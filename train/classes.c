/* classes.c: the classes of a data set: their names, their order, what is wrong with them. */
#define _GNU_SOURCE
#include "train/source.h"

#include "runtime/rncw.h"

#include <stdlib.h>
#include <string.h>
#include <strings.h>

/* The place of a name in the table of classes: of its index + 1, or of 0. */
static int32_t *place_of(const Source *s, const char *name)
{
    size_t at = (size_t)rncw_hash(name, strlen(name), 0) & (s->table_size - 1);
    while (s->table[at] && strcmp(s->names[s->table[at] - 1], name) != 0)
        at = (at + 1) & (s->table_size - 1);
    return &s->table[at];
}

/* Keeps the table at most half full. */
static bool grow_table(Source *s)
{
    if (2 * ((size_t)s->classes + 1) <= s->table_size)
        return true;
    const size_t size = s->table_size ? 4 * s->table_size : 64;
    int32_t *table = calloc(size, sizeof *table);
    if (!table)
        return source_no_memory(s);
    free(s->table);
    s->table = table;
    s->table_size = size;
    for (int i = s->classes; i-- > 0;) /* of equal names the first is found */
        *place_of(s, s->names[i]) = i + 1;
    return true;
}

static bool add_class(Source *s, const char *name)
{
    if (s->classes == s->classes_room) {
        const int room = s->classes_room ? 2 * s->classes_room : 16;
        char **names = realloc(s->names, (size_t)room * sizeof *names);
        if (!names)
            return source_no_memory(s);
        s->names = names;
        s->classes_room = room;
    }
    if (!grow_table(s))
        return false;
    s->names[s->classes] = strdup(name);
    if (!s->names[s->classes])
        return source_no_memory(s);
    s->classes++;
    int32_t *place = place_of(s, name);
    if (*place == 0)
        *place = s->classes;
    return true;
}

int source_find_class(const Source *s, const char *name)
{
    return s->table_size ? *place_of(s, name) - 1 : -1;
}

/* A name that ends a line breaks files of one class a line.  The class is kept nevertheless: so
 * this is said once for each, and its samples are looked at, too.  It is not skipped: the classes
 * after it would have other indices. */
static void check_name(Source *s, const char *name, const char *path, const char *way_out)
{
    const char *at = name;
    while (*at && rnct_control(at) == 0)
        at++;
    if (*at)
        rnct_problem(s->problems, path,
                     "the name of a class has a line break or another control character, which "
                     "breaks files of one class a line: %s '%s'",
                     way_out, name);
}

static const char *way_to_rename(const Source *s)
{
    switch (s->kind) {
    case RNCT_FOLDERS:
        return "rename the folder";
    case RNCT_NAMES:
        return "rename the pictures that begin with";
    case RNCT_LIST:
        return "give another name in the list to";
    default:
        return "give another name to";
    }
}

int source_class(Source *s, const char *name, const char *path)
{
    const int found = source_find_class(s, name);
    if (found >= 0)
        return found;
    if (s->taken) {
        source_drop(s, path, "its class '%s' is none of the %d that are expected ('%s' and so on)",
                    name, s->classes, s->classes ? s->names[0] : "");
        return -1;
    }
    if (s->classes == RNCT_MOST_CLASSES) {
        rnct_problem(s->problems, path, "more than %d classes", RNCT_MOST_CLASSES);
        return -1;
    }
    check_name(s, name, path, way_to_rename(s));
    return add_class(s, name) ? s->classes - 1 : -1;
}

/* The classes that are expected, in their order.  One that is there twice keeps both places, for
 * the indices of those after it, and its samples have the first.  False without memory. */
bool classes_take(Source *s)
{
    for (int i = 0; i < s->data->n_classes && s->data->classes; i++) {
        const char *name = s->data->classes[i];
        const int same = source_find_class(s, name);
        if (same >= 0)
            rnct_problem(s->problems, s->data->path,
                         "the classes %d and %d that are expected are both called '%s'", same, i,
                         name);
        else
            check_name(s, name, s->data->path, "where the classes are given, rename");
        if (!add_class(s, name))
            return false;
    }
    s->taken = s->data->classes != NULL;
    return true;
}

typedef struct Named {
    char *name;
    int old;
} Named;

static bool is_number(const char *name)
{
    const size_t n = strlen(name);
    return n > 0 && n < 10 && strspn(name, "0123456789") == n && (n == 1 || name[0] != '0');
}

/* Names that are whole numbers come first, by their value; others byte by byte. */
static int by_name(const void *a, const void *b)
{
    const char *x = ((const Named *)a)->name, *y = ((const Named *)b)->name;
    const bool number_x = is_number(x), number_y = is_number(y);
    if (number_x != number_y)
        return number_x ? -1 : 1;
    const size_t n = strlen(x), m = strlen(y);
    if (number_x && n != m)
        return n < m ? -1 : 1;
    return strcmp(x, y);
}

/* Sorts the classes that were found and renumbers the labels. */
static bool sort_classes(Source *s)
{
    const size_t n = (size_t)s->classes;
    Named *sorted = malloc((n ? n : 1) * sizeof *sorted);
    int32_t *index = malloc((n ? n : 1) * sizeof *index);
    const bool good = sorted && index;
    if (good) {
        for (size_t i = 0; i < n; i++)
            sorted[i] = (Named){s->names[i], (int)i};
        qsort(sorted, n, sizeof *sorted, by_name);
        for (size_t i = 0; i < n; i++) {
            s->names[i] = sorted[i].name;
            index[sorted[i].old] = (int32_t)i;
        }
        for (size_t i = 0; i < s->n; i++)
            s->labels[i] = index[s->labels[i]];
    }
    free(index);
    free(sorted);
    return good || source_no_memory(s);
}

/* The names of numbered classes that have none. */
static bool name_numbers(Source *s)
{
    int32_t most = -1;
    for (size_t i = 0; i < s->n; i++)
        most = s->labels[i] > most ? s->labels[i] : most;
    const int n = s->data->n_classes > 0 ? s->data->n_classes : most + 1;
    while (s->classes < n) {
        char name[16];
        snprintf(name, sizeof name, "%d", s->classes);
        if (!add_class(s, name))
            return false;
    }
    return true;
}

static int by_case(const void *a, const void *b)
{
    const char *const *x = a, *const *y = b;
    const int order = strcasecmp(*x, *y);
    return order ? order : strcmp(*x, *y);
}

/* Classes that have no samples, or the same name but for capitals. */
static bool check_classes(Source *s)
{
    const size_t n = (size_t)s->classes;
    size_t *counts = calloc(n + 1, sizeof *counts);
    char **sorted = malloc((n + 1) * sizeof *sorted);
    const bool good = counts && sorted;
    for (size_t i = 0; good && i < s->n; i++)
        counts[s->labels[i]]++;
    for (size_t i = 0; good && i < n; i++) {
        sorted[i] = s->names[i];
        const bool twice = s->taken && source_find_class(s, s->names[i]) != (int)i;
        if (counts[i] == 0 && !twice)
            source_drop(s, s->data->path, "class '%s' (%zu of %zu) has no samples", s->names[i], i,
                        n);
    }
    if (good)
        qsort(sorted, n, sizeof *sorted, by_case);
    for (size_t i = 1; good && i < n; i++) {
        if (strcasecmp(sorted[i - 1], sorted[i]) == 0 && strcmp(sorted[i - 1], sorted[i]) != 0)
            source_drop(s, s->data->path, "the classes '%s' and '%s' differ in capitals only",
                        sorted[i - 1], sorted[i]);
    }
    free(sorted);
    free(counts);
    return good || source_no_memory(s);
}

void classes_forget(Source *s)
{
    for (int i = 0; i < s->classes; i++)
        free(s->names[i]);
    free(s->table);
    s->table = NULL;
    s->table_size = 0;
    s->classes = 0;
}

bool classes_settle(Source *s)
{
    if (s->n == 0)
        return rnct_problem(s->problems, s->data->path, "has no samples that can be used");
    if (s->numbers ? !name_numbers(s) : !s->taken && !sort_classes(s))
        return false;
    if (s->data->n_classes > 0 && s->classes != s->data->n_classes)
        rnct_problem(s->problems, s->data->path, "has %d classes, and %d are expected", s->classes,
                     s->data->n_classes);
    return check_classes(s);
}
