/* run_identity.c: what decides the bits of a run, and how a run differs from that of a checkpoint.
 *
 * It is text, a line for each thing:
 *
 *     the lines of what->plan | network | batches | seed | rate | data | tensor NAME [4, 3]
 *
 * The line of the network has hashes of its steps and of all its tensors.  Those of the parameters
 * are there to name what differs: checkpoints of earlier versions have none of them. */
#define _GNU_SOURCE
#include "train/run_parts.h"

#include "runtime/rncw.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

static const char tensor_mark[] = "tensor ", epochs_mark[] = "epochs ";

/* Of the names and extents of all tensors. */
static uint64_t hash_tensors(const rnc_train_info *info)
{
    uint64_t hash = 0;
    for (int i = 0; i < info->n_tensors; i++) {
        const rnc_tensor_info *t = &info->tensors[i];
        const int32_t numbers[] = {(int32_t)t->role, t->trained, t->rank};
        hash = rncw_hash((const unsigned char *)t->name, strlen(t->name), hash);
        hash = rncw_hash((const unsigned char *)numbers, sizeof numbers, hash);
        hash = rncw_hash((const unsigned char *)t->dims, (size_t)t->rank * sizeof *t->dims, hash);
    }
    return hash;
}

/* A line for each parameter. */
static void put_tensors(const rnc_train_info *info, FILE *out)
{
    for (int i = 0; i < info->n_tensors; i++) {
        const rnc_tensor_info *t = &info->tensors[i];
        if (t->role != RNC_ROLE_PARAMETER)
            continue;
        fprintf(out, "%s%s [", tensor_mark, t->name);
        for (int k = 0; k < t->rank; k++)
            fprintf(out, "%s%d", k ? ", " : "", t->dims[k]);
        fprintf(out, "]\n");
    }
}

bool identity_new(Run *run)
{
    const rnct_run *what = run->what;
    size_t size;
    FILE *out = open_memstream(&run->text, &size);
    if (!out)
        return rnct_problem(run->problems, what->folder, "no memory");
    fprintf(out, "%s", what->plan);
    fprintf(out,
            "network %s, steps of the kind %016" PRIx64 ", tensors all in all %016" PRIx64 "\n",
            run->info->name, run->info->plan, hash_tensors(run->info));
    fprintf(out, "batches of %zu\nseed %" PRIu64 "\nrate %.17g\n", what->batch, what->seed,
            what->rate);
    fprintf(out, "data: %zu pictures, %d classes, all in all %016" PRIx64 "\n", what->set->n,
            what->set->classes, what->set->hash);
    if (what->held)
        fprintf(out, "validation data: %zu pictures, all in all %016" PRIx64 "\n", what->held->n,
                what->held->hash);
    if (what->overfit)
        fprintf(out, "only %zu pictures\n", what->overfit);
    put_tensors(run->info, out);
    return fclose(out) == 0 || rnct_problem(run->problems, what->folder, "no memory");
}

void identity_free(Run *run)
{
    free(run->text);
}

/* ---- comparing ---- */

/* A line without its end, and what is left of the text after it. */
typedef struct Lines {
    const char *at, *end; /* the line */
    const char *rest, *all;
} Lines;

static Lines lines_of(const char *text, size_t size)
{
    return (Lines){.rest = text, .all = text + size};
}

static bool next_line(Lines *l)
{
    if (l->rest >= l->all)
        return false;
    l->at = l->rest;
    l->end = memchr(l->at, '\n', (size_t)(l->all - l->at));
    if (!l->end)
        l->end = l->all;
    l->rest = l->end + 1;
    return true;
}

static size_t length_of(const Lines *l)
{
    return (size_t)(l->end - l->at);
}

static bool begins(const Lines *l, const char *mark)
{
    const size_t n = strlen(mark);
    return length_of(l) >= n && memcmp(l->at, mark, n) == 0;
}

/* Whether a line of `text` is `line`. */
static bool has_line(Lines text, const Lines *line)
{
    while (next_line(&text)) {
        if (length_of(&text) == length_of(line) && memcmp(text.at, line->at, length_of(line)) == 0)
            return true;
    }
    return false;
}

/* A problem for each line of `text` that `other` does not have; tensors are not compared. */
static bool compare_lines(Run *run, const char *path, Lines text, Lines other, const char *what)
{
    bool good = true;
    while (next_line(&text)) {
        if (begins(&text, tensor_mark) || (run->what->any_epochs && begins(&text, epochs_mark)))
            continue;
        if (!has_line(other, &text))
            good = rnct_problem(run->problems, path, "%s `%.*s`", what, (int)length_of(&text),
                                text.at);
    }
    return good;
}

/* A parameter's name and extents, of its line. */
typedef struct Tensor {
    const char *name, *dims;
    int name_bytes, dims_bytes;
} Tensor;

/* Names have no blank: the first one after the mark ends the name. */
static bool next_tensor(Lines *l, Tensor *t)
{
    while (next_line(l)) {
        if (!begins(l, tensor_mark))
            continue;
        t->name = l->at + strlen(tensor_mark);
        t->dims = memchr(t->name, ' ', (size_t)(l->end - t->name));
        if (!t->dims)
            continue;
        t->name_bytes = (int)(t->dims++ - t->name);
        t->dims_bytes = (int)(l->end - t->dims);
        return true;
    }
    return false;
}

static bool same_bytes(const char *a, int a_bytes, const char *b, int b_bytes)
{
    return a_bytes == b_bytes && memcmp(a, b, (size_t)a_bytes) == 0;
}

static bool find_tensor(Lines text, const Tensor *wanted, Tensor *t)
{
    while (next_tensor(&text, t)) {
        if (same_bytes(t->name, t->name_bytes, wanted->name, wanted->name_bytes))
            return true;
    }
    return false;
}

/* How parameters that differ are told: the first ones by name, so that there is room for the rest
 * in the list. */
typedef struct Naming {
    Run *run;
    const char *path;
    int n;
} Naming;

enum { NAMED = 4 };

/* `then` or `now` is NULL where there is no such parameter. */
static void name_tensor(Naming *to, const Tensor *then, const Tensor *now)
{
    if (to->n++ >= NAMED)
        return;
    if (!now)
        rnct_problem(to->run->problems, to->path,
                     "the run has the parameter %.*s %.*s, and now there would be none",
                     then->name_bytes, then->name, then->dims_bytes, then->dims);
    else if (!then)
        rnct_problem(to->run->problems, to->path,
                     "the run has no parameter %.*s, and now there would be one %.*s",
                     now->name_bytes, now->name, now->dims_bytes, now->dims);
    else
        rnct_problem(to->run->problems, to->path,
                     "the run has the parameter %.*s %.*s, and now it would be %.*s",
                     then->name_bytes, then->name, then->dims_bytes, then->dims, now->dims_bytes,
                     now->dims);
}

/* Problems for parameters that would differ; none where the checkpoint does not name its own. */
static void name_tensors(Run *run, const char *path, Lines before, Lines now)
{
    Naming to = {run, path, 0};
    Tensor t, other;
    Lines all = before;
    if (!next_tensor(&all, &t))
        return;
    for (all = before; next_tensor(&all, &t);) {
        if (!find_tensor(now, &t, &other))
            name_tensor(&to, &t, NULL);
        else if (!same_bytes(t.dims, t.dims_bytes, other.dims, other.dims_bytes))
            name_tensor(&to, &t, &other);
    }
    for (all = now; next_tensor(&all, &t);) {
        if (!find_tensor(before, &t, &other))
            name_tensor(&to, NULL, &t);
    }
    if (to.n > NAMED)
        rnct_problem(run->problems, path, "%d more parameters would differ", to.n - NAMED);
}

bool identity_check(Run *run, const char *path, const char *then, size_t size)
{
    const Lines before = lines_of(then, size), now = lines_of(run->text, strlen(run->text));
    const bool lost = !compare_lines(run, path, before, now, "the run has"),
               new = !compare_lines(run, path, now, before, "and now it would be");
    if (!lost && !new)
        return true;
    name_tensors(run, path, before, now);
    return rnct_problem(run->problems, path,
                        "belongs to a training that is not this one: go on with the files and "
                        "options that it began with, or begin a run in another folder");
}
