/* why.c: puts together the reasons of errors, without the C library. */
#include "rncw.h"

void rnc_why(char *why, const char *text)
{
    size_t n = 0;
    while (n < RNC_WHY_BYTES - 1 && why[n])
        n++;
    while (n < RNC_WHY_BYTES - 1 && *text)
        why[n++] = *text++;
    why[n] = '\0';
}

void rnc_why_number(char *why, uint64_t number, unsigned base)
{
    char digits[65];
    size_t n = sizeof digits - 1;
    digits[n] = '\0';
    do {
        digits[--n] = "0123456789abcdef"[number % base];
        number /= base;
    } while (number);
    rnc_why(why, digits + n);
}
