/* net.c: what every network's init checks.  No function of the C library is
 * called, so that this serves without one. */
#include "rncrt.h"
#include "rncw.h"

enum { NET_WHY_BYTES = 192 };

/* Adds `text` behind what `why` holds, cut where it does not fit. */
static void net_say(char *why, const char *text)
{
    size_t n = 0;
    while (n < NET_WHY_BYTES - 1 && why[n])
        n++;
    for (; n < NET_WHY_BYTES - 1 && *text; n++)
        why[n] = *text++;
    why[n] = '\0';
}

static void net_say_number(char *why, uint64_t x, unsigned base)
{
    char digits[24];
    size_t n = sizeof digits - 1;
    digits[n] = '\0';
    do {
        digits[--n] = "0123456789abcdef"[x % base];
        x /= base;
    } while (x);
    net_say(why, digits + n);
}

/* "expected A, found B" behind what `why` holds. */
static void net_say_both(char *why, uint64_t expected, uint64_t found, unsigned base)
{
    net_say(why, "expected ");
    net_say_number(why, expected, base);
    net_say(why, ", found ");
    net_say_number(why, found, base);
}

static rnc_status net_check_arena(const rnc_net_info *info, const void *arena, size_t arena_bytes,
                                  char *why)
{
    if (!arena) {
        net_say(why, "the arena is NULL");
        return RNC_E_ARENA;
    }
    if ((uintptr_t)arena % 64) {
        net_say(why, "the arena's address is not a multiple of 64");
        return RNC_E_ARENA;
    }
    if (arena_bytes < info->arena_bytes) {
        net_say(why, "bytes of arena: ");
        net_say_both(why, info->arena_bytes, arena_bytes, 10);
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
            net_say(why, "no weights are open");
            return RNC_E_PLAN;
        }
        if (w->plan != info->plan) {
            net_say(why, "the weights are of another network, or made with other options: plan ");
            net_say_both(why, info->plan, w->plan, 16);
            return RNC_E_PLAN;
        }
        for (i = 7; i >= 0; i--)
            data = data << 8 | w->base[RNCW_AT_DATA + i];
        if (data % RNCW_ALIGN || data > w->size || w->size - data < info->weight_bytes) {
            net_say(why, "bytes of weights: ");
            net_say_both(why, info->weight_bytes, data > w->size ? 0 : w->size - data, 10);
            return RNC_E_TRUNCATED;
        }
        *tensors = w->base + data;
    }
    return net_check_arena(info, arena, arena_bytes, why);
}

rnc_status rnc_no_isa(rnc_isa isa, char *why)
{
    why[0] = '\0';
    net_say(why, isa == RNC_ISA_BEST ? "none of the instruction sets compiled in is this CPU's"
                                     : "not compiled in, or not this CPU's: ");
    if (isa != RNC_ISA_BEST)
        net_say(why, rnc_isa_name(isa));
    return RNC_E_ISA;
}
