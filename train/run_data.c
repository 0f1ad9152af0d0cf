/* run_data.c: the data of a run: checked, divided, as inputs of the step; evaluation. */
#define _GNU_SOURCE
#include "train/run_parts.h"

#include "train/order.h"

#include <inttypes.h>
#include <math.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>

/* Elements of one picture's value. */
static size_t elements_of(const rnc_port_info *port)
{
    return (size_t)port->h * (size_t)port->w * (size_t)port->c;
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
    if (info->n_outputs < 1)
        return rnct_problem(run->problems, info->name, "has no output but its loss");
    if (labels->elem == RNC_ELEM_I32 && elements_of(labels) != 1)
        return rnct_problem(run->problems, info->name,
                            "takes a class for each pixel, and the data has one for each picture");
    if (labels->elem != RNC_ELEM_I32 && elements_of(labels) != elements_of(info->outputs))
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
    run->outputs = calloc((size_t)info->n_outputs, sizeof *run->outputs);
    good = good && run->outputs;
    if (good)
        run->outputs[0] = calloc(n * elements_of(info->outputs), sizeof(float));
    return (good && run->outputs[0]) ||
           rnct_problem(run->problems, "data", "no memory for batches");
}

bool data_new(Run *run)
{
    const rnct_run *what = run->what;
    if (!check_ports(run))
        return false;
    const rnc_port_info *in = run->info->inputs;
    const size_t classes = elements_of(run->info->outputs);
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
    return true;
}

void data_free(Run *run)
{
    rnct_reader_free(run->reader);
    rnct_confusion_free(&run->confusion);
    if (run->outputs)
        free(run->outputs[0]);
    free(run->outputs);
    free(run->target);
    free(run->bytes);
    free(run->trained);
    free(run->held);
}

/* ---- batches ---- */

/* The places of a batch that are this rank's. */
static rnct_range places_of(const Run *run)
{
    return rnct_rank_places(run->what->batch, run->ranks, run->ranks, run->rank);
}

bool data_read(Run *run)
{
    const rnct_reading reading = {.set = run->what->set,
                                  .form = &run->form,
                                  .samples = run->trained,
                                  .n = run->n_trained,
                                  .batch = run->what->batch,
                                  .places = places_of(run),
                                  .shuffle = true,
                                  .step = run->at.step,
                                  .threaded = true};
    run->reader = rnct_reader_new(&reading, run->problems);
    return run->reader != NULL;
}

void data_inputs(Run *run, const rnct_batch *batch, const void *inputs[2])
{
    const rnc_port_info *in = run->info->inputs;
    const size_t n = batch->places * elements_of(in), classes = elements_of(run->info->outputs);
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

bool run_stopped(const Run *run)
{
    static const int signals[] = {SIGINT, SIGTERM, SIGHUP};
    sigset_t pending;
    unsigned char all[1024] = {0};
    bool stop = false;
    sigpending(&pending);
    for (int i = 0; i < 3; i++)
        stop = stop || sigismember(&pending, signals[i]) == 1;
    if (run->ranks == 1)
        return stop;
    all[run->rank] = stop;
    run->what->ranks->gather(run->what->ranks, all, 1);
    for (int i = 0; i < run->ranks; i++)
        stop = stop || all[i];
    return stop;
}

/* Counts the answers for one batch. */
static void count(Run *run, const rnct_batch *batch, const rnc_metrics *m, Sums *sums)
{
    const int classes = run->what->set->classes;
    for (size_t i = 0; i < batch->count; i++) {
        const float *scores = run->outputs[0] + i * (size_t)classes;
        const int answer = rnct_largest(scores, classes);
        rnct_confusion_add(&run->confusion, batch->labels[i], answer);
        sums->hits += answer == batch->labels[i];
    }
    sums->images += batch->all;
    sums->loss += m->loss;
}

bool data_evaluate(Run *run, Sums *sums, bool *stop)
{
    const rnct_reading reading = {.set = run->held_set,
                                  .form = &run->plain,
                                  .samples = run->held,
                                  .n = run->n_held,
                                  .batch = run->what->batch,
                                  .places = places_of(run),
                                  .threaded = true};
    const size_t classes = (size_t)run->what->set->classes;
    *sums = (Sums){0};
    *stop = false;
    memset(run->confusion.counts, 0, classes * classes * sizeof *run->confusion.counts);
    rnct_reader *reader = rnct_reader_new(&reading, run->problems);
    bool good = reader != NULL;
    for (size_t i = 0; good && !*stop && i < rnct_epoch_steps(&reading); i++) {
        rnc_metrics m;
        const void *inputs[2];
        const rnct_batch *batch = rnct_reader_next(reader);
        data_inputs(run, batch, inputs);
        const rnc_status status = run->info->evaluate(run->net, inputs, (int)batch->count,
                                                      (void *const *)run->outputs, &m);
        if (status != RNC_OK)
            good = rnct_problem(run->problems, run->info->name, "%s", rnc_status_text(status));
        else
            count(run, batch, &m, sums);
        *stop = run_stopped(run);
    }
    rnct_reader_free(reader);
    return good;
}
