import { writeFileSync } from "node:fs";
import type { PluginHandlers } from "../../rpc/generated/patchbay/plugin/v1/Plugin.ts";
import type { ProgramAck } from "../../rpc/generated/patchbay/plugin/v1/ProgramAck.ts";
import type { ProgramRequest__Output } from "../../rpc/generated/patchbay/plugin/v1/ProgramRequest.ts";
import type { ServicePluginHandlers } from "../../rpc/generated/patchbay/plugin/v1/ServicePlugin.ts";
import { pluginProto } from "../../rpc/plugin-proto.ts";
import { servicePluginProto } from "../../rpc/service-plugin-proto.ts";
import { serveUnix, type UnixServer } from "../../rpc/unix-server.ts";

/** What a plugin was told to hold. */
export class PluginState {
  revision = 0;
  readonly #lines = new Map<string, string>();

  apply(request: ProgramRequest__Output): void {
    if (request.snapshot) this.#lines.clear();
    const { facts } = request;
    for (const key of request.removeFrontends) this.#remove(`frontend ${toName(key)}`);
    for (const frontend of request.putFrontends) {
      this.#lines.set(`frontend ${toName(frontend.key)}`, JSON.stringify(frontend));
    }
    for (const id of request.removeLists) this.#remove(`list ${id}`);
    for (const list of request.putLists) this.#lines.set(`list ${list.id}`, JSON.stringify(list));
    for (const address of request.removeClusterIps) this.#remove(`cluster-ip ${address}`);
    for (const address of request.addClusterIps) this.#lines.set(`cluster-ip ${address}`, "");
    for (const address of request.removePodAddresses) this.#remove(`pod ${address}`);
    for (const address of request.addPodAddresses) this.#lines.set(`pod ${address}`, "");
    for (const address of request.removeLocalEndpoints) this.#remove(`local ${address}`);
    for (const address of request.addLocalEndpoints) this.#lines.set(`local ${address}`, "");
    if (facts) this.#lines.set("facts", JSON.stringify(facts));
    this.revision = request.revision;
  }

  /** Equal texts, equal states. */
  print(): string {
    return [...this.#lines]
      .map((line) => line.join(" "))
      .sort()
      .join("\n");
  }

  /** Strict: what is removed must be there. */
  #remove(name: string): void {
    if (!this.#lines.delete(name)) throw new Error(`${name} is removed and was not there`);
  }
}

function toName(key: { address: string; protocol: string; port: number } | null): string {
  return `${key?.address} ${key?.protocol} ${key?.port}`;
}

export interface FakeServicePluginOptions {
  readonly name?: string;
  readonly roles?: ("ROLE_SERVICES" | "ROLE_NETWORK")[];
  /** What it answers to a message; default: an acknowledgement. undefined: nothing. */
  readonly answer?: (request: ProgramRequest__Output) => ProgramAck | undefined;
  readonly greets?: boolean;
  readonly onApplied?: (state: PluginState) => void;
}

/** A service plugin as a third party would write one. */
export interface FakeServicePlugin {
  readonly state: PluginState;
  /** Snapshots and differences, by revision. */
  readonly messages: string[];
  /** Sends to every host connected. */
  say(ack: ProgramAck): void;
  stop(): Promise<void>;
}

export async function serveFakeServicePlugin(
  socketPath: string,
  options: FakeServicePluginOptions = {},
): Promise<FakeServicePlugin> {
  const state = new PluginState();
  const messages: string[] = [];
  const calls = new Set<{ write(ack: ProgramAck): void }>();
  const identity: PluginHandlers = {
    GetInfo: (_call, done) =>
      done(null, {
        name: options.name ?? "mirror",
        version: "1.0.0",
        contractVersions: ["patchbay.plugin.v1"],
        roles: options.roles ?? ["ROLE_SERVICES"],
      }),
  };
  const services: ServicePluginHandlers = {
    Program(call) {
      calls.add(call);
      if (options.greets !== false) call.write({ revision: 0 });
      call.on("data", (request: ProgramRequest__Output) => {
        state.apply(request);
        options.onApplied?.(state);
        messages.push(`${request.snapshot ? "snapshot" : "delta"} ${request.revision}`);
        const ack = options.answer ? options.answer(request) : { revision: request.revision };
        if (ack) call.write(ack);
      });
      call.on("end", () => call.end());
      call.on("error", () => calls.delete(call));
      call.on("close", () => calls.delete(call));
    },
  };
  const server: UnixServer = await serveUnix(socketPath, [
    { definition: pluginProto.Plugin.service, handlers: { ...identity } },
    { definition: servicePluginProto.ServicePlugin.service, handlers: { ...services } },
  ]);
  return {
    state,
    messages,
    say: (ack) => {
      for (const call of calls) call.write(ack);
    },
    stop: () => server.stop(0),
  };
}

/** As a program: `node fake-service-plugin.ts SOCKET FILE` writes what it holds to the file. */
const [, main, socketPath, file] = process.argv;
if (import.meta.filename === main && socketPath !== undefined && file !== undefined) {
  await serveFakeServicePlugin(socketPath, {
    onApplied: (state) => writeFileSync(file, state.print()),
  });
}
