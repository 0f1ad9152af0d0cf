/* write.c: a network as a .net file, checked by lowering it again. */
#include "import/write_parts.h"
#include "lang/format.h"
#include "net/nametable.h"

#include <string.h>

/* What rnc makes itself has no words. */
static bool can_be_said(const Net *net, const char *path, Diag *d)
{
    for (int i = 0; i < net->nodes.n; i++) {
        const Node *node = net->nodes.at[i];
        const bool internal = op_row(node->op)->flags & INTERNAL;
        if (node->act == ACT_NONE && node->absorbed.n == 0 &&
            (!internal || node->op == OP_INPUT || node->op == OP_CAST))
            continue;
        diag_file_error(d, path,
                        "'%s' is '%s' as a pass made it, for which the language has no words",
                        node->name, op_row(node->op)->name);
        diag_file_note(d, path, "a network is written as it is before the passes");
        return false;
    }
    return true;
}

static void write_head(Buf *out, const Imported *from)
{
    if (from->format)
        buf_printf(out, "# Imported from %s.\n", from->format);
    for (int i = 0; i < from->remarks.n; i++)
        buf_printf(out, "# Note: %s.\n", from->remarks.at[i]);
    if (from->format || from->remarks.n)
        buf_putc(out, '\n');
}

/* Lowers the tree's text; NULL with *why if it does not say the same network. */
static Net *lowered(Written *to, const Imported *from, const Ast *ast, const Node *const *order,
                    const char *path, SrcMap *src, const char **why)
{
    const LowerOptions none = {0};
    Diag quiet = diag_new(src, src->arena);
    Buf rough = buf_new(src->arena);
    to->text = buf_new(src->arena);
    write_head(&rough, from);
    ast_print(&rough, ast);
    if (!format_file(&to->text, src->arena, src_add(src, path, buf_text(&rough), rough.n),
                     &quiet)) {
        *why = buf_text(&quiet.out);
        return NULL;
    }
    to->file = src_add(src, path, buf_text(&to->text), to->text.n);
    Net *net = lower_file(src->arena, src, to->file, &none, &quiet);
    if (!net)
        *why = buf_text(&quiet.out);
    return net && write_same(net, from->net, order, why) ? net : NULL;
}

/* Gives each parameter the values of the one that it was written for. */
static void take_values(Net *net, const Node *const *order)
{
    for (int i = 0; i < net->params.n; i++) {
        Param *param = net->params.at[i];
        const Param *from = order[param->first]->params[param->role];
        param->elem = from->elem;
        param->data = from->data;
    }
}

bool write_net(Written *to, const Imported *from, const char *path, SrcMap *src, Diag *d)
{
    const char *why = "";
    if (!can_be_said(from->net, path, d))
        return false;
    const Node **order = NEW_ARRAY(src->arena, const Node *, from->net->nodes.n + 1);
    to->net = NULL;
    for (int plain = 0; !to->net && plain < 3; plain++) {
        const Ast *ast = plain < 2 ? write_tree(from, plain, src->arena, order)
                                   : write_flat(from, src->arena, order);
        to->plain = plain;
        if (ast)
            to->net = lowered(to, from, ast, order, path, src, &why);
    }
    if (!to->net) {
        diag_internal(d, "what was written for the network is not the same: %s", why);
        return false;
    }
    take_values(to->net, order);
    return true;
}

Net *written_lower(const Written *written, const LowerOptions *options, SrcMap *src, Diag *d)
{
    Net *net = lower_file(src->arena, src, written->file, options, d);
    NameTable names = {.arena = src->arena};
    for (int i = 0; i < written->net->params.n; i++)
        table_add(&names, written->net->params.at[i]->name, NO_LOC)->number = i;
    for (int i = 0; net && i < net->params.n; i++) {
        Param *param = net->params.at[i];
        const NameEntry *entry = table_find(&names, param->name);
        const Param *from = entry ? written->net->params.at[entry->number] : NULL;
        if (from && param_same_dims(from, param)) {
            param->elem = from->elem;
            param->data = from->data;
        }
    }
    return net;
}
