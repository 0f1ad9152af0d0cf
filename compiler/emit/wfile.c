/* wfile.c: the weights file (runtime/rncw.h, docs/weights-format.md), written from the plan's
 * tensors: they are packed straight into the file's bytes and then read once for their
 * checksums. */
#include "emit/emit.h"

#include "runtime/rncw.h"

#include <string.h>

static void put(unsigned char *to, uint64_t x, int bytes)
{
    for (int i = 0; i < bytes; i++, x >>= 8)
        to[i] = (unsigned char)x;
}

/* The file's numbers are little-endian.  pack_weights() writes this machine's, which are `each`
 * bytes long. */
static void swap_if_big_endian(unsigned char *bytes, size_t size, size_t each)
{
    const uint16_t one = 1;
    unsigned char first;
    memcpy(&first, &one, 1);
    for (size_t i = 0; first == 0 && i < size; i += each) {
        for (size_t k = 0; k < each / 2; k++) {
            const unsigned char x = bytes[i + k];
            bytes[i + k] = bytes[i + each - 1 - k];
            bytes[i + each - 1 - k] = x;
        }
    }
}

/* Room for the floats of the largest tensor whose weights are stored in 16 bits. */
static float *room_for_floats(const Plan *plan, Arena *arena)
{
    int64_t most = 0;
    for (int i = 0; i < plan->packed.n; i++) {
        const Packed *packed = plan->packed.at[i];
        const int64_t n = packed_floats(&plan->steps.at[packed->step]);
        most = packed->elem != ELEM_F32 && n > most ? n : most;
    }
    return NEW_ARRAY(arena, float, most + 1);
}

/* Packs every tensor at its place after `data`. */
static void pack_tensors(const Plan *plan, unsigned char *data, Arena *arena)
{
    float *room = room_for_floats(plan, arena);
    for (int i = 0; i < plan->packed.n; i++) {
        const Packed *packed = plan->packed.at[i];
        const Step *step = &plan->steps.at[packed->step];
        unsigned char *to = data + packed->offset;
        if (packed->elem != ELEM_F32) {
            pack_weights(step, room);
            pack_half(step, room, to);
        } else {
            pack_weights(step, to);
            swap_if_big_endian(to, (size_t)packed->bytes, (size_t)elem_bytes(packed->elem));
        }
    }
}

/* Writes table and names; the tensors must have been packed. */
static void write_table(unsigned char *file, const Plan *plan, size_t data)
{
    unsigned char *entry = file + RNCW_HEAD_BYTES;
    unsigned char *const names = entry + (size_t)plan->packed.n * RNCW_ENTRY_BYTES;
    size_t at = 0;
    for (int i = 0; i < plan->packed.n; i++, entry += RNCW_ENTRY_BYTES) {
        const Packed *p = plan->packed.at[i];
        const size_t n = strlen(p->name) + 1, offset = data + (size_t)p->offset;
        put(entry + RNCW_ENTRY_NAME, at, 4);
        put(entry + RNCW_ENTRY_ELEM, (uint64_t)packed_number(&plan->steps.at[p->step]), 4);
        put(entry + RNCW_ENTRY_OFFSET, offset, 8);
        put(entry + RNCW_ENTRY_BYTES_, (uint64_t)p->bytes, 8);
        put(entry + RNCW_ENTRY_SUM, rncw_hash(file + offset, (size_t)p->bytes, 0), 8);
        put(entry + RNCW_ENTRY_PACKING, (uint64_t)p->packing, 4);
        memcpy(names + at, p->name, n);
        at += n;
    }
}

static void write_head(unsigned char *file, const Plan *plan, size_t size, size_t table,
                       size_t name_bytes, size_t data)
{
    memcpy(file + RNCW_AT_MAGIC, RNCW_MAGIC, 8);
    put(file + RNCW_AT_VERSION, RNCW_VERSION, 4);
    put(file + RNCW_AT_ORDER, RNCW_ORDER, 4);
    put(file + RNCW_AT_PLAN, plan->hash, 8);
    put(file + RNCW_AT_FILE_BYTES, size, 8);
    put(file + RNCW_AT_COUNT, (uint64_t)plan->packed.n, 4);
    put(file + RNCW_AT_NAME_BYTES, name_bytes, 4);
    put(file + RNCW_AT_DATA, data, 8);
    put(file + RNCW_AT_TABLE_SUM, rncw_hash(file + RNCW_HEAD_BYTES, table, 0), 8);
    put(file + RNCW_AT_HEAD_SUM, rncw_hash(file, RNCW_AT_HEAD_SUM, 0), 8);
}

static size_t name_bytes_of(const Plan *plan)
{
    size_t bytes = 0;
    for (int i = 0; i < plan->packed.n; i++)
        bytes += strlen(plan->packed.at[i]->name) + 1;
    return bytes;
}

static size_t round_to(size_t bytes, size_t align)
{
    return (bytes + align - 1) / align * align;
}

/* Bytes in table and names. */
static size_t table_bytes(const Plan *plan)
{
    return (size_t)plan->packed.n * RNCW_ENTRY_BYTES + name_bytes_of(plan);
}

/* Where the first tensor begins. */
static size_t data_at(const Plan *plan)
{
    return round_to(RNCW_HEAD_BYTES + table_bytes(plan), RNCW_DATA_ALIGN);
}

size_t emit_weights_size(const Plan *plan)
{
    return data_at(plan) + round_to((size_t)plan->weight_bytes, RNCW_ALIGN);
}

unsigned char *emit_weights(Arena *arena, const Plan *plan, size_t *size)
{
    const size_t data = data_at(plan);
    *size = emit_weights_size(plan);
    unsigned char *file = arena_alloc(arena, *size);
    pack_tensors(plan, file + data, arena);
    write_table(file, plan, data);
    write_head(file, plan, *size, table_bytes(plan), name_bytes_of(plan), data);
    return file;
}
