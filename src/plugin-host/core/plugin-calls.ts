import { withDeadline } from "./deadline.ts";
import type { Clock } from "./ports.ts";

export interface PluginCallOptions {
  /** Longest wait for an earlier call of the same attachment, and then for this one, ms. */
  readonly limitMs: number;
  /** For the error: "Attach of eth0 of default/web-0 by routed". */
  readonly what: string;
}

/**
 * Calls that change an attachment, one at a time for each. A call that passed its deadline still
 * runs in the plugin: an Attach that ends after the Detach that should undo it leaves a link whose
 * address is given to another pod, a Detach that ends after a new Attach cuts off a living one.
 */
export class PluginCalls {
  readonly #clock: Clock;
  readonly #running = new Map<string, Promise<void>>();

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  /** Attachments with a call under way. */
  get size(): number {
    return this.#running.size;
  }

  /** Calls when all earlier calls have ended. Throws PatchbayError DEADLINE_EXCEEDED, or what the call throws. */
  async run<T>(
    attachmentId: string,
    options: PluginCallOptions,
    call: () => Promise<T>,
  ): Promise<T> {
    const { limitMs, what } = options;
    const clock = this.#clock;
    for (let late = this.#running.get(attachmentId); late; late = this.#running.get(attachmentId)) {
      await withDeadline(late, { clock, limitMs, what: `The call before ${what}` });
    }
    const called = call();
    const ended = called.then(
      () => {},
      () => {},
    );
    const running = ended.then(() => {
      this.#running.delete(attachmentId);
    });
    this.#running.set(attachmentId, running);
    return withDeadline(called, { clock, limitMs, what });
  }
}
