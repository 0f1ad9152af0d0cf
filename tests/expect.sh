# expect.sh: for suites that run rnc and look at what it says and leaves, after lib.sh:
# `. "$src/tests/expect.sh"`.  They work in a folder of their own; `out` and `err` there hold
# what rnc printed last.

# result good | result bad WHAT: counts a check.
result() {
    if [ "$1" = good ]; then
        passed=$((passed + 1))
    else
        failed=$((failed + 1))
        shift
        echo "FAIL $*"
        sed 's/^/    /' err out 2> /dev/null | head -n 20
    fi
}

# run STATUS LABEL OPTION...: rnc must end with that status; leaves out and err.
run() {
    wanted=$1 label=$2
    shift 2
    "$rnc" "$@" > out 2> err
    status=$?
    [ $status -eq "$wanted" ] && result good || result bad "$label: status $status, not $wanted: rnc $*"
}

# says FILE TEXT: what rnc printed last
says() {
    grep -qF -- "$2" "$1" && result good || result bad "$label: '$2' is not in std$1"
}

empty() {
    [ ! -s "$1" ] && result good || result bad "$label: std$1 is not empty"
}

there() {
    for file; do
        [ -s "$file" ] && result good || result bad "$label: no $file"
    done
}

# gone PATTERN...: no such files
gone() {
    for file; do
        [ ! -e "$file" ] && result good || result bad "$label: $file was left"
    done
}
