/* test_log.c: logs of a run, and resuming them. */
#include "train/log.h"

#include "traintest.h"

#include <CUnit/CUnit.h>

#include <math.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>

static const char *const columns[] = {"step", "loss", "accuracy"};
static rnct_problems problems;

static void holds(const TestFolder *folder, const char *expected)
{
    char *bytes = file_bytes(folder_path(folder, "log"), NULL);
    CU_ASSERT_STRING_EQUAL(bytes, expected);
    if (strcmp(bytes, expected) != 0)
        printf("found: %s\n", bytes);
    free(bytes);
}

static void add(rnct_log *log, double step, double loss, double accuracy, bool with)
{
    const double row[] = {step, loss, accuracy};
    const bool there[] = {true, true, with};
    CU_ASSERT(rnct_log_row(log, row, there, &problems));
}

static void open_log(rnct_log *log, const TestFolder *folder, rnct_log_format format, uint64_t step)
{
    problems = (rnct_problems){0};
    CU_ASSERT_FATAL(
        rnct_log_open(log, folder_path(folder, "log"), format, columns, 3, step, &problems));
    no_problems(&problems);
}

static void test_csv(void)
{
    const TestFolder folder = folder_new();
    rnct_log log;
    open_log(&log, &folder, RNCT_CSV, 0);
    add(&log, 1, 2.5, 0, false);
    add(&log, 2, 0.1, 1.0 / 3, true);
    holds(&folder, "step,loss,accuracy\n1,2.5,\n2,0.1,0.3333333333333333\n"); /* without a close */
    add(&log, 10, (double)NAN, -(double)INFINITY, true);
    rnct_log_close(&log);
    /* From step 2 on, written anew; the rows of a run of that many steps stay. */
    open_log(&log, &folder, RNCT_CSV, 2);
    add(&log, 3, 1e-300, 20, true);
    rnct_log_close(&log);
    holds(&folder, "step,loss,accuracy\n1,2.5,\n2,0.1,0.3333333333333333\n3,1e-300,20\n");
    open_log(&log, &folder, RNCT_CSV, 1000);
    rnct_log_close(&log);
    holds(&folder, "step,loss,accuracy\n1,2.5,\n2,0.1,0.3333333333333333\n3,1e-300,20\n");
    open_log(&log, &folder, RNCT_CSV, 0);
    rnct_log_close(&log);
    holds(&folder, "step,loss,accuracy\n");
    folder_remove(&folder);
}

static void test_json_lines(void)
{
    const TestFolder folder = folder_new();
    rnct_log log;
    open_log(&log, &folder, RNCT_JSON_LINES, 0);
    add(&log, 1, 2.5, 0, false);
    add(&log, 2, (double)NAN, 0.25, true);
    add(&log, 3, -(double)INFINITY, 0.5, true);
    rnct_log_close(&log);
    holds(&folder, "{\"step\":1,\"loss\":2.5}\n{\"step\":2,\"loss\":\"nan\",\"accuracy\":0.25}\n"
                   "{\"step\":3,\"loss\":\"-inf\",\"accuracy\":0.5}\n");
    open_log(&log, &folder, RNCT_JSON_LINES, 1);
    rnct_log_close(&log);
    holds(&folder, "{\"step\":1,\"loss\":2.5}\n");
    folder_remove(&folder);
}

/* Cut off anywhere, a log goes on with whole rows. */
static void test_cut_off(void)
{
    static const char whole[] = "step,loss,accuracy\n1,2,3\n2,3,4\n";
    const TestFolder folder = folder_new();
    for (size_t n = 0; n < sizeof whole; n++) {
        rnct_log log;
        folder_write(&folder, "log", whole, n);
        open_log(&log, &folder, RNCT_CSV, 2);
        add(&log, 9, 1, 1, true);
        rnct_log_close(&log);
        const size_t kept = n < 19 ? 19 : n < 25 ? 19 : n < 31 ? 25 : 31;
        char expected[64];
        snprintf(expected, sizeof expected, "%.*s9,1,1\n", (int)kept, whole);
        holds(&folder, expected);
    }
    folder_remove(&folder);
}

static void refused(const TestFolder *folder, const char *text, rnct_log_format format,
                    const char *words)
{
    rnct_log log;
    problems = (rnct_problems){0};
    folder_write(folder, "log", text, strlen(text));
    CU_ASSERT_FALSE(
        rnct_log_open(&log, folder_path(folder, "log"), format, columns, 3, 5, &problems));
    says(&problems, words);
    holds(folder, text);
}

static void test_refusals(void)
{
    const TestFolder folder = folder_new();
    rnct_log log;
    refused(&folder, "step,loss,lr\n1,2,3\n", RNCT_CSV,
            "is no log with the columns step,loss,accuracy, and is not overwritten");
    refused(&folder, "my thesis, which is long enough\n", RNCT_CSV, "is not overwritten");
    refused(&folder, "my thesis\n", RNCT_CSV, "is not overwritten");
    refused(&folder, "my thesis\n", RNCT_JSON_LINES, "is no log, and is not overwritten");
    refused(&folder, "step,loss,accuracy\n1,2,3\nx\n", RNCT_CSV, "is no log, and is not");
    CU_ASSERT_FALSE(rnct_log_open(&log, "/dev/null/log", RNCT_CSV, columns, 3, 0, &problems));
    says(&problems, "/dev/null/log: cannot be written: Not a directory");
    CU_ASSERT_FALSE(rnct_log_open(&log, "/dev/null/log", RNCT_CSV, columns + 1, 2, 0, &problems));
    says(&problems, "the first is 'step'");
    folder_remove(&folder);
}

static void test_full_disk(void)
{
    const TestFolder folder = folder_new();
    struct rlimit old;
    rnct_log log;
    const double row[] = {2, 0.123456789, 0.123456789};
    open_log(&log, &folder, RNCT_CSV, 0);
    add(&log, 1, 1, 1, true);
    CU_ASSERT_FATAL(getrlimit(RLIMIT_FSIZE, &old) == 0);
    void (*handler)(int) = signal(SIGXFSZ, SIG_IGN);
    setrlimit(RLIMIT_FSIZE, &(struct rlimit){30, old.rlim_max}); /* 5 bytes of the row fit */
    const bool good = rnct_log_row(&log, row, NULL, &problems);
    setrlimit(RLIMIT_FSIZE, &old);
    signal(SIGXFSZ, handler);
    CU_ASSERT_FALSE(good);
    says(&problems, "log: cannot be written: File too large");
    holds(&folder, "step,loss,accuracy\n1,1,1\n");
    CU_ASSERT(rnct_log_row(&log, row, NULL, &problems));
    holds(&folder, "step,loss,accuracy\n1,1,1\n2,0.123456789,0.123456789\n");
    rnct_log_close(&log);
    folder_remove(&folder);
}

static void test_table(void)
{
    const TestFolder folder = folder_new();
    rnct_table table;
    rnct_log log;
    open_log(&log, &folder, RNCT_CSV, 0);
    for (int i = 0; i < 1000; i++)
        add(&log, i, 1.0 / (i + 1), (double)NAN, i % 2 == 0);
    rnct_log_close(&log);
    problems = (rnct_problems){0};
    CU_ASSERT_FATAL(rnct_table_read(&table, folder_path(&folder, "log"), &problems));
    CU_ASSERT(table.columns == 3 && table.rows == 1000);
    CU_ASSERT(rnct_table_column(&table, "loss") == 1 && rnct_table_column(&table, "x") == -1);
    CU_ASSERT(table.values[3 * 999] == 999 && table.values[3 * 999 + 1] == 1.0 / 1000);
    CU_ASSERT(isnan(table.values[3 * 999 + 2]));
    rnct_table_free(&table);
    folder_write(&folder, "log", "step,loss\n1,2\n3,x\n", 18);
    CU_ASSERT_FALSE(rnct_table_read(&table, folder_path(&folder, "log"), &problems));
    says(&problems, "line 3 is no row of numbers");
    folder_write(&folder, "log", "step,loss\n1\n", 12);
    CU_ASSERT_FALSE(rnct_table_read(&table, folder_path(&folder, "log"), &problems));
    folder_write(&folder, "log", "", 0);
    CU_ASSERT_FATAL(rnct_table_read(&table, folder_path(&folder, "log"), &problems));
    CU_ASSERT(table.columns == 0 && table.rows == 0);
    rnct_table_free(&table);
    CU_ASSERT_FALSE(rnct_table_read(&table, folder_path(&folder, ""), &problems));
    says(&problems, "cannot be read: Is a directory");
    CU_ASSERT_FALSE(rnct_table_read(&table, folder_path(&folder, "none"), &problems));
    says(&problems, "none: cannot be read: No such file");
    folder_remove(&folder);
}

void suite_log(void)
{
    CU_pSuite suite = CU_add_suite("log", NULL, NULL);
    CU_ADD_TEST(suite, test_csv);
    CU_ADD_TEST(suite, test_json_lines);
    CU_ADD_TEST(suite, test_cut_off);
    CU_ADD_TEST(suite, test_refusals);
    CU_ADD_TEST(suite, test_full_disk);
    CU_ADD_TEST(suite, test_table);
}
