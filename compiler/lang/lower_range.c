/* lower_range.c: what an input says of the numbers that the caller gives:
 *
 *     input depth[1, 480, 640] range=0..1e6 typical=2 specials=(nan, inf)
 *
 * range is the least and the largest number, or `any`; typical is the magnitude of ordinary ones, 1
 * if it is left out; specials are what occurs besides.  docs/numerics.md says what follows.
 */
#include "lang/lower_parts.h"

#include <float.h>
#include <math.h>
#include <string.h>

/* What an input's attributes say, and where. */
typedef struct Reading {
    Lower *l;
    Frame *f;
    Range *range;
    const Arg *typical; /* or NULL */
    const Arg *first;   /* of these attributes, or NULL */
} Reading;

static Value value_with(const Reading *r, const Expr *e, const char *const *words)
{
    Env env = frame_env(r->l, r->f);
    env.words = words;
    return value_of(&env, e);
}

/* Reports what `arg` cannot be; returns false. */
static bool refuse(const Reading *r, const Arg *arg, const Expr *at, Value v, const char *way_out)
{
    if (v.kind != VALUE_BAD && lower_error(r->l, at->loc, "'%s' cannot be %s", arg->name.text,
                                           value_describe(r->l->arena, v))) {
        diag_note(r->l->d, at->loc, "%s", way_out);
        lower_note_callers(r->l, r->f, at->loc);
    }
    return false;
}

static const char range_way_out[] =
    "the least and the largest number, `range=0..1e6`, or `range=any` where these are not known";

/* Reads an end of the range. */
static bool read_bound(const Reading *r, const Arg *arg, const Expr *e, double *to)
{
    const Value v = value_with(r, e, NULL);
    if (!value_is_number(v))
        return refuse(r, arg, e, v, range_way_out);
    *to = value_number(v);
    if (fabs(*to) <= (double)FLT_MAX)
        return true;
    return refuse(r, arg, e, v, "a float holds numbers up to 3.4e38; beyond is `specials=inf`");
}

static bool read_range(const Reading *r, const Arg *arg)
{
    static const char *const words[] = {"any", NULL};
    Range *range = r->range;
    range->given = true;
    if (!arg->end) {
        const Value v = value_with(r, arg->value, words);
        range->low = -INFINITY, range->high = INFINITY;
        return (v.kind == VALUE_STRING && str_eq(v.text, words[0])) ||
               refuse(r, arg, arg->value, v, range_way_out);
    }
    if (!read_bound(r, arg, arg->value, &range->low) || !read_bound(r, arg, arg->end, &range->high))
        return false;
    if (range->low <= range->high)
        return true;
    if (lower_error(r->l, arg->value->loc, "the range begins above its end")) {
        diag_note(r->l->d, arg->value->loc, "the least number comes first: `range=%g..%g`",
                  range->high, range->low);
        lower_note_callers(r->l, r->f, arg->value->loc);
    }
    return false;
}

static bool read_typical(const Reading *r, const Arg *arg)
{
    const Value v = value_with(r, arg->value, NULL);
    r->range->typical = value_is_number(v) ? value_number(v) : 0;
    return (!arg->end && r->range->typical > 0) ||
           refuse(r, arg, arg->value, v,
                  "the magnitude of ordinary numbers, which is above 0: `typical=2`");
}

static bool read_special(const Reading *r, const Arg *arg, Value v)
{
    const bool word = v.kind == VALUE_STRING;
    r->range->nan = r->range->nan || (word && str_eq(v.text, "nan"));
    r->range->inf = r->range->inf || (word && str_eq(v.text, "inf"));
    return (word && (str_eq(v.text, "nan") || str_eq(v.text, "inf"))) ||
           refuse(r, arg, arg->value, v, "its words are nan and inf; both are `(nan, inf)`");
}

static bool read_specials(const Reading *r, const Arg *arg)
{
    static const char *const words[] = {"nan", "inf", NULL};
    const Value v = value_with(r, arg->value, words);
    bool good = !arg->end;
    if (v.kind != VALUE_LIST || arg->end)
        return read_special(r, arg, v) && good;
    for (int i = 0; i < v.n; i++)
        good = good && read_special(r, arg, v.items[i]);
    return good;
}

/* Refuses attributes that go together with others which are not there; returns false then. */
static bool check_together(const Reading *r, Elem elem)
{
    const Arg *bytes = elem == ELEM_F32 ? NULL : r->first;
    const Arg *alone = r->range->given ? NULL : r->typical;
    if (bytes &&
        lower_error(r->l, bytes->name.loc, "'%s' is for inputs of type f32", bytes->name.text)) {
        diag_note(r->l->d, bytes->name.loc, "numbers of type %s are 0..255 by their type",
                  elem_name(elem));
        lower_note_callers(r->l, r->f, bytes->name.loc);
    } else if (!bytes && alone && lower_error(r->l, alone->name.loc, "'typical' needs a range")) {
        diag_note(r->l->d, alone->name.loc,
                  "it is the magnitude of ordinary numbers, beside the largest: "
                  "`range=0..1e6 typical=2`");
        lower_note_callers(r->l, r->f, alone->name.loc);
    }
    return !bytes && !alone;
}

bool lower_range(Lower *l, Frame *f, const Stmt *s, Elem elem, Range *range)
{
    Reading r = {.l = l, .f = f, .range = range};
    bool good = true;
    *range = (Range){.typical = 1};
    for (int i = 0; i < s->args.n; i++) {
        const Arg *arg = &s->args.at[i];
        const char *name = arg->name.text ? arg->name.text : "";
        const bool typical = str_eq(name, "typical");
        if (str_eq(name, "range"))
            good = read_range(&r, arg) && good;
        else if (typical)
            good = read_typical(&r, arg) && good;
        else if (str_eq(name, "specials"))
            good = read_specials(&r, arg) && good;
        else
            continue;
        r.typical = typical ? arg : r.typical;
        r.first = r.first ? r.first : arg;
    }
    return good && check_together(&r, elem);
}
