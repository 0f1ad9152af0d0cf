/* test_checkpoint.c: checkpoints, and writers that are killed. */
#include "train/checkpoint.h"

#include "traintest.h"

#include <CUnit/CUnit.h>

#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

static const rnct_checkpoint here = {.step = 1234567890123,
                                     .epoch = 7,
                                     .network = 0x1111,
                                     .data = 0x2222,
                                     .seed = 3,
                                     .best = 0.75,
                                     .program = "0.1.0"};

static void test_round_trip(void)
{
    const TestFolder folder = folder_new();
    rnct_problems problems = {0};
    rnct_checkpoint about;
    char state[] = "parameters", read[sizeof state] = "";
    const char *last = folder_path(&folder, "last.checkpoint");
    const char *best = folder_path(&folder, "best.checkpoint");
    CU_ASSERT_FATAL(rnct_checkpoint_save(folder.path, &here, state, sizeof state, true, &problems));
    CU_ASSERT_FATAL(rnct_checkpoint_load(last, &here, &about, read, sizeof read, &problems));
    CU_ASSERT_STRING_EQUAL(read, "parameters");
    CU_ASSERT(about.step == here.step && about.epoch == 7 && about.best == 0.75);
    CU_ASSERT(about.state_bytes == sizeof state && strcmp(about.program, "0.1.0") == 0);
    CU_ASSERT(
        rnct_checkpoint_save(folder.path, &here, "PARAMETERS", sizeof state, false, &problems));
    CU_ASSERT_FATAL(rnct_checkpoint_load(best, NULL, &about, read, sizeof read, &problems));
    CU_ASSERT_STRING_EQUAL(read, "parameters");
    CU_ASSERT_FATAL(rnct_checkpoint_load(last, NULL, &about, read, sizeof read, &problems));
    CU_ASSERT_STRING_EQUAL(read, "PARAMETERS");
    CU_ASSERT_FATAL(rnct_checkpoint_load(last, NULL, &about, NULL, 0, &problems));
    CU_ASSERT_EQUAL(folder_count(&folder), 2);
    no_problems(&problems);
    folder_remove(&folder);
}

static void refused(const TestFolder *folder, const rnct_checkpoint *expected, size_t bytes,
                    const char *words)
{
    rnct_problems problems = {0};
    rnct_checkpoint about;
    char read[16] = "untouched";
    CU_ASSERT_FALSE(rnct_checkpoint_load(folder_path(folder, "last.checkpoint"), expected, &about,
                                         read, bytes, &problems));
    says(&problems, words);
    CU_ASSERT_STRING_EQUAL(read, "untouched");
}

static void test_other_runs(void)
{
    const TestFolder folder = folder_new();
    rnct_problems problems = {0};
    rnct_checkpoint other = here;
    CU_ASSERT_FATAL(rnct_checkpoint_save(folder.path, &here, "state", 6, false, &problems));
    other.network = 5;
    refused(&folder, &other, 6,
            "another network or another way to train it (0000000000001111, and this is "
            "0000000000000005)");
    other.data = 6;
    refused(&folder, &other, 6, "is of a run on other data");
    other.seed = 4;
    refused(&folder, &other, 6, "with seed 3, and this one has 4");
    refused(&folder, &other, 6, "another network"); /* all at once */
    refused(&folder, &here, 7, "has a state of 6 bytes, and the network has one of 7");
    no_problems(&problems);
    folder_remove(&folder);
}

static void test_damage(void)
{
    const TestFolder folder = folder_new();
    rnct_problems problems = {0};
    size_t size;
    CU_ASSERT_FATAL(rnct_checkpoint_save(folder.path, &here, "state", 6, false, &problems));
    char *bytes = file_bytes(folder_path(&folder, "last.checkpoint"), &size);
    CU_ASSERT_EQUAL_FATAL(size, RNCT_CHECKPOINT_HEAD_BYTES + 6);
    /* Any byte that is another, any length that is another. */
    for (size_t i = 0; i < size; i++) {
        bytes[i] ^= 0x40;
        folder_write(&folder, "last.checkpoint", bytes, size);
        refused(&folder, NULL, 6,
                i < 8                            ? "is no checkpoint of rnc"
                : i < 12                         ? "version"
                : i < RNCT_CHECKPOINT_HEAD_BYTES ? "the checksum of its head is wrong"
                                                 : "the checksum of its state is wrong");
        bytes[i] ^= 0x40;
    }
    for (size_t n = 0; n < size; n++) {
        folder_write(&folder, "last.checkpoint", bytes, n);
        refused(&folder, NULL, 6, n < 8 ? "is no checkpoint" : "cut off");
    }
    char *longer = calloc(1, size + 1);
    memcpy(longer, bytes, size);
    folder_write(&folder, "last.checkpoint", longer, size + 1);
    refused(&folder, NULL, 6, "longer than it was");
    free(longer);
    free(bytes);
    folder_remove(&folder);
    refused(&folder, NULL, 6, "cannot be read: No such file");
}

/* ---- killed writers ---- */

enum { STATE = 300000, KILLS = 200 };

/* The state after a step: each byte follows from the step. */
static void fill_state(unsigned char *state, uint64_t step)
{
    for (size_t i = 0; i < STATE; i++)
        state[i] = (unsigned char)(step + i % 251);
}

static void write_until_killed(const char *folder, uint64_t step)
{
    static unsigned char state[STATE];
    static rnct_problems problems;
    for (;; step++) {
        rnct_checkpoint about = here;
        about.step = step;
        fill_state(state, step);
        if (!rnct_checkpoint_save(folder, &about, state, STATE, step % 3 == 0, &problems))
            _exit(1);
    }
}

/* Whether a checkpoint is valid and of one step; that in *step. */
static bool is_valid(const TestFolder *folder, const char *name, uint64_t *step)
{
    static unsigned char state[STATE], wanted[STATE];
    rnct_problems problems = {0};
    rnct_checkpoint about;
    const bool good =
        rnct_checkpoint_load(folder_path(folder, name), &here, &about, state, STATE, &problems);
    rnct_problems_print(&problems, "found: ", stdout);
    fill_state(wanted, about.step);
    *step = about.step;
    return good && memcmp(state, wanted, STATE) == 0;
}

static void test_killed(void)
{
    const TestFolder folder = folder_new();
    rnct_problems problems = {0};
    uint64_t last = 0, best = 0, before = 0;
    unsigned chance = 1;
    int bad = 0, moved = 0;
    static unsigned char state[STATE];
    rnct_checkpoint about = here;
    about.step = 0;
    fill_state(state, 0);
    CU_ASSERT_FATAL(rnct_checkpoint_save(folder.path, &about, state, STATE, true, &problems));
    for (int i = 0; i < KILLS; i++) {
        const pid_t child = fork();
        if (child == 0)
            write_until_killed(folder.path, before + 1);
        chance = chance * 1103515245 + 12345;
        nanosleep(&(struct timespec){0, (long)(chance >> 8) % 4000000}, NULL);
        kill(child, SIGKILL);
        int status = 0;
        waitpid(child, &status, 0);
        bad += !WIFSIGNALED(status);
        bad += !is_valid(&folder, RNCT_CHECKPOINT_LAST, &last) || last < before;
        bad += !is_valid(&folder, RNCT_CHECKPOINT_BEST, &best) || best % 3 != 0;
        moved += last > before;
        before = last;
    }
    CU_ASSERT_EQUAL(bad, 0);
    CU_ASSERT(moved > KILLS / 10); /* the writers wrote, and not only died */
    /* What is left of them goes with the next write. */
    CU_ASSERT_FATAL(rnct_checkpoint_save(folder.path, &about, state, STATE, true, &problems));
    CU_ASSERT_EQUAL(folder_count(&folder), 2);
    no_problems(&problems);
    folder_remove(&folder);
}

void suite_checkpoint(void)
{
    CU_pSuite suite = CU_add_suite("checkpoint", NULL, NULL);
    CU_ADD_TEST(suite, test_round_trip);
    CU_ADD_TEST(suite, test_other_runs);
    CU_ADD_TEST(suite, test_damage);
    CU_ADD_TEST(suite, test_killed);
}
