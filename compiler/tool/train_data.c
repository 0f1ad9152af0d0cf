/* train_data.c: the data of rnc train, compared with the network. */
#include "tool/train_parts.h"

#include <errno.h>
#include <string.h>
#include <sys/stat.h>

void say_problems(const Training *t, const rnct_problems *problems)
{
    for (size_t i = 0; i < problems->n && i < RNCT_PROBLEMS_SHOWN; i++) {
        if (i == 0)
            diag_error(t->d, NO_LOC, "%s", problems->text[i]);
        else
            diag_note(t->d, NO_LOC, "%s", problems->text[i]);
    }
    if (problems->n > RNCT_PROBLEMS_SHOWN)
        diag_note(t->d, NO_LOC, "these are the first %d of %zu problems", RNCT_PROBLEMS_SHOWN,
                  problems->n);
}

/* What was left out is said, and is no error. */
static void say_skipped(const Training *t, const rnct_problems *skipped)
{
    for (size_t i = 0; i < skipped->n && i < RNCT_PROBLEMS_SHOWN; i++)
        diag_warning(t->d, NO_LOC, "left out: %s", skipped->text[i]);
    if (skipped->n > RNCT_PROBLEMS_SHOWN)
        diag_note(t->d, NO_LOC, "these are the first %d of %zu that are left out",
                  RNCT_PROBLEMS_SHOWN, skipped->n);
}

/* What rank 0 has left in its cache. */
static bool open_cache(Training *t, rnct_set *set, const char *cache)
{
    rnct_problems *problems = NEW(t->arena, rnct_problems);
    *problems = (rnct_problems){0};
    const bool good = rnct_set_open_cache(set, cache, problems);
    say_problems(t, problems);
    return good;
}

/* `held`: what is held back, for which there may be a part of its own.  Without `set` only what is
 * wrong with it is looked for. */
static bool open_one(Training *t, rnct_set *set, const char *path, const char *cache, bool held)
{
    rnct_problems *said = NEW_ARRAY(t->arena, rnct_problems, 2);
    rnct_data data = t->o->data;
    data.path = path;
    if (held)
        data.part = RNCT_TEST_OR_ALL;
    said[0] = said[1] = (rnct_problems){0};
    const bool good = set ? rnct_set_open(set, &data, cache, &said[0], &said[1])
                          : rnct_set_look(&data, &said[0], &said[1]);
    say_problems(t, &said[0]);
    if (good && set)
        say_skipped(t, &said[1]);
    return good;
}

int loss_output(const Training *t)
{
    const Net *net = t->c.original;
    const char *name = t->o->compile.loss.output;
    for (int i = 0; name && i < net->outputs.n; i++) {
        if (str_eq(net->outputs.at[i].name, name))
            return i;
    }
    return 0;
}

/* The classes that the network names, where no option says which there are. */
static void take_labels(Training *t)
{
    const Port *out = &t->c.original->outputs.at[loss_output(t)];
    if (t->o->data.classes || out->n_labels == 0)
        return;
    t->o->data.classes = out->labels;
    t->o->data.n_classes = out->n_labels;
}

/* The network's first input as the runtime describes it. */
static rnc_port_info input_of(const Net *net)
{
    const Type type = net->inputs.at[0].node->type;
    return (rnc_port_info){.n = type.n, .h = type.h, .w = type.w, .c = type.c};
}

static bool fits(Training *t)
{
    const Net *net = t->c.original;
    const rnc_port_info in = input_of(net);
    const Type out = net->outputs.at[loss_output(t)].node->type;
    const size_t classes = (size_t)out.c;
    rnct_problems *problems = NEW(t->arena, rnct_problems);
    *problems = (rnct_problems){0};
    if (out.h != 1 || out.w != 1) {
        diag_error(t->d, NO_LOC,
                   "'%s' gives a class for each of %d x %d pixels, and the data has one for each "
                   "picture",
                   net->outputs.at[loss_output(t)].name, out.w, out.h);
        return false;
    }
    const bool fit = rnct_data_fits(&in, classes, &t->set, NULL, t->o->train_data, problems);
    if (t->o->train_validation) /* names of classes are compared where they are as many */
        rnct_data_fits(&in, classes, &t->held, fit ? &t->set : NULL, t->o->train_validation,
                       problems);
    say_problems(t, problems);
    return problems->n == 0;
}

static bool enough_to_overfit(const Training *t)
{
    const Options *o = t->o;
    if ((size_t)o->overfit <= t->set.n)
        return true;
    diag_error(t->d, NO_LOC, "--overfit %d asks for more pictures than %s has, %zu", o->overfit,
               o->train_data, t->set.n);
    diag_note(t->d, NO_LOC, "give it a smaller number; without --overfit all of them are used");
    return false;
}

static bool make_folder(Training *t, const char *path)
{
    struct stat about;
    if (mkdir(path, 0777) == 0)
        return true;
    const int error = errno == EEXIST ? ENOTDIR : errno;
    if (stat(path, &about) == 0 && S_ISDIR(about.st_mode))
        return true;
    diag_file_error(t->d, path, "cannot make the folder: %s", strerror(error));
    return false;
}

/* Both sets.  What is wrong with the second is said also where the first is refused. */
static bool open_both(Training *t, const char *cache, const char *held)
{
    const Options *o = t->o;
    const bool good = open_one(t, &t->set, o->train_data, cache, false);
    if (!held)
        return good;
    return open_one(t, good ? &t->held : NULL, o->train_validation, held, true) && good;
}

/* By rank 0: both sets, decoded if need be, compared with the network. */
static bool open_all(Training *t, const char *cache, const char *held)
{
    const Options *o = t->o;
    const int threads = o->data_threads; /* of decoding alone: training's are the ranks' own */
    if (!make_folder(t, o->output))
        return false;
    if (rnc_pool_new(&t->o->data.pool, threads) != RNC_OK) {
        diag_error(t->d, NO_LOC, "%d threads cannot be started", threads);
        return false;
    }
    bool good = open_both(t, cache, held);
    if (good) {
        const bool fit = fits(t);
        good = enough_to_overfit(t) && fit;
    }
    rnc_pool_free(t->o->data.pool);
    if (good && held && t->held.hash == t->set.hash)
        diag_warning(t->d, NO_LOC, "%s: what is held back are the pictures that are trained on",
                     o->train_validation);
    return good;
}

bool data_open(Training *t)
{
    const Options *o = t->o;
    const char *cache = o->train_cache, *held = NULL;
    take_labels(t);
    if (!cache)
        cache = arena_printf(t->arena, "%s/data.cache", o->output);
    if (o->train_validation)
        held = arena_printf(t->arena, "%s/validation.cache", o->output);
    if (!ranks_agree(t, t->rank > 0 || open_all(t, cache, held)))
        return false;
    return ranks_agree(t, t->rank == 0 || (open_cache(t, &t->set, cache) &&
                                           (!held || open_cache(t, &t->held, held))));
}

void data_close(Training *t)
{
    rnct_set_close(&t->set);
    rnct_set_close(&t->held);
}

void erased_colour(const Net *net, float erased[4])
{
    for (int i = 0; i < 4; i++)
        erased[i] = 0;
    for (int i = 0; i < net->nodes.n; i++) {
        const Node *node = net->nodes.at[i];
        const Reals mean = node->attrs.mean;
        if (node->op != OP_NORMALIZE || node->in[0] != net->inputs.at[0].node ||
            node->attrs.scale <= 0)
            continue;
        for (int c = 0; c < 4 && mean.n; c++)
            erased[c] = (float)(mean.at[c < mean.n ? c : mean.n - 1] / node->attrs.scale);
        return;
    }
}
