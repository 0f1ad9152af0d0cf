/* train_plan.c: how a network is trained, as its file says and options override. */
#include "tool/train_parts.h"

#include <string.h>
#include <unistd.h>

/* Threads that the steps are planned for.  The plan chooses methods by them, which round
 * differently: so it must not depend on how many this machine or --threads has, or a run that goes
 * on elsewhere would go on with other C. */
enum { PLANNED_THREADS = 16 };

/* ---- reading ---- */

/* The file's training: the network is lowered for it, and once more when it is compiled. */
static const Train *read_training(Training *t)
{
    CompileOptions options = t->o->compile;
    SrcMap src = {.arena = t->arena};
    Diag d = diag_new(&src, t->arena);
    Compiled c;
    options.dump = DUMP_TRAIN;
    const bool good = compile(&options, t->arena, &src, &d, &c);
    const Train *train = good ? c.net->train : NULL;
    compiled_close(&c);
    if (!good) { /* its warnings come again, its errors do not */
        buf_puts(&t->d->out, buf_text(&d.out));
        t->d->errors += d.errors;
        t->d->internal |= d.internal;
    }
    return train;
}

/* A path beside the file that names it. */
static const char *beside(const Training *t, const char *path)
{
    const char *input = t->o->compile.input, *slash = strrchr(input, '/');
    if (*path == '/' || !slash)
        return path;
    return arena_printf(t->arena, "%.*s/%s", (int)(slash - input), input, path);
}

static void override(Training *t)
{
    const Options *o = t->o;
    Train *plan = &t->plan;
    if (o->epochs)
        plan->epochs = o->epochs;
    if (o->rate_given)
        plan->rate = o->rate;
    if (o->seed_given)
        plan->seed = (int)o->seed;
    if (o->compile.lower.batch)
        plan->batch = o->compile.lower.batch;
    if (o->weights.n) {
        plan->given[TRAIN_WEIGHTS] = true;
        plan->weights = o->weights.at[0];
        plan->weights_except = (Texts){o->except.at, o->except.n};
    } else if (plan->weights) {
        plan->weights = beside(t, plan->weights);
    }
}

/* What the parameters begin with: those of weights files strictly, all others drawn. */
static void set_begin(Training *t)
{
    CompileOptions *c = &t->o->compile;
    const Train *plan = &t->plan;
    c->init.kind = plan->given[TRAIN_INIT] ? plan->init : INIT_HE_NORMAL;
    c->init.seed = (uint64_t)plan->seed;
    if (!plan->weights)
        return;
    if (c->n_weights == 0) {
        const char **one = NEW_ARRAY(t->arena, const char *, 1);
        one[0] = plan->weights;
        c->weights = one;
        c->n_weights = 1;
    }
    c->strict = true;
    c->anew = (BindAnew){plan->weights_except.at, plan->weights_except.n};
}

/* The instruction sets of this CPU that are compiled: its best. */
static unsigned best_isa(void)
{
    for (int i = 0; i < ISA_COUNT; i++) {
        if (rnc_isa_present((rnc_isa)(i + 1)))
            return 1u << i;
    }
    return 1u << ISA_scalar;
}

int plan_threads(const Training *t)
{
    const long all = sysconf(_SC_NPROCESSORS_ONLN);
    /* Ranks of mpirun are told by it which processors are theirs. */
    const int ranks = t->ranks && !t->forked ? 1 : t->count;
    if (t->o->data_threads)
        return t->o->data_threads;
    return all > ranks ? (int)all / ranks : 1;
}

/* So many ranks or fewer compute the same bits where nobody says how many shards there are. */
enum { USUAL_SHARDS = 4 };

static bool is_power_of_two(int x)
{
    return x > 0 && (x & (x - 1)) == 0;
}

/* The shards of a batch; 0 after a message. */
static int shards_of(Training *t)
{
    int n = t->o->shards;
    if (n == 0) {
        n = t->count > USUAL_SHARDS ? t->count : USUAL_SHARDS;
        while (n > t->count && t->plan.batch % n != 0)
            n /= 2;
    }
    if (is_power_of_two(n) && n >= t->count && t->plan.batch % n == 0)
        return n;
    diag_error(
        t->d, NO_LOC,
        "%d shards: a power of two is needed that divides the batch of %d, and is at least the "
        "number of ranks, %d",
        n, t->plan.batch, t->count);
    return 0;
}

/* Each rank's step is for its part of a batch.  False after a message. */
static bool divide_batch(Training *t)
{
    if (t->plan.batch % t->count != 0) {
        diag_error(t->d, NO_LOC, "a batch of %d images cannot be divided among %d ranks",
                   t->plan.batch, t->count);
        diag_note(t->d, NO_LOC, "--batch N gives another");
        return false;
    }
    t->o->compile.ranks = t->count;
    t->o->compile.shards = shards_of(t);
    if (t->o->compile.shards == 0)
        return false;
    t->o->compile.lower.batch = t->plan.batch;
    return true;
}

bool plan_read(Training *t)
{
    CompileOptions *c = &t->o->compile;
    c->lower.train = true;
    c->lower.validated = t->o->train_validation != NULL;
    const Train *train = read_training(t);
    if (!train)
        return false;
    t->plan = *train;
    override(t);
    set_begin(t);
    c->train = true;
    c->emit.command = "rnc train"; /* no options: the C is used again where nothing else differs */
    c->emit.name = "net_trained";
    c->emit.source = "net_trained.c";
    c->emit.header = "net_trained.h";
    c->emit.single_file = true;
    if (c->plan.isas == 0)
        c->plan.isas = best_isa();
    c->plan.threads = PLANNED_THREADS;
    return divide_batch(t);
}

/* ---- for the run ---- */

rnct_schedule plan_schedule(const Train *plan)
{
    static const struct {
        TrainItem item;
        rnct_schedule_kind kind;
    } kinds[] = {{TRAIN_CONSTANT, RNCT_CONSTANT},
                 {TRAIN_STEP, RNCT_STEP},
                 {TRAIN_POLYNOMIAL, RNCT_POLYNOMIAL},
                 {TRAIN_COSINE, RNCT_COSINE},
                 {TRAIN_ONE_CYCLE, RNCT_ONE_CYCLE}};
    rnct_schedule s = {.epochs = plan->epochs,
                       .warmup = plan->warmup,
                       .warmup_from = plan->warmup_from,
                       .at = plan->at.at,
                       .n_at = plan->at.n,
                       .factor = plan->factor,
                       .power = plan->power,
                       .end = plan->end,
                       .start = plan->start,
                       .peak = plan->peak};
    for (size_t i = 0; i < sizeof kinds / sizeof *kinds; i++) {
        if (kinds[i].item == plan->schedule)
            s.kind = kinds[i].kind;
    }
    return s;
}

rnct_augment plan_augment(const Train *plan)
{
    const bool *given = plan->given;
    rnct_augment a = {.crop = given[TRAIN_CROP] ? plan->crop : 0,
                      .flip = given[TRAIN_FLIP] ? (float)plan->flip : 0,
                      .erase = given[TRAIN_ERASE] ? (float)plan->erase : 0,
                      .erase_least = (float)plan->erase_least,
                      .erase_most = (float)plan->erase_most};
    if (given[TRAIN_COLOUR]) {
        a.brightness = (float)plan->brightness;
        a.contrast = (float)plan->contrast;
        a.saturation = (float)plan->saturation;
    }
    return a;
}

const char *plan_text(const Training *t)
{
    Buf text = buf_new(t->arena), lines = buf_new(t->arena);
    train_print(&text, &t->plan);
    /* Without `train NAME {` and `}`: what the lines are about is the training. */
    const char *at = buf_text(&text);
    for (size_t n; *at; at += n + (at[n] == '\n')) {
        n = strcspn(at, "\n");
        const size_t blanks = strspn(at, " ");
        if (blanks > 0 && blanks < n) {
            buf_add(&lines, at + blanks, n - blanks);
            buf_putc(&lines, '\n');
        }
    }
    if (t->o->compile.shards > 1)
        buf_printf(&lines, "sums of %d shards\n", t->o->compile.shards);
    return buf_text(&lines);
}

bool plan_any_epochs(const Train *plan)
{
    return plan->schedule == TRAIN_CONSTANT || plan->schedule == TRAIN_STEP;
}
