/* confusion.c: see confusion.h. */
#include "train/confusion.h"

#include <inttypes.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

enum { MATRIX_MOST = 12, NAME_SHOWN = 20 };

bool rnct_confusion_new(rnct_confusion *m, int classes)
{
    const size_t n = (size_t)classes;
    *m = (rnct_confusion){classes, calloc(n * n + 1, sizeof *m->counts)};
    return m->counts != NULL;
}

void rnct_confusion_free(rnct_confusion *m)
{
    free(m->counts);
    *m = (rnct_confusion){0};
}

static uint64_t *cell(const rnct_confusion *m, int label, int answer)
{
    return &m->counts[(size_t)label * (size_t)m->classes + (size_t)answer];
}

void rnct_confusion_add(rnct_confusion *m, int label, int answer)
{
    if (label < 0 || label >= m->classes)
        return;
    if (answer < 0 || answer >= m->classes) {
        if (m->classes == 1)
            return;
        answer = label == 0;
    }
    ++*cell(m, label, answer);
}

int rnct_largest(const float *scores, int n)
{
    int best = 0;
    for (int i = 0; i < n; i++) {
        if (isnan(scores[i]))
            return -1;
        if (scores[i] > scores[best])
            best = i;
    }
    return best;
}

void rnct_confusion_merge(rnct_confusion *m, const rnct_confusion *more)
{
    const size_t n = (size_t)m->classes * (size_t)m->classes;
    for (size_t i = 0; i < n; i++)
        m->counts[i] += more->counts[i];
}

uint64_t rnct_confusion_class(const rnct_confusion *m, int label, uint64_t *right)
{
    uint64_t n = 0;
    for (int i = 0; i < m->classes; i++)
        n += *cell(m, label, i);
    *right = *cell(m, label, label);
    return n;
}

uint64_t rnct_confusion_total(const rnct_confusion *m, uint64_t *right)
{
    uint64_t n = 0, of_class;
    *right = 0;
    for (int i = 0; i < m->classes; i++) {
        n += rnct_confusion_class(m, i, &of_class);
        *right += of_class;
    }
    return n;
}

/* The class that `label` is most often taken for, or -1. */
static int worst(const rnct_confusion *m, int label)
{
    int found = -1;
    for (int i = 0; i < m->classes; i++) {
        if (i != label && *cell(m, label, i) > 0 &&
            (found < 0 || *cell(m, label, i) > *cell(m, label, found)))
            found = i;
    }
    return found;
}

static double percent(uint64_t part, uint64_t all)
{
    return all ? 100.0 * (double)part / (double)all : 0;
}

static void print_matrix(const rnct_confusion *m, const char *const *names, FILE *to)
{
    fprintf(to, "\n%-*s", NAME_SHOWN, "is, and is taken for");
    for (int i = 0; i < m->classes; i++)
        fprintf(to, " %7.7s", names[i]);
    for (int label = 0; label < m->classes; label++) {
        fprintf(to, "\n%-*.*s", NAME_SHOWN, NAME_SHOWN, names[label]);
        for (int i = 0; i < m->classes; i++)
            fprintf(to, " %7" PRIu64, *cell(m, label, i));
    }
    fprintf(to, "\n");
}

void rnct_confusion_print(const rnct_confusion *m, const char *const *names, FILE *to)
{
    uint64_t right;
    fprintf(to, "%-*s %8s %8s\n", NAME_SHOWN, "class", "pictures", "right");
    for (int label = 0; label < m->classes; label++) {
        const uint64_t n = rnct_confusion_class(m, label, &right);
        const int other = worst(m, label);
        fprintf(to, "%-*.*s %8" PRIu64 " ", NAME_SHOWN, NAME_SHOWN, names[label], n);
        if (n > 0)
            fprintf(to, "%6.2f %%", percent(right, n));
        else
            fprintf(to, "%8s", "-");
        if (other >= 0)
            fprintf(to, "   taken for %.*s: %" PRIu64, NAME_SHOWN, names[other],
                    *cell(m, label, other));
        fprintf(to, "\n");
    }
    const uint64_t n = rnct_confusion_total(m, &right);
    fprintf(to, "%-*s %8" PRIu64 " %6.2f %%\n", NAME_SHOWN, "all", n, percent(right, n));
    if (m->classes <= MATRIX_MOST)
        print_matrix(m, names, to);
}
