#!/bin/sh
# cifar.sh: ResNet-20 on CIFAR-10's 50,000 pictures, of which 5,000 are held back.
. "$(dirname "$0")/lib.sh"
cifar
run=$out/resnet20${short:+-short}
"$rnc" train "$src/tests/experiments/cifar.net" -I "$src/models" --data "$pictures" -o "$run" --resume \
    -D epochs=140 -D erase=0.25 ${short:+--epochs 1 --batch 16} "$@"
printf 'ResNet-20: %s of what is held back are right after epoch %s\n' "$(last "$run" held_accuracy)" \
    "$(last "$run" epoch)"
