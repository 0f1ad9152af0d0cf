/* write_blocks.c: finds the blocks of a network: runs of parts that occur again.
 *
 * Parts that differ in numbers alone (filters, strides, kernels larger than 1x1) have the same
 * symbol.  The run of symbols that saves most text becomes a block, its occurrences become calls,
 * and so on: MobileNet's narrow inside of its residual, in the end.  Of two runs that save the
 * same, a relu earlier or later, the one whose layers' names in the source have more in common is
 * taken.
 */
#include "import/write_parts.h"

#include "base/numbers.h"

#include <string.h>

enum {
    MOST_PARTS = 4000, /* of networks in which blocks are looked for */
    LONGEST = 40,      /* parts of a block */
    LIGHTEST = 4,      /* weight of a block */
    LEAST_SAVING = 8,  /* weight saved by one */
    MOST_BLOCKS = 24
};

/* ---- symbols ---- */

static void put_kind(Buf *out, const Node *node)
{
    const Attrs *a = &node->attrs;
    const bool has_groups = op_attr(node->op, "groups") != NULL;
    if (op_attr(node->op, "kernel"))
        buf_puts(out, write_is_global(node)              ? "global"
                      : a->kernel[0] * a->kernel[1] == 1 ? "1"
                                                         : "k");
    if (has_groups)
        buf_puts(out, a->groups == 1 ? "" : a->groups == node->in[0]->type.c ? "depth" : "groups");
}

static void put_padding(Buf *out, const Writer *w, const Node *node)
{
    const int *p = node->attrs.padding;
    if (op_attr(node->op, "kernel") && w->same_style && write_is_same(node))
        buf_puts(out, "same");
    else if (op_attr(node->op, "kernel") && write_is_half(node))
        buf_puts(out, "half");
    else
        buf_printf(out, "%d,%d,%d,%d", p[0], p[1], p[2], p[3]);
}

void write_layer_key(Buf *out, const Writer *w, const Node *node)
{
    const OpRow *row = op_row(node->op);
    buf_puts(out, row->name);
    put_kind(out, node);
    for (int i = 0; i < row->n_attrs; i++) {
        const AttrRow *a = &row->attrs[i];
        const char *at = (const char *)&node->attrs + a->offset;
        switch (a->kind) {
        case ATTR_PADDING:
            put_padding(out, w, node);
            break;
        case ATTR_REAL:
            buf_real(out, *(const double *)at);
            break;
        case ATTR_WORDS:
            buf_printf(out, " %d", *(const int *)at);
            break;
        case ATTR_REALS:
            for (int k = 0; k < ((const Reals *)at)->n; k++) {
                buf_putc(out, ' ');
                buf_real(out, ((const Reals *)at)->at[k]);
            }
            break;
        case ATTR_INT:
            if (node->op == OP_SPLIT || str_eq(a->word, "seed") || str_eq(a->word, "draw"))
                buf_printf(out, " %d", *(const int *)at);
            break;
        case ATTR_BOOL: /* these may be parameters */
        case ATTR_PAIR:
            break;
        }
        buf_putc(out, ';');
    }
}

static int symbol_of(Writer *w, const Buf *key)
{
    NameEntry *entry = table_find(&w->symbols, buf_text(key));
    if (!entry) {
        entry = table_add(&w->symbols, buf_text(key), NO_LOC);
        entry->number = w->symbols.n;
    }
    return entry->number;
}

static void list_symbols(Writer *w, Parts *parts);

/* A shortcut: the smaller of two arms, without arms of its own, which may be empty elsewhere. */
static bool is_shortcut(const Part *part, int arm)
{
    enum { MOST = 4 };
    const Chain *chain = part->arms[arm], *other = part->arms[1 - arm];
    int size = 0, larger = 0;
    bool simple = part->node->op == OP_ADD && chain->parts.n <= MOST;
    for (int i = 0; i < chain->parts.n; i++) {
        size += chain->parts.at[i]->size;
        simple = simple && chain->parts.at[i]->n_arms == 0 && !chain->parts.at[i]->block;
    }
    for (int i = 0; i < other->parts.n; i++)
        larger += other->parts.at[i]->size;
    return simple && size < larger;
}

static void put_arm(Buf *out, const Part *part, int arm)
{
    const Chain *chain = part->arms[arm];
    buf_putc(out, '{');
    if (part->n_arms == 2 && is_shortcut(part, arm))
        buf_puts(out, "shortcut");
    for (int i = 0; !(part->n_arms == 2 && is_shortcut(part, arm)) && i < chain->parts.n; i++)
        buf_printf(out, "%d ", chain->parts.at[i]->symbol);
    /* The result of a `split` that the arm begins at. */
    buf_printf(out, "%d}", part_forks_split(part) ? chain->start->attrs.result : -1);
}

static void part_symbol(Writer *w, Part *part)
{
    Buf key = buf_new(w->arena);
    list_symbols(w, &part->inner);
    if (part->block || part->again)
        return;
    part->weight = part->n_arms ? 2 : 1;
    part->size = 1;
    write_layer_key(&key, w, part->node);
    for (int k = 0; k < part->n_arms; k++) {
        const Parts *arm = &part->arms[k]->parts;
        list_symbols(w, &part->arms[k]->parts);
        for (int i = 0; i < arm->n; i++) {
            part->weight += arm->at[i]->weight;
            part->size += arm->at[i]->size;
        }
    }
    for (int k = 0; k < part->n_arms && !part->root; k++)
        put_arm(&key, part, k);
    if (part->root)
        tangle_symbol(&key, part);
    if (part->pinned)
        buf_printf(&key, "of %d", part->node->id); /* it is like no other */
    part->symbol = symbol_of(w, &key);
}

static void list_symbols(Writer *w, Parts *parts)
{
    for (int i = 0; i < parts->n; i++)
        part_symbol(w, parts->at[i]);
}

void write_symbols(Writer *w)
{
    for (int i = 0; i < w->net->nodes.n; i++) {
        const Node *node = w->net->nodes.at[i];
        const int *p = node->attrs.padding;
        if (op_attr(node->op, "padding") && op_attr(node->op, "kernel") && !write_is_half(node) &&
            (p[0] || p[1] || p[2] || p[3]) && write_is_same(node))
            w->same_style = true;
    }
    for (int i = 0; i < w->shape.chains.n; i++)
        list_symbols(w, &w->shape.chains.at[i]->parts);
}

/* ---- names in the source ---- */

static void common(const char *name, const char *prefix, size_t *n)
{
    size_t k = 0;
    while (k < *n && name[k] == prefix[k])
        k++;
    *n = k;
}

static void common_part(const Part *part, const char **prefix, size_t *n)
{
    for (int k = 0; k < part->n_arms; k++) {
        for (int i = 0; i < part->arms[k]->parts.n; i++)
            common_part(part->arms[k]->parts.at[i], prefix, n);
    }
    for (int i = 0; i < part->inner.n; i++)
        common_part(part->inner.at[i], prefix, n);
    if (part->block)
        return;
    if (!*prefix) {
        *prefix = part->node->name;
        *n = strlen(*prefix);
    }
    common(part->node->name, *prefix, n);
}

const char *write_prefix(Arena *arena, Part *const *parts, int n)
{
    const char *prefix = NULL;
    size_t length = 0;
    for (int i = 0; i < n; i++)
        common_part(parts[i], &prefix, &length);
    if (!prefix)
        return "";
    while (length && prefix[length] && prefix[length] != '.' && prefix[length] != '_')
        length--;
    return arena_strndup(arena, prefix, length);
}

/* ---- runs of symbols ---- */

/* A list of parts in which runs are looked for. */
typedef struct List {
    Parts *parts;
    bool counts; /* false: it is in a further call of a block, whose text exists once */
} List;

typedef struct Run {
    uint64_t hash;
    int list, at, length; /* the first place */
    int last_list, end;   /* where the last one that counts ends */
    int count, weight;
    struct Run *next;
} Run;

typedef struct Finder {
    Writer *w;
    VEC(List) lists;
    Run **buckets; /* [cap] */
    int cap;
    VEC(Run *) runs;
} Finder;

static void list_parts(Finder *f, Parts *parts, bool counts);

static void list_part(Finder *f, Part *part, bool counts)
{
    for (int k = 0; k < part->n_arms; k++)
        list_parts(f, &part->arms[k]->parts, counts);
    if (part->block)
        list_parts(f, &part->inner, counts && part->instance == 0);
}

static void list_parts(Finder *f, Parts *parts, bool counts)
{
    const List list = {parts, counts};
    VEC_PUSH(f->w->arena, &f->lists, list);
    for (int i = 0; i < parts->n; i++)
        list_part(f, parts->at[i], counts);
}

static Part *const *run_parts(const Finder *f, const Run *run)
{
    return f->lists.at[run->list].parts->at + run->at;
}

static bool same_symbols(Part *const *a, Part *const *b, int n)
{
    for (int i = 0; i < n; i++) {
        if (a[i]->symbol != b[i]->symbol)
            return false;
    }
    return true;
}

/* Counts a run of symbols at a place, unless it overlaps with the last one counted. */
static void count_run(Finder *f, int list, int at, int length, uint64_t hash, int weight)
{
    Run **slot = &f->buckets[hash % (uint64_t)f->cap], *run = *slot;
    Part *const *parts = f->lists.at[list].parts->at + at;
    while (run && !(run->hash == hash && run->length == length &&
                    same_symbols(run_parts(f, run), parts, length)))
        run = run->next;
    if (!run) {
        run = NEW(f->w->arena, Run);
        *run = (Run){hash, list, at, length, -1, 0, 0, weight, *slot};
        *slot = run;
        VEC_PUSH(f->w->arena, &f->runs, run);
    }
    if (run->last_list == list && at < run->end)
        return;
    run->last_list = list;
    run->end = at + length;
    run->count++;
}

static bool is_activation(const Part *part)
{
    return !part->n_arms && !part->block && op_row(part->node->op)->flags & ACTIVATION;
}

/* A `split`, and the join of arms that begin at its results: a block has both or neither, since the
 * words for the results are its own. */
static bool is_split(const Part *part)
{
    return !part->block && op_results(part->node->op, &part->node->attrs) > 1;
}

static void count_list(Finder *f, int list)
{
    const Parts *parts = f->lists.at[list].parts;
    for (int at = 0; at < parts->n; at++) {
        /* An activation belongs to what is before it. */
        if ((at > 0 && is_activation(parts->at[at])) || part_forks_split(parts->at[at]))
            continue;
        uint64_t hash = 14695981039346656037u;
        int weight = 0, joins = 0;
        for (int n = 1; n <= LONGEST && at + n <= parts->n; n++) {
            const Part *part = parts->at[at + n - 1];
            if (part->pinned || part->loose || part->block)
                break;
            const bool split = is_split(part);
            if (split && (at + n == parts->n || !part_forks_split(parts->at[at + n])))
                break;
            joins += part->n_arms > 0;
            if (joins > 1) /* people's blocks end in a join, or have none */
                break;
            hash = (hash ^ (uint64_t)(unsigned)part->symbol) * 1099511628211u;
            weight += part->weight;
            if (!split)
                count_run(f, list, at, n, hash, weight);
        }
    }
}

/* Whether a run is a shorter one repeated, or a single layer. */
static bool is_dull(Part *const *parts, int n)
{
    for (int p = 1; p < n; p++) {
        if (n % p == 0 && same_symbols(parts, parts + p, n - p))
            return true;
    }
    return n == 1 && !parts[0]->n_arms;
}

/* Whether `a` makes a better block than `b`. */
static bool better(const Finder *f, const Run *a, const Run *b)
{
    const int64_t saved_a = (int64_t)(a->count - 1) * a->weight;
    const int64_t saved_b = (int64_t)(b->count - 1) * b->weight;
    if (saved_a != saved_b)
        return saved_a > saved_b;
    const size_t name_a = strlen(write_prefix(f->w->arena, run_parts(f, a), a->length));
    const size_t name_b = strlen(write_prefix(f->w->arena, run_parts(f, b), b->length));
    if (name_a != name_b)
        return name_a > name_b;
    return !is_activation(run_parts(f, a)[0]) && is_activation(run_parts(f, b)[0]);
}

static const Run *best_run(const Finder *f)
{
    const Run *best = NULL;
    for (int i = 0; i < f->runs.n; i++) {
        const Run *run = f->runs.at[i];
        if (run->count < 2 || run->weight < LIGHTEST ||
            (run->count - 1) * run->weight < LEAST_SAVING ||
            is_dull(run_parts(f, run), run->length))
            continue;
        if (!best || better(f, run, best))
            best = run;
    }
    return best;
}

/* ---- blocks ---- */

Part *write_make_call(Writer *w, Block *block, Part *const *parts, int n)
{
    Buf key = buf_new(w->arena);
    Part *call = NEW(w->arena, Part);
    call->block = block;
    call->instance = block->calls.n;
    call->node = parts[n - 1]->node;
    call->weight = 2;
    for (int i = 0; i < n; i++)
        call->size += parts[i]->size;
    buf_printf(&key, "block %d", w->blocks.n);
    call->symbol = symbol_of(w, &key);
    for (int i = 0; i < n; i++)
        VEC_PUSH(w->arena, &call->inner, parts[i]);
    VEC_PUSH(w->arena, &block->calls, call);
    return call;
}

/* Puts calls in place of all occurrences. */
static void replace(Finder *f, const Run *run)
{
    Writer *w = f->w;
    const int n = run->length;
    Part *const *first = run_parts(f, run);
    Part **pattern = NEW_ARRAY(w->arena, Part *, n);
    Block *block = NEW(w->arena, Block);
    memcpy(pattern, first, (size_t)n * sizeof(Part *));
    for (int l = 0; l < f->lists.n; l++) {
        Parts *parts = f->lists.at[l].parts;
        int to = 0;
        for (int at = 0; at < parts->n; to++) {
            if (at + n <= parts->n && same_symbols(parts->at + at, pattern, n)) {
                parts->at[to] = write_make_call(w, block, parts->at + at, n);
                at += n;
            } else {
                parts->at[to] = parts->at[at++];
            }
        }
        parts->n = to;
    }
    VEC_PUSH(w->arena, &w->blocks, block);
}

void write_find_blocks(Writer *w)
{
    for (int round = 0; round < MOST_BLOCKS; round++) {
        Finder f = {.w = w, .cap = 1 << 16};
        f.buckets = NEW_ARRAY(w->arena, Run *, f.cap);
        int parts = 0;
        for (int i = 0; i < w->shape.chains.n; i++)
            list_parts(&f, &w->shape.chains.at[i]->parts, true);
        for (int i = 0; i < f.lists.n; i++)
            parts += f.lists.at[i].parts->n;
        if (parts > MOST_PARTS)
            return;
        for (int i = 0; i < f.lists.n; i++) {
            if (f.lists.at[i].counts)
                count_list(&f, i);
        }
        const Run *run = best_run(&f);
        if (!run)
            return;
        replace(&f, run);
        for (int i = 0; i < w->shape.chains.n; i++)
            list_symbols(w, &w->shape.chains.at[i]->parts); /* those of joins have changed */
    }
}
