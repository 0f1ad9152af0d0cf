/* fuzz_tuning.c: any text as a tuning file.  What is read keeps within the knobs' limits,
 * and printing and reading it again must give the same text. */
#include "fuzz.h"
#include "plan/tuning.h"

#include <stdlib.h>
#include <string.h>

static void check_limits(const Tuning *tuning)
{
    for (int i = 0; i < tuning->rows.n; i++) {
        TuningRow row = tuning->rows.at[i];
        for (int isa = 0; isa < ISA_COUNT; isa++) {
            for (int k = 0; k < KNOB_COUNT; k++) {
                const int value = *tuning_knob(&row.knobs[isa], k);
                if ((row.set[isa] >> k & 1) &&
                    (value < tuning_limits[k].least || value > tuning_limits[k].most))
                    abort();
            }
        }
    }
}

static void read_text(Arena *arena, const uint8_t *data, size_t size)
{
    SrcMap src = {.arena = arena};
    Diag diag = diag_new(&src, arena);
    const int file = src_add(&src, "fuzz.tuning", (const char *)data, size);
    const Tuning *tuning = tuning_parse(arena, &src, file, &diag);
    if (!tuning != (diag.errors > 0))
        abort();
    if (!tuning)
        return;
    check_limits(tuning);
    Buf once = buf_new(arena), twice = buf_new(arena);
    tuning_print(&once, tuning);
    const int again = src_add(&src, "again.tuning", once.text, once.n);
    const Tuning *same = tuning_parse(arena, &src, again, &diag);
    if (!same)
        abort();
    tuning_print(&twice, same);
    if (strcmp(buf_text(&once), buf_text(&twice)) != 0)
        abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    return fuzz_in_arena(read_text, data, size);
}
