import type { AttachRequest, AttachResponse } from "../../plugin-sdk/network-plugin.ts";
import type { HealthHandlers } from "../../rpc/generated/grpc/health/v1/Health.ts";
import type { GetInfoResponse } from "../../rpc/generated/patchbay/plugin/v1/GetInfoResponse.ts";
import type { NetworkPluginHandlers } from "../../rpc/generated/patchbay/plugin/v1/NetworkPlugin.ts";
import type { PluginHandlers } from "../../rpc/generated/patchbay/plugin/v1/Plugin.ts";
import { healthProto, networkPluginProto } from "../../rpc/network-plugin-proto.ts";
import { pluginProto } from "../../rpc/plugin-proto.ts";
import { type GrpcStatusName, grpcError } from "../../rpc/status.ts";
import { serveUnix, type UnixServer } from "../../rpc/unix-server.ts";

export type FakeCall =
  | "GetInfo"
  | "Health"
  | "Attach"
  | "Detach"
  | "Check"
  | "List"
  | "RepairNetwork"
  | "Status";

type Done<A> = (error: ReturnType<typeof grpcError> | null, value?: A) => void;

/** A failure as a plugin says it. */
export class FakeFailure extends Error {
  readonly status: GrpcStatusName;

  constructor(status: GrpcStatusName, message: string) {
    super(message);
    this.status = status;
  }
}

/** A third party's network plugin that makes nothing, and whose answers a test changes as it likes. */
export class FakeNetworkPlugin {
  info: GetInfoResponse = {
    name: "fake",
    version: "1.0.0",
    contractVersions: ["patchbay.plugin.v1"],
    roles: ["ROLE_NETWORK"],
  };
  isServing = true;
  readonly held = new Map<string, AttachRequest>();
  /** Calls that arrived, without GetInfo and Health. */
  readonly calls: string[] = [];
  /** Awaited before each answer: held back while pending, failed when it rejects. */
  before: (call: FakeCall) => Promise<void> = async () => {};
  /** What Attach answers. */
  answer: (request: AttachRequest) => AttachResponse = plainAnswer;
  #server: UnixServer | undefined;

  /** Serves at a socket; without `health` as a plugin that knows nothing of grpc.health.v1. */
  async serve(socketPath: string, options: { readonly health?: boolean } = {}): Promise<void> {
    const identity: PluginHandlers = { GetInfo: this.#unary("GetInfo", () => this.info) };
    const network: NetworkPluginHandlers = {
      Attach: this.#unary("Attach", (request: AttachRequest) => {
        this.held.set(request.attachmentId, request);
        return this.answer(request);
      }),
      Detach: this.#unary("Detach", ({ attachmentId }: { attachmentId: string }) => {
        this.held.delete(attachmentId);
        return {};
      }),
      Check: this.#unary("Check", () => ({ findings: [] })),
      List: this.#unary("List", () => ({
        attachments: [...this.held.keys()].map((attachmentId) => ({ attachmentId, object: "" })),
      })),
      RepairNetwork: this.#unary("RepairNetwork", () => ({ findings: [] })),
      Status: this.#unary("Status", () => ({ ready: true, reason: "" })),
    };
    const health: HealthHandlers = {
      Check: this.#unary("Health", () => ({
        status: this.isServing ? ("SERVING" as const) : ("NOT_SERVING" as const),
      })),
      Watch: (call) => call.end(),
    };
    this.#server = await serveUnix(socketPath, [
      { definition: pluginProto.Plugin.service, handlers: identity },
      { definition: networkPluginProto.NetworkPlugin.service, handlers: network },
      ...(options.health === false
        ? []
        : [{ definition: healthProto.Health.service, handlers: health }]),
    ]);
  }

  /** Ends calls under way, and removes the socket. */
  async stop(): Promise<void> {
    await this.#server?.stop(0);
  }

  #unary<Q, A>(name: FakeCall, answer: (request: Q) => A) {
    return (call: { readonly request: Q }, done: Done<A>) => {
      if (name !== "GetInfo" && name !== "Health") this.calls.push(name);
      this.before(name)
        .then(() => answer(call.request))
        .then(
          (value) => done(null, value),
          (error: unknown) => {
            const name = error instanceof FakeFailure ? error.status : "UNKNOWN";
            done(grpcError(name, error instanceof Error ? error.message : String(error)));
          },
        );
    };
  }
}

/** What a plugin answers that set everything as it was told. */
export function plainAnswer(request: AttachRequest): AttachResponse {
  const { ifname, netns, addresses } = request;
  const mac = "02:00:00:00:00:01";
  return {
    interfaces: [{ name: ifname, mac, mtu: 1500, sandbox: netns, pciId: "", socketPath: "" }],
    addresses: addresses.map((ip) => ({ ...ip, interfaceIndex: 0 })),
    routes: [],
    dns: null,
    deviceInfoJson: "",
  };
}

/** As a program: `node fake-network-plugin.ts SOCKET NAME VERSION [MODE]`; with MODE "hang" Attach never ends. */
const [, main, socketPath, name, version, mode] = process.argv;
if (import.meta.filename === main && socketPath !== undefined) {
  const plugin = new FakeNetworkPlugin();
  plugin.info = { ...plugin.info, name: name ?? "fake", version: version ?? "1.0.0" };
  if (mode === "hang") {
    plugin.before = (call) => (call === "Attach" ? new Promise(() => {}) : Promise.resolve());
  }
  await plugin.serve(socketPath);
  process.stdout.write("ready\n");
}
