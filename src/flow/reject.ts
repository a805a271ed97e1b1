/**
 * Why a message or one record of it was refused. Closed set: it is the metric label, the header of the reject topic and
 * the key in `decode`'s summary. `docs/rejects.md` says for each what it means and what to do.
 */
export const REJECT_REASONS = [
  'empty_message',
  'tombstone',
  'unknown_format',
  'malformed',
  'truncated',
  'not_a_flow',
  'excluded_by_setting',
  'missing_field',
  'invalid_address',
  'invalid_number',
  'invalid_time',
  'counter_out_of_range',
  'unsupported_version',
  'unknown_template',
  'unknown_schema',
  'message_too_large',
  'unexpected',
] as const;

export type RejectReason = (typeof REJECT_REASONS)[number];

/** A refused message or record, as a value. `position` is the record's index within its message, null = the whole message. */
export interface Reject {
  readonly reason: RejectReason;
  /** For people: which field, which value. At most some 200 characters. */
  readonly detail: string;
  readonly position: number | null;
  /** The bytes refused: the whole message, or the one row of it. */
  readonly bytes: Uint8Array;
}
