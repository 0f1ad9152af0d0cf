/* onnx_write_ops.c: what each layer is in ONNX. */
#include "import/onnx_write_parts.h"

#include "net/state.h"

#include <math.h>

/* A node with the layer's name, of the operand and `more` others. */
static const char *layer(OnnxOut *o, const Node *node, const char *op, int more,
                         const char *const *others)
{
    const char *in[8] = {out_operand(o, node, 0)};
    for (int i = 0; i < more; i++)
        in[1 + i] = others[i];
    return out_node(o, op, node->name, 1 + more, in);
}

static void unary(OnnxOut *o, const Node *node, const char *op)
{
    out_same(o, node, layer(o, node, op, 0, NULL));
}

/* Numbers for each channel, or one for all, in the form that spreads over operand 0. */
static const char *channel_floats(OnnxOut *o, const Node *node, const char *name, const float *at,
                                  int n)
{
    const int64_t image[] = {n, 1, 1}, row[] = {n};
    const bool vector = n == 1 || out_is_row(o, node, 0);
    return out_floats(o, name, vector ? 1 : 3, vector ? row : image, at);
}

static const char *reals(OnnxOut *o, const Node *node, const char *name, Reals r)
{
    float *at = NEW_ARRAY(o->arena, float, r.n);
    for (int i = 0; i < r.n; i++)
        at[i] = (float)r.at[i];
    return channel_floats(o, node, name, at, r.n);
}

static bool all_are(Reals r, double value)
{
    for (int i = 0; i < r.n; i++) {
        if (r.at[i] != value)
            return false;
    }
    return true;
}

/* ---- known and trained factors ---- */

/* A layer of several steps gives its name to the last. */
static const char *step_name(OnnxOut *o, const Node *node, const char *what, bool last)
{
    return last ? node->name : out_part(o, node, what);
}

static bool write_normalize(OnnxOut *o, const Node *node)
{
    const Attrs *a = &node->attrs;
    const char *x = out_operand(o, node, 0);
    if (node->in[0]->type.elem != ELEM_F32) {
        x = out_node(o, "Cast", out_part(o, node, "float"), 1, &x);
        out_int(o, "to", OUT_FLOAT);
    }
    const bool centred = !all_are(a->mean, 0), divided = !all_are(a->std, 1);
    if (a->scale != 1)
        x = out_step(o, "Mul", step_name(o, node, "scaled", !centred && !divided), x,
                     out_number(o, out_part(o, node, "scale"), a->scale));
    if (centred)
        x = out_step(o, "Sub", step_name(o, node, "centred", !divided), x,
                     reals(o, node, out_part(o, node, "mean"), a->mean));
    if (divided)
        x = out_step(o, "Div", node->name, x, reals(o, node, out_part(o, node, "std"), a->std));
    out_same(o, node, x);
    return true;
}

static bool write_affine(OnnxOut *o, const Node *node)
{
    const Attrs *a = &node->attrs;
    const char *x = out_operand(o, node, 0);
    const bool shifted = !all_are(a->addend, 0);
    if (!all_are(a->factor, 1))
        x = out_step(o, "Mul", step_name(o, node, "scaled", !shifted), x,
                     reals(o, node, out_part(o, node, "scale"), a->factor));
    if (shifted)
        x = out_step(o, "Add", node->name, x,
                     reals(o, node, out_part(o, node, "shift"), a->addend));
    out_same(o, node, x);
    return true;
}

/* A parameter for each channel, or one for all. */
static const char *channel_param(OnnxOut *o, const Node *node, Role role)
{
    const Param *param = node->params[role];
    const int64_t n = param->dims[0], image[] = {n, 1, 1};
    return n == 1 || out_is_row(o, node, 0) ? out_param(o, param, 1, &n)
                                            : out_param(o, param, 3, image);
}

static bool write_scale(OnnxOut *o, const Node *node)
{
    const char *x = out_operand(o, node, 0);
    if (node->params[P_WEIGHT])
        x = out_step(o, "Mul", step_name(o, node, "scaled", !node->params[P_BIAS]), x,
                     channel_param(o, node, P_WEIGHT));
    if (node->params[P_BIAS])
        x = out_step(o, "Add", node->name, x, channel_param(o, node, P_BIAS));
    out_same(o, node, x);
    return true;
}

static bool write_prelu(OnnxOut *o, const Node *node)
{
    const char *slope = channel_param(o, node, P_WEIGHT);
    out_same(o, node, layer(o, node, "PRelu", 1, &slope));
    return true;
}

/* ---- activations ---- */

static bool write_relu6(OnnxOut *o, const Node *node)
{
    const char *bounds[] = {out_number(o, out_part(o, node, "min"), 0),
                            out_number(o, out_part(o, node, "max"), 6)};
    out_same(o, node, layer(o, node, "Clip", 2, bounds));
    return true;
}

static bool write_clip(OnnxOut *o, const Node *node)
{
    const double least = node->attrs.alpha, most = node->attrs.beta;
    const char *bounds[] = {"", ""};
    if (!isinf(least))
        bounds[0] = out_number(o, out_part(o, node, "min"), least);
    if (!isinf(most))
        bounds[1] = out_number(o, out_part(o, node, "max"), most);
    out_same(o, node, layer(o, node, "Clip", isinf(most) ? 1 : 2, bounds));
    return true;
}

static bool write_silu(OnnxOut *o, const Node *node)
{
    const char *x = out_operand(o, node, 0);
    const char *gate = out_node(o, "Sigmoid", out_part(o, node, "sigmoid"), 1, &x);
    out_same(o, node, layer(o, node, "Mul", 1, &gate));
    return true;
}

static bool write_hard_sigmoid(OnnxOut *o, const Node *node)
{
    unary(o, node, "HardSigmoid");
    out_float(o, "alpha", node->attrs.alpha);
    out_float(o, "beta", node->attrs.beta);
    return true;
}

/* LeakyRelu and Elu. */
static bool write_alpha(OnnxOut *o, const Node *node)
{
    unary(o, node, node->op == OP_ELU ? "Elu" : "LeakyRelu");
    out_float(o, "alpha", node->attrs.alpha);
    return true;
}

static bool write_cast(OnnxOut *o, const Node *node)
{
    unary(o, node, "Cast");
    out_int(o, "to", OUT_FLOAT);
    return true;
}

/* ---- joins ---- */

/* All arms have one form: rows if all are, else images. */
static bool write_join(OnnxOut *o, const Node *node)
{
    static const struct {
        Op op;
        const char *two, *more; /* NULL: of two at a time */
    } words[] = {{OP_ADD, "Add", "Sum"},
                 {OP_MUL, "Mul", NULL},
                 {OP_SUB, "Sub", NULL},
                 {OP_DIV, "Div", NULL},
                 {OP_CONCAT, "Concat", "Concat"}};
    const char **in = NEW_ARRAY(o->arena, const char *, node->n_in);
    bool rows = true;
    int k = 0;
    while (words[k].op != node->op)
        k++;
    for (int i = 0; i < node->n_in; i++)
        rows = rows && out_is_row(o, node, i);
    for (int i = 0; i < node->n_in; i++)
        in[i] = rows ? out_operand(o, node, i) : out_image(o, node, i);
    const char *value = in[0];
    for (int i = 1; i < node->n_in && !words[k].more; i++)
        value = out_step(o, words[k].two, step_name(o, node, "product", i == node->n_in - 1), value,
                         in[i]);
    if (words[k].more)
        value =
            out_node(o, node->n_in > 2 ? words[k].more : words[k].two, node->name, node->n_in, in);
    if (node->op == OP_CONCAT)
        out_int(o, "axis", 1);
    o->values[node->id] = value;
    o->row[node->id] = rows;
    return true;
}

/* ---- all of them ---- */

/* How a layer is written: by a function, or as one node of the same form, of this operator and
 * without attributes. */
typedef struct WriteRule {
    bool (*write)(OnnxOut *o, const Node *node);
    const char *unary;
} WriteRule;

static const WriteRule rules[OP_COUNT] = {
    [OP_NORMALIZE] = {write_normalize, NULL},
    [OP_AFFINE] = {write_affine, NULL},
    [OP_SCALE] = {write_scale, NULL},
    [OP_CAST] = {write_cast, NULL},
    [OP_CONV] = {out_conv, NULL},
    [OP_CONV_TRANSPOSE] = {out_conv_transpose, NULL},
    [OP_DENSE] = {out_dense, NULL},
    [OP_MAXPOOL] = {out_pool, NULL},
    [OP_AVGPOOL] = {out_pool, NULL},
    [OP_BLURPOOL] = {out_blurpool, NULL},
    [OP_BN] = {out_bn, NULL},
    [OP_INSTANCE_NORM] = {out_instance_norm, NULL},
    [OP_GROUP_NORM] = {out_group_norm, NULL},
    [OP_LAYER_NORM] = {out_layer_norm, NULL},
    [OP_L2_NORM] = {out_l2_norm, NULL},
    [OP_SOFTMAX] = {out_softmax, NULL},
    [OP_LOG_SOFTMAX] = {out_softmax, NULL},
    [OP_REDUCE] = {out_reduce, NULL},
    [OP_PRELU] = {write_prelu, NULL},
    [OP_RELU] = {NULL, "Relu"},
    [OP_RELU6] = {write_relu6, NULL},
    [OP_CLIP] = {write_clip, NULL},
    [OP_LEAKY_RELU] = {write_alpha, NULL},
    [OP_ELU] = {write_alpha, NULL},
    [OP_SELU] = {NULL, "Selu"},
    [OP_SOFTPLUS] = {NULL, "Softplus"},
    [OP_MISH] = {NULL, "Mish"},
    [OP_SIGMOID] = {NULL, "Sigmoid"},
    [OP_TANH] = {NULL, "Tanh"},
    [OP_HARD_SIGMOID] = {write_hard_sigmoid, NULL},
    [OP_HARD_SWISH] = {NULL, "HardSwish"},
    [OP_SILU] = {write_silu, NULL},
    [OP_GELU] = {NULL, "Gelu"},
    [OP_ADD] = {write_join, NULL},
    [OP_SUB] = {write_join, NULL},
    [OP_MUL] = {write_join, NULL},
    [OP_DIV] = {write_join, NULL},
    [OP_CONCAT] = {write_join, NULL},
    [OP_SPLIT] = {out_split, NULL},
    [OP_FLATTEN] = {out_flatten, NULL},
    [OP_ZEROPAD] = {out_zeropad, NULL},
    [OP_PAD] = {out_pad, NULL},
    [OP_CROP] = {out_crop, NULL},
    [OP_SUBSAMPLE] = {out_subsample, NULL},
    [OP_UPSAMPLE] = {out_upsample, NULL},
    [OP_RESIZE] = {out_resize, NULL},
    [OP_DEPTH_TO_SPACE] = {out_depth_to_space, NULL},
    [OP_SPACE_TO_DEPTH] = {out_space_to_depth, NULL},
    [OP_CHANNEL_SHUFFLE] = {out_channel_shuffle, NULL},
    [OP_UNFLATTEN] = {out_unflatten, NULL},
    [OP_RESHAPE] = {out_reshape, NULL},
    [OP_TRANSPOSE] = {out_transpose, NULL},
};

bool out_layer(OnnxOut *o, const Node *node)
{
    const WriteRule *rule = &rules[node->op];
    if (rule->write)
        return rule->write(o, node);
    if (!rule->unary)
        return out_refuse(
            o, "ONNX has nothing like it",
            remembers(node)
                ? "ONNX's models keep nothing from run to run: give the frames as an input instead"
                : NULL);
    unary(o, node, rule->unary);
    return true;
}
