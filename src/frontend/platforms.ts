/** As BuildKit has it. */
export interface BuildKitPlatform {
  readonly os: string;
  readonly architecture: string;
  readonly variant: string;
}

/** @param text `os/arch[/variant]` */
export function parseBuildKitPlatform(text: string): BuildKitPlatform {
  const [os = "linux", architecture = "", variant = ""] = text.split("/");
  return { os, architecture, variant };
}
