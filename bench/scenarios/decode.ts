import { FILE_SETTINGS } from '../../src/cli/flow-files.ts';
import { FORMATS } from '../../src/ingest/formats/registry.ts';
import { createEncoder, ENCODERS } from '../../src/simulate/encoders/table.ts';
import { measure, print } from '../measure.ts';
import { asMessages, bytesOf, simulatedFlows } from '../traffic.ts';

// Raw messages to flow records in memory, for each format that the simulator writes; `JSON.parse` alone beside goflow2's JSON.

const FLOWS = 60_000;
const RUNS = 3;

/** The scenario's own work, `RUNS` times over. */
function repeat(once: () => number): number {
  let count = 0;
  for (let i = 0; i < RUNS; i++) count += once();
  return count;
}

for (const name of Object.keys(ENCODERS)) {
  const encoder = createEncoder(name);
  const messages = asMessages(simulatedFlows(FLOWS, encoder.bidirectional), encoder);
  const megabytes = bytesOf(messages) / 1e6;
  const decoder = FORMATS.find((format) => format.name === name)!.createDecoder(FILE_SETTINGS);
  let flows = 0;
  let rejects = 0;
  const sink = { flow: () => void flows++, reject: () => void rejects++ };
  const once = () => {
    flows = 0;
    for (const message of messages) decoder.decode(message, 0, sink);
    return flows;
  };
  const measurement = await measure({ scenario: `decode ${name}`, unit: 'flows', run: () => repeat(once) });
  if (rejects > 0) throw new Error(`${name}: ${rejects} rejects`);
  const megabytesPerCpuSecond = Math.round((megabytes * RUNS) / measurement.cpuSeconds);
  print({ ...measurement, notes: { megabytesPerCpuSecond } });
}

const encoder = createEncoder('goflow2-json');
const texts = asMessages(simulatedFlows(FLOWS), encoder);
const utf8 = new TextDecoder();
const parseAll = () => {
  let parsed = 0;
  for (const text of texts) if (JSON.parse(utf8.decode(text)) !== null) parsed++;
  return parsed;
};
print(
  await measure({
    scenario: 'decode goflow2-json: JSON.parse alone',
    unit: 'flows',
    run: () => repeat(parseAll),
  }),
);
