/* test_irtext.c: the network as text, there and back. */
#include "net/irtext.h"
#include "netgen.h"
#include "net/check.h"
#include "passes/pass.h"

#include <CUnit/CUnit.h>

#include <math.h>
#include <stdio.h>
#include <string.h>

static const char *text_of(const Net *net, Arena *arena)
{
    Buf out = buf_new(arena);
    irtext_print(&out, net, NULL);
    return buf_text(&out);
}

static Net *read_text(NetTest *t, const char *text)
{
    int file = src_add(&t->src, "a.ir", text, strlen(text));
    return irtext_read(t->arena, file, &t->diag);
}

static void test_print(void)
{
    NetTest t;
    netgen_begin(&t, 1);
    Node *x = netgen_input(&t, ELEM_U8, 8, 8, 3);
    Attrs a = ir_default_attrs(OP_NORMALIZE);
    a.scale = 0.5;
    a.mean = (Reals){(const double[]){0.485, 0.1, 1e-7}, 3};
    Node *in[] = {netgen_add(&t, OP_NORMALIZE, &x, 1, a), NULL};
    in[1] = netgen_conv(&t, in[0], 3, 1, 1);
    a = ir_default_attrs(OP_CONV);
    a.filters = 3;
    a.kernel[0] = a.kernel[1] = 3;
    for (int i = 0; i < 4; i++)
        a.padding[i] = 1;
    a.bias = true;
    Node *conv = netgen_add(&t, OP_CONV, in, 2, a);
    conv->params[P_WEIGHT]->alias = "features.0 \"w\"";
    conv->params[P_WEIGHT]->axes = "hwio";
    conv->act = ACT_LEAKY_RELU;
    conv->act_alpha = 0.1;
    conv->origin = 1;
    VEC_PUSH(t.arena, &conv->absorbed, "layer1.0.bn1");
    VEC_PUSH(t.arena, &conv->absorbed, "relu1");
    netgen_output(&t, conv);
    t.net->outputs.at[0].order = ORDER_NHWC;
    t.net->outputs.at[0].labels = (const char *const[]){"cat", "dog", "a \"b\"\\c"};
    t.net->outputs.at[0].n_labels = 3;
    t.net->n_original = 9;
    CU_ASSERT_STRING_EQUAL(
        text_of(t.net, t.arena),
        "net test original=9\n"
        "\n"
        "input1 = input : u8 nchw[1][3][8][8]\n"
        "normalize2 = normalize(input1) mean=(0.485, 0.1, 1e-07) scale=0.5 : f32 nchw[1][3][8][8]\n"
        "conv3 = conv(normalize2) kernel=1x1 filters=3 : f32 nchw[1][3][8][8]\n"
        "    weight [3][3][1][1]\n"
        "conv4 = conv(normalize2, conv3) kernel=3x3 filters=3 padding=(1, 1, 1, 1) bias=true "
        "act=leaky_relu act_alpha=0.1 absorbed=(layer1.0.bn1, relu1) origin=1 : "
        "f32 nchw[1][3][8][8]\n"
        "    weight [3][3][3][3] \"features.0 \\\"w\\\"\" hwio\n"
        "    bias [3]\n"
        "\n"
        "port in input1 = input1 u8 nchw\n"
        "port out output5 = conv4 f32 nhwc labels=(\"cat\",\n"
        "    \"dog\",\n"
        "    \"a \\\"b\\\"\\\\c\")\n");
    Net *back = read_text(&t, text_of(t.net, t.arena));
    CU_ASSERT_PTR_NOT_NULL_FATAL(back);
    CU_ASSERT_STRING_EQUAL(text_of(back, t.arena), text_of(t.net, t.arena));
    netgen_end(&t);
}

/* What is said of the numbers of inputs comes back as it was. */
static void test_ranges(void)
{
    static const Range ranges[] = {
        {.given = true, .low = -0.1, .high = 1e6, .typical = 3},
        {.given = true, .low = -INFINITY, .high = INFINITY, .typical = 1, .inf = true},
        {.nan = true, .inf = true},
    };
    for (int i = 0; i < 3; i++) {
        NetTest t;
        netgen_begin(&t, 1);
        netgen_output(&t, netgen_input(&t, ELEM_F32, 4, 4, 3));
        t.net->inputs.at[0].range = ranges[i];
        Net *back = read_text(&t, text_of(t.net, t.arena));
        CU_ASSERT_PTR_NOT_NULL_FATAL(back);
        const Range *range = &back->inputs.at[0].range;
        CU_ASSERT(range->given == ranges[i].given && range->low == ranges[i].low);
        CU_ASSERT(range->high == ranges[i].high && range->typical == ranges[i].typical);
        CU_ASSERT(range->nan == ranges[i].nan && range->inf == ranges[i].inf);
        netgen_end(&t);
    }
}

/* Random networks, before and after the passes. */
static void test_round_trip(void)
{
    for (uint64_t seed = 1; seed <= 200; seed++) {
        NetTest t;
        netgen_begin(&t, seed);
        netgen_random(&t, 30);
        if (seed % 2)
            CU_ASSERT(pass_run(t.net, &t.diag, (PassChoice){0}));
        const char *text = text_of(t.net, t.arena);
        Net *back = read_text(&t, text);
        CU_ASSERT_PTR_NOT_NULL_FATAL(back);
        if (back) {
            CU_ASSERT_STRING_EQUAL(text_of(back, t.arena), text);
            CU_ASSERT(check_net(back, &t.diag, "reading"));
        } else {
            printf("seed %d: %s", (int)seed, buf_text(&t.diag.out));
        }
        netgen_end(&t);
    }
}

/* Types, parameters and comments may be left out or put in. */
static void test_by_hand(void)
{
    NetTest t;
    netgen_begin(&t, 1);
    const Net *net = read_text(&t, "# a comment\n\nnet n # another\n"
                                   "x = input : f32 nchw[2][3][4][4]\n"
                                   "  c = conv(x) kernel=3x3 filters=8 stride=2x1\n"
                                   "p = avgpool(c) kernel=1x2 stride=1x1\r\n"
                                   "port in image = x f32 nhwc\n"
                                   "port out y = p f32 nchw");
    CU_ASSERT_PTR_NOT_NULL_FATAL(net);
    CU_ASSERT_EQUAL(net->nodes.n, 3);
    CU_ASSERT_EQUAL(net->n_original, 3);
    CU_ASSERT(type_eq(net->nodes.at[2]->type, (Type){ELEM_F32, 2, 1, 1, 8}));
    CU_ASSERT_EQUAL(net->nodes.at[1]->params[P_WEIGHT]->dims[1], 3);
    CU_ASSERT(net->nodes.at[2]->attrs.count_padding);
    CU_ASSERT_STRING_EQUAL(net->inputs.at[0].name, "image");
    CU_ASSERT_EQUAL(net->inputs.at[0].order, ORDER_NHWC);
    netgen_end(&t);
}

/* A second node takes the parameters of the first; a name can be another than the node's. */
static void test_shared(void)
{
    NetTest t;
    netgen_begin(&t, 1);
    const char *text = "net n\n\n"
                       "x = input : f32 nchw[1][2][4][4]\n"
                       "a = conv(x) kernel=1x1 filters=2 bias=true : f32 nchw[1][2][4][4]\n"
                       "    weight [2][2][1][1] is tower.weight \"w\" hwio\n"
                       "    bias [2]\n"
                       "b = conv(a) kernel=1x1 filters=2 bias=true : f32 nchw[1][2][4][4]\n"
                       "    weight [2][2][1][1] is tower.weight\n"
                       "    bias [2] is a.bias\n\n"
                       "port in x = x f32 nchw\n"
                       "port out y = b f32 nchw\n";
    Net *net = read_text(&t, text);
    CU_ASSERT_PTR_NOT_NULL_FATAL(net);
    CU_ASSERT(check_net(net, &t.diag, "reading"));
    CU_ASSERT_EQUAL(net->params.n, 2);
    CU_ASSERT_STRING_EQUAL(net->params.at[0]->name, "tower.weight");
    CU_ASSERT_PTR_EQUAL(net->nodes.at[1]->params[P_WEIGHT], net->nodes.at[2]->params[P_WEIGHT]);
    CU_ASSERT_PTR_EQUAL(net->nodes.at[1]->params[P_BIAS], net->nodes.at[2]->params[P_BIAS]);
    CU_ASSERT_STRING_EQUAL(text_of(net, t.arena), text);
    netgen_end(&t);
}

static void test_results(void)
{
    NetTest t;
    netgen_begin(&t, 1);
    const char *text = "net n original=5\n\n"
                       "x = input : f32 nchw[1][6][4][4]\n"
                       "a, \"b c\", d = split(x) parts=3 origin=2 : f32 nchw[1][2][4][4], "
                       "f32 nchw[1][2][4][4], f32 nchw[1][2][4][4]\n\n"
                       "port in x = x f32 nchw\n"
                       "port out y = \"b c\" f32 nchw\n";
    Net *net = read_text(&t, text);
    CU_ASSERT_PTR_NOT_NULL_FATAL(net);
    CU_ASSERT(check_net(net, &t.diag, "reading"));
    CU_ASSERT_EQUAL(net->nodes.n, 4);
    CU_ASSERT_EQUAL(net->nodes.at[3]->attrs.result, 2);
    CU_ASSERT_EQUAL(net->nodes.at[3]->origin, 4);
    CU_ASSERT_STRING_EQUAL(text_of(net, t.arena), text);
    netgen_end(&t);
}

/* `line` behind a good input is refused with `wanted`, message and place. */
static void refuses(const char *line, const char *wanted)
{
    NetTest t;
    netgen_begin(&t, 1);
    const char *text = arena_printf(t.arena,
                                    "net n\nx = input : f32 nchw[1][2][4][4]\n%s\n"
                                    "port in x = x f32 nchw\nport out y = x f32 nchw\n",
                                    line);
    CU_ASSERT_PTR_NULL(read_text(&t, text));
    CU_ASSERT_EQUAL(t.diag.errors, 1);
    CU_ASSERT_PTR_NOT_NULL(strstr(buf_text(&t.diag.out), wanted));
    if (!strstr(buf_text(&t.diag.out), wanted) || t.diag.errors != 1)
        printf("%s:\n%s", line, buf_text(&t.diag.out));
    netgen_end(&t);
}

static void test_errors(void)
{
    refuses("a = convolute(x)", "a.ir:3:5: error: expected an operator\n"
                                "    3 | a = convolute(x)\n"
                                "      |     ^~~~~~~~~\n");
    refuses("a = relu(z)", "a.ir:3:10: error: there is no node 'z' above\n");
    refuses("a = relu(x) alpha=1", "3:13: error: 'relu' has no attribute 'alpha'\n");
    refuses("a = conv(x) kernal=1x1 filters=2", "note: did you mean 'kernel'?\n");
    refuses("a = conv(x) kernel=0x1 filters=2", "3:20: error: the number must be from 1 to 1024\n");
    refuses("a = conv(x) kernel=1 filters=2", "error: expected a pair, such as 3x3\n");
    refuses("a = conv(x) kernel=1x1 filters=1.5", "error: expected a whole number\n");
    refuses("a = conv(x) kernel=1x1 filters=2 bias=yes", "error: expected 'false' or 'true'\n");
    refuses("a = conv(x) kernel=1x1 filters=2 padding=(1, 1)", "error: expected ','\n");
    refuses("a = maxpool(x) kernel=2x2", "3:1: error: 'maxpool' needs its 'stride'\n");
    refuses("a = normalize(x) mean=(1)", "error: 'normalize' needs its 'scale'\n");
    refuses("a = conv(x) kernel=9x9 filters=2", "error: the window of 'conv' is larger");
    refuses("a = relu(x, x)", "error: 'relu' takes 1 operand, not 2\n");
    refuses("a = relu(x) : f32 nchw[1][3][4][4]",
            "3:15: error: the type of 'a' follows as f32 nchw[1][2][4][4]\n");
    refuses("a, m, v = bn_train(x) : f32 nchw[1][2][4][4], f32 nchw[1][2][1][1], f32 "
            "nchw[1][3][1][1]",
            "error: the type of 'v' follows as f32 nchw[1][2][1][1]\n");
    refuses("a = relu(x) : f32 nchw[1][4][4]", "error: a type has four extents");
    /* Without a named order they are batch, height, width, channels. */
    refuses("a = relu(x) : f32[1][4][2][4]",
            "3:15: error: the type of 'a' follows as f32 nchw[1][2][4][4]\n");
    refuses("a = relu(x) : f32 nhwc[1][4][4][2]", "error: expected 'nchw'");
    refuses("a = relu(x) : f12 nchw[1][2][4][4]", "error: expected an element type");
    refuses("a = relu(x) : f16 nchw[1][2][4][4]",
            "3:15: error: the type of 'a' follows as f32 nchw[1][2][4][4]\n");
    refuses("a = input : bf16 nchw[1][2][4][4]",
            "error: no kernel reads inputs of type bf16: an input is f32, u8 or i32\n");
    refuses("port out a = x f16 nchw", "error: an output port is f32\n");
    refuses("x = relu(x)", "3:1: error: there are two nodes 'x'\n");
    refuses("a = relu(x) act=relu", "error: 'relu' cannot apply an activation");
    refuses("a = bn(x) act=bn", "error: expected an activation");
    refuses("a = bn(x)\n weight [3]", "does not have the dims that follow");
    refuses("a = bn(x)\n wait [2]", "'wait' begins neither a node");
    refuses("a = relu(x) origin=7", "error: the origin of 'a' is not below the 2 nodes");
    refuses("a = relu(x) absorbed=b", "error: expected '('\n");
    refuses("a = relu(x", "error: expected ',' or ')'\n");
    refuses("a = conv(x) kernel=1x1 filters=1\n weight [1][2][1][1] \"w\" io",
            "expected an order of axes, hwio or io");
    refuses("a = bn(x)\n weight [2] \"w\" io", "expected the next line");
    refuses("a = bn(x)\nb = bn(x)\n weight [2] is a.bias", "cannot be 'a.bias', which has another");
    refuses("a = conv(x) kernel=1x1 filters=2\nb = conv(x) kernel=1x1 filters=3\n"
            " weight [3][2][1][1] is a.weight",
            "cannot be 'a.weight', which has another role or other dims");
    refuses("a = bn(x)\n weight [2] is", "expected the name of a parameter");
    refuses("a = bn(x)\n weight [2] is b.weight\nb = bn(x)\nc = relu(b)",
            "error: there are two parameters 'b.weight'\n");
    refuses("a = \"relu", "error: the string does not end on its line\n");
    refuses("a = relu(x) ; b", "error: this character has no meaning here\n");
    refuses("a = input : f32 nchw[1][2][4][4]", "error: the input 'a' has no port\n");
    refuses("port out x = x f32 nchw", "error: there is such a port already\n");
    refuses("port out a = x u8 nchw", "error: an output port is f32\n");
    refuses("port out a = x f32 nchw labels=(\"one\")", "error: 1 class names for 2 channels\n");
}

static void test_result_errors(void)
{
    refuses("a, b = relu(x)", "error: 'relu' has 1 result, not 2\n");
    refuses("a = split(x) parts=2", "error: 'split' has 2 results, not 1\n");
    refuses("a, a = split(x) parts=2", "error: there are two nodes 'a'\n");
    refuses("a, x = split(x) parts=2", "error: there are two nodes 'x'\n");
    refuses("a, b = split(x) parts=2 : f32 nchw[1][1][4][4]", "there are 1 types for 2 results");
    refuses("a, b = split(x) parts=2 : f32 nchw[1][1][4][4], f32 nchw[1][2][4][4]",
            "the type of 'b' follows as f32 nchw[1][1][4][4]\n");
    refuses("a, b, c = split(x) parts=3", "error: 2 channels do not split into 3 equal parts\n");
    refuses("a, = relu(x)", "error: expected the name of a node\n");
}

static void test_update_errors(void)
{
    refuses("update gradient w = x", "3:17: error: there is no parameter 'w' above\n");
    refuses("update gradients w = x", "error: expected 'gradient' or 'statistic'\n");
    refuses("a = bn(x)\nupdate gradient a.weight = z", "4:28: error: there is no node 'z' above\n");
    refuses("a = bn(x)\nupdate gradient a.weight = x",
            "error: 'x' does not have the type for 'a.weight', f32 nchw[1][2][1][1]\n");
    refuses("a = bn(x)\nb = avgpool(x) kernel=4x4 stride=1x1\nupdate gradient a.running_mean = b",
            "error: 'a.running_mean' is a running statistic: 'update statistic' fits it\n");
    refuses("a = bn(x)\nb = avgpool(x) kernel=4x4 stride=1x1\nupdate statistic a.bias = b rate=1",
            "error: 'a.bias' is a trained parameter: 'update gradient' fits it\n");
    refuses("a = bn(x)\nb = avgpool(x) kernel=4x4 stride=1x1\nupdate statistic a.running_var = b",
            "error: the update of a statistic needs its rate, such as rate=0.1\n");
    refuses("a = bn(x)\nb = avgpool(x) kernel=4x4 stride=1x1\n"
            "update statistic a.running_var = b rate=0",
            "error: the number must be from 1e-09 to 1\n");
    refuses("a = bn(x)\nb = avgpool(x) kernel=4x4 stride=1x1\nupdate gradient a.bias = b\n"
            "update gradient a.bias = b",
            "6:1: error: the parameter has a gradient already\n");
}

static void test_port_errors(void)
{
    refuses("port out a = x f32 nchw range=any", "only inputs of type f32 have a range");
    refuses("b = input : u8 nchw[1][2][4][4]\nport in b = b u8 nchw specials=(nan)",
            "only inputs of type f32 have a range");
    refuses("port in b = x f32 nchw range=(2, 1)", "the number must be from 2 to");
    refuses("port in b = x f32 nchw range=0", "error: expected '(' or 'any'\n");
    refuses("port in b = x f32 nchw typical=2", "error: 'typical' needs a range before it\n");
    refuses("port in b = x f32 nchw range=any typical=0", "the number must be from");
    refuses("port in b = x f32 nchw specials=(none)", "error: expected 'nan' or 'inf'\n");
    refuses("port through a = x f32 nchw", "error: expected 'in' or 'out'\n");
}

/* One error a broken node, not one a use; and up to the last line. */
static void test_goes_on(void)
{
    NetTest t;
    netgen_begin(&t, 1);
    CU_ASSERT_PTR_NULL(read_text(&t, "net n\nx = input : f32 nchw[1][2][4][4]\n"
                                     "a = relu(x) what=1\nb = relu(a)\nc = relu(b)\n"
                                     "d = add(c, z)\nport out y = d f32 nchw\n"));
    CU_ASSERT_EQUAL(t.diag.errors, 2);
    netgen_end(&t);

    const char *const bad[] = {"", "net", "network n\n", "net n x\n", "net n original=-1\n", "\0"};
    for (int i = 0; i < 6; i++) {
        netgen_begin(&t, 1);
        CU_ASSERT_PTR_NULL(read_text(&t, bad[i]));
        CU_ASSERT(t.diag.errors > 0);
        netgen_end(&t);
    }
}

/* Any text at all, made of good texts with bytes changed, is read or refused. */
static void test_damaged(void)
{
    int refused = 0;
    for (uint64_t seed = 1; seed <= 400; seed++) {
        NetTest t;
        netgen_begin(&t, seed);
        netgen_random(&t, 6);
        char *text = arena_strdup(t.arena, text_of(t.net, t.arena));
        int n = (int)strlen(text);
        for (int i = netgen_int(&t, 1, 6); i > 0; i--)
            text[netgen_int(&t, 0, n - 1)] = (char)netgen_int(&t, 1, 255);
        Net *net = read_text(&t, text);
        CU_ASSERT_EQUAL(net != NULL, t.diag.errors == 0);
        if (net)
            CU_ASSERT(check_net(net, &t.diag, "reading"));
        refused += !net;
        netgen_end(&t);
    }
    CU_ASSERT(refused > 300);
}

void suite_irtext(void)
{
    CU_pSuite s = CU_add_suite("irtext", NULL, NULL);
    CU_add_test(s, "printing", test_print);
    CU_add_test(s, "there and back", test_round_trip);
    CU_add_test(s, "ranges of inputs", test_ranges);
    CU_add_test(s, "written by hand", test_by_hand);
    CU_add_test(s, "shared parameters", test_shared);
    CU_add_test(s, "several results", test_results);
    CU_add_test(s, "errors", test_errors);
    CU_add_test(s, "errors of results", test_result_errors);
    CU_add_test(s, "errors of updates", test_update_errors);
    CU_add_test(s, "errors of ports", test_port_errors);
    CU_add_test(s, "goes on after an error", test_goes_on);
    CU_add_test(s, "damaged texts", test_damaged);
}
