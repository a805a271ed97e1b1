import type { Format } from '../format.ts';
import { createJsonDecoder } from './json-records.ts';
import { firstJsonObject } from './json-values.ts';
import { PmacctReader } from './pmacct-fields.ts';

const EVENTS: readonly unknown[] = ['purge', 'purge_init', 'purge_close'];

/** pmacct, nfacctd, sfacctd as JSON: one object a message, or with `kafka_multi_values` a line each. Batch markers are no flows. */
export const pmacctJson: Format = {
  name: 'pmacct-json',
  family: 'pmacct',
  framing: 'lines',
  sniff(sample) {
    const json = firstJsonObject(sample);
    return json !== null && EVENTS.includes(json.event_type) ? 1 : 0;
  },
  createDecoder(settings) {
    const reader = new PmacctReader(settings);
    return createJsonDecoder((json, receivedUs, sink) => reader.read(json, receivedUs, sink));
  },
};
