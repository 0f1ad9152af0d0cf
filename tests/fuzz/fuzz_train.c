/* fuzz_train.c: any text as a .net file that says how its net is trained, through the gradients to
 * the text form, which must read back as the same. */
#include "fuzz.h"
#include "lang/lower.h"
#include "net/check.h"
#include "net/irtext.h"
#include "net/train.h"
#include "passes/differentiate.h"
#include "passes/pass.h"

#include <stdlib.h>
#include <string.h>

static void train_text(Arena *arena, const uint8_t *data, size_t size)
{
    SrcMap src = {.arena = arena};
    Diag diag = diag_new(&src, arena);
    const int file = src_add(&src, "fuzz.net", (const char *)data, size);
    const LowerOptions options = {.train_if_any = true};
    Net *net = lower_file(arena, &src, file, &options, &diag);
    if (!net != (diag.errors > 0))
        abort();
    if (!net)
        return;
    Buf said = buf_new(arena), once = buf_new(arena), twice = buf_new(arena);
    Loss loss = {0};
    if (net->train) {
        const Train *t = net->train;
        train_print(&said, t);
        loss.kind = t->loss == TRAIN_CROSS_ENTROPY ? LOSS_CROSS_ENTROPY : LOSS_MEAN_SQUARED_ERROR;
        loss.smoothing = t->smoothing;
        loss.frozen = t->freeze.at;
        loss.n_frozen = t->freeze.n;
    }
    if (!differentiate(net, &loss, &diag)) {
        if (diag.errors == 0)
            abort();
        return;
    }
    if (!check_net(net, &diag, "differentiation") || !pass_run(net, &diag, (PassChoice){0}))
        abort();
    irtext_print(&once, net, NULL);
    const Net *same = irtext_read(arena, src_add(&src, "again.ir", once.text, once.n), &diag);
    if (!same)
        abort();
    irtext_print(&twice, same, NULL);
    if (strcmp(buf_text(&once), buf_text(&twice)) != 0)
        abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    return fuzz_in_arena(train_text, data, size);
}
