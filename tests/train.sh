#!/bin/sh
# train.sh: rnc train: small networks on pictures that are drawn here; runs that are stopped,
# killed and gone on with; what is refused.  tests/unit/train/test_run.c has the loop itself.
. "$(dirname "$0")/lib.sh"
rm -rf "$out" && mkdir -p "$out" && cd "$out" || exit 1
export XDG_CACHE_HOME="$PWD/cache" # nothing of the user's

. "$src/tests/expect.sh"

cat > small.net << 'EOF'
net small(classes = 3, filters = 8) {
  input image[3, 32, 32]
  normalize scale=1/255 mean=0.5 std=0.25
  conv 3x3 filters stride=2 ; bn ; relu
  conv 3x3 2 * filters stride=2 ; bn ; relu
  avgpool global ; flatten ; dense classes
  softmax
  output probabilities
}

train quick(epochs = 3, rate = 0.05, batch_size = 8, classes = 3) {
  network small(classes = classes)
  epochs epochs
  batch batch_size
  optimizer sgd rate momentum=0.9
  schedule cosine warmup=0.5
  augment flip
  augment erase 0.3
  validation 0.25
  seed 3
}
EOF
printf 'net alone {\n  input x[3, 32, 32]\n  conv 3x3 4\n  output y\n}\n' > alone.net

# ---- what is refused ----

run 2 'no data to train on' train small.net -o run
says err 'no data is given: --data names a folder or a file'
run 2 'no folder for a training' train small.net --data pictures
says err 'no folder is given for what the training leaves: -o FOLDER'
run 2 'no epochs' train small.net --data pictures -o run --epochs 0
says err "'0' is no value for --epochs"
run 2 'except without weights' train small.net --data pictures -o run --except 'fc.*'
says err '--except says what the weights do not give; it needs -w'
run 1 'no training' train alone.net --data pictures -o run
says err 'there is no training in the file'
run 1 'no such parameter' train small.net --data pictures -o run -D epoch=3
says err "'epoch'"
run 1 'three ranks' train small.net --data pictures -o run --ranks 3
says err 'a batch of 8 images cannot be divided among 3 ranks'
RNC_MPI=./none.so OMPI_COMM_WORLD_SIZE=2 run 1 'no module' train small.net --data pictures -o run
says err 'this is mpirun, and rnc cannot use MPI: ./none.so: cannot open'
RNC_MPI=./none.so OMPI_COMM_WORLD_SIZE=2 run 1 'ranks twice' train small.net --data pictures -o run --ranks 2
says err 'mpirun says how many ranks there are; leave --ranks out'
mkdir -p ran && touch ran/steps.csv
run 1 'a run is there' train small.net --data pictures -o ran
says err 'ran: has a run already: --resume goes on with it; a new one needs another folder'
gone run

finish
