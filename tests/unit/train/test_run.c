/* test_run.c: whole runs of a step that is written by hand; runs that are stopped and killed. */
#include "train/run.h"

#include "softstep.h"
#include "traintest.h"

#include "train/log.h"
#include "train/ranks.h"

#include <CUnit/CUnit.h>

#include <fcntl.h>
#include <math.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

enum { PICTURES = 60, PIXELS = SOFT_SIDE * SOFT_SIDE };

/* Pictures of three classes that differ in where they are light, and a run on them. */
typedef struct RunTest {
    TestFolder folder;
    unsigned char pixels[PICTURES][PIXELS];
    int32_t labels[PICTURES];
    const char *names[SOFT_CLASSES];
    rnct_set set;
    rnct_run run;
    rnct_problems problems;
    char path[128];
} RunTest;

static void begin(RunTest *t)
{
    *t = (RunTest){.folder = folder_new(), .names = {"top", "middle", "bottom"}};
    for (int n = 0; n < PICTURES; n++) {
        t->labels[n] = n % SOFT_CLASSES;
        for (int i = 0; i < PIXELS; i++)
            t->pixels[n][i] =
                (unsigned char)((n * 31 + i * 17) % 97 + (i / SOFT_SIDE == t->labels[n] ? 60 : 0));
    }
    t->set = (rnct_set){.n = PICTURES,
                        .h = SOFT_SIDE,
                        .w = SOFT_SIDE,
                        .c = 1,
                        .classes = SOFT_CLASSES,
                        .pixels = t->pixels[0],
                        .labels = t->labels,
                        .names = t->names,
                        .hash = 77};
    snprintf(t->path, sizeof t->path, "%s/run", t->folder.path);
    t->run = (rnct_run){.info = &soft_info,
                        .set = &t->set,
                        .validation = 0.2,
                        .augment = {.flip = 0.5f, .brightness = 0.3f},
                        .batch = SOFT_BATCH,
                        .epochs = 6,
                        .schedule = {.kind = RNCT_COSINE, .epochs = 6, .end = 0.1},
                        .rate = 0.1,
                        .seed = 5,
                        .plan = "epochs 6\noptimizer by hand\n",
                        .folder = t->path,
                        .program = "test"};
}

static void end(RunTest *t)
{
    folder_remove(&t->folder);
}

static const char *in_run(const RunTest *t, const char *name)
{
    char path[64];
    snprintf(path, sizeof path, "run/%s", name);
    return folder_path(&t->folder, path);
}

static rnct_end train(RunTest *t)
{
    t->problems = (rnct_problems){0};
    return rnct_run_train(&t->run, &t->problems);
}

static void fails(RunTest *t, const char *words)
{
    CU_ASSERT_EQUAL(train(t), RNCT_FAILED);
    says(&t->problems, words);
}

/* Checks that two runs left the same bytes; of epochs.csv without `seconds`, its last column. */
static void same_file(const RunTest *a, const RunTest *b, const char *name)
{
    size_t n, m;
    char *x = file_bytes(in_run(a, name), &n), *y = file_bytes(in_run(b, name), &m);
    if (strcmp(name, "epochs.csv") == 0) {
        const char *p = x, *q = y;
        while (*p && *q && *p == *q) {
            p++, q++;
            if (p[-1] == ',' && strcspn(p, ",") > strcspn(p, "\n"))
                p += strcspn(p, "\n"), q += strcspn(q, "\n");
        }
        CU_ASSERT(*p == *q);
    } else {
        CU_ASSERT(n == m && memcmp(x, y, n) == 0);
    }
    free(x);
    free(y);
}

static void same_run(const RunTest *a, const RunTest *b)
{
    static const char *const names[] = {"best.safetensors", "last.safetensors", "last.checkpoint",
                                        "steps.csv",        "steps.jsonl",      "epochs.csv",
                                        "confusion.txt",    "classes.txt",      "curves.svg"};
    for (size_t i = 0; i < sizeof names / sizeof *names; i++)
        same_file(a, b, names[i]);
}

static size_t rows_of(RunTest *t, const char *name)
{
    rnct_table table;
    CU_ASSERT_FATAL(rnct_table_read(&table, in_run(t, name), &t->problems));
    const size_t rows = table.rows;
    rnct_table_free(&table);
    return rows;
}

static double last_of(RunTest *t, const char *column)
{
    rnct_table table;
    CU_ASSERT_FATAL(rnct_table_read(&table, in_run(t, "epochs.csv"), &t->problems));
    const size_t at = (table.rows - 1) * (size_t)table.columns;
    const double x = table.values[at + (size_t)rnct_table_column(&table, column)];
    rnct_table_free(&table);
    return x;
}

static void test_whole(void)
{
    RunTest t;
    rnct_table table;
    begin(&t);
    CU_ASSERT_EQUAL(train(&t), RNCT_FINISHED);
    no_problems(&t.problems);
    CU_ASSERT_EQUAL(rows_of(&t, "epochs.csv"), 6);
    CU_ASSERT(last_of(&t, "loss") < 0.9);
    CU_ASSERT(last_of(&t, "held_accuracy") > 0.9);
    CU_ASSERT_FATAL(rnct_table_read(&table, in_run(&t, "steps.csv"), &t.problems));
    CU_ASSERT_EQUAL(table.rows, 36);
    const int rate = rnct_table_column(&table, "rate");
    CU_ASSERT_DOUBLE_EQUAL(table.values[rate], 0.1, 1e-12);
    CU_ASSERT(table.values[35 * table.columns + rate] < 0.012);
    rnct_table_free(&table);
    fails(&t, "has a run already: --resume");
    t.run.resume = true;
    CU_ASSERT_EQUAL(train(&t), RNCT_FINISHED);
    end(&t);
}

/* The signal that comes during the step after so many others; each signal once. */
static int steps_left, signal_sent;

static rnc_status stopped_step(void *net, const void *const *inputs, int images, double rate,
                               rnc_metrics *m)
{
    if (steps_left-- == 0)
        kill(getpid(), signal_sent);
    return soft_info.step(net, inputs, images, rate, m);
}

static void test_stopped(void)
{
    static const int signals[] = {SIGTERM, SIGINT, SIGHUP};
    RunTest whole, t;
    begin(&whole);
    begin(&t);
    CU_ASSERT_EQUAL(train(&whole), RNCT_FINISHED);
    rnc_train_info info = soft_info;
    info.step = stopped_step;
    t.run.info = &info;
    for (int i = 0; i < 8; i++) {
        steps_left = i;
        signal_sent = signals[i % 3];
        CU_ASSERT_EQUAL(train(&t), RNCT_INTERRUPTED);
        no_problems(&t.problems);
        t.run.resume = true;
    }
    steps_left = -1;
    CU_ASSERT_EQUAL(train(&t), RNCT_FINISHED);
    same_run(&whole, &t);
    end(&whole);
    end(&t);
}

/* Trains in a process that is killed after some time; true if it had finished before. */
static bool killed(RunTest *t, long nanoseconds)
{
    int status;
    const pid_t pid = fork();
    if (pid == 0)
        _exit(train(t) == RNCT_FINISHED ? 0 : 1);
    const struct timespec time = {0, nanoseconds};
    nanosleep(&time, NULL);
    kill(pid, SIGKILL);
    waitpid(pid, &status, 0);
    CU_ASSERT(WIFSIGNALED(status) || WEXITSTATUS(status) == 0);
    return WIFEXITED(status);
}

static void test_killed(void)
{
    const rnc_train_info *const infos[] = {&soft_info, &soft_two_info};
    for (int i = 0; i < 2; i++) {
        RunTest whole, t;
        int kills = 0;
        begin(&whole);
        begin(&t);
        whole.run.info = t.run.info = infos[i];
        whole.run.save_steps = 0;
        t.run.save_steps = 2;
        t.run.resume = true;
        CU_ASSERT_EQUAL(train(&whole), RNCT_FINISHED);
        for (long time = 1000000; !killed(&t, time); kills++)
            time = time * 7 % 29000000 + 300000;
        CU_ASSERT(kills > 0);
        CU_ASSERT_EQUAL(train(&t), RNCT_FINISHED);
        same_run(&whole, &t);
        end(&whole);
        end(&t);
    }
}

static void test_refused(void)
{
    RunTest t;
    begin(&t);
    t.run.epochs = 2;
    CU_ASSERT_EQUAL(train(&t), RNCT_FINISHED);
    t.run.resume = true;
    t.run.epochs = 4;
    t.run.plan = "epochs 4\noptimizer by hand\n";
    fails(&t, "the run has `epochs 6`");
    says(&t.problems, "and now it would be `epochs 4`");
    t.run.any_epochs = true; /* and then the two epochs more are trained */
    CU_ASSERT_EQUAL(train(&t), RNCT_FINISHED);
    CU_ASSERT_EQUAL(rows_of(&t, "epochs.csv"), 4);
    t.set.hash = 78;
    fails(&t, "the run has `data: 60 pictures, 3 classes, all in all 000000000000004d`");
    t.set.hash = 77;
    t.run.seed = 6;
    fails(&t, "the run has `seed 5`");
    t.run.seed = 5;
    t.run.info = &soft_two_info;
    fails(&t, "the run has `network soft, steps of the kind 0000000000000001, tensors");
    t.run.info = &soft_info;
    t.run.folder = "/proc/run";
    fails(&t, "cannot be made");
    t.run.folder = in_run(&t, "steps.csv");
    fails(&t, "cannot be used as a folder: Not a directory");
    end(&t);
}

static void test_data(void)
{
    RunTest t;
    begin(&t);
    t.set.h = 5, t.set.c = 3, t.set.classes = 2;
    fails(&t, "--size 4x4 (height by width) scales and cuts them");
    says(&t.problems, "the pictures have 3 channels, and the network takes 1");
    says(&t.problems, "there are 2 classes, and the network tells 3 apart");
    CU_ASSERT_EQUAL(t.problems.n, 3);
    t.set.h = 4, t.set.c = 1, t.set.classes = 3;
    rnct_set held = t.set;
    const char *names[] = {"top", "bottom", "middle"};
    held.names = names;
    t.run.held = &held;
    fails(&t, "class 1 is bottom, and that of the data trained on is middle");
    held.names = t.names;
    held.hash = 5;
    CU_ASSERT_EQUAL(train(&t), RNCT_FINISHED);
    t.run.batch = 7;
    fails(&t, "is for batches of 8 in each of 1 ranks, not for 7 in all");
    end(&t);
}

static void test_not_finite(void)
{
    RunTest t;
    begin(&t);
    t.run.rate = 1e37;
    fails(&t, "soft.net:3: step ");
    says(&t.problems, "of epoch 1 is not finite, first at dense1");
    CU_ASSERT(access(in_run(&t, "last.checkpoint"), F_OK) == 0);
    end(&t);
}

/* After so many others, a step whose update overflows. */
static rnc_status overflowing_step(void *net, const void *const *inputs, int images, double rate,
                                   rnc_metrics *m)
{
    float weights[SOFT_CLASSES * PIXELS];
    const rnc_status status = soft_info.step(net, inputs, images, rate, m);
    if (steps_left-- == 0) {
        soft_info.get(net, 0, weights);
        weights[1] = INFINITY;
        soft_info.set(net, 0, weights);
    }
    return status;
}

/* Neither a checkpoint between epochs nor what an epoch leaves takes such a state. */
static void test_overflow(void)
{
    rnc_train_info info = soft_info;
    info.step = overflowing_step;
    for (uint64_t save = 0; save < 2; save++) {
        RunTest whole, t;
        begin(&whole);
        begin(&t);
        CU_ASSERT_EQUAL(train(&whole), RNCT_FINISHED);
        t.run.info = &info;
        t.run.save_steps = save;
        steps_left = 5; /* the epoch's last step */
        fails(&t, "dense1.weight: is not finite after step 6");
        CU_ASSERT(access(in_run(&t, "last.safetensors"), F_OK) != 0);
        t.run.info = &soft_info;
        t.run.resume = true;
        CU_ASSERT_EQUAL(train(&t), RNCT_FINISHED);
        same_run(&whole, &t);
        end(&whole);
        end(&t);
    }
}

static void test_early(void)
{
    RunTest t;
    begin(&t);
    t.run.rate = 0; /* nothing changes, so that the first epoch stays the best */
    t.run.patience = 2;
    CU_ASSERT_EQUAL(train(&t), RNCT_FINISHED);
    CU_ASSERT_EQUAL(rows_of(&t, "epochs.csv"), 3);
    end(&t);
}

static void test_overfit(void)
{
    RunTest t;
    begin(&t);
    t.run.overfit = 5;
    t.run.epochs = 12;
    t.run.schedule.kind = RNCT_CONSTANT;
    CU_ASSERT_EQUAL(train(&t), RNCT_FINISHED);
    no_problems(&t.problems);
    CU_ASSERT_EQUAL(rows_of(&t, "epochs.csv"), 12);
    CU_ASSERT_DOUBLE_EQUAL(last_of(&t, "held_accuracy"), 1, 0);
    end(&t);
}

static void test_square(void)
{
    RunTest t;
    begin(&t);
    t.run.info = &soft_square_info;
    t.run.epochs = 12;
    CU_ASSERT_EQUAL(train(&t), RNCT_FINISHED);
    no_problems(&t.problems);
    CU_ASSERT(last_of(&t, "held_accuracy") > 0.9);
    end(&t);
}

static void test_weights(void)
{
    RunTest t;
    size_t n, m;
    static float weight[SOFT_CLASSES * PIXELS], bias[SOFT_CLASSES] = {0.5f, 0.25f, -1};
    const float *first[8] = {weight, bias};
    begin(&t);
    t.run.epochs = 1;
    CU_ASSERT_EQUAL(train(&t), RNCT_FINISHED);
    char *best = file_bytes(in_run(&t, "best.safetensors"), &n),
         *last = file_bytes(in_run(&t, "last.safetensors"), &m);
    CU_ASSERT(n == m && memcmp(best, last, n) != 0);
    free(best);
    free(last);
    end(&t);
    begin(&t);
    t.run.epochs = 1;
    t.run.rate = 0;
    t.run.begin = first;
    CU_ASSERT_EQUAL(train(&t), RNCT_FINISHED);
    last = file_bytes(in_run(&t, "last.safetensors"), &m);
    CU_ASSERT(memcmp(last + m - sizeof bias, bias, sizeof bias) == 0);
    free(last);
    end(&t);
}

/* Two and four processes leave what one does.  `how` is the step at which a rank is killed, or -1.
 */
static rnct_end train_ranks(RunTest *t, int count, int kill_at)
{
    rnc_train_info info = soft_info;
    rnc_port_info ports[2] = {soft_info.inputs[0], soft_info.inputs[1]};
    rnct_link link;
    t->problems = (rnct_problems){0};
    if (!rnct_ranks_fork(count, &link, &t->problems))
        return RNCT_FAILED;
    rnc_ranks *r = rnct_ranks_new(&link, &t->problems);
    ports[0].n = ports[1].n = SOFT_BATCH / count;
    info.inputs = ports;
    info.ranks = count;
    if (r && r->rank == 1 && kill_at >= 0) {
        info.step = stopped_step;
        steps_left = kill_at;
        signal_sent = SIGKILL;
    }
    t->run.info = &info;
    t->run.ranks = r;
    const rnct_end how = r ? rnct_run_train(&t->run, &t->problems) : RNCT_FAILED;
    const int rank = r ? r->rank : -1;
    rnct_ranks_free(r, how == RNCT_FAILED);
    if (rank != 0)
        _exit(how == RNCT_FAILED);
    t->run.ranks = NULL;
    t->run.info = &soft_info;
    return rnct_ranks_wait(&link, 10) ? how : RNCT_FAILED;
}

static void test_ranks(void)
{
    RunTest whole, t;
    begin(&whole);
    CU_ASSERT_EQUAL(train(&whole), RNCT_FINISHED);
    for (int count = 2; count <= 8; count *= 2) {
        begin(&t);
        CU_ASSERT_EQUAL(train_ranks(&t, count, -1), RNCT_FINISHED);
        no_problems(&t.problems);
        same_run(&whole, &t);
        end(&t);
    }
    /* A rank that is killed ends the job; it goes on with other numbers of ranks. */
    begin(&t);
    for (int i = 0; i < 3; i++) {
        const int count = 2 << i;
        int status;
        fflush(stdout);
        const pid_t pid = fork();
        if (pid == 0) {
            const int null = open("/dev/null", O_WRONLY);
            dup2(null, 2);
            _exit(train_ranks(&t, count, 7) == RNCT_FINISHED ? 0 : 1);
        }
        waitpid(pid, &status, 0);
        CU_ASSERT(WIFEXITED(status) && WEXITSTATUS(status) == 1);
        t.run.resume = true;
    }
    CU_ASSERT_EQUAL(train(&t), RNCT_FINISHED);
    same_run(&whole, &t);
    end(&t);
    end(&whole);
}

/* A disk that is full, as a limit of file sizes has it: the run ends, and what is there goes on
 * when there is room again. */
static void test_full(void)
{
    RunTest whole, t;
    begin(&whole);
    begin(&t);
    CU_ASSERT_EQUAL(train(&whole), RNCT_FINISHED);
    for (rlim_t size = 64; size < 6000; size += 450) {
        const pid_t pid = fork();
        if (pid == 0) {
            const struct rlimit limit = {size, size};
            signal(SIGXFSZ, SIG_IGN);
            setrlimit(RLIMIT_FSIZE, &limit);
            const rnct_end how = train(&t);
            _exit(how == RNCT_FINISHED ? 0 : strstr(t.problems.text[0], "File too large") ? 1 : 2);
        }
        int status;
        waitpid(pid, &status, 0);
        CU_ASSERT(WIFEXITED(status) && WEXITSTATUS(status) < 2);
        t.run.resume = true;
    }
    CU_ASSERT_EQUAL(train(&t), RNCT_FINISHED);
    same_run(&whole, &t);
    end(&whole);
    end(&t);
}

static void test_locked(void)
{
    RunTest t;
    int ready[2];
    begin(&t);
    t.run.epochs = 1;
    CU_ASSERT_EQUAL(train(&t), RNCT_FINISHED);
    t.run.resume = true;
    CU_ASSERT_FATAL(pipe(ready) == 0);
    const pid_t pid = fork();
    if (pid == 0) {
        const int fd = open(t.path, O_RDONLY | O_DIRECTORY);
        char c = 0;
        if (flock(fd, LOCK_EX) == 0 && write(ready[1], &c, 1) == 1)
            pause();
        _exit(1);
    }
    char c;
    CU_ASSERT_EQUAL(read(ready[0], &c, 1), 1);
    fails(&t, "is being trained in by another program");
    kill(pid, SIGKILL);
    waitpid(pid, NULL, 0);
    close(ready[0]);
    close(ready[1]);
    end(&t);
}

void suite_run(void)
{
    CU_pSuite suite = CU_add_suite("run", NULL, NULL);
    CU_ADD_TEST(suite, test_whole);
    CU_ADD_TEST(suite, test_stopped);
    CU_ADD_TEST(suite, test_killed);
    CU_ADD_TEST(suite, test_refused);
    CU_ADD_TEST(suite, test_data);
    CU_ADD_TEST(suite, test_not_finite);
    CU_ADD_TEST(suite, test_overflow);
    CU_ADD_TEST(suite, test_early);
    CU_ADD_TEST(suite, test_overfit);
    CU_ADD_TEST(suite, test_square);
    CU_ADD_TEST(suite, test_weights);
    CU_ADD_TEST(suite, test_ranks);
    CU_ADD_TEST(suite, test_full);
    CU_ADD_TEST(suite, test_locked);
}
