/* test_spread.c: what the numbers of tensors can be, from what is said of the inputs. */
#include "net/spread.h"
#include "nets.h"

#include <CUnit/CUnit.h>

#include <math.h>
#include <string.h>

static Node *ranged_input(Bench *b, Range range)
{
    Node *node = make_input(b, 1, 16, 16, 16, ELEM_F32);
    b->net->inputs.at[b->net->inputs.n - 1].range = range;
    return node;
}

static Spread spread_of(const Bench *b, const Node *node)
{
    return spread_find(b->net, b->arena)[node->id];
}

static bool is(const Bench *b, const Node *node, double factor, bool nan, bool inf)
{
    const Spread s = spread_of(b, node);
    const bool same = isinf(factor) ? isinf(s.factor) : fabs(s.factor - factor) <= 1e-9 * factor;
    return same && s.nan == nan && s.inf == inf;
}

/* Without a range, and of bytes, nothing is known and nothing is feared. */
static void test_nothing_said(void)
{
    Bench b;
    bench_begin(&b);
    Node *in = make_input(&b, 1, 16, 16, 16, ELEM_F32);
    Node *conv = make_conv(&b, in, 3, 16, 1, 1);
    Node *product = make_join(&b, OP_MUL, conv, in);
    CU_ASSERT(is(&b, in, 1, false, false));
    CU_ASSERT(is(&b, product, 1, false, false));
    CU_ASSERT_PTR_NULL(spread_of(&b, product).port);
    CU_ASSERT(is(&b, make_input(&b, 1, 16, 16, 16, ELEM_U8), 1, false, false));
    bench_end(&b);
}

static void test_range(void)
{
    Bench b;
    bench_begin(&b);
    const Range far = {.given = true, .low = -3e6, .high = 1e6, .typical = 3};
    CU_ASSERT(is(&b, ranged_input(&b, far), 1e6, false, false));
    const Range narrow = {.given = true, .low = 0, .high = 0.25, .typical = 1};
    CU_ASSERT(is(&b, ranged_input(&b, narrow), 1, false, false));
    const Range any = {.given = true, .low = -INFINITY, .high = INFINITY, .typical = 1};
    CU_ASSERT(is(&b, ranged_input(&b, any), INFINITY, false, false));
    const Range huge = {.given = true, .high = 3e38, .typical = 1}; /* its sums overflow */
    CU_ASSERT(is(&b, ranged_input(&b, huge), 3e38, false, true));
    const Range holes = {.typical = 1, .nan = true};
    CU_ASSERT(is(&b, ranged_input(&b, holes), 1, true, false));
    bench_end(&b);
}

/* Sums keep outliers, a normalisation takes away what is common to all numbers, products multiply
 * them, and a bounded function ends them. */
static void test_operators(void)
{
    Bench b;
    bench_begin(&b);
    const Range r = {.given = true, .low = 280, .high = 320, .typical = 10};
    Node *in = ranged_input(&b, r);
    CU_ASSERT(is(&b, in, 32, false, false));
    Attrs a = ir_default_attrs(OP_NORMALIZE);
    a.scale = 2;
    a.mean = (Reals){(const double[]){600}, 1};
    a.std = (Reals){(const double[]){5}, 1};
    Node *normal = make(&b, OP_NORMALIZE, &in, 1, &a);
    CU_ASSERT(is(&b, normal, 2, false, false)); /* -40..40, ordinary ones 20 */
    Node *conv = make_conv_bn(&b, in, 3, 16, 1, true);
    CU_ASSERT(is(&b, conv, 32, false, false));
    Node *pool = make_pool(&b, OP_MAXPOOL, conv, 3, 1, 1);
    CU_ASSERT(is(&b, make_pool(&b, OP_AVGPOOL, pool, 3, 1, 1), 32, false, false));
    CU_ASSERT(is(&b, make_join(&b, OP_ADD, normal, pool), 32, false, false));
    CU_ASSERT(is(&b, make_join(&b, OP_MUL, normal, pool), 64, false, false));
    static const Op bounded[] = {OP_RELU6, OP_SIGMOID, OP_TANH, OP_HARD_SIGMOID, OP_SOFTMAX};
    for (int i = 0; i < 5; i++)
        CU_ASSERT(is(&b, make_op(&b, bounded[i], conv), 1, false, false));
    static const Op open[] = {OP_RELU, OP_LEAKY_RELU, OP_HARD_SWISH, OP_SILU, OP_GELU,
                              OP_ELU,  OP_SELU,       OP_SOFTPLUS,   OP_MISH, OP_CLIP};
    for (int i = 0; i < 10; i++)
        CU_ASSERT(is(&b, make_op(&b, open[i], conv), 32, false, false));
    a = ir_default_attrs(OP_CLIP);
    a.beta = 4;
    CU_ASSERT(is(&b, make(&b, OP_CLIP, &conv, 1, &a), 32, false, false)); /* one bound */
    a.alpha = -4;
    CU_ASSERT(is(&b, make(&b, OP_CLIP, &conv, 1, &a), 1, false, false));
    Node *gate = make_op(&b, OP_SIGMOID, conv);
    CU_ASSERT(is(&b, make_join(&b, OP_MUL, gate, conv), 32, false, false));
    CU_ASSERT_STRING_EQUAL(spread_of(&b, conv).port->name, b.net->inputs.at[0].name);
    bench_end(&b);
}

/* An infinity ends where results are bounded, unless it met its opposite before; a NaN never. */
static void test_specials(void)
{
    Bench b;
    bench_begin(&b);
    const Range range = {.typical = 1, .inf = true};
    Node *in = ranged_input(&b, range), *plain = make_input(&b, 1, 16, 16, 16, ELEM_F32);
    CU_ASSERT(is(&b, make_op(&b, OP_RELU, in), 1, false, true));
    CU_ASSERT(is(&b, make_pool(&b, OP_MAXPOOL, in, 3, 1, 1), 1, false, true));
    CU_ASSERT(is(&b, make_op(&b, OP_TANH, in), 1, false, false));
    CU_ASSERT(is(&b, make_op(&b, OP_SOFTMAX, in), 1, true, false));
    Node *conv = make_conv(&b, in, 3, 16, 1, 1);
    CU_ASSERT(is(&b, conv, 1, true, true));
    conv->act = ACT_SIGMOID; /* as a pass fuses it */
    CU_ASSERT(is(&b, conv, 1, true, false));
    CU_ASSERT(is(&b, make_join(&b, OP_CONCAT, plain, conv), 1, true, false));
    CU_ASSERT(is(&b, make_join(&b, OP_ADD, in, plain), 1, true, true));
    const Range far = {.given = true, .high = 100, .typical = 1}, holes = {.nan = true};
    Node *both = make_join(&b, OP_ADD, ranged_input(&b, far), ranged_input(&b, holes));
    CU_ASSERT(is(&b, both, 100, true, false));
    CU_ASSERT(spread_of(&b, both).port->range.nan); /* the worse of the two is named */
    bench_end(&b);
}

static void test_words(void)
{
    Bench b;
    bench_begin(&b);
    const Port depth = {.name = "depth"};
    const Spread spreads[] = {{1e6, false, false, &depth},
                              {INFINITY, false, false, NULL},
                              {1, true, false, &depth},
                              {12.5, true, true, &depth}};
    static const char *const texts[] = {
        "numbers up to 1e+06 times ordinary ones (input 'depth')",
        "numbers of any size",
        "NaN (input 'depth')",
        "numbers up to 12.5 times ordinary ones, NaN and infinities (input 'depth')",
    };
    for (int i = 0; i < 4; i++)
        CU_ASSERT_STRING_EQUAL(spread_describe(b.arena, &spreads[i]), texts[i]);
    bench_end(&b);
}

/* One port at a time: what is said of the others does not count. */
static void test_one_port(void)
{
    Bench b;
    bench_begin(&b);
    Node *left = ranged_input(&b, (Range){.typical = 1, .nan = true});
    Node *right = ranged_input(&b, (Range){.typical = 1});
    Node *conv = make_conv(&b, right, 3, 16, 1, 1);
    Node *sum = make_join(&b, OP_ADD, conv, left);
    Spread *spreads = NEW_ARRAY(b.arena, Spread, b.net->nodes.n);
    Port said = b.net->inputs.at[1];
    said.range = (Range){.typical = 1, .inf = true};
    spread_of_port(b.net, &said, spreads);
    CU_ASSERT(!spreads[left->id].nan && spreads[right->id].inf && !spreads[right->id].nan);
    CU_ASSERT(spreads[conv->id].nan && spreads[sum->id].inf && spreads[sum->id].port == &said);
    CU_ASSERT(is(&b, sum, 1, true, false)); /* of all ports: the left one's NaN */
    bench_end(&b);
}

void suite_spread(void)
{
    CU_pSuite s = CU_add_suite("spread", NULL, NULL);
    CU_add_test(s, "nothing said", test_nothing_said);
    CU_add_test(s, "ranges", test_range);
    CU_add_test(s, "operators", test_operators);
    CU_add_test(s, "special values", test_specials);
    CU_add_test(s, "in words", test_words);
    CU_add_test(s, "one port at a time", test_one_port);
}
