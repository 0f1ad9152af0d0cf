/* lower_scope.c: frames, the names in them, and messages about either. */
#include "lang/lower_parts.h"

#include <string.h>

/* ---- messages ---- */

bool lower_error(Lower *l, Loc loc, const char *format, ...)
{
    if (!complain_once(&l->complaints, loc))
        return false;
    Buf text = buf_new(l->arena);
    va_list args;
    va_start(args, format);
    buf_vprintf(&text, format, args);
    va_end(args);
    diag_error(l->d, loc, "%s", buf_text(&text));
    l->stopped = l->stopped || l->d->full;
    return true;
}

void lower_note_callers(Lower *l, const Frame *f, Loc loc)
{
    diag_note_callers(l->d, &(Place){loc, f->caller});
}

const char *lower_suggestion(Lower *l, const char *word, const char *const *words, int n)
{
    const char *near = str_nearest(word, words, n);
    return near ? arena_printf(l->arena, "; did you mean '%s'?", near) : "";
}

const char *lower_synonym(Lower *l, const Synonym *synonym)
{
    return synonym->here ? arena_printf(l->arena, "; here it is `%s`", synonym->here) : "";
}

const char *lower_listed(Lower *l, const char *const *words, int n)
{
    enum { MOST = 40 };
    Buf out = buf_new(l->arena);
    for (int i = 0; i < n && i < MOST; i++)
        buf_printf(&out, "%s%s", i ? ", " : "", words[i]);
    if (n > MOST)
        buf_puts(&out, ", ...");
    return buf_text(&out);
}

/* ---- frames ---- */

Frame frame_inside(Frame *parent, const char *path, const char *title)
{
    return (Frame){
        .parent = parent,
        .decl = parent->decl,
        .path = path,
        .title = title,
        .point = parent->point,
        .vars = parent->vars,
        .defaults = parent->defaults,
        .index = parent->index,
        .caller = parent->caller,
    };
}

Env frame_env(Lower *l, const Frame *f)
{
    return (Env){
        .complaints = &l->complaints,
        .vars = f->vars,
        .current = f->point.node,
        .current_unknown = f->point.unknown,
        .index = f->index,
        .caller = f->caller,
    };
}

const Place *frame_place(Lower *l, const Frame *f, Loc loc)
{
    Place *place = NEW(l->arena, Place);
    *place = (Place){loc, f->caller};
    return place;
}

int frame_count(Lower *l, Frame *f, const char *name)
{
    f->counters.arena = l->arena;
    NameEntry *entry = table_find(&f->counters, name);
    if (!entry)
        entry = table_add(&f->counters, name, NO_LOC);
    return ++entry->number;
}

const char *path_join(Lower *l, const char *path, const char *name)
{
    return *path ? arena_printf(l->arena, "%s.%s", path, name) : name;
}

/* ---- paths ---- */

bool claim_path(Lower *l, const Frame *f, const char *path, Loc loc)
{
    size_t length = strlen(path);
    l->paths += (int64_t)length;
    if (length > MOST_PATH || l->paths > MOST_PATHS) {
        if (!l->stopped && lower_error(l, loc, "the paths of the layers are too long")) {
            diag_note(l->d, loc,
                      "one has %d characters at most, all together %d; this is '%.60s...'",
                      MOST_PATH, MOST_PATHS, path);
            lower_note_callers(l, f, loc);
        }
        l->stopped = true;
        return false;
    }
    if (table_add(&l->names, path, loc))
        return true;
    const NameEntry *first = table_find(&l->names, path);
    if (lower_error(l, loc, "the name '%s' is taken", path)) {
        bool same = first->loc.file == loc.file && first->loc.begin == loc.begin;
        if (same)
            diag_note(l->d, loc,
                      "a repetition gives the same name each time; in a block of its own, or in a "
                      "stage, each repetition has a name of its own");
        else
            diag_note(l->d, first->loc, "by this one; give one of them another name");
        lower_note_callers(l, f, loc);
    }
    return false;
}

void set_path(Lower *l, const char *path, const Node *node)
{
    NameEntry *entry = table_find(&l->names, path);
    if (entry)
        entry->node = node;
}

/* ---- labels ---- */

void add_label(Lower *l, Frame *f, const char *name, Point point, const Reuse *reuse)
{
    VEC_PUSH(l->arena, &f->labels, ((Label){name, point, reuse}));
    f->label_names.arena = l->arena;
    NameEntry *entry = table_find(&f->label_names, name);
    if (!entry)
        entry = table_add(&f->label_names, name, NO_LOC);
    entry->number = f->labels.n;
}

const Label *label_in(const Frame *f, const char *name)
{
    const NameEntry *entry = table_find(&f->label_names, name);
    return entry ? &f->labels.at[entry->number - 1] : NULL;
}

/* Refuses a name from outside of a stage that is expanded again: such a stage may only read the
 * current tensor, or it would not do the same twice. */
static Point refuse_outside(Lower *l, const Frame *f, const Frame *stage, Name name)
{
    if (lower_error(l, name.loc, "'%s' is outside of %s, which is called again", name.text,
                    stage->title)) {
        diag_note(l->d, name.loc,
                  "what is called again works on the current tensor alone; take '%s' before "
                  "the stage begins",
                  name.text);
        lower_note_callers(l, f, name.loc);
    }
    return (Point){.unknown = true};
}

/* Whether a statement of the list, or of one inside it, gives a tensor this name further down. */
static bool is_label_below(const Stmts *list, Name name)
{
    for (int i = 0; i < list->n; i++) {
        const Stmt *s = list->at[i];
        bool found = s->kind == STMT_CALL && s->name.text && str_eq(s->name.text, name.text);
        for (int k = 0; k < s->names.n; k++)
            found = found || str_eq(s->names.at[k].text, name.text);
        if ((found && s->loc.begin > name.loc.begin) || is_label_below(&s->body, name) ||
            is_label_below(&s->other, name))
            return true;
    }
    return false;
}

Point find_label(Lower *l, const Frame *f, Name name)
{
    const Frame *stage = NULL;
    for (const Frame *at = f; at; at = at->parent) {
        const Label *label = label_in(at, name.text);
        if (label)
            return stage ? refuse_outside(l, f, stage, name) : label->point;
        stage = at->again ? at : stage;
    }
    VEC(const char *) known = {0};
    for (const Frame *at = f; at && !complained(&l->complaints, name.loc); at = at->parent) {
        for (int i = at->labels.n - 1; i >= 0; i--)
            VEC_PUSH(l->arena, &known, at->labels.at[i].name);
    }
    if (lower_error(l, name.loc, "there is no tensor '%s' here%s", name.text,
                    lower_suggestion(l, name.text, known.at, known.n))) {
        if (known.n)
            diag_note(l->d, name.loc, "known here: %s", lower_listed(l, known.at, known.n));
        else
            diag_note(
                l->d, name.loc,
                "a label gives a tensor a name, `%s: conv 3x3 64`; a block knows its own alone",
                name.text);
        if (is_label_below(&f->decl->body, name))
            diag_note(l->d, name.loc,
                      "'%s' is computed further down: a tensor is used after it is computed, by "
                      "`delay` too; a result that the next run needs is an output, and an input "
                      "of that run",
                      name.text);
        lower_note_callers(l, f, name.loc);
    }
    return (Point){.unknown = true};
}

/* ---- variables ---- */

bool add_var(Lower *l, const Frame *f, const Var **vars, Name name, Value value)
{
    int number = *vars ? (*vars)->number + 1 : 1;
    const Var *old = number <= MOST_VARS ? var_named(*vars, name.text) : NULL;
    if (!old && !value_builtin_name(name.text) && number <= MOST_VARS) {
        Var *var = NEW(l->arena, Var);
        *var = (Var){*vars, name, value, number};
        *vars = var;
        return true;
    }
    if (number > MOST_VARS) {
        lower_error(l, name.loc, "more than %d parameters and variables are known here", MOST_VARS);
        l->stopped = true;
        return false;
    }
    if (lower_error(l, name.loc, "'%s' has a meaning here already", name.text)) {
        if (old)
            diag_note(l->d, old->name.loc, "it is declared here; choose another name");
        else
            diag_note(l->d, name.loc, "'%s' is %s; choose another name", name.text,
                      str_eq(name.text, "index") ? "the number of the repetition"
                                                 : "that of the current tensor");
        if (f)
            lower_note_callers(l, f, name.loc);
    }
    return false;
}
