"""The tutorial's ResNet-50 and ResNet V2-50 in Keras, layer by layer as it has them.

Each returns a model of two outputs, probabilities and logits, for pictures
[n][height][width][3]; layers are named as models/tutorial/*.net have it.
"""
import keras
from keras import layers


def conv_bn(x, filters, kernel, name, stride=1, padding="valid", relu=True):
    """res<name> and bn<name>: bias beside the normalisation, epsilon 1e-3."""
    x = layers.Conv2D(filters, kernel, strides=stride, padding=padding, name="res" + name)(x)
    x = layers.BatchNormalization(epsilon=1e-3, name="bn" + name)(x)
    return layers.ReLU()(x) if relu else x


def block(x, filters, name, stride=1, project=False):
    y = conv_bn(x, filters[0], 1, name + "_branch2a", stride)
    y = conv_bn(y, filters[1], 3, name + "_branch2b", padding="same")
    y = conv_bn(y, filters[2], 1, name + "_branch2c", relu=False)
    if project:
        x = conv_bn(x, filters[2], 1, name + "_branch1", stride, relu=False)
    return layers.ReLU()(layers.Add()([y, x]))


def classify(x, classes, name):
    logits = layers.Dense(classes, name=name)(x)
    return [layers.Softmax()(logits), logits]


def resnet50(shape, classes):
    """Its last two blocks are of 256 filters, the tutorial's quirk; pixels are 0..255."""
    picture = keras.Input(shape)
    x = layers.Rescaling(1 / 255)(picture)
    x = layers.ZeroPadding2D(3)(x)
    x = layers.Conv2D(64, 7, strides=2, name="conv1")(x)
    x = layers.ReLU()(layers.BatchNormalization(epsilon=1e-3, name="bn_conv1")(x))
    x = layers.MaxPooling2D(3, strides=2)(x)
    for stage, (narrow, wide, blocks) in enumerate([(64, 256, 3), (128, 512, 4), (256, 1024, 6),
                                                    (512, 2048, 3)], 2):
        for i, letter in enumerate("abcdef"[:blocks]):
            inner = 256 if stage == 5 and i > 0 else narrow
            x = block(x, (inner, inner, wide), f"{stage}{letter}",
                      2 if i == 0 and stage > 2 else 1, i == 0)
    x = layers.Flatten()(layers.AveragePooling2D(2)(x))
    return keras.Model(picture, classify(x, classes, f"fc{classes}"))


def normalised(x, name):
    return layers.ReLU()(layers.BatchNormalization(epsilon=1e-5, name=name)(x))


def block_v2(x, filters, name, stride):
    """Pre-activation; a strided 3x3 is padded as for stride 1."""
    before = normalised(x, name + "_preact_bn")
    y = layers.Conv2D(filters, 1, use_bias=False, name=name + "_1_conv")(before)
    y = layers.ZeroPadding2D(1)(normalised(y, name + "_1_bn"))
    y = layers.Conv2D(filters, 3, strides=stride, use_bias=False, name=name + "_2_conv")(y)
    y = layers.Conv2D(4 * filters, 1, name=name + "_3_conv")(normalised(y, name + "_2_bn"))
    if x.shape[-1] != 4 * filters:
        x = layers.Conv2D(4 * filters, 1, strides=stride, name=name + "_0_conv")(before)
    elif stride > 1:
        x = layers.MaxPooling2D(1, strides=stride)(x)
    return layers.Add()([y, x])


def resnet50_v2(shape, classes):
    picture = keras.Input(shape)
    x = layers.Conv2D(64, 7, strides=2, name="conv1_conv")(layers.ZeroPadding2D(3)(picture))
    x = layers.MaxPooling2D(3, strides=2, padding="same")(x)
    for stage, (filters, blocks) in enumerate([(64, 3), (128, 4), (256, 6), (512, 3)], 2):
        for i in range(1, blocks + 1):
            x = block_v2(x, filters, f"conv{stage}_block{i}", 2 if i == blocks and stage < 5 else 1)
    x = layers.GlobalAveragePooling2D()(normalised(x, "post_bn"))
    return keras.Model(picture, classify(x, classes, "predictions"))
