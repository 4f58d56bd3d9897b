// Original file: proto/patchbay/host/v1/host.proto

import type { FrontendView as _patchbay_host_v1_FrontendView, FrontendView__Output as _patchbay_host_v1_FrontendView__Output } from '../../../patchbay/host/v1/FrontendView.ts';
import type { Long } from '@grpc/proto-loader';

/**
 * A Service as planned for this node.
 */
export interface ServiceView {
  /**
   * "namespace/name"; of ApplyServices "source/group"; of host ports "host-port/namespace/pod".
   */
  'service'?: (string);
  /**
   * Its ways in.
   */
  'frontends'?: (_patchbay_host_v1_FrontendView)[];
  /**
   * The revision of its last change.
   */
  'revision'?: (number | string | Long);
  /**
   * True: the built-in data plane and every third party's that is up have programmed that revision (WaitProgrammed).
   */
  'programmed'?: (boolean);
}

/**
 * A Service as planned for this node.
 */
export interface ServiceView__Output {
  /**
   * "namespace/name"; of ApplyServices "source/group"; of host ports "host-port/namespace/pod".
   */
  'service': (string);
  /**
   * Its ways in.
   */
  'frontends': (_patchbay_host_v1_FrontendView__Output)[];
  /**
   * The revision of its last change.
   */
  'revision': (number);
  /**
   * True: the built-in data plane and every third party's that is up have programmed that revision (WaitProgrammed).
   */
  'programmed': (boolean);
}
