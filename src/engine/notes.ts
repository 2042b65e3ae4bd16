/** Keys of the notes that a run leaves for whoever cleans up after it. */
export const noteKeys = {
  /** The engine and its options, as a JSON array. */
  engine: "engine",
  /** What names the run in the engine's storage. */
  label: "engine-run",
  /** A name in that storage. */
  name: "engine-name",
  /** The label of a run that makes a manifest list. */
  list: "engine-list",
  /** The label, with its value, of what a run commits its layering steps to. */
  shell: "engine-shell",
  /** What tells the process of a call. */
  process: "engine-process",
} as const;
