/** What stands at a path of a directory. */
export type Node =
  | {
      readonly kind: "file";
      readonly text: string;
      readonly mode: number;
      /** As setcap takes it. */
      readonly capability?: string;
    }
  | { readonly kind: "link"; readonly to: string }
  | { readonly kind: "directory"; readonly mode: number }
  /** A tar of files, by their names. */
  | { readonly kind: "archive"; readonly members: Readonly<Record<string, string>> };

/** Nodes by their paths; the directories above them are made. */
export type Tree = Readonly<Record<string, Node>>;

/** An image of the engine's storage, built from a directory. */
export interface ImageRecipe {
  readonly text: string;
  readonly directory: string;
}

/** All that a build may depend on. */
export interface World {
  readonly containerfile: string;
  /** Whether the Containerfile stands in the context. */
  readonly isInside: boolean;
  /** By names of their own; "context" is the build context. */
  readonly directories: Readonly<Record<string, Tree>>;
  /** By their names, each behind those that it is built from. */
  readonly images: Readonly<Record<string, ImageRecipe>>;
  /** `@NAME@` in them stands for the path of that directory. */
  readonly flags: readonly string[];
  readonly environment: Readonly<Record<string, string>>;
}

/** One thing that is changed. */
export interface Change {
  /**
   * What it does to the image: `telling` must make another one, `harmless` must not, and where it is
   * `open` the engine has the word.
   */
  readonly effect: "telling" | "harmless" | "open";
  /** Whether the files that it changes have their old times afterwards. */
  readonly keepsTimes?: boolean;
  readonly apply: (world: World) => World;
}

export function file(text: string, mode = 0o644): Node {
  return { kind: "file", text, mode };
}

export function link(to: string): Node {
  return { kind: "link", to };
}

/** A change of what stands at a path; undefined removes it. */
export function putNode(directory: string, path: string, node: Node | undefined): Change["apply"] {
  return (world) => {
    const { [path]: _, ...others } = world.directories[directory] ?? {};
    const tree = node === undefined ? others : { ...others, [path]: node };
    return { ...world, directories: { ...world.directories, [directory]: tree } };
  };
}

/** A change of a text of the Containerfile, which must be there. */
export function editText(from: string, to: string): Change["apply"] {
  return (world) => ({ ...world, containerfile: replaceOnce(world.containerfile, from, to) });
}

export function editImage(name: string, from: string, to: string): Change["apply"] {
  return (world) => {
    const recipe = world.images[name];
    if (recipe === undefined) throw new RangeError(`no image ${name}`);
    const text = replaceOnce(recipe.text, from, to);
    return { ...world, images: { ...world.images, [name]: { ...recipe, text } } };
  };
}

/** A change of flags: one is taken away, another comes. */
export function editFlag(from: string | undefined, to: string | undefined): Change["apply"] {
  return (world) => {
    const flags = world.flags.flatMap((one) => {
      if (one !== from) return [one];
      return to === undefined ? [] : [to];
    });
    return { ...world, flags: from === undefined && to !== undefined ? [...flags, to] : flags };
  };
}

function replaceOnce(text: string, from: string, to: string): string {
  if (!text.includes(from)) throw new RangeError(`"${from}" is not in:\n${text}`);
  return text.replace(from, () => to);
}
