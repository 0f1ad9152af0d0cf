/* test_onnx_write.c: networks as models of ONNX, with weights inside and beside them. */
#include "import/import.h"
#include "import/onnx_write.h"
#ifdef RNC_HAVE_PROTOBUF_C
#include "import/onnx.pb-c.h"
#endif
#include "nets.h"

#include <CUnit/CUnit.h>

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#ifdef RNC_HAVE_PROTOBUF_C
static const OnnxOptions inside = {.inside_most = ONNX_INSIDE_MOST, .data_name = "a.onnx.data"};
static const OnnxOptions beside = {.inside_most = 1000, .data_name = "a.onnx.data"};

/* A convolution, bn, relu, a pool and a dense layer. */
static void make_small(Bench *b)
{
    bench_begin(b);
    Node *x = make_input(b, 1, 3, 8, 8, ELEM_F32);
    x = make_conv_bn(b, x, 3, 16, 2, true);
    x = make_pool(b, OP_MAXPOOL, x, 2, 2, 0);
    make_output(b, make_op(b, OP_FLATTEN, x));
    fill_params(b);
}

static void put(const char *path, const void *bytes, size_t size)
{
    FILE *f = fopen(path, "wb");
    CU_ASSERT_PTR_NOT_NULL_FATAL(f);
    CU_ASSERT_EQUAL(fwrite(bytes, 1, size, f), size);
    fclose(f);
}

/* The model of a folder, read again: its first parameter has the numbers of the network's. */
static void read_again(Bench *b, const char *path)
{
    Imported model = {0};
    CU_ASSERT_FATAL(import_model(&model, path, &b->src, &b->diag));
    const Param *was = b->net->params.at[0], *is = model.net->params.at[0];
    CU_ASSERT_EQUAL(model.net->nodes.n, b->net->nodes.n);
    CU_ASSERT_FATAL(param_same_dims(was, is));
    CU_ASSERT_STRING_EQUAL(was->name, is->name);
    for (int64_t i = 0; i < param_elements(was); i++)
        CU_ASSERT_EQUAL(param_at(was, i), param_at(is, i));
    imported_close(&model);
}

static void test_inside(void)
{
    Bench b;
    OnnxFile one, two;
    char folder[] = "/tmp/rnc-onnx-XXXXXX";
    make_small(&b);
    CU_ASSERT_PTR_NOT_NULL_FATAL(mkdtemp(folder));
    const char *path = arena_printf(b.arena, "%s/a.onnx", folder);
    CU_ASSERT_FATAL(onnx_write(b.net, &inside, &one, b.arena, &b.diag));
    CU_ASSERT_FATAL(onnx_write(b.net, &inside, &two, b.arena, &b.diag));
    CU_ASSERT_PTR_NULL(one.data);
    CU_ASSERT(one.model_size == two.model_size && !memcmp(one.model, two.model, one.model_size));
    put(path, one.model, one.model_size);
    read_again(&b, path);
    unlink(path);
    rmdir(folder);
    bench_end(&b);
}

/* The extent of the batch of the model's input, 0 if it is open. */
static int64_t batch_of(Bench *b, bool fixed)
{
    OnnxOptions options = inside;
    OnnxFile made;
    options.fixed_batch = fixed;
    CU_ASSERT_FATAL(onnx_write(b->net, &options, &made, b->arena, &b->diag));
    Onnx__ModelProto *model = onnx__model_proto__unpack(NULL, made.model_size, made.model);
    CU_ASSERT_PTR_NOT_NULL_FATAL(model);
    const int64_t batch = model->graph->input[0]->type->tensor_type->shape->dim[0]->dim_value;
    onnx__model_proto__free_unpacked(model, NULL);
    return batch;
}

static void test_batch(void)
{
    Bench b;
    make_small(&b);
    CU_ASSERT_EQUAL(batch_of(&b, false), 0);
    CU_ASSERT_EQUAL(batch_of(&b, true), 1);
    bench_end(&b);
}

static void test_beside(void)
{
    Bench b;
    OnnxFile made;
    char folder[] = "/tmp/rnc-onnx-XXXXXX";
    make_small(&b);
    CU_ASSERT_PTR_NOT_NULL_FATAL(mkdtemp(folder));
    const char *path = arena_printf(b.arena, "%s/a.onnx", folder);
    const char *data = arena_printf(b.arena, "%s.data", path);
    CU_ASSERT_FATAL(onnx_write(b.net, &beside, &made, b.arena, &b.diag));
    CU_ASSERT_PTR_NOT_NULL_FATAL(made.data);
    CU_ASSERT(made.data_size >= 16 * 27 * sizeof(float));
    put(path, made.model, made.model_size);
    put(data, made.data, made.data_size);
    read_again(&b, path);
    unlink(data);
    unlink(path);
    rmdir(folder);
    bench_end(&b);
}

/* What keeps a state from run to run is nothing that ONNX has. */
static void test_refused(void)
{
    Bench b;
    OnnxFile made;
    bench_begin(&b);
    Node *x = make_input(&b, 1, 3, 8, 8, ELEM_F32);
    make_output(&b, make_op(&b, OP_DELAY, x));
    CU_ASSERT_FALSE(onnx_write(b.net, &inside, &made, b.arena, &b.diag));
    CU_ASSERT_PTR_NOT_NULL(strstr(buf_text(&b.diag.out), "'delay' cannot be written to ONNX"));
    bench_end(&b);
}

void suite_onnx_write(void)
{
    CU_pSuite s = CU_add_suite("onnx_write", NULL, NULL);
    CU_add_test(s, "weights inside, the same bytes", test_inside);
    CU_add_test(s, "weights in a file beside it", test_beside);
    CU_add_test(s, "a batch of one, open or fixed", test_batch);
    CU_add_test(s, "a layer that ONNX has not", test_refused);
}
#endif
