/* half.h: numbers of 16 bits: bfloat16, the upper half of a float, and IEEE 754 binary16.
 *
 * Conversion to 16 bits rounds to the nearest, ties to even; a number beyond the largest becomes
 * an infinity, and a NaN stays one.  Conversion back to float is exact.
 */
#ifndef RNC_HALF_H
#define RNC_HALF_H

#include <stdint.h>

uint16_t bf16_of(float x);
uint16_t f16_of(float x);
float float_of_bf16(uint16_t half);
float float_of_f16(uint16_t half);

#endif
