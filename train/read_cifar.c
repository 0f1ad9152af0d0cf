/* read_cifar.c: CIFAR-10 and CIFAR-100, the "binary version".
 *
 * A file is a row of records: the label (of CIFAR-100 the coarse one and then the fine one, which
 * counts), then 32 x 32 pixels of red, of green and of blue
 * (https://www.cs.toronto.edu/~kriz/cifar.html). Names of the classes are beside it, a line each.
 */
#define _GNU_SOURCE
#include "train/source.h"

#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum { SIDE = 32, PIXELS = 3 * SIDE * SIDE };

static bool read_records(Source *s, const char *path, int labels)
{
    const size_t record = (size_t)labels + PIXELS;
    const rnct_mapped *file = source_map(s, path);
    if (!file)
        return false;
    if (file->size % record != 0 || file->size == 0)
        return rnct_problem(s->problems, path,
                            "has %zu bytes, which is no multiple of a record's %zu: it is cut off, "
                            "or is no file of CIFAR-%d",
                            file->size, record, labels == 1 ? 10 : 100);
    for (size_t at = 0; at < file->size; at += record) {
        const unsigned char *bytes = file->bytes + at;
        if (!source_add_pixels(s, bytes + labels, bytes[labels - 1]))
            return false;
    }
    return true;
}

/* The names in a file beside the records, if it is there. */
static bool read_class_names(Source *s, const char *path, int classes)
{
    char line[256];
    int n = 0;
    FILE *f = fopen(path, "r");
    if (!f || s->taken) {
        if (f)
            fclose(f);
        return true;
    }
    while (fgets(line, sizeof line, f)) {
        line[strcspn(line, "\r\n")] = '\0';
        if (*line && source_class(s, line, path) != n++) {
            fclose(f);
            return rnct_problem(s->problems, path, "has the class '%s' twice", line);
        }
    }
    fclose(f);
    if (n == classes)
        return true;
    return rnct_problem(s->problems, path, "has %d names, and CIFAR-%d has %d classes", n, classes,
                        classes);
}

/* Whether the part for testing is wanted, and, where the other would do, there. */
static bool takes_test(const Source *s, bool ten)
{
    char path[4096];
    snprintf(path, sizeof path, "%.4000s/%s", s->data->path, ten ? "test_batch.bin" : "test.bin");
    return s->data->part == RNCT_TEST ||
           (s->data->part == RNCT_TEST_OR_ALL && access(path, F_OK) == 0);
}

bool read_cifar(Source *s)
{
    static const char *const batches[] = {"data_batch_1.bin", "data_batch_2.bin",
                                          "data_batch_3.bin", "data_batch_4.bin",
                                          "data_batch_5.bin"};
    const bool ten = s->kind == RNCT_CIFAR10;
    const bool test = takes_test(s, ten);
    const int n = ten && !test ? 5 : 1;
    char path[4096];
    struct stat about;
    s->in_memory = s->numbers = s->planar = true;
    s->h = s->w = SIDE;
    s->c = 3;
    const bool is_folder = stat(s->data->path, &about) == 0 && S_ISDIR(about.st_mode);
    const char *slash = strrchr(s->data->path, '/');
    const int length = is_folder ? (int)strlen(s->data->path)
                       : slash   ? (int)(slash - s->data->path)
                                 : 0;
    if (length > (int)sizeof path - 64)
        return rnct_problem(s->problems, s->data->path, "is a path too long");
    const char *folder = length ? s->data->path : is_folder || slash ? "/" : ".";
    snprintf(path, sizeof path, "%.*s/%s", length ? length : 1, folder,
             ten ? "batches.meta.txt" : "fine_label_names.txt");
    bool good = read_class_names(s, path, ten ? 10 : 100);
    if (!good)
        classes_forget(s); /* labels are not to be measured by them */
    if (!is_folder)
        return read_records(s, s->data->path, ten ? 1 : 2) && good;
    for (int i = 0; i < n; i++) {
        snprintf(path, sizeof path, "%s/%s", s->data->path,
                 !ten   ? (test ? "test.bin" : "train.bin")
                 : test ? "test_batch.bin"
                        : batches[i]);
        good = read_records(s, path, ten ? 1 : 2) && good;
    }
    return good;
}
