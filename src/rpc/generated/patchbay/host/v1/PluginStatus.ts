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
  /**
   * What to know of one that can be called: that it hung and is on trial, how long its oldest call has been running.
   * Empty: nothing.
   */
  'note'?: (string);
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
  /**
   * What to know of one that can be called: that it hung and is on trial, how long its oldest call has been running.
   * Empty: nothing.
   */
  'note': (string);
}
