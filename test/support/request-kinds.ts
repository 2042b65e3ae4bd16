import type { RequestRecord } from "./registry-records.ts";

/** What a request to a registry is for: its method and the kind of its path. */
function nameKind({ method, path }: RequestRecord): string {
  const { pathname, searchParams } = new URL(path, "http://localhost");
  if (pathname === "/v2/") return `${method} ping`;
  if (/\/manifests\/sha256:/.test(pathname)) return `${method} manifest by digest`;
  if (pathname.includes("/manifests/")) return `${method} tag`;
  if (searchParams.has("mount")) return `${method} mount`;
  return `${method} ${pathname.includes("/blobs/uploads/") ? "upload" : "blob"}`;
}

/** How many requests there were of each kind. */
export function countKinds(requests: readonly RequestRecord[]): Readonly<Record<string, number>> {
  const counts: Record<string, number> = {};
  for (const kind of requests.map(nameKind)) counts[kind] = (counts[kind] ?? 0) + 1;
  return counts;
}
