/** `/v2/REPOSITORY/blobs/`. @param repository without the registry. distribution-spec v1.1, "Endpoints" */
export function blobsPath(repository: string): string {
  return `/v2/${encode(repository)}/blobs/`;
}

/** The path of a manifest. @param reference a tag or a digest */
export function manifestPath(repository: string, reference: string): string {
  return `/v2/${encode(repository)}/manifests/${reference}`;
}

/** The path of a repository's tags. */
export function tagsPath(repository: string): string {
  return `/v2/${encode(repository)}/tags/list`;
}

function encode(repository: string): string {
  return repository.split("/").map(encodeURIComponent).join("/");
}
