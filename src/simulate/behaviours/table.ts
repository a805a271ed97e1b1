import type { Behaviour } from '../episode.ts';
import type { BehaviourName } from '../scenario.ts';
import * as attacks from './attacks.ts';
import * as fanout from './benign-fanout.ts';
import * as pairs from './benign-pairs.ts';
import * as scans from './scans.ts';

/** Every behaviour by its name; a new one is a name in `scenario.ts`, an object beside the others and a line here. */
export const BEHAVIOURS: Readonly<Record<BehaviourName, Behaviour>> = {
  horizontal_scan: scans.horizontalScan,
  vertical_scan: scans.verticalScan,
  brute_force: attacks.bruteForce,
  flood: attacks.flood,
  amplification: attacks.amplification,
  beaconing: attacks.beaconing,
  exfiltration: attacks.exfiltration,
  monitoring: fanout.monitoring,
  dns_resolver: fanout.dnsResolver,
  busy_server: fanout.busyServer,
  peer_to_peer: fanout.peerToPeer,
  backup: pairs.backup,
  periodic_job: pairs.periodicJob,
  failing_client: pairs.failingClient,
  login_gateway: fanout.loginGateway,
  large_answers: pairs.largeAnswers,
  long_flow: pairs.longFlow,
};
