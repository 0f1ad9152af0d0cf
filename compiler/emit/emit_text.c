/* emit_text.c: pastes texts that rnc carries (texts.h) exactly as they are in the source tree: what
 * is compiled in tests is what is pasted here. */
#include "emit/emit_parts.h"
#include "emit/texts.h"
#include "runtime/rncw.h"

#include <string.h>

/* Whether all the macros that a part needs are wanted: "RNC_DIAGONALS RNC_LONG_ACT". */
static bool is_kept(const TextPart *part, TextWanted *wanted, const void *context, Arena *arena)
{
    for (const char *at = part->wanted; *at;) {
        const size_t n = strcspn(at, " ");
        if (!wanted || !wanted(context, arena_strndup(arena, at, n)))
            return false;
        at += n + strspn(at + n, " ");
    }
    return true;
}

void paste_text(Buf *out, const char *name, TextWanted *wanted, const void *context)
{
    const Text *text = text_named(name);
    bool dropped = false;
    if (!text) {
        buf_printf(out, "#error \"rnc was built without %s\"\n", name);
        return;
    }
    for (int i = 0; i < text->n_parts; i++) {
        const TextPart *part = &text->parts[i];
        const bool kept = is_kept(part, wanted, context, out->arena);
        const char *at = (const char *)text->bytes + part->at;
        /* one blank line is enough around a part that is left out */
        const size_t gap = dropped && *at == '\n';
        if (kept)
            buf_add(out, at + gap, part->size - gap);
        dropped = !kept;
    }
}

/* Whether one of the parts that `wanted` takes, or any if it is NULL, defines a macro. */
static bool defines(const Text *text, const char *macro, TextWanted *wanted, const void *context,
                    Arena *arena)
{
    const char *word = arena_printf(arena, " %s ", macro);
    for (int i = 0; text && i < text->n_parts; i++) {
        const TextPart *part = &text->parts[i];
        if (strstr(part->defines, word) && (!wanted || is_kept(part, wanted, context, arena)))
            return true;
    }
    return false;
}

bool text_defines(const char *name, const char *macro, Arena *arena)
{
    return defines(text_named(name), macro, NULL, NULL, arena);
}

/* Whether a macro of some text is defined in none of the parts that were pasted. */
static bool is_missing(const char *macro, const Pasted *pasted, Arena *arena)
{
    bool known = false;
    for (int i = 0; i < pasted->n; i++) {
        if (defines(text_named(pasted->names[i]), macro, pasted->wanted, pasted->context, arena))
            return false;
    }
    for (int i = 0; i < text_count && !known; i++)
        known = defines(&texts[i], macro, NULL, NULL, arena);
    return known;
}

void paste_undefs(Buf *out, const char *name, const Pasted *pasted)
{
    static const char undef[] = "#undef ";
    Buf text = buf_new(out->arena);
    paste_text(&text, name, NULL, NULL);
    for (const char *line = buf_text(&text); *line;) {
        const size_t size = strcspn(line, "\n"), head = sizeof undef - 1;
        const bool undefs = str_starts(line, undef);
        if (!undefs ||
            !is_missing(arena_strndup(out->arena, line + head, size - head), pasted, out->arena))
            buf_printf(out, "%.*s\n", (int)size, line);
        line += size + (line[size] == '\n');
    }
}

uint32_t texts_hash(const char *const *names, int n)
{
    uint64_t hash = 0;
    for (int i = 0; i < n; i++) {
        const Text *text = text_named(names[i]);
        const TextPart *last = text ? &text->parts[text->n_parts - 1] : NULL;
        if (last)
            hash = rncw_hash(text->bytes, last->at + last->size, hash);
    }
    return (uint32_t)(hash >> 33); /* a positive int, for #if */
}

/* ---- the runtime in a single file ---- */

void emit_runtime_interface(Buf *out)
{
    buf_puts(
        out,
        "\n/* The runtime, as static functions of this file; if rncrt.h was included before, that\n"
        " * serves instead. */\n"
        "#ifndef RNCRT_H\n#define RNCRT_PASTED\n#ifdef __GNUC__\n"
        "#define RNCRT_API __attribute__((unused)) static\n"
        "#else\n#define RNCRT_API static\n#endif\n#endif\n");
    paste_text(out, "runtime/rncrt.h", NULL, NULL);
}

static bool is_of_training(const char *name)
{
    return str_eq(name, "runtime/train.c") || str_eq(name, "runtime/rnctrain.h");
}

void emit_train_runtime(Buf *out)
{
    paste_text(out, "runtime/rnctrain.h", NULL, NULL);
}

void emit_train_functions(Buf *out)
{
    emit_runtime_functions(out);
    buf_puts(out, "#if defined(RNCRT_PASTED) && !defined(RNCTRAIN_FUNCTIONS)\n"
                  "#define RNCTRAIN_FUNCTIONS\n");
    paste_text(out, "runtime/train.c", NULL, NULL);
    buf_puts(out, "#endif /* RNCTRAIN_FUNCTIONS */\n");
}

void emit_runtime_functions(Buf *out)
{
    buf_puts(
        out,
        "\n/* ---- the runtime's functions ----\n"
        " * Mapped files (rnc_weights_open) and threads (rnc_pool_new) are only in librncrt. */\n"
        "#if defined(RNCRT_PASTED) && !defined(RNCRT_FUNCTIONS)\n#define RNCRT_FUNCTIONS\n");
    for (int i = 0; i < text_count; i++) {
        if (str_starts(texts[i].name, "runtime/") && !str_eq(texts[i].name, "runtime/rncrt.h") &&
            !is_of_training(texts[i].name))
            paste_text(out, texts[i].name, NULL, NULL);
    }
    buf_puts(out, "#endif /* RNCRT_FUNCTIONS */\n");
}
