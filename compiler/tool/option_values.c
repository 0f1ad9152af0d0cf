/* option_values.c: what an option's value means, and where it goes. */
#include "passes/pass.h"
#include "tool/options_parts.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

static void bad_value(Parser *p, const char *value, const char *wanted)
{
    diag_error(p->d, NO_LOC, "'%s' is no value for %s", value, p->option);
    diag_note(p->d, NO_LOC, "%s takes %s", p->option, wanted);
}

static bool integer(Parser *p, const char *value, long long least, long long most, long long *out)
{
    char *end;
    errno = 0;
    *out = strtoll(value, &end, 10);
    if (end == value || *end || errno || *out < least || *out > most) {
        bad_value(p, value,
                  arena_printf(p->arena, "a whole number from %lld to %lld", least, most));
        return false;
    }
    return true;
}

/* The index of `value` in `words`, or -1 after a message. */
static int choice(Parser *p, const char *value, const char *const *words, int n)
{
    for (int i = 0; i < n; i++) {
        if (str_eq(value, words[i]))
            return i;
    }
    Buf list = buf_new(p->arena);
    for (int i = 0; i < n; i++)
        buf_printf(&list, "%s%s", i == 0 ? "" : i == n - 1 ? " or " : ", ", words[i]);
    const char *nearest = str_nearest(value, words, n);
    diag_error(p->d, NO_LOC, "'%s' is no value for %s%s%s%s", value, p->option,
               nearest ? "; did you mean '" : "", nearest ? nearest : "", nearest ? "'?" : "");
    diag_note(p->d, NO_LOC, "%s takes %s", p->option, buf_text(&list));
    return -1;
}

/* A row of isa.def; ISA_COUNT for all of them. */
static int isa_choice(Parser *p, const char *value)
{
    const char *names[ISA_COUNT + 1];
    for (int i = 0; i < ISA_COUNT; i++)
        names[i] = isa_rows[i].name;
    names[ISA_COUNT] = "all";
    return choice(p, value, names, ISA_COUNT + 1);
}

static int pass_choice(Parser *p, const char *value)
{
    const char **names = NEW_ARRAY(p->arena, const char *, pass_count);
    for (int i = 0; i < pass_count; i++)
        names[i] = pass_rows[i].name;
    return choice(p, value, names, pass_count);
}

/* The words between commas. */
static Words split(Arena *arena, const char *list)
{
    Words words = {0};
    for (const char *at = list; *at;) {
        size_t n = strcspn(at, ",");
        VEC_PUSH(arena, &words, arena_strndup(arena, at, n));
        at += n;
        if (*at)
            at++;
    }
    return words;
}

static bool isa_list(Parser *p, const char *value)
{
    Words words = split(p->arena, value);
    p->o->compile.plan.isas = 0;
    for (int i = 0; i < words.n; i++) {
        int isa = isa_choice(p, words.at[i]);
        if (isa < 0)
            return false;
        p->o->compile.plan.isas |= isa == ISA_COUNT ? ALL_ISAS : 1u << isa;
    }
    if (words.n == 0)
        bad_value(p, value, "a list of instruction sets");
    return words.n > 0;
}

static bool pass_list(Parser *p, const char *value)
{
    p->o->passes = split(p->arena, value);
    p->o->some_passes = true;
    for (int i = 0; i < p->o->passes.n; i++) {
        if (pass_choice(p, p->o->passes.at[i]) < 0)
            return false;
    }
    return true;
}

static bool real(Parser *p, const char *value, double *out)
{
    char *end;
    errno = 0;
    *out = strtod(value, &end);
    if (end == value || *end || errno || !(*out >= 0 && *out < 1e30)) {
        bad_value(p, value, "a number, not negative");
        return false;
    }
    return true;
}

static bool definition(Parser *p, const char *value)
{
    const char *equals = strchr(value, '=');
    if (!equals || equals == value) {
        bad_value(p, value, "NAME=VALUE, such as classes=10");
        return false;
    }
    if (p->o->against)
        VEC_PUSH(p->arena, &p->o->against_defines, value);
    else
        VEC_PUSH(p->arena, &p->o->defines, value);
    return true;
}

/* cross_entropy, cross_entropy:0.1 or mean_squared_error */
static bool loss(Parser *p, const char *value, Loss *out)
{
    static const char *const words[] = {"cross_entropy", "mean_squared_error"};
    const char *colon = strchr(value, ':');
    const int kind = choice(
        p, colon ? arena_strndup(p->arena, value, (size_t)(colon - value)) : value, words, 2);
    if (kind < 0)
        return false;
    out->kind = (LossKind)kind;
    out->smoothing = 0;
    if (!colon)
        return true;
    if (out->kind == LOSS_CROSS_ENTROPY && real(p, colon + 1, &out->smoothing) &&
        out->smoothing <= 1)
        return true;
    if (p->d->errors == 0)
        bad_value(p, value, "cross_entropy:X, where X is from 0 to 1, or mean_squared_error");
    return false;
}

#define CHOICE(p, value, field, type, ...)                                             \
    do {                                                                               \
        static const char *const words_[] = {__VA_ARGS__};                             \
        int chosen_ = choice(p, value, words_, (int)(sizeof words_ / sizeof *words_)); \
        if (chosen_ < 0)                                                               \
            return false;                                                              \
        (field) = (type)chosen_;                                                       \
    } while (0)

/* Options that change the network or the C as a whole.  False after a message. */
static bool apply_compile(Parser *p, OptionId id, const char *value)
{
    Options *o = p->o;
    LowerOptions *lower = &o->compile.lower;
    long long n = 0;
    int word = 0;
    switch (id) {
    case OPTION_DEFINE:
        return definition(p, value);
    case OPTION_INCLUDE:
        VEC_PUSH(p->arena, &o->include_dirs, value);
        return true;
    case OPTION_BATCH:
        if (!integer(p, value, 1, 1 << 20, &n))
            return false;
        lower->batch = (int)n;
        return true;
    case OPTION_INPUT_TYPE:
        CHOICE(p, value, word, int, "f32", "u8");
        lower->input_type = value;
        return true;
    case OPTION_INPUT_ORDER:
        CHOICE(p, value, word, int, "nchw", "nhwc");
        lower->input_order = value;
        return true;
    case OPTION_TAP:
        VEC_PUSH(p->arena, &o->taps, value);
        return true;
    case OPTION_END:
        o->compile.lower.end = value;
        return true;
    case OPTION_LABELS:
        lower->labels = value;
        return true;
    case OPTION_WEIGHTS:
        VEC_PUSH(p->arena, &o->weights, value);
        return true;
    case OPTION_INIT:
        o->init = value;
        return init_parse(&o->compile.init, value, p->d);
    case OPTION_TRAIN:
        o->compile.train = true;
        return true;
    case OPTION_LOSS:
        o->compile.some_loss = true;
        return loss(p, value, &o->compile.loss);
    case OPTION_KEEP_STATISTICS:
        o->compile.loss.keep_statistics = true;
        return true;
    case OPTION_LOSS_OF:
        o->compile.loss.output = value;
        return true;
    case OPTION_NAMES:
        lower->naming = value;
        return true;
    case OPTION_ISA:
        return isa_list(p, value);
    case OPTION_BACKEND:
        CHOICE(p, value, o->compile.plan.backend, Backend, "native", "openblas");
        return true;
    case OPTION_OPTIMIZE:
        CHOICE(p, value, o->compile.plan.optimize, Optimize, "speed", "balanced", "size");
        return true;
    case OPTION_WEIGHTS_TYPE:
        CHOICE(p, value, o->compile.plan.weights_type, int, "f32", "bf16", "f16");
        return true;
    case OPTION_EXACT:
        o->compile.plan.exact = true;
        return true;
    case OPTION_MACHINE:
        return machine_option(p, value);
    case OPTION_TUNING:
        o->compile.tuning = value;
        return true;
    case OPTION_EMBED:
        CHOICE(p, value, o->compile.emit.embed, Embed, "file", "incbin", "array", "section");
        return true;
    case OPTION_DUMP:
        CHOICE(p, value, word, int, "ast", "ir", "plan", "report", "train");
        o->compile.dump = (Dump)(word + 1);
        return true;
    case OPTION_AFTER:
        o->compile.dump_after = value;
        return pass_choice(p, value) >= 0;
    case OPTION_PASSES:
        return pass_list(p, value);
    default:
        return true;
    }
}

/* "64" or "48x64", of at most 65535 pixels each. */
static bool picture_size(Parser *p, const char *value)
{
    enum { MOST = 65535 };
    rnct_data *data = &p->o->data;
    char *end;
    const unsigned long h = strtoul(value, &end, 10);
    unsigned long w = h;
    bool good = *value >= '0' && *value <= '9';
    if (good && *end == 'x') {
        good = end[1] >= '0' && end[1] <= '9';
        w = strtoul(end + 1, &end, 10);
    }
    if (!good || *end || h < 1 || h > MOST || w < 1 || w > MOST) {
        bad_value(p, value, "a size in pixels, such as 64, or height and width, 48x64");
        return false;
    }
    data->h = (int)h;
    data->w = (int)w;
    return true;
}

/* Options of data for training.  False after a message. */
static bool apply_data(Parser *p, OptionId id, const char *value)
{
    Options *o = p->o;
    long long n = 0;
    int word = 0;
    switch (id) {
    case OPTION_DATA_KIND:
        CHOICE(p, value, word, int, "folders", "names", "list", "h5", "cifar10", "cifar100", "npz");
        o->data.kind = (rnct_kind)(RNCT_FOLDERS + word);
        return true;
    case OPTION_DATA_PART:
        CHOICE(p, value, word, int, "train", "test");
        o->data.test = word == 1;
        return true;
    case OPTION_DATA_SIZE:
        return picture_size(p, value);
    case OPTION_DATA_SKIP:
        o->data.skip = true;
        return true;
    case OPTION_DATA_CLASSES:
        o->classes = split(p->arena, value);
        o->data.classes = o->classes.at;
        o->data.n_classes = o->classes.n;
        return true;
    case OPTION_DATA_THREADS:
    case OPTION_TRAIN_THREADS:
        if (!integer(p, value, 1, 1024, &n))
            return false;
        o->data_threads = (int)n;
        return true;
    default:
        return apply_compile(p, id, value);
    }
}

/* Options of a training.  False after a message. */
static bool apply_train(Parser *p, OptionId id, const char *value)
{
    Options *o = p->o;
    long long n = 0;
    switch (id) {
    case OPTION_DATA:
        o->train_data = value;
        return true;
    case OPTION_VALIDATION:
        o->train_validation = value;
        return true;
    case OPTION_CACHE:
        o->train_cache = value;
        return true;
    case OPTION_RESUME:
        o->resume = true;
        return true;
    case OPTION_EPOCHS:
        if (!integer(p, value, 1, 1000000, &n))
            return false;
        o->epochs = (int)n;
        return true;
    case OPTION_RATE:
        o->rate_given = true;
        return real(p, value, &o->rate);
    case OPTION_TRAIN_SEED:
        o->seed_given = true;
        if (!integer(p, value, 0, INT32_MAX, &n))
            return false;
        o->seed = (uint64_t)n;
        return true;
    case OPTION_TRAIN_RANKS:
        if (!integer(p, value, 1, 64, &n))
            return false;
        o->ranks = (int)n;
        return true;
    case OPTION_EXCEPT:
        VEC_PUSH(p->arena, &o->except, value);
        return true;
    case OPTION_OVERFIT:
        return integer(p, value, 1, INT32_MAX, &o->overfit);
    case OPTION_SAVE_EVERY:
        return integer(p, value, 1, INT32_MAX, &o->save_every);
    default:
        return apply_data(p, id, value);
    }
}

/* The rest.  False after a message. */
bool apply_option(Parser *p, OptionId id, const char *value)
{
    Options *o = p->o;
    long long n = 0;
    int word = 0;
    switch (id) {
    case OPTION_OUTPUT:
    case OPTION_CONVERT_OUTPUT:
    case OPTION_EXPORT_OUTPUT:
    case OPTION_EVAL_OUTPUT:
    case OPTION_TUNE_OUTPUT:
    case OPTION_GRAPH_OUTPUT:
    case OPTION_DATA_OUTPUT:
    case OPTION_IMPORT_OUTPUT:
    case OPTION_RUN_OUTPUT:
    case OPTION_FMT_OUTPUT:
        o->output = value;
        return true;
    case OPTION_NAME:
        o->name = value;
        return true;
    case OPTION_SINGLE_FILE:
        o->compile.emit.single_file = true;
        return true;
    case OPTION_SUMMARY_FORMAT:
    case OPTION_REPORT:
        CHOICE(p, value, word, int, "text", "json");
        o->report = word == 0 ? REPORT_TEXT : REPORT_JSON;
        return true;
    case OPTION_GRAPH_FORMAT:
        CHOICE(p, value, word, int, "svg", "dot");
        o->graph_format = word == 0 ? GRAPH_SVG : GRAPH_DOT;
        return true;
    case OPTION_AGAINST:
        o->against = value;
        return true;
    case OPTION_EXPAND:
        o->expand = true;
        return true;
    case OPTION_INPUT:
        VEC_PUSH(p->arena, &o->inputs, value);
        return true;
    case OPTION_RANDOM:
        if (!integer(p, value, 0, INT64_MAX, &n))
            return false;
        o->random = true;
        o->seed = (uint64_t)n;
        return true;
    case OPTION_FLOAT:
        o->precision = EVAL_FLOAT;
        return true;
    case OPTION_TENSOR:
        VEC_PUSH(p->arena, &o->tensors, value);
        return true;
    case OPTION_AT:
        o->at = value;
        return true;
    case OPTION_OUTPUT_DIR:
        o->output_dir = value;
        return true;
    case OPTION_INPUT_KIND:
        CHOICE(p, value, o->input_kind, InputKind, "random", "outliers", "specials");
        return true;
    case OPTION_CHECK_LAYOUT:
        o->check_layout = true;
        return true;
    case OPTION_CHECK:
        VEC_PUSH(p->arena, &o->check, value);
        return true;
    case OPTION_TOLERANCE:
    case OPTION_IMPORT_TOLERANCE:
        o->tolerance_given = true;
        return real(p, value, &o->tolerance);
    case OPTION_THREADS:
        if (!integer(p, value, 1, 1024, &n))
            return false;
        o->threads = o->compile.plan.threads = (int)n;
        return true;
    case OPTION_TABLE:
        o->table = value;
        return true;
    case OPTION_ROUNDS:
        if (!integer(p, value, 2, 10000, &n))
            return false;
        o->rounds = (int)n;
        return true;
    case OPTION_RUNS:
        if (!integer(p, value, 1, 100000, &n))
            return false;
        o->runs = (int)n;
        return true;
    case OPTION_KEEP:
        o->keep = value;
        return true;
    case OPTION_VERBOSE:
        o->verbose = true;
        return true;
    case OPTION_DEPENDENCY_FILE:
        o->dependency_file = value;
        o->dependencies = true;
        return true;
    case OPTION_DEPENDENCIES:
        o->dependencies = true;
        return true;
    case OPTION_DEPENDENCY_TARGET:
        o->dependency_target = value;
        return true;
    case OPTION_DEPENDENCY_PHONY:
        o->dependency_phony = true;
        return true;
    case OPTION_QUIET:
        o->quiet = true;
        return true;
    case OPTION_HELP:
        o->help = true;
        return true;
    case OPTION_VERSION:
        o->version = true;
        return true;
    default:
        return apply_train(p, id, value);
    }
}
