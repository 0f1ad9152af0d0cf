/* npy.c: see npy.h.
 *
 *   "\x93NUMPY", version (2 bytes), length of the head (version 1: 2 bytes, else
 *   4, little-endian), the head, then the elements.  The head is a Python dict:
 *   {'descr': '<f4', 'fortran_order': False, 'shape': (1, 3, 224, 224), }
 */
#include "params/npy.h"

#include "net/ir.h"

#include <stdio.h>
#include <string.h>

typedef struct Head {
    const char *at, *end;
    NpyHead *to;
} Head;

static void skip_blanks(Head *h)
{
    while (h->at < h->end && (*h->at == ' ' || *h->at == '\n' || *h->at == '\t'))
        h->at++;
}

static bool take(Head *h, const char *text)
{
    const size_t n = strlen(text);
    skip_blanks(h);
    if ((size_t)(h->end - h->at) < n || memcmp(h->at, text, n) != 0)
        return false;
    h->at += n;
    return true;
}

/* 'text' into `to`; false when there is none or it is too long. */
static bool take_string(Head *h, char *to, size_t size)
{
    skip_blanks(h);
    if (h->at == h->end || (*h->at != '\'' && *h->at != '"'))
        return false;
    const char quote = *h->at++;
    size_t n = 0;
    while (h->at < h->end && *h->at != quote && n + 1 < size)
        to[n++] = *h->at++;
    to[n] = '\0';
    return h->at < h->end && *h->at++ == quote;
}

static bool take_shape(Head *h)
{
    NpyHead *to = h->to;
    if (!take(h, "("))
        return false;
    while (!take(h, ")")) {
        int64_t x = 0;
        int digits = 0;
        skip_blanks(h);
        for (; h->at < h->end && *h->at >= '0' && *h->at <= '9'; h->at++, digits++) {
            if (x > INT32_MAX)
                return false;
            x = 10 * x + (*h->at - '0');
        }
        if (digits == 0 || to->rank == NPY_RANK_MOST)
            return false;
        to->dims[to->rank++] = x;
        take(h, "L"); /* Python 2 */
        if (!take(h, ",")) {
            skip_blanks(h);
            if (h->at == h->end || *h->at != ')')
                return false;
        }
    }
    return true;
}

static bool parse_head(Head *h)
{
    char key[16];
    int seen = 0;
    if (!take(h, "{"))
        return false;
    while (!take(h, "}")) {
        if (!take_string(h, key, sizeof key) || !take(h, ":"))
            return false;
        if (str_eq(key, "descr") && take_string(h, h->to->descr, sizeof h->to->descr))
            seen |= 1;
        else if (str_eq(key, "fortran_order") &&
                 ((h->to->fortran = take(h, "True")) || take(h, "False")))
            seen |= 2;
        else if (str_eq(key, "shape") && take_shape(h))
            seen |= 4;
        else
            return false;
        take(h, ",");
    }
    return seen == 7;
}

static uint64_t little(const unsigned char *p, int n)
{
    uint64_t x = 0;
    for (int i = n - 1; i >= 0; i--)
        x = x << 8 | p[i];
    return x;
}

static double element(const unsigned char *p, const char *descr, int bytes)
{
    if (bytes == 1)
        return *p;
    if (descr[1] == 'i' && bytes == 4)
        return (double)(int32_t)(uint32_t)little(p, 4);
    if (descr[1] == 'i')
        return (double)(int64_t)little(p, 8);
    if (bytes == 4) {
        const uint32_t bits = (uint32_t)little(p, 4);
        float x;
        memcpy(&x, &bits, sizeof x);
        return (double)x;
    }
    const uint64_t bits = little(p, 8);
    double x;
    memcpy(&x, &bits, sizeof x);
    return x;
}

static int bytes_of(const char *descr)
{
    return str_eq(descr, "<f4") || str_eq(descr, "<i4")   ? 4
           : str_eq(descr, "<f8") || str_eq(descr, "<i8") ? 8
           : str_eq(descr, "|u1") || str_eq(descr, "<u1") ? 1
                                                          : 0;
}

size_t npy_head_size(const unsigned char *bytes, size_t size)
{
    if (size < 12 || memcmp(bytes, "\x93NUMPY", 6) != 0 || bytes[6] < 1 || bytes[6] > 3)
        return 0;
    return bytes[6] == 1 ? 10 + (size_t)little(bytes + 8, 2) : 12 + (size_t)little(bytes + 8, 4);
}

bool npy_head(NpyHead *head, const char *path, const unsigned char *bytes, size_t size, Diag *d)
{
    *head = (NpyHead){.size = npy_head_size(bytes, size)};
    if (head->size == 0) {
        diag_file_error(d, path, "not a NumPy file (.npy)");
        return false;
    }
    if (head->size > size) {
        diag_file_error(d, path, "the file ends within its head");
        return false;
    }
    Head h = {(const char *)bytes + (bytes[6] == 1 ? 10 : 12), (const char *)bytes + head->size,
              head};
    if (!parse_head(&h)) {
        diag_file_error(d, path, "the head of the NumPy file cannot be read");
        return false;
    }
    return true;
}

bool npy_parse(Npy *npy, const char *path, const unsigned char *bytes, size_t size, Arena *arena,
               Diag *d)
{
    NpyHead h;
    *npy = (Npy){0};
    if (!npy_head(&h, path, bytes, size, d))
        return false;
    npy->rank = h.rank;
    memcpy(npy->dims, h.dims, sizeof npy->dims);
    const int each = bytes_of(h.descr);
    if (each == 0 || h.fortran) {
        diag_file_error(d, path, "elements of type '%s'%s are not supported", h.descr,
                        h.fortran ? " in Fortran order" : "");
        diag_file_note(d, path,
                       "float32, float64, int32, int64 and uint8 in C order are: "
                       "numpy.ascontiguousarray(x, 'float32')");
        return false;
    }
    npy->n = 1;
    for (int i = 0; i < npy->rank; i++)
        npy->n = mul_extents(npy->n, npy->dims[i]);
    const uint64_t data = size - h.size;
    if ((uint64_t)npy->n != data / (unsigned)each || data % (unsigned)each) {
        diag_file_error(d, path, "%lld elements by its shape, and %llu bytes of them",
                        (long long)npy->n, (unsigned long long)data);
        return false;
    }
    npy->values = NEW_ARRAY(arena, double, npy->n ? npy->n : 1);
    for (int64_t i = 0; i < npy->n; i++)
        npy->values[i] = element(bytes + h.size + i * each, h.descr, each);
    return true;
}

bool npy_read(Npy *npy, const char *path, Arena *arena, Diag *d)
{
    SrcMap files = {.arena = arena};
    const char *why;
    const int file = src_read(&files, path, &why);
    if (file < 0) {
        diag_file_error(d, path, "cannot read it: %s", why);
        return false;
    }
    const SrcFile *f = src_file(&files, file);
    return npy_parse(npy, path, (const unsigned char *)f->text, f->size, arena, d);
}

void npy_print(Buf *out, const Npy *npy)
{
    Buf head = buf_new(out->arena);
    buf_puts(&head, "{'descr': '<f8', 'fortran_order': False, 'shape': (");
    for (int i = 0; i < npy->rank; i++)
        buf_printf(&head, "%s%lld%s", i ? " " : "", (long long)npy->dims[i],
                   i + 1 < npy->rank || npy->rank == 1 ? "," : "");
    buf_puts(&head, "), }");
    while ((10 + head.n + 1) % 64)
        buf_putc(&head, ' ');
    buf_putc(&head, '\n');
    buf_add(out, "\x93NUMPY\x01", 7);
    buf_putc(out, 0);
    buf_putc(out, (char)(head.n & 0xff));
    buf_putc(out, (char)(head.n >> 8));
    buf_add(out, head.text, head.n);
    for (int64_t i = 0; i < npy->n; i++) {
        uint64_t bits;
        char bytes[8];
        memcpy(&bits, &npy->values[i], sizeof bits);
        for (int k = 0; k < 8; k++)
            bytes[k] = (char)(unsigned char)(bits >> 8 * k);
        buf_add(out, bytes, sizeof bytes);
    }
}
