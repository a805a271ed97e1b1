import { usageError } from '../../kernel/errors.ts';
import type { Format } from '../format.ts';
import { akvorado } from './akvorado.ts';
import { argus } from './argus.ts';
import { fastnetmon } from './fastnetmon.ts';
import { fastnetmonJson } from './fastnetmon-json.ts';
import { flowcastJson } from './flowcast-json.ts';
import { goflow2 } from './goflow2.ts';
import { goflow2Json } from './goflow2-json.ts';
import { luflow } from './luflow.ts';
import { netobserv } from './netobserv.ts';
import { netobservJson } from './netobserv-json.ts';
import { nfdumpCsv } from './nfdump-csv.ts';
import { nfdumpJson, nfdumpNdjson } from './nfdump-json.ts';
import { nfdumpText } from './nfdump-text.ts';
import { nprobe } from './nprobe.ts';
import { opennms } from './opennms.ts';
import { pmacctAvro } from './pmacct-avro.ts';
import { pmacctJson } from './pmacct-json.ts';
import { suricata } from './suricata.ts';
import { suricataNetflow } from './suricata-netflow.ts';
import { vflow } from './vflow.ts';
import { westermo } from './westermo.ts';
import { zeekJson } from './zeek-json.ts';
import { zeekTsv } from './zeek-tsv.ts';

/** Every wire format flowcast reads. */
export const FORMATS: readonly Format[] = [
  goflow2,
  goflow2Json,
  fastnetmonJson,
  fastnetmon,
  vflow,
  nprobe,
  pmacctJson,
  pmacctAvro,
  opennms,
  akvorado,
  netobserv,
  netobservJson,
  suricata,
  suricataNetflow,
  zeekJson,
  zeekTsv,
  nfdumpNdjson,
  nfdumpJson,
  nfdumpCsv,
  nfdumpText,
  argus,
  luflow,
  westermo,
  flowcastJson,
];

/** The word for "find out by looking". */
export const AUTO = 'auto';

/**
 * The formats that `--format NAME` leaves to choose from: one for a format's name, several for a family's, all for `auto`.
 * Throws a usageError that lists the names for any other.
 */
export function formatsNamed(name: string): readonly Format[] {
  if (name === AUTO) return FORMATS;
  const exact = FORMATS.filter((format) => format.name === name);
  const found = exact.length > 0 ? exact : FORMATS.filter((format) => format.family === name);
  if (found.length > 0) return found;
  throw usageError(
    'format_unknown',
    `there is no format ${name}; choose one of ${AUTO}, ${formatNames().join(', ')}`,
  );
}

/** All names that `formatsNamed` takes, beside `auto`. */
export function formatNames(): string[] {
  return [...new Set(FORMATS.flatMap((format) => [format.family, format.name]))].sort();
}
