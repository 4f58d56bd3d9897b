// Original file: proto/patchbay/plugin/v1/network.proto

/**
 * Whether this attachment carries the pod's default routes.
 */
export const DefaultRoute = {
  /**
   * One for each family whose address has a gateway, unless `routes` names it.
   */
  DEFAULT_ROUTE_UNSPECIFIED: 'DEFAULT_ROUTE_UNSPECIFIED',
  /**
   * None: another attachment of the pod has them. `routes` names none either.
   */
  DEFAULT_ROUTE_NONE: 'DEFAULT_ROUTE_NONE',
} as const;

/**
 * Whether this attachment carries the pod's default routes.
 */
export type DefaultRoute =
  /**
   * One for each family whose address has a gateway, unless `routes` names it.
   */
  | 'DEFAULT_ROUTE_UNSPECIFIED'
  | 0
  /**
   * None: another attachment of the pod has them. `routes` names none either.
   */
  | 'DEFAULT_ROUTE_NONE'
  | 1

/**
 * Whether this attachment carries the pod's default routes.
 */
export type DefaultRoute__Output = typeof DefaultRoute[keyof typeof DefaultRoute]
