/* read_h5.c: pictures and labels in HDF5 files, through libhdf5.
 *
 * The course of the tutorial has train_set_x [n][h][w][3] of bytes and train_set_y [n], test_set_x
 * and test_set_y in another file, and list_classes beside them.  libhdf5 crashes over some damaged
 * files, so a file is first read in a process of its own, and refused if that fails. */
#define _GNU_SOURCE
#include "train/source.h"

#ifdef RNC_HAVE_HDF5
#define H5_USE_110_API
#include <errno.h>
#include <hdf5.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

enum { UNPACKS_MOST = 1032 /* bytes that one of deflate can become (RFC 1951) */ };

typedef struct Set {
    hid_t id;
    hsize_t dims[4];
    int rank;
    uint64_t n; /* numbers */
} Set;

/* Opens a dataset of whole numbers.  NULL, or why it cannot be read. */
static const char *open_set(Set *set, hid_t file, const char *name)
{
    const char *why = NULL;
    *set = (Set){.id = H5Dopen2(file, name, H5P_DEFAULT), .n = 1};
    if (set->id < 0)
        return "it is damaged";
    const hid_t space = H5Dget_space(set->id), type = H5Dget_type(set->id);
    set->rank = space < 0 ? -1 : H5Sget_simple_extent_ndims(space);
    if (set->rank < 1 || set->rank > 4 || H5Sget_simple_extent_dims(space, set->dims, NULL) < 0)
        why = "it has no axes, or more than four";
    else if (H5Tget_class(type) != H5T_INTEGER)
        why = "it has no whole numbers";
    for (int i = 0; !why && i < set->rank; i++) {
        if (set->dims[i] > 0 && set->n > INT64_MAX / 8 / set->dims[i])
            why = "its extents overflow";
        else
            set->n *= set->dims[i];
    }
    if (!why && set->n / UNPACKS_MOST > H5Dget_storage_size(set->id))
        why = "it claims to be larger than its bytes can unpack to";
    if (type >= 0)
        H5Tclose(type);
    if (space >= 0)
        H5Sclose(space);
    return why;
}

/* All its numbers as `type`, in memory that the caller frees; NULL if they cannot be read. */
static void *load(const Set *set, hid_t type)
{
    void *to = malloc((size_t)set->n * H5Tget_size(type) + 1);
    if (to && H5Dread(set->id, type, H5S_ALL, H5S_ALL, H5P_DEFAULT, to) >= 0)
        return to;
    free(to);
    return NULL;
}

static bool is_bytes(const Set *set)
{
    const hid_t type = H5Dget_type(set->id);
    const bool good = type >= 0 && H5Tget_size(type) == 1 && H5Tget_sign(type) == H5T_SGN_NONE;
    if (type >= 0)
        H5Tclose(type);
    return good;
}

/* Reads two datasets; false with what is wrong in `why`. */
static bool load_both(Source *s, hid_t file, const char *const names[2], Arrays *a,
                      int64_t **labels, char why[RNCT_WHY_BYTES])
{
    Set x = {.id = -1}, y = {.id = -1};
    const char *wrong = open_set(&x, file, names[0]), *where = names[0];
    if (!wrong && !is_bytes(&x))
        wrong = "its pixels are no unsigned bytes";
    if (!wrong) {
        where = names[1];
        wrong = open_set(&y, file, names[1]);
    }
    if (!wrong) {
        s->memory = load(&x, H5T_NATIVE_UINT8);
        *labels = load(&y, H5T_STD_I64LE);
        wrong = s->memory && *labels ? NULL : "its numbers are damaged, or memory is short";
    }
    if (!wrong) {
        *a = (Arrays){.x = s->memory, .rank = x.rank, .y = (const unsigned char *)*labels};
        a->n_labels = (int64_t)y.n;
        a->label_bytes = 8;
        a->label_signed = true;
        for (int i = 0; i < x.rank; i++)
            a->dims[i] = (int64_t)x.dims[i];
    }
    if (x.id >= 0)
        H5Dclose(x.id);
    if (y.id >= 0)
        H5Dclose(y.id);
    if (wrong)
        snprintf(why, RNCT_WHY_BYTES, "dataset '%s' cannot be read: %s", where, wrong);
    return !wrong;
}

/* The names of the classes: list_classes, if it is there and has numbers. */
static bool load_names(Source *s, hid_t file)
{
    Set set = {.id = -1};
    if (s->taken || H5Lexists(file, "list_classes", H5P_DEFAULT) <= 0)
        return true;
    bool good = true;
    if (!open_set(&set, file, "list_classes") && set.n <= RNCT_MOST_CLASSES) {
        int64_t *numbers = load(&set, H5T_NATIVE_INT64);
        for (uint64_t i = 0; good && numbers && i < set.n; i++) {
            char name[24];
            snprintf(name, sizeof name, "%lld", (long long)numbers[i]);
            good = source_class(s, name, s->data->path) == (int)i ||
                   rnct_problem(s->problems, s->data->path, "list_classes has the class %s twice",
                                name);
        }
        free(numbers);
    }
    if (set.id >= 0)
        H5Dclose(set.id);
    return good;
}

static bool read_file(Source *s)
{
    static const char *const names[3][2] = {{"train_set_x", "train_set_y"},
                                            {"test_set_x", "test_set_y"},
                                            {"train_set_x", "train_set_y"}};
    char why[RNCT_WHY_BYTES];
    bool good = false;
    Arrays a;
    int64_t *labels = NULL;
    H5Eset_auto2(H5E_DEFAULT, NULL, NULL); /* what failed is said here */
    const hid_t file = H5Fopen(s->data->path, H5F_ACC_RDONLY, H5P_DEFAULT);
    if (file < 0)
        return rnct_problem(s->problems, s->data->path, "the HDF5 file is damaged or cut off");
    const int first = s->data->part == RNCT_TRAIN ? 0 : 1;
    const int end = s->data->part == RNCT_TEST ? 2 : first + 2;
    int i = first;
    while (i < end && H5Lexists(file, names[i][0], H5P_DEFAULT) <= 0)
        i++;
    if (i == end)
        rnct_problem(s->problems, s->data->path, "has %stest_set_x and test_set_y",
                     end - first == 1 ? "no " : "neither train_set_x and train_set_y nor ");
    else if (!load_both(s, file, names[i], &a, &labels, why))
        rnct_problem(s->problems, s->data->path, "%s", why);
    else
        good = load_names(s, file) && source_add_arrays(s, &a);
    free(labels);
    H5Fclose(file);
    return good;
}

/* Reads the file in a process of its own.  False after a problem if that does not end well. */
static bool survives(Source *s, size_t size)
{
    enum { SECONDS = 5, BYTES_A_SECOND = 20000000 };
    const rlim_t seconds = SECONDS + size / BYTES_A_SECOND;
    int status = 0;
    const pid_t child = fork();
    if (child == 0) {
        setrlimit(RLIMIT_CORE, &(struct rlimit){0, 0});
        setrlimit(RLIMIT_CPU, &(struct rlimit){seconds, seconds});
        read_file(s);
        _exit(0);
    }
    pid_t ended;
    do
        ended = child < 0 ? -1 : waitpid(child, &status, 0);
    while (ended < 0 && child > 0 && errno == EINTR);
    if (ended < 0)
        return rnct_problem(s->problems, s->data->path, "cannot be tried in a process: %s",
                            strerror(errno));
    if (WIFEXITED(status) && WEXITSTATUS(status) == 0)
        return true;
    return rnct_problem(s->problems, s->data->path,
                        "the HDF5 file is damaged: libhdf5 breaks down over it");
}

bool read_h5(Source *s)
{
    const rnct_mapped *file = source_map(s, s->data->path); /* for the hash of its name and time */
    return file && survives(s, file->size) && read_file(s);
}

#else

bool read_h5(Source *s)
{
    return rnct_problem(s->problems, s->data->path,
                        "cannot be read: this rnc was built without libhdf5 (libhdf5-dev)");
}

#endif
