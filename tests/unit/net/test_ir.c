/* test_ir.c: building, copying, rewriting and asking networks. */
#include "net/irtext.h"
#include "netgen.h"
#include "passes/rewrite.h"

#include "runtime/rncrt.h"

#include <CUnit/CUnit.h>

#include <limits.h>
#include <string.h>

static void test_building(void)
{
    NetTest t;
    netgen_begin(&t, 1);
    Node *x = netgen_input(&t, ELEM_F32, 8, 6, 3);
    Node *conv = netgen_conv(&t, x, 4, 3, 2);
    CU_ASSERT(type_eq(conv->type, (Type){ELEM_F32, 1, 4, 3, 4}));
    CU_ASSERT_EQUAL(conv->id, 1);
    CU_ASSERT_EQUAL(conv->origin, 1);
    CU_ASSERT_EQUAL(t.net->n_original, 2);
    CU_ASSERT_STRING_EQUAL(conv->params[P_WEIGHT]->name, "conv2.weight");
    CU_ASSERT_STRING_EQUAL(conv->params[P_WEIGHT]->alias, "conv2.weight");
    CU_ASSERT_PTR_NULL(conv->params[P_BIAS]);
    CU_ASSERT_EQUAL(conv->params[P_WEIGHT]->rank, 4);
    CU_ASSERT_EQUAL(param_elements(conv->params[P_WEIGHT]), 4 * 3 * 3 * 3);
    CU_ASSERT_PTR_EQUAL(net_node_named(t.net, "conv2"), conv);
    CU_ASSERT_PTR_NULL(net_node_named(t.net, "conv3"));
    CU_ASSERT_PTR_NULL(netgen_conv(&t, x, 0, 3, 1)); /* refused, and not added */
    CU_ASSERT_EQUAL(t.net->nodes.n, 2);
    netgen_end(&t);
}

static void test_counts(void)
{
    NetTest t;
    netgen_begin(&t, 1);
    Node *x = netgen_input(&t, ELEM_F32, 8, 8, 4);
    x->type.n = 2;
    Attrs a = ir_default_attrs(OP_CONV);
    a.filters = 6;
    a.kernel[0] = a.kernel[1] = 3;
    a.groups = 2;
    a.bias = true;
    Node *conv = netgen_add(&t, OP_CONV, &x, 1, a);
    /* for one image of the two: 6 * 6 pixels, 6 filters of 2 * 9 taps */
    CU_ASSERT_EQUAL(node_macs(conv), 36 * 6 * 18);
    Node *bn = netgen_op(&t, OP_BN, conv);
    CU_ASSERT_EQUAL(node_macs(bn), 0);
    CU_ASSERT_EQUAL(net_macs(t.net), 36 * 6 * 18);
    CU_ASSERT_EQUAL(net_parameters(t.net), 6 * 18 + 6 + 2 * 6); /* statistics are not counted */
    CU_ASSERT_EQUAL(type_elements(conv->type), 2 * 36 * 6);
    CU_ASSERT_EQUAL(node_uses(t.net, conv), 1);
    netgen_output(&t, conv);
    netgen_join(&t, OP_ADD, conv, conv);
    CU_ASSERT_EQUAL(node_uses(t.net, conv), 4);
    Node *twin = netgen_share(&t, conv, x); /* its parameters count once, its work again */
    CU_ASSERT_EQUAL(net_parameters(t.net), 6 * 18 + 6 + 2 * 6);
    CU_ASSERT_EQUAL(nodes_parameters(t.net, twin->id, twin->id, true), 0);
    CU_ASSERT_EQUAL(net_macs(t.net), 2 * 36 * 6 * 18);
    CU_ASSERT_PTR_NULL(netgen_share(&t, conv, bn)); /* of 6 channels, not 4 */
    CU_ASSERT_PTR_NOT_NULL(strstr(buf_text(&t.diag.out), "cannot use the parameters of 'conv2': "
                                                         "its weight would be [6][3][3][3], not "
                                                         "[6][2][3][3]"));
    CU_ASSERT_EQUAL(node_uses(t.net, bn), 0);
    netgen_end(&t);
}

static void test_products(void)
{
    CU_ASSERT_EQUAL(mul_extents(3, 4), 12);
    CU_ASSERT_EQUAL(mul_extents(INT64_MAX, 1), INT64_MAX);
    CU_ASSERT_EQUAL(mul_extents((int64_t)1 << 32, (int64_t)1 << 31), INT64_MAX);
    CU_ASSERT_EQUAL(mul_extents(0, INT64_MAX), 0);
    Type huge = {ELEM_F32, 1, 2147483647, 2147483647, 2147483647};
    CU_ASSERT_EQUAL(type_elements(huge), INT64_MAX);
}

static const char *text_of(const Net *net, Arena *arena)
{
    Buf out = buf_new(arena);
    irtext_print(&out, net, NULL);
    return buf_text(&out);
}

/* A copy says the same, and neither sees what becomes of the other. */
static void test_copy(void)
{
    for (uint64_t seed = 1; seed <= 20; seed++) {
        NetTest t;
        jmp_buf oom;
        Arena *arena = arena_new(&oom);
        netgen_begin(&t, seed);
        netgen_random(&t, 25);
        netgen_fill(&t);
        t.net->nodes.at[1]->act = ACT_LEAKY_RELU;
        VEC_PUSH(t.arena, &t.net->nodes.at[1]->absorbed, "taken");
        Net *copy = ir_copy(t.net, arena);
        const char *was = arena_strdup(arena, text_of(t.net, t.arena));
        CU_ASSERT_STRING_EQUAL(text_of(copy, arena), was);
        for (int i = 0; i < copy->nodes.n; i++) {
            const Node *a = t.net->nodes.at[i], *b = copy->nodes.at[i];
            CU_ASSERT(a != b && a->name != b->name);
            for (int j = 0; j < b->n_in; j++)
                CU_ASSERT_PTR_EQUAL(b->in[j], copy->nodes.at[a->in[j]->id]);
            for (int r = 0; r < P_ROLES; r++) {
                if (b->params[r]) {
                    CU_ASSERT(a->params[r] != b->params[r]);
                    CU_ASSERT_PTR_EQUAL(b->params[r], copy->params.at[a->params[r]->id]);
                    CU_ASSERT_PTR_EQUAL(a->params[r]->data, b->params[r]->data);
                }
            }
        }
        for (int i = 0; i < t.net->nodes.n; i++) {
            t.net->nodes.at[i]->name = "gone";
            t.net->nodes.at[i]->act = ACT_RELU;
            t.net->nodes.at[i]->n_in = 0;
        }
        t.net->nodes.n = 0;
        netgen_end(&t); /* places, data and class names are all it shares */
        CU_ASSERT_STRING_EQUAL(text_of(copy, arena), was);
        arena_free(arena);
    }
}

/* x, relu, tanh, silu(relu), add(silu, tanh): tanh goes into relu, which silu and a
 * port now read; then silu takes the add over, and stands where it stood. */
static void test_rewriting(void)
{
    NetTest t;
    netgen_begin(&t, 1);
    Node *x = netgen_input(&t, ELEM_F32, 4, 4, 2);
    Node *relu = netgen_op(&t, OP_RELU, x), *tanh = netgen_op(&t, OP_TANH, relu);
    Node *silu = netgen_op(&t, OP_SILU, tanh), *bn = netgen_op(&t, OP_BN, tanh);
    Node *add = netgen_join(&t, OP_ADD, silu, bn), *last = netgen_op(&t, OP_RELU, add);
    netgen_output(&t, tanh);
    VEC_PUSH(t.arena, &relu->absorbed, "a");
    VEC_PUSH(t.arena, &tanh->absorbed, "b");
    tanh->act = ACT_RELU6;

    Rewrite r = rewrite_begin(t.net);
    CU_ASSERT(used_once(&r, relu) && used_once(&r, silu) && !used_once(&r, tanh));
    CU_ASSERT(r.last[x->id] == 1 && r.last[tanh->id] == INT_MAX && r.last[last->id] == 0);
    CU_ASSERT_PTR_EQUAL(rewrite_at(&r, 2), tanh);
    rewrite_take_over(&r, relu, tanh);
    CU_ASSERT_PTR_NULL(rewrite_at(&r, 2));
    CU_ASSERT_PTR_EQUAL(rewrite_at(&r, 3)->in[0], relu);
    CU_ASSERT_PTR_EQUAL(rewrite_at(&r, 4)->in[0], relu);
    CU_ASSERT(!used_once(&r, relu) && r.last[relu->id] == INT_MAX);
    rewrite_at(&r, 5);
    rewrite_move_over(&r, silu, add);
    CU_ASSERT_PTR_NULL(rewrite_at(&r, 3));
    CU_ASSERT_PTR_EQUAL(rewrite_at(&r, 5), silu);
    CU_ASSERT_PTR_EQUAL(rewrite_at(&r, 6)->in[0], silu);
    CU_ASSERT(used_once(&r, silu));
    rewrite_end(&r);

    Node *const left[] = {x, relu, bn, silu, last};
    CU_ASSERT_EQUAL_FATAL(t.net->nodes.n, 5);
    for (int i = 0; i < 5; i++)
        CU_ASSERT(t.net->nodes.at[i] == left[i] && left[i]->id == i);
    CU_ASSERT_PTR_EQUAL(t.net->outputs.at[0].node, relu);
    CU_ASSERT(relu->origin == 2 && relu->act == ACT_RELU6 && silu->origin == 5);
    CU_ASSERT_EQUAL_FATAL(relu->absorbed.n, 3);
    CU_ASSERT_STRING_EQUAL(relu->absorbed.at[1], tanh->name);
    CU_ASSERT_STRING_EQUAL(relu->absorbed.at[2], "b");
    netgen_end(&t);
}

/* The rows are numbered as the runtime numbers them. */
static void test_elements(void)
{
#define ELEMENT(id, name, bytes, c, number, input, doc)                  \
    CU_ASSERT_EQUAL((int)ELEM_##id, (int)number);                        \
    CU_ASSERT_STRING_EQUAL(elem_row(ELEM_##id)->constant, #number);      \
    CU_ASSERT_EQUAL(elem_bytes(ELEM_##id), (int)rnc_elem_bytes(number)); \
    CU_ASSERT_EQUAL(elem_named(name), ELEM_##id);
#include "net/elements.def"
    CU_ASSERT_EQUAL(elem_named("f64"), ELEM_COUNT);
}

/* A parameter's elements as numbers, for each type: 1 and 3, and below zero where there is that. */
static void test_param_elements(void)
{
    static const float f32[] = {1, -3};
    static const uint8_t u8[] = {1, 253};
    static const int8_t i8[] = {1, -3};
    static const int32_t i32[] = {1, -3};
    static const uint16_t f16[] = {0x3c00, 0xc200}, bf16[] = {0x3f80, 0xc040};
    static const struct {
        Elem elem;
        const void *data;
        double second;
    } rows[] = {{ELEM_F32, f32, -3}, {ELEM_U8, u8, 253},  {ELEM_I8, i8, -3},
                {ELEM_I32, i32, -3}, {ELEM_F16, f16, -3}, {ELEM_BF16, bf16, -3}};
    CU_ASSERT_EQUAL(sizeof rows / sizeof *rows, ELEM_COUNT);
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        const Param p = {.rank = 1, .dims = {2}, .elem = rows[i].elem, .data = rows[i].data};
        CU_ASSERT_EQUAL(param_at(&p, 0), 1);
        CU_ASSERT_EQUAL(param_at(&p, 1), rows[i].second);
    }
    Param p = {.elem = ELEM_I8, .data = i8};
    param_set_floats(&p, f32);
    CU_ASSERT_PTR_EQUAL(param_floats(&p), f32);
    p.data = NULL;
    CU_ASSERT_PTR_NULL(param_floats(&p));
    CU_ASSERT_PTR_NULL(param_floats(NULL));
}

void suite_ir(void)
{
    CU_pSuite s = CU_add_suite("ir", NULL, NULL);
    CU_add_test(s, "element types", test_elements);
    CU_add_test(s, "elements of parameters", test_param_elements);
    CU_add_test(s, "building", test_building);
    CU_add_test(s, "parameters, multiply-adds, uses", test_counts);
    CU_add_test(s, "products of extents", test_products);
    CU_add_test(s, "copying", test_copy);
    CU_add_test(s, "rewriting", test_rewriting);
}
