/* runtest.h: runs of a step that is written by hand, for the tests of train/run.c. */
#ifndef RNC_RUNTEST_H
#define RNC_RUNTEST_H

#include "softstep.h"
#include "traintest.h"

#include "train/run.h"

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

void runtest_begin(RunTest *t);
void runtest_end(RunTest *t);
/* The path of a file that the run leaves, as folder_path() has it. */
const char *in_run(const RunTest *t, const char *name);
rnct_end runtest_train(RunTest *t);
/* Trains, which must fail with these words. */
void runtest_fails(RunTest *t, const char *words);
/* Checks that two runs left the same bytes, but for how long their epochs took. */
void same_run(const RunTest *a, const RunTest *b);
/* Rows of a log; the last number of a column of epochs.csv. */
size_t rows_of(RunTest *t, const char *name);
double last_of(RunTest *t, const char *column);

#endif
