import { PluginError } from "./network-plugin.ts";

/** Calls of one attachment that wait; one more is refused. */
const WAITING_MAX = 16;

/**
 * Lets the calls of one attachment run one after the other, in the order of their arrival. A host
 * gives an Attach up at its deadline and sends Detach at once, when the plugin may still be at work:
 * run beside each other, the Attach would leave something behind.
 */
export class AttachmentTurns {
  readonly #queues = new Map<string, Queue>();

  /**
   * Runs the work when everything that came before it has ended, or not at all: where its caller has
   * gone by then, or too many wait already. Rejects as the work does, or with PluginError.
   */
  async run<T>(
    turn: { readonly attachmentId: string; readonly what: string; readonly signal: AbortSignal },
    work: () => Promise<T>,
  ): Promise<T> {
    const { attachmentId, what, signal } = turn;
    const queue = this.#queues.get(attachmentId) ?? { tail: Promise.resolve(), size: 0 };
    if (queue.size > WAITING_MAX) {
      const message = `${what} cannot wait: ${queue.size} calls of ${attachmentId} are before it`;
      throw new PluginError("transient", message);
    }
    this.#queues.set(attachmentId, queue);
    queue.size++;
    const { tail } = queue;
    const own = tail.then(async () => {
      if (signal.aborted) throw new PluginError("transient", `${what} came too late`);
      return await work();
    });
    queue.tail = own.then(
      () => {},
      () => {},
    );
    try {
      return await own;
    } finally {
      queue.size--;
      if (queue.size === 0) this.#queues.delete(attachmentId);
    }
  }
}

interface Queue {
  tail: Promise<void>;
  size: number;
}
