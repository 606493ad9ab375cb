/** The first port of each kind of process, as an offset from NOTIFYX_BASE_PORT (contract: Running it); more nodes follow on the next ports. */

export const PORT_OFFSETS = {
  gateway: 0,
  discovery: 100,
  auth: 200,
  notifications: 300,
  counter: 400,
  mail: 500,
  avatar: 600,
  client: -667,
} as const;

export type ServiceName = keyof typeof PORT_OFFSETS;
