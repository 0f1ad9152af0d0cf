#!/bin/sh
# catalogue.sh [--refresh]: docs/models.md has a row for every network of models/, and what it says of
# parameters, MACs and arena is what `rnc summary` says.  --refresh rewrites these columns.
. "$(dirname "$0")/lib.sh"
page=$src/docs/models.md

# The three columns of a network: NAME|PARAMETERS|MACS|ARENA.
for file in "$src"/models/*.net; do
    name=$(basename "$file" .net)
    "$rnc" summary "$file" > "$out/summary" 2> "$out/err" || { echo "FAIL $name:" && cat "$out/err" && failed=$((failed + 1)); }
    awk -v name="$name" '
        $1 == "parameters" { parameters = $3 }
        $1 == "work" { macs = $2 " " substr($3, 1, length($3) - 3) }
        $1 == "arena" { arena = $2 " " $3 }
        END { sub(/ $/, "", macs); print name "|" parameters "|" macs "|" arena }' "$out/summary"
done > "$out/numbers"

# The page with these numbers in its rows, which begin with `| [NAME](`.
awk -F '|' -v OFS='|' -v numbers="$out/numbers" '
    BEGIN { while ((getline line < numbers) > 0) { split(line, n, "|"); row[n[1]] = line } }
    /^\| \[/ {
        name = $2
        gsub(/^ \[|\].*$/, "", name)
        if (name in row) {
            split(row[name], n, "|")
            $4 = " " n[2] " "; $5 = " " n[3] " "; $6 = " " n[4] " "
        }
    }
    { print }' "$page" > "$out/page"
if [ "${1:-}" = --refresh ]; then
    cmp -s "$out/page" "$page" || { cp "$out/page" "$page" && echo "refreshed docs/models.md"; }
fi
while IFS='|' read -r name parameters macs arena; do
    if grep -qF "| [$name](../models/$name.net) |" "$page" &&
        grep -F "| [$name](" "$page" | grep -qF "| $parameters | $macs | $arena |"; then
        passed=$((passed + 1))
    else
        failed=$((failed + 1))
        echo "FAIL docs/models.md, $name: no row with | $parameters | $macs | $arena |"
    fi
done < "$out/numbers"
for name in $(sed -n 's/^| \[\([^]]*\)\].*/\1/p' "$page"); do
    [ -f "$src/models/$name.net" ] || { failed=$((failed + 1)) && echo "FAIL docs/models.md: there is no $name"; }
done
finish
