// Original file: proto/patchbay/host/v1/host.proto


/**
 * One thing looked at.
 */
export interface DoctorFinding {
  /**
   * Stable word, for example "ip-forward-v4".
   */
  'check'?: (string);
  /**
   * "ok", "warning" or "error".
   */
  'severity'?: (string);
  /**
   * What was found.
   */
  'message'?: (string);
  /**
   * What to do. Empty when ok.
   */
  'remedy'?: (string);
}

/**
 * One thing looked at.
 */
export interface DoctorFinding__Output {
  /**
   * Stable word, for example "ip-forward-v4".
   */
  'check': (string);
  /**
   * "ok", "warning" or "error".
   */
  'severity': (string);
  /**
   * What was found.
   */
  'message': (string);
  /**
   * What to do. Empty when ok.
   */
  'remedy': (string);
}
