/* onnx_sample.c: operators of ONNX that put pixels around an image, resize it, or repeat pixels. */
#include "import/onnx_parts.h"

#include "net/sample.h"

#include <math.h>

enum { PADDING_MOST = 1 << 20 };

/* ---- padding ---- */

/* What Pad puts before and after each of rnc's axes; less than nothing is cut off. */
typedef struct Pads {
    int64_t by[AXES][2];
} Pads;

/* The axes of the view that operand 3 names, which are all if it is left out; false after refusing
 * the node. */
static bool padded_axes(Work *w, int rank, int n_pads, int64_t axes[ONNX_RANK_MOST])
{
    const int64_t *named;
    int n;
    if (!ints_of(w, "axes", 3, &named, &n))
        return false;
    bool good = n_pads == 2 * (n ? n : rank) && n <= rank;
    for (int i = 0; good && i < n_pads / 2; i++) {
        axes[i] = n ? axis_in(named[i], rank) : i;
        good = axes[i] >= 0;
    }
    if (!good)
        refuse(w, "whose attributes do not fit its operand", NULL);
    return good;
}

/* Pads by rnc's axes, and the view of the result; false after refusing the node. */
static bool pads_of(Work *w, const Value *v, const int64_t *pads, int n, Pads *to, View *view)
{
    const Type t = v->node->type;
    const int64_t extents[AXES] = {t.n, t.c, t.h, t.w};
    int64_t axes[ONNX_RANK_MOST];
    *to = (Pads){0};
    *view = v->view;
    if (!padded_axes(w, v->view.rank, n, axes))
        return false;
    for (int i = 0; i < n / 2; i++) {
        const int64_t before = pads[i], after = pads[n / 2 + i];
        const int at = (int)axes[i];
        const int axis = view_whole_axis(&v->view, at, t);
        if (before == 0 && after == 0)
            continue;
        const bool fits = axis > AXIS_N && before > -PADDING_MOST && before < PADDING_MOST &&
                          after > -PADDING_MOST && after < PADDING_MOST &&
                          extents[axis] + before + after > 0;
        if (!fits || to->by[axis][0] || to->by[axis][1]) {
            refuse(w, "of what is no axis of an image, or by more than rnc has", NULL);
            return false;
        }
        to->by[axis][0] = before;
        to->by[axis][1] = after;
        view_set_whole(view, at, axis, extents[axis] + before + after);
    }
    return true;
}

/* Sets the attributes of zeropad, pad or crop from the pads of this sign; false if there are none.
 */
static bool set_pads(Attrs *a, const Pads *pads, int sign)
{
    bool any = false;
    for (int i = 0; i < 2; i++) {
        const int64_t h = sign * pads->by[AXIS_H][i], w = sign * pads->by[AXIS_W][i];
        const int64_t c = sign * pads->by[AXIS_C][i];
        a->padding[2 * i] = h > 0 ? (int)h : 0;
        a->padding[2 * i + 1] = w > 0 ? (int)w : 0;
        a->channel_padding[i] = c > 0 ? (int)c : 0;
        any = any || h > 0 || w > 0 || c > 0;
    }
    return any;
}

static Node *shifted(Work *w, Node *x, float by)
{
    float *scale = NEW_ARRAY(w->arena, float, x->type.c);
    float *shift = NEW_ARRAY(w->arena, float, x->type.c);
    for (int i = 0; i < x->type.c; i++)
        scale[i] = 1, shift[i] = by;
    return channelwise(w, x, scale, shift, false);
}

/* A number around the image: zeros around the image without it. */
static Node *with_constant(Work *w, Node *x, const Pads *pads, float value)
{
    Attrs crop = ir_default_attrs(OP_CROP), zeros = ir_default_attrs(OP_ZEROPAD);
    if (set_pads(&crop, pads, -1))
        x = layer(w, OP_CROP, &x, 1, &crop);
    if (!x || !set_pads(&zeros, pads, 1))
        return x;
    if (value != 0)
        x = shifted(w, x, -value);
    x = x ? layer(w, OP_ZEROPAD, &x, 1, &zeros) : NULL;
    return x && value != 0 ? shifted(w, x, value) : x;
}

/* The padding of an image by itself; NULL after refusing the node. */
static Node *with_pixels(Work *w, Node *x, const Pads *pads, const char *mode)
{
    static const struct {
        const char *word;
        PaddingMode mode;
    } modes[] = {
        {"reflect", PADDING_REFLECT}, {"edge", PADDING_REPLICATE}, {"wrap", PADDING_CIRCULAR}};
    const size_t n = sizeof modes / sizeof *modes;
    Attrs a = ir_default_attrs(OP_PAD), cut = a;
    size_t k = 0;
    while (k < n && !str_eq(modes[k].word, mode))
        k++;
    const bool channels = pads->by[AXIS_C][0] || pads->by[AXIS_C][1];
    if (k == n || channels || set_pads(&cut, pads, -1)) {
        refuse(w,
               arena_printf(w->arena, "with mode=%s%s", str_shown(w->arena, mode),
                            channels ? " of channels"
                            : k < n  ? " that cuts off pixels"
                                     : ""),
               "rnc pads images with zeros, or in the modes reflect, edge and wrap");
        return NULL;
    }
    set_pads(&a, pads, 1);
    a.padding_mode = modes[k].mode;
    return layer(w, OP_PAD, &x, 1, &a);
}

/* The number that a constant padding puts; false after refusing the node. */
static bool pad_value(Work *w, float *value)
{
    const OnnxTensor *t = known(w, 2);
    *value = (float)attr_float(w, "value", 0);
    if (t && t->elements == 1 && t->bytes && onnx_type_real(t->type))
        *value = *onnx_floats(t, w->arena);
    else if (has_operand(w, 2)) {
        refuse(w, "with a value that is not known", NULL);
        return false;
    }
    if (fabsf(*value) <= 1e6f)
        return true;
    refuse(w, arena_printf(w->arena, "with the value %g", (double)*value),
           "rnc pads with numbers from -1e6 to 1e6; the padding of a maxpool never wins");
    return false;
}

void onnx_pad(Work *w)
{
    const Value *v = tensor(w, 0);
    const int64_t *at;
    Pads pads;
    View view;
    int n;
    if (!v || !ints_of(w, "pads", 1, &at, &n))
        return;
    const char *mode = attr_text(w, "mode", "constant");
    const bool constant = str_eq(mode, "constant");
    float value = 0;
    bool none = true;
    for (int i = 0; i < n; i++)
        none = none && at[i] == 0;
    if (none) {
        give_same(w, 0, v);
        return;
    }
    if ((constant && !pad_value(w, &value)) || !pads_of(w, v, at, n, &pads, &view))
        return;
    give(w, 0,
         constant ? with_constant(w, v->node, &pads, value) : with_pixels(w, v->node, &pads, mode),
         &view);
}

/* ---- rows and columns by their numbers ---- */

static bool is_padding(PaddingMode mode, int before, const int64_t *from, int n, int extent)
{
    const int after = n - extent - before;
    if (after < 0 || !padding_fits(mode, before, extent) || !padding_fits(mode, after, extent))
        return false;
    for (int i = 0; i < n; i++) {
        if (from[i] != padding_source(mode, (int64_t)i - before, extent))
            return false;
    }
    return true;
}

Node *padded_by(Work *w, Node *x, int axis, const int64_t *from, int n)
{
    static const PaddingMode modes[] = {PADDING_REFLECT, PADDING_SYMMETRIC, PADDING_REPLICATE,
                                        PADDING_CIRCULAR};
    const int extent = axis ? x->type.w : x->type.h;
    int first = 0, zeros = 0;
    while (first < n && from[first] != 0)
        first++;
    while (first + zeros < n && from[first + zeros] == 0)
        zeros++;
    /* The image begins at a 0: the first, or the last of them in a row. */
    for (size_t k = 0; k < 2 * sizeof modes / sizeof *modes && zeros; k++) {
        const PaddingMode mode = modes[k / 2];
        const int before = k % 2 ? first + zeros - 1 : first;
        if (!is_padding(mode, before, from, n, extent))
            continue;
        Attrs a = ir_default_attrs(OP_PAD);
        if (x->op == OP_PAD && x->attrs.padding_mode == mode && !x->attrs.padding[axis] &&
            !x->attrs.padding[2 + axis]) {
            a = x->attrs;
            x = x->in[0];
        }
        a.padding_mode = mode;
        a.padding[axis] = before;
        a.padding[2 + axis] = n - extent - before;
        return layer(w, OP_PAD, &x, 1, &a);
    }
    return NULL;
}

/* ---- resize ---- */

/* What Resize or Upsample says of one axis. */
typedef struct Resized {
    int in, out;
    double scale;
    bool scaled; /* the file has the scale, not the extent */
} Resized;

/* Where its pixels lie in the operand, in ONNX's words. */
typedef struct Rule {
    const char *mode, *where, *nearest;
} Rule;

static Rule rule_of(Work *w)
{
    const bool old = str_eq(w->node->op, "Upsample") || w->model->opset < 11;
    const Rule rule = {attr_text(w, "mode", "nearest"),
                       old ? "asymmetric"
                           : attr_text(w, "coordinate_transformation_mode", "half_pixel"),
                       old ? "floor" : attr_text(w, "nearest_mode", "round_prefer_floor")};
    return rule;
}

/* The place of pixel o, before it is rounded or kept within the image; NAN if it is unknown. */
static double place(const Rule *r, const Resized *axis, int o)
{
    const double half = (o + 0.5) / axis->scale - 0.5;
    if (str_eq(r->where, "half_pixel"))
        return half;
    if (str_eq(r->where, "pytorch_half_pixel"))
        return axis->out > 1 ? half : 0;
    if (str_eq(r->where, "asymmetric"))
        return o / axis->scale;
    if (str_eq(r->where, "align_corners"))
        return axis->out > 1 ? o * (axis->in - 1.0) / (axis->out - 1.0) : 0;
    if (str_eq(r->where, "tf_half_pixel_for_nn"))
        return half + 0.5;
    if (str_eq(r->where, "half_pixel_symmetric"))
        return axis->in / 2.0 * (1 - axis->out / (axis->scale * axis->in)) + half;
    return NAN;
}

static double rounded(const Rule *r, double x)
{
    if (str_eq(r->nearest, "floor"))
        return floor(x);
    if (str_eq(r->nearest, "ceil"))
        return ceil(x);
    return str_eq(r->nearest, "round_prefer_ceil") ? floor(x + 0.5) : ceil(x - 0.5);
}

/* Whether rnc's resize takes the pixels of an axis from where the file says. */
static bool same_places(const Rule *r, const Attrs *a, int k, const Resized *axis)
{
    const bool nearest = a->resize_mode == RESIZE_NEAREST;
    if (resize_extent(a, k, axis->in) != axis->out)
        return false;
    for (int o = 0; o < axis->out; o++) {
        Tap taps[MOST_TAPS];
        const int n = sample_taps(OP_RESIZE, a, k, axis->in, axis->out, o, taps);
        double ours = 0, theirs = place(r, axis, o);
        for (int i = 0; i < n; i++)
            ours += taps[i].at * taps[i].weight;
        theirs = fmin(fmax(nearest ? rounded(r, theirs) : theirs, 0), axis->in - 1);
        if (!(fabs(ours - theirs) <= 1e-4))
            return false;
    }
    return true;
}

/* The attributes of rnc's resize that does the same; false if there are none. */
static bool resize_of(Work *w, const Rule *r, const Resized axes[2], Attrs *a)
{
    static const char *const words[] = {[CORNERS_HALF_PIXEL] = "half_pixel",
                                        [CORNERS_ALIGN] = "align_corners",
                                        [CORNERS_ASYMMETRIC] = "asymmetric",
                                        [CORNERS_PYTORCH_HALF_PIXEL] = "pytorch_half_pixel"};
    enum { WAYS = sizeof words / sizeof *words };
    double *scales = NEW_ARRAY(w->arena, double, 2);
    int own = 0;
    while (own < WAYS && !str_eq(words[own], r->where))
        own++;
    for (int i = -1; i < WAYS; i++) {
        if (i < 0 && own == WAYS)
            continue;
        a->corners = i < 0 ? (Corners)own : (Corners)i;
        for (int sized = !axes[0].scaled; sized < 2; sized++) {
            for (int k = 0; k < 2; k++) {
                a->size[k] = sized ? axes[k].out : 0;
                scales[k] = sized ? 0 : axes[k].scale;
            }
            a->scales = (Reals){scales, scales[0] == scales[1] ? 1 : 2};
            if (same_places(r, a, 0, &axes[0]) && same_places(r, a, 1, &axes[1]))
                return true;
        }
    }
    return false;
}

/* Number i of scales or sizes, for axis i of the operand; 0 if it is not there. */
static double number_at(Work *w, const OnnxTensor *t, const OnnxAttr *attr, int i)
{
    if (attr)
        return attr->kind == ONNX_ATTR_FLOATS && i < attr->n ? decimal((double)attr->floats[i]) : 0;
    if (!t || !t->bytes || i >= t->elements)
        return 0;
    if (onnx_type_whole(t->type))
        return (double)onnx_ints(t, w->arena)[i];
    return onnx_type_real(t->type) ? decimal((double)onnx_floats(t, w->arena)[i]) : 0;
}

/* The extents and scales of height and width; false if they are not known, or of other axes. */
static bool resized_axes(Work *w, const Value *v, Resized axes[2])
{
    const bool old = str_eq(w->node->op, "Upsample") || w->model->opset < 11;
    const OnnxTensor *scales = known(w, old ? 1 : 2), *sizes = old ? NULL : known(w, 3);
    const OnnxAttr *attr = onnx_attr(w->node, "scales"), *named = attr_ints(w, "axes");
    const bool scaled = attr || (scales && scales->elements > 0);
    const int rank = v->view.rank, n = named ? named->n : rank;
    axes[0] = axes[1] = (Resized){1, 1, 1, scaled};
    for (int i = 0; i < n; i++) {
        const int at = named ? axis_in(named->ints[i], rank) : i, k = at - rank + 2;
        const double number = number_at(w, scaled ? scales : sizes, attr, i);
        if (at < 0 || !(number > 0) || number > RESIZE_MOST)
            return false;
        const int64_t in = v->view.dims[at];
        const double out = scaled ? floor((double)in * number + 1e-6) : number;
        if (at < 2) {
            if (out != (double)in || (scaled && number != 1))
                return false;
        } else if (out >= 1 && out <= RESIZE_MOST) {
            axes[k] = (Resized){(int)in, (int)out, scaled ? number : out / (double)in, scaled};
        } else {
            return false;
        }
    }
    return rank > 2;
}

/* An axis that is not named keeps its extent. */
static void set_left(const Value *v, Resized axes[2])
{
    const Type t = v->node->type;
    const int extents[] = {t.h, t.w};
    for (int k = 0; k < 2; k++) {
        if (axes[k].in != extents[k])
            axes[k] = (Resized){extents[k], extents[k], 1, axes[k].scaled};
    }
}

/* Each pixel several times; NULL if it is none. */
static Node *repeated(Work *w, Node *x, const Rule *r, const Resized axes[2])
{
    Attrs a = ir_default_attrs(OP_RESIZE), up = ir_default_attrs(OP_UPSAMPLE);
    a.resize_mode = RESIZE_NEAREST;
    a.corners = CORNERS_ASYMMETRIC;
    for (int k = 0; k < 2; k++) {
        up.scale_by[k] = a.size[k] = axes[k].out;
        if (axes[k].out % axes[k].in || axes[k].out / axes[k].in > 64 ||
            !same_places(r, &a, k, &axes[k]))
            return NULL;
        up.scale_by[k] = axes[k].out / axes[k].in;
    }
    return layer(w, OP_UPSAMPLE, &x, 1, &up);
}

void onnx_resize(Work *w)
{
    Node *x = image(w, 0);
    Resized axes[2];
    if (!x)
        return;
    const Rule rule = rule_of(w);
    const bool nearest = str_eq(rule.mode, "nearest"), linear = str_ends(rule.mode, "linear");
    if (!resized_axes(w, operand(w, 0), axes)) {
        refuse(w, "to extents that are not known, or of other axes than height and width", NULL);
        return;
    }
    set_left(operand(w, 0), axes);
    const bool smaller = axes[0].out < axes[0].in || axes[1].out < axes[1].in;
    const bool stretched = str_eq(attr_text(w, "keep_aspect_ratio_policy", "stretch"), "stretch");
    if (axes[0].out == axes[0].in && axes[1].out == axes[1].in) {
        give_image(w, x);
        return;
    }
    Attrs a = ir_default_attrs(OP_RESIZE);
    a.resize_mode = nearest ? RESIZE_NEAREST : RESIZE_BILINEAR;
    /* What rnc export writes of `resize` stays one, although `upsample` may say the same. */
    const bool own =
        nearest && (str_eq(rule.nearest, "round_prefer_ceil") || (w->own && !axes[0].scaled));
    Node *node = nearest && stretched && !own ? repeated(w, x, &rule, axes) : NULL;
    if (!node && (nearest || linear) && stretched && !(smaller && attr_int(w, "antialias", 0)) &&
        resize_of(w, &rule, axes, &a))
        node = layer(w, OP_RESIZE, &x, 1, &a);
    if (node)
        give_image(w, node);
    else
        refuse(w,
               arena_printf(w->arena, "with mode=%s%s%s, coordinate_transformation_mode=%s%s",
                            str_shown(w->arena, rule.mode), nearest ? ", nearest_mode=" : "",
                            nearest ? str_shown(w->arena, rule.nearest) : "",
                            str_shown(w->arena, rule.where),
                            attr_int(w, "antialias", 0) ? ", antialias=1" : ""),
               "rnc resizes by the nearest pixel or bilinearly, see `rnc doc resize`");
}

/* ---- pixels repeated ---- */

/* Pixels, one for each channel, are spread by the sum or product that follows, too. */
static void spread(Work *w, const Value *v, const OnnxTensor *shape)
{
    Value *to = result(w, 0);
    v = channels_again(w, v);
    const Type t = v->node->type;
    if (!to || t.h > 1 || t.w > 1 || !shape || !shape->bytes || !onnx_type_whole(shape->type)) {
        refuse(w, "that repeats elements", NULL);
        return;
    }
    give_same(w, 0, v);
    to->kind = VALUE_SPREAD;
    to->spread = shape;
    to->why =
        "that repeats elements, but for one that takes a pixel to the size of what it is added "
        "to or multiplied by next";
}

void onnx_expand(Work *w)
{
    if (root_spread(w))
        return;
    const Value *v = tensor(w, 0);
    const OnnxTensor *shape = known(w, 1);
    if (!v)
        return;
    bool same =
        shape && shape->bytes && onnx_type_whole(shape->type) && shape->elements <= v->view.rank;
    const int64_t *dims = same ? onnx_ints(shape, w->arena) : NULL;
    for (int i = 0; same && i < shape->elements; i++) {
        const int64_t own = v->view.dims[v->view.rank - shape->elements + i];
        same = dims[i] == 1 || dims[i] == own;
    }
    if (same)
        give_same(w, 0, v);
    else
        spread(w, v, shape);
}
