/* lower_naming.c: what the weights files call each parameter, by the net's naming
 * or the one of --names. */
#include "lang/lower_parts.h"
#include "lang/naming.h"

static const Decl *chosen(Lower *l)
{
    const char *option = l->options->naming;
    if (!option && !l->naming.text)
        return NULL;
    const char *name = option ? option : l->naming.text;
    VEC(const char *) known = {0};
    const Decl *decl = declared(l, DECL_NAMING, name);
    if (decl)
        return decl;
    for (int i = 0; i < l->namings.n; i++)
        VEC_PUSH(l->arena, &known, l->namings.at[i]->name.text);
    Loc loc = option ? NO_LOC : l->naming.loc;
    if (lower_error(l, loc, "there is no naming '%s'%s", name,
                    lower_suggestion(l, name, known.at, known.n))) {
        if (known.n)
            diag_note(l->d, loc, "the namings are %s", lower_listed(l, known.at, known.n));
        else
            diag_note(l->d, loc,
                      "`naming %s { \"layer\" -> \"its name in weights files\" }` makes one; "
                      "include \"lib/torchvision.net\" has that of torchvision",
                      name);
    }
    return NULL;
}

/* Two layers of one name would get the same weights. */
static bool claim_alias(Lower *l, NameTable *table, const Decl *decl, const Node *node,
                        const char *alias)
{
    NameEntry *entry = table_add(table, alias, node->place->loc);
    if (entry) {
        entry->node = node;
        return true;
    }
    const Node *other = table_find(table, alias)->node;
    if (lower_error(l, decl->name.loc, "the naming '%s' calls two layers '%s'", decl->name.text,
                    alias)) {
        diag_note(l->d, other->place->loc, "one is '%s'", other->name);
        diag_note(l->d, node->place->loc, "the other is '%s'", node->name);
        diag_note(l->d, node->place->loc,
                  "if both are to have the same parameters, give the first call a label and write "
                  "`again LABEL` for the second");
    }
    return false;
}

/* Those of a layer that shares them all are named already. */
static bool owns_params(const Node *node)
{
    for (int r = 0; r < P_ROLES; r++) {
        if (owns_param(node, (Role)r))
            return true;
    }
    return false;
}

void name_parameters(Lower *l)
{
    const Decl *decl = chosen(l);
    Naming naming;
    if (!decl || !naming_make(&naming, decl, l->arena, l->d))
        return;
    NameTable layers = {.arena = l->arena};
    for (int i = 0; i < l->net->nodes.n; i++) {
        const Node *node = l->net->nodes.at[i];
        if (!owns_params(node))
            continue;
        const char *layer = naming_path(&naming, node->name, node->type.c, l->arena);
        if (!claim_alias(l, &layers, decl, node, layer))
            return;
        for (int r = 0; r < P_ROLES; r++) {
            Param *param = node->params[r];
            if (owns_param(node, (Role)r))
                param->alias = arena_printf(l->arena, "%s.%s", layer,
                                            naming_role(&naming, node->op, (Role)r, &param->axes));
        }
    }
}
