/* keras.h: what Keras calls weights in the files it writes. */
#ifndef RNC_KERAS_H
#define RNC_KERAS_H

#include "params/tensorfile.h"

/* layer.weight of a path "model/.../layer/weight:0": "conv1.kernel".  A name without
 * a slash is returned as it is. */
const char *keras_name(const char *path, Arena *arena);

/* The path that a weight of an HDF5 file goes by: without the group of the whole
 * model in front, and without the number that TensorFlow 1 puts behind a layer's
 * name: model_weights/conv1/conv1_2/kernel:0 is conv1/kernel. */
const char *keras_path(const char *path, Arena *arena);
/* Keras 3 numbers the weights of a layer, GROUP/vars/0 ...: gives them the paths
 * GROUP's folder/layer/kernel and so on where their shapes leave no doubt. */
void keras_number_names(StoredTensor *weights, int n, const char *group, const char *layer,
                        Arena *arena);
/* Sets the order of axes of what is a kernel by its name. */
void keras_axes(StoredTensor *weight);

#endif
