import { PROTOCOL_TCP, PROTOCOL_UDP } from '../flow/protocol.ts';

import type { LinkProfile } from './scenario.ts';

/** What hosts ordinarily do: one kind of conversation. Sizes and durations are lognormal around their medians. */
export interface Service {
  readonly protocol: number;
  /** 0 = any high port, as media and games use. */
  readonly port: number;
  readonly clientBytes: number;
  readonly serverBytes: number;
  /** Spread of the sizes; 1.5 and more is heavy-tailed. */
  readonly sigma: number;
  /** Bulk conversations share what the link's level leaves; others keep their natural size. */
  readonly bulk: boolean;
  readonly clientPacketBytes: number;
  readonly serverPacketBytes: number;
  readonly durationSeconds: number;
  readonly tos: number;
}

type Row = [
  protocol: number,
  port: number,
  clientBytes: number,
  serverBytes: number,
  sigma: number,
  bulk: boolean,
  clientPacketBytes: number,
  serverPacketBytes: number,
  durationSeconds: number,
  tos: number,
];

const service = (...[protocol, port, clientBytes, serverBytes, sigma, bulk, ...rest]: Row): Service => {
  const [clientPacketBytes, serverPacketBytes, durationSeconds, tos] = rest;
  const sizes = { clientBytes, serverBytes, sigma, bulk, clientPacketBytes, serverPacketBytes };
  return { protocol, port, ...sizes, durationSeconds, tos };
};

const WEB = service(PROTOCOL_TCP, 443, 2500, 30_000, 1.6, true, 160, 1250, 4, 0);
const QUIC = service(PROTOCOL_UDP, 443, 3000, 40_000, 1.7, true, 140, 1200, 6, 0);
const PLAIN_WEB = service(PROTOCOL_TCP, 80, 900, 12_000, 1.5, true, 150, 1200, 2, 0);
const VIDEO = service(PROTOCOL_TCP, 443, 12_000, 900_000, 1.2, true, 80, 1400, 25, 0);
const DNS = service(PROTOCOL_UDP, 53, 70, 190, 0.35, false, 72, 190, 0.03, 0);
const NTP = service(PROTOCOL_UDP, 123, 76, 76, 0, false, 76, 76, 0.02, 0);
const MAIL = service(PROTOCOL_TCP, 993, 1800, 9000, 1.5, true, 180, 900, 6, 0);
const SUBMISSION = service(PROTOCOL_TCP, 587, 22_000, 1600, 1.5, true, 1100, 120, 3, 0);
const SSH = service(PROTOCOL_TCP, 22, 6000, 12_000, 1.3, true, 110, 240, 25, 16);
const CALL = service(PROTOCOL_UDP, 0, 90_000, 90_000, 0.7, true, 190, 190, 30, 184);
const GAME = service(PROTOCOL_UDP, 0, 20_000, 45_000, 0.8, true, 90, 190, 30, 0);
const UPLOAD = service(PROTOCOL_TCP, 443, 300_000, 9000, 1.6, true, 1350, 70, 8, 0);
const DATABASE = service(PROTOCOL_TCP, 5432, 1500, 9000, 1.4, true, 220, 700, 1, 0);
const API = service(PROTOCOL_TCP, 8443, 1800, 5000, 1.2, true, 300, 600, 0.6, 0);

/** Weights of the services in a profile's background. */
export const SERVICE_MIXES: Record<LinkProfile, readonly (readonly [Service, weight: number])[]> = {
  office: [
    [WEB, 38],
    [QUIC, 10],
    [PLAIN_WEB, 6],
    [DNS, 26],
    [NTP, 2],
    [MAIL, 7],
    [SUBMISSION, 2],
    [SSH, 2],
    [CALL, 4],
    [UPLOAD, 3],
  ],
  residential: [
    [WEB, 30],
    [QUIC, 18],
    [PLAIN_WEB, 5],
    [VIDEO, 8],
    [DNS, 24],
    [NTP, 2],
    [MAIL, 2],
    [CALL, 2],
    [GAME, 5],
    [UPLOAD, 4],
  ],
  campus: [
    [WEB, 36],
    [QUIC, 13],
    [PLAIN_WEB, 7],
    [VIDEO, 4],
    [DNS, 24],
    [NTP, 2],
    [MAIL, 4],
    [SSH, 4],
    [CALL, 3],
    [UPLOAD, 3],
  ],
  datacentre: [
    [WEB, 46],
    [QUIC, 6],
    [PLAIN_WEB, 12],
    [VIDEO, 3],
    [DNS, 8],
    [SSH, 2],
    [MAIL, 4],
    [DATABASE, 6],
    [API, 10],
    [UPLOAD, 3],
  ],
  wholesale: [
    [WEB, 34],
    [QUIC, 18],
    [PLAIN_WEB, 8],
    [VIDEO, 8],
    [DNS, 18],
    [NTP, 2],
    [MAIL, 2],
    [CALL, 3],
    [GAME, 4],
    [UPLOAD, 3],
  ],
};
