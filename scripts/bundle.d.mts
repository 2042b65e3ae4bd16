import type { BuildOptions } from "esbuild";

/** esbuild's options, but for where the files go. */
export declare const bundleOptions: BuildOptions;

export declare const programOptions: BuildOptions;
export declare const frontendOptions: BuildOptions;
export declare const mainOptions: BuildOptions;
