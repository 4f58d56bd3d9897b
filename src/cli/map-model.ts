import type { Attachment__Output } from "../rpc/generated/patchbay/host/v1/Attachment.ts";
import type { GetStatusResponse__Output } from "../rpc/generated/patchbay/host/v1/GetStatusResponse.ts";
import type { NetworkDefinitionView__Output } from "../rpc/generated/patchbay/host/v1/NetworkDefinitionView.ts";
import type { PluginStatus__Output } from "../rpc/generated/patchbay/host/v1/PluginStatus.ts";

/** What the host answers, as far as a map of the node shows it. */
export interface NodeAnswers {
  readonly status: GetStatusResponse__Output;
  readonly definitions: readonly NetworkDefinitionView__Output[];
  readonly attachments: readonly Attachment__Output[];
}

/** A node as a map shows it: networks that pods are on, each pod with its interfaces, and what is beside them. */
export interface NodeModel {
  readonly networks: readonly MapNetwork[];
  /** Networks that no pod of the map is on. */
  readonly unused: readonly MapNetwork[];
  readonly pods: readonly MapPod[];
  /** Plugins of networks: those that a network names, third parties', and those in trouble. */
  readonly plugins: readonly PluginStatus__Output[];
}

export interface MapNetwork {
  readonly name: string;
  readonly plugin: string;
  readonly isThirdParty: boolean;
  /** Types of the CNI plugins that serve it, in order. */
  readonly cniTypes: readonly string[];
  readonly subnets: readonly string[];
  /** Links of the node that its pods share: "bridge br0", "master eth1", "cni0". */
  readonly links: readonly string[];
  /** What else its configuration says: "vni 42". */
  readonly settings: readonly string[];
  /** Why it does not work now. Empty: it does. */
  readonly trouble: string;
  /** Interfaces of pods on it, in this map. */
  readonly interfaces: number;
  readonly pods: number;
}

export interface MapPod {
  /** "namespace/name", or the container id where the runtime told no pod. */
  readonly name: string;
  readonly containerId: string;
  /** Its default network's first, then by name of the interface. */
  readonly interfaces: readonly Attachment__Output[];
}

/** "eth9" before "eth10". */
const collator = new Intl.Collator("en", { numeric: true });
const compare = (left: string, right: string): number =>
  collator.compare(left, right) || (left < right ? -1 : left > right ? 1 : 0);

/** Keys by which plugins, CNI's and those here, name a link of the node. */
const LINK_KEYS = ["bridge", "master", "parent", "device"] as const;

/** The same node gives the same model, in whatever order the host lists things. */
export function modelNode({ status, definitions, attachments }: NodeAnswers): NodeModel {
  const onNetwork = Map.groupBy(attachments, ({ network }) => network);
  const defaults = new Set(
    attachments.filter(({ isDefault }) => isDefault).map((it) => it.network),
  );
  const names = new Set([
    ...status.networks.map(({ name }) => name),
    ...definitions.map(({ network }) => network),
    ...onNetwork.keys(),
  ]);
  const networks = [...names]
    .sort((left, right) => {
      const byDefault = Number(defaults.has(right)) - Number(defaults.has(left));
      return byDefault || compare(left, right);
    })
    .map((name) =>
      modelNetwork(name, { status, definitions, attachments: onNetwork.get(name) ?? [] }),
    );
  return {
    networks: networks.filter(({ interfaces }) => interfaces > 0),
    unused: networks.filter(({ interfaces }) => interfaces === 0),
    pods: modelPods(attachments),
    plugins: status.plugins
      .filter(({ roles }) => roles.length === 0 || roles.includes("network"))
      .filter((plugin) => plugin.networks.length > 0 || !plugin.builtIn || plugin.trouble !== "")
      .sort((left, right) => compare(left.name, right.name)),
  };
}

function modelNetwork(name: string, { status, definitions, attachments }: NodeAnswers): MapNetwork {
  const known = status.networks.find((network) => network.name === name);
  const definition = definitions.find(({ network }) => network === name);
  const [first] = attachments;
  const plugin = definition?.plugin || known?.plugin || first?.plugin || "";
  const pluginStatus = status.plugins.find((it) => it.name === plugin);
  const described = definition && definition.problem === "" ? definition : (known ?? definition);
  const settings = Object.entries(described?.settings ?? {});
  const shared = [...new Set(attachments.flatMap(({ sharedLinks }) => sharedLinks))].sort(compare);
  const named = settings.filter(([key]) => LINK_KEYS.some((it) => it === key));
  const unnamed = shared.filter((link) => !named.some(([, value]) => value === link));
  const reason = known && !known.ready ? known.reason || "it is not ready" : "";
  return {
    name,
    plugin,
    isThirdParty: pluginStatus?.builtIn === false,
    cniTypes: definition?.cniTypes ?? [],
    subnets: described?.subnets ?? [],
    links: [...named.map(([key, value]) => `${key} ${value}`), ...unnamed],
    settings: settings
      .filter(([key]) => !LINK_KEYS.some((it) => it === key))
      .map(([key, value]) => `${key} ${value}`),
    // The nearest to the cause: without its plugin a network has the other two as well.
    trouble: pluginStatus?.trouble || definition?.problem || reason,
    interfaces: attachments.length,
    pods: new Set(attachments.map(({ primaryId }) => primaryId)).size,
  };
}

function modelPods(attachments: readonly Attachment__Output[]): MapPod[] {
  const pods = Map.groupBy(attachments, ({ primaryId, attachmentId }) => primaryId || attachmentId);
  return [...pods.values()]
    .map((all): MapPod => {
      const interfaces = all.toSorted(
        (left, right) =>
          Number(right.isDefault) - Number(left.isDefault) ||
          compare(left.ifname, right.ifname) ||
          compare(left.network, right.network),
      );
      const [{ containerId, podName, podNamespace }] = interfaces as [Attachment__Output];
      const name = podName === "" ? containerId : `${podNamespace}/${podName}`;
      return { name, containerId, interfaces };
    })
    .sort(
      (left, right) =>
        compare(left.name, right.name) || compare(left.containerId, right.containerId),
    );
}
