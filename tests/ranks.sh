#!/bin/sh
# ranks.sh: rnc train in several processes: 1, 2 and 4 of them leave the same bytes; one that is killed
# ends the job, which goes on in another number; started by MPI, on one machine and, with
# RNC_TEST_FULL and as root, on two hosts that are network namespaces.
. "$(dirname "$0")/lib.sh"
rm -rf "$out" && mkdir -p "$out" && cd "$out" || exit 1
export XDG_CACHE_HOME="$PWD/cache" # nothing of the user's
. "$src/tests/expect.sh"
# What a step computes does not depend on how well it is compiled.
compiler cc-level $(level -O2) || exit 1
export CC="$out/cc-level"

# Residual, with batch normalisation, a depthwise convolution, a stride with groups, a bias alone and a dense layer.
# The last batch of an epoch has 10 pictures of 16.
cat > small.net << 'EOT'
net small(filters = 16, classes = 10) {
  input image[3, 32, 32] type=u8
  normalize scale=1/255 mean=0.4 std=0.25
  conv 3x3 filters stride=2 ; bn ; relu
  main {
    conv 3x3 filters groups=filters ; bn ; relu
    conv 1x1 filters bias=true ; bn
  }
  shortcut { }
  add
  relu
  conv 3x3 2 * filters groups=4 stride=2 bias=true ; relu
  avgpool 2x2 stride=2
  flatten ; dense 24 ; relu ; dense classes
  softmax
  output probabilities
}

train quick(epochs = 2, average = 0.0, together = 1, limit = 0.0) {
  network small
  epochs epochs
  batch 16
  optimizer adam 0.003
  if together > 1 { accumulate together }
  if average > 0 { average average }
  if limit > 0 { clip norm limit }
  augment flip 0.1
  validation 0.25
  seed 3
}
EOT
${CC:-cc} -O1 -o draw "$src/tests/train/draw.c" || exit 1
./draw 120 0 > pictures.bin

# trains FOLDER OPTION...: to the end
trains() {
    folder=$1
    shift
    run 0 "training $folder" train ${net:-small.net} --data pictures.bin --cache pictures.cache -o "$folder" "$@"
    empty err
}

# same A B: two folders have the same run, `seconds` apart
same() {
    for file in best.safetensors last.safetensors last.checkpoint steps.csv confusion.txt; do
        [ -e "$1/$file" ] || [ -e "$2/$file" ] || continue # no matrix where nothing is held back
        cmp -s "$1/$file" "$2/$file" && result good || result bad "$1/$file and $2/$file differ"
    done
    sed 's/,[^,]*$//' "$1/epochs.csv" > epochs.1
    sed 's/,[^,]*$//' "$2/epochs.csv" > epochs.2
    cmp -s epochs.1 epochs.2 && result good || result bad "the epochs of $1 and $2 differ"
}

# ---- any number, the same bits ----

trains one --threads 1
trains two --ranks 2 --threads 2
same one two
trains four --ranks 4 --threads 1
same one four
trains little --ranks 2 --threads 1 --memory least
same one little
says out 'computed again'
trains alone --shards 1
cmp -s one/last.safetensors alone/last.safetensors && result bad 'shards change nothing' || result good
run 1 'too few shards' train small.net --data pictures.bin -o none --ranks 4 --shards 2
says err '2 shards: a power of two is needed that divides the batch of 16, and is at least the number of ranks, 4'
run 1 'other shards' train small.net --data pictures.bin --cache pictures.cache -o one --resume --shards 8
says err 'the run has `sums of 4 shards'
says err 'and now it would be `sums of 8 shards'
run 2 'ranks without a training' small.net --ranks 2 -o step.c
says err '--ranks and --shards are of a step of training; they need --train'
run 1 'a step of too few shards' small.net --train --ranks 4 --shards 2 -o none.c
says err 'small.net: error: --shards 2 and --ranks 4 do not fit together'
says err 'note: both are powers of two, and there are at least as many shards as ranks'
run 1 'a step of too many shards' small.net --train --batch 12 --shards 8 -o none.c
says err 'small.net: error: a batch of 12 images cannot be divided into 8 shards'
says err 'note: --batch N gives another batch, --shards N other shards'
gone none.c
run 0 'a step of ranks' small.net --train --ranks 2 --shards 8 -q -o step.c
run 0 'a plan of ranks' small.net --train --ranks 2 --shards 8 --isa portable --dump plan

# ---- a rank that is killed ----

"$rnc" train small.net --data pictures.bin --cache pictures.cache -o killed -D epochs=200 --ranks 2 --threads 1 \
    --save-every 3 > out 2> err &
pid=$!
while kill -0 $pid 2> /dev/null && ! [ "$(cat killed/steps.csv 2> /dev/null | wc -l)" -gt 20 ]; do sleep 0.02; done
kill -KILL $(ps -o pid= --ppid $pid | head -n 1)
begun=$(date +%s)
wait $pid
status=$?
label='a killed rank'
[ $status -eq 1 ] && result good || result bad "status $status"
[ $(($(date +%s) - begun)) -le 5 ] && result good || result bad 'the job went on for long'
says err 'is lost, and the training ends; --resume'
run 0 'in four ranks' train small.net --data pictures.bin --cache pictures.cache -o killed -D epochs=200 --ranks 4 \
    --threads 1 --resume --epochs 20
trains whole -D epochs=20
cmp -s whole/last.safetensors killed/last.safetensors && result good || result bad 'another run'

# ---- MPI ----

export OMPI_ALLOW_RUN_AS_ROOT=1 OMPI_ALLOW_RUN_AS_ROOT_CONFIRM=1
if [ "${RNC_HAVE_MPI:-no}" = yes ] && have mpirun; then
    # By the module that lies beside the program.
    check 'four ranks of mpirun' mpirun --oversubscribe -n 4 "$rnc" train small.net --data pictures.bin -o mpi \
        --threads 1
    same one mpi
    export RNC_MPI="$build/rncmpi.so"
else
    skip 'no MPI here'
fi

if [ -z "${RNC_TEST_FULL:-}" ]; then
    finish
    exit
fi

# ---- more of them, and whole models ----

for options in '-D average=0.9 -D together=3' '-D limit=0.1'; do
    kind=$(printf %s "$options" | tr -c 'a-z0-9\n' '_')
    trains "$kind" $options --shards 8
    trains "$kind.8" $options --ranks 8 --threads 1
    same "$kind" "$kind.8"
done
for model in resnet20 mobilenet_v2 densenet121; do
    printf 'include "%s.net"\ntrain t { network %s ; epochs 1 ; batch 16 ; optimizer sgd 0.01 momentum=0.9 ; seed 1 }\n' \
        $model "$(sed -n 's/^net \([a-z0-9_]*\).*/\1/p' "$src/models/$model.net" | head -n 1)" > $model-train.net
    net=$model-train.net
    size=$([ $model = resnet20 ] || echo '--size 224x224 -D classes=10')
    ./draw 26 0 > pictures.bin
    rm -f pictures.cache
    trains $model $size -I "$src/models"
    trains $model.4 $size -I "$src/models" --ranks 4 --threads 1
    same $model $model.4
done
net=small.net
./draw 120 0 > pictures.bin
rm -f pictures.cache

# ---- two hosts ----

a=rnc$$a b=rnc$$b
hosts() {
    ip netns add $a && ip netns add $b && ip link add $a type veth peer name $b && ip link set $a netns $a &&
        ip link set $b netns $b && ip -n $a addr add 10.77.0.1/24 dev $a && ip -n $b addr add 10.77.0.2/24 dev $b &&
        ip -n $a link set lo up && ip -n $b link set lo up && ip -n $a link set $a up && ip -n $b link set $b up
}
if [ -n "${RNC_MPI:-}" ] && have ip && have unshare && [ "$(id -u)" -eq 0 ] && hosts 2> /dev/null; then
    # How mpirun starts its daemon on the other host.
    cat > agent << EOT
#!/bin/sh
shift
exec ip netns exec $b unshare --uts sh -c 'hostname $b; exec sh -c "\$*"' sh "\$@"
EOT
    chmod +x agent
    cat > hosts.sh << EOT
hostname $a
exec mpirun --host 10.77.0.1:1,10.77.0.2:1 -n 2 --mca plm_rsh_agent "$PWD/agent" --mca btl tcp,self \
    --mca btl_tcp_if_include 10.77.0.0/24 --mca oob_tcp_if_include 10.77.0.0/24 "\$@"
EOT
    check 'two hosts' ip netns exec $a unshare --uts sh hosts.sh "$rnc" train small.net --data pictures.bin \
        -o hosts --threads 1
    same one hosts
else
    skip 'two hosts need root, network namespaces and MPI'
fi
ip netns del $a 2> /dev/null
ip netns del $b 2> /dev/null
finish
