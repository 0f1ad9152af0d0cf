/* run_data.c: the data of a run: checked, divided, as inputs of the step; evaluation. */
#define _GNU_SOURCE
#include "train/run_parts.h"

#include "train/order.h"

#include <inttypes.h>
#include <math.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>

/* What a rank measured in a step, and whether a signal came to it. */
struct Report {
    double loss;
    int32_t hits, images, bad, stop;
};
typedef struct Report Report;

/* Elements of one picture's value. */
static size_t elements_of(const rnc_port_info *port)
{
    return (size_t)port->h * (size_t)port->w * (size_t)port->c;
}

/* The output that tells the classes apart, and where evaluation writes it. */
static const rnc_port_info *port_of_answers(const Run *run)
{
    return &run->info->outputs[run->what->output];
}

static float **answers(const Run *run)
{
    return &run->outputs[run->what->output];
}

/* ---- the data against the network ---- */

static bool check_ports(Run *run)
{
    const rnc_train_info *info = run->info;
    const rnc_port_info *in = info->inputs, *labels = &info->inputs[info->n_inputs - 1];
    if (info->n_inputs != 2)
        return rnct_problem(run->problems, info->name,
                            "takes %d inputs, and a set of pictures with classes gives one",
                            info->n_inputs - 1);
    if (in->elem != RNC_ELEM_F32 && in->elem != RNC_ELEM_U8)
        return rnct_problem(run->problems, info->name,
                            "takes neither floats nor bytes as pictures");
    if (run->what->output >= info->n_outputs)
        return rnct_problem(run->problems, info->name, "has no output but its loss");
    if (labels->elem == RNC_ELEM_I32 && elements_of(labels) != 1)
        return rnct_problem(run->problems, info->name,
                            "takes a class for each pixel, and the data has one for each picture");
    if (labels->elem != RNC_ELEM_I32 && elements_of(labels) != elements_of(port_of_answers(run)))
        return rnct_problem(run->problems, info->name, "takes a target that is not its output");
    if ((size_t)in->n * (size_t)run->ranks != run->what->batch)
        return rnct_problem(run->problems, info->name,
                            "is for batches of %d in each of %d ranks, not for %zu in all", in->n,
                            run->ranks, run->what->batch);
    return true;
}

bool rnct_data_fits(const rnc_port_info *in, size_t classes, const rnct_set *set,
                    const rnct_set *first, const char *what, rnct_problems *problems)
{
    bool good = true;
    if (set->h != in->h || set->w != in->w)
        good = rnct_problem(problems, what,
                            "the pictures have %d x %d pixels (width by height), and the network "
                            "takes %d x %d: --size %dx%d (height by width) scales and cuts them",
                            set->w, set->h, in->w, in->h, in->h, in->w);
    if (set->c != in->c)
        good =
            rnct_problem(problems, what, "the pictures have %d channels, and the network takes %d",
                         set->c, in->c);
    if ((size_t)set->classes != classes)
        good = rnct_problem(problems, what,
                            "there are %d classes, and the network tells %zu apart: give it as "
                            "many, as -D classes=%d does for most",
                            set->classes, classes, set->classes);
    for (int i = 0; good && first && i < set->classes; i++) {
        if (strcmp(set->names[i], first->names[i]) != 0)
            good = rnct_problem(problems, what,
                                "class %d is %s, and that of the data trained on is %s: both need "
                                "the same classes in one order",
                                i, set->names[i], first->names[i]);
    }
    return good;
}

/* ---- what is trained on, and what is held back ---- */

static uint32_t *numbers(size_t n)
{
    return malloc((n + 1) * sizeof(uint32_t));
}

/* The first N of the order of epoch 0, which are of all classes. */
static bool take_few(Run *run, size_t n)
{
    rnct_keyed *keyed = malloc((run->n_trained + 1) * sizeof *keyed);
    if (!keyed)
        return false;
    rnct_order(run->trained, run->trained, run->n_trained, run->what->seed, 0, keyed);
    free(keyed);
    if (run->n_trained > n)
        run->n_trained = n;
    memcpy(run->held, run->trained, run->n_trained * sizeof *run->held);
    run->n_held = run->n_trained;
    run->held_set = run->what->set;
    return true;
}

static bool divide(Run *run)
{
    const rnct_run *what = run->what;
    const rnct_set *set = what->set;
    const size_t most = what->held && what->held->n > set->n ? what->held->n : set->n;
    run->trained = numbers(set->n);
    run->held = numbers(most);
    if (!run->trained || !run->held ||
        !rnct_split(set->labels, set->n, set->classes,
                    what->held || what->overfit ? 0 : what->validation, what->seed, run->trained,
                    &run->n_trained, run->held, &run->n_held))
        return rnct_problem(run->problems, "data", "no memory for %zu samples", set->n);
    if (what->overfit)
        return take_few(run, what->overfit) || rnct_problem(run->problems, "data", "no memory");
    run->held_set = run->n_held > 0 ? set : NULL;
    if (what->held) {
        run->held_set = what->held;
        run->n_held = what->held->n;
        for (size_t i = 0; i < run->n_held; i++)
            run->held[i] = (uint32_t)i;
    }
    if (run->n_trained == 0)
        return rnct_problem(run->problems, "data", "all of it is held back, and nothing is left");
    if (what->validation > 0 && run->n_held == 0)
        return rnct_problem(
            run->problems, "data",
            "`validation %g` holds back less than one picture of each class: take a "
            "larger part, or --validation DATA",
            what->validation);
    return true;
}

/* Floats of 0 to 255; colours are changed and parts erased in these units. */
static bool make_forms(Run *run)
{
    const rnct_run *what = run->what;
    run->plain = (rnct_form){.order = run->info->inputs->order, .unit = 1, .seed = what->seed};
    for (int c = 0; c < 4; c++)
        run->plain.deviation[c] = 1;
    run->form = run->plain;
    if (!what->overfit)
        run->form.augment = what->augment;
    memcpy(run->form.erased, what->erased, sizeof run->form.erased);
    return rnct_form_set(&run->form, what->set, run->problems) &&
           rnct_form_set(&run->plain, what->set, run->problems);
}

static bool make_buffers(Run *run)
{
    const rnc_train_info *info = run->info;
    const rnc_port_info *in = info->inputs, *labels = &info->inputs[1];
    const size_t n = (size_t)in->n;
    bool good = rnct_confusion_new(&run->confusion, run->what->set->classes);
    if (in->elem == RNC_ELEM_U8)
        good = (run->bytes = malloc(n * elements_of(in))) != NULL && good;
    if (labels->elem != RNC_ELEM_I32)
        good = (run->target = calloc(n * elements_of(labels), sizeof *run->target)) && good;
    run->reports = calloc((size_t)run->ranks, sizeof *run->reports);
    run->outputs = calloc((size_t)info->n_outputs, sizeof *run->outputs);
    good = good && run->outputs && run->reports;
    if (good)
        *answers(run) = calloc(n * elements_of(port_of_answers(run)), sizeof(float));
    return (good && *answers(run)) || rnct_problem(run->problems, "data", "no memory for batches");
}

bool data_new(Run *run)
{
    const rnct_run *what = run->what;
    if (!check_ports(run))
        return false;
    const rnc_port_info *in = run->info->inputs;
    const size_t classes = elements_of(port_of_answers(run));
    bool good = rnct_data_fits(in, classes, what->set, NULL, "the data", run->problems);
    if (what->held)
        good = rnct_data_fits(in, classes, what->held, what->set, "the validation data",
                              run->problems) &&
               good;
    if (!good || !divide(run) || !make_forms(run) || !make_buffers(run))
        return false;
    run->epoch_steps = (run->n_trained + what->batch - 1) / what->batch;
    if (what->overfit) /* as many steps as all of the data has */
        run->epoch_steps = (what->set->n + what->batch - 1) / what->batch;
    run->steps = (uint64_t)run->epoch_steps * what->epochs;
    if (run->steps < (uint64_t)run->info->accumulate)
        return rnct_problem(run->problems, "data",
                            "makes %" PRIu64
                            " batches, and an update takes `accumulate %d` of them: "
                            "nothing would be trained",
                            run->steps, run->info->accumulate);
    return true;
}

void data_free(Run *run)
{
    rnct_reader_free(run->reader);
    rnct_confusion_free(&run->confusion);
    if (run->outputs)
        free(*answers(run));
    free(run->outputs);
    free(run->target);
    free(run->reports);
    free(run->bytes);
    free(run->trained);
    free(run->held);
}

/* ---- batches ---- */

bool data_read(Run *run)
{
    const rnct_reading reading = {.set = run->what->set,
                                  .form = &run->form,
                                  .samples = run->trained,
                                  .n = run->n_trained,
                                  .batch = run->what->batch,
                                  .ranks = run->ranks,
                                  .rank = run->rank,
                                  .shuffle = true,
                                  .step = run->at.step,
                                  .threaded = true};
    run->reader = rnct_reader_new(&reading, run->problems);
    return run->reader != NULL;
}

void data_inputs(Run *run, const rnct_batch *batch, const void *inputs[2])
{
    const rnc_port_info *in = run->info->inputs;
    const size_t n = batch->places * elements_of(in), classes = elements_of(port_of_answers(run));
    inputs[0] = batch->pixels;
    inputs[1] = batch->labels;
    if (run->bytes) {
        for (size_t i = 0; i < n; i++)
            run->bytes[i] = (unsigned char)(batch->pixels[i] + 0.5f);
        inputs[0] = run->bytes;
    }
    if (run->target) {
        memset(run->target, 0, batch->places * classes * sizeof *run->target);
        for (size_t i = 0; i < batch->count; i++)
            run->target[i * classes + (size_t)batch->labels[i]] = 1;
        inputs[1] = run->target;
    }
}

/* ---- ranks ---- */

/* As nohup has it for SIGHUP.  What is blocked is pending all the same. */
static bool is_ignored(int number)
{
    struct sigaction how;
    return sigaction(number, NULL, &how) == 0 && how.sa_handler == SIG_IGN;
}

static bool signal_came(void)
{
    static const int signals[] = {SIGINT, SIGTERM, SIGHUP};
    sigset_t pending;
    bool stop = false;
    sigpending(&pending);
    for (int i = 0; i < 3; i++)
        stop = stop || (sigismember(&pending, signals[i]) == 1 && !is_ignored(signals[i]));
    return stop;
}

/* By the tree of the ranks, so that it is what one rank computes by the tree of its shards. */
static double sum_losses(const Report *r, int count)
{
    return count == 1 ? r->loss : sum_losses(r, count / 2) + sum_losses(r + count / 2, count / 2);
}

void data_combine(Run *run, rnc_metrics *m)
{
    Report *all = run->reports;
    all[run->rank] = (Report){m->loss, m->hits, m->images, m->bad, signal_came()};
    if (run->ranks > 1)
        run->what->ranks->gather(run->what->ranks, all, sizeof *all);
    m->loss = sum_losses(all, run->ranks);
    m->hits = m->images = 0;
    m->bad = -1;
    for (int i = 0; i < run->ranks; i++) {
        m->hits += all[i].hits;
        m->images += all[i].images;
        if (all[i].bad >= 0 && (m->bad < 0 || all[i].bad < m->bad))
            m->bad = all[i].bad;
        run->stop = run->stop || all[i].stop;
    }
}

/* The confusion of all ranks; false without memory. */
static bool combine_confusion(Run *run)
{
    const size_t n = (size_t)run->confusion.classes * (size_t)run->confusion.classes;
    const size_t bytes = n * sizeof *run->confusion.counts;
    if (run->ranks == 1)
        return true;
    uint64_t *all = calloc((size_t)run->ranks, bytes);
    if (!all)
        return rnct_problem(run->problems, "data", "no memory for the answers of all ranks");
    memcpy(all + (size_t)run->rank * n, run->confusion.counts, bytes);
    run->what->ranks->gather(run->what->ranks, all, bytes);
    memset(run->confusion.counts, 0, bytes);
    for (int i = 0; i < run->ranks; i++) {
        const rnct_confusion one = {run->confusion.classes, all + (size_t)i * n};
        rnct_confusion_merge(&run->confusion, &one);
    }
    free(all);
    return true;
}

/* ---- evaluation ---- */

/* Measures one batch of what is held back.  False after a problem. */
static bool evaluate(Run *run, const rnct_batch *batch, rnc_metrics *m)
{
    const int classes = run->what->set->classes;
    const void *inputs[2];
    *m = (rnc_metrics){.bad = -1};
    if (batch->count == 0)
        return true;
    data_inputs(run, batch, inputs);
    const rnc_status status =
        run->info->evaluate(run->net, inputs, (int)batch->count, (void *const *)run->outputs, m);
    if (status != RNC_OK)
        return rnct_problem(run->problems, run->info->name, "%s", rnc_status_text(status));
    m->hits = 0;
    m->images = (int)batch->count;
    for (size_t i = 0; i < batch->count; i++) {
        const int answer = rnct_largest(*answers(run) + i * (size_t)classes, classes);
        rnct_confusion_add(&run->confusion, batch->labels[i], answer);
        m->hits += answer == batch->labels[i];
    }
    return true;
}

bool data_evaluate(Run *run, Sums *sums)
{
    const rnct_reading reading = {.set = run->held_set,
                                  .form = &run->plain,
                                  .samples = run->held,
                                  .n = run->n_held,
                                  .batch = run->what->batch,
                                  .ranks = run->ranks,
                                  .rank = run->rank,
                                  .threaded = true};
    const size_t classes = (size_t)run->what->set->classes;
    *sums = (Sums){0};
    memset(run->confusion.counts, 0, classes * classes * sizeof *run->confusion.counts);
    rnct_reader *reader = rnct_reader_new(&reading, run->problems);
    bool good = reader != NULL;
    for (size_t i = 0; good && !run->stop && i < rnct_epoch_steps(&reading); i++) {
        rnc_metrics m;
        good = evaluate(run, rnct_reader_next(reader), &m);
        if (!good)
            break;
        data_combine(run, &m);
        sums->loss += m.loss;
        sums->hits += (uint64_t)m.hits;
        sums->images += (uint64_t)m.images;
    }
    rnct_reader_free(reader);
    return good && combine_confusion(run);
}
