#!/bin/sh
# runs.sh: rnc train: small networks on pictures that are drawn here; runs that are stopped,
# killed and gone on with; what is refused.  tests/unit/train/test_run.c has the loop itself.
. "$(dirname "$0")/lib.sh"
rm -rf "$out" && mkdir -p "$out" && cd "$out" || exit 1
export XDG_CACHE_HOME="$PWD/cache" # nothing of the user's
full=${RNC_TEST_FULL:+yes}

. "$src/tests/expect.sh"
# What a step computes does not depend on how well it is compiled.
compiler cc-level $(level -O2) || exit 1
export CC="$out/cc-level"

cat > small.net << 'EOT'
net small(filters = 8, classes = 10) {
  input image[3, 32, 32] type=u8
  normalize scale=1/255 mean=0.4 std=0.25
  conv 3x3 filters stride=2 ; bn ; relu
  conv 3x3 2 * filters stride=2 ; bn ; relu
  flatten ; dense classes
  softmax
  output probabilities
}

train quick(epochs = 3, rate = 0.02, images = 16, validation = 0.25, average = 0.0, together = 1,
            limit = 0.0, patience = 0, adam = false) {
  network small
  epochs epochs
  batch images
  if adam { optimizer adamw rate ; decay 0.01 except="*.bias" }
  if not adam { optimizer sgd rate momentum=0.9 }
  if together > 1 { accumulate together }
  if average > 0 { average average }
  if limit > 0 { clip norm limit }
  if patience > 0 { stop patience }
  schedule cosine warmup=0.5
  augment flip 0.1
  augment erase 0.3
  validation validation
  seed 3
}
EOT
printf 'net alone {\n  input x[3, 32, 32]\n  conv 3x3 4\n  output y\n}\n' > alone.net

# ---- what is refused before anything is compiled ----

run 2 'no data to train on' train small.net -o run
says err 'no data is given: --data names a folder or a file'
run 2 'no folder for a training' train small.net --data p
says err 'no folder is given for what the training leaves: -o FOLDER'
run 2 'no epochs' train small.net --data p -o run --epochs 0
says err "'0' is no value for --epochs"
for rate in -0.1 nan inf 1e30 1e999 0.1x; do
    run 2 "the rate $rate" train small.net --data p -o run --rate $rate
    says err "'$rate' is no value for --rate"
    says err '--rate takes a number that is not negative and below 1e30'
done
run 1 'a tiny rate' train alone.net --data p -o run --rate 1e-320
says err 'there is no training in the file'
run 2 'except without weights' train small.net --data p -o run --except 'fc.*'
says err '--except says what the weights do not give; it needs -w'
run 1 'no training' train alone.net --data p -o run
says err 'there is no training in the file'
run 1 'no such parameter' train small.net --data p -o run -D epoch=3
says err "neither 'small' nor its training 'quick' has a parameter 'epoch'; did you mean 'epochs'?"
says err "the parameters of 'small' are filters, classes"
says err "the parameters of 'quick' are epochs, rate, images, "
run 1 'three ranks' train small.net --data p -o run --ranks 3
says err 'a batch of 16 images cannot be divided among 3 ranks'
export RNC_MPI=./none.so OMPI_COMM_WORLD_SIZE=2
run 1 'no module' train small.net --data p -o run
says err 'this is mpirun, and rnc cannot use MPI: ./none.so: cannot open'
run 1 'ranks twice' train small.net --data p -o run --ranks 2
says err 'mpirun says how many ranks there are; leave --ranks out'
unset RNC_MPI OMPI_COMM_WORLD_SIZE
mkdir -p ran && touch ran/steps.csv
run 1 'a run is there' train small.net --data p -o ran
says err 'ran: has a run already: --resume goes on with it; a new one needs another folder'
gone run

run 0 'a step as C' small.net --train -q -o step.c

# ---- pictures ----

${CC:-cc} -O1 -o draw "$src/tests/train/draw.c" || exit 1
./draw 120 0 > pictures.bin
./draw 40 1000 > others.bin
./draw 120 7 > changed.bin

# code FOLDER: has the compiled step of the run $from, which is compiled again where the C differs
from=whole
code() {
    mkdir -p "$1"
    [ ! -e $from/net_trained.so ] || cp $from/net_trained.c $from/net_trained.so "$1"
}

# trains FOLDER OPTION...: to the end, on 120 pictures
trains() {
    folder=$1
    shift
    code "$folder"
    run 0 "training $folder" train small.net --data pictures.bin --cache pictures.cache -o "$folder" "$@"
    empty err
}

# same A B: two folders have the same run, `seconds` apart
same() {
    for file in best.safetensors last.safetensors last.checkpoint steps.csv steps.jsonl confusion.txt classes.txt; do
        cmp -s "$1/$file" "$2/$file" && result good || result bad "$1/$file and $2/$file differ"
    done
    sed 's/,[^,]*$//' "$1/epochs.csv" > epochs.1
    sed 's/,[^,]*$//' "$2/epochs.csv" > epochs.2
    cmp -s epochs.1 epochs.2 && result good || result bad "the epochs of $1 and $2 differ"
}

# accuracy FOLDER: of the last epoch on what is held back, in percent
accuracy() {
    tail -n 1 "$1/epochs.csv" | awk -F, '{ printf "%d", 100 * $7 }'
}

# ---- what would train nothing, or something else ----

# refused TEXT OPTION...: by the run, after its step is compiled
refused() {
    text=$1
    shift
    rm -rf refused && code refused
    run 1 "$text" train small.net --data pictures.bin --cache pictures.cache -o refused "$@"
    says err "$text"
    gone refused/steps.csv
}
refused 'makes 6 batches, and an update takes `accumulate 7` of them' -D together=7 --epochs 1
refused '`validation 0.01` holds back less than one picture' -D validation=0.01
sed 's/except="\*.bias"/except=("*.bias", "none.*")/' small.net > decays.net
run 0 'decay leaves out nothing' train decays.net --data pictures.bin --cache pictures.cache -o decays -D adam=true --epochs 1
says err "warning: no parameter fits 'none.*', which decay leaves out"
run 0 'stop with --validation' train small.net --data pictures.bin --cache pictures.cache -o stops \
    --validation others.bin -D validation=0 -D patience=1 --epochs 1
run 0 'validation by what is trained on' train small.net --data pictures.bin --cache pictures.cache -o twice \
    --validation pictures.bin --epochs 1
says err 'pictures.bin: what is held back are the pictures that are trained on'
# A training shorter than its warm-up still has a rate.
run 0 'shorter than the warm-up' train small.net --data pictures.bin --cache pictures.cache -o warms --epochs 1 -D epochs=1
[ "$(awk -F, 'NR > 1 && $3 > 0' warms/steps.csv | wc -l)" -ge 5 ] && result good || result bad 'rates of 0'
# The loss is of the second output, which has the classes of the data; the first has others.
cat > both.net << 'EOT'
net both {
  input image[3, 32, 32]
  normalize scale=1/255
  conv 3x3 4 stride=2 ; relu
  f: avgpool global
  dense 3
  output few
  from f
  dense 10
  output many
}
train t { network both ; epochs 1 ; batch 16 ; optimizer sgd 0.05 ; validation 0.2 }
EOT
run 0 'the loss of the second output' train both.net --data pictures.bin --cache pictures.cache -o both --loss-of many
run 1 'the loss of the first output' train both.net --data pictures.bin --cache pictures.cache -o few --loss-of few
says err 'there are 10 classes, and the network tells 3 apart'
sed '/avgpool global/d; /output few/d; /^  dense/d; /from f/d' both.net > map.net
run 1 'a class for each pixel' train map.net --data pictures.bin --cache pictures.cache -o map
says err "'many' gives a class for each of 16 x 16 pixels, and the data has one for each picture"
for option in '-w whole.safetensors' '--init he:1'; do
    run 2 "the C of a step with $option" small.net --train $option -q -o weights.c
    says err "the C of a step of training has no weights, which ${option%% *} is for"
done
gone weights.c

# ---- a run ----

trains whole
there whole/best.safetensors whole/last.safetensors whole/last.checkpoint whole/steps.csv \
    whole/steps.jsonl whole/epochs.csv whole/epochs.jsonl whole/curves.svg whole/confusion.txt
says out 'epoch 3/3  loss '
says out 'what is held back, by the weights of the last epoch:'
[ "$(wc -l < whole/epochs.csv)" -eq 4 ] && result good || result bad 'not three epochs'
[ "$(wc -l < whole/steps.csv)" -eq 19 ] && result good || result bad 'not 18 steps'
run 0 'it has ended' train small.net --data pictures.bin --cache pictures.cache -o whole --resume
says out 'this run has ended already'
trains learns -D epochs=12
grep -q compiling out && result bad 'the same step was compiled again' || result good
[ "$(accuracy learns)" -ge 90 ] && result good || result bad "only $(accuracy learns) % are right"
run 0 'weights as convert writes them' convert small.net -w learns/best.safetensors -o converted.safetensors
cmp -s converted.safetensors learns/best.safetensors && result good || result bad 'other bytes'
run 0 'C of the weights' small.net -w learns/best.safetensors -o small.c
# The names of a naming; the network's own where the naming has another order of axes.
{ printf 'naming others {\n  "dense1" -> "fc"\n}\n' && sed '/^net small/a\  use naming others' small.net; } > named.net
run 0 'names of a naming' train named.net --data pictures.bin --cache pictures.cache -o named --epochs 1
for name in conv1.weight bn1.running_var fc.weight fc.bias; do
    grep -aq "\"$name\":{\"dtype\":\"F32\"" named/best.safetensors && result good || result bad "no $name"
done
grep -aq '"names":"rnc"' named/best.safetensors && result bad 'they are not the own names' || result good
run 0 'they bind' named.net -w named/best.safetensors -o named.c
says out 'bound 8 parameters and 4 statistics, 0 initialised, 0 tensors left over'
{ printf 'include "lib/keras.net"\n' && sed 's/others/keras/' named.net | sed '1,3d'; } > keras.net
run 0 'names of Keras' train keras.net -I "$src/models" --data pictures.bin --cache pictures.cache -o keras --epochs 1
grep -aq '"names":"rnc"' keras/best.safetensors && grep -aq '"dense1.weight":' keras/best.safetensors && result good ||
    result bad 'not the own names'
run 1 'a run is there' train small.net --data pictures.bin -o whole
says err 'whole: has a run already'
trains quiet -q
empty out
same whole quiet
trains threads --threads 3
same whole threads
cmp -s whole/net_trained.c threads/net_trained.c && result good || result bad 'threads change the C'

# ---- stopped, killed, gone on with ----

# killed FOLDER OPTION...: by SIGKILL a few times while it runs; then it ends
killed() {
    folder=$1 kills=0
    shift
    code "$folder"
    while [ $kills -lt ${full:+2}4 ]; do
        "$rnc" train small.net --data pictures.bin --cache pictures.cache -o "$folder" --resume --save-every 2 "$@" \
            > out 2> err &
        pid=$!
        while kill -0 $pid 2> /dev/null && [ ! -s "$folder/net_trained.so" ]; do sleep 0.1; done # the first compiles
        sleep "0.$((kills * 7 % 5))"
        kill -KILL $pid 2> /dev/null
        wait $pid 2> /dev/null && break
        kills=$((kills + 1))
    done
    run 0 "$folder goes on" train small.net --data pictures.bin --cache pictures.cache -o "$folder" --resume "$@"
}

trains long -D epochs=40
killed killed -D epochs=40
same long killed
code stopped
"$rnc" train small.net --data pictures.bin --cache pictures.cache -o stopped -D epochs=40 > out 2> err &
pid=$!
while kill -0 $pid 2> /dev/null && ! [ "$(cat stopped/steps.csv 2> /dev/null | wc -l)" -gt 20 ]; do sleep 0.02; done
kill -TERM $pid
wait $pid
status=$?
label='stopped by SIGTERM'
[ $status -eq 1 ] && result good || result bad "$label: status $status"
says out 'stopped after step'
run 0 'goes on' train small.net --data pictures.bin --cache pictures.cache -o stopped --resume -D epochs=40 --threads 1
says out 'goes on after step'
same long stopped

# All that a state can have: averages, several batches for an update, moments of AdamW.
for options in '-D average=0.9 -D together=3' '-D adam=true -D limit=1'; do
    kind=$(printf %s "$options" | tr -c 'a-z0-9\n' '_')
    trains "$kind" $options -D epochs=12
    from=$kind
    killed "$kind.killed" $options -D epochs=12
    same "$kind" "$kind.killed"
    from=whole
done

# ---- signals while the C compiler runs ----

${CC:-cc} -O0 -o heed "$src/tests/heed.c" || exit 1
# Compilers that never end, with a program in the background; pids/ has a file for each.
cat > slow-cc << 'EOT'
#!/bin/sh
[ -z "${STUBBORN:-}" ] || trap '' TERM
sleep 300 &
trap - TERM
echo $$ $! > pids/.$$ && mv pids/.$$ pids/$$
wait
EOT
printf '#!/bin/sh\n: > pids/$$\nuntil [ -e go ]; do sleep 0.02; done\nexec %s "$@"\n' "$CC" > late-cc
chmod +x slow-cc late-cc
mkdir temporary

# compiling PROGRAM...: starts it with a $TMPDIR of its own, and waits until a compiler runs
compiling() {
    rm -rf pids && mkdir pids
    TMPDIR=$PWD/temporary "$@" > out 2> err &
    pid=$!
    while kill -0 $pid 2> /dev/null && [ -z "$(ls pids)" ]; do sleep 0.02; done
}

# ended SIGNAL LABEL OPTION...: rnc is ended by it, with all that it has started
ended() {
    signal=$1 label="$2, SIG$1"
    shift 2
    built_by "$PWD/slow-cc" compiling ./heed "$rnc" "$@"
    kill -$signal $pid
    wait $pid 2> /dev/null
    status=$?
    [ $status -gt 128 ] && [ "$(kill -l $status)" = $signal ] && result good || result bad "$label: status $status"
    for process in $(cat pids/*); do
        case $(ps -o stat= -p $process) in
        '' | Z*) result good ;;
        *) result bad "$label: process $process was left" && kill -KILL $process ;;
        esac
    done
    [ -z "$(ls -A temporary)" ] && result good || result bad "$label: $(ls -A temporary) was left"
    empty err
}

for signal in HUP INT TERM QUIT; do
    ended $signal train train small.net --data pictures.bin --cache pictures.cache -o never
    gone never/net_trained.so never/steps.csv
done
ended INT tune tune small.net -q -o never.tuning
ended TERM tune tune small.net -q -o never.tuning
ended TERM verify verify alone.net --init he:1
STUBBORN=yes ended INT 'verify, a program that ignores SIGTERM' verify alone.net --init he:1
ended TERM 'verify --keep' verify alone.net --init he:1 --keep kept
there kept/net_verified.c
built_by "$PWD/late-cc" compiling sh -c 'trap "" HUP; exec "$@"' sh "$rnc" verify alone.net --init he:1 --isa scalar
kill -HUP $pid
: > go
wait $pid
status=$? label='SIGHUP that is ignored'
[ $status -eq 0 ] && result good || result bad "$label: status $status"
[ -z "$(ls -A temporary)" ] && result good || result bad "$label: $(ls -A temporary) was left"

# ---- what does not go on ----

run 1 'changed data' train small.net --data changed.bin -o stopped --resume -D epochs=40
says err 'last.checkpoint: the run has `data: 120 pictures, 10 classes, all in all '
run 1 'changed rate' train small.net --data pictures.bin -o stopped --resume -D epochs=40 -D rate=0.1
says err 'the run has `optimizer sgd rate=0.02 momentum=0.9'
says err 'and now it would be `optimizer sgd rate=0.1 momentum=0.9'
run 1 'changed network' train small.net --data pictures.bin -o stopped --resume -D epochs=40 -D filters=16
says err 'the run has `network '
says err 'the run has the parameter conv1.weight [8, 3, 3, 3], and now it would be [16, 3, 3, 3]'
says err 'more parameters would differ'
says err 'begin a run in another folder'
same long stopped
for file in best.safetensors steps.csv epochs.jsonl; do
    rm -rf lost && cp -r whole lost && rm lost/$file
    run 1 "without $file" train small.net --data pictures.bin --cache pictures.cache -o lost --resume
    says err "lost/$file: is not there any more"
    gone lost/$file
done
code cut && truncate -s 3000 cut/net_trained.so
run 0 'a step that is cut off' train small.net --data pictures.bin --cache pictures.cache -o cut --epochs 1
says out 'compiling the step'
head -c 5000 long/last.checkpoint > stopped/last.checkpoint
run 1 'half a checkpoint' train small.net --data pictures.bin -o stopped --resume -D epochs=40
says err 'stopped/last.checkpoint: is cut off'
run 1 'a place that cannot be written' train small.net --data pictures.bin -o /proc/run
says err '/proc/run: error: cannot make the folder'
touch file
run 1 'a file for a folder' train small.net --data pictures.bin --cache pictures.cache -o file
says err 'file: error: cannot make the folder: Not a directory'
run 1 'no data' train small.net --data nowhere -o nothing
says err 'nowhere: cannot be read'
run 1 'too many classes' train small.net --data pictures.bin --cache pictures.cache -o nothing -D classes=12
says err 'there are 10 classes, and the network tells 12 apart'
printf 'include "small.net"\nnet other = small\ntrain t { network other ; epochs 1 ; batch 4 ; optimizer adam }\n' > other.net
sed 's/\[3, 32, 32\]/[3, 16, 16]/' small.net > half.net
run 1 'another size' train half.net --data pictures.bin --cache pictures.cache -o nothing
says err 'the pictures have 32 x 32 pixels (width by height), and the network takes 16 x 16: --size 16x16'
run 0 'scaled' train half.net --data pictures.bin --size 16x16 -o halves --epochs 1
gone nothing/steps.csv

# A disk without room: nothing is half-written, and with room it goes on.
code narrow
for blocks in 8 40 80; do
    (ulimit -f $blocks && "$rnc" train small.net --data pictures.bin --cache pictures.cache -o narrow --resume -D epochs=40) \
        > out 2> err && result bad 'a full disk was no failure' || result good
    label="a disk of $blocks blocks"
    says err 'annot be written: File too large'
done
run 0 'room again' train small.net --data pictures.bin --cache pictures.cache -o narrow --resume -D epochs=40
same long narrow

# Rows are on the disk before a checkpoint that comes after them: where they cannot be, there is none.
case " ${RNC_TEST_CFLAGS:-} " in
*sanitize*) skip 'sanitizers take no preloaded library before them' ;;
*)
    ${CC:-cc} -O1 -shared -fPIC -o failio.so "$src/tests/failio.c" -ldl || exit 1
    code unsynced
    FAIL_CALL=fdatasync FAIL_AT=5 LD_PRELOAD=$PWD/failio.so "$rnc" train small.net --data pictures.bin \
        --cache pictures.cache -o unsynced -D epochs=40 > out 2> err
    status=$? label='rows that are not on the disk'
    [ $status -eq 1 ] && result good || result bad "$label: status $status"
    says err 'unsynced/steps.csv: cannot be written: Input/output error'
    run 0 'from the checkpoint before' train small.net --data pictures.bin --cache pictures.cache -o unsynced --resume \
        -D epochs=40
    same long unsynced
    ;;
esac

code infinite
run 1 'not finite' train small.net --data pictures.bin --cache pictures.cache -o infinite --rate 1e29
says err 'small.net:4: step 3 of epoch 1 is not finite, first at bn1 + relu1: '
there infinite/last.checkpoint
run 1 'not finite, two ranks' train small.net --data pictures.bin --cache pictures.cache -o infinite2 --rate 1e29 --ranks 2
says err 'small.net:4: step 3 of epoch 1 is not finite, first at bn1 + relu1: '

# ---- other ways to begin, and to end ----

trains few --overfit 8 -D epochs=20
[ "$(accuracy few)" -eq 100 ] && result good || result bad "8 pictures are not learnt: $(accuracy few) %"
trains every --overfit 120 --epochs 1
run 1 'more than there are' train small.net --data pictures.bin --cache pictures.cache -o more --overfit 121
says err '--overfit 121 asks for more pictures than pictures.bin has, 120'
says err 'without --overfit all of them are used'
gone more/steps.csv more/net_trained.so
trains begun -w learns/best.safetensors --except 'dense1.*' --epochs 1
says out 'learns/best.safetensors: 6 parameters and 4 statistics to begin with, 2 begin anew'
run 1 'no such parameter' train small.net --data pictures.bin -o nothing -w learns/best.safetensors --except 'fc.*'
says err "no parameter fits 'fc.*', which is to begin anew"
trains early -D patience=2 -D epochs=100 --rate 0
says out 'ended early: no lower loss of what is held back for 2 epochs'
trains tested -D validation=0 --validation others.bin
says out 'held back: loss '
trains alone -D validation=0
[ ! -e alone/confusion.txt ] && result good || result bad 'a confusion of nothing'
trains seeded --seed 4
cmp -s whole/last.safetensors seeded/last.safetensors && result bad 'another seed, the same weights' || result good

# ---- in a product: examples/finetune.c, with an eleventh class ----

cat > more.net << 'EOT'
include "small.net"
net wider = small
train more(classes = 11) {
  network small(classes = classes)
  epochs 1
  batch 8
  optimizer adam 0.01
  freeze ("conv1.*", "bn1.*")
}
EOT
if [ "${RNC_HAVE_PICTURES:-no}" = yes ]; then
    run 0 'a step for a product' more.net --train --isa portable -o more.c
    check 'it compiles' ${CC:-cc} -O1 ${RNC_TEST_CFLAGS:-} -I"$src/runtime" -c -o more.o more.c
    check 'the example compiles' ${CC:-cc} -O1 -Wall -Wextra ${RNC_TEST_CFLAGS:-} -DTRAINING=more \
        -DSTATE_BYTES=MORE_STATE_BYTES -DARENA_BYTES=MORE_ARENA_BYTES -include more.h -I. -I"$src" -I"$src/runtime" \
        -I"$src/examples" -o finetune "$src/examples/finetune.c" "$src/examples/picture.c" more.o \
        "$build/librnctrain.a" "$build/librncrt.a" ${RNC_PICTURES:--ljpeg -lpng -lz} -pthread -lm
    ./finetune learns/best.safetensors "$src/examples/data/cifar10" 30 more.safetensors > out 2> err
    label='fine-tuning'
    says out 'dense1.weight: 10 of 11 rows are known, the others are new'
    says out 'epoch 30: loss 0.0'
    says out ', 20 of 20 right'
    run 0 'its weights' convert more.net -D classes=11 -w more.safetensors -o same.safetensors
    cmp -s more.safetensors same.safetensors && result good || result bad 'other bytes'
else
    skip 'no pictures are read here'
fi

# ---- rnc curves ----

mkdir -p shown/deep shown/flat other/deep empty
{
    echo 'step,epoch,rate,loss,accuracy,held_loss,held_accuracy,best,seconds'
    echo '34,1,0.1,2.25,0.25,2.5,0.125,1,3'
    echo '68,2,0.1,1.5,0.5,0.75,0.8125,1,3'
    echo '102,3,0.1,0.5,1,563529.9942708333,0.5,0,3'
} > shown/deep/epochs.csv
head -n 2 shown/deep/epochs.csv > other/deep/epochs.csv
# Trained towards numbers, with nothing held back.
printf 'step,epoch,rate,loss,accuracy,held_loss,held_accuracy,best,seconds\n5,1,0.1,0.125,,,,1,3\n' > shown/flat/epochs.csv
head -n 1 shown/deep/epochs.csv > empty/epochs.csv
cat > wanted << 'EOT'
                       in training             held back           the best, held back
run   epochs        loss  accuracy        loss  accuracy   epoch        loss  accuracy
deep       3      0.5000  100.00 %    5.64e+05   50.00 %       2      0.7500   81.25 %
flat       1      0.1250         -           -         -       1           -         -
wrote shown.svg
EOT
run 0 'what two runs came to' curves shown/deep/ shown/flat -o shown.svg
diff wanted out > err && result good || result bad "$label: another table"
[ "$(grep -c '<path class="c"[^>]*d="M[0-9. ]*L' shown.svg)" -eq 3 ] && [ "$(grep -c '>flat<' shown.svg)" -eq 1 ] &&
    result good || result bad "$label: another picture"
run 0 'runs of one name' curves shown/deep other/deep
says out 'shown/deep       3'
says out 'other/deep       1'
run 0 'a run of this program' curves learns
says out 'learns '
mkdir -p blank odd
: > blank/epochs.csv
printf 'a,b\n1,2\n' > odd/epochs.csv
run 1 'no run' curves shown/deep empty blank odd nowhere -o none.svg
for folder in empty blank; do
    says err "$folder: error: this run has not finished an epoch yet"
done
says err 'rnc train with --resume goes on with it'
says err 'odd: error: this is no folder of a run'
says err 'odd/epochs.csv: has no columns epoch and loss'
says err 'nowhere: error: this is no folder of a run'
says err 'rnc train FILE.net --data PATH -o FOLDER makes one'
gone none.svg
empty out
run 2 'over a log' curves shown/deep -o shown/deep/epochs.csv
says err "the curves go to a file that ends in .svg, not to 'shown/deep/epochs.csv'"
[ "$(wc -l < shown/deep/epochs.csv)" -eq 4 ] && result good || result bad 'the log was overwritten'
run 2 'no folder' curves
run 2 'seven runs' curves 1 2 3 4 5 6 7
says err '7 runs are given, and a picture has room for 6'

finish
