import { bounded, levelAt, type RowBuffers, type RowEncoding } from './encoding.ts';
import { noiseFloor, type Periods, type PreparedHistory } from './history.ts';

const STEPS = 32;
const CHANNELS = [
  'level_from_last',
  'level_change',
  'week_change_from_last',
  'day_change_from_last',
  'missing',
  'day_sine',
  'day_cosine',
  'week_sine',
  'week_cosine',
] as const;
const LAGS = 24;
const SEASONS_BACK = 2;
const NEIGHBOURS = 3;

/**
 * For the next steps: residual over the last level. The LSTM reads the last 32 steps; the linear skip reads 24 lags and, of each
 * of the last two weeks and days, how the level moved around the hour that is forecast.
 */
export function createRecentEncoding(horizons: readonly number[], periods: Periods): RowEncoding {
  const lags = seasonLags(periods);
  const around = 2 * NEIGHBOURS + 1;
  const perHorizon = lags.length * around;
  const shared = LAGS - 1 + lags.length + 1;
  return {
    kind: 'recent',
    horizons,
    steps: STEPS,
    channels: CHANNELS,
    contextSize: shared + horizons.length * perHorizon,
    rowsPerOrigin: 1,
    horizonsPerRow: horizons.length,
    historySteps: Math.max(...lags) + STEPS,
    skipColumns: (horizon) => [
      ...Array.from({ length: shared }, (_, i) => i),
      ...Array.from({ length: perHorizon }, (_, i) => shared + horizon * perHorizon + i),
    ],
    encode(history, origin, _part, buffers, row) {
      const last = history.level[origin]!;
      const scale = noiseFloor(history.stepNoise[origin]!);
      buffers.scales[row] = scale;
      buffers.baselines.fill(last, row * horizons.length, (row + 1) * horizons.length);
      writeContext(history, origin, scale, lags, horizons, buffers.contexts, row);
      writeSequence(history, origin, scale, buffers, row);
    },
  };
}

/** The lags of the seasons read, weeks first. */
function seasonLags(periods: Periods): number[] {
  const lags: number[] = [];
  for (let n = 1; n <= SEASONS_BACK; n++) lags.push(Math.round(n * periods.weeklySteps));
  for (let n = 1; n <= SEASONS_BACK; n++) lags.push(Math.round(n * periods.dailySteps));
  return lags;
}

function writeContext(
  history: PreparedHistory,
  origin: number,
  scale: number,
  lags: readonly number[],
  horizons: readonly number[],
  contexts: Float32Array,
  row: number,
): void {
  const last = history.level[origin]!;
  const size = LAGS + lags.length * (1 + horizons.length * (2 * NEIGHBOURS + 1));
  let at = row * size;
  for (let k = 1; k < LAGS; k++) contexts[at++] = bounded((levelAt(history, origin - k) - last) / scale);
  for (const lag of lags) contexts[at++] = bounded((levelAt(history, origin - lag) - last) / scale);
  contexts[at++] = Math.log(scale);
  for (const horizon of horizons) {
    for (const lag of lags) {
      const then = levelAt(history, origin - lag);
      for (let j = -NEIGHBOURS; j <= NEIGHBOURS; j++) {
        // A neighbour that is still to come (a season shorter than the horizon) is not known.
        const step = origin - lag + horizon + j;
        contexts[at++] = step > origin ? 0 : bounded((levelAt(history, step) - then) / scale);
      }
    }
  }
}

function writeSequence(
  history: PreparedHistory,
  origin: number,
  scale: number,
  buffers: RowBuffers,
  row: number,
): void {
  const { level, regular, periods, firstStep } = history;
  const day = Math.round(periods.dailySteps);
  const week = Math.round(periods.weeklySteps);
  const { sequences } = buffers;
  const last = level[origin]!;
  const weekLast = last - levelAt(history, origin - week);
  const dayLast = last - levelAt(history, origin - day);
  let at = row * STEPS * CHANNELS.length;
  for (let step = origin - STEPS + 1; step <= origin; step++) {
    const current = levelAt(history, step);
    const dayAngle = (2 * Math.PI * (firstStep + step)) / periods.dailySteps;
    const weekAngle = (2 * Math.PI * (firstStep + step)) / periods.weeklySteps;
    sequences[at++] = bounded((current - last) / scale);
    sequences[at++] = bounded((current - levelAt(history, step - 1)) / scale);
    sequences[at++] = bounded((current - levelAt(history, step - week) - weekLast) / scale);
    sequences[at++] = bounded((current - levelAt(history, step - day) - dayLast) / scale);
    sequences[at++] = step >= 0 && regular[step] ? 0 : 1;
    sequences[at++] = Math.sin(dayAngle);
    sequences[at++] = Math.cos(dayAngle);
    sequences[at++] = Math.sin(weekAngle);
    sequences[at++] = Math.cos(weekAngle);
  }
}
