/* bind_fit.c: how well tensors fit a network, for `rnc guess`: nothing is bound, and nothing is
 * said. */
#include "params/bind_parts.h"

#include <string.h>

/* Notes that another value of one of the net's parameters would make a tensor fit. */
static void note_wish(BindFit *fit, const Use *use, const int64_t *dims, Arena *arena,
                      const Net *net)
{
    const StoredTensor *t = use->slot->tensor;
    for (int i = 0; i < t->rank && t->rank == use->param->rank; i++) {
        for (int k = 0; t->dims[i] != dims[i] && k < net->defines.n; k++) {
            const NetDefine *d = &net->defines.at[k];
            bool known = d->value != dims[i];
            for (int w = 0; w < fit->wishes.n; w++)
                known = known || str_eq(fit->wishes.at[w].name, d->name);
            if (!known)
                VEC_PUSH(arena, &fit->wishes, ((NetDefine){d->name, t->dims[i]}));
        }
    }
}

void bind_fit(BindFit *fit, Net *net, TensorFile *files, int n_files, const SrcMap *src)
{
    Diag quiet = diag_new(src, net->arena);
    Binder b = {.arena = net->arena, .diag = &quiet, .net = net};
    *fit = (BindFit){.params = net->params.n};
    bind_list(&b, files, n_files);
    fit->tensors = b.n_slots;
    (void)bind_names(&b, true);
    fit->naming = b.reading.naming < 0 ? NULL : bind_naming_name(&b, b.reading.naming);
    for (int i = 0; i < b.uses.n; i++) {
        const Use *use = &b.uses.at[i];
        int64_t dims[4] = {0};
        if (use->filled)
            fit->fitting++;
        if (!use->slot)
            continue;
        fit->named++;
        if (bind_shape(&b, use, bind_axes(use), dims)) {
            fit->fitting++;
            continue;
        }
        for (int k = 0; k < use->param->rank; k++)
            dims[k] = use->param->dims[k];
        note_wish(fit, use, dims, b.arena, net);
    }
    int left;
    (void)bind_left_over(&b, &left);
    fit->left = left;
}
