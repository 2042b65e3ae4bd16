import type { Instruction, SourceText } from "../../containerfile/containerfile.ts";
import type { ContainerConfig, ImageConfig } from "../../oci/oci.ts";

/*
 * Metadata are evaluated without files, and BuildKit 0.34 ends with a panic where a WORKDIR is to belong to a user who has
 * a name, which stands in a file. So the user is said by a label, whose variables count as those of USER do.
 */
const label = "io.xbuild.user";

/** What stands for USER in the text; undefined for one whose word is no label's. */
export function renderUser({ args, keyword, endLine, span }: Instruction): SourceText | undefined {
  if (keyword !== "USER" || !isWord(args)) return undefined;
  return `LABEL ${label}=${args}${"\n".repeat(endLine - span.start.line)}`;
}

function isWord(text: string): boolean {
  return text !== "" && !/[\s"'\\`=]/.test(text);
}

/** A config whose user is such a label, and so in its triggers. */
export function hideUser({ User: user, ...config }: ContainerConfig): ContainerConfig {
  const triggers = config.OnBuild?.map((one) => {
    const word = /^\s*USER\s+(\S+)\s*$/i.exec(one)?.[1];
    return word !== undefined && isWord(word) ? `LABEL ${label}=${word}` : one;
  });
  const labels = user === undefined || user === "" ? {} : { [label]: user };
  return {
    ...config,
    ...(triggers === undefined ? {} : { OnBuild: triggers }),
    Labels: { ...config.Labels, ...labels },
  };
}

/** The config with the user that the label says. */
export function restoreUser(given: ImageConfig): ImageConfig {
  const { [label]: user, ...labels } = given.config?.Labels ?? {};
  const { Labels: _, ...config } = given.config ?? {};
  const hasLabels = Object.keys(labels).length > 0;
  return {
    ...given,
    config: {
      ...config,
      ...(hasLabels ? { Labels: labels } : {}),
      ...(user === undefined ? {} : { User: user }),
    },
  };
}
