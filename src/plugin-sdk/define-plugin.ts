import type { AttachResponse as AttachAnswerFields } from "../rpc/generated/patchbay/plugin/v1/AttachResponse.ts";
import type { Finding as FindingFields } from "../rpc/generated/patchbay/plugin/v1/Finding.ts";
import type { Interface as InterfaceFields } from "../rpc/generated/patchbay/plugin/v1/Interface.ts";
import type { Route as RouteFields } from "../rpc/generated/patchbay/plugin/v1/Route.ts";
import type { SetAddress as SetAddressFields } from "../rpc/generated/patchbay/plugin/v1/SetAddress.ts";
import { checkDefinition } from "./check-definition.ts";
import {
  type AttachRequest,
  type AttachResponse,
  type Capability,
  type DetachRequest,
  type Finding,
  type ListedAttachment,
  type ListRequest,
  type NetworkPlugin,
  type PluginCall,
  PluginError,
  type RepairNetworkRequest,
  type StatusRequest,
} from "./network-plugin.ts";

type Awaitable<T> = T | PromiseLike<T>;

/** What attach() answers; what is left out is none. */
export interface AttachAnswer extends Pick<AttachAnswerFields, "dns" | "deviceInfoJson"> {
  /** In the order in which the CNI result shows them; the pod's, with its `sandbox`, among them. */
  readonly interfaces: readonly (InterfaceFields & { readonly name: string })[];
  /** As set; those of the order must be among them. */
  readonly addresses?: readonly SetAddressFields[];
  /** As set. */
  readonly routes?: readonly RouteFields[];
}

/** One difference; `expected` and `found` are for people. */
export interface FindingAnswer extends FindingFields {
  /** A stable word of small letters, digits and "-", for example "link-missing". */
  kind: string;
}

/** What check() is asked: the attachment as it was ordered, and what attach() answered. */
export interface CheckOrder {
  readonly attachment: AttachRequest;
  readonly attached: AttachResponse;
  /** Mend what differs; only with CAPABILITY_REPAIR. */
  readonly repair: boolean;
}

/**
 * A network plugin as its author writes it. docs/plugins.md says what each call must keep to;
 * network.proto what the fields mean. A failure is thrown: PluginError where a retry cannot help.
 */
export interface PluginDefinition {
  /** Networks choose the plugin by it. Letters, digits, "_", "." and "-", at most 63. */
  readonly name: string;
  /** Semantic version of the plugin. */
  readonly version: string;
  /** JSON schema (draft 2020-12) of the plugin's own keys in a network's configuration. Absent: any keys. */
  readonly configSchema?: object;
  /** CAPABILITY_REPAIR_NETWORK is there when `repairNetwork` is. */
  readonly capabilities?: readonly Capability[];
  attach(request: AttachRequest, call: PluginCall): Awaitable<AttachAnswer>;
  detach(request: DetachRequest, call: PluginCall): Awaitable<unknown>;
  list(request: ListRequest, call: PluginCall): Awaitable<readonly ListedAttachment[]>;
  /** Absent: nothing ever differs. */
  check?(order: CheckOrder, call: PluginCall): Awaitable<readonly FindingAnswer[]>;
  /** Why attach() cannot succeed now; undefined or "" when it can. Absent: it always can. */
  status?(request: StatusRequest, call: PluginCall): Awaitable<string | undefined>;
  repairNetwork?(
    request: RepairNetworkRequest,
    call: PluginCall,
  ): Awaitable<readonly FindingAnswer[]>;
}

/** Of calls inside the process, which nobody hangs up on. */
const NEVER_ABORTED: PluginCall = { signal: new AbortController().signal };

/** A plugin of a definition, for serve(). Throws TypeError that names the field and what it must be. */
export function definePlugin(definition: PluginDefinition): NetworkPlugin {
  checkDefinition(definition);
  const { name, version, configSchema, capabilities = [] } = definition;
  const hasRepairNetwork = definition.repairNetwork !== undefined;
  const all = new Set<Capability>(capabilities);
  if (hasRepairNetwork) all.add("CAPABILITY_REPAIR_NETWORK");
  const answerOf = { plugin: name };
  return {
    info: {
      name,
      version,
      contractVersions: ["patchbay.plugin.v1"],
      roles: ["ROLE_NETWORK"],
      capabilities: [...all],
      configSchemaJson: configSchema === undefined ? "" : JSON.stringify(configSchema),
    },
    attach: async (request, call = NEVER_ABORTED) =>
      toAttachResponse(await definition.attach(request, call), { ...answerOf, call: "attach" }),
    detach: async (request, call = NEVER_ABORTED) => {
      await definition.detach(request, call);
    },
    async check({ attachment, attached, repair }, call = NEVER_ABORTED) {
      if (!attachment) throw new PluginError("invalid-config", "attachment is missing");
      const order = {
        attachment,
        attached: attached ?? toAttachResponse({ interfaces: [] }),
        repair,
      };
      const findings = (await definition.check?.(order, call)) ?? [];
      return toFindings(findings, { ...answerOf, call: "check" });
    },
    list: async (request, call = NEVER_ABORTED) =>
      arrayOf(await definition.list(request, call), { ...answerOf, call: "list" }),
    status: async (request, call = NEVER_ABORTED) => {
      const reason = (await definition.status?.(request, call)) ?? "";
      return { ready: reason === "", reason };
    },
    ...(hasRepairNetwork && {
      repairNetwork: async (request: RepairNetworkRequest, call = NEVER_ABORTED) =>
        toFindings((await definition.repairNetwork?.(request, call)) ?? [], {
          ...answerOf,
          call: "repairNetwork",
        }),
    }),
  };
}

/** Whose answer it is, for the message when it is none. */
interface AnswerOf {
  readonly plugin: string;
  readonly call: string;
}

function toAttachResponse(answer: AttachAnswer, of?: AnswerOf): AttachResponse {
  if (of && !isAttachAnswer(answer)) {
    throw new TypeError(
      `${of.call}() of plugin ${of.plugin} must answer { interfaces: [{ name, ... }, ...] }`,
    );
  }
  return {
    interfaces: answer.interfaces.map((entry) => ({
      mac: "",
      mtu: 0,
      sandbox: "",
      pciId: "",
      socketPath: "",
      ...entry,
    })),
    addresses: (answer.addresses ?? []).map((entry) => ({
      address: "",
      gateway: "",
      interfaceIndex: 0,
      ...entry,
    })),
    routes: (answer.routes ?? []).map((entry) => ({
      destination: "",
      gateway: "",
      mtu: 0,
      advmss: 0,
      priority: 0,
      table: 0,
      scope: 0,
      ...entry,
    })),
    dns: answer.dns
      ? { nameservers: [], domain: "", search: [], options: [], ...answer.dns }
      : null,
    deviceInfoJson: answer.deviceInfoJson ?? "",
  };
}

/** Plugins in JavaScript have no compiler that tells them. */
function isAttachAnswer(answer: unknown): answer is AttachAnswer {
  if (typeof answer !== "object" || answer === null || !("interfaces" in answer)) return false;
  const { interfaces } = answer;
  if (!Array.isArray(interfaces) || interfaces.length === 0) return false;
  return interfaces.every((entry) => typeof (entry as InterfaceFields | null)?.name === "string");
}

function toFindings(findings: readonly FindingAnswer[], of: AnswerOf): readonly Finding[] {
  return arrayOf(findings, of).map((finding) => ({
    object: "",
    expected: "",
    found: "",
    repaired: false,
    ...finding,
  }));
}

function arrayOf<T>(answer: readonly T[], { plugin, call }: AnswerOf): readonly T[] {
  if (Array.isArray(answer)) return answer;
  throw new TypeError(`${call}() of plugin ${plugin} must answer an array`);
}
