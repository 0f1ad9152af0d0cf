/* keras_config.c: the layers that the config.json of a .keras file has.
 *
 *   {"class_name": "Functional", "config": {"layers": [
 *       {"class_name": "Conv2D", "config": {"name": "conv1", ...}}, ...]}}
 *
 * Keras keeps a layer's weights under its class in snake case, with a number from the
 * second one on: layers/conv2d, layers/conv2d_1.  So the order of the layers says which
 * group is whose.
 */
#include "params/keras.h"

#include <ctype.h>
#include <jansson.h>
#include <string.h>

enum { DEEPEST = 32 };

typedef struct Reader {
    KerasConfig *config;
    Arena *arena;
} Reader;

/* to_snake_case() of Keras: BatchNormalization is batch_normalization, ReLU re_lu, Conv2D
 * conv2d. */
static const char *snake_case(const char *name, Arena *arena)
{
    const char *package = strrchr(name, '>');
    Buf out = buf_new(arena);
    name = package ? package + 1 : name;
    for (const char *c = name; *c; c++) {
        const bool upper = isupper((unsigned char)*c);
        if (c > name && upper && (islower((unsigned char)c[1]) || islower((unsigned char)c[-1])))
            buf_putc(&out, '_');
        if (isalnum((unsigned char)*c) || *c == '_')
            buf_putc(&out, (char)tolower((unsigned char)*c));
    }
    return buf_text(&out);
}

static bool truth(const json_t *config, const char *key)
{
    return !json_is_false(json_object_get(config, key));
}

KerasGroups keras_groups(const char *prefix, Arena *arena)
{
    return (KerasGroups){prefix, {.arena = arena}};
}

const char *keras_next_group(KerasGroups *groups, const char *class_name)
{
    Arena *arena = groups->seen.arena;
    const char *base = snake_case(class_name, arena);
    NameEntry *entry = table_find(&groups->seen, base);
    if (!entry) {
        table_add(&groups->seen, base, NO_LOC);
        return arena_printf(arena, "%slayers/%s", groups->prefix, base);
    }
    return arena_printf(arena, "%slayers/%s_%d", groups->prefix, base, ++entry->number);
}

static void read_layers(const Reader *r, const json_t *model, const char *prefix, int depth)
{
    const json_t *layers = json_object_get(json_object_get(model, "config"), "layers");
    KerasGroups groups = keras_groups(prefix, r->arena);
    size_t i;
    const json_t *layer;
    json_array_foreach(layers, i, layer)
    {
        const json_t *config = json_object_get(layer, "config");
        const char *kind = json_string_value(json_object_get(layer, "class_name"));
        const char *name = json_string_value(json_object_get(config, "name"));
        if (!kind || !name)
            continue;
        const char *place = keras_next_group(&groups, kind);
        const KerasLayer found = {place, arena_strdup(r->arena, name), truth(config, "scale"),
                                  truth(config, "center")};
        VEC_PUSH(r->arena, &r->config->layers, found);
        if (depth < DEEPEST)
            read_layers(r, layer, arena_printf(r->arena, "%s/", place), depth + 1);
    }
}

void keras_config_read(KerasConfig *config, const char *json, size_t size, Arena *arena)
{
    json_t *root = json_loadb(json, size, 0, NULL);
    const Reader r = {config, arena};
    if (!root)
        return;
    /* Jansson's memory is not the arena's: when that runs out, free it and pass on. */
    jmp_buf here;
    jmp_buf *const outer = arena_on_oom(arena, &here);
    if (setjmp(here) != 0) {
        json_decref(root);
        arena_on_oom(arena, outer);
        longjmp(*outer, 1);
    }
    read_layers(&r, root, "", 0);
    arena_on_oom(arena, outer);
    json_decref(root);
}
