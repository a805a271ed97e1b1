import { expect, test } from 'vitest';
import { protocolNumber } from './protocol.ts';
import { outcomeOfTcpFlags, tcpFlagsOfLetters } from './tcp-flags.ts';

test('letters of nfdump and argus give the same union', () => {
  expect(tcpFlagsOfLetters('...AP.SF')).toBe(0x1b);
  expect(tcpFlagsOfLetters('FSPA')).toBe(0x1b);
  expect(tcpFlagsOfLetters('CEUAPRSF')).toBe(0xff);
  expect(tcpFlagsOfLetters('........')).toBe(0);
});

test('the flags of both sides tell what became of a connection', () => {
  const outcome = (forward: string, reverse: string) =>
    outcomeOfTcpFlags(tcpFlagsOfLetters(forward), tcpFlagsOfLetters(reverse));
  expect(outcome('S', '')).toBe('NO_REPLY');
  expect(outcome('SR', 'SA')).toBe('RESET');
  expect(outcome('S', 'RA')).toBe('REJECTED');
  expect(outcome('SPA', 'SRPA')).toBe('RESET');
  expect(outcome('FSPA', 'FSPA')).toBe('ESTABLISHED');
  expect(outcome('', 'FSPA')).toBe('ESTABLISHED');
  expect(outcome('PA', '')).toBe('UNKNOWN');
});

test('protocols are known by keyword in any case and by number', () => {
  expect(protocolNumber('tcp')).toBe(6);
  expect(protocolNumber('UDP')).toBe(17);
  expect(protocolNumber('IPv6-ICMP')).toBe(58);
  expect(protocolNumber('47')).toBe(47);
  expect(protocolNumber('256')).toBeNull();
  expect(protocolNumber('arp')).toBeNull();
});
