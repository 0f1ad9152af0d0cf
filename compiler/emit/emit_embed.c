/* emit_embed.c: puts the weights file into the program, by the assembler (incbin) or as a C array.
 * With --embed section only the name is declared. */
#include "emit/emit_parts.h"

#include <string.h>

static const char incbin_text[] =
    "\n/* ---- the weights file, included by the assembler, which looks for it in the\n"
    " * directory where the compiler runs and in each -I ---- */\n"
    "#ifndef $_WEIGHTS_FILE\n"
    "#define $_WEIGHTS_FILE \"%\"\n"
    "#endif\n"
    "#if defined(__APPLE__)\n"
    "__asm__(\".section __TEXT,__const\\n\"\n"
    "        \".globl _@_weights\\n\"\n"
    "        \".p2align 6\\n\"\n"
    "        \"_@_weights:\\n\"\n"
    "        \".incbin \\\"\" $_WEIGHTS_FILE \"\\\"\\n\"\n"
    "        \".text\\n\");\n"
    "#elif defined(__GNUC__)\n"
    "__asm__(\".pushsection .rodata.@_weights,\\\"a\\\"\\n\"\n"
    "        \".globl @_weights\\n\"\n"
    "        \".balign 64\\n\"\n"
    "        \"@_weights:\\n\"\n"
    "        \".incbin \\\"\" $_WEIGHTS_FILE \"\\\"\\n\"\n"
    "        \".size @_weights, . - @_weights\\n\"\n"
    "        \".popsection\\n\");\n"
    "#else\n"
    "#error \"--embed incbin needs gcc or clang; --embed array does not\"\n"
    "#endif\n";

/* Writes a file's name in the assembler's quotes, inside C's quotes: each has its own escapes. */
static void put_file_name(Buf *out, const char *name)
{
    for (const char *c = name; *c; c++) {
        const unsigned char byte = (unsigned char)*c;
        if (byte == '"' || byte == '\\')
            buf_printf(out, "\\\\\\%c", byte);
        else if (byte < ' ' || byte == 127 || byte == '?')
            buf_printf(out, "\\\\%03o", byte);
        else
            buf_putc(out, *c);
    }
}

void emit_incbin(Emit *e)
{
    const char *at = strchr(incbin_text, '%');
    emit_template(e, arena_strndup(e->arena, incbin_text, (size_t)(at - incbin_text)));
    put_file_name(e->out, e->options->weights_file);
    emit_template(e, at + 1);
}

static const char array_text[] = "\n/* ---- the weights file ---- */\n"
                                 "\n"
                                 "#if defined(__GNUC__)\n"
                                 "__attribute__((aligned(64)))\n"
                                 "#elif defined(__cplusplus) && __cplusplus >= 201103L\n"
                                 "alignas(64)\n"
                                 "#elif defined(__STDC_VERSION__) && __STDC_VERSION__ >= 201112L\n"
                                 "_Alignas(64)\n"
                                 "#endif\n"
                                 "const unsigned char @_weights[$_WEIGHTS_BYTES] = {\n";

void emit_array(Buf *out, const Plan *plan, const EmitOptions *options, const unsigned char *bytes,
                size_t size)
{
    enum { PER_LINE = 24 };
    Emit e = emit_begin(out, plan, options, NULL);
    const bool passes = emit_has_passes(plan);
    if (passes)
        buf_puts(out, "\n#ifndef RNC_PASS");
    emit_template(&e, array_text);
    for (size_t i = 0; i < size; i++) {
        char text[5];
        int n = 0;
        if (bytes[i] >= 100)
            text[n++] = (char)('0' + bytes[i] / 100);
        if (bytes[i] >= 10)
            text[n++] = (char)('0' + bytes[i] / 10 % 10);
        text[n++] = (char)('0' + bytes[i] % 10);
        text[n++] = ',';
        if (i % PER_LINE == PER_LINE - 1 || i + 1 == size)
            text[n++] = '\n';
        buf_add(out, text, (size_t)n);
    }
    buf_puts(out, passes ? "};\n#endif\n" : "};\n");
}
