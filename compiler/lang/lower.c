/* lower.c: from the syntax tree to the network, as a list of phases: all files
 * are read, the net is chosen, its parameters are bound, its statements expanded,
 * its interface completed, its layers named. */
#include "lang/lower_parts.h"

#include "net/train.h"

/* ---- which net ---- */

/* The last net of the main file. */
static const Decl *main_net(Lower *l, int file)
{
    const Decl *net = NULL;
    VEC(const char *) others = {0};
    for (int i = 0; i < l->nets.n; i++) {
        const Decl *decl = l->nets.at[i];
        if (decl->name.loc.file == file)
            net = decl;
        else
            VEC_PUSH(l->arena, &others, decl->name.text);
    }
    if (net)
        return net;
    const char *name = src_file(l->src, file)->name;
    diag_file_error(l->d, name, "there is no net in the file");
    if (others.n)
        diag_file_note(l->d, name, "of those it includes (%s), `net NAME = %s` makes one",
                       lower_listed(l, others.at, others.n), others.at[0]);
    else
        diag_file_note(l->d, name, "`net NAME { input ... output ... }` is one");
    return NULL;
}

static const Decl *net_named(Lower *l, Name name)
{
    const Decl *net = declared(l, DECL_NET, name.text);
    if (net)
        return net;
    VEC(const char *) known = {0};
    for (int i = 0; i < l->nets.n; i++)
        VEC_PUSH(l->arena, &known, l->nets.at[i]->name.text);
    if (lower_error(l, name.loc, "there is no net '%s'%s", name.text,
                    lower_suggestion(l, name.text, known.at, known.n)))
        diag_note(l->d, name.loc, "the nets are %s", lower_listed(l, known.at, known.n));
    return NULL;
}

/* The net to lower: the one that the training names, else the last of the main file. */
typedef struct Chosen {
    const Decl *net; /* NULL after a message */
    const Train *train;
    const Call *call; /* of the net by the training, or NULL */
    const Var *vars;  /* for the arguments of that */
} Chosen;

static Chosen choose(Lower *l, int file)
{
    Chosen c = {0};
    if (l->options->train || (l->options->train_if_any && has_training(l, file))) {
        c.train = lower_train(l, file, &c.call, &c.vars);
        if (!c.train)
            return c;
    }
    c.net = c.call ? net_named(l, c.call->name) : main_net(l, file);
    return c;
}

/* Returns the net with statements from which `net a = b(...)`, `net b = c(...)`, ... derive, and
 * lists the calls in them, the last one first.  Returns NULL after a message. */
typedef VEC(const Call *) Calls;

static const Decl *follow_bases(Lower *l, const Decl *net, Calls *calls)
{
    for (const Decl *at = net; at; at = net_named(l, at->base->name)) {
        if (!at->base)
            return at;
        VEC_PUSH(l->arena, calls, at->base);
        if (calls->n > l->nets.n) {
            if (lower_error(l, at->base->name.loc, "the net '%s' comes from itself", at->name.text))
                diag_note(l->d, net->name.loc,
                          "one of them must have statements, `net NAME { ... }`");
            return NULL;
        }
    }
    return NULL;
}

/* ---- parameters ---- */

/* Binds the values of a call, which override those that are bound. */
static bool bind_over(Lower *l, const Env *env, Binding *b, const Call *call)
{
    Binding over = binding_new(l, b->decl);
    const bool good = bind_args(l, env, &over, call);
    for (int k = 0; k < b->decl->params.n; k++) {
        if (!over.given[k])
            continue;
        b->given[k] = true;
        b->values[k] = over.values[k];
        b->locs[k] = over.locs[k];
    }
    return good;
}

/* Binds the values of the calls; the outer ones override the inner ones. */
static bool bind_bases(Lower *l, Binding *b, const Calls *calls)
{
    Env env = {.complaints = &l->complaints, .index = -1};
    bool good = true;
    for (int i = calls->n - 1; i >= 0; i--)
        good = bind_over(l, &env, b, calls->at[i]) && good;
    return good;
}

static bool bind_net(Lower *l, const Chosen *chosen, const Decl *base, const Calls *calls,
                     const Var **vars)
{
    const Decl *net = chosen->net;
    Env env = {.complaints = &l->complaints, .index = -1};
    Binding binding = binding_new(l, base);
    bool good = bind_bases(l, &binding, calls);
    if (chosen->call) {
        Env training = {.complaints = &l->complaints, .vars = chosen->vars, .index = -1};
        good = bind_over(l, &training, &binding, chosen->call) && good;
    }
    good = bind_defines(l, &binding, net->name.text) && good;
    return bind_finish(l, &env, &binding, net->name.loc, vars) && good;
}

/* ---- the phases ---- */

static bool options_fit(Lower *l)
{
    const LowerOptions *o = l->options;
    bool type = !o->input_type || str_eq(o->input_type, "f32") || str_eq(o->input_type, "u8");
    bool order =
        !o->input_order || str_eq(o->input_order, "nchw") || str_eq(o->input_order, "nhwc");
    if (!type)
        diag_error(l->d, NO_LOC, "--input-type is f32 or u8, not '%s'", o->input_type);
    if (!order)
        diag_error(l->d, NO_LOC, "--input-order is nchw or nhwc, not '%s'", o->input_order);
    return type && order;
}

static void expand(Lower *l, const Chosen *chosen, const Decl *base, const Var *vars)
{
    const Decl *net = chosen->net;
    Frame frame = {.decl = base,
                   .path = "",
                   .title = arena_printf(l->arena, "net '%s'", base->name.text),
                   .vars = vars,
                   .defaults = file_defaults(l, base),
                   .index = -1};
    l->net = ir_new(l->arena, net->name.text);
    l->net->train = chosen->train;
    if (chosen->train && l->options->train_if_any && !l->options->batch)
        l->batch = chosen->train->batch;
    lower_part_of_batch(l);
    for (const Var *v = vars; v; v = v->next) {
        if (v->value.kind == VALUE_INT)
            VEC_PUSH(l->arena, &l->net->defines, ((NetDefine){v->name.text, v->value.integer}));
    }
    lower_body(l, &frame, &base->body);
    close_frame(l, &frame);
    if (!l->d->errors)
        finish_ports(l, &frame, net);
    if (!l->d->errors)
        name_parameters(l);
}

Net *lower_file(Arena *arena, SrcMap *src, int file, const LowerOptions *options, Diag *d)
{
    Lower l = {.arena = arena,
               .src = src,
               .options = options,
               .d = d,
               .complaints = {.d = d, .arena = arena},
               .names = {.arena = arena},
               .batch = options->batch ? options->batch : 1,
               .batch_loc = NO_LOC};
    int errors = d->errors;
    if (!options_fit(&l))
        return NULL;
    read_declarations(&l, file);
    if (d->errors > errors)
        return NULL;
    const Chosen chosen = choose(&l, file);
    Calls calls = {0};
    const Decl *base = chosen.net ? follow_bases(&l, chosen.net, &calls) : NULL;
    const Var *vars;
    if (base && bind_net(&l, &chosen, base, &calls, &vars))
        expand(&l, &chosen, base, vars);
    return base && d->errors == errors ? l.net : NULL;
}
