// Original file: proto/patchbay/host/v1/host.proto

import type { Long } from '@grpc/proto-loader';

/**
 * An attachment as recorded.
 */
export interface Attachment {
  /**
   * Stable key.
   */
  'attachmentId'?: (string);
  /**
   * Name of the network.
   */
  'network'?: (string);
  /**
   * Name of the plugin.
   */
  'plugin'?: (string);
  /**
   * Container id of the runtime.
   */
  'containerId'?: (string);
  /**
   * Path of the network namespace.
   */
  'netns'?: (string);
  /**
   * Name of the interface inside the pod.
   */
  'ifname'?: (string);
  /**
   * Kubernetes namespace of the pod. May be empty.
   */
  'podNamespace'?: (string);
  /**
   * Name of the pod. May be empty.
   */
  'podName'?: (string);
  /**
   * Uid of the pod. May be empty.
   */
  'podUid'?: (string);
  /**
   * "attaching", "attached" or "detaching".
   */
  'state'?: (string);
  /**
   * Addresses in CIDR notation.
   */
  'addresses'?: (string)[];
  /**
   * Name of the link on the node. Empty: none.
   */
  'hostIfname'?: (string);
  /**
   * When it was recorded, milliseconds since 1970.
   */
  'createdMs'?: (number | string | Long);
  /**
   * Attachment id of the pod's default network: the same for all attachments of a pod.
   */
  'primaryId'?: (string);
  /**
   * True: the pod's default network, which the container runtime asked for.
   */
  'isDefault'?: (boolean);
  /**
   * MAC address inside the pod. Empty: unknown.
   */
  'mac'?: (string);
  /**
   * MTU inside the pod in bytes. 0: unknown.
   */
  'mtu'?: (number);
  /**
   * Gateways of the pod's default routes that are this attachment's. Empty: none.
   */
  'defaultRoute'?: (string)[];
  /**
   * Links of the node that its packets pass and that others may share, by the plugin's answer: a bridge. Empty: none known.
   */
  'sharedLinks'?: (string)[];
}

/**
 * An attachment as recorded.
 */
export interface Attachment__Output {
  /**
   * Stable key.
   */
  'attachmentId': (string);
  /**
   * Name of the network.
   */
  'network': (string);
  /**
   * Name of the plugin.
   */
  'plugin': (string);
  /**
   * Container id of the runtime.
   */
  'containerId': (string);
  /**
   * Path of the network namespace.
   */
  'netns': (string);
  /**
   * Name of the interface inside the pod.
   */
  'ifname': (string);
  /**
   * Kubernetes namespace of the pod. May be empty.
   */
  'podNamespace': (string);
  /**
   * Name of the pod. May be empty.
   */
  'podName': (string);
  /**
   * Uid of the pod. May be empty.
   */
  'podUid': (string);
  /**
   * "attaching", "attached" or "detaching".
   */
  'state': (string);
  /**
   * Addresses in CIDR notation.
   */
  'addresses': (string)[];
  /**
   * Name of the link on the node. Empty: none.
   */
  'hostIfname': (string);
  /**
   * When it was recorded, milliseconds since 1970.
   */
  'createdMs': (number);
  /**
   * Attachment id of the pod's default network: the same for all attachments of a pod.
   */
  'primaryId': (string);
  /**
   * True: the pod's default network, which the container runtime asked for.
   */
  'isDefault': (boolean);
  /**
   * MAC address inside the pod. Empty: unknown.
   */
  'mac': (string);
  /**
   * MTU inside the pod in bytes. 0: unknown.
   */
  'mtu': (number);
  /**
   * Gateways of the pod's default routes that are this attachment's. Empty: none.
   */
  'defaultRoute': (string)[];
  /**
   * Links of the node that its packets pass and that others may share, by the plugin's answer: a bridge. Empty: none known.
   */
  'sharedLinks': (string)[];
}
