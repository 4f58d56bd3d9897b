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
}
