import { InvalidArgumentError } from "commander";
import { formatAddress, parseAddress } from "../ip/address.ts";

const protocols = ["TCP", "UDP", "SCTP"] as const;

export interface Destination {
  readonly address: string;
  readonly port: number;
  readonly protocol: (typeof protocols)[number];
}

/** Parses "10.96.0.10:80", "10.96.0.10:53/udp" or "[fd00::1]:80/TCP". Throws InvalidArgumentError. */
export function parseDestination(text: string): Destination {
  const match =
    /^(?:\[(?<v6>[^\]]*)\]|(?<v4>[^:/[\]]*)):(?<port>[^:/]*)(?:\/(?<protocol>.*))?$/.exec(
      text,
    )?.groups;
  const address = match && findAddress(match["v6"] ?? match["v4"] ?? "");
  if (!match || address === undefined || address.includes(":") !== (match["v6"] !== undefined)) {
    throw new InvalidArgumentError(
      "It must be IP:PORT/PROTO, for example 10.96.0.10:80/tcp or [fd00::1]:53/udp.",
    );
  }
  const port = Number(match["port"]);
  if (!/^\d{1,5}$/.test(match["port"] ?? "") || port < 1 || port > 65_535) {
    throw new InvalidArgumentError("The port must be 1 to 65535.");
  }
  const wanted = (match["protocol"] ?? "tcp").toUpperCase();
  const protocol = protocols.find((name) => name === wanted);
  if (!protocol) {
    throw new InvalidArgumentError(
      `The protocol must be ${protocols
        .join(", ")
        .toLowerCase()
        .replace(/, (?=\w+$)/, " or ")}.`,
    );
  }
  return { address, port, protocol };
}

/** Parses "node", an address or "namespace/pod". Throws InvalidArgumentError. */
export function parseSource(text: string): string {
  if (text.toLowerCase() === "node") return "node";
  const address = findAddress(text.replace(/^\[(.*)\]$/, "$1"));
  if (address !== undefined) return address;
  const isPod = /^[^/\s]+\/[^/\s]+$/.test(text);
  // "10.0.0.0/24" is no pod.
  if (isPod && findAddress(text.slice(0, text.indexOf("/"))) === undefined) return text;
  throw new InvalidArgumentError(
    'It must be NAMESPACE/POD of a pod of this node, an IP address, or "node" for a process of it.',
  );
}

function findAddress(text: string): string | undefined {
  try {
    return formatAddress(parseAddress(text));
  } catch {
    return undefined;
  }
}
