import { isLocalName, isRegistryHost, localHost, normaliseHost, splitName } from "../../oci/oci.ts";

/**
 * Whether a full name matches one of these patterns, in which `*` stands for any text and `?` for any
 * character; no pattern at all matches every name. `app:*` also means `localhost/app:*`, and a pattern
 * without a tag all tags. A registry's host means what it means in a name.
 */
export function createNamePattern(patterns: readonly string[]): (name: string) => boolean {
  const expressions = patterns.map(compilePattern);
  return (name) => {
    const short = isLocalName(name) ? name.slice(localHost.length + 1) : name;
    if (expressions.length === 0) return true;
    return expressions.some((expression) => expression.test(name) || expression.test(short));
  };
}

function compilePattern(text: string): RegExp {
  const pattern = completeHost(text);
  const hasTag = splitName(pattern).tag !== undefined;
  const source = pattern.replaceAll(/[\\^$.*+?()[\]{}|/]/g, (character) => {
    if (character === "*") return ".*";
    return character === "?" ? "." : `\\${character}`;
  });
  // oxlint-disable-next-line xbuild/linear-patterns -- the user says what it matches: names of the store
  return new RegExp(`^${source}${hasTag ? "" : "(?::[^/]*)?"}$`, "u");
}

/** As the store's names have it: `MyHost/*` is `MyHost:443/*`. */
function completeHost(pattern: string): string {
  const host = pattern.slice(0, Math.max(pattern.indexOf("/"), 0));
  const isWhole = isRegistryHost(host) && !/[*?]/.test(host);
  return isWhole ? normaliseHost(host) + pattern.slice(host.length) : pattern;
}
