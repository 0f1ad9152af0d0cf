/* place.c: layouts: where in its buffer each tensor is stored.
 *
 * Pixels of a tensor are `pixel` floats apart: that is the number of channels, rounded up to whole
 * vectors of the widest ISA.  Pixels whose distance is a multiple of a large power of two share
 * few sets of the cache.  So 16 floats are added where a convolution would read pixels a multiple
 * of 2 KB apart (measured: 4 to 7 % faster), or where a depthwise convolution, which reads a line
 * of many pixels, would read them a multiple of 256 bytes apart (up to 30 %).  If an input has few
 * channels, and only convolutions that read channels one by one use it, its channels are not
 * rounded up, so that a row of the window is one run.
 *
 * Rows and pixels of zeros surround the image: on each side exactly as many as the windows of the
 * convolutions that read it reach beyond it, but for those that clip their windows.  In a training,
 * whose arena is mostly tensors of many images, the zeros after a row are those before the next one
 * as well, and those below an image those above the next.
 *
 * The result of a node that remembers is in the state: of a history, it is the state itself; of a
 * delay, the state has an image for each value that it keeps and for the operand, one after the
 * other, and the first is the result.
 */
#include "plan/plan_parts.h"

#include "net/state.h"
#include "plan/training.h"

#include <limits.h>

enum { FAR_PITCH = 512, LINES_PITCH = 64, FAR_EXTRA = 16 };

void conv_reach(const Node *node, int axis, int *before, int *behind)
{
    const Attrs *a = &node->attrs;
    const Type in = node->in[0]->type;
    const int64_t extent = axis ? in.w : in.h, out = axis ? node->type.w : node->type.h;
    const int64_t last =
        (out - 1) * a->stride[axis] + (a->kernel[axis] - 1) * a->dilation[axis] - a->padding[axis];
    *before = a->padding[axis];
    *behind = last >= extent ? (int)(last - extent + 1) : 0;
}

bool step_has_zeros(const Step *step)
{
    const Tensor *in = step->in[0].tensor;
    bool has = true;
    for (int axis = 0; axis < 2 && step->method && step->method->reads_halo; axis++) {
        int before, behind;
        conv_reach(step->node, axis, &before, &behind);
        has = has && before <= in->halo[axis] && behind <= in->halo[axis + 2];
    }
    return has;
}

/* What the layout of a store must provide for those that read its tensors. */
typedef struct Wishes {
    int halo[4];  /* top, left, bottom, right */
    bool by_conv; /* a convolution reads it pixel by pixel */
    bool by_line; /* a depthwise convolution reads a vector of many pixels */
    bool others;  /* something reads or writes it by vectors of channels */
} Wishes;

static void most(int *a, int b)
{
    *a = *a > b ? *a : b;
}

void halo_read(const Plan *plan, const Node *user, int slot, int halo[4])
{
    const Method *method = slot == 0 ? plan->methods[user->id] : NULL;
    for (int i = 0; i < 4; i++)
        halo[i] = 0;
    if (!method && plan->training)
        train_halo(plan, user, slot, halo);
    user = method ? conv_of(plan, user) : user;
    for (int axis = 0; axis < 2 && method && method->reads_halo; axis++)
        conv_reach(user, axis, &halo[axis], &halo[axis + 2]);
}

/* The wishes of a node that only training has.  Gradients by filters read the layer's operand as
 * the layer does. */
static void add_train_wishes(const Node *user, int slot, Wishes *w)
{
    const bool reads = user->op == OP_CONV_WEIGHTS && slot == 1;
    w->by_conv = w->by_conv || reads || (user->op == OP_CONV_TRANSPOSE && slot == 0);
    w->others = w->others || !reads || user->attrs.groups > 1;
}

static void add_wishes(const Plan *plan, const Node *user, int slot, Wishes *w)
{
    const Method *method = slot == 0 ? plan->methods[user->id] : NULL;
    int halo[4];
    halo_read(plan, user, slot, halo);
    for (int i = 0; i < 4; i++)
        most(&w->halo[i], halo[i]);
    if (!method && plan->training) {
        add_train_wishes(user, slot, w);
        return;
    }
    w->by_conv = w->by_conv || (method && method->by_pixel);
    w->by_line = w->by_line || (method && method->by_line);
    w->others = w->others || !method || !method->any_channels;
}

/* Whether the node is some rows of its operand, stored there: it neither reads nor writes. */
static bool is_rows(const Placing *p, const Node *node)
{
    return p->form == FORM_VIEW && node->op == OP_CROP && node->type.c == node->in[0]->type.c;
}

static Wishes *find_wishes(const Plan *plan, const Sharing *sharing)
{
    Wishes *wishes = NEW_ARRAY(plan->arena, Wishes, sharing->stores.n + 1);
    for (int i = 0; i < plan->net->nodes.n; i++) {
        const Node *user = plan->net->nodes.at[i];
        const Placing *p = &sharing->placings[i];
        for (int j = 0; j < user->n_in && !is_rows(p, user); j++)
            add_wishes(plan, user, j, &wishes[sharing->placings[user->in[j]->id].store]);
        if (p->form != FORM_INPUT && !is_rows(p, user))
            wishes[p->store].others = true;
    }
    return wishes;
}

/* Reports that a tensor is too large, since distances are ints; returns false. */
static bool too_large(const Plan *plan, const Store *store, Diag *diag)
{
    const Node *node = plan->net->nodes.at[store->nodes.at[0]];
    diag_error(diag, node->place ? node->place->loc : NO_LOC,
               "the tensor of '%s' is too large: more than 2^31 - 1 numbers with its halo",
               node->name);
    return false;
}

/* The frames of an image that a store has one after the other. */
static int store_frames(const Plan *plan, const Store *store)
{
    const Node *node = plan->net->nodes.at[store->nodes.at[0]];
    return node->op == OP_DELAY ? node->attrs.frames + 1 : 1;
}

/* The rows (axis 0) or pixels (axis 1) of zeros that are there once for both sides. */
static int64_t shared_halo(const Plan *plan, const Tensor *t, int axis)
{
    const int before = t->halo[axis], behind = t->halo[axis + 2];
    return !plan->training ? 0 : before < behind ? before : behind;
}

/* The elements of so many images.  Before the first row, and after the last one, there are all
 * zeros. */
static int64_t stored_elements(const Plan *plan, const Tensor *t, int64_t images)
{
    return images * t->image + shared_halo(plan, t, 0) * t->row +
           shared_halo(plan, t, 1) * t->pixel;
}

/* 1 for a gradient that is kept in panels: each output has a number more, of its bias. */
static int in_panels(const Plan *plan, const Store *store)
{
    return plan->training && plan->training->panels[store->nodes.at[0]] &&
           is_param_like(plan->net->nodes.at[store->nodes.at[0]]);
}

/* The layout of a store's pixels; true if it fits into ints. */
static bool lay_out(const Plan *plan, const Store *store, const Wishes *w, Type type, Tensor *t)
{
    int64_t pixel = store->channels;
    if (is_param_like(plan->net->nodes.at[store->nodes.at[0]]))
        pixel = type.c;
    else if (!w->others && type.c < plan->align)
        pixel = type.c;
    else if (((w->by_conv && pixel % FAR_PITCH == 0) || (w->by_line && pixel % LINES_PITCH == 0)) &&
             type.h * type.w > 1)
        pixel += FAR_EXTRA;
    for (int i = 0; i < 4; i++)
        t->halo[i] = w->halo[i];
    int64_t row = pixel * ((int64_t)type.w + t->halo[1] + t->halo[3] - shared_halo(plan, t, 1));
    if (pixel > INT_MAX || row > INT_MAX)
        return false;
    const int64_t rows = ((int64_t)type.h + t->halo[0] + t->halo[2] - shared_halo(plan, t, 0)) *
                         store_frames(plan, store);
    if (rows > INT_MAX / row || row * rows > INT_MAX / type.n)
        return false;
    t->pixel = (int)pixel;
    t->row = (int)row;
    t->image = (int)(row * rows + in_panels(plan, store));
    t->top = t->halo[0];
    t->origin = t->top * row + t->halo[1] * pixel;
    return stored_elements(plan, t, type.n) <= INT_MAX;
}

State *add_state(Plan *plan, const char *name, Elem elem, Type type, int64_t elements)
{
    State *state = NEW(plan->arena, State);
    *state = (State){.name = name, .elem = elem, .type = type, .offset = plan->state_bytes};
    state->bytes = round_up(elems_bytes(elem, elements), 64);
    plan->state_bytes += state->bytes;
    VEC_PUSH(plan->arena, &plan->states, state);
    return state;
}

/* Makes the state of a node that remembers, and its tensor, which is all of its store. */
static void place_state(Plan *plan, const Store *store, Tensor layout)
{
    const Node *node = plan->net->nodes.at[store->nodes.at[0]];
    Type type = node->type;
    type.n *= store_frames(plan, store);
    const int64_t elements = stored_elements(plan, &layout, node->type.n);
    const State *state = add_state(plan, node->name, layout.elem, type, elements);
    Tensor *t = NEW(plan->arena, Tensor);
    *t = layout;
    t->node = node;
    t->state = state;
    t->buffer = -1;
    t->c = lanes_of(plan, node->type.c);
    plan->tensors[node->id] = t;
}

/* Makes the buffer of a store and the tensors of its nodes. */
static bool place_store(Plan *plan, const Sharing *sharing, const Store *store, const Wishes *w,
                        Diag *diag)
{
    Type type = plan->net->nodes.at[store->nodes.at[0]]->type;
    type.h = store->rows;
    Tensor layout = {.elem = ELEM_F32, .buffer = plan->buffers.n};
    if (!lay_out(plan, store, w, type, &layout))
        return too_large(plan, store, diag);
    if (remembers(plan->net->nodes.at[store->nodes.at[0]])) {
        place_state(plan, store, layout);
        return true;
    }
    Buffer buffer = {
        .bytes = round_up(elems_bytes(layout.elem, stored_elements(plan, &layout, type.n)), 64)};
    int64_t largest = -1, channels = 0;
    for (int i = 0; i < store->nodes.n; i++) {
        const Node *node = plan->net->nodes.at[store->nodes.at[i]];
        const Placing *p = &sharing->placings[node->id];
        Tensor *t = NEW(plan->arena, Tensor);
        *t = layout;
        t->node = node;
        t->c = layout.pixel < plan->align || is_param_like(node) ? layout.pixel
                                                                 : lanes_of(plan, node->type.c);
        t->top += p->row;
        t->halo[0] = p->row == 0 ? layout.halo[0] : 0;
        t->halo[2] = p->row + node->type.h == store->rows ? layout.halo[2] : 0;
        t->origin += p->channel + (int64_t)p->row * layout.row;
        plan->tensors[node->id] = t;
        if (p->channel + node->type.c > channels)
            channels = p->channel + node->type.c;
        if (type_elements(node->type) > largest) {
            largest = type_elements(node->type);
            buffer.what = node->name;
        }
    }
    buffer.bare_bytes = elems_bytes(layout.elem, channels * type.n * type.h * type.w);
    VEC_PUSH(plan->arena, &plan->buffers, buffer);
    return true;
}

static bool no_halo(const Wishes *w)
{
    return !w->halo[0] && !w->halo[1] && !w->halo[2] && !w->halo[3];
}

/* A flatten in the order in which its operand is stored is the operand itself, seen as one pixel,
 * if nothing is stored between the operand's pixels or beside its channels. */
static bool lies_flat(const Plan *plan, const Sharing *sharing, const Wishes *wishes,
                      const Node *node)
{
    if (node->op != OP_FLATTEN || node->act != ACT_NONE || plan->options.keep_all ||
        sharing->placings[node->id].form != FORM_STEP || node->attrs.order != ORDER_NHWC)
        return false;
    const Node *operand = node->in[0];
    if (remembers(operand))
        return false;
    const int store = sharing->placings[operand->id].store;
    const Wishes *w = &wishes[store];
    return no_halo(w) && no_halo(&wishes[sharing->placings[node->id].store]) &&
           sharing->stores.at[store].channels == operand->type.c &&
           sharing->stores.at[store].rows == operand->type.h &&
           !(w->by_conv && operand->type.c % FAR_PITCH == 0);
}

static void place_flat(Plan *plan, const Node *node)
{
    const Tensor *from = plan->tensors[node->in[0]->id];
    Tensor *t = NEW(plan->arena, Tensor);
    *t = (Tensor){.node = node, .elem = from->elem, .buffer = from->buffer, .origin = from->origin};
    t->c = t->pixel = t->row = t->image = from->image;
    plan->tensors[node->id] = t;
}

bool place_tensors(Plan *plan, Diag *diag)
{
    const int n = plan->net->nodes.n;
    Sharing *sharing;
    Sharer *sharer = share_nodes(plan, &sharing);
    plan->placings = sharing->placings;
    plan->tensors = NEW_ARRAY(plan->arena, Tensor *, n + 1);
    Wishes *wishes = find_wishes(plan, sharing);
    bool *flat = NEW_ARRAY(plan->arena, bool, n + 1);
    for (int i = 0; i < n; i++) {
        const Node *node = plan->net->nodes.at[i];
        flat[i] = lies_flat(plan, sharing, wishes, node) && share_flat(sharer, i);
    }
    bool ok = true;
    for (int i = 0; i < sharing->stores.n; i++) {
        const Store *store = &sharing->stores.at[i];
        if (store->nodes.n == 0 || sharing->placings[store->nodes.at[0]].form == FORM_FUSED)
            continue;
        ok = place_store(plan, sharing, store, &wishes[i], diag) && ok;
    }
    for (int i = 0; i < n && ok; i++) {
        if (flat[i])
            place_flat(plan, plan->net->nodes.at[i]);
    }
    return ok;
}
