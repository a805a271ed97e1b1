import type { Direction } from '../flow/flow-record.ts';

/** A link's interface and direction, as its entity text `<ifIndex>/<direction>` names them. */
export interface LinkName {
  readonly interface: number;
  readonly direction: Direction;
}

const PATTERN = /^(\d{1,15})\/(INGRESS|EGRESS|UNKNOWN)$/;

/** null where the text names no link. */
export function parseLinkName(entity: string): LinkName | null {
  const match = PATTERN.exec(entity);
  return match && { interface: Number(match[1]), direction: match[2] as Direction };
}
