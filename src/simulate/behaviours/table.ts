import type { Behaviour } from '../episode.ts';
import type { BehaviourName } from '../scenario.ts';
import * as attacks from './attacks.ts';
import * as benign from './benign.ts';

/** Every behaviour by its name; a new one is a name in `scenario.ts`, an object beside the others and a line here. */
export const BEHAVIOURS: Readonly<Record<BehaviourName, Behaviour>> = {
  horizontal_scan: attacks.horizontalScan,
  vertical_scan: attacks.verticalScan,
  brute_force: attacks.bruteForce,
  flood: attacks.flood,
  amplification: attacks.amplification,
  beaconing: attacks.beaconing,
  exfiltration: attacks.exfiltration,
  monitoring: benign.monitoring,
  dns_resolver: benign.dnsResolver,
  busy_server: benign.busyServer,
  peer_to_peer: benign.peerToPeer,
  backup: benign.backup,
  periodic_job: benign.periodicJob,
  failing_client: benign.failingClient,
  login_gateway: benign.loginGateway,
  large_answers: benign.largeAnswers,
  long_flow: benign.longFlow,
};
