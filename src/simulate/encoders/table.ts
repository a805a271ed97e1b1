import { usageError } from '../../kernel/errors.ts';
import type { Encoder } from './encoder.ts';
import { createFlowcastJsonEncoder } from './flowcast-json.ts';
import { createGoflow2Encoder, createGoflow2JsonEncoder } from './goflow2.ts';
import { createNfdumpCsvEncoder, createNfdumpNdjsonEncoder } from './nfdump.ts';
import { createSuricataEncoder } from './suricata.ts';
import { createZeekJsonEncoder, createZeekTsvEncoder } from './zeek.ts';

/** Every encoder by the name of its format. */
export const ENCODERS: Readonly<Record<string, () => Encoder>> = {
  goflow2: createGoflow2Encoder,
  'goflow2-json': createGoflow2JsonEncoder,
  'zeek-json': createZeekJsonEncoder,
  'zeek-tsv': createZeekTsvEncoder,
  suricata: createSuricataEncoder,
  'nfdump-ndjson': createNfdumpNdjsonEncoder,
  'nfdump-csv': createNfdumpCsvEncoder,
  'flowcast-json': createFlowcastJsonEncoder,
};

/** A new encoder; throws a usageError where there is none for the format. */
export function createEncoder(format: string): Encoder {
  const create = ENCODERS[format];
  if (!create) {
    throw usageError(
      'unknown_format',
      `simulate cannot write "${format}"; use ${Object.keys(ENCODERS).join(', ')}`,
    );
  }
  return create();
}
