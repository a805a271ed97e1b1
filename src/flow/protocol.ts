/** `protocol` of a flow that is not IP, or IP with a protocol nobody named. */
export const PROTOCOL_NOT_IP = 255;
export const PROTOCOL_ICMP = 1;
export const PROTOCOL_TCP = 6;
export const PROTOCOL_UDP = 17;
export const PROTOCOL_ICMPV6 = 58;

/** IANA protocol keywords and the spellings of the tools we read, in lower case. */
const NUMBERS: ReadonlyMap<string, number> = new Map([
  ['hopopt', 0],
  ['icmp', PROTOCOL_ICMP],
  ['igmp', 2],
  ['ggp', 3],
  ['ipip', 4],
  ['ipv4', 4],
  ['ipencap', 4],
  ['st', 5],
  ['tcp', PROTOCOL_TCP],
  ['egp', 8],
  ['igp', 9],
  ['udp', PROTOCOL_UDP],
  ['dccp', 33],
  ['ipv6', 41],
  ['ipv6-route', 43],
  ['ipv6-frag', 44],
  ['rsvp', 46],
  ['gre', 47],
  ['esp', 50],
  ['ipsec-esp', 50],
  ['ah', 51],
  ['ipsec-ah', 51],
  ['ipv6-icmp', PROTOCOL_ICMPV6],
  ['icmp6', PROTOCOL_ICMPV6],
  ['icmpv6', PROTOCOL_ICMPV6],
  ['ipv6-nonxt', 59],
  ['ipv6-no', 59],
  ['ipv6-opts', 60],
  ['eigrp', 88],
  ['ospf', 89],
  ['ospfigp', 89],
  ['etherip', 97],
  ['pim', 103],
  ['ipcomp', 108],
  ['vrrp', 112],
  ['l2tp', 115],
  ['sctp', 132],
  ['udplite', 136],
  ['mpls-in-ip', 137],
]);

/** IANA number of a protocol keyword in any case, or of the number itself as text; null where it is neither. */
export function protocolNumber(name: string): number | null {
  const known = NUMBERS.get(name) ?? NUMBERS.get(name.trim().toLowerCase());
  if (known !== undefined) return known;
  if (!/^\s*\d{1,3}\s*$/.test(name)) return null;
  const number = Number(name);
  return number <= 255 ? number : null;
}
