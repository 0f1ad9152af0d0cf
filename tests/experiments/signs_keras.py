#!/usr/bin/env python3
"""The tutorial's training by Keras on TensorFlow, to be read beside signs.sh.

    keras/bin/python ../tests/experiments/signs_keras.py ../../shared/data/signs/jpg64 [SEED...]

Trains the same network on the same 1,080 hand signs (20 epochs, Adam, batches of 32) and prints
after each epoch the loss and how many of the 120 test pictures are right.  As in the tutorial every
kernel begins as glorot_uniform(seed=0), so that the seed decides the order of the pictures alone.  `make keras/installed`
makes the Python with Keras.
"""
import argparse
import glob
import os
import sys
import time

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "2")
import keras  # noqa: E402
import numpy as np  # noqa: E402
from PIL import Image  # noqa: E402

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "frameworks"))
import kerasnets  # noqa: E402


def pictures(root, *folders):
    """The folders' pictures, float [n][64][64][3] of 0..255, and their classes."""
    files = sorted(f for folder in folders for f in glob.glob(os.path.join(root, folder, "*.jpg")))
    if not files:
        sys.exit(f"signs_keras.py: {root} has no pictures in {' or '.join(folders)}")
    images = np.stack([np.asarray(Image.open(f).convert("RGB"), np.float32) for f in files])
    return images, np.array([int(os.path.basename(f)[0]) for f in files])


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("root")
    parser.add_argument("seeds", nargs="*", type=int, default=[0, 1, 2])
    parser.add_argument("--epochs", type=int, default=20)
    args = parser.parse_args()
    train, test = pictures(args.root, "train_signs", "val_signs"), pictures(args.root, "test_signs")
    for seed in args.seeds:
        keras.utils.set_random_seed(seed)
        both = kerasnets.resnet50((64, 64, 3), 6)
        net = keras.Model(both.inputs, both.outputs[0])  # the probabilities
        for layer in net.layers:
            if hasattr(layer, "kernel"):
                layer.kernel.assign(keras.initializers.GlorotUniform(seed=0)(layer.kernel.shape))
        net.compile(optimizer="adam", loss="sparse_categorical_crossentropy", metrics=["accuracy"])
        begin = time.time()

        def report(epoch, logs):
            print(f"seed {seed} epoch {epoch + 1}: loss {logs['loss']:.4f}, accuracy "
                  f"{logs['accuracy']:.4f}; {logs['val_accuracy']:.4f} of the test pictures are right; "
                  f"{time.time() - begin:.0f} s", flush=True)

        net.fit(*train, batch_size=32, epochs=args.epochs, validation_data=test, verbose=0,
                callbacks=[keras.callbacks.LambdaCallback(on_epoch_end=report)])


if __name__ == "__main__":
    main()
