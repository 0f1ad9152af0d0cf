#!/bin/sh
# reconfigure.sh: a build folder that is configured again, with other libraries or flags: make compiles
# again what depends on them.  make check asks make what it would do; make check-full configures
# and builds twice, first without libhdf5, protobuf-c, zlib and libjpeg.
. "$(dirname "$0")/lib.sh"
rm -rf "$out" && mkdir -p "$out" && cd "$out" || exit 1
if [ -z "${MAKE:-}" ]; then
    skip 'no make (make check has it)'
    finish
    exit
fi
# Not those of the make above: no list of its jobs, no variables of its command line.
unset MAKEFLAGS MFLAGS

# ---- every object depends on config.h, and config.h on what configure was told ----

targets='all-am check_PROGRAMS'
printf 'include Makefile\ncheck_PROGRAMS: $(check_PROGRAMS)\n' > programs.mk
objects() { sed -n 's/.* -c .*-o \([^ ]*\.o\) .*/\1/p' | sort -u; }
(cd "$build" && find compiler runtime train tests -name '*.o' ! -path 'tests/*-out/*' | sort -u) > there
if (cd "$build" && $MAKE -f "$out/programs.mk" -q $targets) > /dev/null 2>&1; then
    (cd "$build" && $MAKE -f "$out/programs.mk" -n V=1 -W config.h $targets) 2>&1 | objects > again
    check 'there are objects' test "$(wc -l < there)" -gt 200
    check 'every object is compiled again after a new config.h' diff there again
else
    skip 'not everything is built'
fi
words='CC CFLAGS CPPFLAGS LDFLAGS LIBS FORMAT_LIBS PICTURES_CFLAGS SANITIZER_FLAGS COVERAGE_FLAGS prefix'
for word in $words; do
    check "$word is in the sum of config.h" sh -c \
        'sed -n "/^configured=/,/cksum/p" "$0/configure.ac" | grep -q "\$$1\b"' "$src" $word
done

# ---- twice in one folder ----

if [ -z "${RNC_TEST_FULL:-}" ]; then
    skip 'a build that is configured twice is in make check-full'
    finish
    exit
fi
if [ -f "$src/config.status" ]; then
    skip 'the source folder is configured itself'
    finish
    exit
fi

# A pkg-config that finds only what one cannot be without.
cat > fewer << EOF
#!/bin/sh
case "\$*" in
*hdf5* | *protobuf* | *zlib* | *libjpeg* | *openblas*) exit 1 ;;
esac
exec "${PKG_CONFIG:-pkg-config}" "\$@"
EOF
chmod +x fewer
mkdir twice && cd twice || exit 1
jobs=$(nproc 2> /dev/null || echo 1)
made() { { $MAKE -j"$jobs" all && $MAKE -j"$jobs" tests/unit/unit; } > make.log 2>&1 || { tail make.log; false; }; }
units() { ./tests/unit/unit > unit.log || { grep FAIL unit.log; false; }; }
compiled() { grep -c '^  CC' make.log; }
check 'configured with less' "$src/configure" CC="${CC:-cc}" CFLAGS=-O0 PKG_CONFIG="$out/fewer"
check 'has less' grep -q '^#undef RNC_HAVE_HDF5' config.h
check 'built with less' made
first=$(compiled)
printf '\211HDF\r\n\032\n' > some.h5
printf 'net n {\n  input x[3, 4, 4]\n  conv 3x3 2\n  output y\n}\n' > n.net
check 'h5 is refused' sh -c './rnc n.net -w some.h5 -o n.c 2>&1 | grep "without"'
check 'units with less' units
check 'configured with more' "$src/configure" CC="${CC:-cc}" CFLAGS=-O0
if grep -q '^#define RNC_HAVE_HDF5' config.h; then
    check 'built with more' made
    check 'all of it again' test "$(compiled)" -ge "$first"
    check 'h5 is read' sh -c './rnc n.net -w some.h5 -o n.c 2>&1 | grep "damaged"'
    check 'units with more' units
else
    skip 'libhdf5 is not installed'
fi
check 'configured the same again' "$src/configure" CC="${CC:-cc}" CFLAGS=-O0
check 'built the same again' made
check 'nothing again' test "$(compiled)" -eq 0
finish
