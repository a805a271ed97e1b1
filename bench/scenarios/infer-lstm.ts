import { bundledModelFolders } from '../../src/cli/model-folders.ts';
import { readArtefact } from '../../src/model/artefact.ts';
import { createForecaster, encodingOf } from '../../src/model/forecast/forecaster.ts';
import type { LinkHistory } from '../../src/model/forecast/history.ts';
import { CONTEXT_INPUT, SEQUENCE_INPUT } from '../../src/model/lstm/to-onnx.ts';
import { openSession } from '../../src/model/runtime.ts';
import { measure, print } from '../measure.ts';

// The bundled link forecaster over the histories of many links: cold (a week to prepare each), prepared once, and ONNX Runtime alone.

const LINKS = 64;
const ORIGINS = 60;
const folder = bundledModelFolders().find((path) => path.endsWith('link-forecaster'))!;
const artefact = await readArtefact(folder);
const forecaster = await createForecaster(artefact);
const { encoding } = encodingOf(artefact.manifest);

/** A daily cycle and some ripple, in bit/s. */
function historyOf(link: number): LinkHistory {
  const values = Float64Array.from(
    { length: forecaster.historySteps },
    (_, minute) => 1e7 * (2 + Math.sin((minute / 1440) * 2 * Math.PI + link) + 0.1 * Math.sin(minute * 1.7)),
  );
  return { stepSeconds: 60, lastWindowStartUs: 1_767_600_000_000_000, values };
}
const histories = Array.from({ length: LINKS }, (_, link) => historyOf(link));

const cold = async () => (await forecaster.forecast(histories)).length;
print(await measure({ scenario: 'infer LSTM: link history unprepared', unit: 'windows', run: cold }));

const prepared = histories.map((history) => forecaster.prepare(history));
const origins = Array.from({ length: ORIGINS }, (_, i) => forecaster.historySteps - ORIGINS + i);
const warm = async () => {
  let windows = 0;
  for (const history of prepared) windows += (await forecaster.forecastFrom(history, origins)).length;
  return windows;
};
print(await measure({ scenario: 'infer LSTM: history prepared', unit: 'windows', run: warm }));
await forecaster.close();

const session = await openSession(artefact.onnx);
const rows = ORIGINS * encoding.rowsPerOrigin;
const { steps, channels, contextSize } = encoding;
const feeds = {
  [SEQUENCE_INPUT]: {
    data: new Float32Array(rows * steps * channels.length).fill(0.1),
    dims: [rows, steps, channels.length],
  },
  [CONTEXT_INPUT]: { data: new Float32Array(rows * contextSize).fill(0.1), dims: [rows, contextSize] },
};
const alone = async () => {
  for (let link = 0; link < LINKS; link++) await session.run(feeds);
  return LINKS * ORIGINS;
};
print(await measure({ scenario: 'infer LSTM: ONNX Runtime alone', unit: 'windows', run: alone }));
await session.close();
