/* texts.h: the texts that rnc carries in itself, the kernels and the runtime, as
 * build-aux/embed.sh has cut them. */
#ifndef RNC_TEXTS_H
#define RNC_TEXTS_H

#include <stddef.h>

/* A piece of a text: what stands between "#ifdef RNC_EXP" and "#endif", with these lines, or
 * between such pieces. */
typedef struct TextPart {
    const char *wanted; /* "RNC_EXP"; "": always */
    size_t at, size;
} TextPart;

typedef struct Text {
    const char *name; /* in the source tree: "kernels/f32/conv_direct.c" */
    const unsigned char *bytes;
    const TextPart *parts;
    int n_parts;
    const char *defines; /* the macros that it defines, " RNC_VL RNC_TARGET " */
} Text;

const Text *text_named(const char *name); /* NULL if there is none */
extern const Text texts[];
extern const int text_count;

#endif
