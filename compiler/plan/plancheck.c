/* plancheck.c: what must hold of every plan, found by walking its steps.
 *
 * The walk knows which buffers own their bytes of the arena and which values are stored in them.
 * A write stores a value and ends the values that it overwrites; a buffer that comes into use ends
 * the buffers whose bytes it takes.  The walk trusts no decision of place.c and share.c, but
 * checks of each step
 *
 *   - that its shape keeps inside the buffers of its operands, or inside the state
 *   - that its scratch is as large as all its parts use, on each instruction set
 *   - that its operands still hold the values of the nodes it reads
 *   - that zeros surround an operand wherever its windows reach beyond it
 *   - that it overwrites an operand only where its kernel may
 *
 * and of each repeat that it computes the steps that it replaces.
 *
 * A view forms a value from the values that it shows, when its turn among the nodes comes.
 */
#include "plan/plancheck_parts.h"
#include "plan/training_parts.h"

#include <string.h>

/* Channels lo .. hi-1 of rows top .. bottom-1 of a buffer, whose rows of zeros count. */
typedef struct Area {
    int64_t lo, hi;
    int top, bottom;
} Area;

/* A node's value, which is stored there. */
typedef struct Value {
    const Node *node;
    Area at;
} Value;

typedef struct Contents {
    VEC(Value) values;
    VEC(Area) cleared; /* zeros surround these; their halo is a part of them */
    bool owned;        /* no other buffer took its bytes since it came into use */
} Contents;

typedef struct Walk {
    PlanCheck check;
    Contents *contents; /* by buffer */
    Contents *kept;     /* by state, in the order of Plan.states */
    VEC(int) owned;
    int *served; /* by output port */
} Walk;

/* ---- where things are stored ---- */

static int64_t first_channel(const Tensor *t)
{
    return t->origin - (int64_t)t->top * t->row - (int64_t)t->halo[1] * t->pixel;
}

/* A flatten that is a view has all of its operand's rows. */
static Area area_of(const Tensor *t)
{
    const int64_t lo = first_channel(t);
    const Node *of = t->node->op == OP_FLATTEN && t->c == t->image ? t->node->in[0] : t->node;
    return (Area){lo, lo + t->c, t->top, t->top + of->type.h};
}

/* A tensor with the zeros above and below it; those left and right of it have no place here. */
static Area with_halo(const Tensor *t, int channels)
{
    Area a = area_of(t);
    a.hi = a.lo + channels;
    a.top -= t->halo[0];
    a.bottom += t->halo[2];
    return a;
}

static bool have_common(Area a, Area b)
{
    return a.lo < b.hi && b.lo < a.hi && a.top < b.bottom && b.top < a.bottom;
}

/* What is stored in the buffer or the state that a tensor is in. */
static Contents *contents_of(const Walk *w, const Tensor *t)
{
    int i = 0;
    if (!t->state)
        return &w->contents[t->buffer];
    while (w->check.plan->states.at[i] != t->state)
        i++;
    return &w->kept[i];
}

/* The kernel's own division of its work says how much scratch each part uses (kernels/cuts.h). */
static void check_scratch(Walk *w, const Step *step)
{
    const Plan *plan = w->check.plan;
    const int64_t room = step->scratch >= 0 ? plan->buffers.at[step->scratch].bytes : 0;
    if (!step->method || !step->method->scratch)
        return;
    for (int i = 0; i < ISA_COUNT; i++) {
        if (!(plan->options.isas >> i & 1))
            continue;
        const int64_t each = step->method->scratch(&step->shape.conv, &step->knobs[i]);
        if (elems_bytes(SCRATCH_ELEM, step->parts * each) > room)
            complain(&w->check, step, "has too little scratch for", step->node);
    }
}

/* ---- what is stored there ---- */

/* The value of `node` that begins at the first channel and row of `at`. */
static const Value *find_value(const Walk *w, const Tensor *t, const Node *node, Area at)
{
    const Contents *c = contents_of(w, t);
    for (int i = c->values.n - 1; c->owned && i >= 0; i--) {
        const Value *v = &c->values.at[i];
        if (v->node == node && v->at.lo == at.lo && v->at.top == at.top)
            return v;
    }
    return NULL;
}

static void end_values(Contents *c, Area over)
{
    int kept = 0;
    for (int i = 0; i < c->values.n; i++) {
        const Value v = c->values.at[i];
        if (!have_common(v.at, over))
            c->values.at[kept++] = v;
    }
    c->values.n = kept;
}

/* Whether zeros surround these channels of one row. */
static bool zeros_in_row(const Contents *c, int64_t lo, int64_t hi, int row)
{
    for (int i = 0; i < c->cleared.n && lo < hi;) {
        const Area z = c->cleared.at[i++];
        if (z.lo <= lo && lo < z.hi && z.top <= row && row < z.bottom) {
            lo = z.hi;
            i = 0;
        }
    }
    return lo >= hi;
}

static bool zeros_around(const Contents *c, Area a)
{
    bool all = true;
    for (int row = a.top; row < a.bottom && all; row++)
        all = zeros_in_row(c, a.lo, a.hi, row);
    return all;
}

/* A buffer comes into use: each buffer that had some of its bytes loses all of its own. */
static void own(Walk *w, int buffer)
{
    if (w->contents[buffer].owned)
        return;
    const Buffer *b = &w->check.plan->buffers.at[buffer];
    int kept = 0;
    for (int i = 0; i < w->owned.n; i++) {
        const int other = w->owned.at[i];
        const Buffer *o = &w->check.plan->buffers.at[other];
        if (o->offset < b->offset + b->bytes && b->offset < o->offset + o->bytes)
            w->contents[other].owned = false;
        else
            w->owned.at[kept++] = other;
    }
    w->owned.n = kept;
    VEC_PUSH(w->check.plan->arena, &w->owned, buffer);
    w->contents[buffer].owned = true;
    w->contents[buffer].values.n = w->contents[buffer].cleared.n = 0;
}

/* The halo that a step of a training reads around an operand holds zeros. */
static void check_train_zeros(Walk *w, const Step *step, const Operand *o)
{
    const Plan *plan = w->check.plan;
    const int slot = kernel_rows[step->kernel].family == FAMILY_grad_weights ? 1 : 0;
    const Family family = kernel_rows[step->kernel].family;
    int halo[4];
    if (o != &step->in[0] || (family != FAMILY_grad_weights && family != FAMILY_grad_data))
        return;
    train_halo(plan, step->node, slot, halo);
    if ((halo[0] || halo[1] || halo[2] || halo[3]) &&
        !zeros_around(&w->contents[o->tensor->buffer],
                      with_halo(o->tensor, o->tensor->node->type.c)))
        complain(&w->check, step, "needs zeros that nobody wrote around", o->tensor->node);
}

static void check_read(Walk *w, const Step *step, const Operand *o)
{
    const Tensor *t = o->tensor;
    if (!t)
        return;
    if (!find_value(w, t, t->node, area_of(t))) {
        complain(&w->check, step, "reads what is no longer, or not yet, the value of", t->node);
        return;
    }
    if (w->check.plan->training && !t->state)
        check_train_zeros(w, step, o);
    if (o == &step->in[0] && !t->state && step->method && step->method->reads_halo &&
        !zeros_around(&w->contents[t->buffer], with_halo(t, t->node->type.c))) {
        int before, behind;
        for (int axis = 0; axis < 2; axis++) {
            conv_reach(step->node, axis, &before, &behind);
            if (before || behind)
                complain(&w->check, step, "needs zeros that nobody wrote around", t->node);
        }
    }
}

/* What a step writes: all of its tensor, or for a concat or a stack one part of it. */
static Area written(const Step *step, const Operand *o)
{
    const Tensor *t = o->tensor;
    Area to = area_of(t);
    if (t->node->op == OP_CONCAT && step->kernel == KERNEL_copy) {
        to.lo += o->shift;
        to.hi = to.lo + step->shape.copy.c;
    }
    if (t->node->op == OP_STACK && step->kernel == KERNEL_copy) {
        to.top += (int)(o->shift / t->row);
        to.bottom = to.top + step->shape.copy.h;
    }
    return to;
}

/* Checks that the result overwrites the operand only if it may. */
static void check_overlap(Walk *w, const Step *step, const Operand *o, const Operand *result)
{
    const Tensor *in = o->tensor, *out = result->tensor;
    if (o->kind != PLACE_ARENA || result->kind != PLACE_ARENA || in->buffer != out->buffer)
        return;
    if (!have_common(area_of(in), written(step, result)))
        return;
    const bool alike = in->origin == out->origin && in->pixel == out->pixel &&
                       in->row == out->row && type_eq(in->node->type, out->node->type);
    bool may = step->kernel == KERNEL_join || step->kernel == KERNEL_map ||
               step->kernel == KERNEL_softmax || step->kernel == KERNEL_bn_apply ||
               step->kernel == KERNEL_act_grad || step->kernel == KERNEL_softmax_over ||
               kernel_rows[step->kernel].family == FAMILY_norm;
    if (step->method)
        may = o == &step->in[1];
    if (kernel_rows[step->kernel].family == FAMILY_grad_data)
        may = o == &step->in[2];
    if (step->kernel == KERNEL_bn_grad_sums)
        may = o == &step->in[0] && result == &step->out[1];
    if (!alike || !may)
        complain(&w->check, step, "writes over what it still reads:", in->node);
}

static void check_result(Walk *w, const Step *step, const Operand *o)
{
    if (o->kind == PLACE_OUTPUT)
        w->served[o->port]++;
    const Tensor *t = o->tensor;
    if (!t)
        return;
    if (!t->state)
        own(w, t->buffer);
    const Area to = written(step, o);
    Contents *c = contents_of(w, t);
    const rnc_halo_shape *halo = &step->halo[o - step->out];
    if (step->clear_halo >> (o - step->out) & 1) {
        if (halo->shift != o->shift || halo->result != o - step->out)
            complain(&w->check, step, "clears zeros elsewhere than around", t->node);
        VEC_PUSH(w->check.plan->arena, &c->cleared, with_halo(t, halo->c));
    }
    end_values(c, to);
    VEC_PUSH(w->check.plan->arena, &c->values, ((Value){t->node, to}));
}

static void check_owned(Walk *w, const Step *step, const Operand *o)
{
    if (o->tensor && !o->tensor->state && !w->contents[o->tensor->buffer].owned)
        complain(&w->check, step, "has an operand in the bytes of another:", o->tensor->node);
}

static void check_write(Walk *w, const Step *step)
{
    if (step->scratch >= 0)
        own(w, step->scratch);
    for (int i = 0; i < MOST_OUT; i++)
        check_result(w, step, &step->out[i]);
    for (int i = 0; i < MOST_IN; i++)
        check_owned(w, step, &step->in[i]);
    for (int i = 0; i < MOST_OUT; i++)
        check_owned(w, step, &step->out[i]);
    if (step->scratch >= 0 && !w->contents[step->scratch].owned)
        complain(&w->check, step, "has its scratch in the bytes of", step->node);
}

/* Checks that a step has as many operands as its kernel's row says. */
static void check_count(Walk *w, const Step *step)
{
    const OperandSet in = kernel_reads(step->kernel), out = kernel_writes(step->kernel);
    for (int i = 0; i < MOST_IN; i++) {
        if (step->in[i].kind == PLACE_NONE ? in.needed >> i & 1 : i >= in.count)
            complain(&w->check, step, "has not the operands of its kernel:", step->node);
    }
    for (int i = 0; i < MOST_OUT; i++) {
        if (step->out[i].kind == PLACE_NONE ? out.needed >> i & 1 : i >= out.count)
            complain(&w->check, step, "has not the results of its kernel:", step->node);
    }
}

/* ---- views ---- */

/* Forms some channels or rows of an operand, a part of a split or a crop, that are stored in it. */
static void form_part(Walk *w, const Node *node)
{
    const Tensor *t = w->check.plan->tensors[node->id],
                 *in = w->check.plan->tensors[node->in[0]->id];
    const int *cut = node->attrs.padding;
    int channels = node->attrs.channel_padding[0];
    if (node->op == OP_SPLIT)
        split_part(&node->attrs, node->in[0]->type.c, node->attrs.result, &channels);
    const int64_t shift = node->op == OP_SPLIT ? channels : channels + (int64_t)cut[0] * in->row;
    if (in->buffer == t->buffer && t->origin == in->origin + shift && t->pixel == in->pixel &&
        t->row == in->row && find_value(w, in, node->in[0], area_of(in)))
        VEC_PUSH(w->check.plan->arena, &w->contents[t->buffer].values, ((Value){node, area_of(t)}));
}

/* Forms the value of a view, or of a concat or stack if all its parts are there.  If they are not,
 * the check of the step that reads it fails. */
static void form_view(Walk *w, const Node *node)
{
    const Tensor *t = w->check.plan->tensors[node->id];
    const Area all = area_of(t);
    const bool joins = node->op == OP_CONCAT || node->op == OP_STACK;
    Area at = all;
    if (node->op == OP_SPLIT || node->op == OP_CROP) {
        form_part(w, node);
        return;
    }
    for (int i = 0; i < node->n_in; i++) {
        const Tensor *in = w->check.plan->tensors[node->in[i]->id];
        const Value *part = find_value(w, t, node->in[i], at);
        const int64_t shift = at.lo - all.lo + (int64_t)(at.top - all.top) * t->row;
        if (!part || in->buffer != t->buffer || in->origin != t->origin + shift)
            part = joins ? find_value(w, t, node, at) : NULL;
        if (!part)
            return;
        if (node->op == OP_STACK)
            at.top += node->in[i]->type.h;
        else
            at.lo += node->in[i]->type.c;
    }
    VEC_PUSH(w->check.plan->arena, &w->contents[t->buffer].values, ((Value){node, all}));
}

static bool is_view(const Plan *plan, const Node *node)
{
    const Form form = plan->placings[node->id].form;
    return form == FORM_VIEW ||
           (form == FORM_STEP && (node->op == OP_CONCAT || node->op == OP_STACK));
}

/* Forms those views among the nodes from *next on that exist before `step`: the ones before its
 * node and, if the step only reads the node, the node itself. */
static void form_views(Walk *w, int *next, const Step *step)
{
    const bool reader = step->kernel == KERNEL_output || step->in[0].tensor == step->out[0].tensor;
    const int end = step->node->id + reader;
    for (; *next < end; (*next)++) {
        if (is_view(w->check.plan, w->check.plan->net->nodes.at[*next]))
            form_view(w, w->check.plan->net->nodes.at[*next]);
    }
}

/* ---- repeats ---- */

static void check_repeats(Walk *w)
{
    const Plan *plan = w->check.plan;
    int end = 0;
    for (int i = 0; i < plan->repeats.n && w->check.ok; i++) {
        const Repeat r = plan->repeats.at[i];
        w->check.ok = r.first >= end && r.period > 0 && r.count > 1;
        end = r.first + r.period * r.count;
        w->check.ok = w->check.ok && end <= plan->steps.n;
        for (int k = r.first + r.period; k < end && w->check.ok; k++) {
            const Step *first = &plan->steps.at[r.first + (k - r.first) % r.period];
            const Step *step = &plan->steps.at[k];
            const Addresses move = addresses_between(step_addresses(plan, step - r.period),
                                                     step_addresses(plan, step));
            const Addresses all = addresses_between(step_addresses(plan, first),
                                                    step_addresses(plan, first + r.period));
            w->check.ok = steps_alike(first, step) && memcmp(&move, &all, sizeof move) == 0;
        }
        if (!w->check.ok)
            diag_internal(w->check.diag, "plan: steps %d-%d do not repeat by %d", r.first, end - 1,
                          r.period);
    }
}

static void check_step(Walk *w, const Step *step)
{
    check_count(w, step);
    check_shape(&w->check, step);
    check_scratch(w, step);
    check_read(w, step, &step->filters);
    for (int i = 0; i < MOST_IN; i++) {
        check_read(w, step, &step->in[i]);
        for (int k = 0; k < MOST_OUT; k++)
            check_overlap(w, step, &step->in[i], &step->out[k]);
    }
    check_write(w, step);
}

static void hold(Walk *w, const Tensor *t)
{
    if (t)
        VEC_PUSH(w->check.plan->arena, &contents_of(w, t)->values, ((Value){t->node, area_of(t)}));
}

/* A training's state has its values from the beginning. */
static void hold_kept(Walk *w)
{
    const Plan *plan = w->check.plan;
    for (int i = 0; i < plan->net->params.n; i++) {
        const Kept *kept = &plan->training->kept[i];
        hold(w, kept->value);
        hold(w, kept->first);
        hold(w, kept->second);
        hold(w, kept->average);
        hold(w, kept->gradient);
    }
}

/* Between two calls the arena has nothing, so that an evaluation begins without values and zeros.
 */
static void forget(Walk *w)
{
    for (int i = 0; i < w->check.plan->buffers.n; i++)
        w->contents[i].values.n = w->contents[i].cleared.n = 0;
}

bool plan_check(const Plan *plan, Diag *diag)
{
    Walk w = {.check = {plan, diag, true}};
    w.contents = NEW_ARRAY(plan->arena, Contents, plan->buffers.n + 1);
    w.kept = NEW_ARRAY(plan->arena, Contents, plan->states.n + 1);
    for (int i = 0; i < plan->states.n; i++)
        w.kept[i].owned = true;
    if (plan->training)
        hold_kept(&w);
    w.served = NEW_ARRAY(plan->arena, int, plan->net->outputs.n + 1);
    int next = 0;
    for (int i = 0; i < plan->steps.n && w.check.ok; i++) {
        const Step *step = &plan->steps.at[i];
        if (plan->training && i == plan->training->begin[STAGE_EVALUATE]) {
            forget(&w);
            next = 0;
        }
        form_views(&w, &next, step);
        check_step(&w, step);
    }
    check_repeats(&w);
    check_slots(&w.check);
    for (int i = 0; i < plan->net->outputs.n && w.check.ok; i++) {
        if (w.served[i] != 1) {
            w.check.ok = false;
            diag_internal(diag, "plan: output '%s' is written %d times",
                          plan->net->outputs.at[i].name, w.served[i]);
        }
    }
    if (plan->lower_bound > plan->tight_bound || plan->tight_bound > plan->arena_bytes) {
        w.check.ok = false;
        diag_internal(diag, "plan: the arena is smaller than its bound");
    }
    return w.check.ok;
}
