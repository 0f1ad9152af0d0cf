/* plancheck.c: what must hold of every plan, found by walking its steps.
 *
 * The walk knows which buffers own their bytes of the arena and which values are stored in them.
 * A write stores a value and ends the values that it overwrites; a buffer that comes into use ends
 * the buffers whose bytes it takes.  The walk trusts no decision of place.c and share.c, but
 * checks of each step
 *
 *   - that its shape keeps inside the buffers of its operands
 *   - that its scratch is as large as all its parts use, on each instruction set
 *   - that its operands still hold the values of the nodes it reads
 *   - that zeros surround an operand wherever its windows reach beyond it
 *   - that it overwrites an operand only where its kernel may
 *
 * and of each repeat that it computes the steps that it replaces.
 *
 * A view forms a value from the values that it shows, when its turn among the nodes comes.
 */
#include "plan/plan_parts.h"

#include <string.h>

/* A node's value, which is stored in channels lo .. hi-1 of a buffer. */
typedef struct Value {
    const Node *node;
    int64_t lo, hi;
} Value;

typedef struct Channels {
    int64_t lo, hi;
} Channels;

typedef struct Contents {
    VEC(Value) values;
    VEC(Channels) cleared; /* zeros surround these channels, as far as the halo goes */
    bool owned;            /* no other buffer took its bytes since it came into use */
} Contents;

typedef struct Walk {
    const Plan *plan;
    Diag *diag;
    Contents *contents; /* by buffer */
    VEC(int) owned;
    int *served; /* by output port */
    bool ok;
} Walk;

static void complain(Walk *w, const Step *step, const char *what, const Node *node)
{
    w->ok = false;
    diag_internal(w->diag, "plan: step %d (%s, '%s') %s '%s'", step->index,
                  kernel_rows[step->kernel].name, step->node->name, what, node->name);
}

/* ---- where things are stored ---- */

static int64_t first_channel(const Tensor *t)
{
    return t->origin - (int64_t)t->halo[0] * t->row - (int64_t)t->halo[1] * t->pixel;
}

/* What a step touches of an operand: pixels y0 .. y1 by x0 .. x1 of `c` floats. */
typedef struct Box {
    int64_t images, y0, y1, x0, x1, c;
    int64_t pixel, row, image;
} Box;

static void check_box(Walk *w, const Step *step, const Operand *o, Box b)
{
    if (o->kind != PLACE_ARENA)
        return;
    const Tensor *t = o->tensor;
    const Buffer *buffer = &w->plan->buffers.at[t->buffer];
    const int64_t at = t->origin + o->shift;
    const int64_t low = at + b.y0 * b.row + b.x0 * b.pixel;
    const int64_t high = at + (b.images - 1) * b.image + b.y1 * b.row + b.x1 * b.pixel + b.c;
    if (low < 0 || elems_bytes(t->elem, high) > buffer->bytes)
        complain(w, step, "reaches outside the buffer of", t->node);
    if (buffer->offset % 64 != 0 || buffer->offset < 0 ||
        buffer->offset + buffer->bytes > w->plan->arena_bytes)
        complain(w, step, "has an operand outside the arena:", t->node);
    if (step->index < buffer->first || step->index > buffer->last)
        complain(w, step, "lies outside the lifetime of the buffer of", t->node);
}

static int64_t window_end(int64_t out, int stride, int kernel, int dilation, int pad)
{
    return (out - 1) * stride + (int64_t)(kernel - 1) * dilation - pad;
}

#define PLANE(s, H, W, C, p) \
    ((Box){(s)->images, 0, (H)-1, 0, (W)-1, (C), (s)->p##_pixel, (s)->p##_row, (s)->p##_image})

static void check_conv(Walk *w, const Step *step)
{
    const rnc_conv_shape *s = &step->shape.conv;
    const int64_t y1 = window_end(s->out_h, s->stride_h, s->kernel_h, s->dilation_h, s->pad_top);
    const int64_t x1 = window_end(s->out_w, s->stride_w, s->kernel_w, s->dilation_w, s->pad_left);
    const int64_t in_c = (int64_t)s->in_c * s->groups;
    check_box(w, step, &step->in[0],
              (Box){s->images, -s->pad_top, y1, -s->pad_left, x1, in_c, s->in_pixel, s->in_row,
                    s->in_image});
    check_box(w, step, &step->out[0], PLANE(s, s->out_h, s->out_w, s->out_c, out));
    if (s->residual)
        check_box(w, step, &step->in[1], PLANE(s, s->out_h, s->out_w, s->out_c, res));
    const Tensor *t = step->in[0].tensor;
    const Type type = t->node->type;
    if (s->pad_top > t->halo[0] || s->pad_left > t->halo[1] || y1 >= type.h + t->halo[2] ||
        x1 >= type.w + t->halo[3])
        complain(w, step, "reads beyond the zeros around", t->node);
}

static void check_join(Walk *w, const Step *step)
{
    const rnc_join_shape *s = &step->shape.join;
    check_box(w, step, &step->in[0], PLANE(s, s->h, s->w, s->one_channel == 1 ? 1 : s->c, in));
    check_box(w, step, &step->in[1], PLANE(s, s->h, s->w, s->one_channel == 2 ? 1 : s->c, in2));
    check_box(w, step, &step->out[0], PLANE(s, s->h, s->w, s->c, out));
}

static void check_copy(Walk *w, const Step *step)
{
    const rnc_copy_shape *s = &step->shape.copy;
    check_box(w, step, &step->in[0],
              PLANE(s, (s->h - 1) / s->repeat_h + 1, (s->w - 1) / s->repeat_w + 1, s->c, in));
    Box out = PLANE(s, s->h + s->zero_bottom, s->w + s->zero_right, s->c + s->zero_behind, out);
    out.y0 = -s->zero_top;
    out.x0 = -s->zero_left;
    check_box(w, step, &step->out[0], out);
}

static void check_shape(Walk *w, const Step *step)
{
    const Shape *s = &step->shape;
    const rnc_dense_shape *d = &s->dense;
    switch (kernel_rows[step->kernel].family) {
    case FAMILY_conv:
        check_conv(w, step);
        break;
    case FAMILY_dense:
        check_box(w, step, &step->in[0], (Box){d->images, 0, 0, 0, 0, d->in_c, 0, 0, d->in_image});
        check_box(w, step, &step->out[0],
                  (Box){d->images, 0, 0, 0, 0, d->out_c, 0, 0, d->out_image});
        if (d->residual)
            check_box(w, step, &step->in[1],
                      (Box){d->images, 0, 0, 0, 0, d->out_c, 0, 0, d->res_image});
        break;
    case FAMILY_pool:
        check_box(w, step, &step->in[0],
                  PLANE(&s->pool, s->pool.in_h, s->pool.in_w, s->pool.c, in));
        check_box(w, step, &step->out[0],
                  PLANE(&s->pool, s->pool.out_h, s->pool.out_w, s->pool.c, out));
        break;
    case FAMILY_map:
        check_box(w, step, &step->in[0], PLANE(&s->map, s->map.h, s->map.w, s->map.c, in));
        check_box(w, step, &step->out[0], PLANE(&s->map, s->map.h, s->map.w, s->map.c, out));
        break;
    case FAMILY_join:
        check_join(w, step);
        break;
    case FAMILY_softmax:
        check_box(w, step, &step->in[0],
                  PLANE(&s->softmax, s->softmax.h, s->softmax.w, s->softmax.c, in));
        check_box(w, step, &step->out[0],
                  PLANE(&s->softmax, s->softmax.h, s->softmax.w, s->softmax.c, out));
        break;
    case FAMILY_copy:
        check_copy(w, step);
        break;
    case FAMILY_flatten:
        check_box(w, step, &step->in[0],
                  PLANE(&s->flatten, s->flatten.h, s->flatten.w, s->flatten.c, in));
        check_box(w, step, &step->out[0],
                  (Box){s->flatten.images, 0, 0, 0, 0,
                        (int64_t)s->flatten.h * s->flatten.w * s->flatten.c, 0, 0,
                        s->flatten.out_image});
        break;
    case FAMILY_input:
        check_box(w, step, &step->out[0],
                  PLANE(&s->input, s->input.h, s->input.w, s->input.out_c, out));
        break;
    case FAMILY_output:
        check_box(w, step, &step->in[0],
                  PLANE(&s->output, s->output.h, s->output.w, s->output.c, in));
        break;
    default:
        complain(w, step, "has no operands:", step->node);
    }
}

/* The kernel's own division of its work says how much scratch each part uses (kernels/cuts.h). */
static void check_scratch(Walk *w, const Step *step)
{
    const Plan *plan = w->plan;
    const int64_t room = step->scratch >= 0 ? plan->buffers.at[step->scratch].bytes : 0;
    if (!step->method || !step->method->scratch)
        return;
    for (int i = 0; i < ISA_COUNT; i++) {
        if (!(plan->options.isas >> i & 1))
            continue;
        const int64_t each = step->method->scratch(&step->shape.conv, &step->knobs[i]);
        if (elems_bytes(SCRATCH_ELEM, step->parts * each) > room)
            complain(w, step, "has too little scratch for", step->node);
    }
}

/* ---- what is stored there ---- */

static const Value *find_value(const Walk *w, const Tensor *t, const Node *node, int64_t lo)
{
    const Contents *c = &w->contents[t->buffer];
    for (int i = c->values.n - 1; c->owned && i >= 0; i--) {
        const Value *v = &c->values.at[i];
        if (v->node == node && v->lo == lo)
            return v;
    }
    return NULL;
}

static void end_values(Contents *c, int64_t lo, int64_t hi)
{
    int kept = 0;
    for (int i = 0; i < c->values.n; i++) {
        const Value v = c->values.at[i];
        if (v.lo >= hi || lo >= v.hi)
            c->values.at[kept++] = v;
    }
    c->values.n = kept;
}

static bool zeros_around(const Contents *c, int64_t lo, int64_t hi)
{
    for (int i = 0; i < c->cleared.n && lo < hi;) {
        const Channels z = c->cleared.at[i++];
        if (z.lo <= lo && lo < z.hi) {
            lo = z.hi;
            i = 0;
        }
    }
    return lo >= hi;
}

/* A buffer comes into use: each buffer that had some of its bytes loses all of its own. */
static void own(Walk *w, int buffer)
{
    if (w->contents[buffer].owned)
        return;
    const Buffer *b = &w->plan->buffers.at[buffer];
    int kept = 0;
    for (int i = 0; i < w->owned.n; i++) {
        const int other = w->owned.at[i];
        const Buffer *o = &w->plan->buffers.at[other];
        if (o->offset < b->offset + b->bytes && b->offset < o->offset + o->bytes)
            w->contents[other].owned = false;
        else
            w->owned.at[kept++] = other;
    }
    w->owned.n = kept;
    VEC_PUSH(w->plan->arena, &w->owned, buffer);
    w->contents[buffer].owned = true;
    w->contents[buffer].values.n = w->contents[buffer].cleared.n = 0;
}

static void check_read(Walk *w, const Step *step, const Operand *o)
{
    if (o->kind != PLACE_ARENA)
        return;
    const Tensor *t = o->tensor;
    const int64_t lo = first_channel(t);
    if (!find_value(w, t, t->node, lo)) {
        complain(w, step, "reads what is no longer, or not yet, the value of", t->node);
        return;
    }
    if (o == &step->in[0] && step->method && step->method->reads_halo &&
        !zeros_around(&w->contents[t->buffer], lo, lo + t->node->type.c)) {
        int before, behind;
        for (int axis = 0; axis < 2; axis++) {
            conv_reach(step->node, axis, &before, &behind);
            if (before || behind)
                complain(w, step, "needs zeros that nobody wrote around", t->node);
        }
    }
}

/* The channels that a step writes: all channels of its tensor, or for a concat one part of them. */
static Channels written(const Step *step, const Operand *o)
{
    const Tensor *t = o->tensor;
    Channels to = {first_channel(t), first_channel(t) + t->c};
    if (t->node->op == OP_CONCAT && step->kernel == KERNEL_copy) {
        to.lo += o->shift;
        to.hi = to.lo + step->shape.copy.c;
    }
    return to;
}

/* Checks that the result overwrites the operand only if it may. */
static void check_overlap(Walk *w, const Step *step, const Operand *o, const Operand *result)
{
    const Tensor *in = o->tensor, *out = result->tensor;
    if (o->kind != PLACE_ARENA || result->kind != PLACE_ARENA || in->buffer != out->buffer)
        return;
    const Channels to = written(step, result);
    if (first_channel(in) >= to.hi || to.lo >= first_channel(in) + in->c)
        return;
    const bool alike = in->origin == out->origin && in->pixel == out->pixel &&
                       in->row == out->row && type_eq(in->node->type, out->node->type);
    bool may =
        step->kernel == KERNEL_join || step->kernel == KERNEL_map || step->kernel == KERNEL_softmax;
    if (step->method)
        may = o == &step->in[1];
    if (!alike || !may)
        complain(w, step, "writes over what it still reads:", in->node);
}

static void check_result(Walk *w, const Step *step, const Operand *o)
{
    if (o->kind == PLACE_OUTPUT)
        w->served[o->port]++;
    if (o->kind != PLACE_ARENA)
        return;
    const Tensor *t = o->tensor;
    own(w, t->buffer);
    const Channels to = written(step, o);
    if (step->clear_halo && o == step->out) {
        if (step->halo.shift != o->shift)
            complain(w, step, "clears zeros elsewhere than around", t->node);
        VEC_PUSH(w->plan->arena, &w->contents[t->buffer].cleared,
                 ((Channels){first_channel(t), first_channel(t) + step->halo.c}));
    }
    end_values(&w->contents[t->buffer], to.lo, to.hi);
    VEC_PUSH(w->plan->arena, &w->contents[t->buffer].values, ((Value){t->node, to.lo, to.hi}));
}

static void check_owned(Walk *w, const Step *step, const Operand *o)
{
    if (o->kind == PLACE_ARENA && !w->contents[o->tensor->buffer].owned)
        complain(w, step, "has an operand in the bytes of another:", o->tensor->node);
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
        complain(w, step, "has its scratch in the bytes of", step->node);
}

/* Checks that a step has as many operands as its kernel's row says. */
static void check_count(Walk *w, const Step *step)
{
    const OperandCount in = kernel_reads(step->kernel), out = kernel_writes(step->kernel);
    for (int i = 0; i < MOST_IN; i++) {
        if (step->in[i].kind == PLACE_NONE ? i < in.least : i >= in.most)
            complain(w, step, "has not the operands of its kernel:", step->node);
    }
    for (int i = 0; i < MOST_OUT; i++) {
        if (step->out[i].kind == PLACE_NONE ? i < out.least : i >= out.most)
            complain(w, step, "has not the results of its kernel:", step->node);
    }
}

/* ---- views ---- */

/* Forms a part of a split that is stored in its operand. */
static void form_part(Walk *w, const Node *node)
{
    const Tensor *t = w->plan->tensors[node->id], *in = w->plan->tensors[node->in[0]->id];
    const int64_t lo = first_channel(t), shift = (int64_t)node->attrs.result * node->type.c;
    if (in->buffer == t->buffer && t->origin == in->origin + shift && t->pixel == in->pixel &&
        find_value(w, in, node->in[0], first_channel(in)))
        VEC_PUSH(w->plan->arena, &w->contents[t->buffer].values, ((Value){node, lo, lo + t->c}));
}

/* Forms the value of a view, or of a concat if all its parts are there.  If they are not, the
 * check of the step that reads it fails. */
static void form_view(Walk *w, const Node *node)
{
    const Tensor *t = w->plan->tensors[node->id];
    Value v = {.node = node, .lo = first_channel(t), .hi = first_channel(t) + t->c};
    int64_t at = v.lo;
    if (node->op == OP_SPLIT) {
        form_part(w, node);
        return;
    }
    for (int i = 0; i < node->n_in; i++) {
        const Tensor *in = w->plan->tensors[node->in[i]->id];
        const Value *part = find_value(w, t, node->in[i], at);
        if (!part || in->buffer != t->buffer || in->origin != t->origin + (at - v.lo))
            part = node->op == OP_CONCAT ? find_value(w, t, node, at) : NULL;
        if (!part)
            return;
        at += node->in[i]->type.c;
    }
    VEC_PUSH(w->plan->arena, &w->contents[t->buffer].values, v);
}

static bool is_view(const Plan *plan, const Node *node)
{
    const Form form = plan->placings[node->id].form;
    return form == FORM_VIEW || (form == FORM_STEP && node->op == OP_CONCAT);
}

/* Forms those views among the nodes from *next on that exist before `step`: the ones before its
 * node and, if the step only reads the node, the node itself. */
static void form_views(Walk *w, int *next, const Step *step)
{
    const bool reader = step->kernel == KERNEL_output || step->in[0].tensor == step->out[0].tensor;
    const int end = step->node->id + reader;
    for (; *next < end; (*next)++) {
        if (is_view(w->plan, w->plan->net->nodes.at[*next]))
            form_view(w, w->plan->net->nodes.at[*next]);
    }
}

/* ---- repeats ---- */

static void check_repeats(Walk *w)
{
    const Plan *plan = w->plan;
    int end = 0;
    for (int i = 0; i < plan->repeats.n && w->ok; i++) {
        const Repeat r = plan->repeats.at[i];
        w->ok = r.first >= end && r.period > 0 && r.count > 1;
        end = r.first + r.period * r.count;
        w->ok = w->ok && end <= plan->steps.n;
        for (int k = r.first + r.period; k < end && w->ok; k++) {
            const Step *first = &plan->steps.at[r.first + (k - r.first) % r.period];
            const Step *step = &plan->steps.at[k];
            const Addresses move = addresses_between(step_addresses(plan, step - r.period),
                                                     step_addresses(plan, step));
            const Addresses all = addresses_between(step_addresses(plan, first),
                                                    step_addresses(plan, first + r.period));
            w->ok = steps_alike(first, step) && memcmp(&move, &all, sizeof move) == 0;
        }
        if (!w->ok)
            diag_internal(w->diag, "plan: steps %d-%d do not repeat by %d", r.first, end - 1,
                          r.period);
    }
}

static void check_step(Walk *w, const Step *step)
{
    check_count(w, step);
    check_shape(w, step);
    check_scratch(w, step);
    for (int i = 0; i < MOST_IN; i++) {
        check_read(w, step, &step->in[i]);
        for (int k = 0; k < MOST_OUT; k++)
            check_overlap(w, step, &step->in[i], &step->out[k]);
    }
    check_write(w, step);
}

bool plan_check(const Plan *plan, Diag *diag)
{
    Walk w = {.plan = plan, .diag = diag, .ok = true};
    w.contents = NEW_ARRAY(plan->arena, Contents, plan->buffers.n + 1);
    w.served = NEW_ARRAY(plan->arena, int, plan->net->outputs.n + 1);
    int next = 0;
    for (int i = 0; i < plan->steps.n && w.ok; i++) {
        const Step *step = &plan->steps.at[i];
        form_views(&w, &next, step);
        check_step(&w, step);
    }
    check_repeats(&w);
    for (int i = 0; i < plan->net->outputs.n && w.ok; i++) {
        if (w.served[i] != 1) {
            w.ok = false;
            diag_internal(diag, "plan: output '%s' is written %d times",
                          plan->net->outputs.at[i].name, w.served[i]);
        }
    }
    if (plan->lower_bound > plan->tight_bound || plan->tight_bound > plan->arena_bytes) {
        w.ok = false;
        diag_internal(diag, "plan: the arena is smaller than its bound");
    }
    return w.ok;
}
