// Original file: proto/patchbay/host/v1/host.proto


/**
 * A NetworkAttachmentDefinition as the host reads it.
 */
export interface NetworkDefinitionView {
  /**
   * "namespace/name".
   */
  'network'?: (string);
  /**
   * Name of the plugin that serves it. Empty: it cannot be read.
   */
  'plugin'?: (string);
  /**
   * Types of the CNI plugins that cni-exec runs for it, in order. Empty: none.
   */
  'cniTypes'?: (string)[];
  /**
   * Why pods that ask for it are refused now, or why its plugin is not ready. Empty: they are not, and it is.
   */
  'problem'?: (string);
  /**
   * Attachments that stand.
   */
  'attachments'?: (number);
  /**
   * Where it was read: "networks.yaml:12". Empty: unknown.
   */
  'place'?: (string);
  /**
   * As in NetworkStatus.
   */
  'subnets'?: (string)[];
  /**
   * As in NetworkStatus.
   */
  'settings'?: ({[key: string]: string});
  /**
   * What may be a mistake and refuses nobody: "mastr is not a key of plugin macvlan, did you mean master?".
   */
  'warnings'?: (string)[];
}

/**
 * A NetworkAttachmentDefinition as the host reads it.
 */
export interface NetworkDefinitionView__Output {
  /**
   * "namespace/name".
   */
  'network': (string);
  /**
   * Name of the plugin that serves it. Empty: it cannot be read.
   */
  'plugin': (string);
  /**
   * Types of the CNI plugins that cni-exec runs for it, in order. Empty: none.
   */
  'cniTypes': (string)[];
  /**
   * Why pods that ask for it are refused now, or why its plugin is not ready. Empty: they are not, and it is.
   */
  'problem': (string);
  /**
   * Attachments that stand.
   */
  'attachments': (number);
  /**
   * Where it was read: "networks.yaml:12". Empty: unknown.
   */
  'place': (string);
  /**
   * As in NetworkStatus.
   */
  'subnets': (string)[];
  /**
   * As in NetworkStatus.
   */
  'settings': ({[key: string]: string});
  /**
   * What may be a mistake and refuses nobody: "mastr is not a key of plugin macvlan, did you mean master?".
   */
  'warnings': (string)[];
}
