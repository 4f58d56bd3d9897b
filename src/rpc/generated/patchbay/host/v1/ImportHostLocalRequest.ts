// Original file: proto/patchbay/host/v1/host.proto


/**
 * Filled by the caller.
 */
export interface ImportHostLocalRequest {
  /**
   * Folder of one network, for example /var/lib/cni/networks/NAME. Read by the host.
   */
  'directory'?: (string);
  /**
   * Network that adopts the leases.
   */
  'network'?: (string);
  /**
   * The network's configuration as in the conflist (JSON of the plugin object), so that its pool exists.
   */
  'configJson'?: (string);
  /**
   * True: say what would be adopted and change nothing.
   */
  'dryRun'?: (boolean);
}

/**
 * Filled by the caller.
 */
export interface ImportHostLocalRequest__Output {
  /**
   * Folder of one network, for example /var/lib/cni/networks/NAME. Read by the host.
   */
  'directory': (string);
  /**
   * Network that adopts the leases.
   */
  'network': (string);
  /**
   * The network's configuration as in the conflist (JSON of the plugin object), so that its pool exists.
   */
  'configJson': (string);
  /**
   * True: say what would be adopted and change nothing.
   */
  'dryRun': (boolean);
}
