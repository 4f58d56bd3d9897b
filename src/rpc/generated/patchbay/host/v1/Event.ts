// Original file: proto/patchbay/host/v1/host.proto

import type { Long } from '@grpc/proto-loader';

/**
 * Something that an operator may want to know.
 */
export interface Event {
  /**
   * When, milliseconds since 1970.
   */
  'timeMs'?: (number | string | Long);
  /**
   * Stable word: "attached", "attach-failed", "detached", "leak-candidate", "leak-freed", "journal-replayed" ...
   */
  'kind'?: (string);
  /**
   * What it is about, for example an attachment id or a network.
   */
  'subject'?: (string);
  /**
   * A sentence for people.
   */
  'message'?: (string);
}

/**
 * Something that an operator may want to know.
 */
export interface Event__Output {
  /**
   * When, milliseconds since 1970.
   */
  'timeMs': (number);
  /**
   * Stable word: "attached", "attach-failed", "detached", "leak-candidate", "leak-freed", "journal-replayed" ...
   */
  'kind': (string);
  /**
   * What it is about, for example an attachment id or a network.
   */
  'subject': (string);
  /**
   * A sentence for people.
   */
  'message': (string);
}
