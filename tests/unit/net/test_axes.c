/* test_axes.c: orders of a kernel's axes. */
#include "net/axes.h"
#include "base/diag.h"

#include <CUnit/CUnit.h>

#include <string.h>

static jmp_buf oom;

typedef struct Fixture {
    Arena *arena;
    SrcMap map;
    Diag d;
    Net *net;
} Fixture;

/* A convolution of `in` channels, filters of 2x3. */
static const Node *convolution(Fixture *f, int in, int filters, int groups)
{
    Attrs a = ir_default_attrs(OP_CONV);
    f->arena = arena_new(&oom);
    f->map = (SrcMap){.arena = f->arena};
    f->d = diag_new(&f->map, f->arena);
    f->net = ir_new(f->arena, "n");
    a.kernel[0] = 2;
    a.kernel[1] = 3;
    a.filters = filters;
    a.groups = groups;
    Node *x = ir_add_input(f->net, "x", (Type){ELEM_F32, 1, 5, 5, in}, NULL);
    x = ir_add(f->net, &f->d, OP_CONV, &x, 1, &a, "c", NULL);
    CU_ASSERT_PTR_NOT_NULL_FATAL(x);
    return x;
}

static void test_words(void)
{
    CU_ASSERT(axes_valid("hwio", OP_CONV) && axes_valid("ohwi", OP_CONV) &&
              axes_valid("oihw", OP_CONV));
    CU_ASSERT(!axes_valid("hwi", OP_CONV) && !axes_valid("hwii", OP_CONV) &&
              !axes_valid("hwiox", OP_CONV));
    CU_ASSERT(axes_valid("io", OP_DENSE) && !axes_valid("ii", OP_DENSE) &&
              !axes_valid("hwio", OP_DENSE));
    CU_ASSERT(axes_rank(OP_CONV, P_WEIGHT) == 4 && axes_rank(OP_DENSE, P_WEIGHT) == 2);
    CU_ASSERT(axes_rank(OP_BN, P_WEIGHT) == 0 && axes_rank(OP_CONV, P_BIAS) == 0);
}

/* Numbers that say where they stand: o i h w as digits. */
static void test_reorder(void)
{
    static const char *const words[] = {"oihw", "hwio", "ohwi", "whoi", "iwho"};
    for (size_t k = 0; k < sizeof words / sizeof *words; k++) {
        Fixture f;
        const Node *node = convolution(&f, 4, 5, 1);
        const int own[4] = {5, 4, 2, 3};
        float from[120], to[120];
        int64_t dims[4];
        axes_extents(node, words[k], dims);
        for (int i = 0; i < 120; i++) {
            int rest = i, at[4];
            for (int axis = 3; axis >= 0; axis--) {
                at[axis] = rest % (int)dims[axis];
                rest /= (int)dims[axis];
            }
            from[i] = 0;
            for (int axis = 0; axis < 4; axis++)
                from[i] = from[i] * 10 + (float)at[strchr(words[k], "oihw"[axis]) - words[k]];
        }
        CU_ASSERT(axes_fit(node, words[k], dims, 4));
        axes_reorder(to, from, node, words[k], dims);
        for (int i = 0; i < 120; i++) {
            const int w = i % 3, h = i / 3 % 2, in = i / 6 % own[1], o = i / 24;
            CU_ASSERT_EQUAL(to[i], (float)(o * 1000 + in * 100 + h * 10 + w));
        }
        arena_free(f.arena);
    }
}

/* Keras' DepthwiseConv2D: filter c * 2 + m of channel c lies at [h][w][c][m]. */
static void test_depthwise(void)
{
    Fixture f;
    const Node *node = convolution(&f, 3, 6, 3);
    const int64_t dims[4] = {2, 3, 3, 2}, flat[4] = {2, 3, 1, 6}, wrong[4] = {2, 3, 2, 3};
    float from[36], to[36], again[36];
    CU_ASSERT(axes_fit(node, "hwio", dims, 4) && axes_fit(node, "hwio", flat, 4));
    CU_ASSERT(!axes_fit(node, "hwio", wrong, 4) && !axes_fit(node, "hwio", dims, 3));
    for (int i = 0; i < 36; i++)
        from[i] = (float)i;
    axes_reorder(to, from, node, "hwio", dims);
    for (int o = 0; o < 6; o++)
        for (int k = 0; k < 6; k++)
            CU_ASSERT_EQUAL(to[o * 6 + k], (float)((k * 3 + o / 2) * 2 + o % 2));
    axes_reorder(again, from, node, "hwio", flat);
    CU_ASSERT_EQUAL(memcmp(to, again, sizeof to), 0);
    arena_free(f.arena);
}

/* Other groups: `in` is that of one group, and nothing else is taken. */
static void test_groups(void)
{
    Fixture f;
    const Node *node = convolution(&f, 4, 6, 2);
    const int64_t good[4] = {2, 3, 2, 6}, whole[4] = {2, 3, 4, 3};
    CU_ASSERT(axes_fit(node, "hwio", good, 4));
    CU_ASSERT_FALSE(axes_fit(node, "hwio", whole, 4));
    arena_free(f.arena);
}

void suite_axes(void)
{
    CU_pSuite s = CU_add_suite("axes", NULL, NULL);
    CU_add_test(s, "words", test_words);
    CU_add_test(s, "numbers in another order", test_reorder);
    CU_add_test(s, "depthwise", test_depthwise);
    CU_add_test(s, "groups", test_groups);
}
