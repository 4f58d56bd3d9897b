import { type NetworkPlugin, PluginError } from "../../plugin-sdk/network-plugin.ts";
import { checkAttachAnswer } from "./attach-answer.ts";
import type { CallGate } from "./call-gate.ts";
import { toPlainText } from "./plain-text.ts";
import { checkFindings, checkListed, checkStatus, GarbageError } from "./plugin-answers.ts";

/**
 * A plugin of which nothing can come that the host does not expect: what it answers is checked, what
 * it throws is an error that says why, and it occupies no more than its share (CallGate). The same
 * for all, whoever wrote them.
 */
export function guardPlugin(plugin: NetworkPlugin, gate: CallGate): NetworkPlugin {
  const guard = <A, B>(call: () => Promise<A>, check: (answer: A) => B): Promise<B> =>
    gate.run(async () => check(await call().catch(throwReadable)));
  return {
    info: plugin.info,
    attach: (request) =>
      guard(
        () => plugin.attach(request),
        garbageOf((answer) => checkAttachAnswer(request, answer)),
      ),
    detach: (request) =>
      guard(
        () => plugin.detach(request),
        () => {},
      ),
    check: (request) => guard(() => plugin.check(request), garbageOf(checkFindings)),
    list: (request) => guard(() => plugin.list(request), garbageOf(checkListed)),
    status: (request) => guard(() => plugin.status(request), garbageOf(checkStatus)),
    ...(plugin.repairNetwork && {
      repairNetwork: (request) =>
        guard(async () => (await plugin.repairNetwork?.(request)) ?? [], garbageOf(checkFindings)),
    }),
  };
}

/** A check whose failure says that the plugin answered garbage. */
function garbageOf<A, B>(check: (answer: A) => B): (answer: A) => B {
  return (answer) => {
    try {
      return check(answer);
    } catch (error) {
      // TypeError: a field is not there at all, or of another type.
      if (!(error instanceof GarbageError || error instanceof TypeError)) throw error;
      throw new PluginError("transient", `answered garbage: ${error.message}`);
    }
  };
}

/** A built-in plugin's errors keep their causes; a third party's sentence is made readable. */
function throwReadable(error: unknown): never {
  if (!(error instanceof PluginError) || error.cause !== undefined) throw error;
  throw new PluginError(error.kind, toPlainText(error.message));
}
