/* lower_naming.c: finds the names that weights files use for each parameter, by the net's naming
 * or that of --names, and by the other namings, which are tried if that one does not fit.
 */
#include "lang/lower_parts.h"
#include "lang/naming.h"

static const char automatic[] = "auto";

static bool is_automatic(const Lower *l)
{
    return l->options->naming && str_eq(l->options->naming, automatic);
}

static const Decl *chosen(Lower *l)
{
    const char *option = is_automatic(l) ? NULL : l->options->naming;
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

/* Names for all parameters, by id of Net.params.  If two would get the same tensor, the later one
 * is `twice` and the other is `first`. */
typedef struct ParamNames {
    const char **aliases, **axes;
    const Param *first, *twice;
} ParamNames;

static void make_names(Lower *l, const Naming *naming, ParamNames *names)
{
    NameTable table = {.arena = l->arena};
    const int n = l->net->params.n;
    *names = (ParamNames){NEW_ARRAY(l->arena, const char *, n + 1),
                          NEW_ARRAY(l->arena, const char *, n + 1), NULL, NULL};
    for (int i = 0; i < n && !names->twice; i++) {
        const Param *param = l->net->params.at[i];
        const Node *node = l->net->nodes.at[param->first];
        const char *alias = naming_param(naming, node->op, param->role, node->name, node->type.c,
                                         &names->axes[i], l->arena);
        names->aliases[i] = alias;
        if (table_add(&table, alias, node->place->loc))
            continue;
        names->twice = param;
        for (int k = 0; k < i && !names->first; k++) {
            if (str_eq(names->aliases[k], alias))
                names->first = l->net->params.at[k];
        }
    }
}

static void name_by(Lower *l, const Decl *decl, const Naming *naming)
{
    ParamNames names;
    make_names(l, naming, &names);
    if (names.twice) {
        const char *alias = names.aliases[names.twice->id];
        if (lower_error(l, decl->name.loc, "the naming '%s' calls two parameters '%s'",
                        decl->name.text, alias)) {
            diag_note(l->d, names.first->place->loc, "one is '%s'", names.first->name);
            diag_note(l->d, names.twice->place->loc, "the other is '%s'", names.twice->name);
            diag_note(l->d, names.twice->place->loc,
                      "if both layers are to have the same parameters, give the first call a label "
                      "and write `again LABEL` for the second");
        }
        return;
    }
    for (int i = 0; i < l->net->params.n; i++) {
        l->net->params.at[i]->alias = names.aliases[i];
        l->net->params.at[i]->axes = names.axes[i];
    }
}

/* Adds a naming that the net did not choose.  Errors in it are not reported. */
static void add_other(Lower *l, const Decl *decl)
{
    Diag quiet = diag_new(l->src, l->arena);
    NetNaming other = {.name = decl->name.text};
    Naming naming;
    ParamNames names = {0};
    if (!naming_make(&naming, decl, &l->namings, l->arena, &quiet)) {
        other.why_not = "its rows have errors";
    } else {
        make_names(l, &naming, &names);
        if (names.twice)
            other.why_not = arena_printf(l->arena, "it calls two parameters '%s'",
                                         names.aliases[names.twice->id]);
    }
    other.aliases = names.aliases;
    other.axes = names.axes;
    VEC_PUSH(l->arena, &l->net->namings, other);
}

void name_parameters(Lower *l)
{
    const int errors = l->d->errors;
    const Decl *decl = chosen(l);
    Naming naming;
    if (decl && naming_make(&naming, decl, &l->namings, l->arena, l->d))
        name_by(l, decl, &naming);
    if (l->d->errors > errors || (l->options->naming && !is_automatic(l)))
        return;
    if (is_automatic(l)) {
        l->net->every_naming = true;
        read_shipped_namings(l);
    }
    for (int i = 0; i < l->namings.n; i++) {
        if (l->namings.at[i] != decl)
            add_other(l, l->namings.at[i]);
    }
}
