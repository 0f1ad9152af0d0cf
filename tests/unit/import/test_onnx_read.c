/* test_onnx_read.c: files that are no models of ONNX, or damaged ones. */
#include "base/diag.h"
#include "import/import.h"

#include <CUnit/CUnit.h>

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

typedef struct Case {
    jmp_buf oom;
    Arena *arena;
    SrcMap src;
    Diag d;
    Buf bytes;
} Case;

static void begin(Case *c)
{
    c->arena = arena_new(&c->oom);
    CU_ASSERT_PTR_NOT_NULL_FATAL(c->arena);
    c->src = (SrcMap){.arena = c->arena};
    c->d = diag_new(&c->src, c->arena);
    c->bytes = buf_new(c->arena);
    buf_add(&c->bytes, "\x08\x08", 2); /* ir_version: 8 */
}

static void varint(Buf *b, size_t n)
{
    for (; n > 127; n >>= 7)
        buf_putc(b, (char)((n & 127) | 128));
    buf_putc(b, (char)n);
}

/* A field with a length: its key, then the bytes. */
static Buf field(Case *c, char key, const Buf *inner)
{
    Buf b = buf_new(c->arena);
    buf_putc(&b, key);
    varint(&b, inner->n);
    buf_add(&b, buf_text(inner), inner->n);
    return b;
}

static Buf text(Case *c, const char *s, size_t n)
{
    Buf b = buf_new(c->arena);
    buf_add(&b, s, n);
    return b;
}

/* The file is refused, with `says` in a message; ends the case. */
static void refused(Case *c, const char *says)
{
    char path[] = "/tmp/rnc-onnx-XXXXXX.onnx";
    Imported model = {0};
    const int fd = mkstemps(path, 5);
    CU_ASSERT_FATAL(fd >= 0 && write(fd, c->bytes.text, c->bytes.n) == (ssize_t)c->bytes.n);
    close(fd);
    CU_ASSERT_FALSE(import_model(&model, path, &c->src, &c->d));
    CU_ASSERT(c->d.errors > 0 && c->d.internal == 0);
    if (!strstr(buf_text(&c->d.out), says))
        CU_FAIL("another message");
    imported_close(&model);
    unlink(path);
    arena_free(c->arena);
}

#ifdef RNC_HAVE_PROTOBUF_C
enum { GRAPH = 0x3a, NODE = 0x0a, INPUT = 0x5a, INITIALIZER = 0x2a };

/* A sequence of sequences, 20,000 deep, which protobuf-c alone does not survive. */
static void test_deep(void)
{
    Case c;
    begin(&c);
    enum { DEPTH = 20000, ROOM = 1 << 20 };
    unsigned char *at = NEW_ARRAY(c.arena, unsigned char, ROOM), *end = at + ROOM;
    unsigned char *begin_of = end;
    for (int i = 0; i < DEPTH; i++) {
        for (int key = 0; key < 2; key++) {
            Buf n = buf_new(c.arena);
            buf_putc(&n, key ? 0x22 : 0x0a);
            varint(&n, (size_t)(end - begin_of));
            begin_of -= n.n;
            memcpy(begin_of, n.text, n.n);
        }
    }
    const Buf type = text(&c, (const char *)begin_of, (size_t)(end - begin_of));
    const Buf of_input = field(&c, 0x12, &type), input = field(&c, INPUT, &of_input);
    const Buf graph = field(&c, GRAPH, &input);
    buf_add(&c.bytes, graph.text, graph.n);
    buf_add(&c.bytes, "\x42\x02\x10\x0d", 4); /* opset 13 */
    refused(&c, "has no shape in the file");
}

static void test_lengths(void)
{
    Case c;
    begin(&c);
    buf_add(&c.bytes, "\x3a\x7f", 2);
    refused(&c, "byte 2: a value is longer than what it is in");
    begin(&c);
    buf_add(&c.bytes, "\x3a\xff\xff\xff\xff\xff\xff\xff\xff\xff\x7f", 11);
    refused(&c, "a number of more than 64 bits");
    begin(&c);
    buf_add(&c.bytes, "\x3a\x80", 2);
    refused(&c, "a number is cut off");
    begin(&c);
    buf_add(&c.bytes, "\x3a\x02\x07\x00", 4);
    refused(&c, "no field of a protobuf message");
    begin(&c);
    buf_add(&c.bytes, "\x3a\x02\x08\x00", 4); /* a node that is a number */
    refused(&c, "of another type than ONNX says");
}

/* A tensor whose bytes are not as many as its extents ask for, or whose extents overflow. */
static void test_tensors(void)
{
    Case c;
    begin(&c);
    const Buf few = text(&c, "\x08\x05\x10\x01\x42\x01w\x4a\x04\0\0\0\0", 13);
    Buf tensor = field(&c, INITIALIZER, &few), graph = field(&c, GRAPH, &tensor);
    buf_add(&c.bytes, graph.text, graph.n);
    refused(&c, "the tensor 'w' has 4 bytes where its shape asks for 20");
    begin(&c);
    const Buf huge =
        text(&c, "\x08\xff\xff\xff\xff\xff\xff\xff\xff\x7f\x08\x09\x10\x01\x42\x01w", 17);
    tensor = field(&c, INITIALIZER, &huge), graph = field(&c, GRAPH, &tensor);
    buf_add(&c.bytes, graph.text, graph.n);
    refused(&c, "has a shape that no network has");
}

/* A node that reads what nothing gives. */
static void test_graph(void)
{
    Case c;
    begin(&c);
    const Buf node = text(&c, "\x0a\x01x\x12\x01y\x22\x04Relu", 12);
    const Buf in_graph = field(&c, NODE, &node), graph = field(&c, GRAPH, &in_graph);
    buf_add(&c.bytes, graph.text, graph.n);
    buf_add(&c.bytes, "\x42\x02\x10\x0d", 4); /* opset 13 */
    refused(&c, "reads what no node before it gives, 'x'");
    begin(&c);
    buf_add(&c.bytes, "\x42\x02\x10\x0d", 4);
    refused(&c, "it has no graph");
}

static void part(Case *c, Buf *graph, char key, const char *bytes, size_t n)
{
    const Buf inner = text(c, bytes, n), outer = field(c, key, &inner);
    buf_add(graph, outer.text, outer.n);
}
#define PART(graph, key, bytes) part(&c, graph, key, bytes, sizeof(bytes) - 1)

/* A graph from x, of 4 x 8 x 8, to y. */
static Buf ports(Case *of)
{
    Case c = *of;
    Buf graph = buf_new(c.arena);
    PART(&graph, INPUT,
         "\x0a\x01x\x12\x16\x0a\x14\x08\x01\x12\x10\x0a\x02\x08\x01\x0a\x02\x08\x04\x0a\x02\x08\x08"
         "\x0a\x02\x08\x08");
    PART(&graph, 0x62, "\x0a\x01y");
    return graph;
}

static void refused_graph(Case *c, const Buf *of, const char *says)
{
    const Buf graph = field(c, GRAPH, of);
    buf_add(&c->bytes, graph.text, graph.n);
    buf_add(&c->bytes, "\x42\x02\x10\x0d", 4); /* opset 13 */
    refused(c, says);
}

/* Numbers that operators do not expect. */
static void test_numbers(void)
{
    Case c;
    begin(&c);
    Buf graph = ports(&c);
    PART(&graph, NODE,
         "\x0a\x01x\x0a\x01i\x12\x01y\x22\x06Gather\x2a\x0b\x0a\x04"
         "axis\x18\x01\xa0\x01\x02");
    PART(&graph, INITIALIZER, "\x08\x01\x10\x07\x42\x01i\x4a\x08\xff\xff\xff\xff\xff\xff\xff\x7f");
    refused_graph(&c, &graph, "of what is not there");
    begin(&c);
    graph = ports(&c);
    PART(&graph, NODE, "\x0a\x01p\x0a\x01q\x0a\x01s\x12\x01r\x22\x05Range"); /* of two types */
    PART(&graph, NODE, "\x0a\x01x\x0a\x01r\x12\x01y\x22\x07Reshape");
    PART(&graph, INITIALIZER, "\x10\x07\x42\x01p\x4a\x08\0\0\0\0\0\0\0\0");
    PART(&graph, INITIALIZER, "\x10\x07\x42\x01q\x4a\x08\x05\0\0\0\0\0\0\0");
    PART(&graph, INITIALIZER, "\x10\x01\x42\x01s\x4a\x04\0\0\x80\x3f");
    refused_graph(&c, &graph, "known only while the network runs");
    begin(&c);
    graph = ports(&c);
    PART(&graph, NODE, "\x0a\x01x\x12\x01r\x22\x07Sigmoid");
    PART(&graph, NODE, "\x0a\x01x\x0a\x01p\x0a\x01r\x12\x01y\x22\x03Pad");
    PART(&graph, INITIALIZER,
         "\x08\x08\x10\x07\x42\x01p\x4a\x40"
         "\0\0\0\0\0\0\0\0"
         "\0\0\0\0\0\0\0\0"
         "\x01\0\0\0\0\0\0\0"
         "\0\0\0\0\0\0\0\0"
         "\0\0\0\0\0\0\0\0"
         "\0\0\0\0\0\0\0\0"
         "\0\0\0\0\0\0\0\0"
         "\0\0\0\0\0\0\0\0");
    refused_graph(&c, &graph, "with a value that is not known");
    begin(&c);
    graph = ports(&c);
    PART(&graph, NODE,
         "\x0a\x01x\x0a\x01w\x12\x01y\x22\x03"
         "Add\x2a\x13\x0a\x04"
         "axis\x18\xff\xff\xff\xff\xff\xff\xff\xff\x7f\xa0\x01\x02");
    PART(&graph, INITIALIZER, "\x08\x04\x10\x01\x42\x01w\x4a\x10\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0");
    buf_add(&c.bytes, "\x42\x02\x10\x06", 4); /* before 7, axis is an attribute of Add */
    const Buf old = field(&c, GRAPH, &graph);
    buf_add(&c.bytes, old.text, old.n);
    refused(&c, "Add");
}
#else
static void test_without(void)
{
    Case c;
    begin(&c);
    buf_add(&c.bytes, "\x3a\x00", 2);
    refused(&c, "without protobuf-c");
}
#endif

void suite_onnx_read(void)
{
    CU_pSuite s = CU_add_suite("onnx_read", NULL, NULL);
#ifdef RNC_HAVE_PROTOBUF_C
    CU_add_test(s, "messages 20,000 deep", test_deep);
    CU_add_test(s, "lengths that cannot be", test_lengths);
    CU_add_test(s, "tensors of other sizes", test_tensors);
    CU_add_test(s, "nodes without operands", test_graph);
    CU_add_test(s, "numbers that operators do not expect", test_numbers);
#else
    CU_add_test(s, "an rnc without protobuf-c", test_without);
#endif
}
