/* test_wfile.c: what the compiler writes is what the runtime takes. */
#include "params/bind.h"
#include "emit/emit.h"
#include "runtime/rncrt.h"
#include "runtime/rncw.h"

#include <CUnit/CUnit.h>

#include <string.h>

typedef struct Bench {
    jmp_buf oom;
    Arena *arena;
    SrcMap src;
    Diag diag;
    Plan *plan;
} Bench;

/* conv of `filters` 3x3, global pool and dense of 5, with initialised weights. */
static void begin(Bench *b, int filters)
{
    b->arena = arena_new(&b->oom);
    b->src = (SrcMap){.arena = b->arena};
    b->diag = diag_new(&b->src, b->arena);
    Net *net = ir_new(b->arena, "small");
    Attrs conv = ir_default_attrs(OP_CONV), pool = ir_default_attrs(OP_AVGPOOL);
    Attrs dense = ir_default_attrs(OP_DENSE);
    conv.kernel[0] = conv.kernel[1] = 3;
    conv.filters = filters;
    pool.kernel[0] = pool.kernel[1] = 6;
    pool.stride[0] = pool.stride[1] = 1;
    dense.filters = 5;
    Node *x = ir_add_input(net, "image", (Type){ELEM_F32, 1, 8, 8, 3}, NULL);
    VEC_PUSH(b->arena, &net->inputs, ((Port){.name = "image", .node = x}));
    x = ir_add(net, &b->diag, OP_CONV, &x, 1, &conv, "conv1", NULL);
    x = ir_add(net, &b->diag, OP_AVGPOOL, &x, 1, &pool, "pool1", NULL);
    x = ir_add(net, &b->diag, OP_DENSE, &x, 1, &dense, "fc", NULL);
    CU_ASSERT_PTR_NOT_NULL_FATAL(x);
    VEC_PUSH(b->arena, &net->outputs, ((Port){.name = "scores", .node = x}));
    BindReport done;
    CU_ASSERT_TRUE(bind_params(net, NULL, 0, (InitSpec){INIT_GLOROT_UNIFORM, 1}, &done, &b->diag));
    b->plan = plan_make(b->arena, net, (PlanOptions){0}, &b->diag);
    CU_ASSERT_PTR_NOT_NULL_FATAL(b->plan);
}

static void test_taken(void)
{
    Bench b;
    begin(&b, 40);
    size_t size = 0, found = 0;
    rnc_weights w;
    const unsigned char *file = emit_weights(b.arena, b.plan, &size);
    CU_ASSERT_EQUAL_FATAL(rnc_weights_memory(&w, file, size), RNC_OK);
    CU_ASSERT_EQUAL(rnc_weights_verify(&w), RNC_OK);
    CU_ASSERT_EQUAL(w.plan, b.plan->hash);
    const unsigned char *data = file + RNCW_DATA_ALIGN;
    CU_ASSERT_EQUAL(size, RNCW_DATA_ALIGN + (size_t)b.plan->weight_bytes);
    for (int i = 0; i < b.plan->steps.n; i++) {
        const Step *step = &b.plan->steps.at[i];
        if (!step->weights)
            continue;
        float *packed = NEW_ARRAY(b.arena, float, step->weights->bytes / 4);
        pack_weights(step, packed);
        CU_ASSERT_EQUAL(memcmp(packed, data + step->weights->offset, (size_t)step->weights->bytes),
                        0);
        found++;
    }
    CU_ASSERT(found >= 2);
    arena_free(b.arena);
}

/* The same network gives the same bytes, another one another plan. */
static void test_same(void)
{
    Bench a, b, c;
    size_t n = 0, m = 0;
    begin(&a, 40);
    begin(&b, 40);
    begin(&c, 41);
    const unsigned char *x = emit_weights(a.arena, a.plan, &n);
    const unsigned char *y = emit_weights(b.arena, b.plan, &m);
    CU_ASSERT(n == m && memcmp(x, y, n) == 0);
    CU_ASSERT(a.plan->hash == b.plan->hash && a.plan->hash != c.plan->hash);
    arena_free(a.arena);
    arena_free(b.arena);
    arena_free(c.arena);
}

void suite_wfile(void)
{
    CU_pSuite suite = CU_add_suite("wfile", NULL, NULL);
    CU_ADD_TEST(suite, test_taken);
    CU_ADD_TEST(suite, test_same);
}
