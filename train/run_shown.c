/* run_shown.c: the folder of a run, its logs and curves, and what it prints. */
#define _GNU_SOURCE
#include "train/run_parts.h"

#include "train/checkpoint.h"
#include "train/plot.h"
#include "train/whole.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <math.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

/* ---- the folder ---- */

bool path_of(const Run *run, const char *name, char path[PATH_BYTES])
{
    if (snprintf(path, PATH_BYTES, "%s/%s", run->what->folder, name) < PATH_BYTES)
        return true;
    return rnct_problem(run->problems, run->what->folder, "is a path too long");
}

static bool exists(const char *folder, const char *name)
{
    char path[PATH_BYTES];
    return snprintf(path, sizeof path, "%s/%s", folder, name) < PATH_BYTES &&
           access(path, F_OK) == 0;
}

bool rnct_run_fits(const char *folder, bool resume, rnct_problems *problems)
{
    static const char *const names[] = {RNCT_CHECKPOINT_LAST, "steps.csv", "last.safetensors",
                                        "best.safetensors"};
    for (int i = 0; !resume && i < 4; i++) {
        if (exists(folder, names[i]))
            return rnct_problem(problems, folder,
                                "has a run already: --resume goes on with it; a new one needs "
                                "another folder");
    }
    return true;
}

bool shown_folder(Run *run, bool *there)
{
    const char *folder = run->what->folder;
    *there = false;
    if (run->rank == 0) {
        if (mkdir(folder, 0777) != 0 && errno != EEXIST)
            return rnct_problem(run->problems, folder, "cannot be made: %s", strerror(errno));
        run->folder = open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
        if (run->folder < 0)
            return rnct_problem(run->problems, folder, "cannot be used as a folder: %s",
                                strerror(errno));
        /* Where there are no locks, nobody is kept out. */
        if (flock(run->folder, LOCK_EX | LOCK_NB) != 0 && errno == EWOULDBLOCK)
            return rnct_problem(run->problems, folder,
                                "is being trained in by another program: wait for it, or take "
                                "another folder");
    }
    *there = exists(folder, RNCT_CHECKPOINT_LAST);
    return rnct_run_fits(folder, run->what->resume, run->problems);
}

/* The names of the classes, a line each. */
static bool save_classes(Run *run)
{
    char path[PATH_BYTES], *text = NULL;
    size_t size = 0;
    FILE *out = open_memstream(&text, &size);
    for (int i = 0; out && i < run->what->set->classes; i++)
        fprintf(out, "%s\n", run->what->set->names[i]);
    const bool good = out && fclose(out) == 0;
    const bool saved = good && path_of(run, "classes.txt", path) &&
                       rnct_whole_save(path, text, size, run->problems);
    free(text);
    return saved || (!good && rnct_problem(run->problems, "classes.txt", "no memory"));
}

/* ---- logs ---- */

static const char *const step_columns[] = {"step", "epoch", "rate", "loss", "accuracy", "norm"};
static const char *const epoch_columns[] = {
    "step", "epoch", "rate", "loss", "accuracy", "held_loss", "held_accuracy", "best", "seconds"};
enum { STEP_COLUMNS = 6, EPOCH_COLUMNS = 9 };

/* The first two have a row for each step. */
static const struct {
    const char *name;
    rnct_log_format format;
} files[4] = {{"steps.csv", RNCT_CSV},
              {"steps.jsonl", RNCT_JSON_LINES},
              {"epochs.csv", RNCT_CSV},
              {"epochs.jsonl", RNCT_JSON_LINES}};

/* What a run that goes on has left and could not write again.  False after a problem. */
static bool is_whole(Run *run)
{
    char path[PATH_BYTES];
    const char *folder = run->what->folder;
    for (int i = 0; i < 4; i++) {
        if (run->at.step > 0 && !exists(folder, files[i].name))
            return path_of(run, files[i].name, path) &&
                   rnct_problem(
                       run->problems, path,
                       "is not there any more, and a run has all its rows: put it back, or "
                       "begin in another folder");
    }
    if (run->at.best_epoch > 0 && !exists(folder, "best.safetensors"))
        return path_of(run, "best.safetensors", path) &&
               rnct_problem(run->problems, path,
                            "is not there any more, and had the weights of epoch %" PRIu64
                            ", the best so far: put it back, or begin in another folder",
                            run->at.best_epoch);
    return true;
}

bool shown_open(Run *run)
{
    char path[PATH_BYTES];
    const rnct_run *what = run->what;
    if (what->to)
        run->terminal = rnct_terminal_of(what->to);
    if (run->rank > 0)
        return true;
    if (!is_whole(run))
        return false;
    if (run->terminal.is_terminal)
        rnct_progress_begin(&run->progress, what->to, &run->terminal, run->at.step, run->steps,
                            what->epochs, rnct_now());
    run->progress.peak = what->peak;
    for (int i = 0; i < 4; i++) {
        const bool steps = i < 2;
        /* The row of an epoch that is yet to be evaluated is not kept. */
        const uint64_t last = run->at.step - (!steps && run->at.pending ? 1 : 0);
        if (!path_of(run, files[i].name, path) ||
            !rnct_log_open(&run->logs[i], path, files[i].format,
                           steps ? step_columns : epoch_columns,
                           steps ? STEP_COLUMNS : EPOCH_COLUMNS, last, run->problems))
            return false;
    }
    return save_classes(run);
}

bool shown_sync(Run *run)
{
    bool good = true;
    for (int i = 0; i < 4; i++)
        good = good && rnct_log_sync(&run->logs[i], run->problems);
    return good;
}

void shown_close(Run *run)
{
    for (int i = 0; i < 4; i++)
        rnct_log_close(&run->logs[i]);
    if (run->folder >= 0)
        close(run->folder);
    if (run->terminal.is_terminal && run->rank == 0)
        rnct_progress_end(&run->progress);
}

void shown_say(Run *run, const char *format, ...)
{
    va_list args;
    if (!run->what->to || run->rank > 0)
        return;
    if (run->terminal.is_terminal)
        rnct_progress_end(&run->progress);
    va_start(args, format);
    vfprintf(run->what->to, format, args);
    va_end(args);
    fflush(run->what->to);
}

bool shown_step(Run *run, const rnc_metrics *m, double rate)
{
    const bool labels = run->target == NULL;
    const uint32_t epoch = (uint32_t)((run->at.step - 1) / run->epoch_steps);
    const double images = m->images, none = (double)NAN;
    const double row[STEP_COLUMNS] = {(double)run->at.step, (double)epoch + 1, rate,
                                      m->loss / images,     m->hits / images,  m->norm};
    const bool there[STEP_COLUMNS] = {true, true, true, true, labels, m->norm > 0};
    if (run->rank > 0)
        return true;
    if (run->what->to && run->terminal.is_terminal) {
        const Sums *sums = &run->at.epoch;
        const rnct_standing standing = {run->at.step, epoch, (uint64_t)m->images, loss_of(sums),
                                        labels ? accuracy_of(sums) : none};
        rnct_progress_step(&run->progress, &standing, rnct_now());
    }
    return rnct_log_row(&run->logs[0], row, there, run->problems) &&
           rnct_log_row(&run->logs[1], row, there, run->problems);
}

/* A curve of a column of epochs.csv. */
static rnct_curve curve_of(const rnct_table *t, const char *column, const char *name)
{
    const int x = rnct_table_column(t, "epoch"), y = rnct_table_column(t, column);
    return (rnct_curve){name, t->values + x, t->values + y, t->rows, (size_t)t->columns};
}

/* Saves the curves, and prints them where `print` is true and there is a terminal. */
static bool show_curves(Run *run, bool print)
{
    char path[PATH_BYTES];
    rnct_table t;
    if (!path_of(run, "epochs.csv", path) || !rnct_table_read(&t, path, run->problems))
        return false;
    if (t.rows == 0) {
        rnct_table_free(&t);
        return true;
    }
    const rnct_curve loss[] = {curve_of(&t, "loss", "training"),
                               curve_of(&t, "held_loss", "held back")};
    const rnct_curve accuracy[] = {curve_of(&t, "accuracy", "training"),
                                   curve_of(&t, "held_accuracy", "held back")};
    const int n = run->held_set ? 2 : 1;
    const rnct_plot plots[] = {{"loss", "epoch", loss, n, false},
                               {"accuracy", "epoch", accuracy, n, true}};
    const bool good =
        path_of(run, "curves.svg", path) && rnct_plots_save(plots, 2, path, run->problems);
    for (int i = 0; good && print && run->terminal.is_terminal && i < 2; i++)
        rnct_plot_print(&plots[i], &run->terminal, 10, run->what->to);
    rnct_table_free(&t);
    return good;
}

bool shown_epoch(Run *run, const EpochRow *e, bool best)
{
    const bool labels = run->target == NULL, held = e->held.images > 0;
    const uint64_t epoch = run->at.step / run->epoch_steps;
    const double row[EPOCH_COLUMNS] = {(double)run->at.step,
                                       (double)epoch,
                                       e->rate,
                                       loss_of(&e->trained),
                                       accuracy_of(&e->trained),
                                       loss_of(&e->held),
                                       accuracy_of(&e->held),
                                       best,
                                       e->seconds};
    const bool there[EPOCH_COLUMNS] = {true, true, true, true, labels, held, held, true, true};
    char accuracy[32] = "", validation[64] = "", took[24];
    if (labels)
        snprintf(accuracy, sizeof accuracy, "  accuracy %5.1f %%", 100 * accuracy_of(&e->trained));
    if (held)
        snprintf(validation, sizeof validation, "   held back: loss %.4f  accuracy %5.1f %%",
                 loss_of(&e->held), 100 * accuracy_of(&e->held));
    if (e->seconds < 10)
        snprintf(took, sizeof took, "%.1f s", e->seconds);
    else
        rnct_duration(e->seconds, took);
    shown_say(run, "epoch %*" PRIu64 "/%" PRIu32 "  loss %.4f%s%s  %s%s\n",
              run->what->epochs < 10    ? 1
              : run->what->epochs < 100 ? 2
                                        : 3,
              epoch, run->what->epochs, loss_of(&e->trained), accuracy, validation, took,
              best ? "  best" : "");
    return run->rank > 0 ||
           (rnct_log_row(&run->logs[2], row, there, run->problems) &&
            rnct_log_row(&run->logs[3], row, there, run->problems) && show_curves(run, false));
}

/* ---- the end ---- */

/* Whether evaluation is by averages, which only best.safetensors has. */
static bool has_averages(const rnc_train_info *info)
{
    for (int i = 0; i < info->n_tensors; i++) {
        if (info->tensors[i].role == RNC_ROLE_AVERAGE)
            return true;
    }
    return false;
}

static bool save_confusion(Run *run)
{
    char path[PATH_BYTES], *text = NULL;
    size_t size = 0;
    FILE *out = open_memstream(&text, &size);
    if (out)
        rnct_confusion_print(&run->confusion, (const char *const *)run->what->set->names, out);
    const bool printed = out && fclose(out) == 0;
    const bool good = printed && path_of(run, "confusion.txt", path) &&
                      rnct_whole_save(path, text, size, run->problems);
    if (good)
        shown_say(run, "\nwhat is held back, by the %s of the last epoch:\n%s",
                  has_averages(run->info) ? "averages of the weights" : "weights", text);
    free(text);
    return good || (!printed && rnct_problem(run->problems, "confusion.txt", "no memory"));
}

bool shown_end(Run *run)
{
    uint64_t right;
    if (run->rank > 0)
        return true;
    if (run->terminal.is_terminal)
        rnct_progress_end(&run->progress);
    return show_curves(run, true) &&
           (rnct_confusion_total(&run->confusion, &right) == 0 || save_confusion(run));
}
