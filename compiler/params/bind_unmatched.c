/* bind_unmatched.c: parameters without a tensor and tensors without a parameter, and the way
 * out.
 */
#include "params/bind_parts.h"

#include <string.h>

enum { EXAMPLES = 3, LISTED = 6 };

Loc bind_place(const Param *param)
{
    return param->place ? param->place->loc : NO_LOC;
}

/* ---- names that do not fit ---- */

static void add_example(Buf *out, int nth, const char *name)
{
    if (nth < EXAMPLES)
        buf_printf(out, "%s'%s'", nth ? ", " : "", name);
}

/* Notes how many names each naming matched, and what else can be tried. */
static void note_namings(const Binder *b)
{
    for (int i = 0; i < b->tried.n && i < LISTED; i++)
        diag_note(b->diag, NO_LOC, "with the naming '%s', %d of them are",
                  bind_naming_name(b, b->tried.at[i].naming), b->uses.n - b->tried.at[i].missing);
    for (int i = 0, shown = 0; i < b->net->namings.n && shown < LISTED; i++) {
        if (b->net->namings.at[i].why_not && ++shown)
            diag_note(b->diag, NO_LOC, "the naming '%s' is none for this network: %s",
                      bind_naming_name(b, i), b->net->namings.at[i].why_not);
    }
    if (b->net->every_naming)
        diag_note(b->diag, NO_LOC,
                  "none of the namings that ship fits; 'naming' in a .net file makes one");
    else
        diag_note(b->diag, NO_LOC,
                  "--names NAMING takes another naming of the .net files, --names auto tries all "
                  "that ship; 'naming' in a .net file makes one");
}

/* Keras 2 keeps no names of layers in .weights.h5. */
static bool has_no_names(const Binder *b)
{
    int placed = 0;
    for (int i = 0; i < b->n_slots; i++) {
        const StoredTensor *t = b->slots[i].tensor;
        if (t->place && !str_eq(t->place, t->name))
            return false;
        placed += t->place != NULL;
    }
    return placed > 0;
}

/* The way from weights that do not fit to a network that they do. */
static void note_guess(const Binder *b, const TensorFile *file)
{
    if (file->model)
        diag_file_note(b->diag, file->path,
                       "it is a whole model: 'rnc import %s -o NAME.net' writes its network, and "
                       "NAME.safetensors has the names of that",
                       file->path);
    else
        diag_note(b->diag, NO_LOC, "'rnc guess %s' finds the networks that ship and fit them",
                  file->path);
}

void bind_names_differ(const Binder *b, const TensorFile *files)
{
    Buf wanted = buf_new(b->arena), held = buf_new(b->arena);
    int n_wanted = 0, n_held;
    Slot **const rest = bind_left_over(b, &n_held);
    for (int i = 0; i < b->uses.n; i++)
        if (!b->uses.at[i].slot)
            add_example(&wanted, n_wanted++, bind_wanted(b, b->uses.at[i].param));
    for (int i = 0; i < n_held; i++)
        add_example(&held, i, bind_spelled(b, rest[i], b->reading.view));
    diag_file_error(b->diag, files[0].path,
                    "these are other names than the network's: %d of its %d parameters are here",
                    b->uses.n - b->reading.missing, b->uses.n);
    diag_note(b->diag, NO_LOC, "the network looks for %s ...", buf_text(&wanted));
    if (n_held)
        diag_file_note(b->diag, files[0].path, "the weights hold %s ...", buf_text(&held));
    if (has_no_names(b))
        diag_file_note(
            b->diag, files[0].path,
            "if these are classes, not names of layers: model.save(\"FILE.keras\") of Keras "
            "keeps the names");
    note_namings(b);
    note_guess(b, &files[0]);
}

/* ---- single names ---- */

static void report_missing(Binder *b, const Use *use, const char *const *rest, int n_rest)
{
    const char *name = bind_wanted(b, use->param);
    const char *nearest = str_nearest(name, rest, n_rest);
    if (str_eq(name, use->param->name))
        diag_error(b->diag, bind_place(use->param), "the weights have no tensor '%s'", name);
    else
        diag_error(b->diag, bind_place(use->param), "the weights have no tensor '%s' for '%s'",
                   name, use->param->name);
    diag_note_callers(b->diag, use->param->place);
    if (nearest)
        diag_note(b->diag, NO_LOC, "the nearest that is left over is '%s'", nearest);
}

/* A normalisation over groups has scale and centre, and no statistics. */
static void note_statistics(Binder *b)
{
    int without = 0, other = 0;
    for (int i = 0; i < b->uses.n; i++) {
        const Role role = b->uses.at[i].param->role;
        const Use *use = &b->uses.at[i];
        const bool missing = !use->slot && !use->filled && !use->anew;
        without += missing && (role == P_MEAN || role == P_VARIANCE);
        other += missing && role != P_MEAN && role != P_VARIANCE;
    }
    if (without > 0 && other == 0)
        diag_note(
            b->diag, NO_LOC,
            "only means and variances are missing: is it GroupNorm, or track_running_stats=False?");
}

/* What has no tensor is all at the end: the weights are of a network without it. */
static void note_end(Binder *b)
{
    int first = b->net->nodes.n;
    for (int i = 0; i < b->uses.n; i++) {
        const Use *use = &b->uses.at[i];
        if (!use->slot && !use->filled && !use->anew && use->node->id < first)
            first = use->node->id;
    }
    for (int i = 0; i < b->uses.n; i++) {
        if (b->uses.at[i].slot && b->uses.at[i].node->id > first)
            return;
    }
    if (first < b->net->nodes.n && b->net->nodes.at[first]->n_in > 0)
        diag_note(b->diag, NO_LOC, "--end %s ends the network before what has no weights",
                  b->net->nodes.at[first]->in[0]->name);
}

void bind_report_names(Binder *b, bool strict)
{
    int n_rest, shown = 0;
    Slot **const slots = bind_left_over(b, &n_rest);
    const char **rest = NEW_ARRAY(b->arena, const char *, n_rest + 1);
    const int missing = strict ? b->reading.missing : 0;
    for (int i = 0; i < n_rest; i++)
        rest[i] = bind_spelled(b, slots[i], b->reading.view);
    for (int i = 0; strict && i < b->uses.n && shown < LISTED; i++)
        if (!b->uses.at[i].slot && !b->uses.at[i].filled && !b->uses.at[i].anew && ++shown)
            report_missing(b, &b->uses.at[i], rest, n_rest);
    if (missing > shown)
        diag_note(b->diag, NO_LOC, "%d more parameters have no tensor", missing - shown);
    if (missing)
        note_statistics(b);
    if (missing)
        note_end(b);
    if (missing)
        diag_note(b->diag, NO_LOC, "--init he:0 would fill what is missing with random numbers");
    if (n_rest > 0 && b->net->cut) {
        diag_file_note(b->diag, slots[0]->file->path,
                       "%d tensors are not used: they belong to what --end has cut off", n_rest);
        return;
    }
    for (int i = 0; i < n_rest && i < LISTED; i++)
        diag_file_error(b->diag, slots[i]->file->path, "tensor '%s' belongs to no parameter",
                        slots[i]->tensor->name);
    if (n_rest > LISTED)
        diag_file_note(b->diag, slots[LISTED]->file->path, "%d more tensors belong to none",
                       n_rest - LISTED);
    if (n_rest > LISTED)
        note_guess(b, slots[0]->file);
    if (n_rest > 0 && *b->reading.prefix)
        diag_file_note(b->diag, slots[0]->file->path, "-w FILE:%.*s takes those under it alone",
                       (int)strlen(b->reading.prefix) - 1, b->reading.prefix);
}
