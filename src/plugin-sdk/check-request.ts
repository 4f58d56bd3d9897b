import { PluginError } from "./network-plugin.ts";

/** network.proto, attachment_id. */
const ATTACHMENT_ID_MAX = 64;

/** IFNAMSIZ less the closing zero, linux/if.h. */
const IFNAME_LENGTH_MAX = 15;

/** The fields by which a plugin finds things; the rest is the plugin's to read. */
interface NamedAttachment {
  readonly attachmentId: string;
  readonly netns: string;
  readonly ifname: string;
  readonly network: string;
  readonly configJson: string;
}

/** Throws PluginError "invalid-config" that names the field. */
export function checkAttach(request: NamedAttachment): void {
  checkAttachmentId(request);
  const { netns, ifname, network, configJson } = request;
  if (!netns.startsWith("/") || netns.includes("\0")) refuse("netns", "an absolute path", netns);
  // dev_valid_name() of net/core/dev.c.
  const isName = ifname !== "" && ifname !== "." && ifname !== ".." && !/[/:\s\0]/.test(ifname);
  if (!isName || Buffer.byteLength(ifname) > IFNAME_LENGTH_MAX) {
    refuse("ifname", `a link name of at most ${IFNAME_LENGTH_MAX} bytes`, ifname);
  }
  if (network === "") refuse("network", "a name", network);
  readConfig({ configJson });
}

/** All that Detach can count on. Throws PluginError "invalid-config". */
export function checkAttachmentId({ attachmentId }: { readonly attachmentId: string }): void {
  if (/^[\x21-\x7e]+$/.test(attachmentId) && attachmentId.length <= ATTACHMENT_ID_MAX) return;
  refuse("attachment_id", `printable, of 1 to ${ATTACHMENT_ID_MAX} characters`, attachmentId);
}

/**
 * A network's configuration: an object, whatever is in it. The host has held the plugin's own keys
 * against its schema. Throws PluginError "invalid-config".
 */
export function readConfig<Config extends object = Readonly<Record<string, unknown>>>({
  configJson,
}: {
  readonly configJson: string;
}): Config {
  let config: unknown;
  try {
    config = JSON.parse(configJson);
  } catch (cause) {
    throw new PluginError("invalid-config", "config_json is no JSON", { cause });
  }
  if (typeof config !== "object" || config === null || Array.isArray(config)) {
    throw new PluginError("invalid-config", "config_json is no JSON object");
  }
  return config as Config;
}

function refuse(field: string, expected: string, found: string): never {
  const short = found.length > 100 ? `${found.slice(0, 100)}…` : found;
  throw new PluginError("invalid-config", `${field} must be ${expected}: ${JSON.stringify(short)}`);
}
