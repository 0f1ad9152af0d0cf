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

/* Calls `row` for each tensor of a role, in the order of the parameters; returns how many there
 * are.  Parameters and statistics, roles 0 and 1, are in one order. */
typedef void TensorRow(Emit *e, int param, int role, const Tensor *t);
static int each_of_role(Emit *e, int role, TensorRow *row)
{
    const Plan *plan = e->plan;
    int n = 0;
    for (int i = 0; i < plan->net->params.n; i++) {
        const int own = role == 0 && is_statistic_role(plan->net->params.at[i]) ? 1 : role;
        const Tensor *t = kept_as(&plan->training->kept[i], own);
        if (t && row)
            row(e, i, own, t);
        n += t != NULL;
    }
    return n;
}

/* Likewise for each tensor of the table, in its order. */
static int each_tensor(Emit *e, TensorRow *row)
{
    int n = 0;
    for (int role = 0; role < ROLES; role++) {
        if (role != 1)
            n += each_of_role(e, role, row);
    }
    return n;
}

/* Whether the parameters with a second moment are those with a first. */
static bool has_both_moments(const Plan *plan)
{
    bool any = false;
    for (int i = 0; i < plan->net->params.n; i++) {
        const Kept *kept = &plan->training->kept[i];
        if (!kept->first != !kept->second)
            return false;
        any = any || kept->first;
    }
    return any;
}

static bool is_trained(const Plan *plan, const Param *param)
{
    for (int i = 0; i < plan->net->updates.n; i++) {
        if (plan->net->updates.at[i].param == param)
            return true;
    }
    return false;
}

/* "ROW("conv1.weight", PARAMETER, 1, 4, 64, 3, 7, 7)", where `role` is the role's name */
static void add_info(Emit *e, const Param *p, const char *macro, const char *role)
{
    buf_printf(e->out, "    %s(", macro);
    emit_string(e->out, p->name);
    buf_printf(e->out, ", %s, %d, %d", role, is_trained(e->plan, p), p->rank);
    for (int i = 0; i < 4; i++)
        buf_printf(e->out, ", %d", i < p->rank ? p->dims[i] : 1);
    buf_putc(e->out, ')');
}

static void info_row(Emit *e, int param, int role, const Tensor *t)
{
    (void)t;
    add_info(e, e->plan->net->params.at[param], "RNC_TENSOR", role_names[role]);
    buf_puts(e->out, "\n");
}

static void listed_row(Emit *e, int param, int role, const Tensor *t)
{
    (void)role, (void)t;
    buf_puts(e->out, " \\\n");
    add_info(e, e->plan->net->params.at[param], "RNC_TENSOR", "role");
}

static const char tensor_text[] =
    "\n/* name, role, whether steps change it, number of dims, dims */\n"
    "#define RNC_TENSOR(name, role, changes, rank, a, b, c, d) \\\n"
    "    {name, RNC_ROLE_##role, changes, rank, {a, b, c, d}},\n";

/* The moments of Adam are of the same parameters, which are listed once. */
static void emit_infos(Emit *e)
{
    const bool both = has_both_moments(e->plan);
    emit_template(e, tensor_text);
    if (both) {
        emit_template(e, "#define RNC_MOMENTS(role)");
        each_of_role(e, 2, listed_row);
        buf_putc(e->out, '\n');
    }
    emit_template(e, "static const rnc_tensor_info @_info_tensors[] = {\n");
    for (int role = 0; role < ROLES; role++) {
        if (both && (role == 2 || role == 3))
            buf_printf(e->out, "    RNC_MOMENTS(%s)\n", role_names[role]);
        else if (role != 1)
            each_of_role(e, role, info_row);
    }
    buf_printf(e->out, "};\n#undef RNC_TENSOR\n%s", both ? "#undef RNC_MOMENTS\n" : "");
}

/* The number of a parameter's own tensor in the table. */
static int value_number(const Plan *plan, int param)
{
    int n = 0;
    for (int i = 0; i < param; i++)
        n += plan->training->kept[i].value != NULL;
    return n;
}

static void place_row(Emit *e, int param, int role, const Tensor *t)
{
    static const char *const values[] = {"CONSTANT", "UNIFORM", "NORMAL", "TRUNCATED"};
    const Plan *plan = e->plan;
    const Param *p = plan->net->params.at[param];
    const Type type = param_type(p);
    const int64_t n = param_elements(p);
    const bool filters = p->rank > 1;
    InitDraw d = {0};
    if (role < 2) {
        const InitKind kind = plan->net->train ? plan->net->train->init : INIT_NONE;
        d = init_draw(p, plan->net->nodes.at[p->first],
                      (InitSpec){kind == INIT_NONE ? INIT_HE_NORMAL : kind, (uint64_t)param});
    }
    const int same = role == 4 ? value_number(plan, param) : -1;
    const bool filled = same < 0 && d.values == 0 && d.seed == 0 && !d.own && d.block == 0;
    buf_printf(e->out, "    %s%" PRId64 ", %d, %" PRId64 ", %d, ", filled ? "RNC_FILL(" : "{",
               t->state->offset, filters ? type.n : (int)n, filters ? (int64_t)type.c : 1,
               filters ? type.h * type.w : 1);
    if (filled)
        buf_printf(e->out, "%.17g),\n", d.limit);
    else
        buf_printf(e->out,
                   "%d, RNC_VALUES_%s, %.17g, UINT64_C(%" PRIu64 "), %d, UINT64_C(%" PRIu64 ")},\n",
                   same, values[d.values], d.limit, d.seed, d.own, d.block);
}

static const char places_text[] =
    "\n/* offset in the state, outputs, inputs, window, copy of; initial values, limit, seed, own, "
    "block */\n"
    "#define RNC_FILL(offset, outputs, inputs, window, value) \\\n"
    "    {offset, outputs, inputs, window, -1, RNC_VALUES_CONSTANT, value, 0, 0, 0}\n"
    "static const rnc_train_place @_places[] = {\n";

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
    emit_infos(e);
    emit_template(e, places_text);
    each_tensor(e, place_row);
    buf_puts(e->out, "};\n#undef RNC_FILL\n");
    emit_template(e, tensors_text);
}

int count_tensors(Emit *e)
{
    return each_tensor(e, NULL);
}
