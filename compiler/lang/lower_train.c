/* lower_train.c: a `train` declaration, whose statements are the rows of train.def.
 *
 * `let` and `if` mean what they mean in a net.  `network NAME(...)` says which net is trained, and
 * with which parameters; without it, it is the net that would be compiled.
 */
#include "lang/lower_parts.h"

#include "net/train.h"

#include <math.h>

typedef struct Training {
    Lower *l;
    Frame frame;
    Train *train;
    Loc locs[TRAIN_ITEMS]; /* of those given */
    const Call *network;   /* or NULL */
    const Var *vars;       /* known where that stands */
} Training;

/* ---- messages ---- */

/* "epochs N", "optimizer sgd rate=VALUE [momentum=VALUE]". */
static const char *usage(Lower *l, TrainItem item)
{
    const TrainRow *row = train_row(item);
    Buf out = buf_new(l->arena);
    buf_printf(&out, "%s%s%s", row->statement, *row->kind ? " " : "", row->kind);
    for (int i = 0; i < row->n_values; i++) {
        const TrainValue *v = &row->values[i];
        buf_puts(&out, v->def ? " [" : " ");
        if (v->position < 0)
            buf_printf(&out, "%s=", v->word);
        if (v->kind == TRAIN_VALUE_WORDS)
            buf_printf(&out, "%s|%s", v->words[v->position < 0 ? 0 : 1],
                       v->words[v->position < 0 ? 1 : 2]);
        else
            buf_puts(&out, v->kind == TRAIN_VALUE_TEXT    ? "\"FILE\""
                           : v->kind == TRAIN_VALUE_TEXTS ? "\"PATTERN\""
                           : v->kind == TRAIN_VALUE_REALS ? "(N, ...)"
                           : v->kind == TRAIN_VALUE_BOOL  ? "true"
                                                          : "N");
        buf_puts(&out, v->def ? "]" : "");
    }
    return buf_text(&out);
}

static void refuse_statement(Training *t, const Name *name)
{
    const char *known[TRAIN_ITEMS + 1];
    int n = 0;
    known[n++] = "network";
    for (int i = 0; i < TRAIN_ITEMS; i++) {
        const TrainRow *row = train_row((TrainItem)i);
        if (!i || !str_eq(row->statement, known[n - 1]))
            known[n++] = row->statement;
    }
    if (lower_error(t->l, name->loc, "a training has no statement '%s'%s", name->text,
                    lower_suggestion(t->l, name->text, known, n)))
        diag_note(t->l->d, name->loc, "its statements are %s", lower_listed(t->l, known, n));
}

static bool refuse_value(Training *t, const TrainRow *row, const TrainValue *v, const Expr *e,
                         const char *wanted, Value value)
{
    lower_error(t->l, e->loc, "'%s' of '%s' takes %s, not %s", v->word, row->statement, wanted,
                value_describe(t->l->arena, value));
    return false;
}

/* ---- values ---- */

static bool in_range(Training *t, const TrainRow *row, const TrainValue *v, const Expr *e,
                     double number)
{
    if (number >= v->least && number <= v->most)
        return true;
    if (lower_error(t->l, e->loc, "'%s' of '%s' is %.10g", v->word, row->statement, number))
        diag_note(t->l->d, e->loc, "it goes from %.10g to %.10g", v->least, v->most);
    return false;
}

static bool set_word(Training *t, const TrainRow *row, const TrainValue *v, const Expr *e,
                     Value value, int *to)
{
    int n = 0, found = -1;
    for (; v->words[n]; n++) {
        if (value.kind == VALUE_STRING && str_eq(v->words[n], value.text))
            found = n;
    }
    if (found >= 0) {
        *to = found;
        return true;
    }
    if (value.kind != VALUE_STRING)
        return refuse_value(t, row, v, e, "a word", value);
    if (lower_error(t->l, e->loc, "'%s' of '%s' cannot be '%s'%s", v->word, row->statement,
                    value.text, lower_suggestion(t->l, value.text, v->words, n)))
        diag_note(t->l->d, e->loc, "its words are %s", lower_listed(t->l, v->words, n));
    return false;
}

static bool set_reals(Training *t, const TrainRow *row, const TrainValue *v, const Expr *e,
                      Value value, Reals *to)
{
    const int n = value.kind == VALUE_LIST ? value.n : 1;
    const Value *items = value.kind == VALUE_LIST ? value.items : &value;
    double *at = NEW_ARRAY(t->l->arena, double, n ? n : 1);
    for (int i = 0; i < n; i++) {
        if (!value_is_number(items[i]))
            return refuse_value(t, row, v, e, "a number or a list of numbers", items[i]);
        at[i] = value_number(items[i]);
        if (!in_range(t, row, v, e, at[i]))
            return false;
        if (i && at[i] <= at[i - 1]) {
            lower_error(t->l, e->loc, "the numbers of '%s' must grow", v->word);
            return false;
        }
    }
    if (n == 0)
        return refuse_value(t, row, v, e, "a number or a list of numbers", value);
    *to = (Reals){at, n};
    return true;
}

/* Adds the text, or the texts of a list. */
static bool add_texts(Training *t, const TrainRow *row, const TrainValue *v, const Expr *e,
                      Value value, Texts *to)
{
    const int n = value.kind == VALUE_LIST ? value.n : 1;
    const Value *items = value.kind == VALUE_LIST ? value.items : &value;
    const char **at = NEW_ARRAY(t->l->arena, const char *, to->n + n);
    for (int i = 0; i < to->n; i++)
        at[i] = to->at[i];
    for (int i = 0; i < n; i++) {
        if (items[i].kind != VALUE_STRING || !*items[i].text)
            return refuse_value(t, row, v, e, "patterns in quotes", items[i]);
        at[to->n + i] = items[i].text;
    }
    *to = (Texts){at, to->n + n};
    return true;
}

static bool set_value(Training *t, const TrainRow *row, const TrainValue *v, const Expr *e)
{
    Env env = frame_env(t->l, &t->frame);
    env.words = v->kind == TRAIN_VALUE_WORDS ? v->words : NULL;
    const Value value = value_of(&env, e);
    void *to = (char *)t->train + v->offset;
    if (value.kind == VALUE_BAD)
        return false;
    switch (v->kind) {
    case TRAIN_VALUE_INT:
        if (value.kind != VALUE_INT)
            return refuse_value(t, row, v, e, "a whole number", value);
        *(int *)to = in_range(t, row, v, e, (double)value.integer) ? (int)value.integer : 0;
        break;
    case TRAIN_VALUE_REAL:
        if (!value_is_number(value))
            return refuse_value(t, row, v, e, "a number", value);
        *(double *)to = value_number(value);
        return in_range(t, row, v, e, value_number(value));
    case TRAIN_VALUE_BOOL:
        if (value.kind != VALUE_BOOL)
            return refuse_value(t, row, v, e, "true or false", value);
        *(bool *)to = value.truth;
        break;
    case TRAIN_VALUE_TEXT:
        if (value.kind != VALUE_STRING || !*value.text)
            return refuse_value(t, row, v, e, "a name in quotes", value);
        *(const char **)to = value.text;
        break;
    case TRAIN_VALUE_REALS:
        return set_reals(t, row, v, e, value, to);
    case TRAIN_VALUE_TEXTS:
        return add_texts(t, row, v, e, value, to);
    case TRAIN_VALUE_WORDS:
        return set_word(t, row, v, e, value, to);
    }
    return true;
}

/* ---- statements ---- */

/* The value that an argument is for, or NULL after a message. */
static const TrainValue *value_for(Training *t, TrainItem item, const Arg *arg, int position)
{
    const TrainRow *row = train_row(item);
    for (int i = 0; i < row->n_values; i++) {
        const TrainValue *v = &row->values[i];
        const bool many = v->kind == TRAIN_VALUE_TEXTS && v->position == 0;
        if (arg->name.text ? str_eq(v->word, arg->name.text) : many || v->position == position)
            return v;
    }
    const char *words[16];
    int n = 0;
    while (n < row->n_values && n < 16) {
        words[n] = row->values[n].word;
        n++;
    }
    const char *what = *row->kind ? row->kind : row->statement;
    const bool said =
        arg->name.text
            ? lower_error(t->l, arg->name.loc, "'%s' has no '%s'%s", what, arg->name.text,
                          lower_suggestion(t->l, arg->name.text, words, n))
            : lower_error(t->l, arg->value->loc, "'%s' takes no more values here", what);
    if (said)
        diag_note(t->l->d, arg->name.text ? arg->name.loc : arg->value->loc, "it is `%s`",
                  usage(t->l, item));
    return NULL;
}

/* Sets the values of an item from the arguments `from` on of its statement. */
static void set_item(Training *t, TrainItem item, const Args *args, int from, Loc loc)
{
    const TrainRow *row = train_row(item);
    bool set[16] = {false};
    train_defaults(t->train, item);
    if (item == TRAIN_ADAM || item == TRAIN_ADAMW)
        t->train->epsilon = -1; /* as `like` has it, if no value comes */
    for (int i = from, position = 0; i < args->n; i++) {
        const Arg *arg = &args->at[i];
        const TrainValue *v = value_for(t, item, arg, arg->name.text ? -1 : position++);
        if (!v)
            return;
        const int which = (int)(v - row->values);
        if (set[which] && !(v->kind == TRAIN_VALUE_TEXTS && v->position == 0)) {
            lower_error(t->l, arg->value->loc, "'%s' of '%s' is given twice", v->word,
                        row->statement);
            return;
        }
        set[which] = true;
        if (!set_value(t, row, v, arg->value))
            return;
    }
    for (int i = 0; i < row->n_values; i++) {
        if (!set[i] && !row->values[i].def &&
            lower_error(t->l, loc, "'%s' needs its '%s'", *row->kind ? row->kind : row->statement,
                        row->values[i].word))
            diag_note(t->l->d, loc, "it is `%s`", usage(t->l, item));
    }
    if (t->train->epsilon < 0)
        t->train->epsilon = t->train->like == LIKE_KERAS ? 1e-7 : 1e-8;
}

/* The item of a statement that has kinds, by its first argument; TRAIN_ITEMS after a message. */
static TrainItem kind_of(Training *t, TrainItem first, const Call *call)
{
    const char *statement = train_row(first)->statement, *kinds[TRAIN_ITEMS];
    const Expr *e = call->args.n && !call->args.at[0].name.text ? call->args.at[0].value : NULL;
    int n = 0;
    for (int i = first; str_eq(train_row((TrainItem)i)->statement, statement); i++) {
        kinds[n++] = train_row((TrainItem)i)->kind;
        if (e && (e->kind == EXPR_NAME || e->kind == EXPR_STRING) && str_eq(e->text, kinds[n - 1]))
            return (TrainItem)i;
    }
    const bool word = e && e->kind == EXPR_NAME;
    if (lower_error(t->l, e ? e->loc : call->loc, "'%s' needs a word that says which%s", statement,
                    word ? lower_suggestion(t->l, e->text, kinds, n) : ""))
        diag_note(t->l->d, e ? e->loc : call->loc, "there are %s", lower_listed(t->l, kinds, n));
    return TRAIN_ITEMS;
}

/* Returns false after a message if the item, or another kind of its statement, is there already. */
static bool first_time(Training *t, TrainItem item, Loc loc)
{
    const TrainRow *row = train_row(item);
    for (int i = 0; i < TRAIN_ITEMS; i++) {
        const bool other = i != (int)item && row->flags & EACH;
        if (!t->train->given[i] || other ||
            !str_eq(train_row((TrainItem)i)->statement, row->statement))
            continue;
        const bool each = row->flags & EACH;
        if (lower_error(t->l, loc, "a training has one '%s%s%s'", row->statement, each ? " " : "",
                        each ? row->kind : ""))
            diag_note(t->l->d, t->locs[i], "it is this one");
        return false;
    }
    return true;
}

static void take_item(Training *t, TrainItem item, const Args *args, int from, Loc loc)
{
    if (!first_time(t, item, loc))
        return;
    t->train->given[item] = true;
    t->locs[item] = loc;
    set_item(t, item, args, from, loc);
}

static void lower_network(Training *t, const Call *call)
{
    const Expr *e = call->args.n == 1 ? call->args.at[0].value : NULL;
    const bool name = e && e->kind == EXPR_NAME;
    if (!e || call->args.at[0].name.text || (!name && e->kind != EXPR_CALL)) {
        if (lower_error(t->l, call->loc, "`network` needs the net that is trained"))
            diag_note(t->l->d, call->loc,
                      "it is `network NAME` or `network NAME(PARAMETER=VALUE)`");
        return;
    }
    if (t->network) {
        if (lower_error(t->l, call->loc, "a training has one 'network'"))
            diag_note(t->l->d, t->network->loc, "it is this one");
        return;
    }
    t->network =
        name ? call_new(t->l->arena, (Name){e->text, e->loc}, (Args){0}, true, e->loc) : e->call;
    t->vars = t->frame.vars;
}

static void lower_call_statement(Training *t, const Stmt *s)
{
    const Call *call = s->call;
    if (str_eq(call->name.text, "network")) {
        lower_network(t, call);
        return;
    }
    const TrainItem first = train_statement(call->name.text);
    if (first == TRAIN_ITEMS) {
        refuse_statement(t, &call->name);
        return;
    }
    if (s->name.text || s->names.n) {
        const Loc loc = s->name.text ? s->name.loc : s->names.at[0].loc;
        lower_error(t->l, loc, "a statement of a training has no label");
        return;
    }
    const bool kinds = *train_row(first)->kind != '\0';
    const TrainItem item = kinds ? kind_of(t, first, call) : first;
    if (item != TRAIN_ITEMS)
        take_item(t, item, &call->args, kinds, call->loc);
}

static void lower_statements(Training *t, const Stmts *body);

static void lower_if_statement(Training *t, const Stmt *s)
{
    Env env = frame_env(t->l, &t->frame);
    const Value v = value_of(&env, s->value);
    if (v.kind == VALUE_BOOL)
        lower_statements(t, v.truth ? &s->body : &s->other);
    else if (v.kind != VALUE_BAD)
        lower_error(t->l, s->value->loc, "a condition is true or false, not %s",
                    value_describe(t->l->arena, v));
}

static void lower_statement(Training *t, const Stmt *s)
{
    Env env = frame_env(t->l, &t->frame);
    Args batch = {0};
    switch (s->kind) {
    case STMT_CALL:
        lower_call_statement(t, s);
        break;
    case STMT_BATCH:
        VEC_PUSH(t->l->arena, &batch, ((Arg){.value = s->value}));
        take_item(t, TRAIN_BATCH, &batch, 0, s->loc);
        break;
    case STMT_LET:
        (void)add_var(t->l, &t->frame, &t->frame.vars, s->name, value_of(&env, s->value));
        break;
    case STMT_IF:
        lower_if_statement(t, s);
        break;
    default:
        if (lower_error(t->l, s->loc, "a training has no layers"))
            diag_note(t->l->d, s->loc, "layers belong into a net, and `network NAME` says which");
    }
}

static void lower_statements(Training *t, const Stmts *body)
{
    const Var *outer = t->frame.vars;
    for (int i = 0; i < body->n && !t->l->stopped; i++)
        lower_statement(t, body->at[i]);
    t->frame.vars = outer;
}

/* ---- all of it ---- */

/* The item of a statement that is there, or the last of its kinds, or `otherwise`. */
static TrainItem chosen(const Train *train, const char *statement, TrainItem otherwise)
{
    for (int i = 0; i < TRAIN_ITEMS; i++) {
        if (train->given[i] && str_eq(train_row((TrainItem)i)->statement, statement))
            return (TrainItem)i;
    }
    return otherwise;
}

/* Reports the statements that a training must have and this one has not. */
static void require(Training *t, const Decl *decl)
{
    const char *missing[TRAIN_ITEMS];
    int n = 0;
    for (int i = 0; i < TRAIN_ITEMS; i++) {
        const char *statement = train_row((TrainItem)i)->statement;
        if (train_row((TrainItem)i)->flags & NEEDED && (!n || !str_eq(missing[n - 1], statement)) &&
            chosen(t->train, statement, TRAIN_ITEMS) == TRAIN_ITEMS)
            missing[n++] = statement;
    }
    if (!n || !lower_error(t->l, decl->name.loc, "the training '%s' does not say its %s",
                           decl->name.text, lower_listed(t->l, missing, n)))
        return;
    for (int i = 0; i < n; i++) {
        const TrainItem item = train_statement(missing[i]);
        diag_note(t->l->d, decl->name.loc, "`%s`", usage(t->l, item));
    }
}

/* Checks what holds between items, and sets what no item says. */
static void complete(Training *t, const Decl *decl)
{
    Train *train = t->train;
    Diag *d = t->l->d;
    require(t, decl);
    for (int i = 0; i < TRAIN_ITEMS; i++) {
        if (!train->given[i] && !*train_row((TrainItem)i)->kind)
            train_defaults(train, (TrainItem)i);
    }
    train->loss = chosen(train, "loss", TRAIN_CROSS_ENTROPY);
    train->optimizer = chosen(train, "optimizer", TRAIN_SGD);
    train->schedule = chosen(train, "schedule", TRAIN_CONSTANT);
    const Loc *locs = t->locs;
    if (train->nesterov && train->momentum == 0 &&
        lower_error(t->l, locs[TRAIN_SGD], "'nesterov' is a form of momentum, which is 0 here"))
        diag_note(d, locs[TRAIN_SGD], "`optimizer sgd 0.1 momentum=0.9 nesterov=true`");
    if (train->erase_least > train->erase_most)
        lower_error(t->l, locs[TRAIN_ERASE], "'least' of 'erase' is more than its 'most'");
    if (train->given[TRAIN_STOP] && train->validation == 0 && !t->l->options->validated &&
        lower_error(t->l, locs[TRAIN_STOP], "'stop' watches the validation, and there is none"))
        diag_note(
            d, locs[TRAIN_STOP],
            "`validation 0.1` keeps a tenth of the data for it, `rnc train --validation DATA` "
            "has other data");
}

/* The last training of the main file, or NULL. */
static const Decl *last_training(const Lower *l, int file)
{
    const Decl *last = NULL;
    for (int i = 0; i < l->trainings.n; i++) {
        if (l->trainings.at[i]->name.loc.file == file)
            last = l->trainings.at[i];
    }
    return last;
}

bool has_training(const Lower *l, int file)
{
    return last_training(l, file) != NULL;
}

/* The last training of the main file; NULL after a message. */
static const Decl *main_training(Lower *l, int file)
{
    const Decl *last = last_training(l, file);
    if (last)
        return last;
    const char *name = src_file(l->src, file)->name;
    diag_file_error(l->d, name, "there is no training in the file");
    diag_file_note(l->d, name, "`train NAME { epochs 20; batch 32; optimizer adam }` is one");
    return NULL;
}

const Train *lower_train(Lower *l, int file, const Call **network, const Var **vars)
{
    const Decl *decl = main_training(l, file);
    const int errors = l->d->errors;
    if (!decl)
        return NULL;
    Env env = {.complaints = &l->complaints, .index = -1};
    Binding binding = binding_new(l, decl);
    l->training = decl;
    const Var *own;
    if (!bind_defines(l, &binding, decl->name.text) ||
        !bind_finish(l, &env, &binding, decl->name.loc, &own))
        return NULL;
    Training t = {.l = l, .train = NEW(l->arena, Train)};
    t.train->name = decl->name.text;
    t.frame = (Frame){.decl = decl,
                      .path = "",
                      .title = arena_printf(l->arena, "training '%s'", decl->name.text),
                      .vars = own,
                      .index = -1};
    lower_statements(&t, &decl->body);
    if (l->d->errors == errors)
        complete(&t, decl);
    *network = t.network;
    *vars = t.vars;
    return l->d->errors == errors ? t.train : NULL;
}
