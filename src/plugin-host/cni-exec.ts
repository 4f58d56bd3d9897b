import { defaultRunningMax } from "../../plugins/cni-exec/available-memory.ts";
import { createCniExecPlugin } from "../../plugins/cni-exec/plugin.ts";
import type { Kernel } from "../kernel/kernel.ts";
import type { NetworkPlugin } from "../plugin-sdk/network-plugin.ts";
import type { EventSink } from "./core/ports.ts";
import type { CniConfig } from "./host-config.ts";
import { LIMITS } from "./limits.ts";

export interface HostCniExecDeps {
  readonly kernel: Kernel;
  readonly folder: string;
  readonly config: CniConfig;
  readonly events: EventSink;
}

/** Plugin cni-exec as this host runs it. Loaded when the first network needs it. */
export function createHostCniExec(deps: HostCniExecDeps): NetworkPlugin {
  const { kernel, folder, config, events } = deps;
  const { binDirs, execTimeoutMs, runningMax } = config;
  const { attachMs, detachMs, checkMs } = LIMITS;
  return createCniExecPlugin({
    kernel,
    folder,
    binDirs,
    env: process.env,
    onGivenUp: (subject, message) => events.emit({ kind: "detach-failed", subject, message }),
    limits: {
      execTimeoutMs,
      attachMs,
      detachMs,
      checkMs,
      runningMax: () => runningMax ?? defaultRunningMax(),
    },
  });
}
