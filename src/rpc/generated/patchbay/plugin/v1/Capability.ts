// Original file: proto/patchbay/plugin/v1/plugin.proto

/**
 * Something a plugin can do beyond the minimum.
 */
export const Capability = {
  /**
   * Never sent on purpose.
   */
  CAPABILITY_UNSPECIFIED: 'CAPABILITY_UNSPECIFIED',
  /**
   * Attach of this plugin may run at the same time as other networks' Attach for the same pod.
   */
  CAPABILITY_ATTACH_IN_PARALLEL: 'CAPABILITY_ATTACH_IN_PARALLEL',
  /**
   * Check honours `repair`.
   */
  CAPABILITY_REPAIR: 'CAPABILITY_REPAIR',
  /**
   * RepairNetwork is implemented.
   */
  CAPABILITY_REPAIR_NETWORK: 'CAPABILITY_REPAIR_NETWORK',
  /**
   * Attach maps ports of the node itself; the host does not.
   */
  CAPABILITY_PORT_MAPPINGS: 'CAPABILITY_PORT_MAPPINGS',
  /**
   * Attach limits rates itself; the host does not.
   */
  CAPABILITY_BANDWIDTH: 'CAPABILITY_BANDWIDTH',
  /**
   * Attach sets InfiniBand GUIDs. Without it a pod that asks for one is refused.
   */
  CAPABILITY_INFINIBAND_GUID: 'CAPABILITY_INFINIBAND_GUID',
} as const;

/**
 * Something a plugin can do beyond the minimum.
 */
export type Capability =
  /**
   * Never sent on purpose.
   */
  | 'CAPABILITY_UNSPECIFIED'
  | 0
  /**
   * Attach of this plugin may run at the same time as other networks' Attach for the same pod.
   */
  | 'CAPABILITY_ATTACH_IN_PARALLEL'
  | 1
  /**
   * Check honours `repair`.
   */
  | 'CAPABILITY_REPAIR'
  | 2
  /**
   * RepairNetwork is implemented.
   */
  | 'CAPABILITY_REPAIR_NETWORK'
  | 3
  /**
   * Attach maps ports of the node itself; the host does not.
   */
  | 'CAPABILITY_PORT_MAPPINGS'
  | 4
  /**
   * Attach limits rates itself; the host does not.
   */
  | 'CAPABILITY_BANDWIDTH'
  | 5
  /**
   * Attach sets InfiniBand GUIDs. Without it a pod that asks for one is refused.
   */
  | 'CAPABILITY_INFINIBAND_GUID'
  | 6

/**
 * Something a plugin can do beyond the minimum.
 */
export type Capability__Output = typeof Capability[keyof typeof Capability]
