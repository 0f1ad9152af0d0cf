/* checkpoint.c: see checkpoint.h. */
#include "train/checkpoint.h"

#include "runtime/rncw.h"
#include "train/bytes.h"
#include "train/mapped.h"
#include "train/whole.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#define MAGIC "RNCK\r\n\x1a\n" /* 8 bytes; shows text-mode damage */
enum { ORDER = 0x01020304 };

/* Offsets of the head's numbers, in bytes. */
enum {
    AT_VERSION = 8,
    AT_ORDER = 12, /* ORDER in the byte order of the state */
    AT_STEP = 16,
    AT_EPOCH = 24, /* u32; then 4 bytes of zeros */
    AT_NETWORK = 32,
    AT_DATA = 40,
    AT_SEED = 48,
    AT_BEST = 56, /* the bits of a double */
    AT_STATE_BYTES = 64,
    AT_STATE_SUM = 72, /* rncw_hash of the state, seed 0 */
    AT_PROGRAM = 80,   /* 40 bytes */
    AT_HEAD_SUM = 120  /* rncw_hash of the bytes before it, seed 0 */
};

static void write_head(unsigned char *head, const rnct_checkpoint *about, const void *state,
                       size_t bytes)
{
    const uint32_t order = ORDER;
    uint64_t best;
    memset(head, 0, RNCT_CHECKPOINT_HEAD_BYTES);
    memcpy(head, MAGIC, 8);
    put_u32(head + AT_VERSION, RNCT_CHECKPOINT_VERSION);
    memcpy(head + AT_ORDER, &order, sizeof order);
    put_u64(head + AT_STEP, about->step);
    put_u32(head + AT_EPOCH, about->epoch);
    put_u64(head + AT_NETWORK, about->network);
    put_u64(head + AT_DATA, about->data);
    put_u64(head + AT_SEED, about->seed);
    memcpy(&best, &about->best, sizeof best);
    put_u64(head + AT_BEST, best);
    put_u64(head + AT_STATE_BYTES, bytes);
    put_u64(head + AT_STATE_SUM, rncw_hash(state, bytes, 0));
    memcpy(head + AT_PROGRAM, about->program, sizeof about->program - 1);
    put_u64(head + AT_HEAD_SUM, rncw_hash(head, AT_HEAD_SUM, 0));
}

/* "FOLDER/NAME" in memory that the caller frees, or NULL. */
static char *path_in(const char *folder, const char *name)
{
    const size_t size = strlen(folder) + strlen(name) + 2;
    char *path = malloc(size);
    if (path)
        snprintf(path, size, "%s/%s", folder, name);
    return path;
}

bool rnct_checkpoint_save(const char *folder, const rnct_checkpoint *about, const void *state,
                          size_t bytes, bool is_best, rnct_problems *problems)
{
    unsigned char head[RNCT_CHECKPOINT_HEAD_BYTES];
    rnct_whole file;
    char *last = path_in(folder, RNCT_CHECKPOINT_LAST);
    char *best = path_in(folder, RNCT_CHECKPOINT_BEST);
    bool good = false;
    if (!last || !best) {
        rnct_problem(problems, folder, "no memory");
    } else if (rnct_whole_begin(&file, last, problems)) {
        write_head(head, about, state, bytes);
        good = rnct_whole_write(&file, head, sizeof head, problems) &&
               rnct_whole_write(&file, state, bytes, problems);
        if (good)
            good = rnct_whole_commit(&file, is_best ? best : NULL, problems);
        else
            rnct_whole_abort(&file);
    }
    free(last);
    free(best);
    return good;
}

/* ---- reading ---- */

static void read_head(rnct_checkpoint *about, const unsigned char *head)
{
    const uint64_t best = get_u64(head + AT_BEST);
    about->step = get_u64(head + AT_STEP);
    about->epoch = get_u32(head + AT_EPOCH);
    about->network = get_u64(head + AT_NETWORK);
    about->data = get_u64(head + AT_DATA);
    about->seed = get_u64(head + AT_SEED);
    memcpy(&about->best, &best, sizeof about->best);
    about->state_bytes = get_u64(head + AT_STATE_BYTES);
    memcpy(about->program, head + AT_PROGRAM, sizeof about->program - 1);
}

/* Whether the file is a checkpoint, all of it, and undamaged. */
static bool check_file(const rnct_mapped *file, const char *path, rnct_checkpoint *about,
                       rnct_problems *problems)
{
    const unsigned char *head = file->bytes;
    uint32_t order;
    if (file->size < 8 || memcmp(head, MAGIC, 8) != 0)
        return rnct_problem(problems, path, "is no checkpoint of rnc");
    if (file->size < RNCT_CHECKPOINT_HEAD_BYTES)
        return rnct_problem(problems, path, "is cut off within its head");
    const uint32_t version = get_u32(head + AT_VERSION);
    if (version != RNCT_CHECKPOINT_VERSION)
        return rnct_problem(problems, path,
                            "is a checkpoint of version %" PRIu32 ", and this program reads %d: go "
                            "on with the rnc that wrote it",
                            version, RNCT_CHECKPOINT_VERSION);
    if (get_u64(head + AT_HEAD_SUM) != rncw_hash(head, AT_HEAD_SUM, 0))
        return rnct_problem(problems, path, "is damaged: the checksum of its head is wrong");
    memcpy(&order, head + AT_ORDER, sizeof order);
    if (order != ORDER)
        return rnct_problem(problems, path, "was written by a machine with another byte order");
    read_head(about, head);
    if (about->state_bytes != file->size - RNCT_CHECKPOINT_HEAD_BYTES)
        return rnct_problem(problems, path,
                            "is cut off, or longer than it was: its state has %" PRIu64
                            " bytes, and %zu are there",
                            about->state_bytes, file->size - RNCT_CHECKPOINT_HEAD_BYTES);
    if (get_u64(head + AT_STATE_SUM) !=
        rncw_hash(head + RNCT_CHECKPOINT_HEAD_BYTES, (size_t)about->state_bytes, 0))
        return rnct_problem(problems, path, "is damaged: the checksum of its state is wrong");
    return true;
}

/* Whether it continues the run that `expected` describes. */
static bool check_run(const char *path, const rnct_checkpoint *about,
                      const rnct_checkpoint *expected, rnct_problems *problems)
{
    bool good = true;
    if (about->network != expected->network)
        good = rnct_problem(problems, path,
                            "is of another network or another way to train it (%016" PRIx64
                            ", and this is %016" PRIx64
                            "): go on with the files and options that the run began with, or begin "
                            "a run in another folder",
                            about->network, expected->network);
    if (about->data != expected->data)
        good = rnct_problem(problems, path,
                            "is of a run on other data (%016" PRIx64 ", and this is %016" PRIx64
                            "): pictures were added, removed or changed since; go on with the old "
                            "ones, or begin a run in another folder",
                            about->data, expected->data);
    if (about->seed != expected->seed)
        good = rnct_problem(problems, path,
                            "is of a run with seed %" PRIu64 ", and this one has %" PRIu64
                            ": give it the same",
                            about->seed, expected->seed);
    return good;
}

bool rnct_checkpoint_load(const char *path, const rnct_checkpoint *expected, rnct_checkpoint *about,
                          void *state, size_t bytes, rnct_problems *problems)
{
    rnct_mapped file;
    *about = (rnct_checkpoint){0};
    if (!rnct_map(&file, path, problems))
        return false;
    bool good = check_file(&file, path, about, problems);
    if (good && expected)
        good = check_run(path, about, expected, problems);
    if (good && state && about->state_bytes != bytes)
        good = rnct_problem(problems, path,
                            "has a state of %" PRIu64 " bytes, and the network has one of %zu",
                            about->state_bytes, bytes);
    if (good && state)
        memcpy(state, file.bytes + RNCT_CHECKPOINT_HEAD_BYTES, bytes);
    rnct_unmap(&file);
    return good;
}
