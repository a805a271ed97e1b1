import Type from 'typebox';

const count = (description: string, value: number, minimum = 1) =>
  Type.Integer({ description, default: value, minimum });

/** Settings of the infer stage. */
export const InferConfig = Type.Object(
  {
    batchRecordsMax: count('Feature batches taken in one step at most.', 500),
    batchBytesMax: count('Bytes of feature batches taken in one step at most.', 16_000_000),
    commitIntervalMs: count('Predictions are committed at this interval at the latest.', 200),
    tickIntervalMs: count('A partition without news shows that it lives this often.', 1000),
    historyWindowsMax: count(
      'Windows of history kept for each link and window length; a bit more than a week of minutes. Each takes 8 bytes in memory and in the state topic.',
      10_240,
    ),
    linksPerExporterMax: count(
      'Links of one exporter that are forecast for each window length; beyond it the link silent for longest makes room.',
      256,
    ),
    exportersMax: count(
      'Exporters and window lengths of one partition whose links are forecast; beyond it the one silent for longest makes room.',
      128,
    ),
    observedWindowsMin: count('Observed windows a link needs before it is forecast.', 10),
    pendingPerLinkMax: count(
      'Forecasts of one link that wait for their truth; beyond it the oldest is given up unscored.',
      2048,
    ),
    rowsPerRunMax: count(
      'Rows classified in one run of a model at most, unless one batch holds more.',
      65_536,
    ),
    emit: Type.Union([Type.Literal('all'), Type.Literal('nonBenign')], {
      description: 'Which classifications are published; `nonBenign` keeps unknown ones too.',
      default: 'all',
    }),
    modelsWaitMsMax: count(
      'How long the start waits for the published models before it goes on without; they are then taken up when they come.',
      10_000,
      0,
    ),
    qualityHalfLifeScores: count(
      'Scored forecasts after which a score counts half in the accuracy metrics of a model and horizon.',
      10_000,
    ),
  },
  { description: 'Forecasts and classifications.', additionalProperties: false },
);
export type InferConfig = Type.Static<typeof InferConfig>;
