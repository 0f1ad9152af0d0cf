/* keras.h: the names of weights in the files that Keras writes. */
#ifndef RNC_KERAS_H
#define RNC_KERAS_H

#include "net/nametable.h"
#include "params/tensorfile.h"

/* A layer as the config.json of a .keras file describes it. */
typedef struct KerasLayer {
    const char *place; /* its group in the weights: layers/conv2d_4 */
    const char *name;
    bool scale, center; /* of a normalisation */
} KerasLayer;

typedef struct KerasConfig {
    VEC(KerasLayer) layers;
} KerasConfig;

/* layer.weight of a path "model/.../layer/weight:0": "model/conv1.kernel", and a layer's
 * name that is there twice once: "conv1/bn/conv1/bn/gamma:0" is "conv1/bn.gamma".  A name
 * without a slash is returned as it is. */
const char *keras_name(const char *path, Arena *arena);

/* The path that a weight of an HDF5 file goes by: without the group of the whole
 * model before it, without the containers of layers, and with a layer's name once. */
const char *keras_path(const char *path, Arena *arena);
/* Keras 3 numbers the weights of a layer, GROUP/vars/0 ...: gives them the paths
 * GROUP's folder/LAYER/kernel and so on where the layer's class or their shapes leave no
 * doubt, and GROUP/kernel for their place.  `layer` is the layer's name, NULL where only
 * `config`, or nothing, says it.  Returns whether a normalisation was taken to be
 * without scale, since it has three vectors. */
bool keras_number_names(StoredTensor *weights, int n, const char *group, const char *layer,
                        const KerasConfig *config, Arena *arena);
/* Gives what has no place the one of a fresh session, by the numbers at the layers' ends:
 * dense_3 and dense_5 are dense and dense_1. */
void keras_renumber(StoredTensor *weights, int n, Arena *arena);
/* Sets the order of axes of what is a kernel by its name. */
void keras_axes(StoredTensor *weight);

/* The groups of a model's layers in a .keras file, in the layers' order: PREFIXlayers/conv2d,
 * PREFIXlayers/conv2d_1. */
typedef struct KerasGroups {
    const char *prefix; /* "", or the group of the model itself with a slash after it */
    NameTable seen;
} KerasGroups;

KerasGroups keras_groups(const char *prefix, Arena *arena);
/* The group of the next layer, by its class. */
const char *keras_next_group(KerasGroups *groups, const char *class_name);
/* The layers of a config.json; an empty list where it cannot be read.  keras_config.c. */
void keras_config_read(KerasConfig *config, const char *json, size_t size, Arena *arena);

#endif
