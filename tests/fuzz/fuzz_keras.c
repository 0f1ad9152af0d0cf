/* fuzz_keras.c: any text as the description of a Keras model, whose weights are all missing.  It
 * must be refused with a message, unless it has no weights. */
#include "fuzz.h"
#include "import/keras_parts.h"

#include <stdlib.h>

/* Memory that a small text may claim. */
enum { MEMORY_MOST = 1 << 28 };

static void read_text(Arena *arena, const uint8_t *data, size_t size)
{
    SrcMap src = {.arena = arena};
    Diag diag = diag_new(&src, arena);
    Imported model = {0};
    TensorFile none = {.path = "model.keras"};
    const char *text = arena_strndup(arena, (const char *)data, size);
    const char *version = size % 2 ? "3.15.1" : "2.15.0";
    arena_limit(arena, MEMORY_MOST);
    if (!keras_import_text(&model, none.path, &none, text, version, &src, &diag) &&
        (diag.errors == 0 || diag.internal))
        abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    return fuzz_in_arena(read_text, data, size);
}
