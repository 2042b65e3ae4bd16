import type { Engine } from "../model.ts";
import type { ContainersCommands } from "./commands.ts";

/**
 * An engine of the containers/ family over the commands of its program. A build that has nothing to do asks for
 * images alone: the rest is loaded when it is needed.
 */
export function createContainersEngine(commands: ContainersCommands): Engine {
  return {
    name: commands.name,
    isElsewhere: false,
    options: commands.options,
    ownFlags: commands.ownFlags,
    expectImage: commands.expectImage,
    findImage: commands.findImage,
    readList: commands.readList,
    readConfig: commands.readConfig,
    passThrough: commands.passThrough,
    runInNamespace: commands.runInNamespace,
    listBuildFlags: commands.listBuildFlags,
    version: commands.version,
    pullImage: async (image, flags, { reporter, signal }) =>
      void (await commands.pull(image, flags.pull, { log: reporter.log, signal, directory: "" })),
    pullAs: async (source, keep, work) => {
      const { pullAs } = await import("./pull-as.ts");
      return pullAs(source, keep, { ...work, commands });
    },
    findManifest: async (manifest) =>
      (await commands.listImages()).find(({ digest }) => digest === manifest)?.id,
    locateImage: (id) =>
      `containers-storage:${commands.storageSpecifier()}@${id.replace("sha256:", "")}`,
    findLayers: async (layers) => {
      const { findHeldLayers } = await import("./held-layers.ts");
      return findHeldLayers(layers, commands);
    },
    loadImage: async (source, names, work) => {
      const { loadImage } = await import("./load-image.ts");
      return loadImage(source, names, { ...work, commands });
    },
    loadList: async (sources, names, work) => {
      const { loadList } = await import("./load-list.ts");
      return loadList(sources, names, { ...work, commands });
    },
    addToList: async (sources, list, work) => {
      const { addToList } = await import("./load-list.ts");
      return addToList(sources, list, { ...work, commands });
    },
    keepImage: async (id, name, work) => {
      const { keepImage } = await import("./names.ts");
      return keepImage(id, [name], { ...work, commands });
    },
    writeFiles: async (source, destination, work) => {
      const { writeFiles } = await import("./write-files.ts");
      return writeFiles(source, destination, { ...work, commands });
    },
    openSession: async (build, work) => {
      const { openSession } = await import("./session.ts");
      return openSession(commands, build, work);
    },
    readLeftovers: async () => {
      const { readLeftovers } = await import("./leftovers.ts");
      return readLeftovers(commands);
    },
    removeLeftovers: async (choose, work) => {
      const { removeLeftovers } = await import("./leftovers.ts");
      return removeLeftovers(choose, { ...work, commands });
    },
    cleanUp: async (notes, work) => {
      const { cleanUp } = await import("./clean-up.ts");
      return cleanUp(notes, { ...work, commands });
    },
    renderScript: async (plans, steps) => {
      const { renderScript } = await import("./render-script.ts");
      return renderScript(commands, { plans, steps });
    },
  };
}
