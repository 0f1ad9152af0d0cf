/* safetensors.c: see safetensors.h.  A length of 8 bytes, a JSON object of so many bytes that says
 * where each tensor is, and the tensors: https://github.com/huggingface/safetensors. */
#define _GNU_SOURCE /* open_memstream */
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
static char *make_head(const rnct_tensor *tensors, int n, size_t *size)
{
    char *head = NULL;
    unsigned char length[LENGTH_BYTES] = {0};
    uint64_t at = 0;
    FILE *out = open_memstream(&head, size);
    if (!out)
        return NULL;
    fwrite(length, 1, sizeof length, out);
    fputs("{\"__metadata__\":{\"format\":\"pt\",\"names\":\"rnc\"}", out);
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

bool rnct_safetensors_save(const char *path, const rnct_tensor *tensors, int n,
                           rnct_problems *problems)
{
    rnct_whole file;
    size_t size = 0;
    char *head = make_head(tensors, n, &size);
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
