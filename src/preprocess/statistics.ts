import { COUNTER_COLUMNS as ITEM_COLUMNS } from './item-counts.ts';

// Columns of an entity's row. Sums of counters are exact integers; prorated are only the four volumes, everything else
// describes the flows counted in this window, that is, those that end in it.

export const FLOWS = 0;
export const BYTES = 1;
export const PACKETS = 2;
export const REVERSE_BYTES = 3;
export const REVERSE_PACKETS = 4;
/** Columns 0 to 4 are `COUNTER_COLUMNS` of a FeatureBatch, in order. */
export const EXACT_COLUMNS = 5;

export const TCP_FLOWS = 5;
export const UDP_FLOWS = 6;
export const ICMP_FLOWS = 7;
/** TCP with SYN and without ACK: opened, never answered as far as this side shows. */
export const SYN_ONLY_FLOWS = 8;
export const FAILED_FLOWS = 9;
export const SMALL_FLOWS = 10;
export const DURATION_SECONDS = 11;
export const LINK_COLUMNS = 12;

/** Counters of whole flows, not prorated. */
export const FLOW_BYTES = 12;
export const FLOW_PACKETS = 13;
export const RESET_FLOWS = 14;
export const UNANSWERED_FLOWS = 15;
export const LOW_PORT_FLOWS = 16;
export const DYNAMIC_PORT_FLOWS = 17;
export const WEB_FLOWS = 18;
export const DNS_FLOWS = 19;
export const LOGIN_FLOWS = 20;
/** Time between successive flow starts: last start, number of gaps, their sum and their squares, in seconds. */
export const LAST_START_US = 21;
export const GAPS = 22;
export const GAP_SECONDS = 23;
export const GAP_SECONDS_SQUARED = 24;
export const LAST_SOURCE_PORT = 25;
export const SAME_SOURCE_PORT_FLOWS = 26;
/** Two counters of `ItemCounts`; their first column becomes the distinct count when the window closes. */
export const DESTINATIONS = 27;
export const PORTS = DESTINATIONS + ITEM_COLUMNS;
export const HOST_COLUMNS = PORTS + ITEM_COLUMNS;
