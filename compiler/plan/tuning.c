/* tuning.c: rows of a tuning file: which is a node's, what it sets, its text. */
#include "plan/tuning.h"

#include "plan/plan_parts.h"

#include <string.h>

const TuningLimit tuning_limits[KNOB_COUNT] = {
#define KNOB(name, least, most, doc) [KNOB_##name] = {least, most},
#include "kernels/shapes.def"
};
_Static_assert(sizeof(rnc_knobs) == KNOB_COUNT * sizeof(int),
               "a set of knobs is nothing but its knobs");

int *tuning_knob(rnc_knobs *knobs, int k)
{
    return (int *)(void *)((char *)knobs + shape_rows[FAMILY_knobs].fields[k].offset);
}

TuningKey tuning_key(const Node *node)
{
    const Attrs *a = &node->attrs;
    const Type in = node->in[0]->type, out = node->type;
    TuningKey key = {.op = node->op,
                     .kernel = {1, 1},
                     .stride = {1, 1},
                     .dilation = {1, 1},
                     .groups = 1,
                     .in = {in.c, in.h, in.w},
                     .out = {out.c, out.h, out.w},
                     .images = out.n,
                     .residual = node->n_in > 1};
    if (node->op == OP_CONV) {
        memcpy(key.kernel, a->kernel, sizeof key.kernel);
        memcpy(key.stride, a->stride, sizeof key.stride);
        memcpy(key.dilation, a->dilation, sizeof key.dilation);
        key.groups = a->groups;
    }
    return key;
}

static bool same(const int *a, const int *b, int n)
{
    return memcmp(a, b, (size_t)n * sizeof *a) == 0;
}

bool tuning_key_eq(const TuningKey *a, const TuningKey *b)
{
    return a->op == b->op && same(a->kernel, b->kernel, 2) && same(a->stride, b->stride, 2) &&
           same(a->dilation, b->dilation, 2) && a->groups == b->groups && same(a->in, b->in, 3) &&
           same(a->out, b->out, 3) && a->images == b->images && a->residual == b->residual;
}

const TuningRow *tuning_row(const Tuning *tuning, const Node *node)
{
    if (!tuning || !is_conv(node->op))
        return NULL;
    const TuningKey key = tuning_key(node);
    for (int i = 0; i < tuning->rows.n; i++) {
        if (tuning_key_eq(&tuning->rows.at[i].key, &key))
            return &tuning->rows.at[i];
    }
    return NULL;
}

void tuning_apply(const TuningRow *row, Isa isa, rnc_knobs *knobs)
{
    for (int k = 0; row && k < KNOB_COUNT; k++) {
        if (row->set[isa] >> k & 1)
            *tuning_knob(knobs, k) = *tuning_knob((rnc_knobs *)&row->knobs[isa], k);
    }
}

int tuning_used(const Tuning *tuning, const Net *net)
{
    int used = 0;
    for (int i = 0; i < tuning->rows.n; i++) {
        bool found = false;
        for (int k = 0; k < net->nodes.n && !found; k++) {
            if (is_conv(net->nodes.at[k]->op)) {
                const TuningKey key = tuning_key(net->nodes.at[k]);
                found = tuning_key_eq(&tuning->rows.at[i].key, &key);
            }
        }
        used += found;
    }
    return used;
}

/* ---- text ---- */

/* " stride 2", " stride 2x1" */
static void print_pair(Buf *out, const char *word, const int *pair)
{
    buf_printf(out, " %s %d", word, pair[0]);
    if (pair[0] != pair[1])
        buf_printf(out, "x%d", pair[1]);
}

void tuning_print_key(Buf *out, const TuningKey *key)
{
    if (key->op == OP_DENSE) {
        buf_printf(out, "dense %d -> %d", key->in[0], key->out[0]);
    } else {
        buf_printf(out, "conv %dx%d", key->kernel[0], key->kernel[1]);
        print_pair(out, "stride", key->stride);
        if (key->dilation[0] != 1 || key->dilation[1] != 1)
            print_pair(out, "dilation", key->dilation);
        buf_printf(out, " groups %d %dx%dx%d -> %dx%dx%d", key->groups, key->in[0], key->in[1],
                   key->in[2], key->out[0], key->out[1], key->out[2]);
    }
    buf_printf(out, " images %d%s", key->images, key->residual ? " residual" : "");
}

static void print_knobs(Buf *out, const TuningRow *row, Isa isa)
{
    const char *comma = "";
    rnc_knobs knobs = row->knobs[isa];
    buf_printf(out, "  %s: ", isa_rows[isa].name);
    for (int k = 0; k < KNOB_COUNT; k++) {
        if (!(row->set[isa] >> k & 1))
            continue;
        buf_printf(out, "%s%s %d", comma, shape_rows[FAMILY_knobs].fields[k].name,
                   *tuning_knob(&knobs, k));
        comma = ", ";
    }
    buf_putc(out, '\n');
}

void tuning_print(Buf *out, const Tuning *tuning)
{
    buf_puts(out, "rnc tuning 1\n");
    if (tuning->comment)
        buf_printf(out, "# %s\n", tuning->comment);
    for (int i = 0; i < tuning->rows.n; i++) {
        const TuningRow *row = &tuning->rows.at[i];
        tuning_print_key(out, &row->key);
        buf_printf(out, ": %s%s%s\n", row->method, row->comment ? " # " : "",
                   row->comment ? row->comment : "");
        for (int isa = 0; isa < ISA_COUNT; isa++) {
            if (row->set[isa])
                print_knobs(out, row, (Isa)isa);
        }
    }
}
