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

rnc_status rnc_check_memory(const char *what, const void *memory, size_t bytes, size_t needed,
                            rnc_status error, char *why)
{
    if (memory && (uintptr_t)memory % 64 == 0 && bytes >= needed)
        return RNC_OK;
    if (memory && (uintptr_t)memory % 64 == 0)
        rnc_why(why, "bytes of ");
    else
        rnc_why(why, "the ");
    rnc_why(why, what);
    if (!memory) {
        rnc_why(why, " is NULL");
    } else if ((uintptr_t)memory % 64) {
        rnc_why(why, "'s address is not a multiple of 64");
    } else {
        rnc_why(why, ": ");
        rnc_say_both(why, needed, bytes, 10);
    }
    return error;
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
    return rnc_check_memory("arena", arena, arena_bytes, info->arena_bytes, RNC_E_ARENA, why);
}

rnc_status rnc_state_check(const rnc_net_info *info, const void *state, size_t state_bytes,
                           char *why)
{
    why[0] = '\0';
    return rnc_check_memory("state", state, state_bytes, info->state_bytes, RNC_E_STATE, why);
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
