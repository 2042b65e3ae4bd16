import { XbuildError } from "../../errors.ts";
import type { Engine } from "../model.ts";
import { builderFlags } from "../names.ts";
import { noteKeys } from "../notes.ts";
import { type Builders, createBuilders } from "./builders.ts";
import { chooseClients } from "./choose-clients.ts";
import type { BuildKitClient } from "./client.ts";
import type { MadeImages, SessionEngine } from "./session-model.ts";

/**
 * BuildKit, reached by buildctl or by docker buildx, on whatever machine it is. It holds no images for us: what a build
 * uses is named by its digest in a registry, or sent from a layout; what its steps write comes back as an archive.
 */
export function createBuildKitEngine(options: readonly string[]): Engine {
  const made: MadeImages = { configs: new Map(), layouts: new Map() };
  let clients: readonly BuildKitClient[] | undefined;
  const choose = (): readonly BuildKitClient[] => (clients ??= chooseClients(options, process.env));
  const engine: SessionEngine = {
    name: "buildkit",
    options,
    made,
    builders: () => Promise.resolve(shareBuilders(options, choose)),
  };
  const first = (): BuildKitClient => {
    const [client] = choose();
    if (client === undefined) throw new RangeError("there is a builder, or an error");
    return client;
  };
  return {
    name: engine.name,
    isElsewhere: true,
    options,
    ownFlags: new Set(builderFlags),
    expectImage: () => undefined,
    findImage: async (name) => (await import("./dockerd.ts")).findLoaded(name),
    readList: unheld,
    pullImage: () => Promise.reject(noImages("pull an image")),
    pullAs: () => Promise.reject(noImages("pull an image")),
    findManifest: unheld,
    readConfig: (id) => {
      const config = made.configs.get(id);
      return config === undefined
        ? Promise.reject(noImages(`tell the config of ${id}`))
        : Promise.resolve(config);
    },
    locateImage: (id) => {
      const layout = made.layouts.get(id);
      if (layout === undefined) throw noImages(`have the image ${id}`);
      return layout;
    },
    findLayers: () => Promise.resolve(new Set()),
    loadImage: async (source, names, work) =>
      (await import("./dockerd.ts")).loadImage(source, names, work),
    loadList: () => Promise.reject(noLists()),
    addToList: () => Promise.reject(noLists()),
    keepImage: () => Promise.resolve(false),
    writeFiles: async (source, destination, work) => {
      const { writeFiles } = await import("./write-files.ts");
      return writeFiles(source, destination, { ...work, client: first() });
    },
    openSession: async (build, work) => {
      const { openSession } = await import("./session.ts");
      return openSession(engine, build, work);
    },
    readLeftovers: unheld,
    removeLeftovers: () => Promise.resolve({ names: [], images: [], freed: 0 }),
    cleanUp: async (notes) => {
      const { stopOrphan } = await import("../programs/processes.ts");
      for (const { key, value } of notes) if (key === noteKeys.process) await stopOrphan(value);
    },
    renderScript: async (plans, steps) => {
      const { renderScript } = await import("./render-script.ts");
      return renderScript(first(), { plans, steps });
    },
    passThrough: async (args, given) => {
      const { passThrough } = await import("./pass-through.ts");
      return passThrough(first(), args, given);
    },
    runInNamespace: unheld,
    listBuildFlags: async () => (await import("./pass-through.ts")).listBuildFlags(first()),
    version: async () => (await import("./version.ts")).readVersion(first()),
  };
}

/** By what names them: all targets of a command are spread over the same ones. */
const shared = new Map<string, Builders>();

function shareBuilders(
  options: readonly string[],
  choose: () => readonly BuildKitClient[],
): Builders {
  const key = options.join("\0");
  const builders = shared.get(key) ?? createBuilders(choose());
  shared.set(key, builders);
  return builders;
}

function unheld(): Promise<undefined> {
  return Promise.resolve(undefined);
}

function noImages(what: string): XbuildError {
  return new XbuildError("engine-failed", `BuildKit cannot ${what}: it holds none by name`, {
    hint: "name an image of a registry, or give it with --build-context NAME=oci-layout:///DIR",
  });
}

function noLists(): XbuildError {
  return new XbuildError("engine-failed", "dockerd takes the image of one platform at a time", {
    hint: "push the list (--push), or write it with -o oci:DIR",
  });
}
