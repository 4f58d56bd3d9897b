import type { AttachRequest } from "../../src/plugin-sdk/network-plugin.ts";

/** The keys that this plugin adds to a network's configuration, named as in the CNI host-device plugin. */
interface HostDeviceConfig {
  /** Name of the link on the node. "": by another key. */
  readonly device: string;
  readonly hwaddr: string;
  readonly pciBusID: string;
}

const PCI_PATTERN = "^[0-9a-f]{4}:[0-9a-f]{2}:[0-9a-f]{2}\\.[0-7]$";

export const CONFIG_SCHEMA = {
  type: "object",
  properties: {
    device: { type: "string", pattern: "^(?!\\.{1,2}$)[^\\s/:]{1,15}$" },
    hwaddr: { type: "string", pattern: "^[0-9a-fA-F]{2}(:[0-9a-fA-F]{2}){5}$" },
    pciBusID: { type: "string", pattern: PCI_PATTERN },
  },
} as const;

/** How a device is known. */
export type DeviceKey = {
  readonly kind: "device" | "hwaddr" | "pciBusID";
  readonly value: string;
};

/** Reads what the host has checked by CONFIG_SCHEMA. */
function readHostDeviceConfig(configJson: string): HostDeviceConfig {
  const json = JSON.parse(configJson) as Partial<HostDeviceConfig>;
  return {
    device: json.device ?? "",
    hwaddr: (json.hwaddr ?? "").toLowerCase(),
    pciBusID: json.pciBusID ?? "",
  };
}

/** The one key that names the device: what the pod was given before what the configuration says. Undefined: none or several. */
export function findDeviceKey(
  request: Pick<AttachRequest, "configJson" | "device">,
): DeviceKey | undefined {
  const given = request.device?.pciAddress ?? "";
  if (new RegExp(PCI_PATTERN).test(given)) return { kind: "pciBusID", value: given };
  const config = readHostDeviceConfig(request.configJson);
  const keys = (["device", "hwaddr", "pciBusID"] as const)
    .map((kind) => ({ kind, value: config[kind] }))
    .filter(({ value }) => value !== "");
  return keys.length === 1 ? keys[0] : undefined;
}
