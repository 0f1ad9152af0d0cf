/* keras_import.c: models of Keras, from .keras archives and whole-model .h5 files. */
#include "import/import_parts.h"
#include "import/keras_parts.h"
#include "params/jsontext.h"

#include <stdlib.h>
#include <string.h>

/* The list of an archive's members is at its end. */
bool keras_is(const Opened *file)
{
    enum { TAIL = 1 << 16 };
    static const char hdf5[] = "\x89HDF\r\n\x1a\n", zip[] = "PK\3\4", member[] = "config.json";
    const size_t n = file->size < TAIL ? file->size : TAIL, most = sizeof member - 1;
    const unsigned char *tail = file->bytes + file->size - n;
    if (file->size >= sizeof hdf5 - 1 && memcmp(file->bytes, hdf5, sizeof hdf5 - 1) == 0)
        return true;
    if (file->size < sizeof zip - 1 || memcmp(file->bytes, zip, sizeof zip - 1) != 0)
        return false;
    for (size_t i = 0; i + most <= n; i++) {
        if (memcmp(tail + i, member, most) == 0)
            return true;
    }
    return false;
}

/* ---- inputs and outputs ---- */

/* The extents of an input, without the batch; NULL if the configuration does not say them.  A
 * sequential model can say them with its first layer, or leave them to the model that this is. */
static const json_t *shape_of(const json_t *config)
{
    static const char *const keys[] = {"batch_shape", "batch_input_shape", "build_input_shape"};
    enum { DEEPEST = 32 };
    for (int depth = 0; depth < DEEPEST; depth++) {
        for (size_t i = 0; i < sizeof keys / sizeof *keys; i++) {
            const json_t *shape = json_object_get(config, keys[i]);
            if (json_is_array(shape))
                return shape;
        }
        const json_t *first = json_array_get(json_object_get(config, "layers"), 0);
        config = json_object_get(first, "config");
    }
    return NULL;
}

static KerasTensor refuse_input(Keras *k, const char *why, const char *help)
{
    builder_refuse(&k->b, why, help);
    return keras_tensor(NULL, 4);
}

static KerasTensor add_input(Keras *k, const KerasNode *layer)
{
    static const char open_help[] =
        "build the model for one size: in Python, new = keras.models.clone_model(model, "
        "input_tensors=keras.Input((224, 224, 3))); new.set_weights(model.get_weights())";
    const json_t *shape = shape_of(layer->config);
    const size_t rank = json_array_size(shape);
    int dims[3] = {1, 1, 1};
    builder_at(&k->b, layer->kind, layer->name, "");
    if (rank < 2 || rank > 4)
        return refuse_input(k,
                            shape ? "its extents are neither an image's nor a vector's"
                                  : "the file does not say its extents",
                            shape ? NULL : open_help);
    for (size_t i = 1; i < rank; i++) {
        const json_t *value = json_array_get(shape, i);
        const json_int_t n = json_integer_value(value);
        if (json_is_null(value))
            return refuse_input(k, "an extent of it is open (None)", open_help);
        if (n < 1 || n > 1 << 24)
            return refuse_input(k, "an extent of it is none", NULL);
        dims[i == rank - 1 ? 2 : i - 1] = (int)n;
    }
    if (mul_extents(mul_extents(dims[0], dims[1]), dims[2]) > INT_MAX)
        return refuse_input(k, "it has more numbers than rnc counts", NULL);
    const Type type = {ELEM_F32, 1, dims[0], dims[1], dims[2]};
    const Order order = rank > 2 ? ORDER_NHWC : ORDER_NCHW;
    return keras_tensor(builder_input(&k->b, layer->name, type, order), (int)rank);
}

static void add_output(Keras *k, const KerasGraph *model, int i, const KerasTensor *x)
{
    KerasNode *layer = &model->layers.at[model->outputs.at[i].layer];
    Site s = {.k = k, .layer = layer, .config = layer->config, .path = layer->name, .models = ""};
    builder_output(&k->b, layer->name, keras_solid(&s, x), x->rank > 2 ? ORDER_NHWC : ORDER_NCHW);
}

/* ---- the file ---- */

static bool run(Keras *k, const json_t *json)
{
    Builder *b = &k->b;
    KerasGraph *model = keras_graph(json, b->path, k->arena, b->diag);
    if (!model)
        return false;
    const int n = model->inputs.n, n_out = model->outputs.n;
    KerasTensor *inputs = NEW_ARRAY(k->arena, KerasTensor, n + 1);
    KerasTensor *outputs = NEW_ARRAY(k->arena, KerasTensor, n_out + 1);
    for (int i = 0; i < n; i++)
        inputs[i] = add_input(k, &model->layers.at[model->inputs.at[i].layer]);
    if (!keras_run(k, model, inputs, n, "", "", outputs))
        return false;
    for (int i = 0; i < n_out; i++)
        add_output(k, model, i, &outputs[i]);
    return builder_end(b);
}

static bool refuse_weights_alone(const char *path, Diag *d)
{
    diag_file_error(d, path, "the file has weights, and no description of the model's layers");
    diag_file_note(d, path, "in Python, model.save(\"FILE.keras\") writes both");
    return false;
}

bool keras_import_text(Imported *to, const char *path, TensorFile *tensors, const char *text,
                       const char *version, SrcMap *src, Diag *d)
{
    Arena *arena = src->arena;
    Keras k = {.arena = arena, .tensors = tensors, .version = version ? atoi(version) : 2};
    to->format = arena_printf(arena, "Keras %s", version ? version : "2");
    json_t *json =
        jsontext_object(path, "model's description", (const unsigned char *)text, strlen(text), d);
    if (!json)
        return false;
    /* Jansson's memory is not the arena's: when that runs out, free it and pass on. */
    jmp_buf here;
    jmp_buf *const outer = arena_on_oom(arena, &here);
    if (setjmp(here) != 0) {
        json_decref(json);
        arena_on_oom(arena, outer);
        longjmp(*outer, 1);
    }
    k.b = builder_new(to, path, import_net_name(path, arena), src, d);
    keras_index(&k);
    const bool good = run(&k, json);
    arena_on_oom(arena, outer);
    json_decref(json);
    return good;
}

bool keras_import(Imported *to, const Opened *file, SrcMap *src, Diag *d)
{
    TensorFile *tensors = imported_tensors(to, file->path, src, d);
    if (!tensors)
        return false;
    if (!tensors->model)
        return refuse_weights_alone(file->path, d);
    return keras_import_text(to, file->path, tensors, tensors->model, tensors->model_version, src,
                             d);
}
