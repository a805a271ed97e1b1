import type { Manifest } from '../manifest.ts';

const NAMES_MAX = 40;

/** The model card: what it is, from what, how good, its limits, and the call that makes it again. Markdown. */
export function forecasterCard(manifest: Manifest, call: string): string {
  const { training, metrics } = manifest;
  const spec = manifest.forecaster!;
  const names = training.data.slice(0, NAMES_MAX);
  return [
    `# ${manifest.name} ${manifest.version}`,
    '',
    `Forecasts a link's ${spec.metric} (${spec.unit}) ${describeHorizons(spec.horizons)} steps of ${manifest.windowSeconds[0]} s ahead, ` +
      `with the quantiles ${spec.quantiles.join(', ')}. An LSTM (${training.parameters.hidden} units, trainer \`${training.trainer}\`) over ` +
      `${spec.inputSteps} steps of ${spec.channels.length} channels, on top of a linear skip over lags and seasons.`,
    '',
    '## Data',
    '',
    ...names.map((name) => `- ${name}`),
    ...(training.data.length > NAMES_MAX ? [`- and ${training.data.length - NAMES_MAX} more`] : []),
    '',
    `${training.rows} training rows, SHA-256 ${training.dataFingerprint}. The licence of the data is that of its source; the model holds weights, no record of it.`,
    '',
    '## On the latest fifth of the same data',
    '',
    `${metrics.validationRows} rows decided when training stopped and calibrated the interval. Mean absolute error there: ` +
      `${metrics.validationError?.toFixed(3)} of the noise of a step, ${percent(metrics.validationSkillOverBaseline)} better than the baseline ` +
      `(${training.parameters.encoding === 'day' ? 'the same hour of the weeks before' : 'the last value'}).`,
    '',
    '## Limits',
    '',
    `It needs regular history: at best a week and more (a day of ${training.parameters.dailySteps} steps, a week of ${training.parameters.weeklySteps}), without which it falls back to what the last steps say. ` +
      'Forecasts stay within zero and four times the highest regular value of the history. It knows no holidays, no maintenance and no capacity.',
    '',
    '## Made by',
    '',
    '```',
    call,
    '```',
    '',
    `flowcast ${training.codeVersion}; the same data, trainer, seed and version give the same bytes.`,
    '',
  ].join('\n');
}

function describeHorizons(horizons: readonly number[]): string {
  return horizons.length > 12 ? `1 to ${horizons[horizons.length - 1]}` : horizons.join(', ');
}

function percent(share: number | undefined): string {
  return `${(100 * (share ?? 0)).toFixed(1)} %`;
}
