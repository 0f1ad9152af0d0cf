/* utf8.c: see utf8.h. */
#include "base/utf8.h"

#include <stdint.h>
#include <string.h>

/* The code point that `length` valid bytes encode. */
static uint32_t code_point(const unsigned char *s, size_t length)
{
    uint32_t code = length == 1 ? s[0] : s[0] & (0x7Fu >> length);
    for (size_t i = 1; i < length; i++)
        code = code << 6 | (s[i] & 0x3Fu);
    return code;
}

size_t utf8_length(const char *at, size_t left)
{
    static const uint32_t least[] = {0, 0, 0x80, 0x800, 0x10000};
    const unsigned char *s = (const unsigned char *)at;
    if (left == 0)
        return 0;
    const size_t length = s[0] < 0x80             ? 1
                          : (s[0] & 0xE0) == 0xC0 ? 2
                          : (s[0] & 0xF0) == 0xE0 ? 3
                          : (s[0] & 0xF8) == 0xF0 ? 4
                                                  : 0;
    if (length == 0 || length > left)
        return 0;
    for (size_t i = 1; i < length; i++) {
        if ((s[i] & 0xC0) != 0x80)
            return 0;
    }
    const uint32_t code = code_point(s, length);
    const bool surrogate = code >= 0xD800 && code <= 0xDFFF;
    return code < least[length] || code > 0x10FFFF || surrogate ? 0 : length;
}

/* Whether a character can mislead a terminal or a reader, or is U+FFFE or U+FFFF, which XML does
 * not allow. */
static bool is_unsafe(uint32_t code)
{
    return code < 0x20 || (code >= 0x7F && code <= 0x9F) || code == 0x061C || code == 0x200E ||
           code == 0x200F || (code >= 0x2028 && code <= 0x202E) ||
           (code >= 0x2066 && code <= 0x2069) || code == 0xFEFF || code == 0xFFFE || code == 0xFFFF;
}

size_t utf8_safe(const char *at, size_t left)
{
    const size_t length = utf8_length(at, left);
    return length && !is_unsafe(code_point((const unsigned char *)at, length)) ? length : 0;
}

void buf_add_shown(Buf *out, const char *text, size_t n, bool newlines)
{
    for (size_t i = 0; i < n;) {
        const size_t length = newlines && text[i] == '\n' ? 1 : utf8_safe(text + i, n - i);
        if (length) {
            buf_add(out, text + i, length);
            i += length;
            continue;
        }
        const size_t bytes = utf8_length(text + i, n - i); /* an unsafe character, as a whole */
        for (const size_t end = i + (bytes ? bytes : 1); i < end; i++)
            buf_printf(out, "\\x%02x", (unsigned)(unsigned char)text[i]);
    }
}

const char *str_shown(Arena *arena, const char *text)
{
    const size_t n = strlen(text);
    size_t i = 0;
    for (size_t length; i < n && (length = utf8_safe(text + i, n - i)) != 0; i += length)
        continue;
    if (i == n)
        return text;
    Buf out = buf_new(arena);
    buf_add_shown(&out, text, n, false);
    return buf_text(&out);
}
