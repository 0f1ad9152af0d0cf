/* irread_ports.c: the ports of a network's text form. */
#include "net/irread_parts.h"

#include <float.h>
#include <math.h>

static bool read_labels(Reader *r, Port *port)
{
    VEC(const char *) labels = {0};
    if (!irlex_is(r->lex, '('))
        return irlex_unexpected(r->lex, "'('");
    do {
        irlex_advance(r->lex);
        if (!irlex_is(r->lex, TOKEN_STRING))
            return irlex_unexpected(r->lex, "a class name in quotes");
        VEC_PUSH(r->net->arena, &labels, r->lex->token.text);
        irlex_advance(r->lex);
    } while (irlex_is(r->lex, ','));
    port->labels = labels.at;
    port->n_labels = labels.n;
    return irlex_expect(r->lex, ')', "',' or ')'");
}

static bool check_port(Reader *r, const Port *port, Loc loc, bool in)
{
    if (in && port->node->op != OP_INPUT)
        return irlex_fail(r->lex, loc, "an input port needs an input node");
    if (port->elem != (in ? port->node->type.elem : ELEM_F32))
        return irlex_fail(r->lex, loc,
                          in ? "the port's element type is not its node's"
                             : "an output port is f32");
    const bool said = port->range.given || port->range.nan || port->range.inf;
    if (said && (!in || port->elem != ELEM_F32))
        return irlex_fail(r->lex, loc, "only inputs of type f32 have a range and special values");
    if (port->n_labels && port->n_labels != port->node->type.c) {
        diag_error(r->diag, loc, "%d class names for %d channels", port->n_labels,
                   port->node->type.c);
        return false;
    }
    if (r->net->inputs.n + r->net->outputs.n == MOST_PORTS)
        return irlex_fail(r->lex, loc, "a network has at most 4096 inputs and outputs");
    for (int i = 0; i < r->net->inputs.n; i++) {
        if (str_eq(r->net->inputs.at[i].name, port->name) ||
            (in && r->net->inputs.at[i].node == port->node))
            return irlex_fail(r->lex, loc, "there is such a port already");
    }
    for (int i = 0; i < r->net->outputs.n; i++) {
        if (str_eq(r->net->outputs.at[i].name, port->name))
            return irlex_fail(r->lex, loc, "there is such a port already");
    }
    return true;
}

/* range=(0, 1000), or range=any */
static bool read_range(Reader *r, Range *range)
{
    range->given = true;
    range->typical = 1;
    if (irlex_is_word(r->lex, "any")) {
        range->low = -INFINITY, range->high = INFINITY;
        irlex_advance(r->lex);
        return true;
    }
    const double most = (double)FLT_MAX;
    return irlex_expect(r->lex, '(', "'(' or 'any'") &&
           irlex_real(r->lex, -most, most, &range->low) && irlex_expect(r->lex, ',', "','") &&
           irlex_real(r->lex, range->low, most, &range->high) && irlex_expect(r->lex, ')', "')'");
}

/* specials=(nan, inf) */
static bool read_specials(Reader *r, Range *range)
{
    static const char *const words[] = {"nan", "inf", NULL};
    if (!irlex_is(r->lex, '('))
        return irlex_unexpected(r->lex, "'('");
    do {
        irlex_advance(r->lex);
        const int word = irlex_word(r->lex, words);
        if (word < 0)
            return false;
        range->nan = range->nan || word == 0;
        range->inf = range->inf || word == 1;
    } while (irlex_is(r->lex, ','));
    return irlex_expect(r->lex, ')', "',' or ')'");
}

/* What follows the order of a port. */
static bool read_rest(Reader *r, Port *port)
{
    static const char *const words[] = {"labels", "range", "typical", "specials", NULL};
    const Loc loc = r->lex->token.loc;
    while (irlex_is(r->lex, TOKEN_NAME)) {
        const int word = irlex_word(r->lex, words);
        if (word < 0 || !irlex_expect(r->lex, '=', "'='"))
            return false;
        if (word == 2 && !port->range.given)
            return irlex_fail(r->lex, loc, "'typical' needs a range before it");
        const bool good = word == 0   ? read_labels(r, port)
                          : word == 1 ? read_range(r, &port->range)
                          : word == 2 ? irlex_real(r->lex, DBL_MIN, DBL_MAX, &port->range.typical)
                                      : read_specials(r, &port->range);
        if (!good)
            return false;
    }
    return true;
}

/* port in image = image u8 nchw */
bool irread_port(Reader *r, Loc loc)
{
    static const char *const directions[] = {"in", "out", NULL};
    static const char *const orders[] = {"nchw", "nhwc", NULL};
    Port port = {0};
    int direction = irlex_word(r->lex, directions);
    if (direction < 0 || !(port.name = irlex_name(r->lex, "the port's name")) ||
        !irlex_expect(r->lex, '=', "'='"))
        return false;
    Loc node_loc = r->lex->token.loc;
    const char *name = irlex_name(r->lex, "the name of a node");
    if (!name || irread_is_broken(r, name))
        return false;
    port.node = irread_node(r, name);
    if (!port.node) {
        irread_unknown(r, node_loc, name);
        return false;
    }
    if (!irread_elem(r, &port.elem))
        return false;
    int order = irlex_word(r->lex, orders);
    if (order < 0)
        return false;
    port.order = (Order)order;
    if (!read_rest(r, &port))
        return false;
    loc.end = r->lex->token.loc.begin;
    if (!check_port(r, &port, loc, direction == 0))
        return false;
    Place *place = NEW(r->net->arena, Place);
    place->loc = loc;
    port.place = place;
    if (direction == 0)
        VEC_PUSH(r->net->arena, &r->net->inputs, port);
    else
        VEC_PUSH(r->net->arena, &r->net->outputs, port);
    return true;
}
