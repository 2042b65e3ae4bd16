/** Ours: a layer for the directory of each package, in the order of their names. @param flags of OUTPUT. */
export function renderOurs(base: string, flags: readonly string[] = []): string {
  return `FROM ${base}
${["OUTPUT", ...flags, "/layers"].join(" ")}
RUN --mount=type=bind,target=/context /layers/bin/layer each --name '{/}' /context/pkgs/*/.
`;
}

/** The same by a call for each layer, of which each reads its files. */
export function renderAdding(base: string): string {
  return `FROM ${base}
OUTPUT /layers
RUN --mount=type=bind,target=/context \\
    for package in /context/pkgs/*; do \\
        /layers/bin/layer add "\${package##*/}" -C "$package" . || exit 1; \\
    done
`;
}

/** The same for a machine that knows nothing: what is in a layer is in its name, and only what has a new name is written. */
export function renderHashed(base: string): string {
  return `FROM ${base}
OUTPUT /layers
RUN --mount=type=bind,target=/context cd /context/pkgs && for package in *; do \\
        hash=$(cd "$package" && find . -type f -exec sha256sum {} + | sort | sha256sum | cut -c 1-16); \\
        /layers/bin/layer keep "$package-$hash" || /layers/bin/layer add "$package-$hash" -C "$package" . || exit 1; \\
    done
`;
}

/** The same files and as many layers, in the peers' way. */
export function renderPeer(base: string, packages: readonly string[]): string {
  return [`FROM ${base}\n`, ...packages.map((name) => `COPY pkgs/${name} /\n`)].join("");
}

/** BuildKit's way: layers that do not stand on each other. */
export function renderLinked(base: string, packages: readonly string[]): string {
  return renderPeer(base, packages).replaceAll("COPY ", "COPY --link ");
}

const smallStep = "RUN cp /bin/busybox";

/** Three lines, as everybody builds them. */
export function renderSmall(base: string): string {
  return `FROM ${base}\n${smallStep} /copy\nCMD ["/copy"]\n`;
}

/** The same file as a layer of ours. */
export function renderSmallOurs(base: string): string {
  return `FROM ${base}\nOUTPUT /layers\n${smallStep} /copy && /layers/bin/layer add copy /copy\n`;
}
