/* texts.h: the texts that rnc carries inside itself, kernels and runtime, as build-aux/embed.sh has
 * cut them. */
#ifndef RNC_TEXTS_H
#define RNC_TEXTS_H

#include <stddef.h>

/* A piece of a text: the lines from "#ifdef RNC_EXP" to "#endif", these two included, or the lines
 * between such pieces. */
typedef struct TextPart {
    const char *wanted; /* "RNC_EXP"; of a part within a part both names; "" means always */
    size_t at, size;
    const char *defines; /* the macros that it defines, " RNC_VL RNC_TARGET " */
} TextPart;

typedef struct Text {
    const char *name; /* its path in the source tree: "kernels/f32/conv_direct.c" */
    const unsigned char *bytes;
    const TextPart *parts;
    int n_parts;
} Text;

const Text *text_named(const char *name); /* NULL if no text has the name */
extern const Text texts[];
extern const int text_count;

#endif
