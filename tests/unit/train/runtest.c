/* runtest.c: see runtest.h. */
#include "runtest.h"

#include "train/log.h"

#include <CUnit/CUnit.h>

#include <stdlib.h>
#include <string.h>

void runtest_begin(RunTest *t)
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

void runtest_end(RunTest *t)
{
    folder_remove(&t->folder);
}

const char *in_run(const RunTest *t, const char *name)
{
    char path[64];
    snprintf(path, sizeof path, "run/%s", name);
    return folder_path(&t->folder, path);
}

rnct_end runtest_train(RunTest *t)
{
    t->problems = (rnct_problems){0};
    return rnct_run_train(&t->run, &t->problems);
}

void runtest_fails(RunTest *t, const char *words)
{
    CU_ASSERT_EQUAL(runtest_train(t), RNCT_FAILED);
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

void same_run(const RunTest *a, const RunTest *b)
{
    static const char *const names[] = {"best.safetensors", "last.safetensors", "last.checkpoint",
                                        "steps.csv",        "steps.jsonl",      "epochs.csv",
                                        "confusion.txt",    "classes.txt",      "curves.svg"};
    for (size_t i = 0; i < sizeof names / sizeof *names; i++)
        same_file(a, b, names[i]);
}

size_t rows_of(RunTest *t, const char *name)
{
    rnct_table table;
    CU_ASSERT_FATAL(rnct_table_read(&table, in_run(t, name), &t->problems));
    const size_t rows = table.rows;
    rnct_table_free(&table);
    return rows;
}

double last_of(RunTest *t, const char *column)
{
    rnct_table table;
    CU_ASSERT_FATAL(rnct_table_read(&table, in_run(t, "epochs.csv"), &t->problems));
    const size_t at = (table.rows - 1) * (size_t)table.columns;
    const double x = table.values[at + (size_t)rnct_table_column(&table, column)];
    rnct_table_free(&table);
    return x;
}
