import { PluginError } from "../../src/plugin-sdk/network-plugin.ts";

/** A sysctl of the pod's namespace and what it shall be. */
export interface PodSysctl {
  /** By segments, the interface's name in place of IFNAME. */
  readonly path: readonly string[];
  readonly value: string;
}

/** Stands in a key for the interface's name. */
const IFNAME = "IFNAME";
const SYSCTLS_MAX = 64;

const NEIGHBOUR_KEYS = [
  "app_solicit",
  "base_reachable_time_ms",
  "delay_first_probe_time",
  "gc_stale_time",
  "locktime",
  "mcast_solicit",
  "retrans_time_ms",
  "ucast_solicit",
  "unres_qlen_bytes",
] as const;

const PER_INTERFACE: Readonly<Record<string, readonly string[]>> = {
  // Documentation/networking/ip-sysctl.rst. Not here: what makes a router or another's stand-in of the pod
  // (forwarding, proxy_arp, proxy_ndp), what lets in from outside what is local (route_localnet, accept_local,
  // accept_source_route), and what takes its addresses away (disable_ipv6).
  "net.ipv4.conf": [
    "accept_redirects",
    "arp_accept",
    "arp_announce",
    "arp_filter",
    "arp_ignore",
    "arp_notify",
    "drop_gratuitous_arp",
    "drop_unicast_in_l2_multicast",
    "ignore_routes_with_linkdown",
    "log_martians",
    "promote_secondaries",
    "rp_filter",
    "secure_redirects",
    "send_redirects",
    "shared_media",
    "src_valid_mark",
  ],
  "net.ipv6.conf": [
    "accept_dad",
    "accept_ra",
    "accept_ra_defrtr",
    "accept_ra_mtu",
    "accept_ra_pinfo",
    "accept_ra_rt_info_max_plen",
    "accept_ra_rtr_pref",
    "accept_redirects",
    "autoconf",
    "dad_transmits",
    "drop_unicast_in_l2_multicast",
    "drop_unsolicited_na",
    "enhanced_dad",
    "hop_limit",
    "ignore_routes_with_linkdown",
    "keep_addr_on_down",
    "max_addresses",
    "ndisc_notify",
    "optimistic_dad",
    "router_solicitations",
    "temp_prefered_lft",
    "temp_valid_lft",
    "use_tempaddr",
  ],
  "net.ipv4.neigh": NEIGHBOUR_KEYS,
  "net.ipv6.neigh": NEIGHBOUR_KEYS,
};

/** What networks may set unless the host's configuration says otherwise: each of one interface alone. */
export const SYSCTL_ALLOW_LIST: readonly string[] = Object.entries(PER_INTERFACE).flatMap(
  ([folder, names]) => names.map((name) => `${folder}.${IFNAME}.${name}`),
);

/**
 * Reads key `tuning.sysctls`. Throws PluginError "invalid-config" for what is not on the list: an entry
 * allows the key that it names, with IFNAME, or with a trailing "*" all that begin so.
 */
export function readSysctls(
  sysctls: Readonly<Record<string, unknown>>,
  options: { readonly ifname: string; readonly allowList: readonly string[] },
): PodSysctl[] {
  const entries = Object.entries(sysctls);
  if (entries.length > SYSCTLS_MAX) {
    throw refusal(`tuning.sysctls has ${entries.length} entries, expected at most ${SYSCTLS_MAX}`);
  }
  return entries.map(([key, value]): PodSysctl => {
    const name = JSON.stringify(key.slice(0, 120));
    const segments = key.split(".");
    const isPath = segments.length > 1 && segments.every((part) => /^[A-Za-z0-9_-]+$/.test(part));
    if (segments[0] !== "net" || !isPath) {
      throw refusal(`tuning.sysctls has the key ${name}, expected a sysctl below net`);
    }
    if (!options.allowList.some((entry) => allows(entry, key))) {
      throw refusal(
        `tuning.sysctls has the key ${name}, which networks may not set (networks.sysctlAllowList of the host)`,
      );
    }
    return {
      path: segments.map((part) => (part === IFNAME ? options.ifname : part)),
      value: readValue(value, name),
    };
  });
}

/** Values as the kernel prints them: several stand between tabs. */
export function sameValue(left: string, right: string): boolean {
  return words(left) === words(right);
}

function allows(entry: string, key: string): boolean {
  return entry.endsWith("*") ? key.startsWith(entry.slice(0, -1)) : key === entry;
}

function readValue(value: unknown, name: string): string {
  const text = typeof value === "number" ? String(value) : value;
  if (typeof text === "string" && /^[A-Za-z0-9:.,+-][A-Za-z0-9:.,+ -]{0,255}$/.test(text))
    return text;
  const found = (JSON.stringify(value) ?? "undefined").slice(0, 80);
  throw refusal(
    `tuning.sysctls[${name}] is ${found}, expected a text of letters, digits and blanks`,
  );
}

function words(text: string): string {
  return text.trim().split(/\s+/).join(" ");
}

function refusal(message: string): PluginError {
  return new PluginError("invalid-config", message);
}
