/* test_run.c: whole runs of a step that is written by hand; runs that are stopped and killed. */
#include "train/run.h"

#include "runtest.h"
#include "softstep.h"

#include "train/log.h"
#include "train/ranks.h"

#include <CUnit/CUnit.h>

#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

static void test_whole(void)
{
    RunTest t;
    rnct_table table;
    runtest_begin(&t);
    CU_ASSERT_EQUAL(runtest_train(&t), RNCT_FINISHED);
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
    runtest_fails(&t, "has a run already: --resume");
    t.run.resume = true;
    CU_ASSERT_EQUAL(runtest_train(&t), RNCT_FINISHED);
    runtest_end(&t);
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
    runtest_begin(&whole);
    runtest_begin(&t);
    CU_ASSERT_EQUAL(runtest_train(&whole), RNCT_FINISHED);
    rnc_train_info info = soft_info;
    info.step = stopped_step;
    t.run.info = &info;
    void (*before[3])(int);
    for (int i = 0; i < 3; i++) /* a shell ignores SIGINT for what it runs in the background */
        before[i] = signal(signals[i], SIG_DFL);
    for (int i = 0; i < 8; i++) {
        steps_left = i;
        signal_sent = signals[i % 3];
        CU_ASSERT_EQUAL(runtest_train(&t), RNCT_INTERRUPTED);
        no_problems(&t.problems);
        t.run.resume = true;
    }
    for (int i = 0; i < 3; i++)
        signal(signals[i], before[i]);
    steps_left = -1;
    CU_ASSERT_EQUAL(runtest_train(&t), RNCT_FINISHED);
    same_run(&whole, &t);
    runtest_end(&whole);
    runtest_end(&t);
}

/* Trains in a process that is killed after some time; true if it had finished before. */
static bool killed(RunTest *t, long nanoseconds)
{
    int status;
    const pid_t pid = fork();
    if (pid == 0)
        _exit(runtest_train(t) == RNCT_FINISHED ? 0 : 1);
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
        runtest_begin(&whole);
        runtest_begin(&t);
        whole.run.info = t.run.info = infos[i];
        whole.run.save_steps = 0;
        t.run.save_steps = 2;
        t.run.resume = true;
        CU_ASSERT_EQUAL(runtest_train(&whole), RNCT_FINISHED);
        for (long time = 1000000; !killed(&t, time); kills++)
            time = time * 7 % 29000000 + 300000;
        CU_ASSERT(kills > 0);
        CU_ASSERT_EQUAL(runtest_train(&t), RNCT_FINISHED);
        same_run(&whole, &t);
        runtest_end(&whole);
        runtest_end(&t);
    }
}

/* Parameters that are others than those of the checkpoint are named. */
static void test_refused_tensors(void)
{
    RunTest t;
    rnc_train_info other = soft_info;
    rnc_tensor_info tensors[16];
    CU_ASSERT_FATAL((size_t)other.n_tensors <= sizeof tensors / sizeof *tensors);
    memcpy(tensors, soft_info.tensors, (size_t)other.n_tensors * sizeof *tensors);
    other.tensors = tensors;
    runtest_begin(&t);
    CU_ASSERT_EQUAL(runtest_train(&t), RNCT_FINISHED);
    t.run.info = &other;
    t.run.resume = true;
    tensors[0].dims[1]++;
    tensors[1].name = "dense2.bias";
    runtest_fails(&t,
                  "the run has the parameter dense1.weight [3, 16], and now it would be [3, 17]");
    says(&t.problems, "the run has the parameter dense1.bias [3], and now there would be none");
    says(&t.problems, "the run has no parameter dense2.bias, and now there would be one [3]");
    says(&t.problems, "belongs to a training that is not this one");
    runtest_end(&t);
}

static void test_refused(void)
{
    RunTest t;
    runtest_begin(&t);
    t.run.epochs = 2;
    CU_ASSERT_EQUAL(runtest_train(&t), RNCT_FINISHED);
    t.run.resume = true;
    t.run.epochs = 4;
    t.run.plan = "epochs 4\noptimizer by hand\n";
    runtest_fails(&t, "the run has `epochs 6`");
    says(&t.problems, "and now it would be `epochs 4`");
    t.run.any_epochs = true; /* and then the two epochs more are trained */
    CU_ASSERT_EQUAL(runtest_train(&t), RNCT_FINISHED);
    CU_ASSERT_EQUAL(rows_of(&t, "epochs.csv"), 4);
    t.set.hash = 78;
    runtest_fails(&t, "the run has `data: 60 pictures, 3 classes, all in all 000000000000004d`");
    t.set.hash = 77;
    t.run.seed = 6;
    runtest_fails(&t, "the run has `seed 5`");
    t.run.seed = 5;
    t.run.info = &soft_two_info;
    runtest_fails(&t, "the run has `network soft, steps of the kind 0000000000000001, tensors");
    t.run.info = &soft_info;
    t.run.folder = "/proc/run";
    runtest_fails(&t, "cannot be made");
    t.run.folder = in_run(&t, "steps.csv");
    runtest_fails(&t, "cannot be used as a folder: Not a directory");
    runtest_end(&t);
}

static void test_data(void)
{
    RunTest t;
    runtest_begin(&t);
    t.set.h = 5, t.set.c = 3, t.set.classes = 2;
    runtest_fails(&t, "--size 4x4 (height by width) scales and cuts them");
    says(&t.problems, "the pictures have 3 channels, and the network takes 1");
    says(&t.problems, "there are 2 classes, and the network tells 3 apart");
    CU_ASSERT_EQUAL(t.problems.n, 3);
    t.set.h = 4, t.set.c = 1, t.set.classes = 3;
    rnct_set held = t.set;
    const char *names[] = {"top", "bottom", "middle"};
    held.names = names;
    t.run.held = &held;
    runtest_fails(&t, "class 1 is bottom, and that of the data trained on is middle");
    held.names = t.names;
    held.hash = 5;
    CU_ASSERT_EQUAL(runtest_train(&t), RNCT_FINISHED);
    t.run.batch = 7;
    runtest_fails(&t, "is for batches of 8 in each of 1 ranks, not for 7 in all");
    runtest_end(&t);
}

static void test_overfit(void)
{
    RunTest t;
    runtest_begin(&t);
    t.run.overfit = 5;
    t.run.epochs = 12;
    t.run.schedule.kind = RNCT_CONSTANT;
    CU_ASSERT_EQUAL(runtest_train(&t), RNCT_FINISHED);
    no_problems(&t.problems);
    CU_ASSERT_EQUAL(rows_of(&t, "epochs.csv"), 12);
    CU_ASSERT_DOUBLE_EQUAL(last_of(&t, "held_accuracy"), 1, 0);
    runtest_end(&t);
}

static void test_square(void)
{
    RunTest t;
    runtest_begin(&t);
    t.run.info = &soft_square_info;
    t.run.epochs = 12;
    CU_ASSERT_EQUAL(runtest_train(&t), RNCT_FINISHED);
    no_problems(&t.problems);
    CU_ASSERT(last_of(&t, "held_accuracy") > 0.9);
    runtest_end(&t);
}

static void test_weights(void)
{
    RunTest t;
    size_t n, m;
    static float weight[SOFT_CLASSES * PIXELS], bias[SOFT_CLASSES] = {0.5f, 0.25f, -1};
    const float *first[8] = {weight, bias};
    runtest_begin(&t);
    t.run.epochs = 1;
    CU_ASSERT_EQUAL(runtest_train(&t), RNCT_FINISHED);
    char *best = file_bytes(in_run(&t, "best.safetensors"), &n),
         *last = file_bytes(in_run(&t, "last.safetensors"), &m);
    CU_ASSERT(n == m && memcmp(best, last, n) != 0);
    free(best);
    free(last);
    runtest_end(&t);
    runtest_begin(&t);
    t.run.epochs = 1;
    t.run.rate = 0;
    t.run.begin = first;
    CU_ASSERT_EQUAL(runtest_train(&t), RNCT_FINISHED);
    last = file_bytes(in_run(&t, "last.safetensors"), &m);
    CU_ASSERT(memcmp(last + m - sizeof bias, bias, sizeof bias) == 0);
    free(last);
    runtest_end(&t);
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
    runtest_begin(&whole);
    CU_ASSERT_EQUAL(runtest_train(&whole), RNCT_FINISHED);
    for (int count = 2; count <= 8; count *= 2) {
        runtest_begin(&t);
        CU_ASSERT_EQUAL(train_ranks(&t, count, -1), RNCT_FINISHED);
        no_problems(&t.problems);
        same_run(&whole, &t);
        runtest_end(&t);
    }
    /* A rank that is killed ends the job; it goes on with other numbers of ranks. */
    runtest_begin(&t);
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
    CU_ASSERT_EQUAL(runtest_train(&t), RNCT_FINISHED);
    same_run(&whole, &t);
    runtest_end(&t);
    runtest_end(&whole);
}

/* A disk that is full, as a limit of file sizes has it: the run ends, and what is there goes on
 * when there is room again. */
static void test_full(void)
{
    RunTest whole, t;
    runtest_begin(&whole);
    runtest_begin(&t);
    CU_ASSERT_EQUAL(runtest_train(&whole), RNCT_FINISHED);
    for (rlim_t size = 64; size < 6000; size += 450) {
        const pid_t pid = fork();
        if (pid == 0) {
            const struct rlimit limit = {size, size};
            signal(SIGXFSZ, SIG_IGN);
            setrlimit(RLIMIT_FSIZE, &limit);
            const rnct_end how = runtest_train(&t);
            _exit(how == RNCT_FINISHED ? 0 : strstr(t.problems.text[0], "File too large") ? 1 : 2);
        }
        int status;
        waitpid(pid, &status, 0);
        CU_ASSERT(WIFEXITED(status) && WEXITSTATUS(status) < 2);
        t.run.resume = true;
    }
    CU_ASSERT_EQUAL(runtest_train(&t), RNCT_FINISHED);
    same_run(&whole, &t);
    runtest_end(&whole);
    runtest_end(&t);
}

static void test_locked(void)
{
    RunTest t;
    int ready[2];
    runtest_begin(&t);
    t.run.epochs = 1;
    CU_ASSERT_EQUAL(runtest_train(&t), RNCT_FINISHED);
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
    runtest_fails(&t, "is being trained in by another program");
    kill(pid, SIGKILL);
    waitpid(pid, NULL, 0);
    close(ready[0]);
    close(ready[1]);
    runtest_end(&t);
}

void suite_run(void)
{
    CU_pSuite suite = CU_add_suite("run", NULL, NULL);
    CU_ADD_TEST(suite, test_whole);
    CU_ADD_TEST(suite, test_stopped);
    CU_ADD_TEST(suite, test_killed);
    CU_ADD_TEST(suite, test_refused_tensors);
    CU_ADD_TEST(suite, test_refused);
    CU_ADD_TEST(suite, test_data);
    CU_ADD_TEST(suite, test_overfit);
    CU_ADD_TEST(suite, test_square);
    CU_ADD_TEST(suite, test_weights);
    CU_ADD_TEST(suite, test_ranks);
    CU_ADD_TEST(suite, test_full);
    CU_ADD_TEST(suite, test_locked);
}
