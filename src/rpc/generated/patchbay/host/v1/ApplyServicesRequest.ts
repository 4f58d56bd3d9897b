// Original file: proto/patchbay/host/v1/host.proto

import type { EndpointGroup as _patchbay_host_v1_EndpointGroup, EndpointGroup__Output as _patchbay_host_v1_EndpointGroup__Output } from '../../../patchbay/host/v1/EndpointGroup.ts';
import type { Frontend as _patchbay_host_v1_Frontend, Frontend__Output as _patchbay_host_v1_Frontend__Output } from '../../../patchbay/host/v1/Frontend.ts';

/**
 * One step of an ApplyServices stream; all of it comes into force at once.
 */
export interface ApplyServicesRequest {
  /**
   * Name of the caller's set: several callers do not disturb each other. Same characters as a CNI network name.
   */
  'source'?: (string);
  /**
   * True: forget everything of this source that the message does not name.
   */
  'replace'?: (boolean);
  /**
   * Groups that are new or changed. A group is whole: it replaces what it was.
   */
  'putGroups'?: (_patchbay_host_v1_EndpointGroup)[];
  /**
   * Ids of groups that go.
   */
  'removeGroups'?: (string)[];
  /**
   * Frontends that are new or changed.
   */
  'putFrontends'?: (_patchbay_host_v1_Frontend)[];
  /**
   * Ids of frontends that go.
   */
  'removeFrontends'?: (string)[];
}

/**
 * One step of an ApplyServices stream; all of it comes into force at once.
 */
export interface ApplyServicesRequest__Output {
  /**
   * Name of the caller's set: several callers do not disturb each other. Same characters as a CNI network name.
   */
  'source': (string);
  /**
   * True: forget everything of this source that the message does not name.
   */
  'replace': (boolean);
  /**
   * Groups that are new or changed. A group is whole: it replaces what it was.
   */
  'putGroups': (_patchbay_host_v1_EndpointGroup__Output)[];
  /**
   * Ids of groups that go.
   */
  'removeGroups': (string)[];
  /**
   * Frontends that are new or changed.
   */
  'putFrontends': (_patchbay_host_v1_Frontend__Output)[];
  /**
   * Ids of frontends that go.
   */
  'removeFrontends': (string)[];
}
