import type { ApplyProgram } from "./program-format.ts";

/**
 * What the main thread asks of the rtnetlink worker, and what comes back: lists of them, because waking a
 * thread costs more than most of what it is woken for.
 */
export type WorkerRequest = { readonly id: number } & RequestBody;

export type RequestBody =
  | ({ readonly method: "apply" } & ApplyProgram)
  /** Requests with NLM_F_DUMP, back to back in `bytes`. */
  | { readonly method: "dump"; readonly bytes: Uint8Array; readonly netns: string | undefined }
  /** One request with one answer. */
  | { readonly method: "get"; readonly bytes: Uint8Array; readonly netns: string | undefined }
  /** Messages that may take long, tried one after the other on a pool thread; every error comes back. */
  | { readonly method: "slow"; readonly bytes: Uint8Array; readonly netns: string | undefined }
  | { readonly method: "read-sysctl"; readonly path: string; readonly netns: string | undefined }
  | { readonly method: "create-netns"; readonly path: string }
  | { readonly method: "delete-netns"; readonly path: string }
  /** Asked for other groups than before it begins anew, and a "resync" comes. */
  | {
      readonly method: "monitor-start";
      readonly receiveBufferBytes: number;
      /** RTMGRP_* */
      readonly groups: number;
    }
  | { readonly method: "monitor-stop" }
  | { readonly method: "monitor-credit"; readonly datagrams: number }
  | { readonly method: "close" };

export type WorkerAnswer =
  | { readonly id: number; readonly result: unknown }
  | { readonly id: number; readonly failure: WorkerFailure }
  /** In order; each costs one of the credit. */
  | { readonly monitor: readonly (Uint8Array | "resync")[] };

export interface WorkerFailure {
  readonly errno: number;
  /** The kernel's own words, or "". */
  readonly text: string;
  /** Of apply: which operation, counted over all batches; -1 with `batch` when a namespace failed. */
  readonly operation?: number;
  readonly netns?: string;
}

/** Result of apply: names and indexes in turn, of links made in the node's own namespace. */
export type ApplyAnswer = readonly (string | number)[];

/** Result of "slow": for each message 0 or errno, with the kernel's words. */
export type SlowAnswer = readonly { readonly errno: number; readonly text: string }[];
