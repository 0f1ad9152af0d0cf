/* irread.c: reads back what irtext.c prints; that file shows the form.
 *
 * A text may leave out the type of a node and its parameters: they follow from the shape rules,
 * and must agree with these where they are given.  A line with an error is skipped and its node is
 * remembered as broken, so that one error is not reported again at every use.
 */
#include "net/irread_parts.h"

#include "net/axes.h"
#include "net/infer.h"

/* ---- nodes ---- */

/* What a node's line says, before the node is made. */
typedef struct Line {
    VEC(const char *) names; /* of its results */
    Op op;
    VEC(Node *) in;
    bool broken_operand;
    Attrs attrs;
    bool *given; /* [op_row(op)->n_attrs] */
    Act act;
    double act_alpha, act_beta;
    VEC(const char *) absorbed;
    int origin;
    VEC(Type) types;
    Loc loc, type_loc; /* places of the whole line and of the types in it */
} Line;

Node *irread_node(const Reader *r, const char *name)
{
    const NameEntry *entry = table_find(&r->names, name);
    return entry && entry->node ? r->net->nodes.at[entry->node->id] : NULL;
}

bool irread_is_broken(const Reader *r, const char *name)
{
    const NameEntry *entry = table_find(&r->names, name);
    return entry && !entry->node;
}

void irread_unknown(Reader *r, Loc loc, const char *name)
{
    if (r->diag->full) /* no message is printed any more, and finding the nearest name takes time */
        return;
    const char **names = NEW_ARRAY(r->net->arena, const char *, r->net->nodes.n);
    for (int i = 0; i < r->net->nodes.n; i++)
        names[i] = r->net->nodes.at[i]->name;
    const char *nearest = str_nearest(name, names, r->net->nodes.n);
    diag_error(r->diag, loc, "there is no node '%s' above", name);
    if (nearest)
        diag_note(r->diag, loc, "did you mean '%s'?", nearest);
}

static bool read_operands(Reader *r, Line *line)
{
    if (!irlex_is(r->lex, '('))
        return true;
    do {
        irlex_advance(r->lex);
        Loc loc = r->lex->token.loc;
        const char *name = irlex_name(r->lex, "the name of a node");
        Node *node = name ? irread_node(r, name) : NULL;
        if (!name)
            return false;
        if (line->in.n == MOST_OPERANDS)
            return irlex_fail(r->lex, loc, "a node has at most 1024 operands");
        if (node)
            VEC_PUSH(r->net->arena, &line->in, node);
        else if (irread_is_broken(r, name))
            line->broken_operand = true;
        else {
            irread_unknown(r, loc, name);
            return false;
        }
    } while (irlex_is(r->lex, ','));
    return irlex_expect(r->lex, ')', "',' or ')'");
}

static bool read_absorbed(Reader *r, Line *line)
{
    if (!irlex_is(r->lex, '('))
        return irlex_unexpected(r->lex, "'('");
    do {
        irlex_advance(r->lex);
        const char *name = irlex_name(r->lex, "the name of an absorbed node");
        if (!name)
            return false;
        VEC_PUSH(r->net->arena, &line->absorbed, name);
    } while (irlex_is(r->lex, ','));
    return irlex_expect(r->lex, ')', "',' or ')'");
}

static bool read_act(Reader *r, Line *line)
{
    line->act = irlex_is(r->lex, TOKEN_NAME) ? act_of(op_named(r->lex->token.text)) : ACT_NONE;
    if (line->act == ACT_NONE)
        return irlex_unexpected(r->lex, "an activation");
    if (!op_fuses(line->op, line->act)) {
        diag_error(r->diag, r->lex->token.loc, "'%s' cannot apply an activation to its result",
                   op_row(line->op)->name);
        return false;
    }
    irlex_advance(r->lex);
    return true;
}

static bool unknown_attr(Reader *r, const Line *line, Loc loc, const char *word)
{
    const OpRow *row = op_row(line->op);
    const char **words = NEW_ARRAY(r->net->arena, const char *, row->n_attrs);
    for (int i = 0; i < row->n_attrs; i++)
        words[i] = row->attrs[i].word;
    const char *nearest = str_nearest(word, words, row->n_attrs);
    diag_error(r->diag, loc, "'%s' has no attribute '%s'", row->name, word);
    if (nearest)
        diag_note(r->diag, loc, "did you mean '%s'?", nearest);
    return false;
}

static bool read_setting(Reader *r, Line *line)
{
    Loc loc = r->lex->token.loc;
    const char *word = irlex_name(r->lex, "an attribute, ':' or the end of the line");
    if (!word || !irlex_expect(r->lex, '=', "'='"))
        return false;
    const AttrRow *row = op_attr(line->op, word);
    if (row) {
        line->given[row - op_row(line->op)->attrs] = true;
        return irlex_attr(r->lex, row, (char *)&line->attrs + row->offset);
    }
    if (str_eq(word, "act"))
        return read_act(r, line);
    if (str_eq(word, "act_alpha") || str_eq(word, "act_beta"))
        return irlex_real(r->lex, -INFINITY, INFINITY,
                          word[4] == 'a' ? &line->act_alpha : &line->act_beta);
    if (str_eq(word, "absorbed"))
        return read_absorbed(r, line);
    if (str_eq(word, "origin"))
        return irlex_int(r->lex, -1, 2147483646, &line->origin);
    return unknown_attr(r, line, loc, word);
}

bool irread_elem(Reader *r, Elem *elem)
{
    for (int e = 0; e < ELEM_COUNT; e++) {
        if (irlex_is_word(r->lex, elem_name((Elem)e))) {
            *elem = (Elem)e;
            irlex_advance(r->lex);
            return true;
        }
    }
    return irlex_unexpected(r->lex, "an element type, such as f32 or u8");
}

/* ELEM nchw[n][c][h][w].  Older texts, in which types name no order, have [n][h][w][c]. */
static bool read_type(Reader *r, const Line *line, Type *type)
{
    int dims[4];
    if (!irread_elem(r, &type->elem))
        return false;
    const bool old = irlex_is(r->lex, '[');
    if (!old && !irlex_is_word(r->lex, "nchw"))
        return irlex_unexpected(r->lex, "'nchw', the order of the extents");
    if (!old)
        irlex_advance(r->lex);
    const int n = irlex_dims(r->lex, dims, 4);
    if (n != 4)
        return n >= 0 &&
               irlex_fail(r->lex, line->type_loc,
                          old ? "a type has four extents: batch, height, width, channels"
                              : "a type has four extents: batch, channels, height, width");
    *type = old ? (Type){type->elem, dims[0], dims[1], dims[2], dims[3]}
                : (Type){type->elem, dims[0], dims[2], dims[3], dims[1]};
    return true;
}

static bool read_types(Reader *r, Line *line)
{
    line->type_loc = r->lex->token.loc;
    do {
        Type type;
        irlex_advance(r->lex); /* ':' or ',' */
        if (line->types.n == 0)
            line->type_loc = r->lex->token.loc;
        if (!read_type(r, line, &type))
            return false;
        VEC_PUSH(r->net->arena, &line->types, type);
    } while (irlex_is(r->lex, ','));
    if (line->types.n == line->names.n)
        return true;
    diag_error(r->diag, line->type_loc, "there are %d types for %d results", line->types.n,
               line->names.n);
    return false;
}

/* False after a message about an attribute that has no default and was not given. */
static bool all_given(Reader *r, const Line *line)
{
    const OpRow *row = op_row(line->op);
    for (int i = 0; i < row->n_attrs; i++) {
        if (row->attrs[i].def || line->given[i])
            continue;
        diag_error(r->diag, line->loc, "'%s' needs its '%s'", row->name, row->attrs[i].word);
        diag_note(r->diag, line->loc, "that is: %s", row->attrs[i].doc);
        return false;
    }
    return true;
}

/* Reads everything after "NAME =". */
static bool read_line(Reader *r, Line *line)
{
    if (!irlex_is(r->lex, TOKEN_NAME) || op_named(r->lex->token.text) == OP_COUNT)
        return irlex_unexpected(r->lex, "an operator");
    line->op = op_named(r->lex->token.text);
    line->attrs = ir_default_attrs(line->op);
    line->given = NEW_ARRAY(r->net->arena, bool, op_row(line->op)->n_attrs + 1);
    irlex_advance(r->lex);
    if (!read_operands(r, line))
        return false;
    while (!irlex_is(r->lex, ':') && !irlex_is(r->lex, TOKEN_NEWLINE) &&
           !irlex_is(r->lex, TOKEN_END)) {
        if (!read_setting(r, line))
            return false;
    }
    line->loc.end = r->lex->token.loc.begin;
    if (!all_given(r, line))
        return false;
    const int results = op_results(line->op, &line->attrs);
    if (results != line->names.n) {
        diag_error(r->diag, line->loc, "'%s' has %d result%s, not %d", op_row(line->op)->name,
                   results, results > 1 ? "s" : "", line->names.n);
        return false;
    }
    return !irlex_is(r->lex, ':') || read_types(r, line);
}

static bool give_type(Reader *r, const Line *line, Node *node)
{
    const int which = node->attrs.result;
    if (line->op == OP_INPUT && line->types.n == 0)
        return irlex_fail(r->lex, line->loc,
                          "an input needs a type, such as ': f32 nchw[1][3][224][224]'");
    if (line->types.n)
        node->type = line->types.at[which];
    if (!infer_node(node, r->diag))
        return false;
    Type t = node->type;
    if (line->types.n == 0 || type_eq(t, line->types.at[which]))
        return true;
    diag_error(r->diag, line->type_loc, "the type of '%s' follows as %s nchw[%d][%d][%d][%d]",
               node->name, elem_name(t.elem), t.n, t.c, t.h, t.w);
    return false;
}

/* Adds the node of one of the line's results. */
static bool add_result(Reader *r, const Line *line, int which, const Place *place)
{
    Arena *arena = r->net->arena;
    Attrs attrs = line->attrs;
    attrs.result = which;
    Node *node =
        ir_node(arena, line->op, line->in.at, line->in.n, &attrs, line->names.at[which], place);
    node->act = which ? ACT_NONE : line->act; /* further results are as they were before it */
    node->act_alpha = which ? 0 : line->act_alpha;
    node->act_beta = which ? 0 : line->act_beta;
    node->origin = line->origin < 0 ? line->origin : line->origin + which;
    for (int i = 0; i < line->absorbed.n && which == 0; i++)
        VEC_PUSH(arena, &node->absorbed, line->absorbed.at[i]);
    if (!give_type(r, line, node))
        return false;
    ir_give_slopes(arena, node);
    node->id = r->net->nodes.n;
    VEC_PUSH(arena, &r->net->nodes, node);
    table_add(&r->names, node->name, place->loc);
    table_find(&r->names, node->name)->node = node;
    return true;
}

/* Reads a node from after the names of its results on. */
static bool read_node(Reader *r, Line *line)
{
    line->origin = r->net->nodes.n;
    for (int i = 0; i < line->names.n; i++) {
        bool twice = irread_node(r, line->names.at[i]) != NULL;
        for (int k = 0; k < i; k++)
            twice = twice || str_eq(line->names.at[k], line->names.at[i]);
        if (twice) {
            diag_error(r->diag, line->loc, "there are two nodes '%s'", line->names.at[i]);
            return false;
        }
    }
    if (!read_line(r, line) || line->broken_operand)
        return false;
    Place *place = NEW(r->net->arena, Place);
    place->loc = line->loc;
    for (int i = 0; i < line->names.n; i++) {
        if (!add_result(r, line, i, place))
            return false;
    }
    r->last = r->net->nodes.at[r->net->nodes.n - line->names.n];
    return true;
}

/* Reads the order of axes after a name, if there is one. */
static bool read_axes(Reader *r, Param *param)
{
    const int rank = axes_rank(r->last->op, param->role);
    if (!irlex_is(r->lex, TOKEN_NAME))
        return true;
    if (rank == 0 || !axes_valid(r->lex->token.text, r->last->op))
        return irlex_unexpected(r->lex, rank ? "an order of axes, hwio or io" : "the next line");
    param->axes = r->lex->token.text;
    irlex_advance(r->lex);
    return true;
}

bool irread_list_params(Reader *r)
{
    bool good = true;
    for (int i = 0; r->last && i < P_ROLES; i++) {
        Param *param = r->last->params[i];
        if (!param)
            continue;
        NameEntry *entry = table_add(&r->params, param->name, r->last->place->loc);
        /* The other results of its operator, which come last, have the same parameters. */
        for (int k = r->last->id + 1; k < r->net->nodes.n; k++)
            r->net->nodes.at[k]->params[i] = param;
        if (entry) {
            entry->node = r->last;
        } else if (irread_param(r, param->name) != param) {
            diag_error(r->diag, r->last->place->loc, "there are two parameters '%s'", param->name);
            good = false;
        }
    }
    r->last = NULL;
    return good;
}

/* Reads "is conv1.weight": that parameter of a node above, or else the name of this one. */
static bool read_identity(Reader *r, Param **param, Loc loc)
{
    const char *name = irlex_name(r->lex, "the name of a parameter");
    if (!name)
        return false;
    Param *shared = irread_param(r, name);
    if (!shared) {
        (*param)->name = (*param)->alias = name;
        return true;
    }
    if (shared->role == (*param)->role && param_same_dims(shared, *param)) {
        *param = shared;
        return true;
    }
    diag_error(r->diag, loc, "'%s' of '%s' cannot be '%s', which has another role or other dims",
               role_name(r->last, (*param)->role), r->last->name, name);
    return false;
}

/* weight [64][3][7][7] is tower.conv1.weight "conv1.kernel" hwio */
static bool read_param(Reader *r, const char *role, Loc loc)
{
    Param *param = NULL;
    int dims[4];
    for (int i = 0; r->last && i < P_ROLES; i++) {
        if (r->last->params[i] && str_eq(role_name(r->last, (Role)i), role))
            param = r->last->params[i];
    }
    if (!param) {
        diag_error(r->diag, loc,
                   "'%s' begins neither a node ('NAME = ...'), nor a port, nor a "
                   "parameter of the node above",
                   role);
        return false;
    }
    int n = irlex_dims(r->lex, dims, 4);
    if (n < 0)
        return false;
    bool same = n == param->rank;
    for (int i = 0; same && i < n; i++)
        same = dims[i] == param->dims[i];
    if (!same) {
        diag_error(r->diag, loc, "'%s' does not have the dims that follow from its node", role);
        return false;
    }
    if (irlex_is_word(r->lex, "is")) {
        irlex_advance(r->lex);
        Param **at = &r->last->params[param->role], *own = param;
        if (!read_identity(r, at, loc))
            return false;
        if (*at != own)
            return true;
    }
    if (irlex_is(r->lex, TOKEN_STRING)) {
        param->alias = r->lex->token.text;
        irlex_advance(r->lex);
        return read_axes(r, param);
    }
    return true;
}

/* ---- the net ---- */

static bool read_net_line(Reader *r)
{
    const char *name = irlex_name(r->lex, "the network's name");
    if (!name)
        return false;
    r->net->name = name;
    if (!irlex_is_word(r->lex, "original"))
        return true;
    irlex_advance(r->lex);
    return irlex_expect(r->lex, '=', "'='") && irlex_int(r->lex, 0, 2147483647, &r->original);
}

/* ---- the text ---- */

static bool read_statement(Reader *r)
{
    Line line = {.loc = r->lex->token.loc};
    const char *name = irlex_name(r->lex, "the name of a node, or 'port'");
    if (!name)
        return false;
    if (!irlex_is(r->lex, '=') && !irlex_is(r->lex, ','))
        return str_eq(name, "port")     ? irread_port(r, line.loc)
               : str_eq(name, "update") ? irread_update(r, line.loc)
                                        : read_param(r, name, line.loc);
    VEC_PUSH(r->net->arena, &line.names, name);
    while (irlex_is(r->lex, ',')) {
        irlex_advance(r->lex);
        name = irlex_name(r->lex, "the name of a node");
        if (!name)
            return false;
        VEC_PUSH(r->net->arena, &line.names, name);
    }
    const bool listed = irread_list_params(r);
    const bool good = irlex_expect(r->lex, '=', "'='") && read_node(r, &line) && listed;
    for (int i = 0; i < line.names.n; i++)
        table_add(&r->names, line.names.at[i], line.loc); /* broken, if it is new */
    return good;
}

/* Reads the end of a statement's line, or what is left of the line after an error. */
static void read_rest(Reader *r)
{
    while (!irlex_is(r->lex, TOKEN_END)) {
        if (!irlex_is(r->lex, TOKEN_NEWLINE) && read_statement(r) && !irlex_is(r->lex, TOKEN_END))
            irlex_expect(r->lex, TOKEN_NEWLINE, "the end of the line");
        irlex_skip_line(r->lex);
    }
}

/* Checks what no single line can show. */
static void check_whole(Reader *r, Loc loc)
{
    Net *net = r->net;
    ir_renumber(net);
    for (int i = 0; i < net->nodes.n; i++) {
        const Node *node = net->nodes.at[i];
        bool has_port = node->op != OP_INPUT;
        for (int j = 0; j < net->inputs.n; j++)
            has_port = has_port || net->inputs.at[j].node == node;
        if (!has_port)
            diag_error(r->diag, node->place->loc, "the input '%s' has no port", node->name);
        if (node->origin >= net->n_original)
            diag_error(r->diag, node->place->loc,
                       "the origin of '%s' is not below the %d nodes of the original network",
                       node->name, net->n_original);
    }
    if (net->outputs.n == 0)
        irlex_fail(r->lex, loc, "the network has no output port");
}

Net *irtext_read(Arena *arena, int file, Diag *d)
{
    IrLexer lex = irlex_new(arena, file, d);
    Reader r = {.lex = &lex, .net = ir_new(arena, ""), .diag = d, .original = -1};
    r.names.arena = r.params.arena = arena;
    int errors = d->errors;
    irlex_advance(&lex);
    while (irlex_is(&lex, TOKEN_NEWLINE))
        irlex_advance(&lex);
    Loc loc = lex.token.loc;
    if (!irlex_is_word(&lex, "net")) {
        irlex_fail(&lex, loc, "expected 'net NAME'");
        return NULL;
    }
    irlex_advance(&lex);
    if (read_net_line(&r) && !irlex_is(&lex, TOKEN_END))
        irlex_expect(&lex, TOKEN_NEWLINE, "the end of the line");
    loc.end = lex.token.loc.begin;
    irlex_skip_line(&lex);
    read_rest(&r);
    irread_list_params(&r);
    r.net->n_original = r.original >= 0 ? r.original : r.net->nodes.n;
    if (d->errors == errors)
        check_whole(&r, loc);
    return d->errors == errors ? r.net : NULL;
}
