/** A request that came to a proxy, and what became of it; the numbers grow while it goes on. */
export interface RequestRecord {
  readonly method: string;
  /** With its query, as the client sent it. */
  readonly path: string;
  /** Whether it has an Authorization header, be that good or not. */
  readonly authorized: boolean;
  /** How many bytes it says that its body has; undefined where it does not. */
  readonly length?: string | undefined;
  /** undefined where it has had no answer. */
  readonly status: number | undefined;
  /** Bytes of the request's body that the proxy took. */
  readonly sent: number;
  /** Bytes of the answer's body that the proxy gave. */
  readonly received: number;
}

/** What a client asks for. */
export type RequestLine = Pick<RequestRecord, "method" | "path" | "authorized" | "length">;

/** A request that asked to mount a blob of another repository: 201 where that was done, 202 where not. */
export type MountRecord = RequestRecord & {
  readonly digest: string;
  readonly from: string | undefined;
};

/** A proxy's records, and questions about them. */
export interface RequestLog {
  /** In the order in which they came. */
  readonly requests: readonly RequestRecord[];
  /** Forgets them. */
  readonly reset: () => void;
  /** Requests that carried bytes of a blob to the registry. */
  readonly blobUploads: () => readonly RequestRecord[];
  /** Requests for the bytes of a blob, whatever the answer. */
  readonly blobDownloads: () => readonly RequestRecord[];
  readonly mounts: () => readonly MountRecord[];
  /** Bytes of all requests' bodies, manifests among them, or of these requests'. */
  readonly uploaded: (requests?: readonly RequestRecord[]) => number;
  /** Bytes of all answers' bodies, error messages and tokens among them, or of these requests'. */
  readonly downloaded: (requests?: readonly RequestRecord[]) => number;
}

/** The same while it goes on. */
export type OpenRecord = { -readonly [Key in keyof RequestRecord]: RequestRecord[Key] };

/** A log, and the way to write into it. */
export function createRequestLog(): RequestLog & { readonly add: (record: OpenRecord) => void } {
  let requests: OpenRecord[] = [];
  return {
    get requests() {
      return requests;
    },
    add: (record) => void requests.push(record),
    reset: () => {
      requests = [];
    },
    blobUploads: () => requests.filter(isBlobUpload),
    blobDownloads: () => requests.filter(isBlobDownload),
    mounts: () => requests.flatMap(readMount),
    uploaded: (list = requests) => list.reduce((sum, { sent }) => sum + sent, 0),
    downloaded: (list = requests) => list.reduce((sum, { received }) => sum + received, 0),
  };
}

/** Whether this asks to mount a blob. Clients write the query in any order, and its colon as `%3A`. */
export function isMount({ method, path }: RequestLine): boolean {
  return method === "POST" && readQuery(path).has("mount");
}

function isBlobUpload({ method, path, sent }: RequestRecord): boolean {
  return ["PATCH", "PUT", "POST"].includes(method) && path.includes("/blobs/uploads/") && sent > 0;
}

function isBlobDownload({ method, path }: RequestRecord): boolean {
  return method === "GET" && /\/blobs\/[^/]+:[^/]+$/.test(path);
}

function readMount(record: RequestRecord): readonly MountRecord[] {
  if (!isMount(record)) return [];
  const query = readQuery(record.path);
  return [{ ...record, digest: query.get("mount") ?? "", from: query.get("from") ?? undefined }];
}

function readQuery(path: string): URLSearchParams {
  return new URL(path, "http://localhost").searchParams;
}
