import Type from 'typebox';

/** One raw input: where its messages are and what they leave open. */
export const FeedConfig = Type.Object(
  {
    name: Type.String({ description: 'Name in metrics, logs and records.', minLength: 1 }),
    topic: Type.String({ description: 'Raw topic, in full (the prefix is not added).', minLength: 1 }),
    format: Type.String({
      description: 'Format or family of the messages; `auto` finds out from the first ones.',
      default: 'auto',
    }),
    exporter: Type.Optional(
      Type.String({ description: 'Exporter of messages that name none; the feed’s name when left out.' }),
    ),
    samplingRate: Type.Optional(
      Type.Union([Type.Integer({ minimum: 1 }), Type.Null()], {
        description: 'Overrides the sampling rate of the messages.',
      }),
    ),
    timeZone: Type.Optional(
      Type.String({
        description: 'IANA zone of zone-less times, for example Europe/Berlin; UTC when left out.',
      }),
    ),
    schemaFile: Type.Optional(
      Type.String({
        description:
          'Schema of the messages, where the format needs one: .proto (akvorado), .avsc (pmacct-avro).',
        minLength: 1,
      }),
    ),
  },
  { additionalProperties: false },
);
export type FeedConfig = Type.Static<typeof FeedConfig>;

/** Settings of the ingest stage. */
export const IngestConfig = Type.Object(
  {
    feeds: Type.Array(FeedConfig, {
      description:
        'The raw inputs: name, topic, format, exporter, samplingRate, timeZone, schemaFile. `start` adds its own sources.',
      default: [],
    }),
    clockSkewMsMax: Type.Integer({
      description: 'A flow may end this long after its receipt before its time is clamped.',
      default: 60_000,
      minimum: 0,
    }),
    flowsPerBatchMax: Type.Integer({
      description: 'Flows in one record of flows.v1 at most.',
      default: 500,
      minimum: 1,
      maximum: 5000,
    }),
    batchRecordsMax: Type.Integer({
      description: 'Raw messages taken in one step at most.',
      default: 5000,
      minimum: 1,
    }),
    batchBytesMax: Type.Integer({
      description: 'Bytes of raw messages taken in one step at most.',
      default: 8_000_000,
      minimum: 1,
    }),
    commitIntervalMs: Type.Integer({
      description: 'Flows are committed at this interval at the latest.',
      default: 100,
      minimum: 1,
    }),
    tickIntervalMs: Type.Integer({
      description: 'A partition without news shows that it lives this often.',
      default: 1000,
      minimum: 1,
    }),
  },
  { description: 'Raw messages to flows.', additionalProperties: false },
);
export type IngestConfig = Type.Static<typeof IngestConfig>;
