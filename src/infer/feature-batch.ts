import type { Codec } from '../codec/avro.ts';
import { COUNTER_COLUMNS, type FeatureBatch } from '../codec/records.ts';
import type { StoredRecord } from '../commit-log/port.ts';

/** The feature batch of a record; null where it is none, or its parts do not agree in rows. */
export function readFeatureBatch(codec: Codec<FeatureBatch>, record: StoredRecord): FeatureBatch | null {
  const batch = record.value && codec.decode(record.value);
  if (!batch) return null;
  const rows = batch.entities.length;
  const hasCounters = batch.counters.length === rows * COUNTER_COLUMNS.length * 8;
  const hasValues = rows === 0 ? batch.values.length === 0 : batch.values.length % (rows * 4) === 0;
  const hasLabels = batch.labels.length === 0 || batch.labels.length === rows;
  return hasCounters && hasValues && hasLabels ? batch : null;
}
