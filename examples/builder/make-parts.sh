#!/bin/sh
# Writes each buildpack of buildpacks.tsv as a directory, in the layout of the Cloud Native Buildpacks
# specification, and order.toml, which tries them one by one. pack downloads such parts; here they are small.
#
#   sh make-parts.sh TABLE DIRECTORY
set -eu
mkdir -p "$2/buildpacks"
: >"$2/order.toml"
while IFS='	' read -r id version file command; do
    directory=$2/buildpacks/$id
    mkdir -p "$directory/bin"
    printf 'api = "0.10"\n\n[buildpack]\nid = "example/%s"\nversion = "%s"\n' "$id" "$version" >"$directory/buildpack.toml"
    printf '#!/bin/sh\n# In the directory of the application; 100 says that it is none of ours.\ntest -e %s || exit 100\n' "$file" >"$directory/bin/detect"
    printf '#!/bin/sh\nset -eu\nlayer=$1/%s\nmkdir -p "$layer"\n%s\n' "$id" "$command" >"$directory/bin/build"
    chmod 755 "$directory/bin/detect" "$directory/bin/build"
    printf '[[order]]\n[[order.group]]\nid = "example/%s"\nversion = "%s"\noptional = true\n\n' "$id" "$version" >>"$2/order.toml"
done <"$1"
