#!/bin/sh
# embed.sh SRCDIR FILE...: the files as a C source that defines texts[] (emit/texts.h), each
# under its name relative to SRCDIR.
#
# Lines that include other files of ours are left out: the emitter pastes those files itself.
# A text is cut into parts at the lines `#ifdef RNC_NAME` and `#endif`, which belong to the part
# between them; a part within a part needs both names.  They hold no other #if.  What a part defines
# is listed.
set -eu
LC_ALL=C
export LC_ALL
src=$1
shift

# strip FILE
strip() {
    sed -e '/^#include "/d' -e '/^#include <rncrt/d' "$src/$1"
}

# parts FILE: rows of TextPart.
parts() {
    strip "$1" | awk -v file="$1" -v i="$2" '
    function part() {
        if (at > start)
            rows = rows sprintf("    {\"%s\", %d, %d,\n     \" %s\"},\n", wanted, start, at - start, defines)
        start = at
        defines = ""
    }
    function refuse(why) {
        print "embed.sh: " file ": " why ": " $0 > "/dev/stderr"
        failed = 1
        exit 1
    }
    /^#if/ && !/^#ifdef RNC_/ && inside { refuse("another #if within a part") }
    /^#ifdef RNC_/ { part(); outer[inside++] = wanted; wanted = wanted (wanted == "" ? "" : " ") $2 }
    /^# *define / { split($2, name, "("); defines = defines name[1] " " }
    { at += length($0) + 1 }
    /^#endif/ && inside { part(); wanted = outer[--inside] }
    END {
        if (failed)
            exit 1
        if (inside) { $0 = "the end"; refuse("a part without #endif") }
        part()
        printf "\nstatic const TextPart parts_%d[] = {\n%s};\n", i, rows
    }'
}

echo '/* Made from the files it names; see build-aux/embed.sh. */'
echo '#include "emit/texts.h"'
echo
echo '#include <string.h>'
i=0
for name; do
    printf '\nstatic const unsigned char text_%d[] = {\n' $i
    strip "$name" | od -An -v -tu1 | sed -e 's/^ *//' -e 's/  */,/g' -e 's/$/,/'
    echo '};'
    parts "$name" $i
    i=$((i + 1))
done
printf '\nconst Text texts[] = {\n'
i=0
for name; do
    printf '    {"%s", text_%d, parts_%d, (int)(sizeof parts_%d / sizeof *parts_%d)},\n' \
        "$name" $i $i $i $i
    i=$((i + 1))
done
cat <<'C'
};
const int text_count = (int)(sizeof texts / sizeof *texts);

const Text *text_named(const char *name)
{
    for (int i = 0; i < text_count; i++) {
        if (strcmp(texts[i].name, name) == 0)
            return &texts[i];
    }
    return NULL;
}
C
