/* emit_tensors.c: the tensors that a training keeps: what they are, where they are in the state and
 * what they begin with, and the functions that set and get them. */
#include "emit/emit_parts.h"

#include "params/bind.h"
#include "plan/training.h"

#include <inttypes.h>

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

/* What rows have after the name: of a trained parameter, then of what else there is of it. */
static const char *const place_names[ROLES] = {"at", NULL, "first", "second", "average, number",
                                               "sum"};

static const char *trained_fields(Emit *e)
{
    const char *fields = "name, rank, a, b, c, d, values, limit, seed, own, block";
    for (int role = 0; role < ROLES; role++) {
        if (place_names[role] && count_role(e->plan, role) > 0)
            fields = arena_printf(e->arena, "%s, %s", fields, place_names[role]);
    }
    return fields;
}

/* "T("conv1.weight", 4, 64, 3, 7, 7, UNIFORM, 0.25, 0, 1, 0, 0x0, 0x1240)" */
static void emit_tensor(Emit *e, int param, int number)
{
    const Plan *plan = e->plan;
    const Param *p = plan->net->params.at[param];
    const Kept *kept = &plan->training->kept[param];
    const InitKind kind = plan->net->train ? plan->net->train->init : INIT_NONE;
    const InitDraw d =
        init_draw(p, plan->net->nodes.at[p->first],
                  (InitSpec){kind == INIT_NONE ? INIT_HE_NORMAL : kind, (uint64_t)param});
    const bool trained = is_updated(plan, p, UPDATE_GRADIENT);
    const char *row = trained ? "T" : "K";
    const bool vector = p->rank == 1 && d.values == 0 && d.seed == 0 && d.own == 0 && d.block == 0;
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
        buf_printf(e->out, ", %s, %s, %" PRIu64 ", %d, %" PRIu64, value_names[d.values],
                   emit_real(e, d.limit), d.seed, d.own, d.block);
    }
    for (int role = 0; role < ROLES; role++) {
        const Tensor *t = place_names[role] ? kept_as(kept, role) : NULL;
        if (t)
            buf_printf(e->out, ", 0x%" PRIx64, (uint64_t)t->state->offset);
        if (t && role == 4)
            buf_printf(e->out, ", %d", number);
    }
    buf_putc(e->out, ')');
}

static void emit_list(Emit *e)
{
    int number = 0;
    buf_printf(
        e->out,
        "\n/* What the state keeps: its dims, what it begins with, where it is in the state.\n"
        " * T, a trained parameter: %s\n"
        " * K, another one or a statistic: name, role, changes, rank, ..., at.  TV, KV: n equal "
        "numbers */\n"
        "#define TV(row, name, n, value, ...) \\\n"
        "    row(name, 1, n, 1, 1, 1, CONSTANT, value, 0, 0, 0, __VA_ARGS__)\n"
        "#define KV(row, name, role, changes, n, value, at) \\\n"
        "    row(name, role, changes, 1, n, 1, 1, 1, CONSTANT, value, 0, 0, 0, at)\n"
        "#define %s_TENSORS(T, K)",
        trained_fields(e), e->upper);
    for (int i = 0; i < e->plan->net->params.n; i++) {
        if (e->plan->training->kept[i].value)
            emit_tensor(e, i, number++);
    }
    buf_putc(e->out, '\n');
}

/* ---- the tables ---- */

static const char kept_text[] =
    "#define RNC_K(name, role, changes, rank, a, b, c, d, values, limit, "
    "seed, own, block, at) \\\n";
static const char info_text[] = "    {name, RNC_ROLE_##role, changes, rank, {a, b, c, d}},\n";
static const char place_text[] =
    "    {at, (rank) == 3 ? 1 : (a), (rank) == 3 ? (a) : (b), (rank) == 3 ? (b) * (c) : (c) * (d), "
    "\\\n"
    "     -1, RNC_VALUES_##values, limit, UINT64_C(seed), own, UINT64_C(block)},\n";

/* Of other roles than parameters, which begin with zeros or as a copy. */
static const char other_place_text[] = "    {%s, (rank) == 3 ? 1 : (a), (rank) == 3 ? (a) : (b), "
                                       "(rank) == 3 ? (b) * (c) : (c) * (d), \\\n"
                                       "     %s, RNC_VALUES_CONSTANT, 0, 0, 0, 0},\n";

static void emit_role(Emit *e, int role, bool places)
{
    static const char *const at[ROLES] = {"at", NULL, "first", "second", "average", "sum"};
    buf_puts(e->out, role == 0 ? kept_text : "#define RNC_K(...)\n");
    if (role == 0)
        buf_puts(e->out, places ? place_text : info_text);
    buf_printf(e->out, "#define RNC_T(%s) \\\n", trained_fields(e));
    if (!places)
        buf_printf(e->out, "    {name, RNC_ROLE_%s, 1, rank, {a, b, c, d}},\n", role_names[role]);
    else if (role == 0)
        buf_puts(e->out, place_text);
    else
        buf_printf(e->out, other_place_text, at[role], role == 4 ? "number" : "-1");
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
    emit_template(e, "\nstatic const rnc_train_place @_places[] = {\n");
    emit_roles(e, true);
    buf_puts(e->out, "#undef TV\n#undef KV\n");
    emit_template(e, tensors_text);
}

int count_tensors(Emit *e)
{
    int n = 0;
    for (int role = 0; role < ROLES; role++)
        n += role != 1 ? count_role(e->plan, role) : 0;
    return n;
}
