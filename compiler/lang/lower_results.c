/* lower_results.c: operators with several results, `low, high: split 2`.  A label names each
 * result, and the next statement continues from the first. */
#include "lang/lower_parts.h"

/* Refuses several labels before a call that has one result. */
static void refuse_labels(Lower *l, const Frame *f, const Call *call, int n)
{
    if (!lower_error(l, call->loc, "'%s' has one result, and %d names are written for it",
                     call->name.text, n))
        return;
    diag_note(l->d, call->loc, "`split` has several: `low, high: split 2`");
    lower_note_callers(l, f, call->loc);
}

static bool count_fits(Lower *l, const Frame *f, const Call *call, int results, int n)
{
    if (results == n)
        return true;
    if (lower_error(l, call->loc, "'%s' has %d results here, and %d name%s written for them",
                    call->name.text, results, n, n == 1 ? " is" : "s are")) {
        diag_note(l->d, call->loc, "each has a name, in order: `low, high: split 2`");
        lower_note_callers(l, f, call->loc);
    }
    return false;
}

/* Adds a node for each result; returns false after messages. */
static bool add_results(Lower *l, Frame *f, const Call *call, Op op, const Name *labels, int n,
                        Point *results)
{
    Point *points = NULL;
    int n_in = 0;
    Attrs attrs;
    const Place *place = frame_place(l, f, call->loc);
    if (!prepare_op(l, f, call, op, &points, &n_in, &attrs) ||
        !count_fits(l, f, call, op_results(op, &attrs), n))
        return false;
    Node **in = NEW_ARRAY(l->arena, Node *, n_in);
    for (int i = 0; i < n_in; i++)
        in[i] = as_float(l, f, points[i].node, place);
    bool good = true;
    for (int i = 0; i < n && good; i++) {
        const char *path = path_join(l, f->path, labels[i].text);
        attrs.result = i;
        good = claim_path(l, f, path, labels[i].loc);
        if (good)
            results[i] = (Point){.node = add_node(l, f, op, in, n_in, &attrs, path, place)};
        good = good && results[i].node;
    }
    return good;
}

void lower_results(Lower *l, Frame *f, const Call *call, const Name *labels, int n)
{
    Op op;
    const Decl *block = called(l, call->name.text, &op);
    Point *results = NEW_ARRAY(l->arena, Point, n + 1);
    if (op == OP_COUNT && !block) {
        lower_call(l, f, call, (Name){0}); /* reports that there is none */
        results[0].unknown = true;
    } else if (op == OP_COUNT || !(op_row(op)->flags & RESULTS)) {
        refuse_labels(l, f, call, n);
        results[0].unknown = true;
    } else if (!add_results(l, f, call, op, labels, n, results)) {
        results[0].unknown = true;
    }
    for (int i = 0; i < n; i++)
        add_label(l, f, labels[i].text, results[0].unknown ? results[0] : results[i], NULL);
    f->point = results[0];
}
