import { errno, errnoCode } from "./errno.ts";
import type { NetnsPath } from "./kernel.ts";
import { KernelError } from "./kernel-error.ts";
import { writeDeleteLink, writeSetGroup } from "./link-messages.ts";
import { MessageWriter } from "./netlink-message.ts";
import type { SlowAnswer } from "./worker-protocol.ts";

/** Sends messages on the removal socket of a namespace and answers with each one's errno. */
export type SendSlowly = (bytes: Uint8Array, netns: NetnsPath | undefined) => Promise<SlowAnswer>;

export interface RemovalStats {
  /** RTM_DELLINK of a whole group. */
  groupDeletes: number;
  /** RTM_DELLINK of one link. */
  singleDeletes: number;
}

/** One namespace's removals that wait for the one that runs; more are refused with ENOBUFS. */
const MOST_WAITING_NAMES = 16_384;
/** Links of one group delete: bounds how long the kernel holds its lock for it. */
const MOST_LINKS_PER_GROUP = 512;
/** Group changes per send; only failures are answered, and they fit the socket's buffer. */
const MOST_MESSAGES_PER_SEND = 128;

/**
 * Removes links of one namespace at a time, many at once. The kernel takes 20-40 ms for one link and
 * 50 ms for a hundred of a group, so calls that arrive meanwhile wait and then go together.
 */
export class LinkRemoval {
  readonly stats: RemovalStats = { groupDeletes: 0, singleDeletes: 0 };
  readonly #send: SendSlowly;
  readonly #queues = new Map<string, Queue>();
  readonly #running = new Set<Promise<void>>();

  constructor(send: SendSlowly) {
    this.#send = send;
  }

  /** Resolves when all are gone; rejects with the first that the kernel refuses to remove. */
  remove(names: readonly string[], netns: NetnsPath | undefined): Promise<void> {
    if (names.length === 0) return Promise.resolve();
    const key = netns ?? "";
    let queue = this.#queues.get(key);
    if (queue === undefined) {
      queue = { netns, waiting: new Map(), isRunning: false };
      this.#queues.set(key, queue);
    }
    if (queue.waiting.size + names.length > MOST_WAITING_NAMES) {
      return Promise.reject(
        removalError(names[0] ?? "", netns, {
          errno: errno.ENOBUFS,
          text: "Too many removals wait",
        }),
      );
    }
    const done = Promise.all(names.map((name) => waitFor(queue, name))).then(() => {});
    if (!queue.isRunning) {
      const run = this.#run(key, queue);
      this.#running.add(run);
      void run.finally(() => this.#running.delete(run));
    }
    return done;
  }

  /** Resolves when no removal runs or waits. */
  async idle(): Promise<void> {
    while (this.#running.size > 0) await Promise.all(this.#running);
  }

  async #run(key: string, queue: Queue): Promise<void> {
    queue.isRunning = true;
    // Callers of the same turn share the first removal too.
    await Promise.resolve();
    while (queue.waiting.size > 0) {
      const batch = takeBatch(queue);
      try {
        const refused = await this.#removeBatch([...batch.keys()], queue.netns);
        for (const [name, waiters] of batch) {
          const failure = refused.get(name);
          if (failure === undefined) for (const waiter of waiters) waiter.resolve();
          else {
            const error = removalError(name, queue.netns, failure);
            for (const waiter of waiters) waiter.reject(error);
          }
        }
      } catch (error) {
        for (const waiters of batch.values()) for (const waiter of waiters) waiter.reject(error);
      }
    }
    this.#queues.delete(key);
  }

  /** The links that the kernel refused to remove, each with its reason. */
  async #removeBatch(
    names: readonly string[],
    netns: NetnsPath | undefined,
  ): Promise<ReadonlyMap<string, Failure>> {
    if (names.length > 1) {
      const group = freshGroup();
      for (let start = 0; start < names.length; start += MOST_MESSAGES_PER_SEND) {
        const some = names.slice(start, start + MOST_MESSAGES_PER_SEND);
        const writer = new MessageWriter(some.length * 64);
        for (const name of some) writeSetGroup(writer, { name, group });
        const isLast = start + MOST_MESSAGES_PER_SEND >= names.length;
        if (isLast) writeDeleteLink(writer, { group });
        const answers = await this.#send(bytesOf(writer), netns);
        if (!isLast) continue;
        this.stats.groupDeletes++;
        const failure = answers[some.length];
        // ENODEV: none of them was there any more.
        if (failure === undefined || failure.errno === 0 || failure.errno === errno.ENODEV) {
          return nothingRefused;
        }
      }
      // One that cannot be removed (lo, hardware) spoils its whole group: the rest go one by one.
    }
    const refused = new Map<string, Failure>();
    for (const name of names) {
      const writer = new MessageWriter(128);
      writeDeleteLink(writer, { name });
      this.stats.singleDeletes++;
      const [answer] = await this.#send(bytesOf(writer), netns);
      if (answer === undefined || answer.errno === 0 || answer.errno === errno.ENODEV) continue;
      refused.set(name, answer);
      if (names.length > 1) await this.#leaveGroup(name, netns);
    }
    return refused;
  }

  async #leaveGroup(name: string, netns: NetnsPath | undefined): Promise<void> {
    const writer = new MessageWriter(128);
    writeSetGroup(writer, { name, group: 0 });
    await this.#send(bytesOf(writer), netns);
  }
}

interface Queue {
  readonly netns: NetnsPath | undefined;
  waiting: Map<string, Waiter[]>;
  isRunning: boolean;
}

interface Waiter {
  resolve(): void;
  reject(error: unknown): void;
}

type Failure = SlowAnswer[number];

function waitFor(queue: Queue, name: string): Promise<void> {
  return new Promise((resolve, reject) => {
    const waiters = queue.waiting.get(name);
    if (waiters) waiters.push({ resolve, reject });
    else queue.waiting.set(name, [{ resolve, reject }]);
  });
}

function takeBatch(queue: Queue): Map<string, Waiter[]> {
  const batch = new Map<string, Waiter[]>();
  for (const [name, waiters] of queue.waiting) {
    if (batch.size === MOST_LINKS_PER_GROUP) break;
    batch.set(name, waiters);
    queue.waiting.delete(name);
  }
  return batch;
}

/**
 * A number that no one else uses: people choose small ones, and a random one of 2^30 does not meet
 * another process's. Each is used once, so that links left behind by a crash are not met again.
 */
function freshGroup(): number {
  return 0x4000_0000 + Math.floor(Math.random() * 0x3fff_ffff);
}

function bytesOf(writer: MessageWriter): Uint8Array {
  return writer.bytes.slice(0, writer.length);
}

function removalError(name: string, netns: NetnsPath | undefined, failure: Failure): KernelError {
  return new KernelError({
    errno: failure.errno,
    code: errnoCode(failure.errno),
    operation: "remove-link",
    object: `${name} in ${netns ?? "the node"}`,
    extendedAck: failure.text,
  });
}

const nothingRefused: ReadonlyMap<string, Failure> = new Map();
