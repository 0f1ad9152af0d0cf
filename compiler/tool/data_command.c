/* data_command.c: rnc data: what a data set has and what is wrong with it; its cache. */
#include "base/utf8.h"
#include "net/figures.h"
#include "tool/commands.h"
#include "train/set.h"

#include <stdio.h>
#include <string.h>

enum { CLASSES_SHOWN = 50 };

/* Lists of problems are large, and the stack is not theirs. */
typedef struct Said {
    rnct_problems problems, skipped;
} Said;

static void refuse(const rnct_problems *problems, const char *path, Diag *d)
{
    diag_file_error(d, path, "the data cannot be used: %zu %s", problems->n,
                    problems->n == 1 ? "problem" : "problems");
    for (size_t i = 0; i < problems->n && i < RNCT_PROBLEMS_SHOWN; i++)
        diag_note(d, NO_LOC, "%s", problems->text[i]);
    if (problems->n > RNCT_PROBLEMS_SHOWN)
        diag_note(d, NO_LOC, "these are the first %d", RNCT_PROBLEMS_SHOWN);
}

/* A line for each class, or, of many, for the smallest and the largest. */
static void put_classes(Buf *out, const rnct_set *set, Arena *arena)
{
    int64_t *counts = NEW_ARRAY(arena, int64_t, set->classes);
    int least = 0, most = 0;
    size_t wide = 5;
    memset(counts, 0, (size_t)set->classes * sizeof *counts);
    for (size_t i = 0; i < set->n; i++)
        counts[set->labels[i]]++;
    for (int c = 0; c < set->classes; c++) {
        wide = strlen(set->names[c]) > wide ? strlen(set->names[c]) : wide;
        least = counts[c] < counts[least] ? c : least;
        most = counts[c] > counts[most] ? c : most;
    }
    buf_printf(out, "  index  %-*s  pictures\n", (int)wide, "class");
    for (int c = 0; c < set->classes; c++) {
        if (set->classes <= CLASSES_SHOWN || c == least || c == most)
            buf_printf(out, "  %5d  %-*s  %8lld%s\n", c, (int)wide, set->names[c],
                       (long long)counts[c],
                       set->classes <= CLASSES_SHOWN ? ""
                       : c == least                  ? "  the fewest"
                                                     : "  the most");
    }
}

static void put_summary(Buf *out, const Options *o, const rnct_set *set,
                        const rnct_problems *skipped, Arena *arena)
{
    buf_printf(out, "%s: %zu pictures of %d x %d, %d %s, %d classes\n", o->data.path, set->n,
               set->w, set->h, set->c, set->c == 1 ? "channel" : "channels", set->classes);
    if (!o->quiet)
        put_classes(out, set, arena);
    if (set->ignored > 0)
        buf_printf(out, "%llu other files are no pictures by their names\n",
                   (unsigned long long)set->ignored);
    for (size_t i = 0; i < skipped->n && i < RNCT_PROBLEMS_SHOWN; i++)
        buf_printf(out, "left out: %s\n", skipped->text[i]);
    if (skipped->n > RNCT_PROBLEMS_SHOWN)
        buf_printf(out, "left out: %zu in all, of which these are the first %d\n", skipped->n,
                   RNCT_PROBLEMS_SHOWN);
    else if (skipped->n < set->skipped)
        buf_printf(out, "left out when the cache was written: %llu\n",
                   (unsigned long long)set->skipped);
    if (o->output)
        buf_printf(out, "%s %s: %s%s%s\n", set->built ? "wrote" : "up to date:", o->output,
                   figure_bytes(arena, (int64_t)set->map.size), *set->note ? "; " : "", set->note);
}

int data_command(Options *o, Arena *arena, SrcMap *src, Diag *d)
{
    rnct_set set;
    Said *said = NEW(arena, Said);
    Buf text = buf_new(arena);
    (void)src;
    *said = (Said){0};
    o->data.path = o->compile.input;
    if (rnc_pool_new(&o->data.pool, o->data_threads) != RNC_OK) {
        diag_error(d, NO_LOC, "%d threads cannot be started", o->data_threads);
        return status_of(d);
    }
    const bool good = rnct_set_open(&set, &o->data, o->output, &said->problems, &said->skipped);
    rnc_pool_free(o->data.pool);
    if (good)
        put_summary(&text, o, &set, &said->skipped, arena);
    else
        refuse(&said->problems, o->data.path, d);
    print_text(&text);
    rnct_set_close(&set);
    return status_of(d);
}
