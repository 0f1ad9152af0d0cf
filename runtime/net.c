/* net.c: what every network's init checks.  It calls no function of the C library, so that it can
 * be used without one. */
#include "rncrt.h"
#include "rncw.h"

/* Adds "expected A, found B" after what `why` holds. */
static void rnc_say_both(char *why, uint64_t expected, uint64_t found, unsigned base)
{
    rnc_why(why, "expected ");
    rnc_why_number(why, expected, base);
    rnc_why(why, ", found ");
    rnc_why_number(why, found, base);
}

static rnc_status rnc_check_arena(const rnc_net_info *info, const void *arena, size_t arena_bytes,
                                  char *why)
{
    if (!arena) {
        rnc_why(why, "the arena is NULL");
        return RNC_E_ARENA;
    }
    if ((uintptr_t)arena % 64) {
        rnc_why(why, "the arena's address is not a multiple of 64");
        return RNC_E_ARENA;
    }
    if (arena_bytes < info->arena_bytes) {
        rnc_why(why, "bytes of arena: ");
        rnc_say_both(why, info->arena_bytes, arena_bytes, 10);
        return RNC_E_ARENA;
    }
    return RNC_OK;
}

rnc_status rnc_net_check(const rnc_net_info *info, const rnc_weights *w, const void *arena,
                         size_t arena_bytes, const unsigned char **tensors, char *why)
{
    uint64_t data = 0;
    int i;
    why[0] = '\0';
    *tensors = NULL;
    if (info->weight_bytes > 0) {
        if (!w || !w->base || w->size < RNCW_HEAD_BYTES) {
            rnc_why(why, "no weights are open");
            return RNC_E_PLAN;
        }
        if (w->plan != info->plan) {
            rnc_why(why, "the weights are of another network, or made with other options: plan ");
            rnc_say_both(why, info->plan, w->plan, 16);
            return RNC_E_PLAN;
        }
        for (i = 7; i >= 0; i--)
            data = data << 8 | w->base[RNCW_AT_DATA + i];
        if (data % RNCW_ALIGN || data > w->size || w->size - data < info->weight_bytes) {
            rnc_why(why, "bytes of weights: ");
            rnc_say_both(why, info->weight_bytes, data > w->size ? 0 : w->size - data, 10);
            return RNC_E_TRUNCATED;
        }
        *tensors = w->base + data;
    }
    return rnc_check_arena(info, arena, arena_bytes, why);
}

rnc_status rnc_no_isa(rnc_isa isa, char *why)
{
    why[0] = '\0';
    rnc_why(why, isa == RNC_ISA_BEST ? "none of the instruction sets compiled in is this CPU's"
                                     : "not compiled in, or not this CPU's: ");
    if (isa != RNC_ISA_BEST)
        rnc_why(why, rnc_isa_name(isa));
    return RNC_E_ISA;
}
