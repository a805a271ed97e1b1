import type { FeedSettings, Format } from '../format.ts';
import { FlowReading, Normaliser, type Refusal, refusal } from '../normalise.ts';
import { createJsonDecoder, type ReadJsonRecord, readAddresses, tcpFlagsOfNames } from './json-records.ts';
import { firstJsonObject, type JsonObject, numberAt, protocolAt, textAt } from './json-values.ts';

/**
 * FastNetMon's traffic export as JSON (pavel-odintsov/fastnetmon, Kafka export): one packet or flow a message. `timestamp`
 * is its arrival in whole seconds, the only time there is. Counters are raw, `sample_ratio` their rate.
 */
export const fastnetmonJson: Format = {
  name: 'fastnetmon-json',
  family: 'fastnetmon',
  framing: 'lines',
  sniff(sample) {
    const json = firstJsonObject(sample);
    return json !== null && 'sample_ratio' in json && 'agent_address' in json ? 1 : 0;
  },
  createDecoder: (settings) => createJsonDecoder(createReader(settings)),
};

function createReader(settings: FeedSettings): ReadJsonRecord {
  const normaliser = new Normaliser(settings);
  const reading = new FlowReading();
  return (json, receivedUs, sink) => {
    if (!('source_ip' in json)) return refusal('not_a_flow', 'no source_ip');
    const refused = readRecord(json, reading);
    return refused ?? normaliser.emit(reading, textAt(json, 'agent_address'), receivedUs, sink);
  };
}

function readRecord(json: JsonObject, reading: FlowReading): Refusal | null {
  reading.clear();
  const refused = readAddresses(reading, json.source_ip, json.destination_ip);
  if (refused !== null) return refused;
  reading.startUs = numberAt(json, 'timestamp') * 1e6;
  reading.endUs = reading.startUs;
  reading.guessTimeUnit = true;
  reading.protocol = protocolAt(json, 'protocol');
  reading.sourcePort = numberAt(json, 'source_port');
  reading.destinationPort = numberAt(json, 'destination_port');
  reading.tcpFlags = tcpFlagsOfNames(textAt(json, 'tcp_flags').split(','));
  reading.sourceAs = numberAt(json, 'source_asn');
  reading.destinationAs = numberAt(json, 'destination_asn');
  reading.inInterface = numberAt(json, 'input_interface');
  reading.outInterface = numberAt(json, 'output_interface');
  reading.bytes = numberAt(json, 'length');
  reading.packets = numberAt(json, 'packets');
  reading.samplingRate = numberAt(json, 'sample_ratio');
  return null;
}
