import { once } from 'node:events';
import { parseArgs } from 'node:util';
import { flowToJson } from '../flow/flow-json.ts';
import type { FeedSettings } from '../ingest/format.ts';
import { formatNames, formatsNamed } from '../ingest/formats/registry.ts';
import { usageError } from '../kernel/errors.ts';
import type { Command, CommandIo } from './command.ts';
import { type DecodedFlows, FILE_SETTINGS, readFlows } from './flow-files.ts';

export const decodeCommand: Command = {
  name: 'decode',
  summary: 'print the flows of files as JSON lines',
  usage: `usage: flowcast decode FILE… [options]

Prints one flow a line on standard output. The last line of standard error is
{"messages":n,"flows":n,"rejects":{reason:n}}. A file may be gzipped; - is standard input.

  --format F           ${formatNames().join(', ')} or auto (default)
  --exporter NAME      exporter of flows whose source names none (default: ${FILE_SETTINGS.exporter})
  --sampling-rate N    overrides the sampling rate of the messages
  --time-zone ZONE     zone of zone-less times, for example Europe/Berlin (default: ${FILE_SETTINGS.timeZone})`,
  run: decode,
};

/** Runs `flowcast decode`. The exit code is 1 when there was no flow although something looked like one. */
export async function decode(args: string[], io: CommandIo): Promise<number> {
  const { files, format, settings } = parse(args);
  const summary = { messages: 0, flows: 0, rejects: {} as Record<string, number> };
  for await (const decoded of readFlows(files, { format, settings, stdin: io.stdin })) {
    if (io.signal.aborted) break;
    add(summary, decoded);
    await write(io, decoded);
  }
  io.stderr.write(`${JSON.stringify(summary)}\n`);
  return io.signal.aborted || isUseless(summary) ? 1 : 0;
}

function parse(args: string[]): { files: string[]; format: string; settings: FeedSettings } {
  const { values, positionals } = parseArgs({
    args,
    allowPositionals: true,
    options: {
      format: { type: 'string', default: 'auto' },
      exporter: { type: 'string', default: FILE_SETTINGS.exporter },
      'sampling-rate': { type: 'string' },
      'time-zone': { type: 'string', default: FILE_SETTINGS.timeZone },
    },
  });
  if (positionals.length === 0)
    throw usageError('decode_files', 'name at least one file, or - for standard input');
  formatsNamed(values.format);
  const samplingRate = values['sampling-rate'] === undefined ? null : Number(values['sampling-rate']);
  if (
    samplingRate !== null &&
    !(Number.isInteger(samplingRate) && samplingRate >= 1 && samplingRate < 2 ** 31)
  ) {
    throw usageError(
      'decode_sampling_rate',
      `--sampling-rate takes a whole number from 1, not ${values['sampling-rate']}`,
    );
  }
  const settings = {
    ...FILE_SETTINGS,
    exporter: values.exporter,
    samplingRate,
    timeZone: values['time-zone'],
  };
  return { files: positionals, format: values.format, settings };
}

interface Summary {
  messages: number;
  flows: number;
  rejects: Record<string, number>;
}

function add(summary: Summary, { messages, flows, rejects }: DecodedFlows): void {
  summary.messages += messages;
  summary.flows += flows.length;
  for (const { reason, records } of rejects)
    summary.rejects[reason] = (summary.rejects[reason] ?? 0) + records;
}

/** Waits while the reader of standard output is behind. */
async function write(io: CommandIo, { exporters, flows }: DecodedFlows): Promise<void> {
  let text = '';
  for (let i = 0; i < flows.length; i++) text += `${JSON.stringify(flowToJson(exporters[i]!, flows[i]!))}\n`;
  if (text !== '' && !io.stdout.write(text)) await once(io.stdout, 'drain');
}

/** No flow, and not merely because the messages were of other kinds. */
function isUseless({ flows, rejects }: Summary): boolean {
  const { not_a_flow: _other, excluded_by_setting: _excluded, ...faults } = rejects;
  return flows === 0 && Object.keys(faults).length > 0;
}
