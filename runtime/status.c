/* status.c: the texts of the statuses, and the sizes of elements. */
#include "rncrt.h"

const char *rnc_status_text(rnc_status status)
{
    switch (status) {
    case RNC_OK:
        return "no error";
    case RNC_E_OPEN:
        return "the weights cannot be read";
    case RNC_E_FORMAT:
        return "not a weights file that this program reads";
    case RNC_E_TRUNCATED:
        return "the weights are cut off";
    case RNC_E_CORRUPT:
        return "the weights are damaged";
    case RNC_E_PLAN:
        return "the weights were made for another network or by other options";
    case RNC_E_ARENA:
        return "the arena is missing, too small or not aligned";
    case RNC_E_ISA:
        return "the instruction set is not compiled in or not this processor's";
    case RNC_E_THREADS:
        return "threads cannot be started";
    case RNC_E_MEMORY:
        return "out of memory";
    case RNC_E_STATE:
        return "the state is missing, too small or not aligned";
    }
    return "unknown status";
}

size_t rnc_elem_bytes(rnc_elem elem)
{
    switch (elem) {
    case RNC_ELEM_U8:
    case RNC_ELEM_S8:
        return 1;
    case RNC_ELEM_F16:
    case RNC_ELEM_BF16:
        return 2;
    case RNC_ELEM_F32:
    case RNC_ELEM_I32:
        return 4;
    }
    return 0;
}
