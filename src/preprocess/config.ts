import Type from 'typebox';
import type { WindowSettings } from './windows.ts';

const Bound = (description: string, byDefault: number, minimum = 1) =>
  Type.Integer({ description, default: byDefault, minimum });

/** Settings of the preprocess stage. */
export const PreprocessConfig = Type.Object(
  {
    featureSets: Type.Array(Type.Union([Type.Literal('link'), Type.Literal('host'), Type.Literal('flow')]), {
      description: 'Feature sets to compute: `link` for forecasts, `host` and `flow` for classifications.',
      default: ['link', 'host'],
    }),
    windowSeconds: Type.Array(Type.Integer({ minimum: 1, maximum: 86_400 }), {
      description:
        'Lengths of the windows of `link` and `host`, aligned to the epoch; several at once are possible.',
      default: [60],
    }),
    outOfOrdernessMs: Bound(
      'Flows may come this much later than flows that ended after them; at least the active timeout of the probes.',
      60_000,
      0,
    ),
    graceMs: Bound('How long a window stays open after the watermark has passed its end.', 30_000, 0),
    allowedSkewMs: Bound(
      'A flow that ends later than this after its receipt moves the watermark no further.',
      60_000,
      0,
    ),
    idleAfterMs: Bound('An exporter silent for this long has its windows closed by the clock.', 60_000, 1000),
    openWindowsMax: Bound(
      'Span of open windows of one exporter and length; the oldest close beyond it, so it also bounds how long a flow may be.',
      64,
      2,
    ),
    exportersMax: Bound('Exporters of one partition; flows of further ones are late.', 10_000),
    linksPerWindowMax: Bound(
      'Links of one exporter and window; the traffic of further ones is added to 0/UNKNOWN.',
      4096,
    ),
    hostsPerWindowMax: Bound(
      'Hosts of one exporter and window; further ones are folded into the row `other`.',
      100_000,
    ),
    distinctExactMax: Bound(
      'Distinct destinations or ports of one host counted exactly; beyond, the count is estimated.',
      1024,
    ),
    pairsPerWindowMax: Bound(
      'Pairs of host and destination or port of one exporter and window counted exactly.',
      500_000,
    ),
    sketchesPerWindowMax: Bound(
      'Hosts of one exporter and window whose distinct counts may be estimated (4 KiB each).',
      512,
      0,
    ),
    chunkBytesMax: Bound('Largest message of features; a window with more rows is cut.', 500_000, 1024),
    batchRecordsMax: Bound('Records read in one step.', 256),
    batchBytesMax: Bound('Bytes read in one step.', 4_000_000),
    commitIntervalMs: Bound('Steps are committed together at this interval.', 200),
    tickIntervalMs: Bound('How often silent exporters are looked after.', 1000),
  },
  { description: 'Windows and feature sets.', additionalProperties: false },
);
export type PreprocessConfig = Type.Static<typeof PreprocessConfig>;

/** The part of the settings that the pure code needs; no windows where no windowed set is wanted. */
export function windowSettingsOf(config: PreprocessConfig): WindowSettings {
  const withLinks = config.featureSets.includes('link');
  const withHosts = config.featureSets.includes('host');
  const lengths = withLinks || withHosts ? [...new Set(config.windowSeconds)] : [];
  return {
    lengthsUs: lengths.sort((a, b) => a - b).map((seconds) => seconds * 1e6),
    graceUs: config.graceMs * 1000,
    outOfOrdernessUs: config.outOfOrdernessMs * 1000,
    allowedSkewUs: config.allowedSkewMs * 1000,
    openWindowsMax: config.openWindowsMax,
    linksMax: config.linksPerWindowMax,
    hosts: {
      hostsMax: config.hostsPerWindowMax,
      distinctExactMax: config.distinctExactMax,
      itemsMax: config.pairsPerWindowMax,
      sketchesMax: config.sketchesPerWindowMax,
    },
    withLinks,
    withHosts,
  };
}
