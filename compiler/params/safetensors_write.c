/* safetensors_write.c: tensors as a safetensors file (safetensors.c has the format); a network's
 * parameters, in the order of execution. */
#include "params/safetensors_write.h"

#include "base/str.h"

#include <inttypes.h>
#include <string.h>

static void put_string(Buf *out, const char *s)
{
    buf_putc(out, '"');
    for (; *s; s++) {
        if ((unsigned char)*s < ' ')
            buf_printf(out, "\\u%04x", (unsigned)(unsigned char)*s);
        else
            buf_printf(out, "%s%c", *s == '"' || *s == '\\' ? "\\" : "", *s);
    }
    buf_putc(out, '"');
}

static int64_t elements_of(const SafeTensor *t)
{
    int64_t n = 1;
    for (int i = 0; i < t->rank; i++)
        n *= t->dims[i];
    return n;
}

/* Prints one entry of the header, whose data is at *at, and moves *at after the data. */
static void put_entry(Buf *out, const SafeTensor *t, uint64_t *at)
{
    const uint64_t size = t->floats ? sizeof(float) : sizeof(double);
    const uint64_t end = *at + (uint64_t)elements_of(t) * size;
    buf_putc(out, ',');
    put_string(out, t->name);
    buf_printf(out, ":{\"dtype\":\"%s\",\"shape\":[", t->floats ? "F32" : "F64");
    for (int i = 0; i < t->rank; i++)
        buf_printf(out, "%s%d", i ? "," : "", t->dims[i]);
    buf_printf(out, "],\"data_offsets\":[%" PRIu64 ",%" PRIu64 "]}", *at, end);
    *at = end;
}

/* Writes a number's bits little-endian; returns the place after them. */
static unsigned char *put_bits(unsigned char *to, uint64_t bits, int bytes)
{
    for (int k = 0; k < bytes; k++)
        *to++ = (unsigned char)(bits >> 8 * k);
    return to;
}

static unsigned char *put_values(unsigned char *to, const SafeTensor *t)
{
    const int64_t n = elements_of(t);
    for (int64_t i = 0; i < n; i++) {
        uint32_t narrow = 0;
        uint64_t wide = 0;
        if (t->floats)
            memcpy(&narrow, &t->floats[i], sizeof narrow);
        else
            memcpy(&wide, &t->doubles[i], sizeof wide);
        to = t->floats ? put_bits(to, narrow, 4) : put_bits(to, wide, 8);
    }
    return to;
}

unsigned char *safetensors_pack(const SafeTensor *tensors, int n, size_t *size, Arena *arena)
{
    enum { LENGTH_BYTES = 8, ALIGN = 64 };
    Buf header = buf_new(arena);
    uint64_t data = 0;
    buf_puts(&header, "{\"__metadata__\":{\"format\":\"pt\",\"names\":\"rnc\"}");
    for (int i = 0; i < n; i++)
        put_entry(&header, &tensors[i], &data);
    buf_putc(&header, '}');
    while ((LENGTH_BYTES + header.n) % ALIGN)
        buf_putc(&header, ' ');
    *size = LENGTH_BYTES + header.n + (size_t)data;
    unsigned char *bytes = NEW_ARRAY(arena, unsigned char, *size);
    unsigned char *to = put_bits(bytes, (uint64_t)header.n, LENGTH_BYTES);
    memcpy(to, header.text, header.n);
    to += header.n;
    for (int i = 0; i < n; i++)
        to = put_values(to, &tensors[i]);
    return bytes;
}

unsigned char *safetensors_print(const Net *net, size_t *size, Arena *arena)
{
    SafeTensor *tensors = NEW_ARRAY(arena, SafeTensor, net->params.n + 1);
    for (int i = 0; i < net->params.n; i++) {
        const Param *param = net->params.at[i];
        tensors[i] = (SafeTensor){param->name, param->rank, param->dims, param_floats(param), NULL};
    }
    return safetensors_pack(tensors, net->params.n, size, arena);
}
