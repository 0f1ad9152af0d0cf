"""MLPerf Tiny's networks in Keras, layer by layer as its training code has them.

Layers have the names that Keras gives them by their numbers, so a session must be fresh.
"""
import keras
from keras import layers


def normalised(x):
    return layers.ReLU()(layers.BatchNormalization()(x))


def separable(x, filters, stride=1):
    x = normalised(layers.DepthwiseConv2D(3, strides=stride, padding="same")(x))
    return normalised(layers.Conv2D(filters, 1, padding="same")(x))


def classified(inputs, x, classes):
    x = layers.Flatten()(layers.AveragePooling2D(x.shape[1:3])(x))
    return keras.Model(inputs, layers.Dense(classes, activation="softmax")(x))


def resnet8(shape):
    """Ten classes; pixels are 0..255, as they are."""
    inputs = keras.Input(shape)
    x = normalised(layers.Conv2D(16, 3, padding="same")(inputs))
    for filters, stride in ((16, 1), (32, 2), (64, 2)):
        y = normalised(layers.Conv2D(filters, 3, strides=stride, padding="same")(x))
        y = layers.BatchNormalization()(layers.Conv2D(filters, 3, padding="same")(y))
        if stride != 1:
            x = layers.Conv2D(filters, 1, strides=stride, padding="same")(x)
        x = layers.ReLU()(layers.Add()([x, y]))
    return classified(inputs, x, 10)


def ds_cnn(shape):
    """Twelve words in coefficients [frames][coefficients][1]."""
    inputs = keras.Input(shape)
    x = normalised(layers.Conv2D(64, (10, 4), strides=2, padding="same")(inputs))
    for _ in range(4):
        x = separable(x, 64)
    return classified(inputs, x, 12)


def mobilenet_v1_025(shape):
    """A person or none; pixels are 0..1."""
    inputs = keras.Input(shape)
    x = normalised(layers.Conv2D(8, 3, strides=2, padding="same")(inputs))
    for filters, stride in ((16, 1), (32, 2), (32, 1), (64, 2), (64, 1), (128, 2), (128, 1),
                            (128, 1), (128, 1), (128, 1), (128, 1), (256, 2), (256, 1)):
        x = separable(x, filters, stride)
    return classified(inputs, x, 2)


def autoencoder(shape):
    inputs = keras.Input(shape)
    x = inputs
    for units in (128,) * 4 + (8,) + (128,) * 4:
        x = normalised(layers.Dense(units)(x))
    return keras.Model(inputs, layers.Dense(shape[0])(x))
