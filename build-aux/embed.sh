#!/bin/sh
# embed.sh SRCDIR FILE...: the files as a C source that defines texts[] (emit.h),
# each under its name relative to SRCDIR.
set -eu
src=$1
shift
echo '/* Made from the files it names; see build-aux/embed.sh. */'
echo '#include "emit/emit.h"'
echo
echo '#include <string.h>'
i=0
for name; do
    printf '\nstatic const unsigned char text_%d[] = {\n' $i
    LC_ALL=C od -An -v -tu1 "$src/$name" |
        LC_ALL=C sed -e 's/^ *//' -e 's/  */,/g' -e 's/$/,/'
    echo '};'
    i=$((i + 1))
done
printf '\nconst Text texts[] = {\n'
i=0
for name; do
    printf '    {"%s", text_%d, sizeof text_%d},\n' "$name" $i $i
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
