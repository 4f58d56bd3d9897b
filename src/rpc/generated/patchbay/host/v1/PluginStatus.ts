// Original file: proto/patchbay/host/v1/host.proto


/**
 * State of one plugin.
 */
export interface PluginStatus {
  /**
   * Name of the plugin.
   */
  'name'?: (string);
  /**
   * Semantic version.
   */
  'version'?: (string);
  /**
   * True: compiled into the host.
   */
  'builtIn'?: (boolean);
  /**
   * What is wrong with it. Empty: nothing.
   */
  'trouble'?: (string);
  /**
   * "network", "ipam", "services".
   */
  'roles'?: (string)[];
  /**
   * "attach-in-parallel", "repair" ...
   */
  'capabilities'?: (string)[];
  /**
   * Path of its socket. Empty: in the host's own process.
   */
  'socket'?: (string);
  /**
   * Networks that name it.
   */
  'networks'?: (string)[];
  /**
   * Attachments that it holds by the host's record.
   */
  'attachments'?: (number);
}

/**
 * State of one plugin.
 */
export interface PluginStatus__Output {
  /**
   * Name of the plugin.
   */
  'name': (string);
  /**
   * Semantic version.
   */
  'version': (string);
  /**
   * True: compiled into the host.
   */
  'builtIn': (boolean);
  /**
   * What is wrong with it. Empty: nothing.
   */
  'trouble': (string);
  /**
   * "network", "ipam", "services".
   */
  'roles': (string)[];
  /**
   * "attach-in-parallel", "repair" ...
   */
  'capabilities': (string)[];
  /**
   * Path of its socket. Empty: in the host's own process.
   */
  'socket': (string);
  /**
   * Networks that name it.
   */
  'networks': (string)[];
  /**
   * Attachments that it holds by the host's record.
   */
  'attachments': (number);
}
