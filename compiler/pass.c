/* pass.c: the list of passes, and running all of them. */
#include "pass.h"

const PassRow pass_rows[] = {
#define PASS(name, doc) {#name, pass_##name, doc},
#include "pass.def"
#undef PASS
};
const int pass_count = (int)(sizeof pass_rows / sizeof *pass_rows);

bool pass_run_all(Net *net, Diag *diag, PassHook after, void *context)
{
    for (int i = 0; i < pass_count; i++) {
        pass_rows[i].run(net);
        if (!verify_net(net, diag, pass_rows[i].name))
            return false;
        if (after && !after(context, &pass_rows[i], net))
            break;
    }
    return true;
}
