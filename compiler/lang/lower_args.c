/* lower_args.c: sets the attributes of an operator from the arguments of its call, by its rows in
 * ops.def.  Some words need the operand's size: `global`, and the paddings half, same and valid.
 */
#include "lang/lower_args.h"

#include <limits.h>
#include <math.h>
#include <string.h>

/* ---- which argument is for which attribute ---- */

static const char *const *words_of(const OpCall *c)
{
    const char **words = NEW_ARRAY(c->l->arena, const char *, c->row->n_attrs + 1);
    for (int i = 0; i < c->row->n_attrs; i++)
        words[i] = c->row->attrs[i].word;
    return words;
}

/* Adds the note "it is written conv kernel filters stride=1 ...". */
static void note_usage(const OpCall *c)
{
    const OpRow *row = c->row;
    Buf out = buf_new(c->l->arena);
    buf_puts(&out, row->name);
    for (int i = 0; i < row->n_attrs; i++) {
        const AttrRow *a = &row->attrs[i];
        if (a->position >= 0)
            buf_printf(&out, a->def ? " [%s]" : " %s", a->word);
    }
    for (int i = 0; i < row->n_attrs; i++) {
        const AttrRow *a = &row->attrs[i];
        if (a->position < 0)
            buf_printf(&out, a->def ? " [%s=%s]" : " %s=...", a->word, a->def);
    }
    diag_note(c->l->d, c->call->loc, "it is written `%s`", buf_text(&out));
}

static bool refuse_extra(const OpCall *c, const Arg *arg)
{
    Loc loc = arg->value->loc;
    if (!lower_error(c->l, loc, "'%s' takes no further value without a name", c->row->name))
        return false;
    const char *word = arg->value->kind == EXPR_NAME ? arg->value->text : "";
    for (int i = 0; i < c->row->n_attrs; i++) {
        if (str_eq(c->row->attrs[i].word, word))
            diag_note(c->l->d, loc, "an attribute is given by name, `%s=...`", word);
    }
    note_usage(c);
    lower_note_callers(c->l, c->f, loc);
    return false;
}

static void refuse_attribute(const OpCall *c, const Arg *arg)
{
    Lower *l = c->l;
    const OpRow *row = c->row;
    const Synonym *other = synonym_attribute(arg->name.text, l->arena);
    bool known = other && (!other->here || op_attr(row->attrs->op, other->here));
    if (!lower_error(l, arg->name.loc, "'%s' has no attribute '%s'%s", row->name, arg->name.text,
                     known && other->here
                         ? lower_synonym(l, other)
                         : lower_suggestion(l, arg->name.text, words_of(c), row->n_attrs)))
        return;
    if (known && other->note)
        diag_note(l->d, arg->name.loc, "%s", other->note);
    note_usage(c);
    lower_note_callers(l, c->f, arg->name.loc);
}

/* The attribute that an argument is for, or -1 after a message. */
static int attr_of(const OpCall *c, const Arg *arg, int position)
{
    const OpRow *row = c->row;
    int which = 0;
    while (which < row->n_attrs && (arg->name.text ? !str_eq(row->attrs[which].word, arg->name.text)
                                                   : row->attrs[which].position != position))
        which++;
    if (which == row->n_attrs && !arg->name.text) {
        refuse_extra(c, arg);
        return -1;
    }
    if (which == row->n_attrs) {
        refuse_attribute(c, arg);
        return -1;
    }
    if (c->given[which]) {
        if (lower_error(c->l, arg->name.text ? arg->name.loc : arg->value->loc,
                        "'%s' of '%s' is given twice", row->attrs[which].word, row->name))
            diag_note(c->l->d, c->given[which]->loc, "the first time is here");
        return -1;
    }
    return which;
}

static bool sort_args(OpCall *c)
{
    bool good = true;
    int position = 0;
    for (int i = 0; i < c->call->args.n; i++) {
        const Arg *arg = &c->call->args.at[i];
        int which = attr_of(c, arg, arg->name.text ? -1 : position++);
        if (which >= 0)
            c->given[which] = arg->value;
        good = good && which >= 0;
    }
    return good;
}

static bool all_given(const OpCall *c)
{
    bool good = true;
    for (int i = 0; i < c->row->n_attrs && good; i++) {
        const AttrRow *a = &c->row->attrs[i];
        if (a->def || c->given[i] || (c->global && str_eq(a->word, "stride")) ||
            (a->op == OP_SPLIT && c->attrs->sizes.at[0] > 0))
            continue;
        if (lower_error(c->l, c->call->loc, "'%s' needs its '%s': %s", c->row->name, a->word,
                        a->doc)) {
            note_usage(c);
            lower_note_callers(c->l, c->f, c->call->loc);
        }
        good = false;
    }
    return good;
}

/* ---- values of attributes ---- */

static bool refuse_value(const OpCall *c, const AttrRow *a, const Expr *e, const char *wanted,
                         Value v)
{
    if (!lower_error(c->l, e->loc, "'%s' of '%s' takes %s, not %s", a->word, c->row->name, wanted,
                     value_describe(c->l->arena, v)))
        return false;
    if (v.kind == VALUE_REAL && e->kind == EXPR_BINARY && e->op == OPERATOR_DIV)
        diag_note(c->l->d, e->loc, "`//` divides and rounds down");
    int n = 0;
    while (a->kind == ATTR_WORDS && a->words[n])
        n++;
    if (n)
        diag_note(c->l->d, e->loc, "its words are %s", lower_listed(c->l, a->words, n));
    else if (e->kind == EXPR_LIST && c->call->args.n == 1 && !c->call->args.at[0].name.text)
        diag_note(c->l->d, e->loc,
                  "with a blank before it, '(' begins a list; arguments in parentheses follow the "
                  "name directly, `%s(...)`",
                  c->row->name);
    lower_note_callers(c->l, c->f, e->loc);
    return false;
}

static bool in_range(const OpCall *c, const AttrRow *a, const Expr *e, double number)
{
    if (number >= a->least && number <= a->most)
        return true;
    const int digits = number == floor(number) && fabs(number) < 1e15 ? 15 : 9;
    if (lower_error(c->l, e->loc, "'%s' of '%s' is %.*g", a->word, c->row->name, digits, number)) {
        diag_note(c->l->d, e->loc, "it goes from %.10g to %.10g", a->least, a->most);
        lower_note_callers(c->l, c->f, e->loc);
    }
    return false;
}

static bool one_int(const OpCall *c, const AttrRow *a, const Expr *e, Value v, int *to)
{
    if (v.kind != VALUE_INT)
        return refuse_value(c, a, e, "an integer", v);
    if (!in_range(c, a, e, (double)v.integer))
        return false;
    *to = (int)v.integer;
    return true;
}

/* The items of a list, or the value alone. */
static const Value *items_of(const Value *v, int *n)
{
    *n = v->kind == VALUE_LIST ? v->n : 1;
    return v->kind == VALUE_LIST ? v->items : v;
}

static bool set_pair(OpCall *c, const AttrRow *a, const Expr *e, Value v, int *to)
{
    bool global = v.kind == VALUE_STRING && str_eq(v.text, "global");
    if (global && str_eq(a->word, "kernel")) {
        c->global = true;
        if (!c->attrs->stride[0])
            c->attrs->stride[0] = c->attrs->stride[1] = 1;
        if (c->in) {
            to[0] = c->in->h;
            to[1] = c->in->w;
        }
        return true;
    }
    int n;
    const Value *items = items_of(&v, &n);
    if (v.kind == VALUE_STRING || n < 1 || n > 2)
        return refuse_value(c, a, e,
                            str_eq(a->word, "kernel") ? "a number, a pair HxW or `global`"
                                                      : "a number or a pair (height, width)",
                            v);
    return one_int(c, a, e, items[0], &to[0]) && one_int(c, a, e, items[n - 1], &to[1]);
}

static const char *const padding_words[] = {"half", "same", "valid", NULL};
static const char *const kernel_words[] = {"global", NULL};

static int word_index(const char *const *words, const char *word)
{
    for (int i = 0; words[i]; i++) {
        if (str_eq(words[i], word))
            return i;
    }
    return -1;
}

static bool refuse_word(const OpCall *c, const AttrRow *a, const Expr *e, const char *const *words,
                        const char *word)
{
    int n = 0;
    while (words[n])
        n++;
    if (lower_error(c->l, e->loc, "'%s' of '%s' cannot be '%s'%s", a->word, c->row->name, word,
                    lower_suggestion(c->l, word, words, n))) {
        diag_note(c->l->d, e->loc, "its words are %s", lower_listed(c->l, words, n));
        lower_note_callers(c->l, c->f, e->loc);
    }
    return false;
}

static bool set_padding(OpCall *c, const AttrRow *a, const Expr *e, Value v, int *to)
{
    if (v.kind == VALUE_STRING) {
        if (word_index(padding_words, v.text) < 0 || !(op_attr(a->op, "kernel")))
            return refuse_word(c, a, e, padding_words, v.text);
        c->padding_word = v.text;
        c->padding_loc = e->loc;
        return true;
    }
    int n, p[4] = {0};
    const Value *items = items_of(&v, &n);
    if (n != 1 && n != 2 && n != 4)
        return refuse_value(
            c, a, e, "a number, (height, width), (top, left, bottom, right), half, same or valid",
            v);
    for (int i = 0; i < n; i++) {
        if (!one_int(c, a, e, items[i], &p[i]))
            return false;
    }
    /* top, left, bottom and right come from 1, 2 or 4 numbers */
    for (int i = 0; i < 4; i++)
        to[i] = p[n == 4 ? i : n == 2 ? i % 2 : 0];
    c->padding_word = NULL;
    return true;
}

static bool set_reals(OpCall *c, const AttrRow *a, const Expr *e, Value v, Reals *to)
{
    int n;
    const Value *items = items_of(&v, &n);
    double *at = NEW_ARRAY(c->l->arena, double, n);
    if (n == 0)
        return refuse_value(c, a, e, "a number or a list of numbers", v);
    for (int i = 0; i < n; i++) {
        if (!value_is_number(items[i]))
            return refuse_value(c, a, e, "a number or a list of numbers", items[i]);
        at[i] = value_number(items[i]);
        if (!in_range(c, a, e, at[i]))
            return false;
    }
    *to = (Reals){at, n};
    return true;
}

static bool set_attr(OpCall *c, const AttrRow *a, const Expr *e, Value v)
{
    void *to = (char *)c->attrs + a->offset;
    switch (a->kind) {
    case ATTR_INT:
        return one_int(c, a, e, v, to);
    case ATTR_PAIR:
        return set_pair(c, a, e, v, to);
    case ATTR_PADDING:
        return set_padding(c, a, e, v, to);
    case ATTR_REAL:
        if (!value_is_number(v))
            return refuse_value(c, a, e, "a number", v);
        *(double *)to = value_number(v);
        return in_range(c, a, e, value_number(v));
    case ATTR_BOOL:
        if (v.kind != VALUE_BOOL)
            return refuse_value(c, a, e, "true or false", v);
        *(bool *)to = v.truth;
        return true;
    case ATTR_REALS:
        return set_reals(c, a, e, v, to);
    case ATTR_WORDS:
        if (v.kind != VALUE_STRING)
            return refuse_value(c, a, e, "a word", v);
        if (word_index(a->words, v.text) < 0)
            return refuse_word(c, a, e, a->words, v.text);
        *(int *)to = word_index(a->words, v.text);
        return true;
    }
    return false;
}

/* ---- all of it ---- */

/* The words that the attribute accepts as values, or NULL. */
static const char *const *words_for(const AttrRow *a)
{
    return a->kind == ATTR_PADDING     ? padding_words
           : a->kind == ATTR_WORDS     ? a->words
           : str_eq(a->word, "kernel") ? kernel_words
                                       : NULL;
}

static OpCall op_call(Lower *l, Frame *f, Op op, const Call *call, const Type *in, Attrs *attrs)
{
    OpCall c = {.l = l, .f = f, .call = call, .row = op_row(op), .in = in, .attrs = attrs};
    c.given = NEW_ARRAY(l->arena, const Expr *, c.row->n_attrs);
    c.padding_loc = NO_LOC;
    *attrs = ir_default_attrs(op);
    return c;
}

static Value value_for(const OpCall *c, const AttrRow *a, const Expr *e)
{
    Env env = frame_env(c->l, c->f);
    env.words = words_for(a);
    return value_of(&env, e);
}

bool lower_attr_values(Lower *l, Frame *f, Op op, const Call *call, const Expr **given,
                       Value *values)
{
    Attrs attrs;
    OpCall c = op_call(l, f, op, call, NULL, &attrs);
    bool good = sort_args(&c);
    for (int i = 0; i < c.row->n_attrs; i++) {
        const AttrRow *a = &c.row->attrs[i];
        given[i] = c.given[i];
        if (!given[i])
            continue;
        values[i] = value_for(&c, a, given[i]);
        good = values[i].kind != VALUE_BAD && set_attr(&c, a, given[i], values[i]) && good;
    }
    return good;
}

/* As many parts of `split` as sizes; where both are written, they must agree. */
static bool count_parts(const OpCall *c)
{
    const int n = c->attrs->sizes.n;
    const Expr *parts = NULL;
    if (c->row != op_row(OP_SPLIT) || c->attrs->sizes.at[0] <= 0)
        return true;
    for (int i = 0; i < c->row->n_attrs; i++) {
        if (str_eq(c->row->attrs[i].word, "parts"))
            parts = c->given[i];
    }
    if (parts && c->attrs->parts != n) {
        if (lower_error(c->l, parts->loc, "'parts' of 'split' is %d, and there are %d sizes",
                        c->attrs->parts, n)) {
            diag_note(c->l->d, parts->loc,
                      "the sizes say how many parts there are: leave out one of the two");
            lower_note_callers(c->l, c->f, parts->loc);
        }
        return false;
    }
    c->attrs->parts = n;
    return true;
}

bool lower_attrs(Lower *l, Frame *f, Op op, const Call *call, const Type *in, Attrs *attrs)
{
    OpCall c = op_call(l, f, op, call, in, attrs);
    bool good = sort_args(&c);
    for (int i = 0; i < c.row->n_attrs; i++) {
        const AttrRow *a = &c.row->attrs[i];
        const Default *d = c.given[i] ? NULL : default_of(f, a);
        if (a->kind == ATTR_PADDING && !c.given[i] && word_index(padding_words, a->def) >= 0)
            c.padding_word = a->def;
        if (!c.given[i] && !d)
            continue;
        Value v = d ? d->value : value_for(&c, a, c.given[i]);
        c.given[i] = d ? d->expr : c.given[i];
        good = v.kind != VALUE_BAD && set_attr(&c, a, c.given[i], v) && good;
    }
    good = good && all_given(&c) && lower_padding(&c) && count_parts(&c);
    if (good)
        lower_check_kernel(&c);
    return good;
}
