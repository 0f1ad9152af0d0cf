/* safetensors.c: see safetensors.h.  A length of 8 bytes, a JSON object of so many bytes that says
 * where each tensor is, and the tensors: https://github.com/huggingface/safetensors. */
#define _GNU_SOURCE /* open_memstream, memmem */
#include "train/safetensors.h"

#include "train/bytes.h"
#include "train/whole.h"

#include <inttypes.h>
#include <stdlib.h>

enum { LENGTH_BYTES = 8, ALIGN = 64, BLOCK = 16384 };

static uint64_t elements_of(const rnct_tensor *t)
{
    uint64_t n = 1;
    for (int i = 0; i < t->rank; i++)
        n *= (uint64_t)t->dims[i];
    return n;
}

static void put_name(FILE *out, const char *s)
{
    putc('"', out);
    for (; *s; s++) {
        if ((unsigned char)*s < ' ')
            fprintf(out, "\\u%04x", (unsigned)(unsigned char)*s);
        else
            fprintf(out, "%s%c", *s == '"' || *s == '\\' ? "\\" : "", *s);
    }
    putc('"', out);
}

/* The length and the JSON, in memory that the caller frees; NULL without memory. */
static char *make_head(const rnct_tensor *tensors, int n, bool own, size_t *size)
{
    char *head = NULL;
    unsigned char length[LENGTH_BYTES] = {0};
    uint64_t at = 0;
    FILE *out = open_memstream(&head, size);
    if (!out)
        return NULL;
    fwrite(length, 1, sizeof length, out);
    fprintf(out, "{\"__metadata__\":{\"format\":\"pt\"%s}", own ? ",\"names\":\"rnc\"" : "");
    for (int i = 0; i < n; i++) {
        const rnct_tensor *t = &tensors[i];
        const uint64_t end = at + elements_of(t) * sizeof(float);
        putc(',', out);
        put_name(out, t->name);
        fputs(":{\"dtype\":\"F32\",\"shape\":[", out);
        for (int k = 0; k < t->rank; k++)
            fprintf(out, "%s%d", k ? "," : "", t->dims[k]);
        fprintf(out, "],\"data_offsets\":[%" PRIu64 ",%" PRIu64 "]}", at, end);
        at = end;
    }
    putc('}', out);
    for (long here = ftell(out); here % ALIGN; here++)
        putc(' ', out);
    const bool failed = ferror(out) != 0;
    if (fclose(out) != 0 || failed) {
        free(head);
        return NULL;
    }
    put_u64((unsigned char *)head, *size - LENGTH_BYTES);
    return head;
}

/* Floats, little-endian. */
static bool write_floats(rnct_whole *file, const rnct_tensor *t, rnct_problems *problems)
{
    unsigned char block[BLOCK];
    const uint64_t n = elements_of(t);
    size_t used = 0;
    for (uint64_t i = 0; i < n; i++) {
        uint32_t bits;
        memcpy(&bits, &t->floats[i], sizeof bits);
        put_u32(block + used, bits);
        used += sizeof bits;
        if (used == sizeof block || i + 1 == n) {
            if (!rnct_whole_write(file, block, used, problems))
                return false;
            used = 0;
        }
    }
    return true;
}

bool rnct_safetensors_save(const char *path, const rnct_tensor *tensors, int n, bool own,
                           rnct_problems *problems)
{
    rnct_whole file;
    size_t size = 0;
    char *head = make_head(tensors, n, own, &size);
    if (!head)
        return rnct_problem(problems, path, "no memory");
    bool good = rnct_whole_begin(&file, path, problems);
    if (good) {
        good = rnct_whole_write(&file, head, size, problems);
        for (int i = 0; good && i < n; i++)
            good = write_floats(&file, &tensors[i], problems);
        if (good)
            good = rnct_whole_commit(&file, NULL, problems);
        else
            rnct_whole_abort(&file);
    }
    free(head);
    return good;
}

/* ---- reading ---- */

/* A number's digits at *at, which moves after them; false without. */
static bool read_number(const char **at, const char *end, uint64_t *x)
{
    const char *begin = *at;
    for (*x = 0; *at < end && **at >= '0' && **at <= '9' && *x < UINT64_MAX / 16; (*at)++)
        *x = *x * 10 + (uint64_t)(**at - '0');
    return *at > begin;
}

static bool read_text(const char **at, const char *end, const char *text)
{
    const size_t n = strlen(text);
    if ((size_t)(end - *at) < n || memcmp(*at, text, n) != 0)
        return false;
    *at += n;
    return true;
}

/* What follows a tensor's name: its extents, and where its data is. */
static bool read_entry(const char *at, const char *end, rnct_tensor *t, uint64_t *first,
                       uint64_t *last)
{
    uint64_t extent;
    if (!read_text(&at, end, ":{\"dtype\":\"F32\",\"shape\":["))
        return false;
    for (t->rank = 0; t->rank < 4 && read_number(&at, end, &extent); t->rank++) {
        if (extent > INT32_MAX)
            return false;
        t->dims[t->rank] = (int)extent;
        read_text(&at, end, ",");
    }
    return read_text(&at, end, "],\"data_offsets\":[") && read_number(&at, end, first) &&
           read_text(&at, end, ",") && read_number(&at, end, last) && read_text(&at, end, "]}");
}

bool rnct_safetensors_find(const rnct_mapped *file, const char *name, rnct_tensor *tensor)
{
    uint64_t first, last;
    char *quoted = NULL;
    size_t size = 0;
    if (file->size < LENGTH_BYTES || get_u64(file->bytes) > file->size - LENGTH_BYTES)
        return false;
    const char *head = (const char *)file->bytes + LENGTH_BYTES;
    const size_t head_bytes = (size_t)get_u64(file->bytes);
    const char *end = head + head_bytes;
    FILE *out = open_memstream(&quoted, &size);
    if (!out)
        return false;
    put_name(out, name);
    if (fclose(out) != 0)
        return false;
    const char *at = memmem(head, head_bytes, quoted, size);
    free(quoted);
    *tensor = (rnct_tensor){.name = name};
    if (!at || !read_entry(at + size, end, tensor, &first, &last) || first > last ||
        last > file->size - LENGTH_BYTES - head_bytes ||
        last - first != elements_of(tensor) * sizeof(float))
        return false;
    tensor->floats = (const float *)(const void *)(end + first);
    return true;
}
