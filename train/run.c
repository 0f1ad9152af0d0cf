/* run.c: the loop of a training (see run.h). */
#define _GNU_SOURCE
#include "train/run.h"

#include "train/run_parts.h"

#include <inttypes.h>
#include <math.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>

/* Whether all ranks say so. */
static bool agree(const Run *run, bool good)
{
    unsigned char all[1024] = {0};
    if (run->ranks == 1)
        return good;
    all[run->rank] = good;
    run->what->ranks->gather(run->what->ranks, all, 1);
    for (int i = 0; i < run->ranks; i++)
        good = good && all[i];
    return good;
}

/* ---- a step ---- */

static double rate_at(const Run *run, uint64_t step)
{
    const double epoch = (double)step / (double)run->epoch_steps;
    return run->what->rate * rnct_rate(&run->what->schedule, epoch);
}

/* A result or a gradient that is not finite; the checkpoint is from before it. */
static bool not_finite(Run *run, const rnc_metrics *m)
{
    const rnc_train_info *info = run->info;
    rnc_train_step step = {.layer = "", .part = "", .with = "", .line = ""};
    const bool known = rnc_train_find_step(info, m->bad, &step);
    return rnct_problem(run->problems, *step.line ? step.line : info->name,
                        "step %" PRIu64 " of epoch %" PRIu64
                        " is not finite%s%s%s%s: a lower rate, `clip norm 1` or "
                        "a warm-up may help; the last checkpoint is from before it",
                        run->at.step + 1, run->at.step / run->epoch_steps + 1,
                        known ? ", first at " : "", step.layer, *step.part ? "." : step.with,
                        step.part);
}

static bool do_step(Run *run)
{
    const rnct_batch *batch = rnct_reader_next(run->reader);
    const double rate = rate_at(run, run->at.step);
    const void *inputs[2];
    rnc_metrics m;
    data_inputs(run, batch, inputs);
    const rnc_status status = run->info->step(run->net, inputs, (int)batch->count, rate, &m);
    if (status != RNC_OK)
        return rnct_problem(run->problems, run->info->name, "%s", rnc_status_text(status));
    data_combine(run, &m);
    if (m.bad >= 0 || !isfinite(m.loss))
        return not_finite(run, &m);
    run->at.step++;
    run->at.epoch.loss += m.loss;
    run->at.epoch.hits += (uint64_t)m.hits;
    run->at.epoch.images += (uint64_t)m.images;
    return shown_step(run, &m, rate);
}

/* ---- an epoch's end ---- */

/* Whether this epoch is the best so far: by the accuracy of what is held back, then by its loss;
 * without it by the loss of what was trained on. */
static bool is_best(const Run *run, const EpochRow *e)
{
    const Standing *at = &run->at;
    if (at->best_epoch == 0)
        return true;
    if (!run->held_set)
        return loss_of(&e->trained) < at->best_loss;
    const double accuracy = accuracy_of(&e->held);
    return accuracy > at->best_accuracy ||
           (accuracy >= at->best_accuracy && loss_of(&e->held) < at->best_loss);
}

/* All epochs are done, or no patience is left. */
static bool has_ended(const Run *run)
{
    return run->at.step >= run->steps ||
           (run->what->patience > 0 && run->at.worse >= run->what->patience);
}

static void judge(Run *run, const EpochRow *e, bool best)
{
    Standing *at = &run->at;
    const Sums *sums = run->held_set ? &e->held : &e->trained;
    const bool less = at->step == run->epoch_steps || loss_of(sums) < at->least_loss;
    if (best) {
        at->best_epoch = at->step / run->epoch_steps;
        at->best_loss = loss_of(sums);
        at->best_accuracy = accuracy_of(sums);
    }
    at->worse = less ? 0 : at->worse + 1;
    if (less)
        at->least_loss = loss_of(sums);
    at->ended = has_ended(run);
}

/* Evaluates, writes rows and weights.  Where a signal comes first, nothing has changed. */
static bool end_epoch(Run *run)
{
    EpochRow row = {.trained = run->at.epoch, .rate = rate_at(run, run->at.step - 1)};
    if (run->held_set && !data_evaluate(run, &row.held))
        return false;
    if (run->stop)
        return true;
    const bool best = is_best(run, &row);
    row.seconds = rnct_now() - run->begun;
    run->begun = rnct_now();
    judge(run, &row, best);
    run->at.epoch = (Sums){0};
    run->at.pending = false;
    return shown_epoch(run, &row, best) &&
           (!best || state_save_weights(run, "best.safetensors", true)) &&
           state_save_weights(run, "last.safetensors", false);
}

/* ---- the run ---- */

/* Says what the end was. */
static void say_end(Run *run)
{
    const rnct_run *what = run->what;
    const uint64_t epochs = run->at.step / run->epoch_steps;
    if (run->at.step < run->steps)
        shown_say(run, "\nended early: no lower loss of what is held back for %" PRIu32 " epochs",
                  what->patience);
    shown_say(run,
              "\n%" PRIu64 " epochs, %" PRIu64 " steps; the best was epoch %" PRIu64
              ": loss %.4f, accuracy %.2f %%\n%s/best.safetensors has its weights\n",
              epochs, run->at.step, run->at.best_epoch, run->at.best_loss,
              100 * run->at.best_accuracy, what->folder);
}

/* One step, or the end of an epoch.  Checkpoints are taken where an update is complete, at the
 * latest accumulate - 1 steps after they are due. */
static bool advance(Run *run, bool *due)
{
    const uint64_t save = run->what->save_steps;
    if (run->at.pending) {
        if (!end_epoch(run))
            return false;
        *due = true;
        return true;
    }
    if (!do_step(run))
        return false;
    run->at.pending = run->at.step % run->epoch_steps == 0;
    *due = *due || (save > 0 && run->at.step % save == 0);
    return true;
}

/* Steps until the end or a signal. */
static rnct_end loop(Run *run)
{
    bool due = run->at.step == 0;
    run->begun = rnct_now();
    while (!run->at.ended) {
        const bool whole = run->at.step % (uint64_t)run->info->accumulate == 0;
        if (whole && (due || run->stop) && !state_save(run))
            return RNCT_FAILED;
        due = due && !whole;
        if (run->stop && (whole || run->at.pending)) {
            shown_say(run, "stopped after step %" PRIu64 "; --resume goes on\n", run->at.step);
            return RNCT_INTERRUPTED;
        }
        if (!advance(run, &due))
            return RNCT_FAILED;
    }
    say_end(run);
    return shown_end(run) && state_save(run) ? RNCT_FINISHED : RNCT_FAILED;
}

/* From the last checkpoint, or from the beginning. */
static bool begin(Run *run)
{
    bool there;
    const bool folder = shown_folder(run, &there);
    if (!agree(run, folder))
        return folder && rnct_problem(run->problems, run->what->folder, "rank 0 cannot use it");
    return agree(run, there ? state_load(run) : state_begin(run)) && agree(run, shown_open(run)) &&
           data_read(run);
}

/* A run can end between the batches of an update, whose gradients so far no step would complete:
 * an engine does not know how many batches they are of. */
static bool can_go_on(Run *run)
{
    return run->at.step % (uint64_t)run->info->accumulate == 0 ||
           rnct_problem(run->problems, run->what->folder,
                        "ended after %" PRIu64 " steps, between the %d batches of an update, and "
                        "cannot go on with more epochs: begin a run in another folder",
                        run->at.step, run->info->accumulate);
}

static rnct_end train(Run *run)
{
    if (!identity_new(run) || !data_new(run) || !state_new(run) || !begin(run))
        return RNCT_FAILED;
    /* There can be more epochs by now. */
    run->at.ended = run->at.ended && has_ended(run);
    if (run->at.ended) {
        shown_say(run, "%s: this run has ended already\n", run->what->folder);
        return RNCT_FINISHED;
    }
    if (!can_go_on(run))
        return RNCT_FAILED;
    if (run->at.step > 0)
        shown_say(run, "goes on after step %" PRIu64 " of %" PRIu64 "\n", run->at.step, run->steps);
    return loop(run);
}

rnct_end rnct_run_train(const rnct_run *what, rnct_problems *problems)
{
    Run run = {.what = what,
               .info = what->info,
               .problems = problems,
               .rank = what->ranks ? what->ranks->rank : 0,
               .ranks = what->ranks ? what->ranks->count : 1,
               .folder = -1};
    sigset_t stopping, before;
    for (int i = 0; i < 4; i++)
        run.logs[i].fd = -1;
    sigemptyset(&stopping);
    sigaddset(&stopping, SIGINT);
    sigaddset(&stopping, SIGTERM);
    sigaddset(&stopping, SIGHUP);
    pthread_sigmask(SIG_BLOCK, &stopping, &before);
    const rnct_end end = train(&run);
    shown_close(&run);
    data_free(&run);
    state_free(&run);
    identity_free(&run);
    /* A signal that ended the run is used up. */
    const struct timespec no_time = {0};
    while (end == RNCT_INTERRUPTED && sigtimedwait(&stopping, NULL, &no_time) > 0)
        continue;
    pthread_sigmask(SIG_SETMASK, &before, NULL);
    return end;
}
