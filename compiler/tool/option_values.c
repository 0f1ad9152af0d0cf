/* option_values.c: what an option's value means, and where it goes.  A function for each CALL of
 * options.def, and apply_option() for the other kinds. */
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

/* The words between commas or bars. */
static Words split(Arena *arena, const char *list, char between)
{
    Words words = {0};
    for (const char *at = list; *at;) {
        size_t n = strcspn(at, (const char[]){between, 0});
        VEC_PUSH(arena, &words, arena_strndup(arena, at, n));
        at += n;
        if (*at)
            at++;
    }
    return words;
}

bool option_isas(Parser *p, const char *value)
{
    Words words = split(p->arena, value, ',');
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

bool option_passes(Parser *p, const char *value)
{
    p->o->passes = split(p->arena, value, ',');
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
    *out = strtod(value, &end); /* infinite where it is too large */
    if (end == value || *end || !(*out >= 0 && *out < 1e30)) {
        bad_value(p, value, "a number that is not negative and below 1e30");
        return false;
    }
    return true;
}

bool option_define(Parser *p, const char *value)
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
bool option_loss(Parser *p, const char *value)
{
    Loss *out = &p->o->compile.loss;
    static const char *const words[] = {"cross_entropy", "mean_squared_error"};
    const char *colon = strchr(value, ':');
    p->o->compile.some_loss = true;
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

/* "300000000", "300MB" or "1.5GiB", least or fastest. */
bool option_memory(Parser *p, const char *value)
{
    static const struct {
        const char *word;
        double bytes;
    } units[] = {{"", 1},          {"B", 1},         {"kB", 1e3},     {"KB", 1e3}, {"MB", 1e6},
                 {"GB", 1e9},      {"k", 1e3},       {"K", 1e3},      {"M", 1e6},  {"G", 1e9},
                 {"KiB", 1 << 10}, {"MiB", 1 << 20}, {"GiB", 1 << 30}};
    MemoryGoal *goal = &p->o->compile.memory;
    char *end;
    goal->kind = str_eq(value, "least") ? MEMORY_LEAST : MEMORY_FASTEST;
    if (goal->kind == MEMORY_LEAST || str_eq(value, "fastest"))
        return true;
    const double number = *value >= '0' && *value <= '9' ? strtod(value, &end) : -1;
    for (size_t i = 0; number >= 0 && i < sizeof units / sizeof *units; i++) {
        const double bytes = number * units[i].bytes;
        if (!str_eq(end, units[i].word) || !(bytes >= 1 && bytes < 1e18))
            continue;
        *goal = (MemoryGoal){MEMORY_BYTES, (int64_t)bytes};
        return true;
    }
    bad_value(p, value, "a number of bytes, such as 300MB or 1.5GiB, least or fastest");
    return false;
}

/* "64" or "48x64", of at most 65535 pixels each. */
bool option_size(Parser *p, const char *value)
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

bool option_classes(Parser *p, const char *value)
{
    Options *o = p->o;
    o->classes = split(p->arena, value, ',');
    o->data.classes = o->classes.at;
    o->data.n_classes = o->classes.n;
    return true;
}

bool option_part(Parser *p, const char *value)
{
    static const char *const words[] = {"train", "test"};
    const int word = choice(p, value, words, 2);
    p->o->data.part = word == 1 ? RNCT_TEST : RNCT_TRAIN;
    return word >= 0;
}

bool option_init(Parser *p, const char *value)
{
    p->o->init = value;
    return init_parse(&p->o->compile.init, value, p->d);
}

bool option_after(Parser *p, const char *value)
{
    p->o->compile.dump_after = value;
    return pass_choice(p, value) >= 0;
}

bool option_float(Parser *p, const char *value)
{
    (void)value;
    p->o->precision = EVAL_FLOAT;
    return true;
}

bool option_dependency_file(Parser *p, const char *value)
{
    p->o->dependency_file = value;
    p->o->dependencies = true;
    return true;
}

bool option_rate(Parser *p, const char *value)
{
    p->o->rate_given = true;
    return real(p, value, &p->o->rate);
}

bool option_tolerance(Parser *p, const char *value)
{
    p->o->tolerance_given = true;
    return real(p, value, &p->o->tolerance);
}

bool option_threads(Parser *p, const char *value)
{
    long long n = 0;
    if (!integer(p, value, 1, 1024, &n))
        return false;
    p->o->threads = p->o->compile.plan.threads = (int)n;
    return true;
}

bool option_random(Parser *p, const char *value)
{
    long long n = 0;
    if (!integer(p, value, 0, INT64_MAX, &n))
        return false;
    p->o->random = true;
    p->o->seed = (uint64_t)n;
    return true;
}

bool option_seed(Parser *p, const char *value)
{
    long long n = 0;
    if (!integer(p, value, 0, INT32_MAX, &n))
        return false;
    p->o->seed_given = true;
    p->o->seed = (uint64_t)n;
    return true;
}

/* ---- any option ---- */

/* The index of `value` among the words between bars, "f32|u8", or -1 after a message. */
static int word_index(Parser *p, const char *value, const char *bars)
{
    const Words words = split(p->arena, bars, '|');
    return choice(p, value, words.at, words.n);
}

bool apply_option(Parser *p, const OptionRow *row, const char *value)
{
    const OptionSet *set = &row->set;
    void *field = (char *)p->o + set->place;
    long long n = 0;
    int word = 0;
    switch (set->how) {
    case SET_FLAG:
        *(bool *)field = true;
        return true;
    case SET_ONE_OF:
        if (word_index(p, value, row->argument) < 0)
            return false; /* fall through */
    case SET_TEXT:
        *(const char **)field = value;
        return true;
    case SET_LIST:
        VEC_PUSH(p->arena, (Words *)field, value);
        return true;
    case SET_NUMBER:
        if (!integer(p, value, set->least, set->most, &n))
            return false;
        *(int *)field = (int)n;
        return true;
    case SET_WORD:
        word = word_index(p, value, set->words ? set->words : row->argument);
        if (word < 0)
            return false;
        word += set->least;
        memcpy(field, &word, sizeof word); /* the field is an enum of an int's size */
        return true;
    case SET_CALL:
        return set->call(p, value);
    }
    return false;
}
