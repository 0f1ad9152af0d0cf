/* tune_command.c: rnc tune: which method and which knobs are best for each kind of step on this
 * machine, as a tuning file.
 *
 * A kind is what one row of a tuning is for.  First its methods and register tiles are measured,
 * then the other knobs of the best one.  At last the best of all is measured once more beside the
 * step as it is without a tuning, and replaces it only if it is better by TUNE_GAIN in both halves
 * of those rounds.
 */
#include "tool/commands.h"
#include "tool/native.h"
#include "tool/output.h"
#include "tool/tune_parts.h"

#include "tool/cc.h"

#include <stdio.h>
#include <string.h>

/* The result for a kind. */
typedef struct Kind {
    const Node *node; /* the first of its layers */
    int layers;
    Candidate was, is; /* without and with the tuning */
    bool too_busy;     /* nothing could be told: `is` is `was` */
} Kind;
typedef VEC(Kind) Kinds;

static Kinds kinds_of(const Plan *plan, Arena *arena)
{
    Kinds kinds = {0};
    for (int i = 0; i < plan->net->nodes.n; i++) {
        const Node *node = plan->net->nodes.at[i];
        if (!is_conv(node->op))
            continue;
        const TuningKey key = tuning_key(node);
        int k = 0;
        for (; k < kinds.n; k++) {
            const TuningKey other = tuning_key(kinds.at[k].node);
            if (tuning_key_eq(&key, &other))
                break;
        }
        if (k == kinds.n)
            VEC_PUSH(arena, &kinds, ((Kind){.node = node}));
        kinds.at[k].layers++;
    }
    return kinds;
}

static const char *key_text(const Tune *t, const Node *node)
{
    Buf out = buf_new(t->arena);
    const TuningKey key = tuning_key(node);
    tuning_print_key(&out, &key);
    return buf_text(&out);
}

/* ---- the search ---- */

static const Candidate *best_of(const Candidates *list)
{
    const Candidate *best = &list->at[0];
    for (int i = 1; i < list->n; i++) {
        if (list->at[i].ratio < best->ratio)
            best = &list->at[i];
    }
    return best;
}

static void progress(const Tune *t, const char *what, const Candidates *list)
{
    const Candidate *best = best_of(list);
    if (t->o->quiet)
        return;
    fprintf(stderr, "    %-18s %2d tried, ", what, list->n);
    if (t->too_busy)
        fprintf(stderr, "and the machine was too busy to tell\n");
    else
        fprintf(stderr, "best %.3f (%s)\n", best->ratio, best->row.method);
    fflush(stderr);
}

static bool better(const Candidate *c)
{
    return c->half[0] < 1.0 - TUNE_GAIN && c->half[1] < 1.0 - TUNE_GAIN;
}

/* Measures candidates, the first of which is the step without a tuning, for the table as well. */
static bool measure(Tune *t, Candidates *list, int rounds, bool with_first)
{
    if (!tune_measure(t, list, rounds))
        return false;
    for (int i = with_first ? 0 : 1; t->table && i < list->n; i++) {
        TuningRow row = list->at[i].row;
        row.comment = t->too_busy ? "not measured: the machine was too busy"
                                  : arena_printf(t->arena, "%.3f of %.2f us", list->at[i].ratio,
                                                 list->at[0].us);
        VEC_PUSH(t->arena, &t->table->rows, row);
    }
    return true;
}

/* Many candidates are measured in half the rounds, the best in all of them. */
static bool tune_kind(Tune *t, Kind *kind)
{
    const int rounds = t->o->rounds, fewer = (rounds + 1) / 2;
    Candidates first = {0}, second = {0}, last = {0};
    try_default(t, kind->node, &first);
    try_methods(t, &first);
    if (!measure(t, &first, fewer, true))
        return false;
    progress(t, "methods and tiles", &first);

    const Candidate found = *best_of(&first);
    try_again(t, &first.at[0], &second);
    try_again(t, &found, &second);
    const int at = second.n - 1; /* where it is */
    try_knobs(t, &found, &second);
    if (!str_eq(found.row.method, first.at[0].row.method))
        try_tiles(t, &found, &second);
    if (second.n > 1 && !measure(t, &second, fewer, false))
        return false;
    progress(t, "knobs", &second);
    if (!t->too_busy)
        learn_knobs(t, &second.at[at], &second);

    try_again(t, &first.at[0], &last);
    try_again(t, best_of(&second), &last);
    try_together(t, &second.at[at], &second, &last);
    if (last.n > 1 && !measure(t, &last, rounds, false))
        return false;
    kind->too_busy = t->too_busy;
    kind->was = last.at[0];
    kind->is = better(best_of(&last)) ? *best_of(&last) : last.at[0];
    return true;
}

/* ---- results ---- */

/* The CPU as Linux names it, or what it is compiled for. */
static const char *machine_name(Arena *arena)
{
    char line[256];
    const char *name = NULL;
    FILE *f = fopen("/proc/cpuinfo", "r");
    while (f && !name && fgets(line, sizeof line, f)) {
        char *colon = strchr(line, ':');
        if (!colon || !str_starts(line, "model name"))
            continue;
        colon[1 + strcspn(colon + 1, "\n")] = '\0';
        name = arena_strdup(arena, colon + 1 + strspn(colon + 1, " "));
    }
    if (f)
        fclose(f);
    return name ? name : "a CPU that does not say its name";
}

/* Whether something replaces the step as it is without a tuning. */
static bool changed(const Kind *k)
{
    return k->is.ratio < 1.0;
}

static const char *comment_of(const Tune *t, const Kind *k)
{
    if (!changed(k))
        return arena_printf(t->arena, "%.2f us, as without a tuning%s", k->was.us,
                            k->too_busy ? ": the machine was too busy to tell" : "");
    return arena_printf(t->arena, "%.3f of %.2f us", k->is.ratio, k->was.us);
}

/* A tuning's text, headed by the machine and what the model knows of it. */
static const char *rows_text(const Tune *t, Tuning *tuning, size_t *size)
{
    Buf out = buf_new(t->arena);
    tuning->comment = arena_printf(t->arena, "%s, %s, %d thread%s\n# --machine %s",
                                   machine_name(t->arena), isa_rows[t->isa].name, t->threads,
                                   t->threads > 1 ? "s" : "", t->plan->options.machine->name);
    tuning_print(&out, tuning);
    *size = out.n;
    return buf_text(&out);
}

static const char *file_text(const Tune *t, const Kinds *kinds, size_t *size)
{
    Tuning tuning = {0};
    for (int i = 0; i < kinds->n; i++) {
        TuningRow row = kinds->at[i].is.row;
        row.comment = comment_of(t, &kinds->at[i]);
        VEC_PUSH(t->arena, &tuning.rows, row);
    }
    return rows_text(t, &tuning, size);
}

static void print_table(const Tune *t, const Kinds *kinds, const char *path)
{
    double was = 0, is = 0;
    int busy = 0;
    printf("%-70s %6s %10s %10s %6s  %s\n", "layer", "layers", "us before", "us tuned", "ratio",
           "method");
    for (int i = 0; i < kinds->n; i++) {
        const Kind *k = &kinds->at[i];
        printf("%-70s %6d %10.1f %10.1f %6.3f  %s\n", key_text(t, k->node), k->layers, k->was.us,
               k->was.us * k->is.ratio, k->is.ratio, k->is.row.method);
        busy += k->too_busy;
        was += k->layers * k->was.us;
        is += k->layers * k->was.us * k->is.ratio;
    }
    printf("%-70s %6s %10.1f %10.1f %6.3f\n", "all layers", "", was, is, was > 0 ? is / was : 1.0);
    printf("%d rounds, %d thrown away (%.0f %%) because something else slowed the CPU\n", t->rounds,
           t->thrown, t->rounds ? 100.0 * t->thrown / t->rounds : 0.0);
    if (busy > 0)
        printf("for %d kinds of layers the machine was too busy to tell; they stay as they were\n",
               busy);
    Buf command = buf_new(t->arena);
    buf_puts(&command, "rnc ");
    buf_shell_word(&command, t->o->compile.input);
    buf_puts(&command, " --tuning ");
    buf_shell_word(&command, path);
    printf("wrote %s; use it: %s\n", path, buf_text(&command));
}

/* ---- the command ---- */

/* The best instruction set of the plan that this CPU has. */
static bool find_isa(Tune *t)
{
    for (int i = 0; i < ISA_COUNT; i++) {
        if ((t->plan->options.isas >> i & 1) && rnc_isa_present(cc_isa((Isa)i))) {
            t->isa = (Isa)i;
            return true;
        }
    }
    diag_error(t->d, NO_LOC, "this CPU has none of the instruction sets that are to be tuned");
    diag_note(t->d, NO_LOC, "--isa names others; a tuning is measured on the machine it is for");
    return false;
}

static bool tune_all(Tune *t, Kinds *kinds)
{
    if (t->threads > 1 && rnc_pool_new(&t->pool, t->threads) != RNC_OK) {
        diag_error(t->d, NO_LOC, "cannot start %d threads", t->threads);
        return false;
    }
    bool good = true;
    for (int i = 0; i < kinds->n && good; i++) {
        Kind *k = &kinds->at[i];
        if (!t->o->quiet)
            fprintf(stderr, "%d/%d  %s\n", i + 1, kinds->n, key_text(t, k->node));
        good = tune_kind(t, k);
        tune_forget(t);
        if (good && !t->o->quiet)
            fprintf(stderr, "    %-18s %.1f us to %.1f us (%.3f)\n",
                    changed(k) ? k->is.row.method : "as it was", k->was.us, k->was.us * k->is.ratio,
                    k->is.ratio);
    }
    rnc_pool_free(t->pool);
    return good;
}

static void tune(const Options *o, const Compiled *c, const SrcMap *src, Arena *arena, Diag *d)
{
    Tune t = {.o = o, .arena = arena, .d = d, .plan = c->plan, .threads = o->threads};
    Tuning table = {0};
    t.table = o->table ? &table : NULL;
    Kinds kinds = kinds_of(c->plan, arena);
    if (kinds.n == 0)
        diag_error(d, NO_LOC, "'%s' has no convolution or dense layer to tune", c->net->name);
    if (kinds.n == 0 || !find_isa(&t) || !tune_all(&t, &kinds))
        return;
    OutputFile files[2] = {{.path = o->output ? o->output : default_output(o, ".tuning", arena)},
                           {.path = o->table}};
    files[0].bytes = file_text(&t, &kinds, &files[0].size);
    if (t.table)
        files[1].bytes = rows_text(&t, t.table, &files[1].size);
    if (write_made(o, files, t.table ? 2 : 1, files[0].path, src, arena, d) && !o->quiet)
        print_table(&t, &kinds, files[0].path);
}

int tune_command(Options *o, Arena *arena, SrcMap *src, Diag *d)
{
    Compiled c;
    o->compile.dump = DUMP_PLAN;
    if (!o->compile.plan.machine) /* the search starts from the model's choice for this machine */
        o->compile.plan.machine = native_machine(false, arena);
    if (compile(&o->compile, arena, src, d, &c))
        tune(o, &c, src, arena, d);
    compiled_close(&c);
    return status_of(d);
}
