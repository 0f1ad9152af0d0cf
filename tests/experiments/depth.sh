#!/bin/sh
# depth.sh: does depth hurt?  Plain networks of 20 and 56 layers, and ResNets: what the errors are on
# the pictures that are trained on.
. "$(dirname "$0")/lib.sh"
cifar
for kind in plain resnet; do
    for layers in 20 56; do
        run=$out/$kind$layers-depth${short:+-short}
        plain=false
        [ $kind != plain ] || plain=true
        "$rnc" train "$src/tests/experiments/cifar.net" -I "$src/models" --data "$pictures" -o "$run" --resume \
            --cache "$out/depth.cache" -D layers=$layers -D plain=$plain -D epochs=20 -D rate=0.1 \
            ${short:+--epochs 1 --batch 16} "$@"
        printf '%s-%s: loss %s, error %s in training; %s of what is held back are right\n' $kind $layers \
            "$(last "$run" loss)" "$(last "$run" accuracy | awk '{ print 1 - $1 }')" \
            "$(last "$run" held_accuracy)"
    done
done
"$rnc" curves "$out/plain20-depth${short:+-short}" "$out/plain56-depth${short:+-short}" \
    "$out/resnet20-depth${short:+-short}" "$out/resnet56-depth${short:+-short}" -o "$out/depth.svg"
