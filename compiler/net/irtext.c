/* irtext.c: the network as text.
 *
 *     net tiny
 *
 *     image = input : u8 nchw[1][3][32][32]
 *     normalize1 = normalize(image) mean=(0.5) std=(0.25) : f32 nchw[1][3][32][32]
 *     conv1 = conv(normalize1) kernel=3x3 filters=16 padding=(1, 1, 1, 1) act=relu
 *             absorbed=(bn1, relu1) origin=4 : f32 nchw[1][16][32][32]  # tiny.net:7
 *         weight [16][3][3][3] "features.0.kernel" hwio
 *         bias [16]
 *
 *     port in image = image u8 nchw
 *     port in depth = depth f32 nchw range=(0, 1000) typical=2 specials=(nan, inf)
 *     port out scores = softmax1 f32 nchw labels=("cat", "dog")
 *
 * (each node on one line).  A node is a name, an operator, its operands, the attributes that are
 * not at their defaults, what passes added, and the type: element type, then batch, channels,
 * height, width.  Its parameters follow on the next lines with their dims and, where they differ,
 * the name that weights files use and the order of the axes there.  `is NAME` after the dims gives
 * a parameter a name other than the node's name with the role.  If a node above has a parameter
 * with that name, both nodes share it:
 *
 *         weight [16][3][3][3] is conv1.weight
 *
 * An operator with several results has a name and a type for each:
 *
 *     low, high = split(conv1) parts=2 : f32[1][32][32][8], f32[1][32][32][8]
 *
 * Updates stand between the nodes and the ports:
 *
 *     update gradient conv1.weight = conv1.weight.gradient
 *     update statistic bn1.running_var = bn1.variance rate=0.1 scale=1.004
 *
 * `origin` is left out where it is the node's own number.  The line `net` says original=N if
 * passes changed the number of nodes.
 */
#include "net/irtext.h"

#include "base/utf8.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Prints a string in quotes; what is not safe to show becomes \xHH, which irlex.c reads back. */
static void put_string(Buf *out, const char *s)
{
    const size_t n = strlen(s);
    buf_putc(out, '"');
    for (size_t i = 0, step; i < n; i += step) {
        const size_t safe = utf8_safe(s + i, n - i);
        step = safe ? safe : 1;
        if (s[i] == '\n')
            buf_puts(out, "\\n");
        else if (!safe)
            buf_printf(out, "\\x%02x", (unsigned)(unsigned char)s[i]);
        else if (s[i] == '"' || s[i] == '\\')
            buf_printf(out, "\\%c", s[i]);
        else
            buf_add(out, s + i, step);
    }
    buf_putc(out, '"');
}

/* Prints a name as it is if it reads back as one, else as a string. */
static void put_name(Buf *out, const char *name)
{
    static const char letters[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ_";
    size_t n = strlen(name);
    size_t good = 0;
    while (good < n && (strchr(letters, name[good]) || (good && strchr("0123456789.", name[good]))))
        good++;
    if (n > 0 && good == n)
        buf_puts(out, name);
    else
        put_string(out, name);
}

static void put_ints(Buf *out, const int *at, int n)
{
    for (int i = 0; i < n; i++)
        buf_printf(out, "%s%d", i ? ", " : "(", at[i]);
    buf_putc(out, ')');
}

static void put_reals(Buf *out, Reals reals)
{
    buf_putc(out, '(');
    for (int i = 0; i < reals.n; i++) {
        if (i)
            buf_puts(out, ", ");
        buf_real(out, reals.at[i]);
    }
    buf_putc(out, ')');
}

static void put_attr(Buf *out, const AttrRow *row, const void *at)
{
    const int *ints = at;
    buf_printf(out, " %s=", row->word);
    switch (row->kind) {
    case ATTR_INT:
        buf_printf(out, "%d", ints[0]);
        break;
    case ATTR_PAIR:
        buf_printf(out, "%dx%d", ints[0], ints[1]);
        break;
    case ATTR_PADDING:
        put_ints(out, ints, 4);
        break;
    case ATTR_REAL:
        buf_real(out, *(const double *)at);
        break;
    case ATTR_BOOL:
        buf_puts(out, *(const bool *)at ? "true" : "false");
        break;
    case ATTR_REALS:
        put_reals(out, *(const Reals *)at);
        break;
    case ATTR_WORDS:
        buf_puts(out, row->words[*(const int *)at]);
        break;
    }
}

static void put_attrs(Buf *out, const Node *node)
{
    const OpRow *row = op_row(node->op);
    Attrs defaults = ir_default_attrs(node->op);
    for (int i = 0; i < row->n_attrs; i++) {
        const AttrRow *attr = &row->attrs[i];
        const void *at = (const char *)&node->attrs + attr->offset;
        if (!attr->def || !attr_same(attr, at, (const char *)&defaults + attr->offset))
            put_attr(out, attr, at);
    }
}

/* Prints what passes added to a node. */
static void put_history(Buf *out, const Node *node)
{
    if (node->act != ACT_NONE)
        buf_printf(out, " act=%s", act_name(node->act));
    if (act_has_number(node->act, false)) {
        buf_puts(out, " act_alpha=");
        buf_real(out, node->act_alpha);
    }
    if (act_has_number(node->act, true)) {
        buf_puts(out, " act_beta=");
        buf_real(out, node->act_beta);
    }
    for (int i = 0; i < node->absorbed.n; i++) {
        buf_puts(out, i ? ", " : " absorbed=(");
        put_name(out, node->absorbed.at[i]);
    }
    if (node->absorbed.n)
        buf_putc(out, ')');
    if (node->origin != node->id)
        buf_printf(out, " origin=%d", node->origin);
}

/* Whether a parameter of the node has its default name, node.role. */
static bool has_own_name(const Node *node, const Param *param)
{
    const size_t n = strlen(node->name);
    return strncmp(param->name, node->name, n) == 0 && param->name[n] == '.' &&
           str_eq(param->name + n + 1, role_name(node, param->role));
}

static void put_params(Buf *out, const Node *node)
{
    for (int r = 0; r < P_ROLES; r++) {
        const Param *param = node->params[r];
        if (!param)
            continue;
        buf_printf(out, "    %s ", role_name(node, (Role)r));
        for (int i = 0; i < param->rank; i++)
            buf_printf(out, "[%d]", param->dims[i]);
        const bool first = owns_param(node, (Role)r);
        if (!first || !has_own_name(node, param)) {
            buf_puts(out, " is ");
            put_name(out, param->name);
        }
        if (!first) {
            buf_putc(out, '\n');
            continue;
        }
        if (!str_eq(param->alias, param->name) || param->axes) {
            buf_putc(out, ' ');
            put_string(out, param->alias);
        }
        if (param->axes)
            buf_printf(out, " %s", param->axes);
        buf_putc(out, '\n');
    }
}

static void put_type(Buf *out, Type t)
{
    buf_printf(out, "%s nchw[%d][%d][%d][%d]", elem_name(t.elem), t.n, t.c, t.h, t.w);
}

/* Prints a node and, after the first result of an operator, its other results. */
static void put_node(Buf *out, const Net *net, const Node *node, const SrcMap *src)
{
    const int results = op_results(node->op, &node->attrs);
    for (int i = 0; i < results; i++) {
        buf_puts(out, i ? ", " : "");
        put_name(out, net->nodes.at[node->id + i]->name);
    }
    buf_printf(out, " = %s", op_row(node->op)->name);
    for (int i = 0; i < node->n_in; i++) {
        buf_puts(out, i ? ", " : "(");
        put_name(out, node->in[i]->name);
    }
    if (node->n_in)
        buf_putc(out, ')');
    put_attrs(out, node);
    put_history(out, node);
    for (int i = 0; i < results; i++) {
        buf_puts(out, i ? ", " : " : ");
        put_type(out, net->nodes.at[node->id + i]->type);
    }
    int line;
    const SrcFile *file = src ? src_place(src, node->place, &line) : NULL;
    if (file)
        buf_printf(out, "  # %s:%d", file->name, line);
    buf_putc(out, '\n');
    put_params(out, node);
}

/* What is said of an input's numbers. */
static void put_range(Buf *out, const Range *range)
{
    if (range->given && !isfinite(range->low)) {
        buf_puts(out, " range=any");
    } else if (range->given) {
        buf_puts(out, " range=");
        put_reals(out, (Reals){(const double[]){range->low, range->high}, 2});
    }
    if (range->given) {
        buf_puts(out, " typical=");
        buf_real(out, range->typical);
    }
    if (range->nan || range->inf)
        buf_printf(out, " specials=(%s%s%s)", range->nan ? "nan" : "",
                   range->nan && range->inf ? ", " : "", range->inf ? "inf" : "");
}

static void put_port(Buf *out, const char *direction, const Port *port)
{
    buf_printf(out, "port %s ", direction);
    put_name(out, port->name);
    buf_puts(out, " = ");
    put_name(out, port->node->name);
    buf_printf(out, " %s %s", elem_name(port->elem), port->order == ORDER_NHWC ? "nhwc" : "nchw");
    put_range(out, &port->range);
    for (int i = 0; i < port->n_labels; i++) {
        buf_puts(out, i ? ",\n    " : " labels=(");
        put_string(out, port->labels[i]);
    }
    buf_puts(out, port->n_labels ? ")\n" : "\n");
}

static void put_update(Buf *out, const Update *update)
{
    const bool gradient = update->kind == UPDATE_GRADIENT;
    buf_printf(out, "update %s ", gradient ? "gradient" : "statistic");
    put_name(out, update->param->name);
    buf_puts(out, " = ");
    put_name(out, update->node->name);
    if (!gradient) {
        buf_puts(out, " rate=");
        buf_real(out, update->rate);
    }
    if (update->scale != 1) {
        buf_puts(out, " scale=");
        buf_real(out, update->scale);
    }
    buf_putc(out, '\n');
}

void irtext_print(Buf *out, const Net *net, const SrcMap *src)
{
    buf_puts(out, "net ");
    put_name(out, net->name);
    if (net->n_original != net->nodes.n)
        buf_printf(out, " original=%d", net->n_original);
    buf_puts(out, "\n\n");
    for (int i = 0; i < net->nodes.n; i++) {
        if (net->nodes.at[i]->attrs.result == 0)
            put_node(out, net, net->nodes.at[i], src);
    }
    buf_putc(out, '\n');
    for (int i = 0; i < net->updates.n; i++)
        put_update(out, &net->updates.at[i]);
    if (net->updates.n)
        buf_putc(out, '\n');
    for (int i = 0; i < net->inputs.n; i++)
        put_port(out, "in", &net->inputs.at[i]);
    for (int i = 0; i < net->outputs.n; i++)
        put_port(out, "out", &net->outputs.at[i]);
}
