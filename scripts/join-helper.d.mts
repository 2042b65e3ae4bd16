/** A line of a part: the part's path in the repository, and the line, from 1. */
export interface Place {
  readonly file: string;
  readonly line: number;
}

export interface JoinedHelper {
  /** The shell helper. */
  readonly text: string;
  /** Where its lines come from, by line from 0. */
  readonly places: readonly Place[];
  /** The kinds of packages, in the order in which they claim paths. */
  readonly kinds: readonly string[];
}

export declare function joinHelper(directory: string): JoinedHelper;

export declare function separateSections(text: string): {
  readonly shell: string;
  readonly awk: string;
};
