/* weights.c: a weights file in memory, which is checked before anything of it is used.
 * Nothing in the file is trusted: a number is used as an extent only after the check that it stays
 * inside what the caller gave.  No function of the C library is called. */
#include "rncrt.h"
#include "rncw.h"

static uint64_t rncw_number(const unsigned char *p, int bytes)
{
    uint64_t x = 0;
    while (bytes-- > 0)
        x = x << 8 | p[bytes];
    return x;
}

static rnc_status rncw_fail(rnc_weights *w, rnc_status status, const char *what)
{
    w->why[0] = '\0';
    rnc_why(w->why, what);
    return status;
}

/* Writes "WHAT: expected A, found B" into w->why. */
static rnc_status rncw_differ(rnc_weights *w, rnc_status status, const char *what,
                              uint64_t expected, uint64_t found, unsigned base)
{
    rncw_fail(w, status, what);
    rnc_why(w->why, ": expected ");
    rnc_why_number(w->why, expected, base);
    rnc_why(w->why, ", found ");
    rnc_why_number(w->why, found, base);
    return status;
}

/* Checks magic and byte order: is this one of our files at all? */
static rnc_status rncw_check_kind(rnc_weights *w)
{
    const union {
        uint32_t number;
        unsigned char bytes[4];
    } order = {RNCW_ORDER};
    size_t i, same = 0;
    while (same < 8 && same < w->size && w->base[same] == (unsigned char)RNCW_MAGIC[same])
        same++;
    if (same < 8 && same < w->size)
        return rncw_fail(w, RNC_E_FORMAT,
                         same < 4 ? "the first bytes are not those of a weights file"
                                  : "line ends were converted, as by a transfer as text");
    if (w->size < RNCW_HEAD_BYTES)
        return rncw_differ(w, RNC_E_TRUNCATED, "bytes of the head", RNCW_HEAD_BYTES, w->size, 10);
    if (rncw_number(w->base + RNCW_AT_VERSION, 4) != RNCW_VERSION)
        return rncw_differ(w, RNC_E_FORMAT, "version of the format", RNCW_VERSION,
                           rncw_number(w->base + RNCW_AT_VERSION, 4), 10);
    if (rncw_number(w->base + RNCW_AT_HEAD_SUM, 8) != rncw_hash(w->base, RNCW_AT_HEAD_SUM, 0))
        return rncw_fail(w, RNC_E_CORRUPT, "the head does not have its checksum");
    for (i = 0; i < 4; i++)
        if (w->base[RNCW_AT_ORDER + i] != order.bytes[i])
            return rncw_fail(w, RNC_E_FORMAT, "numbers are not in this machine's byte order");
    return RNC_OK;
}

/* Checks the extents that the head states: table and names, then padding, then tensors. */
static rnc_status rncw_check_head(rnc_weights *w)
{
    const uint64_t bytes = rncw_number(w->base + RNCW_AT_FILE_BYTES, 8);
    const uint64_t data = rncw_number(w->base + RNCW_AT_DATA, 8);
    const uint64_t table = rncw_number(w->base + RNCW_AT_COUNT, 4) * RNCW_ENTRY_BYTES +
                           rncw_number(w->base + RNCW_AT_NAME_BYTES, 4);
    uint64_t i;
    if (w->size < bytes)
        return rncw_differ(w, RNC_E_TRUNCATED, "bytes of the file", bytes, w->size, 10);
    if (w->size > bytes)
        return rncw_differ(w, RNC_E_CORRUPT, "bytes of the file", bytes, w->size, 10);
    if (data > bytes || data % RNCW_DATA_ALIGN || data < RNCW_HEAD_BYTES ||
        data - RNCW_HEAD_BYTES < table)
        return rncw_fail(w, RNC_E_CORRUPT, "the table is not before the tensors");
    if (rncw_number(w->base + RNCW_AT_TABLE_SUM, 8) !=
        rncw_hash(w->base + RNCW_HEAD_BYTES, (size_t)table, 0))
        return rncw_fail(w, RNC_E_CORRUPT, "the table does not have its checksum");
    for (i = RNCW_HEAD_BYTES + table; i < data; i++)
        if (w->base[i])
            return rncw_fail(w, RNC_E_CORRUPT, "the padding after the table is not zero");
    return RNC_OK;
}

static const unsigned char *rncw_entry(const rnc_weights *w, uint64_t i)
{
    return w->base + RNCW_HEAD_BYTES + i * RNCW_ENTRY_BYTES;
}

/* The name of entry i, which has been checked already. */
static const char *rncw_name(const rnc_weights *w, uint64_t i)
{
    const uint64_t count = rncw_number(w->base + RNCW_AT_COUNT, 4);
    return (const char *)rncw_entry(w, count) + rncw_number(rncw_entry(w, i) + RNCW_ENTRY_NAME, 4);
}

static rnc_status rncw_fail_entry(rnc_weights *w, uint64_t i, const char *what)
{
    rncw_fail(w, RNC_E_CORRUPT, what);
    rnc_why(w->why, ": tensor ");
    rnc_why_number(w->why, i, 10);
    return RNC_E_CORRUPT;
}

/* Checks that each name ends inside the names, that tensors follow one another, aligned, and that
 * the file ends, aligned, with the last one. */
static rnc_status rncw_check_table(rnc_weights *w)
{
    const uint64_t count = rncw_number(w->base + RNCW_AT_COUNT, 4);
    const uint64_t names = rncw_number(w->base + RNCW_AT_NAME_BYTES, 4);
    uint64_t end = rncw_number(w->base + RNCW_AT_DATA, 8), i, k;
    if (names > 0 && rncw_entry(w, count)[names - 1])
        return rncw_fail(w, RNC_E_CORRUPT, "the last name has no end");
    for (i = 0; i < count; i++) {
        const unsigned char *e = rncw_entry(w, i);
        const uint64_t offset = rncw_number(e + RNCW_ENTRY_OFFSET, 8);
        const uint64_t bytes = rncw_number(e + RNCW_ENTRY_BYTES_, 8);
        if (rncw_number(e + RNCW_ENTRY_NAME, 4) >= names)
            return rncw_fail_entry(w, i, "a name is outside the names");
        if (rncw_number(e + RNCW_ENTRY_ELEM, 4) > 2)
            return rncw_fail_entry(w, i, "an element type is unknown");
        for (k = RNCW_ENTRY_PACKING + 4; k < RNCW_ENTRY_BYTES; k++)
            if (e[k])
                return rncw_fail_entry(w, i, "reserved bytes are not zero");
        if (offset != end || bytes > w->size - offset || bytes % 4)
            return rncw_fail_entry(w, i, "a tensor is not where it should be");
        end = offset + bytes;
        end += (RNCW_ALIGN - end % RNCW_ALIGN) % RNCW_ALIGN;
        if (end > w->size)
            return rncw_fail_entry(w, i, "the padding after a tensor is missing");
    }
    if (end != w->size)
        return rncw_differ(w, RNC_E_CORRUPT, "end of the last tensor", w->size, end, 10);
    return RNC_OK;
}

rnc_status rnc_weights_memory(rnc_weights *w, const void *data, size_t size)
{
    rnc_status status = RNC_OK;
    w->base = (const unsigned char *)data;
    w->size = size;
    w->plan = 0;
    w->map = NULL;
    w->why[0] = '\0';
    if (!data)
        status = rncw_fail(w, RNC_E_OPEN, "the weights are NULL");
    else if ((uintptr_t)data % RNCW_ALIGN)
        status = rncw_fail(w, RNC_E_OPEN, "the weights' address is not a multiple of 64");
    if (status == RNC_OK)
        status = rncw_check_kind(w);
    if (status == RNC_OK)
        status = rncw_check_head(w);
    if (status == RNC_OK)
        status = rncw_check_table(w);
    if (status == RNC_OK) {
        w->plan = rncw_number(w->base + RNCW_AT_PLAN, 8);
    } else {
        w->base = NULL;
        w->size = 0;
    }
    return status;
}

rnc_status rnc_weights_verify(rnc_weights *w)
{
    uint64_t count, i, k;
    if (!w->base)
        return rncw_fail(w, RNC_E_OPEN, "no weights are open");
    w->why[0] = '\0';
    count = rncw_number(w->base + RNCW_AT_COUNT, 4);
    for (i = 0; i < count; i++) {
        const unsigned char *e = rncw_entry(w, i);
        const uint64_t offset = rncw_number(e + RNCW_ENTRY_OFFSET, 8);
        const uint64_t bytes = rncw_number(e + RNCW_ENTRY_BYTES_, 8);
        int whole =
            rncw_number(e + RNCW_ENTRY_SUM, 8) == rncw_hash(w->base + offset, (size_t)bytes, 0);
        for (k = offset + bytes; k % RNCW_ALIGN; k++)
            whole &= w->base[k] == 0;
        if (!whole) {
            rncw_fail(w, RNC_E_CORRUPT, "a tensor does not have its checksum: ");
            rnc_why(w->why, rncw_name(w, i));
            return RNC_E_CORRUPT;
        }
    }
    return RNC_OK;
}
