// Original file: proto/patchbay/plugin/v1/network.proto


/**
 * A device that the pod was given together with this attachment. Absent when the network asks for none.
 */
export interface Device {
  /**
   * PCI address, domain:bus:device.function.
   */
  'pciAddress'?: (string);
  /**
   * RDMA device name, for example "mlx5_3". Empty: none.
   */
  'rdmaDevice'?: (string);
  /**
   * Character devices of it, for example "/dev/infiniband/uverbs3".
   */
  'charDevices'?: (string)[];
  /**
   * The device as whoever gave it to the pod names it (a device plugin's id). Empty: unknown.
   */
  'id'?: (string);
}

/**
 * A device that the pod was given together with this attachment. Absent when the network asks for none.
 */
export interface Device__Output {
  /**
   * PCI address, domain:bus:device.function.
   */
  'pciAddress': (string);
  /**
   * RDMA device name, for example "mlx5_3". Empty: none.
   */
  'rdmaDevice': (string);
  /**
   * Character devices of it, for example "/dev/infiniband/uverbs3".
   */
  'charDevices': (string)[];
  /**
   * The device as whoever gave it to the pod names it (a device plugin's id). Empty: unknown.
   */
  'id': (string);
}
