import { hash } from "node:crypto";
import {
  POD_CIDR,
  type SampleEndpoint,
  type SampleService,
  SERVICE_CIDR,
  SERVICE_PORT,
  TARGET_PORT,
  NODE_NAME,
} from "./sample-services.ts";

// The peer: a chain for each Service, one verdict map that leads to them, as kube-proxy 1.36 lays
// Services out in nftables mode (../../../shared/facts/services.md 1 and 3.10). One command a line, as it
// feeds them to `nft -f -`.

const table = "ip kube-proxy";
const destination = "ip daddr . meta l4proto . th dport";
const frontend = "ipv4_addr . inet_proto . inet_service";
const masqueradeBit = "0x4000";

/** The whole table: what a start of that layout loads. */
export function chainRuleset(services: readonly SampleService[]): string {
  const lines = [`add table ${table}`, ...sets(), ...chains()];
  // All chains before what leads to them.
  for (const service of services) lines.push(`add chain ${table} ${chainOf(service)}`);
  for (const service of services) {
    const { clusterIp, endpoints } = service;
    lines.push(...serviceRules(service, endpoints));
    lines.push(`add element ${table} cluster-ips { ${clusterIp} }`);
    const key = `${clusterIp} . tcp . ${SERVICE_PORT}`;
    lines.push(`add element ${table} service-ips { ${key} : goto ${chainOf(service)} }`);
    for (const { address, node } of endpoints) {
      if (node !== NODE_NAME) continue;
      const hairpin = `${address} . ${address} . tcp . ${TARGET_PORT}`;
      lines.push(`add element ${table} hairpin-connections { ${hairpin} }`);
    }
  }
  return `${lines.join("\n")}\n`;
}

/** What one changed endpoint costs: the Service's chain, emptied and written anew. */
export function chainChange(service: SampleService, endpoints: readonly SampleEndpoint[]): string {
  const chain = `${table} ${chainOf(service)}`;
  const lines = [`add chain ${chain}`, `flush chain ${chain}`, ...serviceRules(service, endpoints)];
  return `${lines.join("\n")}\n`;
}

function serviceRules(service: SampleService, endpoints: readonly SampleEndpoint[]): string[] {
  const rule = `add rule ${table} ${chainOf(service)}`;
  const targets = endpoints.map(({ address }, at) => `${at} : ${address} . ${TARGET_PORT}`);
  const pick = `numgen random mod ${targets.length} map { ${targets.join(", ")} }`;
  return [
    `${rule} ip daddr ${service.clusterIp} tcp dport ${SERVICE_PORT} ip saddr != ${POD_CIDR} meta mark set meta mark | ${masqueradeBit}`,
    `${rule} meta l4proto tcp dnat ip to ${pick}`,
  ];
}

/** "service-ULMVA6XW-bench/svc-1/tcp/http": eight characters of a hash, then the name. */
function chainOf({ name }: SampleService): string {
  const text = `bench/${name}/tcp/http`;
  return `service-${hash("sha256", text).slice(0, 8).toUpperCase()}-${text}`;
}

function sets(): string[] {
  return [
    `add set ${table} cluster-ips { type ipv4_addr; }`,
    `add set ${table} nodeport-ips { type ipv4_addr; }`,
    `add set ${table} hairpin-connections { type ipv4_addr . ipv4_addr . inet_proto . inet_service; }`,
    `add map ${table} no-endpoint-services { type ${frontend} : verdict; }`,
    `add map ${table} no-endpoint-nodeports { type inet_proto . inet_service : verdict; }`,
    `add map ${table} firewall-ips { type ${frontend} : verdict; }`,
    `add map ${table} service-ips { type ${frontend} : verdict; }`,
    `add map ${table} service-nodeports { type inet_proto . inet_service : verdict; }`,
  ];
}

function chains(): string[] {
  const base: [string, string, string][] = [
    ["filter-prerouting", "filter hook prerouting priority -110", "firewall-check"],
    ["filter-input", "filter hook input priority 0", "no-endpoints"],
    ["filter-forward", "filter hook forward priority 0", "no-endpoints"],
    ["filter-output", "filter hook output priority 0", "no-endpoints"],
    ["filter-output-early", "filter hook output priority -110", "firewall-check"],
    ["nat-prerouting", "nat hook prerouting priority -100", "services"],
    ["nat-output", "nat hook output priority -100", "services"],
    ["nat-postrouting", "nat hook postrouting priority 100", "masquerading"],
  ];
  const regular: [string, string[]][] = [
    ["refuse", ["reject"]],
    [
      "services",
      [
        `${destination} vmap @service-ips`,
        "ip daddr @nodeport-ips meta l4proto . th dport vmap @service-nodeports",
      ],
    ],
    ["firewall-check", [`${destination} vmap @firewall-ips`]],
    [
      "no-endpoints",
      [
        `${destination} vmap @no-endpoint-services`,
        "ip daddr @nodeport-ips meta l4proto . th dport vmap @no-endpoint-nodeports",
        "ip daddr @cluster-ips goto refuse",
        `ip daddr ${SERVICE_CIDR} drop`,
      ],
    ],
    [
      "masquerading",
      [
        "ip saddr . ip daddr . meta l4proto . th dport @hairpin-connections masquerade fully-random",
        `meta mark & ${masqueradeBit} == 0 return`,
        `meta mark set meta mark ^ ${masqueradeBit}`,
        "masquerade fully-random",
      ],
    ],
  ];
  return [
    ...regular.map(([name]) => `add chain ${table} ${name}`),
    ...base.map(([name, hook]) => `add chain ${table} ${name} { type ${hook}; }`),
    ...regular.flatMap(([name, rules]) => rules.map((rule) => `add rule ${table} ${name} ${rule}`)),
    ...base.map(([name, hook, to]) =>
      hook.startsWith("filter")
        ? `add rule ${table} ${name} ct state new jump ${to}`
        : `add rule ${table} ${name} jump ${to}`,
    ),
  ];
}
