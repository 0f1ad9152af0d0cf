/* read_folders.c: folders by class, and a folder of files whose names begin with their class.
 *
 * Hidden files and folders are passed over.  Links are followed; one that leads back to a folder
 * that it is in is dropped.  Samples are sorted by their paths, and what is wrong is found in the
 * order of names, byte by byte, whatever the order on the disk. */
#define _GNU_SOURCE
#include "train/source.h"

#include <dirent.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/stat.h>

enum { DEEPEST = 16 };

typedef struct Walk {
    Source *s;
    bool names; /* the class is in the name: RNCT_NAMES */
    bool no_memory;
    size_t outside;  /* pictures in no folder of a class */
    char first[256]; /* of these */
    struct {
        dev_t device;
        ino_t inode;
    } above[DEEPEST + 1]; /* the folders that a folder is in, and itself */
} Walk;

/* Drops a folder; `path` is from the root. */
static void drop(const Walk *w, const char *path, const char *what, const char *more)
{
    char whole[4096];
    snprintf(whole, sizeof whole, "%s%s", w->s->root, path);
    source_drop(w->s, whole, "%s%s", what, more);
}

static void found_file(Walk *w, const char *path, int label)
{
    const char *slash = strrchr(path, '/'), *name = slash ? slash + 1 : path;
    if (!is_picture_name(name)) {
        w->s->ignored++;
        return;
    }
    if (w->names) {
        char class[256];
        const size_t n = strcspn(name, "_");
        if (name[n] == '\0' || n == 0 || n >= sizeof class) {
            drop(w, path, "its name does not begin with a class and '_'", "");
            return;
        }
        memcpy(class, name, n);
        class[n] = '\0';
        label = source_class(w->s, class, path);
    } else if (!slash) {
        if (w->outside++ == 0)
            snprintf(w->first, sizeof w->first, "%.255s", name);
        return;
    }
    if (label >= 0 && !source_add_file(w->s, path, label))
        w->no_memory = true;
}

static void walk(Walk *w, const char *path, int depth, int label);

static void found_folder(Walk *w, const char *path, const struct stat *about, int depth, int label)
{
    for (int i = 0; i < depth; i++) {
        if (w->above[i].device == about->st_dev && w->above[i].inode == about->st_ino) {
            drop(w, path, "is a link to a folder that it is in", "");
            return;
        }
    }
    if (depth > DEEPEST) {
        drop(w, path, "is a folder too deep", "");
        return;
    }
    if (depth == 1 && !w->names)
        label = source_class(w->s, path, w->s->data->path);
    if (label >= 0 || w->names)
        walk(w, path, depth, label);
}

/* One member of the folder that is open as `fd`; `path` is its path from the root. */
static void found(Walk *w, int fd, const char *name, const char *path, int depth, int label)
{
    struct stat about;
    if (fstatat(fd, name, &about, 0) != 0)
        drop(w, path, "cannot be read: ", strerror(errno));
    else if (S_ISDIR(about.st_mode))
        found_folder(w, path, &about, depth + 1, label);
    else
        found_file(w, path, label);
}

static int is_shown(const struct dirent *entry)
{
    return entry->d_name[0] != '.';
}

static int by_bytes(const struct dirent **a, const struct dirent **b)
{
    return strcmp((*a)->d_name, (*b)->d_name);
}

static void walk(Walk *w, const char *path, int depth, int label)
{
    char whole[4096];
    struct stat about;
    struct dirent **entries = NULL;
    snprintf(whole, sizeof whole, "%s%s", w->s->root, path);
    DIR *dir = opendir(whole);
    const bool good = dir && fstat(dirfd(dir), &about) == 0;
    const int n_entries = good ? scandir(whole, &entries, is_shown, by_bytes) : 0;
    if (!good || n_entries < 0) {
        drop(w, path, "cannot be read: ", strerror(errno));
        if (dir)
            closedir(dir);
        return;
    }
    w->above[depth].device = about.st_dev;
    w->above[depth].inode = about.st_ino;
    for (int i = 0; i < n_entries; i++) {
        const char *name = entries[i]->d_name;
        const int n = snprintf(whole, sizeof whole, "%s%s%s", path, *path ? "/" : "", name);
        if ((size_t)n + strlen(w->s->root) >= sizeof whole)
            drop(w, path, "has paths that are too long: ", name);
        else if (!w->no_memory)
            found(w, dirfd(dir), name, whole, depth, label);
        free(entries[i]);
    }
    free(entries);
    closedir(dir);
}

/* ---- the order ---- */

typedef struct Placed {
    Sample sample;
    int32_t label;
} Placed;

static int by_path(const void *a, const void *b)
{
    const Placed *x = a, *y = b;
    return strcmp(x->sample.path, y->sample.path);
}

static bool sort_samples(Source *s)
{
    Placed *all = malloc((s->n ? s->n : 1) * sizeof *all);
    if (!all)
        return source_no_memory(s);
    for (size_t i = 0; i < s->n; i++)
        all[i] = (Placed){s->samples[i], s->labels[i]};
    qsort(all, s->n, sizeof *all, by_path);
    for (size_t i = 0; i < s->n; i++) {
        s->samples[i] = all[i].sample;
        s->labels[i] = all[i].label;
    }
    free(all);
    return true;
}

/* ---- the folder ---- */

static bool set_root(Source *s)
{
    const size_t n = strlen(s->data->path);
    s->root = malloc(n + 2);
    if (!s->root)
        return source_no_memory(s);
    snprintf(s->root, n + 2, "%s%s", s->data->path, n && s->data->path[n - 1] == '/' ? "" : "/");
    return true;
}

/* Whether a name is a word, or has it at its beginning or end: "train", "train_signs", "my-test".
 */
static bool has_word(const char *name, const char *word)
{
    const size_t n = strlen(name), m = strlen(word);
    return (strncasecmp(name, word, m) == 0 && (n == m || strchr("_- .", name[m]))) ||
           (n > m && strcasecmp(name + n - m, word) == 0 && strchr("_- .", name[n - m - 1]));
}

/* The first class that has one of the words, or -1. */
static int find_word(const Source *s, const char *const *words)
{
    for (; *words; words++) {
        for (int i = 0; i < s->classes; i++) {
            if (has_word(s->names[i], *words))
                return i;
        }
    }
    return -1;
}

/* The folder above parts of a data set looks like one whose classes are these parts. */
static bool check_parts(const Source *s)
{
    static const char *const training[] = {"train", "training", NULL};
    static const char *const others[] = {"val", "valid", "validation", "test", "testing", NULL};
    const int first = s->taken || s->classes > 4 ? -1 : find_word(s, training);
    const int second = first < 0 ? -1 : find_word(s, others);
    if (second < 0)
        return true;
    return rnct_problem(s->problems, s->data->path,
                        "its folders '%s' and '%s' look like parts of the data, not like classes: "
                        "read %s%s, or say what classes are expected",
                        s->names[first], s->names[second], s->root, s->names[first]);
}

static bool walk_all(Source *s, bool names)
{
    Walk w = {.s = s, .names = names};
    const size_t before = s->problems->n;
    if (!set_root(s))
        return false;
    walk(&w, "", 0, -1);
    if (w.no_memory)
        return false;
    if (w.outside && s->classes == 0)
        return rnct_problem(s->problems, s->data->path,
                            "has pictures and no folders of classes: put each class into a folder "
                            "of its own, or give a list (path TAB class), or, where names begin "
                            "with the class and '_', read it as the kind 'names'");
    if (w.outside)
        source_drop(s, s->data->path, "has %zu pictures in no folder of a class: '%s'%s", w.outside,
                    w.first, w.outside > 1 ? " and others" : "");
    if (s->n == 0 && s->problems->n > before)
        return false;
    return check_parts(s) && sort_samples(s);
}

bool read_folders(Source *s)
{
    return walk_all(s, false);
}

bool read_names(Source *s)
{
    return walk_all(s, true);
}
