import type { InvokeRequest__Output } from "../../rpc/generated/patchbay/shim/v1/InvokeRequest.ts";
import { type CniRequest, findCniVersion, parseCniRequest, verbNameOf } from "../cni/request.ts";
import { toCniError, toCniVersionResult } from "../cni/result.ts";
import { formatErrorChain, PatchbayError, toPatchbayError } from "../errors.ts";
import { LIMITS } from "../limits.ts";
import type { NetworkPolicy } from "../networks/visibility.ts";
import { add } from "./add.ts";
import { Admission } from "./admission.ts";
import { check } from "./check.ts";
import type { AttachmentRecord } from "./attachment.ts";
import { Chores } from "./chores.ts";
import type { HostContext } from "./context.ts";
import { withDeadline } from "./deadline.ts";
import { del } from "./del.ts";
import { DriftMemory } from "./drift.ts";
import { gc } from "./gc.ts";
import { KeyedLock } from "./keyed-lock.ts";
import { LastingTroubles } from "./lasting-troubles.ts";
import { LeakWatch } from "./leak-watch.ts";
import { findPod, plug, unplug } from "./plug.ts";
import { PluginCalls } from "./plugin-calls.ts";
import type { CallTrace, HostPorts } from "./ports.ts";
import { finishUnfinished, reconcile, repairNetworks, replayJournal } from "./reconcile.ts";
import { HostState } from "./state.ts";
import { status } from "./status.ts";

/** What the shim prints, and its exit status. */
export interface CniAnswer {
  /** "" for verbs that answer nothing. */
  readonly resultJson: string;
  readonly exitCode: 0 | 1;
}

export interface HostOptions {
  /** /proc/sys/kernel/random/boot_id */
  readonly bootId: string;
  /** "device:inode" of the node's own network namespace. */
  readonly ownNetns: string;
  /** Which networks a pod may ask for. */
  readonly policy: NetworkPolicy;
  /** Whether the slow loop mends drift, or only tells of it. Default true. */
  readonly repairsDrift?: boolean;
}

/**
 * The host without the world: it decides, the ports do. It has no clock, randomness or I/O of its
 * own, so that the simulator can drive it and replay a failure exactly.
 */
export class Host {
  readonly #context: HostContext;
  readonly #admission: Admission;
  readonly #bootId: string;
  #phase: "starting" | "ready" | "stopped" = "starting";
  #cancelReconcile: () => void = () => {};
  #reconciling: Promise<void> = Promise.resolve();
  #isReconciling = false;
  /** The next round comes at once. */
  #isHurried = false;
  #reconciledMs = Number.NEGATIVE_INFINITY;

  constructor(ports: HostPorts, options: HostOptions) {
    this.#context = {
      ports,
      state: new HostState(ports.store, ports.clock),
      locks: new KeyedLock(),
      leaks: new LeakWatch(LIMITS.leakGraceMs),
      sightings: new WeakMap(),
      pluginCalls: new PluginCalls(ports.clock),
      ownNetns: options.ownNetns,
      policy: options.policy,
      repairsDrift: options.repairsDrift ?? true,
      chores: new Chores(ports.clock, LIMITS.patienceMs),
      drift: new DriftMemory(),
      troubles: new LastingTroubles(ports),
    };
    this.#admission = new Admission(ports.clock, LIMITS);
    this.#bootId = options.bootId;
  }

  /** For operator calls (operator.ts). */
  get context(): HostContext {
    return this.#context;
  }

  get admission(): Pick<Admission, "running" | "waiting"> {
    return this.#admission;
  }

  get phase(): "starting" | "ready" | "stopped" {
    return this.#phase;
  }

  /** Reads the store, finishes what a crash left, replays the DEL journal; then calls are served. */
  async start(): Promise<void> {
    const { state, ports } = this.#context;
    const { rebooted } = state.load(this.#bootId);
    if (rebooted) {
      const message = "The node rebooted: old attachments are gone, their addresses cool down";
      ports.events.emit({ kind: "rebooted", subject: this.#bootId, message });
    }
    // Before anything that may take long: their host ports lead to them all the time.
    const standing = [...state.attachments.values()].filter(
      (record) => record.state.kind === "attached",
    );
    ports.services.restore(standing);
    await finishUnfinished(this.#context);
    await replayJournal(this.#context);
    // Told to stop before it had started.
    if (this.#phase !== "starting") return;
    this.#phase = "ready";
    const message = `Serving, ${state.attachments.size} attachments are recorded`;
    ports.events.emit({ kind: "started", subject: "host", message });
    // While nobody looked the node may have lost what its networks need.
    this.#runRound(repairNetworks);
  }

  /**
   * The next round of reconciliation comes now: somebody was seen to take things away. At most one in
   * LIMITS.reconcileHurryMs.
   */
  hurry(): void {
    this.#isHurried = true;
    if (this.#isReconciling) return;
    this.#cancelReconcile();
    this.#scheduleReconcile();
  }

  /** Serves one CNI call; whatever happens, it answers. */
  async invoke(message: InvokeRequest__Output): Promise<CniAnswer> {
    const trace = this.#context.ports.trace.begin(verbNameOf(message.command));
    try {
      const request = parseCniRequest(message, this.#context.ports.node.podCidrs);
      const result = await this.#serve(request, message.configJson, trace);
      trace.end("ok");
      return { resultJson: result === undefined ? "" : JSON.stringify(result), exitCode: 0 };
    } catch (error) {
      trace.end("error");
      const cniVersion = findCniVersion(message.configJson);
      const answer = toCniError(toPatchbayError(error), cniVersion);
      return { resultJson: JSON.stringify(answer), exitCode: 1 };
    }
  }

  /** Attaches a running pod to one more network, as AttachNetwork of host.v1. Throws PatchbayError. */
  attachNetwork(pod: string, selection: string): Promise<AttachmentRecord> {
    return this.#operate("ATTACH", pod, (found, trace) => {
      trace.reached("plug.admitted");
      return plug(this.#context, { pod: found, selection }, trace);
    });
  }

  /** Detaches a running pod from a network, as DetachNetwork of host.v1. Throws PatchbayError. */
  detachNetwork(pod: string, target: string): Promise<readonly AttachmentRecord[]> {
    return this.#operate("DETACH", pod, (found, trace) =>
      unplug(this.#context, { pod: found, target }, trace),
    );
  }

  /**
   * Refuses new calls, lets running ones and the background round finish, up to LIMITS.stopGraceMs:
   * what is cut off then is finished by the next start.
   */
  async stop(): Promise<void> {
    const { clock, events } = this.#context.ports;
    this.#phase = "stopped";
    this.#cancelReconcile();
    const { chores } = this.#context;
    const done = Promise.all([this.#admission.close(), this.#reconciling, chores.idle()]);
    try {
      await withDeadline(done, { clock, limitMs: LIMITS.stopGraceMs, what: "Finishing" });
    } catch (error) {
      const message = `Stopped in the middle of calls: ${formatErrorChain(error)}`;
      events.emit({ kind: "stop-incomplete", subject: "host", message });
    }
  }

  async #operate<T>(
    verb: string,
    pod: string,
    work: (found: AttachmentRecord, trace: CallTrace) => Promise<T>,
  ): Promise<T> {
    const trace = this.#context.ports.trace.begin(verb);
    try {
      if (this.#phase !== "ready") {
        throw new PatchbayError("HOST_NOT_READY", `The host is ${this.#phase}`);
      }
      const result = await this.#admission.run(() => {
        const found = findPod(this.#context, pod);
        return this.#context.locks.run(found.containerId, () => work(found, trace));
      });
      trace.end("ok");
      return result;
    } catch (error) {
      trace.end("error");
      throw error;
    }
  }

  async #serve(
    request: CniRequest,
    configJson: Uint8Array,
    trace: CallTrace,
  ): Promise<object | undefined> {
    if (request.verb === "VERSION") return toCniVersionResult(findCniVersion(configJson));
    if (this.#phase !== "ready") {
      const code = request.verb === "STATUS" ? "NOT_READY" : "HOST_NOT_READY";
      throw new PatchbayError(code, `The host is ${this.#phase}`);
    }
    const { locks } = this.#context;
    switch (request.verb) {
      case "STATUS":
        await status(this.#context, request.config);
        return undefined;
      case "ADD":
        return this.#admission.run(() =>
          locks.run(request.containerId, () => {
            trace.reached("add.admitted");
            return add(this.#context, request, trace);
          }),
        );
      case "DEL":
        return this.#admission.run(() =>
          locks.run(request.containerId, async () => {
            trace.reached("del.admitted");
            await del(this.#context, request, trace);
            return undefined;
          }),
        );
      case "CHECK":
        return this.#admission.run(() =>
          locks.run(request.containerId, async () => {
            await check(this.#context, request);
            return undefined;
          }),
        );
      case "GC":
        return this.#admission.run(async () => {
          await gc(this.#context, request, trace);
          return undefined;
        });
    }
  }

  #scheduleReconcile(): void {
    if (this.#phase !== "ready") return;
    const { clock } = this.#context.ports;
    const sinceMs = clock.monotonicMs() - this.#reconciledMs;
    const delayMs = this.#isHurried
      ? Math.max(0, LIMITS.reconcileHurryMs - sinceMs)
      : LIMITS.reconcileMs;
    this.#cancelReconcile = clock.after(delayMs, () => this.#runRound(reconcile));
  }

  #runRound(round: (context: HostContext) => Promise<void>): void {
    const { clock, events } = this.#context.ports;
    this.#isReconciling = true;
    this.#isHurried = false;
    this.#reconciling = round(this.#context)
      .catch((error: unknown) =>
        events.emit({ kind: "reconcile-failed", subject: "host", message: String(error) }),
      )
      .finally(() => {
        this.#isReconciling = false;
        this.#reconciledMs = clock.monotonicMs();
        this.#scheduleReconcile();
      });
  }
}
