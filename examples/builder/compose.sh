#!/bin/sh
# Prints Containerfile.x: a stage for each buildpack of buildpacks.tsv, and a builder of all parts.
#
#   sh compose.sh TABLE >Containerfile.x
set -eu
cat <<'END'
# A builder image of 20 parts, each a stage and a layer: see README.md beside this file. compose.sh writes it.
FROM scratch AS tools
COPY busybox /bin/busybox
RUN ["/bin/busybox", "--install", "-s", "/bin"]

# Part 1: what builds run in, with the user and the directories that the specification asks for.
FROM tools AS stack
OUTPUT /output
COPY stack /part
RUN mkdir -p /part/bin /part/cnb /part/layers /part/platform /part/workspace \
 && cp /bin/busybox /part/bin/ && for name in sh cat cp echo ls mkdir test; do ln -s busybox "/part/bin/$name"; done \
 && chown 1000:1000 /part/layers /part/workspace \
 && /output/bin/layer add stack -C /part .

# Part 2: what runs the buildpacks.
FROM tools AS lifecycle
OUTPUT /output
COPY lifecycle /part/cnb/lifecycle
RUN /output/bin/layer add lifecycle -C /part cnb/lifecycle

# Parts 3 to 19: the buildpacks.
END
while IFS='	' read -r id version _; do
    cat <<END
FROM tools AS $id
OUTPUT /output
COPY buildpacks/$id /part/cnb/buildpacks/example_$id/$version
RUN /output/bin/layer add $id-$version -C /part cnb/buildpacks/example_$id

END
done <"$1"
cat <<'END'
# Part 20: in which order the buildpacks are tried.
FROM tools AS order
OUTPUT /output
COPY order.toml /part/cnb/order.toml
RUN /output/bin/layer add order -C /part cnb/order.toml

# The builder: nothing is built here, and no part is opened.
FROM tools AS builder
OUTPUT --from=stack \
    --from=lifecycle \
END
cut -f 1 "$1" | while read -r id; do echo "    --from=$id \\"; done
cat <<'END'
    --from=order \
    /output
ENV PATH=/cnb/lifecycle:/bin CNB_USER_ID=1000 CNB_GROUP_ID=1000 CNB_STACK_ID=example.busybox
LABEL io.buildpacks.stack.id=example.busybox
USER 1000:1000
WORKDIR /workspace
ENTRYPOINT ["/cnb/lifecycle/creator"]
END
