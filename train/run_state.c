/* run_state.c: the engine of a run, and what checkpoints and weights files have of it.
 *
 * In a checkpoint tensors are as info->get gives them, so that it can be read on a machine with
 * other instruction sets and by any number of threads and ranks:
 *
 *     u64 bytes of the text | the text | the standing, u64 each | updates | the tensors' floats
 */
#define _GNU_SOURCE
#include "train/run_parts.h"

#include "train/bytes.h"
#include "train/checkpoint.h"
#include "train/safetensors.h"

#include <inttypes.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

enum { ALIGNMENT = 64, HUGE_PAGE = 2 << 20, STANDING_NUMBERS = 12 };

/* Memory of zeros, in huge pages where it is large and the system has some: a step reads the state
 * and the arena in many places at once, and takes 0.94 of the time where few translations of
 * addresses are missed (docs/training.md). */
static void *aligned(size_t bytes)
{
    const size_t unit = bytes >= HUGE_PAGE ? HUGE_PAGE : ALIGNMENT;
    const size_t whole = (bytes + unit) / unit * unit;
    void *memory = aligned_alloc(unit, whole);
#ifdef MADV_HUGEPAGE
    if (memory && unit == HUGE_PAGE)
        (void)madvise(memory, whole, MADV_HUGEPAGE); /* a wish: it works without, too */
#endif
    if (memory)
        memset(memory, 0, whole);
    return memory;
}

static bool refuse(Run *run, rnc_status status)
{
    const char *why = run->info->why(run->net);
    return rnct_problem(run->problems, run->info->name, "%s%s%s", rnc_status_text(status),
                        *why ? ": " : "", why);
}

bool state_new(Run *run)
{
    const rnc_train_info *info = run->info;
    run->net = aligned(info->engine_bytes);
    run->state = aligned(info->state_bytes);
    run->arena = aligned(info->arena_bytes);
    if (!run->net || !run->state || !run->arena)
        return rnct_problem(run->problems, info->name,
                            "no memory: a step needs %zu bytes for its state and %zu besides",
                            info->state_bytes, info->arena_bytes);
    const rnc_status status =
        info->init(run->net, run->state, info->state_bytes, run->arena, info->arena_bytes,
                   run->what->pool, run->ranks > 1 ? run->what->ranks : NULL);
    return status == RNC_OK || refuse(run, status);
}

void state_free(Run *run)
{
    free(run->net);
    free(run->state);
    free(run->arena);
}

static size_t floats_of(const rnc_tensor_info *t)
{
    size_t n = 1;
    for (int i = 0; i < t->rank; i++)
        n *= (size_t)t->dims[i];
    return n;
}

static size_t all_floats(const Run *run)
{
    size_t n = 0;
    for (int i = 0; i < run->info->n_tensors; i++)
        n += floats_of(&run->info->tensors[i]);
    return n;
}

bool state_begin(Run *run)
{
    const rnc_train_info *info = run->info;
    rnc_status status = info->initialise(run->net, run->what->seed);
    for (int i = 0; status == RNC_OK && run->what->begin && i < info->n_tensors; i++) {
        if (run->what->begin[i])
            status = info->set(run->net, i, run->what->begin[i]);
    }
    run->at = (Standing){0};
    return status == RNC_OK || refuse(run, status);
}

/* A tensor that is to be saved.  An update can overflow although the loss before it was finite:
 * such a state must not replace one that is sound.  False after a problem. */
static bool get_finite(Run *run, int tensor, float *to)
{
    const rnc_tensor_info *t = &run->info->tensors[tensor];
    const rnc_status status = run->info->get(run->net, tensor, to);
    if (status != RNC_OK)
        return refuse(run, status);
    for (size_t i = 0; i < floats_of(t); i++) {
        if (!isfinite(to[i]))
            return rnct_problem(run->problems, t->name,
                                "is not finite after step %" PRIu64
                                ": a lower rate, `clip norm 1` or a warm-up may help; it is not "
                                "saved, and the last checkpoint is from before it",
                                run->at.step);
    }
    return true;
}

/* All tensors, one after the other.  False after a problem. */
static bool get_all(Run *run, float *to)
{
    for (int i = 0; i < run->info->n_tensors; i++) {
        if (!get_finite(run, i, to))
            return false;
        to += floats_of(&run->info->tensors[i]);
    }
    return true;
}

/* ---- checkpoints ---- */

static uint64_t bits_of(double x)
{
    uint64_t bits;
    memcpy(&bits, &x, sizeof bits);
    return bits;
}

static double double_of(uint64_t bits)
{
    double x;
    memcpy(&x, &bits, sizeof x);
    return x;
}

static void put_standing(const Standing *s, uint64_t updates, unsigned char *to)
{
    const uint64_t numbers[STANDING_NUMBERS] = {s->step,
                                                bits_of(s->epoch.loss),
                                                s->epoch.hits,
                                                s->epoch.images,
                                                bits_of(s->best_loss),
                                                bits_of(s->best_accuracy),
                                                s->best_epoch,
                                                bits_of(s->least_loss),
                                                s->worse,
                                                s->ended,
                                                updates,
                                                s->pending};
    for (int i = 0; i < STANDING_NUMBERS; i++)
        put_u64(to + 8 * i, numbers[i]);
}

static void get_standing(Standing *s, uint64_t *updates, const unsigned char *from)
{
    uint64_t n[STANDING_NUMBERS];
    for (int i = 0; i < STANDING_NUMBERS; i++)
        n[i] = get_u64(from + 8 * i);
    *s = (Standing){.step = n[0],
                    .epoch = {double_of(n[1]), n[2], n[3]},
                    .best_loss = double_of(n[4]),
                    .best_accuracy = double_of(n[5]),
                    .best_epoch = n[6],
                    .least_loss = double_of(n[7]),
                    .worse = n[8],
                    .ended = n[9] != 0,
                    .pending = n[11] != 0};
    *updates = n[10];
}

/* Bytes before the tensors: those of the text end at a multiple of 8. */
static size_t head_bytes(size_t text)
{
    return 8 + (text + 7) / 8 * 8 + 8 * STANDING_NUMBERS;
}

bool state_save(Run *run)
{
    const size_t text = strlen(run->text), head = head_bytes(text);
    const size_t bytes = head + all_floats(run) * sizeof(float);
    rnct_checkpoint about = {.step = run->at.step,
                             .epoch = (uint32_t)(run->at.step / run->epoch_steps),
                             .network = run->info->plan,
                             .data = run->what->set->hash,
                             .seed = run->what->seed,
                             .best = run->at.best_accuracy};
    if (run->rank > 0)
        return true;
    if (!shown_sync(run)) /* a checkpoint after a power cut must find the rows that it is after */
        return false;
    strncpy(about.program, run->what->program, sizeof about.program - 1);
    unsigned char *state = aligned(bytes);
    if (!state)
        return rnct_problem(run->problems, run->what->folder, "no memory for a checkpoint");
    put_u64(state, text);
    memcpy(state + 8, run->text, text);
    put_standing(&run->at, run->info->updates(run->net), state + head - 8 * STANDING_NUMBERS);
    const bool good =
        get_all(run, (float *)(void *)(state + head)) &&
        rnct_checkpoint_save(run->what->folder, &about, state, bytes, false, run->problems);
    free(state);
    return good;
}

/* Whether it is a checkpoint of this run; says all that differs. */
static bool check_state(Run *run, const char *path, const unsigned char *state, size_t bytes)
{
    const uint64_t text = get_u64(state);
    if (bytes < 8 + 8 * STANDING_NUMBERS || text > bytes || bytes < head_bytes((size_t)text))
        return rnct_problem(run->problems, path, "is of another rnc: go on with that one");
    if (!identity_check(run, path, (const char *)state + 8, (size_t)text))
        return false;
    if (bytes != head_bytes((size_t)text) + all_floats(run) * sizeof(float))
        return rnct_problem(run->problems, path, "has other tensors than the network");
    return true;
}

static bool take_state(Run *run, const char *path, const unsigned char *state, size_t bytes)
{
    uint64_t updates;
    if (!check_state(run, path, state, bytes))
        return false;
    const size_t head = head_bytes((size_t)get_u64(state));
    const float *floats = (const float *)(const void *)(state + head);
    get_standing(&run->at, &updates, state + head - 8 * STANDING_NUMBERS);
    /* Parameters come first in the list: setting one sets its average, too. */
    for (int i = 0; i < run->info->n_tensors; i++) {
        const rnc_status status = run->info->set(run->net, i, floats);
        if (status != RNC_OK)
            return refuse(run, status);
        floats += floats_of(&run->info->tensors[i]);
    }
    run->info->set_updates(run->net, updates);
    return true;
}

bool state_load(Run *run)
{
    char path[PATH_BYTES];
    rnct_checkpoint about;
    const rnc_status status = run->info->initialise(run->net, run->what->seed);
    if (status != RNC_OK)
        return refuse(run, status);
    if (!path_of(run, RNCT_CHECKPOINT_LAST, path) ||
        !rnct_checkpoint_load(path, NULL, &about, NULL, 0, run->problems))
        return false;
    unsigned char *state = aligned((size_t)about.state_bytes);
    if (!state)
        return rnct_problem(run->problems, path, "no memory for a checkpoint");
    const bool good =
        rnct_checkpoint_load(path, NULL, &about, state, (size_t)about.state_bytes, run->problems) &&
        take_state(run, path, state, (size_t)about.state_bytes);
    free(state);
    return good;
}

/* ---- weights ---- */

/* The tensor whose values are saved as those of tensor i. */
static int source_of(const rnc_train_info *info, int i, bool averages)
{
    for (int k = 0; averages && k < info->n_tensors; k++) {
        if (info->tensors[k].role == RNC_ROLE_AVERAGE &&
            info->tensors[i].role == RNC_ROLE_PARAMETER &&
            strcmp(info->tensors[k].name, info->tensors[i].name) == 0)
            return k;
    }
    return i;
}

bool state_save_weights(Run *run, const char *name, bool averages)
{
    const rnc_train_info *info = run->info;
    const char *const *names = run->what->names;
    char path[PATH_BYTES];
    int n = 0;
    if (run->rank > 0)
        return true;
    if (!path_of(run, name, path))
        return false;
    rnct_tensor *tensors = calloc((size_t)info->n_tensors + 1, sizeof *tensors);
    float *floats = aligned(all_floats(run) * sizeof *floats), *at = floats;
    bool good = (tensors && floats) || rnct_problem(run->problems, path, "no memory for weights");
    for (int i = 0; good && i < info->n_tensors; i++) {
        const rnc_tensor_info *t = &info->tensors[i];
        if (t->role != RNC_ROLE_PARAMETER && t->role != RNC_ROLE_STATISTIC)
            continue;
        good = get_finite(run, source_of(info, i, averages), at);
        tensors[n] =
            (rnct_tensor){.name = names ? names[i] : t->name, .rank = t->rank, .floats = at};
        memcpy(tensors[n++].dims, t->dims, sizeof t->dims);
        at += floats_of(t);
    }
    good = good && rnct_safetensors_save(path, tensors, n, names == NULL, run->problems);
    free(floats);
    free(tensors);
    return good;
}
