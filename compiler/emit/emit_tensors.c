/* emit_tensors.c: the tensors that a training keeps: what they are, where they are in the state and
 * what they begin with, and the functions that set and get them. */
#include "emit/emit_parts.h"

#include "base/numbers.h"
#include "params/bind.h"
#include "plan/training.h"

#include <inttypes.h>
#include <string.h>

static const char *const role_names[] = {"PARAMETER", "STATISTIC", "FIRST",
                                         "SECOND",    "AVERAGE",   "GRADIENT"};
enum { ROLES = sizeof role_names / sizeof *role_names };

static const Tensor *kept_as(const Kept *kept, int role)
{
    const Tensor *const by_role[ROLES] = {kept->value,  kept->value,   kept->first,
                                          kept->second, kept->average, kept->gradient};
    return by_role[role];
}

static bool is_statistic_role(const Param *p)
{
    return p->role == P_MEAN || p->role == P_VARIANCE;
}

static bool is_updated(const Plan *plan, const Param *param, UpdateKind kind)
{
    for (int i = 0; i < plan->net->updates.n; i++) {
        if (plan->net->updates.at[i].param == param && plan->net->updates.at[i].kind == kind)
            return true;
    }
    return false;
}

/* How many pieces of the state a role has; those of parameters and statistics are counted as one.
 */
static int count_role(const Plan *plan, int role)
{
    int n = 0;
    for (int i = 0; i < plan->net->params.n; i++)
        n += kept_as(&plan->training->kept[i], role) != NULL;
    return n;
}

/* ---- the list ---- */

static const char *const value_names[] = {"CONSTANT", "UNIFORM", "NORMAL", "TRUNCATED"};

static InitDraw draw_of(const Plan *plan, int param)
{
    const Param *p = plan->net->params.at[param];
    const InitKind kind = plan->net->train ? plan->net->train->init : INIT_NONE;
    return init_draw(p, plan->net->nodes.at[p->first],
                     (InitSpec){kind == INIT_NONE ? INIT_HE_NORMAL : kind, (uint64_t)param});
}

/* Whether it is n equal numbers, whatever the seed. */
static bool is_vector(const Param *p, const InitDraw *d)
{
    return p->rank == 1 && d->values == 0 && d->seed == 0 && d->own == 0 && d->block == 0;
}

static uint64_t place_of(const Plan *plan, int param)
{
    return (uint64_t)plan->training->kept[param].value->state->offset;
}

static bool has_averages(const Plan *plan)
{
    return count_role(plan, 4) > 0;
}

/* ", 0x1240)", and before it the number of a parameter that has an average. */
static void emit_place(Emit *e, int param, bool trained, int number)
{
    buf_printf(e->out, ", 0x%" PRIx64, place_of(e->plan, param));
    if (trained && has_averages(e->plan))
        buf_printf(e->out, ", %d", number);
    buf_putc(e->out, ')');
}

/* ", UNIFORM, 0.25, 0, 1, 0" */
static void emit_draw(Emit *e, const InitDraw *d)
{
    buf_printf(e->out, ", %s, %s, %" PRIu64 ", %d, %" PRIu64, value_names[d->values],
               emit_real(e, d->limit), d->seed, d->own, d->block);
}

/* "T("dense1.weight", 2, 6, 64, 1, 1, UNIFORM, 0.25, 0, 1, 0, 0, 0, 0, 0x1240)" */
static void emit_tensor(Emit *e, int param, int number)
{
    const Plan *plan = e->plan;
    const Param *p = plan->net->params.at[param];
    const Kept *kept = &plan->training->kept[param];
    const InitDraw d = draw_of(plan, param);
    const bool trained = is_updated(plan, p, UPDATE_GRADIENT);
    const bool vector = is_vector(p, &d) && !kept->filters;
    const char *row = trained ? "T" : "K";
    buf_printf(e->out, vector ? " \\\n    %sV(%s, " : " \\\n    %s(", row, row);
    emit_string(e->out, p->name);
    if (!trained)
        buf_printf(e->out, ", %s, %d", role_names[is_statistic_role(p)],
                   is_updated(plan, p, UPDATE_STATISTIC));
    if (vector) {
        buf_printf(e->out, ", %d, %s", p->dims[0], emit_real(e, d.limit));
    } else {
        buf_printf(e->out, ", %d", p->rank);
        for (int i = 0; i < 4; i++)
            buf_printf(e->out, ", %d", i < p->rank ? p->dims[i] : 1);
        emit_draw(e, &d);
        buf_printf(e->out, ", %d, %d, %d", kept->rows, kept->row, kept->bare);
    }
    emit_place(e, param, trained, number);
}

/* ---- layers ---- */

enum { NORM_PARAMS = 4 };

static bool is_weight(const Param *p)
{
    return str_ends(p->name, ".weight");
}

/* The name without its last word, "weight". */
static void emit_layer_name(Emit *e, const Param *weight)
{
    const int length = (int)(strlen(weight->name) - strlen(".weight"));
    emit_string(e->out, arena_printf(e->arena, "%.*s", length, weight->name));
}

/* Whether the parameter's name is the first one's, which ends in "weight", with another word. */
static bool is_named_like(const Param *p, const Param *weight, const char *word)
{
    const size_t n = strlen(weight->name) - strlen("weight");
    return strncmp(p->name, weight->name, n) == 0 && strcmp(p->name + n, word) == 0;
}

/* Whether this and the next parameters are those of a batch normalisation that is trained, with the
 * usual names and beginnings, one after the other in the state. */
static bool is_norm(const Plan *plan, int param)
{
    static const char *const words[NORM_PARAMS] = {"weight", "bias", "running_mean", "running_var"};
    static const int begins[NORM_PARAMS] = {1, 0, 0, 1};
    const Param *const *p = (const Param *const *)plan->net->params.at + param;
    if (param + NORM_PARAMS > plan->net->params.n || !is_weight(p[0]))
        return false;
    for (int i = 0; i < NORM_PARAMS; i++) {
        const InitDraw d = draw_of(plan, param + i);
        const UpdateKind kind = i < 2 ? UPDATE_GRADIENT : UPDATE_STATISTIC;
        if (!plan->training->kept[param + i].value || !is_named_like(p[i], p[0], words[i]) ||
            !is_vector(p[i], &d) || d.limit < begins[i] || d.limit > begins[i] ||
            p[i]->dims[0] != p[0]->dims[0] || !is_updated(plan, p[i], kind) ||
            is_statistic_role(p[i]) != (i >= 2))
            return false;
    }
    const uint64_t room = (uint64_t)round_up(elems_bytes(ELEM_F32, p[0]->dims[0]), 64);
    return place_of(plan, param + 1) == place_of(plan, param) + room &&
           place_of(plan, param + 3) == place_of(plan, param + 2) + room;
}

/* "BN(T, K, "bn1", 64, 0x9000, 0x1280)" */
static void emit_norm_row(Emit *e, int param, int number)
{
    const Param *p = e->plan->net->params.at[param];
    buf_puts(e->out, " \\\n    BN(T, K, ");
    emit_layer_name(e, p);
    buf_printf(e->out, ", %d, 0x%" PRIx64, p->dims[0], place_of(e->plan, param + 2));
    emit_place(e, param, true, number);
}

/* How many parameters from this one on are trained filters in panels, and their bias if it follows
 * them, as rows of convolutions have them: with the usual names, the bias 0 at first. */
static int count_conv(const Plan *plan, int param)
{
    const Param *weight = plan->net->params.at[param];
    const Kept *kept = &plan->training->kept[param];
    if (kept->filters != weight || !is_weight(weight) || !is_updated(plan, weight, UPDATE_GRADIENT))
        return 0;
    if (kept->bare)
        return 1;
    const Param *bias = param + 1 < plan->net->params.n ? plan->net->params.at[param + 1] : weight;
    const InitDraw d = draw_of(plan, bias->id);
    return plan->training->kept[bias->id].filters == weight &&
                   is_named_like(bias, weight, "bias") && is_vector(bias, &d) &&
                   !(d.limit < 0 || d.limit > 0)
               ? 2
               : 0;
}

/* "CONV(T, "conv1", 64, 3, 7, 7, UNIFORM, 0.25, 0, 1, 0, 0x1240)" */
static void emit_conv_row(Emit *e, int param, int number)
{
    const Param *p = e->plan->net->params.at[param];
    const InitDraw d = draw_of(e->plan, param);
    buf_puts(e->out,
             e->plan->training->kept[param].bare ? " \\\n    CONV(T, " : " \\\n    CONVB(T, ");
    emit_layer_name(e, p);
    for (int i = 0; i < 4; i++)
        buf_printf(e->out, ", %d", p->dims[i]);
    emit_draw(e, &d);
    emit_place(e, param, true, number);
}

static const char list_text[] =
    "\n/* What the state keeps: its dims, what it begins with, where it is in the state, in "
    "bytes.\n"
    " * T, a trained parameter: name, rank, a, b, c, d, values, limit, seed, own, block, and in\n"
    " *    panels rows, row, bare (rnc_train_place), at%s\n"
    " * K, another one or a statistic: name, role, changes, rank, ..., at\n"
    " * TV, KV: n equal numbers.  BN: the four of a batch normalisation.  CONV: filters in "
    "panels;\n"
    " * CONVB: with biases */\n"
    "#define TV(row, name, n, value, ...) \\\n"
    "    row(name, 1, n, 1, 1, 1, CONSTANT, value, 0, 0, 0, 0, 0, 0, __VA_ARGS__)\n"
    "#define KV(row, name, role, changes, n, value, at) \\\n"
    "    row(name, role, changes, 1, n, 1, 1, 1, CONSTANT, value, 0, 0, 0, 0, 0, 0, at)\n"
    "#define BN(T, K, name, n, statistics, at%s) \\\n"
    "    TV(T, name \".weight\", n, 1, at%s) \\\n"
    "    TV(T, name \".bias\", n, 0, at + RNC_ROOM(n)%s) \\\n"
    "    KV(K, name \".running_mean\", STATISTIC, 1, n, 0, statistics) \\\n"
    "    KV(K, name \".running_var\", STATISTIC, 1, n, 1, statistics + RNC_ROOM(n))\n"
    "#define RNC_ROOM(n) ((n + (size_t)15) / 16 * 64)\n"
    "#define CONV(T, name, o, i, h, w, values, limit, seed, own, block, ...) \\\n"
    "    T(name \".weight\", 4, o, i, h, w, values, limit, seed, own, block, (i) * (h) * (w) + 1, "
    "\\\n"
    "      1, 1, __VA_ARGS__)\n"
    "#define CONVB(T, name, o, i, h, w, values, limit, seed, own, block, at%s) \\\n"
    "    T(name \".weight\", 4, o, i, h, w, values, limit, seed, own, block, (i) * (h) * (w) + 1, "
    "\\\n"
    "      1, 0, at%s) \\\n"
    "    T(name \".bias\", 1, o, 1, 1, 1, CONSTANT, 0, 0, 0, 0, (i) * (h) * (w) + 1, 0, 0, at%s)\n"
    "#define %s_TENSORS(T, K)";

/* The row of this parameter and those that it has beside it; returns how many. */
static int emit_row(Emit *e, int param, int number)
{
    const int conv = count_conv(e->plan, param);
    if (conv > 0) {
        emit_conv_row(e, param, number);
        return conv;
    }
    if (is_norm(e->plan, param)) {
        emit_norm_row(e, param, number);
        return NORM_PARAMS;
    }
    emit_tensor(e, param, number);
    return 1;
}

static void emit_list(Emit *e)
{
    const Plan *plan = e->plan;
    const char *number = has_averages(plan) ? ", number" : "";
    const char *next = has_averages(plan) ? ", number + 1" : "";
    buf_printf(e->out, list_text, number, number, number, next, number, number, next, e->upper);
    for (int i = 0, number_of = 0, n; i < plan->net->params.n; i += n) {
        n = plan->training->kept[i].value ? emit_row(e, i, number_of) : 1;
        number_of += plan->training->kept[i].value ? n : 0;
    }
    buf_putc(e->out, '\n');
}

/* ---- the tables ---- */

static const char row_text[] =
    "#define RNC_T(name, rank, a, b, c, d, values, limit, seed, own, block, rows, row, bare, at%s) "
    "\\\n";
static const char kept_text[] =
    "#define RNC_K(name, role, changes, rank, a, b, c, d, values, limit, seed, own, block, rows, "
    "\\\n"
    "              row, bare, at) \\\n";
static const char info_text[] = "    {name, RNC_ROLE_##role, changes, rank, {a, b, c, d}},\n";

/* Of parameters, and of other roles, which begin with zeros or as a copy. */
static const char place_text[] =
    "    {at, RNC_EXTENTS(rank, a, b, c, d), rows, row, bare, \\\n"
    "     -1, RNC_VALUES_##values, limit, UINT64_C(seed), own, UINT64_C(block)},\n";
static const char other_place_text[] =
    "    {at + (size_t)0x%" PRIx64 ", RNC_EXTENTS(rank, a, b, c, d), rows, row, bare, \\\n"
    "     %s, RNC_VALUES_CONSTANT, 0, 0, 0, 0},\n";
static const char extents_text[] =
    "/* Outputs, inputs, window. */\n"
    "#define RNC_EXTENTS(rank, a, b, c, d) \\\n"
    "    (rank) == 3 ? 1 : (a), (rank) == 3 ? (a) : (b), (rank) == 3 ? (b) * (c) : (c) * (d)\n";

/* How far moments, averages or gradients are from their parameters, in bytes. */
static uint64_t shift_of(const Plan *plan, int role)
{
    int i = 0;
    while (!kept_as(&plan->training->kept[i], role))
        i++;
    const Kept *kept = &plan->training->kept[i];
    return (uint64_t)(kept_as(kept, role)->state->offset - kept->value->state->offset);
}

static void emit_role(Emit *e, int role, bool places)
{
    buf_puts(e->out, role == 0 ? kept_text : "#define RNC_K(...)\n");
    if (role == 0)
        buf_puts(e->out, places ? place_text : info_text);
    buf_printf(e->out, row_text, has_averages(e->plan) ? ", number" : "");
    if (!places)
        buf_printf(e->out, "    {name, RNC_ROLE_%s, 1, rank, {a, b, c, d}},\n", role_names[role]);
    else if (role == 0)
        buf_puts(e->out, place_text);
    else
        buf_printf(e->out, other_place_text, shift_of(e->plan, role), role == 4 ? "number" : "-1");
    emit_template(e, "    $_TENSORS(RNC_T, RNC_K)\n#undef RNC_T\n#undef RNC_K\n");
}

static void emit_roles(Emit *e, bool places)
{
    for (int role = 0; role < ROLES; role++) {
        if (role != 1 && count_role(e->plan, role) > 0)
            emit_role(e, role, places);
    }
    buf_puts(e->out, "};\n");
}

static const char tensors_text[] =
    "\nstatic rnc_status @_no_tensor(struct @ *net)\n"
    "{\n"
    "    net->why[0] = '\\0';\n"
    "    strcpy(net->why, \"there is no tensor of this number\");\n"
    "    return RNC_E_PLAN;\n"
    "}\n"
    "\n"
    "static int @_is_tensor(int tensor)\n"
    "{\n"
    "    return tensor >= 0 && tensor < (int)(sizeof @_places / sizeof *@_places);\n"
    "}\n"
    "\n"
    "static rnc_status @_set_any(void *any, int tensor, const float *floats)\n"
    "{\n"
    "    struct @ *net = (struct @ *)any;\n"
    "    int i;\n"
    "    if (!@_is_tensor(tensor))\n"
    "        return @_no_tensor(net);\n"
    "    rnc_train_set(&@_places[tensor], net->state, floats);\n"
    "    for (i = tensor + 1; @_is_tensor(i); i++)\n"
    "        if (@_places[i].same == tensor)\n"
    "            rnc_train_set(&@_places[i], net->state, floats);\n"
    "    return RNC_OK;\n"
    "}\n"
    "\n"
    "static rnc_status @_get_any(const void *any, int tensor, float *floats)\n"
    "{\n"
    "    const struct @ *net = (const struct @ *)any;\n"
    "    if (!@_is_tensor(tensor))\n"
    "        return RNC_E_PLAN;\n"
    "    rnc_train_get(&@_places[tensor], net->state, floats);\n"
    "    return RNC_OK;\n"
    "}\n"
    "\n"
    "static rnc_status @_initialise_any(void *any, uint64_t seed)\n"
    "{\n"
    "    struct @ *net = (struct @ *)any;\n"
    "    memset(net->state, 0, $_STATE_BYTES);\n"
    "    rnc_train_initialise(@_places, (int)(sizeof @_places / sizeof *@_places), net->state, "
    "seed);\n"
    "    net->updates = 0;\n"
    "    net->batches = 0;\n"
    "    return RNC_OK;\n"
    "}\n";

void emit_tensors(Emit *e)
{
    emit_list(e);
    emit_template(e, "\nstatic const rnc_tensor_info @_info_tensors[] = {\n");
    emit_roles(e, false);
    buf_putc(e->out, '\n');
    buf_puts(e->out, extents_text);
    emit_template(e, "static const rnc_train_place @_places[] = {\n");
    emit_roles(e, true);
    buf_puts(e->out, "#undef TV\n#undef KV\n#undef BN\n#undef CONV\n#undef CONVB\n#undef RNC_ROOM\n"
                     "#undef RNC_EXTENTS\n");
    emit_template(e, tensors_text);
}

int count_tensors(Emit *e)
{
    int n = 0;
    for (int role = 0; role < ROLES; role++)
        n += role != 1 ? count_role(e->plan, role) : 0;
    return n;
}
