/* safetensors_write.c: a network's parameters as a safetensors file (safetensors.c has the
 * format), in the order of execution. */
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

/* Prints one entry of the header, whose data is at *at, and moves *at after the data. */
static void put_entry(Buf *out, const Param *param, uint64_t *at)
{
    const uint64_t end = *at + (uint64_t)param_elements(param) * sizeof(float);
    buf_putc(out, ',');
    put_string(out, param->name);
    buf_puts(out, ":{\"dtype\":\"F32\",\"shape\":[");
    for (int i = 0; i < param->rank; i++)
        buf_printf(out, "%s%d", i ? "," : "", param->dims[i]);
    buf_printf(out, "],\"data_offsets\":[%" PRIu64 ",%" PRIu64 "]}", *at, end);
    *at = end;
}

/* Writes floats little-endian; returns the place after them. */
static unsigned char *put_floats(unsigned char *to, const float *x, int64_t n)
{
    for (int64_t i = 0; i < n; i++) {
        uint32_t bits;
        memcpy(&bits, &x[i], sizeof bits);
        for (int k = 0; k < 4; k++)
            *to++ = (unsigned char)(bits >> 8 * k);
    }
    return to;
}

unsigned char *safetensors_print(const Net *net, size_t *size, Arena *arena)
{
    enum { LENGTH_BYTES = 8, ALIGN = 64 };
    Buf header = buf_new(arena);
    uint64_t data = 0;
    buf_puts(&header, "{\"__metadata__\":{\"format\":\"pt\",\"names\":\"rnc\"}");
    for (int i = 0; i < net->params.n; i++)
        put_entry(&header, net->params.at[i], &data);
    buf_putc(&header, '}');
    while ((LENGTH_BYTES + header.n) % ALIGN)
        buf_putc(&header, ' ');
    *size = LENGTH_BYTES + header.n + (size_t)data;
    unsigned char *bytes = NEW_ARRAY(arena, unsigned char, *size), *to = bytes;
    for (int i = 0; i < LENGTH_BYTES; i++)
        *to++ = (unsigned char)((uint64_t)header.n >> 8 * i);
    memcpy(to, header.text, header.n);
    to += header.n;
    for (int i = 0; i < net->params.n; i++)
        to = put_floats(to, net->params.at[i]->data, param_elements(net->params.at[i]));
    return bytes;
}
