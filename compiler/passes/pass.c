/* pass.c: the list of passes, and how they are run. */
#include "passes/pass.h"
#include "net/check.h"

const PassRow pass_rows[] = {
#define PASS(name, doc) {#name, pass_##name, doc},
#include "passes/pass.def"
#undef PASS
};
const int pass_count = (int)(sizeof pass_rows / sizeof *pass_rows);

static bool wanted(PassChoice choice, const char *pass)
{
    for (int i = 0; choice.only && i < choice.n; i++) {
        if (str_eq(choice.only[i], pass))
            return true;
    }
    return !choice.only;
}

bool pass_run(Net *net, Diag *diag, PassChoice choice)
{
    for (int i = 0; i < pass_count; i++) {
        const PassRow *pass = &pass_rows[i];
        if (!wanted(choice, pass->name))
            continue;
        pass->run(net);
        if (!check_net(net, diag, pass->name))
            return false;
        if (choice.last && str_eq(choice.last, pass->name))
            break;
    }
    return true;
}
