import { cniCall, FakeHostWorld, type FakePlugin } from "./fake-host-world.ts";
import { readDefinition } from "./networks/read-definition.ts";
import type { CniAnswer, Host } from "./core/host.ts";
import type { PluginDirectory } from "./core/ports.ts";

/** Definitions of namespace "default", by name, as their spec.config. */
const DEFINITIONS: Readonly<Record<string, object>> = {
  a: {
    plugin: "routed",
    ipam: { ranges: [[{ subnet: "10.1.0.0/24" }], [{ subnet: "fd01::/64" }]] },
  },
  b: { plugin: "other", ipam: { ranges: [[{ subnet: "10.2.0.0/24" }]] } },
  bare: { plugin: "other" },
  over: { plugin: "other", dependsOn: ["default/a"] },
  lost: { plugin: "other", dependsOn: ["net9"] },
  tiny: { plugin: "other", ipam: { ranges: [[{ subnet: "10.3.0.0/30" }]] } },
};

/** A world whose pods ask for several networks. */
export class PodWorld extends FakeHostWorld {
  constructor() {
    super();
    for (const [name, config] of Object.entries(DEFINITIONS)) this.define(name, config);
  }

  /** A definition of namespace "default", as its spec.config. */
  define(name: string, config: object): void {
    this.definitions.put(
      readDefinition({
        namespace: "default",
        name,
        configText: JSON.stringify({ cniVersion: "1.0.0", type: "patchbay", ...config }),
        resourceName: "",
        findConflist: () => undefined,
      }),
    );
  }

  /** An ADD, DEL or CHECK of a pod with that annotation. */
  call(
    host: Host,
    verb: string,
    networks: unknown,
    name = "c1",
    options: { readonly ifname?: string } = {},
  ): Promise<CniAnswer> {
    const text = typeof networks === "string" ? networks : JSON.stringify(networks);
    const annotations = { "k8s.v1.cni.cncf.io/networks": text };
    const config = {
      ipam: { ranges: [[{ subnet: "10.0.0.0/24" }]] },
      runtimeConfig: { "io.kubernetes.cri.pod-annotations": annotations },
    };
    const netns = this.namespaces.has(`/run/netns/${name}`)
      ? `/run/netns/${name}`
      : this.makeNetns(name, this.namespaces.size + 10);
    return host.invoke({
      ...cniCall(verb, { containerId: name, netns, config, ...options }),
      args: `K8S_POD_NAMESPACE=default;K8S_POD_NAME=${name}`,
    });
  }

  /** The plugins, one of them by another name. */
  directoryWith(name: string, plugin: FakePlugin): PluginDirectory {
    const all = new Map([
      ["routed", this.routed],
      ["other", this.other],
      [name, plugin],
    ]);
    return { find: (each) => all.get(each), names: () => [...all.keys()] };
  }

  get calls(): string[] {
    return [...this.routed.calls, ...this.other.calls];
  }

  get records(): string[] {
    return [...this.store.load().attachments]
      .map(({ ifname, network, state }) => `${ifname} ${network} ${state.kind}`)
      .sort();
  }

  get heldAddresses(): number {
    return this.store.load().leases.filter(({ releasedWallMs }) => releasedWallMs === undefined)
      .length;
  }
}

/** Message and details of an error answer. */
export function messageOf(answer: CniAnswer): string {
  const { msg, details } = JSON.parse(answer.resultJson) as { msg: string; details: string };
  return `${msg} ${details}`;
}
