/* fuzz_weights.c: any bytes as a weights file that the runtime is given; as they
 * are, and with the checksums of head and table made right, so that the checks
 * behind those are reached too. */
#include "fuzz.h"
#include "rncrt.h"
#include "rncw.h"

#include <stdlib.h>
#include <string.h>

static uint64_t get(const unsigned char *from, int bytes)
{
    uint64_t x = 0;
    while (bytes-- > 0)
        x = x << 8 | from[bytes];
    return x;
}

static void put(unsigned char *to, uint64_t x)
{
    for (int i = 0; i < 8; i++)
        to[i] = (unsigned char)(x >> 8 * i);
}

static void sum_up(unsigned char *file, size_t size)
{
    if (size < RNCW_HEAD_BYTES)
        return;
    const uint64_t table =
        get(file + RNCW_AT_COUNT, 4) * RNCW_ENTRY_BYTES + get(file + RNCW_AT_NAME_BYTES, 4);
    if (table <= size - RNCW_HEAD_BYTES)
        put(file + RNCW_AT_TABLE_SUM, rncw_hash(file + RNCW_HEAD_BYTES, (size_t)table, 0));
    put(file + RNCW_AT_FILE_BYTES, size);
    put(file + RNCW_AT_HEAD_SUM, rncw_hash(file, RNCW_AT_HEAD_SUM, 0));
}

static void check(const unsigned char *file, size_t size)
{
    rnc_weights w;
    rnc_status status = rnc_weights_memory(&w, file, size);
    if (status == RNC_OK)
        status = rnc_weights_verify(&w);
    /* An error has a text and a reason; a file that passed has neither. */
    if (!rnc_status_text(status) || (status != RNC_OK) != (w.why[0] != '\0') ||
        !memchr(w.why, 0, sizeof w.why))
        abort();
    rnc_weights_close(&w);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    void *copy; /* of its own size, so that a sanitizer sees a read behind the end */
    if (posix_memalign(&copy, RNCW_ALIGN, size ? size : 1) != 0)
        return 0;
    if (size)
        memcpy(copy, data, size);
    check(copy, size);
    sum_up(copy, size);
    check(copy, size);
    free(copy);
    return 0;
}
