/** What a room may touch; see rooms.mjs. */
export interface Room {
  readonly floor: number;
  readonly imports: readonly string[];
  readonly pure?: boolean;
  readonly programs?: boolean;
  readonly packages?: readonly string[];
  readonly isToolbox?: boolean;
}

export declare const rooms: Readonly<Record<string, Room>>;

/** The face of a room: the one file that others import. */
export declare function faceOf(room: string): string;

/** The room of a file, by its path from the root. */
export declare function roomOf(path: string): string | undefined;
