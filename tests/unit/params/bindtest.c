/* bindtest.c: see bindtest.h. */
#include "bindtest.h"

#include <CUnit/CUnit.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

void bindtest_begin(BindTest *b)
{
    *b = (BindTest){.arena = arena_new(&b->oom)};
    b->src = (SrcMap){.arena = b->arena};
    b->diag = diag_new(&b->src, b->arena);
    b->net = ir_new(b->arena, "small");
    b->header = buf_new(b->arena);
    b->data = buf_new(b->arena);
    Attrs conv = ir_default_attrs(OP_CONV), bn = ir_default_attrs(OP_BN);
    Attrs flat = ir_default_attrs(OP_FLATTEN), dense = ir_default_attrs(OP_DENSE);
    conv.kernel[0] = conv.kernel[1] = 3;
    conv.filters = 2;
    for (int i = 0; i < 4; i++)
        conv.padding[i] = 1;
    dense.filters = 4;
    Node *x = ir_add_input(b->net, "image", (Type){ELEM_F32, 1, 3, 3, 3}, NULL);
    x = ir_add(b->net, &b->diag, OP_CONV, &x, 1, &conv, "conv1", NULL);
    x = ir_add(b->net, &b->diag, OP_BN, &x, 1, &bn, "bn1", NULL);
    x = ir_add(b->net, &b->diag, OP_FLATTEN, &x, 1, &flat, "flatten1", NULL);
    x = ir_add(b->net, &b->diag, OP_DENSE, &x, 1, &dense, "fc", NULL);
    CU_ASSERT_PTR_NOT_NULL_FATAL(x);
}

void bindtest_end(BindTest *b)
{
    for (int i = 0; i < b->n_files; i++)
        tensorfile_close(&b->files[i]);
    arena_free(b->arena);
}

void bindtest_tensor(BindTest *b, const char *name, const char *shape, int n, float first,
                     float step)
{
    buf_printf(&b->header, "%s\"%s\":{\"dtype\":\"F32\",\"shape\":[%s],\"data_offsets\":[%zu,%zu]}",
               b->header.n ? "," : "{", name, shape, b->data.n, b->data.n + 4 * (size_t)n);
    for (int i = 0; i < n; i++) {
        const float x = first + (float)i * step;
        buf_add(&b->data, (const char *)&x, sizeof x);
    }
}

void bindtest_finish(BindTest *b)
{
    char path[] = "/tmp/rnc-test-XXXXXX", length[8];
    const int fd = mkstemp(path);
    buf_putc(&b->header, '}');
    for (int i = 0; i < 8; i++)
        length[i] = (char)(b->header.n >> 8 * i);
    CU_ASSERT_FATAL(fd >= 0 && write(fd, length, 8) == 8);
    CU_ASSERT_FATAL(write(fd, b->header.text, b->header.n) == (ssize_t)b->header.n);
    CU_ASSERT_FATAL(write(fd, b->data.text, b->data.n) == (ssize_t)b->data.n);
    close(fd);
    CU_ASSERT_FATAL(tensorfile_open(&b->files[b->n_files++], path, b->arena, &b->diag));
    unlink(path);
    b->header.n = b->data.n = 0;
}

void bindtest_convolution(BindTest *b)
{
    bindtest_tensor(b, "conv1.weight", "2,3,3,3", 54, 1, 1);
}

void bindtest_normalisation(BindTest *b)
{
    bindtest_tensor(b, "bn1.weight", "2", 2, 1, 1);
    bindtest_tensor(b, "bn1.bias", "2", 2, 0, 1);
    bindtest_tensor(b, "bn1.running_mean", "2", 2, 0, 1);
    bindtest_tensor(b, "bn1.running_var", "2", 2, 1, 1);
}

void bindtest_dense(BindTest *b)
{
    bindtest_tensor(b, "fc.weight", "4,18", 72, 0, 1);
    bindtest_tensor(b, "fc.bias", "4", 4, 0, 1);
}

bool bindtest_bind(BindTest *b, InitKind init)
{
    return bind_params(b->net, b->files, b->n_files, (InitSpec){init, 0}, &b->done, &b->diag);
}

const Param *bindtest_param(const BindTest *b, const char *node, Role role)
{
    return net_node_named(b->net, node)->params[role];
}

void bindtest_refused(BindTest *b, int errors, const char *const *says, int n)
{
    CU_ASSERT_FALSE(bindtest_bind(b, INIT_NONE));
    CU_ASSERT_EQUAL(b->diag.errors, errors);
    for (int i = 0; i < n; i++) {
        if (!strstr(buf_text(&b->diag.out), says[i])) {
            printf("expected: %s\nfound: %s", says[i], buf_text(&b->diag.out));
            CU_FAIL("another message");
        }
    }
    bindtest_end(b);
}
