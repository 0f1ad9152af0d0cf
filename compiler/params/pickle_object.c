/* pickle_object.c: dicts, tuples, calls and objects of a pickle, as data. */
#include "params/pickle_parts.h"

#include <string.h>

int pickle_marked(const Machine *m)
{
    for (int i = m->stack.n; i > 0; i--) {
        if (m->stack.at[i - 1]->kind == PICKLED_MARK)
            return i;
    }
    return -1;
}

bool pickle_global(Machine *m, const char *module, const char *name)
{
    enum { LONGEST = 1000 };
    if (strlen(module) + strlen(name) > LONGEST)
        return pickle_damaged(m, "a name is too long");
    pickle_push(m, PICKLED_GLOBAL)->text = arena_printf(m->arena, "%s.%s", module, name);
    return true;
}

bool pickle_global_line(Machine *m)
{
    const char *module, *name;
    return pickle_line(m, &module) && pickle_line(m, &name) && pickle_global(m, module, name);
}

bool pickle_global_stack(Machine *m)
{
    const Pickled *name = pickle_pop(m), *module = pickle_pop(m);
    if (!name || !module || name->kind != PICKLED_STRING || module->kind != PICKLED_STRING)
        return pickle_damaged(m, "a name is missing");
    return pickle_global(m, module->text, name->text);
}

/* A dict of the pairs that Python 2 hands to OrderedDict as a list.  The same list may be
 * handed over again and again, but what is copied stays below the pickle's length. */
static bool fill_dict(Machine *m, Pickled *dict, const Pickled *arguments)
{
    const Pickled *pairs = pickled_item(arguments, 0);
    if (!pickled_is(pairs, PICKLED_TUPLE))
        return true;
    if ((size_t)pairs->items.n > (size_t)(m->end - m->begin) - m->copied)
        return pickle_damaged(m, "it repeats its lists");
    m->copied += (size_t)pairs->items.n;
    for (int i = 0; i < pairs->items.n; i++) {
        const Pickled *pair = pairs->items.at[i];
        if (!pickled_is(pair, PICKLED_TUPLE) || pair->items.n != 2)
            continue;
        VEC_PUSH(m->arena, &dict->items, pair->items.at[0]);
        VEC_PUSH(m->arena, &dict->items, pair->items.at[1]);
    }
    return true;
}

/* What a call of `function` makes, which is known of dicts alone. */
static bool called(Machine *m, Pickled *function, Pickled *arguments)
{
    static const char *const dicts[] = {"collections.OrderedDict", "collections.defaultdict",
                                        "builtins.dict", "__builtin__.dict"};
    if (!arguments || !function)
        return pickle_damaged(m, "a call has no function");
    for (size_t i = 0; i < sizeof dicts / sizeof *dicts; i++) {
        if (function->kind == PICKLED_GLOBAL && str_eq(function->text, dicts[i]))
            return fill_dict(m, pickle_push(m, PICKLED_DICT), arguments);
    }
    Pickled *call = pickle_push(m, PICKLED_CALL);
    VEC_PUSH(m->arena, &call->items, function);
    VEC_PUSH(m->arena, &call->items, arguments);
    return true;
}

bool pickle_reduce(Machine *m, int more)
{
    while (more-- > 0)
        if (!pickle_pop(m))
            return pickle_damaged(m, "a call has no function");
    Pickled *arguments = pickle_pop(m), *function = pickle_pop(m);
    return called(m, function, arguments);
}

bool pickle_tuple(Machine *m, int n)
{
    const int from = n < 0 ? pickle_marked(m) : m->stack.n - n;
    if (from < 0)
        return pickle_damaged(m, "a tuple has too few elements");
    Pickled *value = pickle_new(m, PICKLED_TUPLE);
    for (int i = from; i < m->stack.n; i++)
        VEC_PUSH(m->arena, &value->items, m->stack.at[i]);
    m->stack.n = n < 0 ? from - 1 : from;
    VEC_PUSH(m->arena, &m->stack, value);
    return true;
}

/* The objects from `from` on, which follow the list or dict below them, into it.  An object
 * of a class keeps what makes it a dict. */
bool pickle_extend(Machine *m, int from, PickledKind kind, int mark)
{
    const int at = from - mark - 1;
    Pickled *into = from >= 0 && at >= 0 ? m->stack.at[at] : NULL;
    const bool keeps =
        into && (into->kind == kind || (kind == PICKLED_DICT && into->kind == PICKLED_CALL));
    if (!into || into->kind == PICKLED_MARK ||
        (!keeps && into->kind != PICKLED_OTHER && into->kind != PICKLED_CALL) ||
        (kind == PICKLED_DICT && (m->stack.n - from) % 2 != 0))
        return pickle_damaged(m, "there is nothing to put elements into");
    for (int i = from; keeps && i < m->stack.n; i++)
        VEC_PUSH(m->arena, &into->items, m->stack.at[i]);
    m->stack.n = at + 1;
    return true;
}

/* Attributes are kept of objects; PyTorch gives some to dicts, their metadata. */
bool pickle_build(Machine *m)
{
    const Pickled *state = pickle_pop(m);
    if (!state || !pickle_pop(m))
        return pickle_damaged(m, "it builds nothing");
    m->stack.n++;
    if (pickle_top(m)->kind == PICKLED_CALL)
        pickle_top(m)->state = state;
    return true;
}

bool pickle_marked_object(Machine *m, bool set)
{
    const int from = pickle_marked(m);
    if (from < 0)
        return pickle_damaged(m, "a tuple has too few elements");
    Pickled *type = !set && from < m->stack.n ? m->stack.at[from] : NULL;
    Pickled *arguments = pickle_new(m, PICKLED_TUPLE);
    for (int i = from + 1; type && i < m->stack.n; i++)
        VEC_PUSH(m->arena, &arguments->items, m->stack.at[i]);
    m->stack.n = from - 1;
    if (set)
        return pickle_push_int(m, PICKLED_OTHER, 0);
    return called(m, type, arguments);
}

/* INST of protocol 0: its type is in the stream. */
bool pickle_inst(Machine *m)
{
    const int from = pickle_marked(m);
    if (from < 0)
        return pickle_damaged(m, "a tuple has too few elements");
    m->stack.n = from - 1;
    if (!pickle_global_line(m))
        return false;
    Pickled *type = pickle_pop(m), *arguments = pickle_new(m, PICKLED_TUPLE);
    arguments->kind = PICKLED_TUPLE;
    return called(m, type, arguments);
}

bool pickle_pop_mark(Machine *m)
{
    const int from = pickle_marked(m);
    if (from < 0)
        return pickle_damaged(m, "there is nothing to drop");
    m->stack.n = from - 1;
    return true;
}

/* A dict of what stands after the mark. */
bool pickle_dict(Machine *m)
{
    if (!pickle_tuple(m, -1))
        return false;
    if (pickle_top(m)->items.n % 2 != 0)
        return pickle_damaged(m, "a key has no value");
    pickle_top(m)->kind = PICKLED_DICT;
    return true;
}
