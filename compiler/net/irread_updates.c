/* irread_updates.c: the updates of a network's text form. */
#include "net/irread_parts.h"

Param *irread_param(const Reader *r, const char *name)
{
    const NameEntry *entry = table_find(&r->params, name);
    for (int i = 0; entry && i < P_ROLES; i++) {
        Param *param = entry->node->params[i];
        if (param && str_eq(param->name, name))
            return param;
    }
    return NULL;
}

static bool check_update(Reader *r, const Update *update, Loc loc)
{
    const Param *param = update->param;
    const bool statistic = param->role == P_MEAN || param->role == P_VARIANCE;
    const Type t = param_type(param);
    if (statistic != (update->kind == UPDATE_STATISTIC)) {
        diag_error(r->diag, loc, "'%s' is a %s: 'update %s' fits it", param->name,
                   statistic ? "running statistic" : "trained parameter",
                   statistic ? "statistic" : "gradient");
        return false;
    }
    if (!type_eq(update->node->type, t)) {
        diag_error(r->diag, loc, "'%s' does not have the type for '%s', f32 nchw[%d][%d][%d][%d]",
                   update->node->name, param->name, t.n, t.c, t.h, t.w);
        return false;
    }
    if (statistic && update->rate == 0)
        return irlex_fail(r->lex, loc,
                          "the update of a statistic needs its rate, such as rate=0.1");
    for (int i = 0; !statistic && i < r->net->updates.n; i++) {
        if (r->net->updates.at[i].param == param)
            return irlex_fail(r->lex, loc, "the parameter has a gradient already");
    }
    return true;
}

static bool read_setting(Reader *r, Update *update)
{
    const bool rate = irlex_is_word(r->lex, "rate");
    if (!rate && !irlex_is_word(r->lex, "scale"))
        return irlex_unexpected(r->lex, "rate, scale or the end of the line");
    irlex_advance(r->lex);
    return irlex_expect(r->lex, '=', "'='") &&
           irlex_real(r->lex, rate ? 1e-9 : 1, rate ? 1 : 2, rate ? &update->rate : &update->scale);
}

/* update statistic bn1.running_var = bn1.variance rate=0.1 scale=1.004 */
bool irread_update(Reader *r, Loc loc)
{
    static const char *const kinds[] = {"gradient", "statistic", NULL};
    Update update = {.scale = 1};
    const int kind = irread_list_params(r) ? irlex_word(r->lex, kinds) : -1;
    if (kind < 0)
        return false;
    update.kind = (UpdateKind)kind;
    Loc name_loc = r->lex->token.loc;
    const char *name = irlex_name(r->lex, "the name of a parameter");
    if (!name)
        return false;
    update.param = irread_param(r, name);
    if (!update.param) {
        diag_error(r->diag, name_loc, "there is no parameter '%s' above", name);
        return false;
    }
    if (!irlex_expect(r->lex, '=', "'='"))
        return false;
    name_loc = r->lex->token.loc;
    name = irlex_name(r->lex, "the name of a node");
    if (!name || irread_is_broken(r, name))
        return false;
    update.node = irread_node(r, name);
    if (!update.node) {
        irread_unknown(r, name_loc, name);
        return false;
    }
    while (update.kind == UPDATE_STATISTIC && !irlex_is(r->lex, TOKEN_NEWLINE) &&
           !irlex_is(r->lex, TOKEN_END)) {
        if (!read_setting(r, &update))
            return false;
    }
    loc.end = r->lex->token.loc.begin;
    if (!check_update(r, &update, loc))
        return false;
    VEC_PUSH(r->net->arena, &r->net->updates, update);
    return true;
}
