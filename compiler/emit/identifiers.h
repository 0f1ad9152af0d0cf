/* identifiers.h: makes names that C and C++ accept from names that people gave. */
#ifndef RNC_IDENTIFIERS_H
#define RNC_IDENTIFIERS_H

#include "base/arena.h"

#include <stdbool.h>

/* Makes an identifier from any text: characters that C does not accept become '_'.  If the result
 * would begin with a digit, or means something to C, C++ or the runtime already (a keyword,
 * `memcpy`, `rnc_...`), `prefix` ("net_", "port_") is put before it. */
char *c_identifier(Arena *arena, const char *text, const char *prefix);
/* Replaces every character that C does not accept by '_': for the middle or the end of an
 * identifier. */
char *c_letters(Arena *arena, const char *text);
/* Is STEM.h the name of a header of C or of its libraries? */
bool is_header_name(const char *stem);
/* The text with its letters in capitals. */
char *c_upper(Arena *arena, const char *text);

#endif
