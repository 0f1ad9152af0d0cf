/* test_write.c: networks written as text, which lowers to the same network. */
#include "netgen.h"
#include "import/write.h"
#include "net/irtext.h"

#include <CUnit/CUnit.h>
#include <string.h>

/* Writes the network; *plain is how good a text it got. */
static const char *written(NetTest *t, int *plain)
{
    Imported from = {.net = t->net};
    Written to;
    const bool good = write_net(&to, &from, "written.net", &t->src, &t->diag);
    *plain = to.plain;
    if (!good) {
        Buf ir = buf_new(t->arena);
        irtext_print(&ir, t->net, NULL);
        printf("%s\n%s\n%s\n", buf_text(&t->diag.out), buf_text(&ir), buf_text(&to.text));
    }
    CU_ASSERT_FATAL(good);
    return buf_text(&to.text);
}

/* Normalises bytes themselves, as lowering has it: the language has no words for their cast. */
static void without_casts(NetTest *t)
{
    for (int i = 0; i < t->net->nodes.n; i++) {
        Node *node = t->net->nodes.at[i];
        if (node->op == OP_NORMALIZE && node->in[0]->op == OP_CAST)
            node->in[0] = node->in[0]->in[0];
    }
    int n = 0;
    for (int i = 0; i < t->net->nodes.n; i++) {
        Node *node = t->net->nodes.at[i];
        if (node->op != OP_CAST || node_uses(t->net, node))
            t->net->nodes.at[n++] = node;
    }
    t->net->nodes.n = n;
    ir_renumber(t->net);
}

static void test_random(void)
{
    int lists = 0;
    for (uint64_t seed = 1; seed <= 500; seed++) {
        NetTest t;
        int plain;
        netgen_begin(&t, seed);
        netgen_random(&t, 5 + (int)(seed % 60));
        netgen_fill(&t);
        without_casts(&t);
        (void)written(&t, &plain);
        lists += plain == 2;
        netgen_end(&t);
    }
    /* The list is for what nothing else can say. */
    CU_ASSERT(lists < 5);
    if (lists >= 5)
        printf("%d of 500 are lists\n", lists);
}

static int lines_of(const char *text)
{
    int n = 0;
    for (; *text; text++)
        n += *text == '\n';
    return n;
}

/* Whatever the nodes are called and however the arms are ordered, a residual network has its
 * blocks and their repetitions. */
static void test_resnets(void)
{
    for (int i = 0; i < 4; i++) {
        NetTest t;
        int plain;
        netgen_begin(&t, 1);
        netgen_resnet(&t, i & 1, 224, i & 2);
        netgen_fill(&t);
        const char *text = written(&t, &plain);
        CU_ASSERT_EQUAL(plain, 0);
        CU_ASSERT(lines_of(text) < 40);
        CU_ASSERT_PTR_NOT_NULL(
            strstr(text, i & 1 ? "block bottleneck(filters" : "block residual(filters"));
        CU_ASSERT_PTR_NOT_NULL(strstr(text, "512, stride = 2 then 1)"));
        if (!strstr(text, "512, stride = 2 then 1)"))
            puts(text);
        netgen_end(&t);
    }
}

/* Values come along, by the names that the text gives. */
static void test_values(void)
{
    NetTest t;
    int plain;
    netgen_begin(&t, 1);
    Node *x = netgen_input(&t, ELEM_F32, 8, 8, 3);
    Node *conv = netgen_conv(&t, x, 4, 3, 1);
    netgen_output(&t, conv);
    netgen_fill(&t);
    Imported from = {.net = t.net};
    Written to;
    CU_ASSERT_FATAL(write_net(&to, &from, "written.net", &t.src, &t.diag));
    CU_ASSERT_EQUAL(to.net->params.n, 1);
    CU_ASSERT_STRING_EQUAL(to.net->params.at[0]->name, "conv1.weight");
    CU_ASSERT_PTR_EQUAL(to.net->params.at[0]->data, conv->params[P_WEIGHT]->data);
    (void)plain;
    netgen_end(&t);
}

void suite_write(void);
void suite_write(void)
{
    CU_pSuite s = CU_add_suite("write", NULL, NULL);
    CU_add_test(s, "random networks", test_random);
    CU_add_test(s, "ResNets", test_resnets);
    CU_add_test(s, "values", test_values);
}
