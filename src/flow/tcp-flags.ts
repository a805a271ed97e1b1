import type { Outcome } from './flow-record.ts';

export const TCP_FIN = 0x01;
export const TCP_SYN = 0x02;
export const TCP_RST = 0x04;
export const TCP_PSH = 0x08;
export const TCP_ACK = 0x10;
export const TCP_URG = 0x20;
export const TCP_ECE = 0x40;
export const TCP_CWR = 0x80;

/** Union of the flags named by their first letters, as nfdump (`...AP.SF`) and argus (`FSPA`) write them; other characters count for nothing. */
export function tcpFlagsOfLetters(letters: string): number {
  let flags = 0;
  for (let i = 0; i < letters.length; i++) flags |= flagOfLetter(letters.charCodeAt(i));
  return flags;
}

function flagOfLetter(code: number): number {
  switch (code) {
    case 0x46:
      return TCP_FIN;
    case 0x53:
      return TCP_SYN;
    case 0x52:
      return TCP_RST;
    case 0x50:
      return TCP_PSH;
    case 0x41:
      return TCP_ACK;
    case 0x55:
      return TCP_URG;
    case 0x45:
      return TCP_ECE;
    case 0x43:
      return TCP_CWR;
    default:
      return 0;
  }
}

/**
 * What became of a TCP connection, from the union of flags each side sent; 0 = that side sent nothing. A reset that
 * answers the first SYN is a refusal; a reset after that ended a connection.
 */
export function outcomeOfTcpFlags(forward: number, reverse: number): Outcome {
  if (reverse === 0) return (forward & TCP_SYN) !== 0 ? 'NO_REPLY' : 'UNKNOWN';
  if (
    (reverse & TCP_RST) !== 0 &&
    (reverse & (TCP_SYN | TCP_FIN | TCP_PSH)) === 0 &&
    (forward & TCP_SYN) !== 0
  )
    return 'REJECTED';
  if (((forward | reverse) & TCP_RST) !== 0) return 'RESET';
  return (reverse & TCP_ACK) !== 0 ? 'ESTABLISHED' : 'UNKNOWN';
}
