import { watch } from "node:fs";
import { basename } from "node:path";

export interface FolderEvents {
  /**
   * A file of this name came, went or changed. `written`: in place, so that the writer may not be
   * through; otherwise it was made, removed, or moved here whole.
   */
  changed(name: string, written: boolean): void;
  /** The folder itself is another one or gone, or nobody knows what happened: look at everything. */
  lost(): void;
}

/** Watches until it is called. Throws where there is no such folder. */
export type WatchFolder = (folder: string, events: FolderEvents) => () => void;

/** By inotify, which tells no end of writing through node:fs: IN_MODIFY and IN_ATTRIB are "change", the rest "rename". */
export const watchFolder: WatchFolder = (folder, events) => {
  const watcher = watch(folder, { persistent: true });
  watcher.on("change", (type, name) => {
    // What happens to the folder itself comes under its own name.
    if (typeof name !== "string" || name === basename(folder)) events.lost();
    else events.changed(name, type === "change");
  });
  watcher.on("error", () => events.lost());
  return () => watcher.close();
};
