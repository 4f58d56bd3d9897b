// Original file: proto/patchbay/plugin/v1/plugin.proto

import type { Role as _patchbay_plugin_v1_Role, Role__Output as _patchbay_plugin_v1_Role__Output } from '../../../patchbay/plugin/v1/Role.ts';
import type { Capability as _patchbay_plugin_v1_Capability, Capability__Output as _patchbay_plugin_v1_Capability__Output } from '../../../patchbay/plugin/v1/Capability.ts';

/**
 * Filled by the plugin.
 */
export interface GetInfoResponse {
  /**
   * Name of the plugin, unique on a node; networks choose it by this name. Same characters as a CNI network name.
   */
  'name'?: (string);
  /**
   * Semantic version of the plugin.
   */
  'version'?: (string);
  /**
   * Contract packages that the plugin speaks, newest first.
   */
  'contractVersions'?: (string)[];
  /**
   * Roles that the plugin plays; at least one.
   */
  'roles'?: (_patchbay_plugin_v1_Role)[];
  /**
   * Optional abilities. Absent: the plugin is treated with most care (serial, no repair).
   */
  'capabilities'?: (_patchbay_plugin_v1_Capability)[];
  /**
   * JSON schema (draft 2020-12 subset understood by Ajv) of the plugin's own keys in a network's configuration. Empty: any keys.
   */
  'configSchemaJson'?: (string);
}

/**
 * Filled by the plugin.
 */
export interface GetInfoResponse__Output {
  /**
   * Name of the plugin, unique on a node; networks choose it by this name. Same characters as a CNI network name.
   */
  'name': (string);
  /**
   * Semantic version of the plugin.
   */
  'version': (string);
  /**
   * Contract packages that the plugin speaks, newest first.
   */
  'contractVersions': (string)[];
  /**
   * Roles that the plugin plays; at least one.
   */
  'roles': (_patchbay_plugin_v1_Role__Output)[];
  /**
   * Optional abilities. Absent: the plugin is treated with most care (serial, no repair).
   */
  'capabilities': (_patchbay_plugin_v1_Capability__Output)[];
  /**
   * JSON schema (draft 2020-12 subset understood by Ajv) of the plugin's own keys in a network's configuration. Empty: any keys.
   */
  'configSchemaJson': (string);
}
