import { isIfname } from "../cni/request.ts";
import { LIMITS } from "../limits.ts";
import { type Place, rootPlace } from "../manifests/fields.ts";
import { DNS_LABEL, DNS_SUBDOMAIN } from "../manifests/rules.ts";
import {
  DEFAULT_NETWORK_ANNOTATION,
  type NetworkSelection,
  NETWORKS_ANNOTATION,
} from "./network-selection.ts";
import { quote, readFields, refusal } from "./refuse.ts";
import { IFNAME, readSelection } from "./selection-element.ts";

export interface SelectionsOptions {
  /** Namespace of what names none. */
  readonly podNamespace: string;
  /** Interface of the pod's default network, which is not to be had twice. */
  readonly taken?: string;
}

const SHORT_FORM = "[namespace/]name[@interface]";

/**
 * The annotation k8s.v1.cni.cncf.io/networks: names joined by commas, or a JSON list of objects (multi-network
 * standard 1.3, 4.1). Empty: no networks. Throws PatchbayError INVALID_NETWORK_CONFIG that names element and field.
 */
export function parseNetworkSelections(
  annotationValue: string,
  { podNamespace, taken = "eth0" }: SelectionsOptions,
): NetworkSelection[] {
  const annotation = NETWORKS_ANNOTATION;
  const selections = readForm(annotationValue, { annotation, podNamespace });
  if (selections.length > LIMITS.podNetworksMax) {
    throw refusal(
      annotation,
      `has ${selections.length} networks, expected at most ${LIMITS.podNetworksMax}`,
    );
  }
  checkIfnames(selections, taken);
  checkDefaultRoutes(selections);
  return selections;
}

/**
 * The annotation v1.multus-cni.io/default-network: one network in either form, which the pod gets instead of
 * the node's default one. Throws like parseNetworkSelections.
 */
export function parseDefaultNetwork(
  annotationValue: string,
  { podNamespace }: Pick<SelectionsOptions, "podNamespace">,
): NetworkSelection {
  const annotation = DEFAULT_NETWORK_ANNOTATION;
  const selections = readForm(annotationValue, { annotation, podNamespace });
  const [selection] = selections;
  if (selection === undefined || selections.length > 1) {
    throw refusal(annotation, `has ${selections.length} networks, expected one`);
  }
  if (selection.ifname !== undefined) {
    const found = `is ${quote(selection.ifname)}`;
    throw refusal(
      `${selection.field}.interface`,
      `${found}, expected nothing: the container runtime names the interface of the default network`,
    );
  }
  return selection;
}

interface Form {
  readonly annotation: string;
  readonly podNamespace: string;
}

function readForm(value: string, form: Form): NetworkSelection[] {
  if (value.length > LIMITS.podNetworksCharactersMax) {
    throw refusal(
      form.annotation,
      `has ${value.length} characters, expected at most ${LIMITS.podNetworksCharactersMax}`,
    );
  }
  const text = value.trim();
  if (text === "") return [];
  const selections = /^[[{]/.test(text) ? readJsonForm(text, form) : readShortForm(text, form);
  const lost = selections.find(({ namespace }) => namespace === "");
  if (lost === undefined) return selections;
  const why = "the container runtime does not say in which the pod is";
  throw refusal(`${lost.field}.namespace`, `is missing, expected a namespace: ${why}`);
}

function readJsonForm(text: string, { annotation, podNamespace }: Form): NetworkSelection[] {
  let json: unknown;
  try {
    json = JSON.parse(text);
  } catch (cause) {
    throw refusal(annotation, `is neither JSON nor ${SHORT_FORM} joined by commas`, { cause });
  }
  if (!Array.isArray(json)) throw refusal(annotation, "is a JSON object, expected a list of them");
  const root = rootPlace(json);
  return json.map((value: unknown, index) => {
    const place: Place = { value, key: index, parent: root };
    const field = `${annotation}[${index}]`;
    return readFields(annotation, () => readSelection(place, { field, podNamespace }));
  });
}

function readShortForm(text: string, { annotation, podNamespace }: Form): NetworkSelection[] {
  return text.split(",").map((part, index) => {
    const field = `${annotation}[${index}]`;
    const item = part.trim();
    if (/[[\]{}"]/.test(item)) {
      throw refusal(
        field,
        `is ${quote(item)}, expected ${SHORT_FORM}, or all elements as objects of one JSON list`,
      );
    }
    const parts = /^(?:([^/@]*)\/)?([^/@]+)(?:@(.*))?$/.exec(item);
    if (parts === null) throw refusal(field, `is ${quote(item)}, expected ${SHORT_FORM}`);
    const [, namespace = podNamespace, name = "", ifname] = parts;
    if (parts[1] !== undefined && !DNS_LABEL.test(namespace)) {
      throw refusal(`${field}.namespace`, `is ${quote(namespace)}, expected ${DNS_LABEL.expected}`);
    }
    if (!DNS_SUBDOMAIN.test(name)) {
      throw refusal(`${field}.name`, `is ${quote(name)}, expected ${DNS_SUBDOMAIN.expected}`);
    }
    if (ifname !== undefined && !isIfname(ifname)) {
      throw refusal(`${field}.interface`, `is ${quote(ifname)}, expected ${IFNAME.expected}`);
    }
    return {
      field,
      namespace,
      name,
      ...(ifname === undefined ? {} : { ifname }),
      ips: [],
      ipTexts: [],
      portMappings: [],
      defaultRoute: [],
    };
  });
}

function checkIfnames(selections: readonly NetworkSelection[], taken: string): void {
  const owners = new Map([
    ["lo", "the loopback interface"],
    [taken, "the pod's default network"],
  ]);
  for (const { ifname, field } of selections) {
    if (ifname === undefined) continue;
    const owner = owners.get(ifname);
    if (owner !== undefined) {
      throw refusal(`${field}.interface`, `is ${quote(ifname)}, which is the name of ${owner}`);
    }
    owners.set(ifname, `the interface of ${field}`);
  }
}

/** Multi-network standard 1.3, 4.1.2: one element of the pod. */
function checkDefaultRoutes(selections: readonly NetworkSelection[]): void {
  const [first, second] = selections.filter(({ defaultRoute }) => defaultRoute.length > 0);
  if (first === undefined || second === undefined) return;
  throw refusal(
    `${second.field}.default-route`,
    `is given, and so is ${first.field}.default-route, expected one of them`,
  );
}
