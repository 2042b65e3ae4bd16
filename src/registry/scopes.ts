/**
 * All that two lists of scopes allow, one scope a resource, as `repository:ns/repo:pull,push` with sorted
 * actions: registries name them in any order. distribution, docs/spec/auth/scope.md
 */
export function joinScopes(first: readonly string[], second: readonly string[]): readonly string[] {
  const resources = new Map<string, Set<string>>();
  for (const scope of [...first, ...second]) {
    // The resource's name may have a host with a port.
    const colon = scope.lastIndexOf(":");
    if (colon === -1) continue;
    const resource = scope.slice(0, colon);
    const actions = resources.get(resource) ?? new Set();
    for (const action of scope.slice(colon + 1).split(",")) actions.add(action);
    resources.set(resource, actions);
  }
  return [...resources].map(
    ([resource, actions]) => `${resource}:${[...actions].sort().join(",")}`,
  );
}
