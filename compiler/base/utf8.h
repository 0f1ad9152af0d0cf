/* utf8.h: text that came from files, made safe to show.
 *
 * Names from weights files, labels and .ir files may hold any bytes: escape sequences that
 * a terminal obeys, bytes that are not UTF-8, and that XML or JSON must not contain, or
 * characters that reverse the direction of writing.  What is printed for people goes
 * through here. */
#ifndef RNC_UTF8_H
#define RNC_UTF8_H

#include "base/str.h"

/* Length in bytes of the UTF-8 character (RFC 3629) at `at`, where `left` bytes are left; 0 if
 * there is none: a broken or overlong sequence, a surrogate, or left == 0. */
size_t utf8_length(const char *at, size_t left);

/* Likewise, but 0 for characters that are not safe to show: control characters, DEL, C1 controls,
 * those that change the direction of writing, and what XML does not take. */
size_t utf8_safe(const char *at, size_t left);

/* Adds `n` bytes of text.  What is not safe to show is written as \xHH, byte by byte; '\n' is kept
 * if `newlines` is true. */
void buf_add_shown(Buf *out, const char *text, size_t n, bool newlines);

/* `text` as buf_add_shown() writes it, with newlines escaped; `text` itself if nothing changes. */
const char *str_shown(Arena *arena, const char *text);

#endif
