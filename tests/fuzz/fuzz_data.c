/* fuzz_data.c: any bytes as training data: a file of each kind, a picture in a folder, a cache, a
 * checkpoint.
 *
 * The first byte says as what the others are read.  What is refused has a problem, and what is
 * taken is whole: every pixel, label and name is read, and opening it again, through the cache
 * that was written, gives the same set.  Caches are synchronised to the disk, so that a TMPDIR in
 * memory makes it many times as fast. */
#include "fuzz.h"
#include "runtime/rncw.h"
#include "train/bytes.h"
#include "train/cache_parts.h"
#include "train/checkpoint.h"
#include "train/set.h"

#include <fcntl.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

/* The low four bits of the first byte: an rnct_kind, of which RNCT_FOLDERS is one picture in a
 * folder, or one of these.  seeds.sh has the same numbers. */
enum { AS_CACHE = 8, AS_CHECKPOINT, AS_END };
/* Its other bits. */
enum { TEST = 16, SCALED = 32, SKIP = 64, CLASSES = 128 };
/* Of a cache and a checkpoint: their checksums are made right, so that more is read. */
enum { SUMS = 16 };
enum { FOLDER_BYTES = 256, PATH_BYTES = FOLDER_BYTES + 16 };

/* A picture that lists can name: one pixel, p.png. */
static const uint8_t pixel_png[] = {
    0x89, 0x50, 0x4e, 0x47, 0x0d, 0x0a, 0x1a, 0x0a, 0x00, 0x00, 0x00, 0x0d, 0x49, 0x48,
    0x44, 0x52, 0x00, 0x00, 0x00, 0x01, 0x00, 0x00, 0x00, 0x01, 0x08, 0x02, 0x00, 0x00,
    0x00, 0x90, 0x77, 0x53, 0xde, 0x00, 0x00, 0x00, 0x0c, 0x49, 0x44, 0x41, 0x54, 0x78,
    0x9c, 0x63, 0x60, 0x64, 0x62, 0x06, 0x00, 0x00, 0x0e, 0x00, 0x07, 0xd7, 0x6f, 0xe4,
    0x78, 0x00, 0x00, 0x00, 0x00, 0x49, 0x45, 0x4e, 0x44, 0xae, 0x42, 0x60, 0x82};

static void write_file(const char *path, const uint8_t *data, size_t size)
{
    const int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC, 0600);
    if (fd < 0 || write(fd, data, size) != (ssize_t)size)
        abort();
    close(fd);
}

static void read_set(const rnct_set *set)
{
    volatile unsigned char sum = 0;
    if (set->n == 0 || set->h <= 0 || set->w <= 0 || set->c <= 0 || set->classes <= 0)
        abort();
    const size_t bytes = set->n * (size_t)set->h * (size_t)set->w * (size_t)set->c;
    for (size_t i = 0; i < bytes; i++)
        sum = (unsigned char)(sum + set->pixels[i]);
    for (size_t i = 0; i < set->n; i++) {
        if (set->labels[i] < 0 || set->labels[i] >= set->classes)
            abort();
    }
    for (int i = 0; i < set->classes; i++)
        sum = (unsigned char)(sum + strlen(set->names[i]));
}

static void read_data(const char *folder, int how, const uint8_t *data, size_t size)
{
    static const char *const names[] = {"a", "b", "c"};
    char class[PATH_BYTES], file[PATH_BYTES], cache[PATH_BYTES], picture[PATH_BYTES];
    const int kind = how & 15;
    snprintf(class, sizeof class, "%s/a", folder);
    snprintf(file, sizeof file, kind == RNCT_FOLDERS ? "%s/a/p.png" : "%s/data.bin", folder);
    snprintf(cache, sizeof cache, "%s/cache", folder);
    snprintf(picture, sizeof picture, "%s/p.png", folder);
    rnct_data about = {.path = file, .kind = (rnct_kind)kind};
    if (kind == RNCT_NAMES)
        return;
    if (kind == RNCT_FOLDERS) {
        if (mkdir(class, 0700) != 0)
            abort();
        about.path = folder;
    }
    if (kind == RNCT_LIST)
        write_file(picture, pixel_png, sizeof pixel_png);
    write_file(file, data, size);
    about.part = how & TEST ? RNCT_TEST : RNCT_TRAIN;
    about.skip = how & SKIP;
    about.h = about.w = how & SCALED ? 5 : 0;
    if (how & CLASSES) {
        about.classes = names;
        about.n_classes = 3;
    }
    static rnct_problems problems, skipped;
    problems.n = skipped.n = 0;
    rnct_set set, again;
    if (rnct_set_open(&set, &about, cache, &problems, &skipped)) {
        read_set(&set);
        if (problems.n || !rnct_set_open(&again, &about, cache, &problems, &skipped) ||
            again.built || again.hash != set.hash)
            abort();
        rnct_set_close(&again);
    } else if (problems.n == 0) {
        abort();
    }
    rnct_set_close(&set);
    unlink(cache);
    unlink(picture);
    unlink(file);
    rmdir(class);
}

/* The bytes begin with a cache's head after its magic, without the zeros at the head's end. */
static void read_cache(const char *folder, int how, const uint8_t *data, size_t size)
{
    enum { GIVEN = CACHE_AT_SUM };
    char path[PATH_BYTES];
    if (size < GIVEN)
        return;
    const size_t whole = CACHE_HEAD_BYTES + size - GIVEN;
    unsigned char *bytes = calloc(1, whole);
    if (!bytes)
        return;
    memcpy(bytes, CACHE_MAGIC, 8);
    memcpy(bytes + 8, data, GIVEN);
    memcpy(bytes + CACHE_HEAD_BYTES, data + GIVEN, size - GIVEN);
    if (how & SUMS) {
        put_u32(bytes + CACHE_AT_VERSION, 1);
        put_u64(bytes + CACHE_AT_SUM,
                cache_sum(bytes + CACHE_HEAD_BYTES, whole - CACHE_HEAD_BYTES, 0));
        put_u64(bytes + CACHE_AT_HEAD_SUM, rncw_hash(bytes, CACHE_AT_HEAD_SUM, 0));
    }
    snprintf(path, sizeof path, "%s/cache", folder);
    write_file(path, bytes, whole);
    free(bytes);
    rnct_set set;
    static rnct_problems problems;
    problems.n = 0;
    if (rnct_set_open_cache(&set, path, &problems))
        read_set(&set);
    else if (problems.n == 0)
        abort();
    rnct_set_close(&set);
    unlink(path);
}

/* Its head has two checksums, at these places. */
static void read_checkpoint(const char *folder, int how, const uint8_t *data, size_t size)
{
    enum { HEAD = RNCT_CHECKPOINT_HEAD_BYTES, STATE_SUM = 72, HEAD_SUM = 120, STATE = 16 };
    char path[PATH_BYTES];
    unsigned char state[STATE];
    unsigned char *bytes = malloc(size + 1);
    if (!bytes)
        return;
    memcpy(bytes, data, size);
    if (how & SUMS && size >= HEAD) {
        put_u64(bytes + STATE_SUM, rncw_hash(bytes + HEAD, size - HEAD, 0));
        put_u64(bytes + HEAD_SUM, rncw_hash(bytes, HEAD_SUM, 0));
    }
    snprintf(path, sizeof path, "%s/state", folder);
    write_file(path, bytes, size);
    free(bytes);
    rnct_checkpoint about;
    static rnct_problems problems;
    problems.n = 0;
    if (!rnct_checkpoint_load(path, NULL, &about, state, sizeof state, &problems) !=
        (problems.n > 0))
        abort();
    if (memchr(about.program, '\0', sizeof about.program) == NULL)
        abort();
    unlink(path);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    const char *tmp = getenv("TMPDIR");
    char folder[FOLDER_BYTES];
    if (size == 0 || (data[0] & 15) >= AS_END)
        return 0;
    snprintf(folder, sizeof folder, "%s/rnc-fuzz-XXXXXX", tmp && *tmp ? tmp : "/tmp");
    if (!mkdtemp(folder))
        abort();
    const int how = data[0], kind = how & 15;
    if (kind == AS_CACHE)
        read_cache(folder, how, data + 1, size - 1);
    else if (kind == AS_CHECKPOINT)
        read_checkpoint(folder, how, data + 1, size - 1);
    else
        read_data(folder, how, data + 1, size - 1);
    rmdir(folder);
    return 0;
}
