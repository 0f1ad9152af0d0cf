/* test_whole.c: files that are there whole or not at all. */
#include "train/whole.h"

#include "traintest.h"

#include <CUnit/CUnit.h>

#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

static void holds(const char *path, const char *text)
{
    char *bytes = file_bytes(path, NULL);
    CU_ASSERT_STRING_EQUAL(bytes, text);
    free(bytes);
}

static void test_write(void)
{
    const TestFolder folder = folder_new();
    rnct_problems problems = {0};
    rnct_whole file;
    const char *path = folder_path(&folder, "a");
    CU_ASSERT_FATAL(rnct_whole_save(path, "old", 3, &problems));
    CU_ASSERT_FATAL(rnct_whole_begin(&file, path, &problems));
    CU_ASSERT_FATAL(rnct_whole_write(&file, "Xew", 3, &problems));
    CU_ASSERT(rnct_whole_write_at(&file, "n", 1, 0, &problems));
    CU_ASSERT_FATAL(rnct_whole_write(&file, "er", 2, &problems));
    holds(path, "old");
    CU_ASSERT_EQUAL(folder_count(&folder), 2);
    CU_ASSERT(rnct_whole_commit(&file, folder_path(&folder, "b"), &problems));
    holds(path, "newer");
    holds(folder_path(&folder, "b"), "newer");
    CU_ASSERT_EQUAL(folder_count(&folder), 2);
    CU_ASSERT_FATAL(rnct_whole_begin(&file, path, &problems));
    rnct_whole_abort(&file);
    rnct_whole_abort(&file);
    CU_ASSERT_EQUAL(folder_count(&folder), 2);
    no_problems(&problems);
    folder_remove(&folder);
}

/* A disk without room, as a limit on the size of files plays it. */
static void test_full_disk(void)
{
    const TestFolder folder = folder_new();
    rnct_problems problems = {0};
    struct rlimit old;
    char bytes[1000] = "";
    CU_ASSERT_FATAL(rnct_whole_save(folder_path(&folder, "a"), "old", 3, &problems));
    CU_ASSERT_FATAL(getrlimit(RLIMIT_FSIZE, &old) == 0);
    void (*handler)(int) = signal(SIGXFSZ, SIG_IGN);
    CU_ASSERT_EQUAL(setrlimit(RLIMIT_FSIZE, &(struct rlimit){500, old.rlim_max}), 0);
    const bool saved = rnct_whole_save(folder_path(&folder, "a"), bytes, sizeof bytes, &problems);
    setrlimit(RLIMIT_FSIZE, &old);
    signal(SIGXFSZ, handler);
    CU_ASSERT_FALSE(saved);
    says(&problems, "/a: cannot be written: ");
    holds(folder_path(&folder, "a"), "old");
    CU_ASSERT_EQUAL(folder_count(&folder), 1);
    folder_remove(&folder);
}

/* What a killed writer leaves goes with the next write; what a living one has stays. */
static void test_killed(void)
{
    const TestFolder folder = folder_new();
    rnct_problems problems = {0};
    rnct_whole living;
    int ready[2];
    CU_ASSERT_FATAL(pipe(ready) == 0);
    const pid_t child = fork();
    if (child == 0) {
        rnct_whole file;
        const bool good = rnct_whole_begin(&file, folder_path(&folder, "a"), &problems);
        if (write(ready[1], &good, sizeof good) > 0)
            pause();
        _exit(1);
    }
    bool begun = false;
    CU_ASSERT_EQUAL(read(ready[0], &begun, sizeof begun), (ssize_t)sizeof begun);
    close(ready[0]);
    close(ready[1]);
    CU_ASSERT(begun);
    CU_ASSERT_FATAL(rnct_whole_begin(&living, folder_path(&folder, "a"), &problems));
    CU_ASSERT_EQUAL(folder_count(&folder), 2);
    kill(child, SIGKILL);
    waitpid(child, NULL, 0);
    folder_write(&folder, "a.0123.rnc-tmp", "", 0); /* no temporary of ours: it stays */
    CU_ASSERT_FATAL(rnct_whole_save(folder_path(&folder, "a"), "1", 1, &problems));
    CU_ASSERT_EQUAL(folder_count(&folder), 3);
    CU_ASSERT_FATAL(rnct_whole_write(&living, "2", 1, &problems));
    CU_ASSERT(rnct_whole_commit(&living, NULL, &problems));
    holds(folder_path(&folder, "a"), "2");
    CU_ASSERT_EQUAL(folder_count(&folder), 2);
    no_problems(&problems);
    folder_remove(&folder);
}

static void test_refusals(void)
{
    const TestFolder folder = folder_new();
    rnct_problems problems = {0};
    CU_ASSERT_FALSE(rnct_whole_save(folder_path(&folder, "no/a"), "", 0, &problems));
    says(&problems, "/no/a: cannot be written: No such file or directory");
    CU_ASSERT_FALSE(rnct_whole_save(folder.path, "", 0, &problems));
    says(&problems, "it is not an ordinary file");
    CU_ASSERT_EQUAL(folder_count(&folder), 0);
    folder_remove(&folder);
}

void suite_whole(void)
{
    CU_pSuite suite = CU_add_suite("whole", NULL, NULL);
    CU_ADD_TEST(suite, test_write);
    CU_ADD_TEST(suite, test_full_disk);
    CU_ADD_TEST(suite, test_killed);
    CU_ADD_TEST(suite, test_refusals);
}
