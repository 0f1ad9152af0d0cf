/* curves_command.c: rnc curves: what runs of rnc train came to, in a table and as curves. */
#include "tool/commands.h"
#include "train/log.h"
#include "train/plot.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

enum { ROWS_OF_TERMINAL = 12 };

/* A run that is shown. */
typedef struct Shown {
    const char *label;
    rnct_table epochs; /* its epochs.csv */
} Shown;

/* The panels: of each run a column. */
static const struct Panel {
    const char *title, *column;
    bool percent;
} panels[] = {
    {"loss in training", "loss", false},
    {"accuracy in training", "accuracy", true},
    {"accuracy of what is held back", "held_accuracy", true},
};
enum { PANELS = sizeof panels / sizeof *panels };

/* ---- the runs ---- */

/* The folder's own name, without the path to it. */
static const char *own_name(const char *folder, Arena *arena)
{
    size_t end = strlen(folder);
    while (end > 1 && folder[end - 1] == '/')
        end--;
    size_t begin = end;
    while (begin > 0 && folder[begin - 1] != '/')
        begin--;
    return arena_strndup(arena, folder + begin, end - begin);
}

/* What run i is called: its folder's name, or the whole path if another is called so. */
static const char *label_of(const Words *folders, int i, Arena *arena)
{
    const char *own = own_name(folders->at[i], arena);
    for (int k = 0; k < folders->n; k++) {
        if (k != i && str_eq(own_name(folders->at[k], arena), own))
            return folders->at[i];
    }
    return own;
}

/* Returns false after a message. */
static bool no_run(const char *folder, const char *why, Diag *d)
{
    diag_file_error(d, folder, "this is no folder of a run");
    diag_note(d, NO_LOC, "%s", why);
    diag_note(d, NO_LOC, "rnc train FILE.net --data PATH -o FOLDER makes one");
    return false;
}

static bool read_run(Shown *run, const char *folder, Arena *arena, Diag *d)
{
    rnct_problems *problems = NEW(arena, rnct_problems);
    rnct_table *t = &run->epochs;
    const char *log = arena_printf(arena, "%s/epochs.csv", folder);
    *problems = (rnct_problems){0};
    if (!rnct_table_read(t, log, problems))
        return no_run(folder, problems->text[0], d);
    const bool some = t->rows > 0;
    if (some && rnct_table_column(t, "epoch") >= 0 && rnct_table_column(t, "loss") >= 0)
        return true;
    rnct_table_free(t);
    if (some)
        return no_run(folder, arena_printf(arena, "%s: has no columns epoch and loss", log), d);
    diag_file_error(d, folder, "this run has not finished an epoch yet");
    diag_note(
        d, NO_LOC,
        "curves begin with its first epoch; if it was stopped, rnc train with --resume goes on "
        "with it");
    return false;
}

/* ---- the table ---- */

/* The number in a row's column; NaN if there is none. */
static double number_at(const rnct_table *t, size_t row, const char *column)
{
    const int k = rnct_table_column(t, column);
    return k < 0 ? (double)NAN : t->values[row * (size_t)t->columns + (size_t)k];
}

static void put_loss(Buf *out, double x)
{
    if (isnan(x))
        buf_printf(out, "  %10s", "-");
    else
        buf_printf(out, fabs(x) < 1e5 ? "  %10.4f" : "  %10.3g", x);
}

static void put_accuracy(Buf *out, double x)
{
    if (isnan(x))
        buf_printf(out, "  %8s", "-");
    else
        buf_printf(out, "  %6.2f %%", 100 * x);
}

/* The last row whose weights were the best so far: best.safetensors has them.  0 if none says so.
 */
static size_t best_row(const rnct_table *t)
{
    size_t best = 0;
    for (size_t i = 0; i < t->rows; i++)
        best = number_at(t, i, "best") > 0 ? i : best;
    return best;
}

static void put_row(Buf *out, const Shown *run, int wide)
{
    const rnct_table *t = &run->epochs;
    const size_t last = t->rows - 1, best = best_row(t);
    buf_printf(out, "%-*s  %6.0f", wide, run->label, number_at(t, last, "epoch"));
    put_loss(out, number_at(t, last, "loss"));
    put_accuracy(out, number_at(t, last, "accuracy"));
    put_loss(out, number_at(t, last, "held_loss"));
    put_accuracy(out, number_at(t, last, "held_accuracy"));
    buf_printf(out, "  %6.0f", number_at(t, best, "epoch"));
    put_loss(out, number_at(t, best, "held_loss"));
    put_accuracy(out, number_at(t, best, "held_accuracy"));
    buf_putc(out, '\n');
}

static void put_table(Buf *out, const Shown *runs, int n)
{
    int wide = 3;
    for (int i = 0; i < n; i++)
        wide = (int)strlen(runs[i].label) > wide ? (int)strlen(runs[i].label) : wide;
    buf_printf(out, "%*s%*s%*s%*s\n", wide + 8, "", 22, "in training", 22, "held back", 30,
               "the best, held back");
    buf_printf(out, "%-*s  %6s  %10s  %8s  %10s  %8s  %6s  %10s  %8s\n", wide, "run", "epochs",
               "loss", "accuracy", "loss", "accuracy", "epoch", "loss", "accuracy");
    for (int i = 0; i < n; i++)
        put_row(out, &runs[i], wide);
}

/* ---- the curves ---- */

/* The runs' curves of one column; those that do not have it are left out. */
static rnct_plot plot_of(const struct Panel *panel, const Shown *runs, int n, Arena *arena)
{
    rnct_curve *curves = NEW_ARRAY(arena, rnct_curve, n);
    rnct_plot plot = {panel->title, "epoch", curves, 0, panel->percent};
    for (int i = 0; i < n; i++) {
        const rnct_table *t = &runs[i].epochs;
        const int x = rnct_table_column(t, "epoch"), y = rnct_table_column(t, panel->column);
        if (x < 0 || y < 0 || isnan(t->values[y]))
            continue;
        curves[plot.n++] =
            (rnct_curve){runs[i].label, t->values + x, t->values + y, t->rows, (size_t)t->columns};
    }
    return plot;
}

static void show(const Options *o, const Shown *runs, int n, Arena *arena, Diag *d)
{
    rnct_problems *problems = NEW(arena, rnct_problems);
    rnct_plot plots[PANELS];
    int some = 0;
    Buf text = buf_new(arena);
    for (int i = 0; i < PANELS; i++) {
        plots[some] = plot_of(&panels[i], runs, n, arena);
        some += plots[some].n > 0;
    }
    if (o->output && !rnct_plots_save(plots, some, o->output, problems)) {
        diag_error(d, NO_LOC, "%s", problems->text[0]);
        return;
    }
    if (o->quiet)
        return;
    put_table(&text, runs, n);
    print_text(&text);
    const rnct_terminal terminal = rnct_terminal_of(stdout);
    for (int i = 0; terminal.is_terminal && i < some; i++)
        rnct_plot_print(&plots[i], &terminal, ROWS_OF_TERMINAL, stdout);
    if (o->output)
        printf("wrote %s\n", o->output);
}

int curves_command(Options *o, Arena *arena, SrcMap *src, Diag *d)
{
    const int n = o->folders.n;
    Shown *runs = NEW_ARRAY(arena, Shown, n);
    int read = 0;
    (void)src;
    for (int i = 0; i < n; i++) {
        runs[read].label = label_of(&o->folders, i, arena);
        read += read_run(&runs[read], o->folders.at[i], arena, d);
    }
    if (d->errors == 0)
        show(o, runs, n, arena, d);
    for (int i = 0; i < read; i++)
        rnct_table_free(&runs[i].epochs);
    return status_of(d);
}
