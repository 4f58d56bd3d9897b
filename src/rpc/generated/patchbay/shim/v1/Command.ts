// Original file: proto/patchbay/shim/v1/shim.proto

/**
 * A CNI verb, CNI 1.1.0 section 2 (CNI_COMMAND).
 */
export const Command = {
  /**
   * Never sent on purpose: what an unknown future value reads as.
   */
  COMMAND_UNSPECIFIED: 'COMMAND_UNSPECIFIED',
  /**
   * Attach a container to the network.
   */
  COMMAND_ADD: 'COMMAND_ADD',
  /**
   * Detach a container from the network.
   */
  COMMAND_DEL: 'COMMAND_DEL',
  /**
   * Verify that an attachment is as ADD left it.
   */
  COMMAND_CHECK: 'COMMAND_CHECK',
  /**
   * Remove what no valid attachment needs.
   */
  COMMAND_GC: 'COMMAND_GC',
  /**
   * Say whether ADD can be served.
   */
  COMMAND_STATUS: 'COMMAND_STATUS',
  /**
   * Say which versions of CNI are supported.
   */
  COMMAND_VERSION: 'COMMAND_VERSION',
} as const;

/**
 * A CNI verb, CNI 1.1.0 section 2 (CNI_COMMAND).
 */
export type Command =
  /**
   * Never sent on purpose: what an unknown future value reads as.
   */
  | 'COMMAND_UNSPECIFIED'
  | 0
  /**
   * Attach a container to the network.
   */
  | 'COMMAND_ADD'
  | 1
  /**
   * Detach a container from the network.
   */
  | 'COMMAND_DEL'
  | 2
  /**
   * Verify that an attachment is as ADD left it.
   */
  | 'COMMAND_CHECK'
  | 3
  /**
   * Remove what no valid attachment needs.
   */
  | 'COMMAND_GC'
  | 4
  /**
   * Say whether ADD can be served.
   */
  | 'COMMAND_STATUS'
  | 5
  /**
   * Say which versions of CNI are supported.
   */
  | 'COMMAND_VERSION'
  | 6

/**
 * A CNI verb, CNI 1.1.0 section 2 (CNI_COMMAND).
 */
export type Command__Output = typeof Command[keyof typeof Command]
