/* compile.c: the compiler, a call a phase. */
#include "compile.h"
#include "net/check.h"
#include "net/irtext.h"
#include "import/import.h"
#include "import/write.h"
#include "lang/parse.h"
#include "net/train.h"
#include "params/round.h"
#include "passes/evaluation.h"
#include "passes/pass.h"
#include "plan/tuning.h"

#include <string.h>

enum { LARGE_ARRAY = 16 << 20 };

/* The state of one compilation. */
typedef struct Work {
    const CompileOptions *options;
    Arena *arena;
    SrcMap *src;
    Diag *d;
    Compiled *out;
} Work;

/* Another tool's model: the text that `rnc import` writes, which is then lowered like any other,
 * with the model's own values. */
static bool import_source(const Work *w, Written *written)
{
    const char *path = arena_printf(w->arena, "%s (imported)", w->options->input);
    return import_model(&w->out->imported, w->options->input, w->src, w->d) &&
           write_net(written, &w->out->imported, path, w->src, w->d);
}

/* A network of that name that ships lies in another folder. */
static void point_to_shipped(const Work *w)
{
    const LowerOptions *lower = &w->options->lower;
    const char *input = w->options->input, *slash = strrchr(input, '/');
    const char *why;
    for (int i = 0; i < lower->n_include_dirs; i++) {
        const char *path =
            arena_printf(w->arena, "%s/%s", lower->include_dirs[i], slash ? slash + 1 : input);
        if (src_read(w->src, path, &why) < 0)
            continue;
        diag_file_note(w->d, input, "a network of that name is %s", path);
        return;
    }
}

static int read_source(const Work *w, Written *written)
{
    const char *why;
    if (!str_ends(w->options->input, ".ir") && import_is_model(w->options->input))
        return import_source(w, written) ? written->file : -1;
    const int file = src_read(w->src, w->options->input, &why);
    if (file < 0) {
        diag_file_error(w->d, w->options->input, "cannot read the network: %s", why);
        point_to_shipped(w);
    }
    const SrcFile *text = src_file(w->src, file);
    if (text && !str_ends(w->options->input, ".net") && memchr(text->text, '\0', text->size)) {
        import_refuse(w->options->input, w->arena, w->d);
        return -1;
    }
    return file;
}

/* The network as written; a text form of one is read back as it is. */
static Net *make_net(const Work *w, int file, const Written *written)
{
    if (str_ends(w->options->input, ".ir"))
        return irtext_read(w->arena, file, w->d);
    LowerOptions o = w->options->lower;
    o.train = o.train || w->options->dump == DUMP_TRAIN;
    o.train_if_any = w->options->train;
    o.ranks = w->options->ranks;
    if (written->net)
        return written_lower(written, &o, w->src, w->d);
    return lower_file(w->arena, w->src, file, &o, w->d);
}

/* A training is part of the language, not of a network's text form. */
static void print_training(const Work *w)
{
    if (w->out->net->train)
        train_print(&w->out->dump, w->out->net->train);
    else
        diag_file_error(w->d, w->options->input, "there is no training in a network's text form");
}

static bool has_values(const Net *net)
{
    for (int i = 0; i < net->params.n; i++) {
        if (!net->params.at[i]->data)
            return false;
    }
    return true;
}

static bool bind_weights(const Work *w)
{
    const CompileOptions *o = w->options;
    Compiled *c = w->out;
    if (o->n_weights == 0 && o->init.kind == INIT_NONE) {
        c->has_weights = has_values(c->net);
        return true;
    }
    c->files = NEW_ARRAY(w->arena, TensorFile, o->n_weights ? o->n_weights : 1);
    for (int i = 0; i < o->n_weights; i++) {
        c->n_files = i + 1; /* first, so that it is closed even if memory runs out in it */
        if (!tensorfile_open(&c->files[i], o->weights[i], w->arena, w->d))
            return false;
        for (int k = 0; k < c->files[i].n_parts; k++)
            src_add_input(w->src, c->files[i].parts[k]);
    }
    c->has_weights =
        o->strict ? bind_params_but(c->net, c->files, c->n_files, o->init, o->anew, &c->bound, w->d)
                  : bind_params(c->net, c->files, c->n_files, o->init, &c->bound, w->d);
    return c->has_weights;
}

/* The loss that the options say, else the one of the file's training. */
static bool make_backward(const Work *w)
{
    const Train *train = w->out->net->train;
    Loss loss = w->options->loss;
    if (train && !w->options->some_loss) {
        const bool cross = train->loss == TRAIN_CROSS_ENTROPY;
        loss.kind = cross ? LOSS_CROSS_ENTROPY : LOSS_MEAN_SQUARED_ERROR;
        loss.smoothing = cross ? train->smoothing : 0;
    }
    if (train) {
        loss.frozen = train->freeze.at;
        loss.n_frozen = train->freeze.n;
    }
    return differentiate(w->out->net, &loss, w->d);
}

/* Methods are chosen by what the layers' images cost, and methods round differently: for several
 * shards they are those of a step of one shard's images, whatever the ranks are.  A shard of one
 * image is taken for two, since some layers cannot be trained on one.  NULL after a message. */
static const Plan *shard_plan(const Work *w, int images)
{
    CompileOptions o = *w->options;
    Compiled shard;
    Diag d = diag_new(w->src, w->arena);
    o.lower.batch = images > 1 ? images : 2;
    o.ranks = o.shards = 0;
    o.n_weights = 0;
    o.memory.kind = MEMORY_ANY;
    o.init.kind = INIT_NONE;
    o.passes = NULL;
    o.dump = DUMP_REPORT;
    if (compile(&o, w->arena, w->src, &d, &shard) && shard.plan->training)
        return shard.plan;
    diag_error(w->d, NO_LOC, "there is no plan for a shard of %d images", o.lower.batch);
    diag_note(w->d, NO_LOC, "fewer --shards have more images: %s", buf_text(&d.out));
    return NULL;
}

static bool is_power_of_two(int x)
{
    return x > 0 && (x & (x - 1)) == 0;
}

/* Where nobody says how many shards there are, each rank is one.  False after a message. */
static bool find_shards(const Work *w, PlanOptions *o)
{
    o->ranks = w->options->ranks ? w->options->ranks : 1;
    o->shards = w->options->shards ? w->options->shards : o->ranks;
    if (o->shards == 1)
        return true;
    const char *file = w->options->input;
    const int batch = w->out->net->inputs.at[0].node->type.n * o->ranks;
    if (str_ends(file, ".ir")) {
        diag_file_error(w->d, file,
                        "a network's text form has the images of one rank: --ranks and --shards "
                        "need a .net file");
    } else if (!is_power_of_two(o->ranks) || !is_power_of_two(o->shards) || o->shards < o->ranks) {
        diag_file_error(w->d, file, "--shards %d and --ranks %d do not fit together", o->shards,
                        o->ranks);
        diag_note(w->d, NO_LOC,
                  "both are powers of two, and there are at least as many shards as ranks");
    } else if (batch % o->shards != 0) {
        diag_file_error(w->d, file, "a batch of %d images cannot be divided into %d shards", batch,
                        o->shards);
        diag_note(w->d, NO_LOC, "--batch N gives another batch, --shards N other shards");
    } else {
        return true;
    }
    return false;
}

static bool find_plan_options(const Work *w, PlanOptions *o)
{
    *o = w->options->plan;
    if (!find_shards(w, o))
        return false;
    if (o->shards > 1) {
        o->like = shard_plan(w, w->out->net->inputs.at[0].node->type.n * o->ranks / o->shards);
        if (!o->like)
            return false;
    }
    if (w->options->tuning) {
        o->tuning = tuning_read(w->arena, w->src, w->options->tuning, w->d);
        if (!o->tuning)
            return false;
    }
    return true;
}

/* Has values computed again, so that a step of training fits --memory, or layers by bands, so that
 * an inference does. */
static bool fit_goal(const Work *w, PlanOptions *o)
{
    const MemoryGoal goal = w->options->memory;
    if (goal.kind == MEMORY_ANY)
        return true;
    if (w->out->net->updates.n == 0)
        return fit_bands(w->out->net, o, goal, &w->out->memory, w->d);
    w->out->net = fit_memory(w->out->net, o, goal, &w->out->memory, &o->like, w->d);
    return w->out->net != NULL;
}

static bool make_plan(const Work *w, const PlanOptions *o)
{
    if (w->out->net->updates.n && !add_evaluation(w->out->net, w->d))
        return false;
    w->out->plan = plan_make(w->arena, w->out->net, *o, w->d);
    return w->out->plan != NULL;
}

static void emit(const Work *w)
{
    Compiled *c = w->out;
    EmitOptions e = w->options->emit;
    if (c->has_weights)
        c->weights = emit_weights(w->arena, c->plan, &c->weights_size);
    emit_header(&c->header, c->plan, &e, w->src);
    emit_source(&c->source, c->plan, &e, w->src);
    if (e.embed == EMBED_ARRAY && c->weights) {
        if (c->weights_size > LARGE_ARRAY)
            diag_warning(w->d, NO_LOC,
                         "--embed array makes C of %zu MB, which compilers take long for; incbin "
                         "does the same without",
                         c->weights_size * 36 / 10000000);
        emit_array(&c->source, c->plan, &e, c->weights, c->weights_size);
    }
}

/* True when the text that was asked for is there. */
static bool stop(const Work *w, Dump dump)
{
    return w->options->dump == dump;
}

static bool phases(const Work *w)
{
    const CompileOptions *o = w->options;
    Compiled *c = w->out;

    Written written = {0};
    const int file = read_source(w, &written);
    if (file < 0)
        return false;
    if (stop(w, DUMP_AST)) {
        ast_print(&c->dump, parse_file(w->arena, file, w->d));
        return true;
    }

    c->net = make_net(w, file, &written);
    if (c->net && stop(w, DUMP_TRAIN)) {
        print_training(w);
        return true;
    }
    if (!c->net || !check_net(c->net, w->d, "lowering") || !bind_weights(w))
        return false;
    if (o->train && !make_backward(w))
        return false;
    c->original = ir_copy(c->net, w->arena);
    const bool fits = o->memory.kind != MEMORY_ANY && !o->dump_after;
    if (stop(w, DUMP_IR) && !o->dump_after && !o->passes && !fits) {
        irtext_print(&c->dump, c->net, w->src);
        return true;
    }

    const PassChoice passes = {o->passes, o->n_passes, o->dump_after};
    if (!pass_run(c->net, w->d, passes))
        return false;
    if (stop(w, DUMP_IR) && !fits) {
        irtext_print(&c->dump, c->net, w->src);
        return true;
    }

    PlanOptions plan;
    if (!find_plan_options(w, &plan) || !fit_goal(w, &plan))
        return false;
    if (stop(w, DUMP_IR)) {
        irtext_print(&c->dump, c->net, w->src);
        return true;
    }

    if (!round_weights(c->net, o->plan.weights_type, w->d))
        return false;
    if (o->plan.weights_type != RNC_WEIGHTS_F32)
        c->rounded = c->net;
    if (!make_plan(w, &plan))
        return false;
    if (stop(w, DUMP_PLAN)) {
        plan_print(&c->dump, c->plan);
        return true;
    }
    if (stop(w, DUMP_REPORT))
        return true;

    emit(w);
    return true;
}

/* Memory has run out, perhaps even for this message. */
static void out_of_memory(Arena *arena, Diag *d)
{
    static const char message[] = "rnc: error: out of memory\n";
    jmp_buf oom;
    jmp_buf *outer = arena_on_oom(arena, &oom);
    if (setjmp(oom) == 0)
        diag_error(d, NO_LOC, "out of memory");
    else
        d->out = (Buf){.arena = arena, .text = (char *)message, .n = sizeof message - 1};
    arena_on_oom(arena, outer);
}

bool compile(const CompileOptions *options, Arena *arena, SrcMap *src, Diag *d, Compiled *out)
{
    const Work work = {options, arena, src, d, out};
    jmp_buf oom;
    jmp_buf *outer = arena_on_oom(arena, &oom);
    bool good = false;
    *out = (Compiled){.source = buf_new(arena), .header = buf_new(arena), .dump = buf_new(arena)};
    if (setjmp(oom) == 0)
        good = phases(&work) && d->errors == 0;
    else
        out_of_memory(arena, d);
    arena_on_oom(arena, outer);
    return good;
}

void compiled_close(Compiled *compiled)
{
    for (int i = 0; i < compiled->n_files; i++)
        tensorfile_close(&compiled->files[i]);
    compiled->n_files = 0;
    imported_close(&compiled->imported);
}
