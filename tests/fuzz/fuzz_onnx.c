/* fuzz_onnx.c: any bytes as a model of ONNX.  What is read is a network whose parameters have all
 * their numbers; what is refused has a message. */
#include "fuzz.h"
#include "base/diag.h"
#include "import/import.h"

#include <stdlib.h>
#include <unistd.h>

/* Memory that a small file may claim: tensors of a constant are as large as they say. */
enum { MEMORY_MOST = 1 << 28 };

static void read_model(Arena *arena, const char *path, Imported *model)
{
    SrcMap src = {.arena = arena};
    Diag diag = diag_new(&src, arena);
    if (!import_model(model, path, &src, &diag)) {
        if (diag.errors == 0 || diag.internal)
            abort();
        return;
    }
    volatile double sum = 0;
    for (int i = 0; i < model->net->params.n; i++) {
        const Param *param = model->net->params.at[i];
        const int64_t n = param_elements(param);
        sum = sum + param_at(param, 0) + param_at(param, n - 1);
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    char path[] = "/tmp/rnc-fuzz-XXXXXX.onnx";
    jmp_buf oom;
    Imported model = {0};
    const int fd = mkstemps(path, 5);
    if (fd < 0)
        abort();
    const int written = write(fd, data, size) == (ssize_t)size;
    close(fd);
    Arena *volatile arena = arena_new(&oom);
    if (arena && written && setjmp(oom) == 0) {
        arena_limit(arena, MEMORY_MOST);
        read_model(arena, path, &model);
    }
    unlink(path);
    imported_close(&model);
    arena_free(arena);
    return 0;
}
