import { spawn } from "node:child_process";
import { once } from "node:events";

/** How a process ended. */
export interface ProcessExit {
  readonly code: number | null;
  readonly signal: NodeJS.Signals | null;
}

/** A plugin that the kit started. */
export interface PluginProcess {
  readonly exited: Promise<ProcessExit>;
  /** SIGKILL: it cannot tidy up. SIGTERM: it may. */
  kill(signal: "SIGKILL" | "SIGTERM"): void;
  /** The end of what it has written, for people. */
  lastWords(): string;
}

/** Starts the plugin anew each time. The kit knows by its socket that it serves. */
export interface PluginLauncher {
  start(): PluginProcess;
}

/** Of what a plugin writes. */
const LAST_WORDS_CHARACTERS = 2000;

/** Starts a program, without a shell, in a process group of its own: what it starts dies with it. */
export function launchCommand(command: string, args: readonly string[]): PluginLauncher {
  return {
    start() {
      const child = spawn(command, args, { detached: true, stdio: ["ignore", "pipe", "pipe"] });
      let words = "";
      const listen = (text: string) => {
        words = (words + text).slice(-LAST_WORDS_CHARACTERS);
      };
      child.stdout.setEncoding("utf8").on("data", listen);
      child.stderr.setEncoding("utf8").on("data", listen);
      const failed = once(child, "error").then(([error]): ProcessExit => {
        listen(`Cannot run ${command}: ${(error as Error).message}`);
        return { code: null, signal: null };
      });
      const ended = once(child, "exit").then(([code, signal]): ProcessExit => ({ code, signal }));
      const exited = Promise.race([failed, ended]);
      // once() rejects for an event named error: the race has its say already.
      ended.catch(() => {});
      return {
        exited,
        kill(signal) {
          try {
            if (child.pid !== undefined) process.kill(-child.pid, signal);
          } catch {
            // It has ended already.
          }
        },
        lastWords: () => words.trim(),
      };
    },
  };
}
