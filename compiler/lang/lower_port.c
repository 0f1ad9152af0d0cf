/* lower_port.c: the interface: inputs, outputs, taps, class names, batch. */
#include "lang/lower_parts.h"

#include <limits.h>
#include <string.h>

enum { MOST_BATCH = 65536, MOST_PORT_ATTRS = 8 };

static const char *const elem_words[] = {
#define ELEMENT(id, name, bytes, c, constant, input, doc) name,
#include "net/elements.def"
    NULL,
};
static const char *const order_words[] = {"nchw", "nhwc", NULL};
static const char *const no_words[] = {NULL};

/* ---- names of ports ---- */

static bool new_port(Lower *l, const Frame *f, Name name)
{
    const NameEntry *old = table_find(&l->ports, name.text);
    if (!old && l->ports.n < MOST_PORTS) {
        l->ports.arena = l->arena;
        table_add(&l->ports, name.text, name.loc);
        return true;
    }
    if (old && lower_error(l, name.loc, "there is an input or output '%s' already", name.text)) {
        diag_note(l->d, old->loc, "it is this one; the caller tells them apart by name");
        lower_note_callers(l, f, name.loc);
    }
    if (!old) {
        lower_error(l, name.loc, "a net has at most %d inputs and outputs, taps included",
                    MOST_PORTS);
        l->stopped = true;
    }
    return false;
}

/* ---- attributes of ports ---- */

typedef struct PortAttr {
    const char *word;
    const char *const *words; /* the words that it accepts; none: any text; NULL: lower_range()
                                 reads it */
} PortAttr;

/* Reads the text of an attribute; returns false after a message. */
static bool port_text(Lower *l, Frame *f, const Arg *arg, const PortAttr *attr, const char **to)
{
    Env env = frame_env(l, f);
    env.words = attr->words;
    if (arg->end) {
        if (lower_error(l, arg->value->loc, "'%s' is one word, not a range", attr->word))
            lower_note_callers(l, f, arg->value->loc);
        return false;
    }
    Value v = value_of(&env, arg->value);
    if (v.kind == VALUE_BAD)
        return false;
    int n = 0;
    bool known = false;
    for (; attr->words[n]; n++)
        known = known || (v.kind == VALUE_STRING && str_eq(attr->words[n], v.text));
    if (v.kind == VALUE_STRING && (known || !n)) {
        *to = v.text;
        return true;
    }
    if (lower_error(l, arg->value->loc, "'%s' cannot be %s%s", attr->word,
                    value_describe(l->arena, v),
                    v.kind == VALUE_STRING ? lower_suggestion(l, v.text, attr->words, n) : "")) {
        if (n)
            diag_note(l->d, arg->value->loc, "its words are %s", lower_listed(l, attr->words, n));
        else
            diag_note(l->d, arg->value->loc, "the name of a file stands in quotes");
        lower_note_callers(l, f, arg->value->loc);
    }
    return false;
}

/* Sets texts[i] to what attrs[i] was given, or leaves it as it was. */
static bool port_attrs(Lower *l, Frame *f, const Stmt *s, const char *what, const PortAttr *attrs,
                       int n, const char **texts, Loc *locs)
{
    const char *words[MOST_PORT_ATTRS];
    for (int i = 0; i < n; i++)
        words[i] = attrs[i].word;
    bool good = true;
    for (int i = 0; i < s->args.n; i++) {
        const Arg *arg = &s->args.at[i];
        int which = 0;
        while (which < n && !(arg->name.text && str_eq(words[which], arg->name.text)))
            which++;
        if (which < n && !attrs[which].words)
            continue;
        if (which < n) {
            good = port_text(l, f, arg, &attrs[which], &texts[which]) && good;
            locs[which] = arg->value->loc;
            continue;
        }
        good = false;
        if (arg->name.text
                ? lower_error(l, arg->name.loc, "%s has no attribute '%s'%s", what, arg->name.text,
                              lower_suggestion(l, arg->name.text, words, n))
                : lower_error(l, arg->value->loc, "%s takes no value without a name", what))
            diag_note(l->d, s->loc, "its attributes are %s", lower_listed(l, words, n));
    }
    return good;
}

static Order order_of(const char *word)
{
    return str_eq(word, "nhwc") ? ORDER_NHWC : ORDER_NCHW;
}

/* ---- inputs ---- */

/* Whether kernels can read this element type from a caller's buffer. */
static bool readable(Lower *l, const Frame *f, Elem elem, Loc loc)
{
    if (elem_row(elem)->input == ANY_INPUT)
        return true;
    if (lower_error(l, loc, "no kernel reads inputs of type %s", elem_name(elem))) {
        diag_note(l->d, loc, "an input is f32 or u8");
        lower_note_callers(l, f, loc);
    }
    return false;
}

/* Reads the dims between the brackets; the type has the current batch. */
static bool input_type(Lower *l, Frame *f, const Stmt *s, Type *type)
{
    int64_t dims[3] = {1, 1, 1};
    if (s->dims.n != 1 && s->dims.n != 3) {
        if (lower_error(l, s->loc, "an input has one dimension or three, not %d", s->dims.n))
            diag_note(l->d, s->loc,
                      "`input %s[3, 224, 224]` is channels, height, width; "
                      "`input %s[128]` is a vector",
                      s->name.text, s->name.text);
        return false;
    }
    bool good = true;
    for (int i = 0; i < s->dims.n; i++) {
        const Expr *e = s->dims.at[i];
        Env env = frame_env(l, f);
        Value v = value_of(&env, e);
        if (v.kind == VALUE_INT && v.integer >= 1 && v.integer <= INT_MAX) {
            dims[i] = v.integer;
            continue;
        }
        good = false;
        if (v.kind != VALUE_BAD &&
            lower_error(l, e->loc, "a dimension is an integer from 1 to %d, not %s", INT_MAX,
                        value_describe(l->arena, v)) &&
            v.kind == VALUE_LIST)
            diag_note(l->d, e->loc, "an element of a list is `size[0]`");
    }
    if (good && dims[0] == dims[1] && dims[0] > 16 && dims[2] <= 4) {
        diag_warning(l->d, s->loc, "the input has %lld channels, and %lld pixels a row",
                     (long long)dims[0], (long long)dims[2]);
        diag_note(l->d, s->loc,
                  "channels come first, then height and width: `input %s[%lld, %lld, %lld]`; "
                  "order=nhwc says that the caller has them last",
                  s->name.text, (long long)dims[2], (long long)dims[0], (long long)dims[1]);
    }
    *type = (Type){ELEM_F32, l->batch, (int)dims[1], (int)dims[2], (int)dims[0]};
    return good;
}

/* Whether the input has no more elements than the shape rules allow for a result. */
static bool fits(Lower *l, const Stmt *s, Type type)
{
    const int64_t most = (int64_t)1 << 40;
    int64_t elements = mul_extents(mul_extents(type.n, type.c), mul_extents(type.h, type.w));
    if (elements < most)
        return true;
    if (lower_error(l, s->loc, "the input '%s' is too large", s->name.text))
        diag_note(l->d, s->loc,
                  "a batch of %d, %d x %d x %d; a tensor has less than %lld (2^40) elements",
                  type.n, type.c, type.h, type.w, (long long)most);
    return false;
}

void lower_input(Lower *l, Frame *f, const Stmt *s)
{
    enum { ATTRS = 5 };
    static const PortAttr attrs[ATTRS] = {{"type", elem_words},
                                          {"order", order_words},
                                          {"range", NULL},
                                          {"typical", NULL},
                                          {"specials", NULL}};
    const char *texts[ATTRS] = {"f32", "nchw"};
    Loc locs[ATTRS] = {NO_LOC, NO_LOC};
    Type type;
    Range range;
    bool good = port_attrs(l, f, s, "an input", attrs, ATTRS, texts, locs);
    good = good && readable(l, f, elem_named(texts[0]), locs[0]);
    good = lower_range(l, f, s, elem_named(texts[0]), &range) && good;
    good = input_type(l, f, s, &type) && good;
    good = new_port(l, f, s->name) && good;
    good = claim_path(l, f, s->name.text, s->name.loc) && good;
    good = good && fits(l, s, type);
    if (l->options->input_type)
        texts[0] = l->options->input_type;
    if (l->options->input_order)
        texts[1] = l->options->input_order;
    f->point = (Point){.unknown = true};
    if (good) {
        type.elem = elem_named(texts[0]);
        Port port = {.name = s->name.text, .elem = type.elem, .order = order_of(texts[1])};
        if (type.elem == ELEM_F32)
            port.range = range;
        port.place = frame_place(l, f, s->loc);
        port.node = ir_add_input(l->net, s->name.text, type, port.place);
        VEC_PUSH(l->arena, &l->net->inputs, port);
        set_path(l, s->name.text, port.node);
        f->point = (Point){.node = port.node};
    }
    add_label(l, f, s->name.text, f->point, NULL);
}

void lower_part_of_batch(Lower *l)
{
    const int ranks = l->options->ranks ? l->options->ranks : 1;
    if (l->batch % ranks != 0) {
        diag_error(l->d, NO_LOC, "a batch of %d images cannot be divided among %d ranks", l->batch,
                   ranks);
        diag_note(l->d, NO_LOC, "--batch N gives another batch; --ranks takes a power of two");
    }
    l->batch /= l->batch % ranks ? 1 : ranks;
}

void lower_batch(Lower *l, Frame *f, const Stmt *s)
{
    Env env = frame_env(l, f);
    Value v = value_of(&env, s->value);
    if (v.kind == VALUE_BAD)
        return;
    if (v.kind != VALUE_INT || v.integer < 1 || v.integer > MOST_BATCH) {
        lower_error(l, s->value->loc, "a batch is an integer from 1 to %d, not %s", MOST_BATCH,
                    value_describe(l->arena, v));
    } else if (l->net->inputs.n) {
        if (lower_error(l, s->loc, "`batch` stands before the first input"))
            diag_note(l->d, l->net->inputs.at[0].place->loc, "the first input is here");
    } else if (l->batch_loc.file >= 0) {
        if (lower_error(l, s->loc, "a net has one batch size"))
            diag_note(l->d, l->batch_loc, "it is set here");
    } else {
        l->batch_loc = s->loc;
        if (!l->options->batch && !(l->options->train_if_any && l->net->train)) {
            l->batch = (int)v.integer;
            lower_part_of_batch(l);
        }
    }
}

/* ---- class names ---- */

/* Splits a file into class names, one on each line; an empty last line does not count. */
static void split_lines(Lower *l, int file, Port *port)
{
    const SrcFile *f = src_file(l->src, file);
    VEC(const char *) lines = {0};
    for (size_t at = 0; at < f->size;) {
        const char *end = memchr(f->text + at, '\n', f->size - at);
        size_t n = end ? (size_t)(end - (f->text + at)) : f->size - at;
        size_t cut = n && f->text[at + n - 1] == '\r' ? n - 1 : n;
        VEC_PUSH(l->arena, &lines, arena_strndup(l->arena, f->text + at, cut));
        at += n + 1;
    }
    while (lines.n && !*lines.at[lines.n - 1])
        lines.n--;
    port->labels = lines.at;
    port->n_labels = lines.n;
}

static void set_labels(Lower *l, Port *port, int file, Loc loc, const char *path)
{
    split_lines(l, file, port);
    int classes = port->node->type.c;
    if (port->n_labels == classes)
        return;
    if (lower_error(l, loc, "'%s' has %d class names, and the output '%s' has %d channels", path,
                    port->n_labels, port->name, classes)) {
        diag_note(l->d, port->place->loc, "the output is here");
        diag_note(l->d, NO_LOC, "--labels FILE gives others, --labels \"\" none");
    }
}

/* Applies --labels, which replaces what the first output says. */
static void labels_option(Lower *l, Port *port)
{
    const char *path = l->options->labels;
    port->labels = NULL;
    port->n_labels = 0;
    if (!*path)
        return;
    const char *why;
    int file = src_read(l->src, path, &why);
    if (file < 0)
        diag_file_error(l->d, path, "cannot read the class names: %s", why);
    else
        set_labels(l, port, file, NO_LOC, path);
}

/* ---- outputs ---- */

/* Makes the tensor a new output; returns NULL after a message. */
static Port *add_output(Lower *l, Frame *f, const char *name, Node *node, const Place *place)
{
    node = as_float(l, f, node, place);
    if (!node)
        return NULL;
    Port port = {.name = name, .node = node, .elem = ELEM_F32, .place = place};
    VEC_PUSH(l->arena, &l->net->outputs, port);
    return &l->net->outputs.at[l->net->outputs.n - 1];
}

static bool has_tensor(Lower *l, const Frame *f, const Stmt *s, const char *what)
{
    if (!f->point.node && !f->point.unknown && lower_error(l, s->loc, "%s has no tensor", what)) {
        diag_note(l->d, s->loc, "the layers come before it and after an `input`");
        lower_note_callers(l, f, s->loc);
    }
    return f->point.node;
}

void lower_output(Lower *l, Frame *f, const Stmt *s)
{
    static const PortAttr attrs[] = {{"labels", no_words}, {"order", order_words}};
    const char *texts[2] = {NULL, "nchw"};
    Loc locs[2] = {NO_LOC, NO_LOC};
    bool good = port_attrs(l, f, s, "an output", attrs, 2, texts, locs);
    good = new_port(l, f, s->name) && good;
    if (!has_tensor(l, f, s, "the output") || !good)
        return;
    bool first = l->net->outputs.n == 0 && l->options->labels;
    Port *port = add_output(l, f, s->name.text, f->point.node, frame_place(l, f, s->loc));
    if (!port)
        return;
    port->order = order_of(texts[1]);
    if (first) {
        labels_option(l, port);
    } else if (texts[0]) {
        int file = read_beside(l, (Name){texts[0], locs[0]}, "file of class names", NULL);
        if (file >= 0)
            set_labels(l, port, file, locs[0], texts[0]);
    }
}

void lower_tap(Lower *l, Frame *f, const Stmt *s)
{
    const Name name = {s->name.text ? s->name.text : f->path, s->loc};
    if (!*name.text) {
        if (lower_error(l, s->loc, "outside of stages and blocks a tap needs a name"))
            diag_note(l->d, s->loc, "it is written `tap NAME`");
        return;
    }
    bool good = new_port(l, f, name);
    if (has_tensor(l, f, s, "the tap") && good)
        (void)add_output(l, f, name.text, f->point.node, frame_place(l, f, s->loc));
    if (s->name.text)
        add_label(l, f, name.text, f->point, NULL);
}

/* ---- at the end ---- */

/* The part of a path after its last dot. */
static const char *last_part(const char *path)
{
    const char *dot = strrchr(path, '.');
    return dot ? dot + 1 : path;
}

const Node *lower_tapped(Lower *l, const char *option, const char *tap)
{
    const NameEntry *entry = table_find(&l->names, tap);
    if (entry && entry->node)
        return entry->node;
    const Node *found = NULL;
    VEC(const char *) known = {0};
    for (int i = 0; i < l->net->nodes.n; i++) {
        const Node *node = l->net->nodes.at[i];
        VEC_PUSH(l->arena, &known, node->name);
        if (!str_eq(last_part(node->name), tap))
            continue;
        if (found) {
            diag_error(l->d, NO_LOC, "%s %s: there are several: '%s', '%s'", option, tap,
                       found->name, node->name);
            diag_note(l->d, NO_LOC, "give the path");
            return NULL;
        }
        found = node;
    }
    if (!found) {
        diag_error(l->d, NO_LOC, "%s %s: there is no such layer, block or stage%s", option, tap,
                   lower_suggestion(l, tap, known.at, known.n));
        diag_note(l->d, NO_LOC, "`rnc --dump ir` lists them");
    }
    return found;
}

static void tap_options(Lower *l, Frame *f)
{
    for (int i = 0; i < l->options->n_taps; i++) {
        const char *tap = l->options->taps[i];
        const Node *node = lower_tapped(l, "--tap", tap);
        if (!node)
            continue;
        if (table_find(&l->ports, tap)) {
            diag_error(l->d, NO_LOC, "--tap %s: there is an input or output of that name already",
                       tap);
            continue;
        }
        (void)add_output(l, f, tap, l->net->nodes.at[node->id], node->place);
    }
}

/* Marks the layers that another one reads, and those that are outputs. */
static bool *used_nodes(const Lower *l)
{
    const Net *net = l->net;
    bool *used = NEW_ARRAY(l->arena, bool, net->nodes.n + 1);
    for (int i = 0; i < net->nodes.n; i++) {
        const Node *node = net->nodes.at[i];
        for (int j = 0; j < node->n_in; j++)
            used[node->in[j]->id] = true;
    }
    for (int i = 0; i < net->outputs.n; i++)
        used[net->outputs.at[i].node->id] = true;
    return used;
}

static void warn_unused(Lower *l, const Node *node, bool last)
{
    const Loc loc = node->place->loc;
    diag_warning(l->d, loc, "nothing uses %s'%s'", last ? "the last layer, " : "", node->name);
    if (last)
        diag_note(l->d, loc, "`output NAME` after it gives it to the caller");
    else if (node->n_in > 0)
        diag_note(l->d, loc, "what follows goes on from '%s'; a label names its own layer alone",
                  node->in[0]->name);
}

/* Warns about layers that nothing uses.  If it is the last one, an output was probably forgotten;
 * if not, it is often an activation after a label that was meant to include it.  After an error
 * there is no warning for the latter, since the error may be the reason.  Each place gets only one
 * warning, and only the first few are shown. */
static void check_unused(Lower *l, const Frame *f, const bool *used)
{
    enum { MOST = 5 };
    Loc told[MOST];
    int n = 0;
    for (int i = 0; i < l->net->nodes.n && n < MOST; i++) {
        const Node *node = l->net->nodes.at[i];
        const bool last = node == f->point.node;
        bool silent = used[i] || node->op == OP_INPUT || (!last && l->d->errors > 0);
        for (int j = 0; j < n; j++)
            silent = silent || (told[j].file == node->place->loc.file &&
                                told[j].begin == node->place->loc.begin);
        if (silent)
            continue;
        told[n++] = node->place->loc;
        warn_unused(l, node, last);
    }
}

void finish_ports(Lower *l, Frame *f, const Decl *net)
{
    const int taps = l->net->outputs.n;
    tap_options(l, f);
    lower_end(l, f, taps);
    if (!l->net->inputs.n) {
        if (lower_error(l, net->name.loc, "the net '%s' has no input", net->name.text))
            diag_note(l->d, net->name.loc, "`input image[3, 224, 224]` is what the caller gives");
    } else if (!l->net->outputs.n) {
        if (lower_error(l, net->name.loc, "the net '%s' has no output", net->name.text))
            diag_note(l->d, net->name.loc,
                      "`output NAME` after the last layer is what the caller gets");
    }
    const bool *used = used_nodes(l);
    for (int i = 0; i < l->net->inputs.n && l->net->outputs.n; i++) {
        const Port *port = &l->net->inputs.at[i];
        if (!used[port->node->id] &&
            lower_error(l, port->place->loc, "nothing uses the input '%s'", port->name))
            diag_note(l->d, port->place->loc, "leave it out, or go on from it: `from %s`",
                      port->name);
    }
    check_unused(l, f, used);
}
