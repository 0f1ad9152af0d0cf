/* train_command.c: rnc train: a step of training compiled to C, that with $CC, and run on data
 * (train/run.h). */
#include "net/figures.h"
#include "tool/cc.h"
#include "tool/native.h"
#include "tool/train_parts.h"
#include "view/report.h"

#include <dlfcn.h>
#include <elf.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

static const char code[] = "net_trained";

/* ---- the step ---- */

/* Whether a shared object's last part is there, its table of sections: a loader would meet the end
 * of one that is cut off only when it runs into it.  True of other formats than 64-bit ELF. */
static bool is_whole(const unsigned char *bytes, size_t n)
{
    Elf64_Ehdr head;
    if (n < sizeof head)
        return false;
    if (memcmp(bytes, ELFMAG, SELFMAG) != 0 || bytes[EI_CLASS] != ELFCLASS64)
        return true;
    memcpy(&head, bytes, sizeof head);
    return head.e_shoff <= n && (n - head.e_shoff) / sizeof(Elf64_Shdr) >= head.e_shnum;
}

/* FOLDER/net_trained.c and .so of an earlier beginning of this run, if that is the same C: it is
 * not compiled again, and computes the same bits whatever $CC is now. */
static bool is_built(const Training *t)
{
    const char *path = cc_path(t->o->output, "net_trained.c", t->arena);
    FILE *f = fopen(path, "rb");
    const size_t n = t->c.source.n;
    char *there = NEW_ARRAY(t->arena, char, n + 2);
    const bool same =
        f && fread(there, 1, n + 1, f) == n && memcmp(there, buf_text(&t->c.source), n) == 0;
    if (f)
        fclose(f);
    const char *code_path = cc_path(t->o->output, "net_trained.so", t->arena);
    if (!same || access(code_path, R_OK) != 0)
        return false;
    size_t size;
    const unsigned char *bytes = read_code(t, code_path, &size);
    return bytes && is_whole(bytes, size);
}

/* Compiles it elsewhere, so that the folder never has half of it. */
static bool build(Training *t)
{
    const char *const names[] = {code};
    const OutputFile file = {cc_path(t->dir, "net_trained.c", t->arena), buf_text(&t->c.source),
                             t->c.source.n};
    if (!t->o->quiet) {
        printf("compiling the step, %s of C\n", figure_bytes(t->arena, (int64_t)t->c.source.n));
        fflush(stdout);
    }
    return outputs_write(&file, 1, NULL, 0, t->arena, t->d) &&
           cc_shared(t->dir, names, 1, "-pthread", "", "$CC names another", t->arena, t->d);
}

/* The code, where it is or compiled; NULL after a message. */
static const OutputFile *make_code(Training *t)
{
    OutputFile *files = NEW_ARRAY(t->arena, OutputFile, 2);
    const char *from = t->o->output;
    const bool built = is_built(t);
    if (!built) {
        from = t->dir = cc_folder(NULL, "train", t->arena, t->d);
        if (!t->dir || !build(t))
            return NULL;
    }
    files[0].path = cc_path(t->o->output, "net_trained.so", t->arena);
    files[0].bytes = read_code(t, cc_path(from, "net_trained.so", t->arena), &files[0].size);
    files[1] = (OutputFile){cc_path(t->o->output, "net_trained.c", t->arena),
                            buf_text(&t->c.source), t->c.source.n};
    if (!files[0].bytes || (!built && !outputs_write(files, 2, NULL, 0, t->arena, t->d)))
        return NULL;
    return files;
}

/* Rank 0 loads the code from the folder of the run, the others from one of their own. */
static bool load(Training *t)
{
    const OutputFile *made = t->rank == 0 ? make_code(t) : NULL;
    if (!ranks_share_code(t, made))
        return false;
    t->info = cc_load(t->rank == 0 ? t->o->output : t->dir, code, "net_trained_info", &t->handle,
                      t->arena, t->d);
    return t->info != NULL;
}

/* ---- the run ---- */

/* What each tensor begins with: the parameters as they are bound or drawn. */
static const float *const *begin_with(const Training *t)
{
    const Net *net = t->c.original;
    const float **begin = NEW_ARRAY(t->arena, const float *, t->info->n_tensors + 1);
    for (int i = 0; i < t->info->n_tensors; i++) {
        const rnc_tensor_info *tensor = &t->info->tensors[i];
        begin[i] = NULL;
        for (int k = 0; tensor->role <= RNC_ROLE_STATISTIC && k < net->params.n; k++) {
            if (str_eq(net->params.at[k]->name, tensor->name))
                begin[i] = param_floats(net->params.at[k]);
        }
    }
    return begin;
}

/* Pictures a second that the cores could do at the most, by the multiplications of a step. */
static double peak_of(const Training *t)
{
    const Machine *machine = native_machine(false, t->arena);
    const int threads = t->pool ? t->pool->threads(t->pool) : 1;
    const double cores = threads < machine->cores ? threads : machine->cores;
    const double macs = (double)step_macs(t->c.original);
    const double speed = machine_gflops(machine, t->o->compile.plan.isas) * 1e9 * cores *
                         (cores > 1 ? machine->together : 1);
    return macs > 0 ? speed * t->info->inputs[0].n / (2 * macs) : 0;
}

static void print_beginning(const Training *t)
{
    const rnc_train_info *info = t->info;
    if (t->o->quiet)
        return;
    printf("%s: %zu pictures of %d classes; a step needs %s for its state and %s besides\n",
           t->c.original->name, t->set.n, t->set.classes,
           figure_bytes(t->arena, (int64_t)info->state_bytes),
           figure_bytes(t->arena, (int64_t)info->arena_bytes));
    Buf memory = buf_new(t->arena);
    report_memory(&memory, &t->c.memory, t->arena);
    print_text(&memory);
    if (t->c.bound.bound)
        printf("%s: %d parameters and %d statistics to begin with, %d begin anew\n",
               t->plan.weights, t->c.bound.bound, t->c.bound.statistics, t->c.bound.initialised);
    fflush(stdout);
}

/* What files of weights call the step's tensors: as the net's naming does.  NULL, for the net's own
 * names, if the naming has the axes of any of them in another order. */
static const char *const *naming_names(const Training *t)
{
    const rnc_train_info *info = t->info;
    const Net *net = t->c.net;
    const char **names = NEW_ARRAY(t->arena, const char *, info->n_tensors);
    bool renamed = false;
    for (int k = 0; k < info->n_tensors; k++)
        names[k] = info->tensors[k].name;
    for (int i = 0; i < net->params.n; i++) {
        const Param *param = net->params.at[i];
        if (param->axes)
            return NULL;
        renamed = renamed || !str_eq(param->alias, param->name);
        for (int k = 0; k < info->n_tensors; k++) {
            if (str_eq(info->tensors[k].name, param->name))
                names[k] = param->alias;
        }
    }
    return renamed ? names : NULL;
}

static int run(Training *t)
{
    const Options *o = t->o;
    const Train *plan = &t->plan;
    rnct_problems *problems = NEW(t->arena, rnct_problems);
    rnct_run what = {.info = t->info,
                     .pool = t->pool,
                     .ranks = t->ranks,
                     .begin = begin_with(t),
                     .output = loss_output(t),
                     .names = naming_names(t),
                     .set = &t->set,
                     .held = o->train_validation ? &t->held : NULL,
                     .validation = plan->validation,
                     .augment = plan_augment(plan),
                     .overfit = (size_t)o->overfit,
                     .batch = (size_t)plan->batch,
                     .epochs = (uint32_t)plan->epochs,
                     .patience = plan->given[TRAIN_STOP] ? (uint32_t)plan->patience : 0,
                     .rate = plan->rate,
                     .schedule = plan_schedule(plan),
                     .seed = (uint64_t)plan->seed,
                     .plan = plan_text(t),
                     .any_epochs = plan_any_epochs(plan),
                     .folder = o->output,
                     .resume = o->resume,
                     .save_steps = (uint64_t)o->save_every,
                     .program = RNC_VERSION,
                     .to = o->quiet ? NULL : stdout};
    erased_colour(t->c.original, what.erased);
    what.peak = what.to && isatty(fileno(stdout)) ? peak_of(t) : 0;
    *problems = (rnct_problems){0};
    print_beginning(t);
    const rnct_end end = rnct_run_train(&what, problems);
    say_problems(t, problems);
    return end == RNCT_INTERRUPTED && t->d->errors == 0 ? EXIT_USER : status_of(t->d);
}

/* What is wrong with the folder is said before anything is compiled. */
static bool may_begin(const Training *t)
{
    rnct_problems *problems = NEW(t->arena, rnct_problems);
    *problems = (rnct_problems){0};
    const bool good = rnct_run_fits(t->o->output, t->o->resume, problems);
    say_problems(t, problems);
    return good;
}

/* A pattern that leaves nothing out may be misspelt; a training that serves several networks may
 * also have one for another of them. */
static void warn_of_decay(const Training *t)
{
    const Net *net = t->c.original;
    for (int i = 0; i < t->plan.decay_except.n; i++) {
        const char *pattern = t->plan.decay_except.at[i];
        bool fits = false;
        for (int k = 0; k < net->params.n; k++)
            fits = fits || str_fits(net->params.at[k]->name, pattern);
        if (!fits)
            diag_warning(t->d, NO_LOC, "no parameter fits '%s', which decay leaves out", pattern);
    }
}

/* All that comes before the run.  False after messages, here or in another rank. */
static bool prepare(Training *t)
{
    const bool compiled =
        plan_read(t) && may_begin(t) && compile(&t->o->compile, t->arena, t->src, t->d, &t->c);
    if (compiled)
        warn_of_decay(t);
    ranks_hush(t);
    return ranks_agree(t, compiled) && data_open(t) && ranks_agree(t, load(t));
}

int train_command(Options *o, Arena *arena, SrcMap *src, Diag *d)
{
    Training t = {.o = o, .arena = arena, .src = src, .d = d};
    int status = EXIT_USER;
    signal(SIGPIPE, SIG_IGN); /* a reader of standard output that ends does not end a training */
    if (!ranks_begin(&t))
        return status_of(d);
    const bool ready = prepare(&t);
    if (t.dir) /* the code is loaded */
        cc_end(t.dir);
    if (ready && ranks_fork(&t)) {
        if (rnc_pool_new(&t.pool, plan_threads(&t)) == RNC_OK)
            status = run(&t);
        else
            diag_error(d, NO_LOC, "%d threads cannot be started", plan_threads(&t));
    }
    data_close(&t);
    rnc_pool_free(t.pool);
    if (t.handle)
        dlclose(t.handle);
    compiled_close(&t.c);
    if (!ranks_end(&t, ready && d->errors > 0) || d->errors > 0)
        return status_of(d);
    return status;
}
