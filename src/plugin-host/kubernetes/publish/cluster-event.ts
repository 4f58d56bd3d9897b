import { createHash } from "node:crypto";
import type { AboutObject, HostEvent } from "../../core/ports.ts";
import type { ApiRequest } from "../api.ts";
import { timestampOf } from "./condition-board.ts";
import type { PodStatus } from "./pod-status.ts";

/** An Event of core/v1 before it is counted: what happened to which object, in words. */
export interface ClusterEvent {
  readonly object: Pick<AboutObject, "kind" | "namespace" | "name" | "uid">;
  readonly type: "Normal" | "Warning";
  readonly reason: "NetworkFailed" | "NetworksAttached" | "DefinitionUnreadable";
  /** At most MESSAGE_MAX. */
  readonly message: string;
}

/** How often it was seen: what the API server is told. */
export interface CountedEvent extends ClusterEvent {
  readonly eventName: string;
  readonly count: number;
  readonly firstWallMs: number;
  readonly lastWallMs: number;
}

/** Of an Event's message, UTF-16 units: what events.k8s.io takes of a note (NoteLengthLimit). */
const MESSAGE_MAX = 1_024;
/** Of an Event's name, leaving room for what makes it the only one: client-go, GenerateEventName. */
const NAME_MAX = 230;

/** What people who look at pods and definitions are told of a host's event; undefined: nothing. */
export function clusterEventOf({ kind, about }: HostEvent): ClusterEvent | undefined {
  if (about === undefined) return undefined;
  const { sentence, ...object } = about;
  const message = shorten(sentence);
  if (kind === "attach-failed") {
    return { object, type: "Warning", reason: "NetworkFailed", message };
  }
  // Without uid it is from a folder of the node's: the API server has no such object.
  if (kind !== "definition-failed" || object.uid === "") return undefined;
  return { object, type: "Warning", reason: "DefinitionUnreadable", message };
}

/** Which networks a pod got; of one alone nobody need be told. */
export function attachedEventOf(status: PodStatus): ClusterEvent | undefined {
  if (status.elements.length < 2) return undefined;
  const { namespace, name, uid } = status;
  const networks = status.elements.map((element) =>
    [`${element.interface}: ${element.name}`, ...element.ips].join(" "),
  );
  const object = { kind: "Pod" as const, namespace, name, uid };
  const message = shorten(networks.join(", "));
  return { object, type: "Normal", reason: "NetworksAttached", message };
}

/** Events of the same key are one, which is counted: ids of containers and namespaces make no difference. */
export function keyOf({ object, type, reason, message }: ClusterEvent): string {
  const { kind, namespace, name, uid } = object;
  const text = message.replaceAll(/[0-9a-f]{8,}(-[0-9a-f]+)*/g, "#");
  return JSON.stringify([kind, namespace, name, uid, type, reason, text]);
}

/**
 * A name that no other Event has. Of what every node of the cluster sees alike it is the same everywhere: the first
 * one tells for all.
 */
export function eventNameOf(event: ClusterEvent, given: { readonly unique: string }): string {
  const { kind, name, uid } = event.object;
  const own = kind === "Pod" ? given.unique : `${uid} ${event.message}`;
  const suffix = createHash("sha256").update(own).digest("hex").slice(0, 16);
  return `${name.slice(0, NAME_MAX).replace(/[^a-z0-9]+$/, "")}.${suffix}`;
}

export function createRequest(event: CountedEvent, nodeName: string): ApiRequest {
  const { object, type, reason, message, eventName, count, firstWallMs, lastWallMs } = event;
  const { kind, namespace, name, uid } = object;
  return {
    method: "POST",
    path: `/api/v1/namespaces/${encodeURIComponent(namespace)}/events`,
    body: {
      apiVersion: "v1",
      kind: "Event",
      metadata: { name: eventName, namespace },
      involvedObject: {
        apiVersion: API_VERSIONS[kind],
        kind,
        namespace,
        name,
        ...(uid === "" ? {} : { uid }),
      },
      reason,
      message,
      type,
      source: { component: "patchbay", host: nodeName },
      reportingComponent: "patchbay",
      reportingInstance: nodeName,
      firstTimestamp: timestampOf(firstWallMs),
      lastTimestamp: timestampOf(lastWallMs),
      count,
    },
  };
}

export function countRequest(event: CountedEvent): ApiRequest {
  const { object, message, eventName, count, lastWallMs } = event;
  return {
    method: "PATCH",
    path: `/api/v1/namespaces/${encodeURIComponent(object.namespace)}/events/${encodeURIComponent(eventName)}`,
    contentType: "application/merge-patch+json",
    body: { message, count, lastTimestamp: timestampOf(lastWallMs) },
  };
}

const API_VERSIONS = {
  Pod: "v1",
  NetworkAttachmentDefinition: "k8s.cni.cncf.io/v1",
} as const;

function shorten(text: string): string {
  return text.length <= MESSAGE_MAX ? text : `${text.slice(0, MESSAGE_MAX - 3)}...`;
}
