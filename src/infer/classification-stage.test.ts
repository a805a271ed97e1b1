import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { Bench, minuteOf } from '../../test/support/infer-bench.ts';
import {
  fakeClassifierArtefact,
  featureRecord,
  hostBatch,
  MINUTE_US,
  MONDAY_US,
} from '../../test/support/infer-fixtures.ts';

let bench: Bench;
beforeEach(async () => {
  bench = await Bench.open();
});
afterEach(() => bench.close());

describe('classifications', () => {
  const ports = fakeClassifierArtefact(100);

  it('come for every row, with their path, probabilities and label', async () => {
    await bench.publish(ports);
    await bench.start();
    const labels = ['Normal', 'scan', ''];
    await bench.append(
      hostBatch(0, { '192.0.2.1': 3, '192.0.2.2': 300, '192.0.2.3': -1 }, { labels }),
      hostBatch(1, { '192.0.2.1': 200 }),
    );
    await bench.drained();
    const classifications = await bench.classifications();
    expect(
      classifications.map((row) => [minuteOf(row), row.entity, row.class, row.benign, row.path, row.label]),
    ).toEqual([
      [0, '192.0.2.1', 'benign', true, 'ports <= 100', 'Normal'],
      [0, '192.0.2.2', 'scan', false, 'ports > 100', 'scan'],
      [0, '192.0.2.3', 'unknown', false, 'ports <= 100', null],
      [1, '192.0.2.1', 'scan', false, 'ports > 100', null],
    ]);
    const { version } = ports.manifest;
    expect(classifications[1]).toEqual({
      id: `router|192.0.2.2|${MONDAY_US}|60|ports@${version}`,
      exporter: 'router',
      entityKind: 'HOST',
      entity: '192.0.2.2',
      windowStartUs: MONDAY_US,
      windowEndUs: MONDAY_US + MINUTE_US,
      class: 'scan',
      benign: false,
      probability: 0.75,
      probabilities: { benign: 0.25, scan: 0.75 },
      path: 'ports > 100',
      threshold: 0.7,
      model: 'ports',
      modelVersion: version,
      role: 'CHAMPION',
      featureSet: 'host',
      featureSetVersion: 1,
      emittedUs: MONDAY_US + MINUTE_US,
      label: 'scan',
    });
    const [record] = await bench.records('classifications.v1');
    expect([record?.partition, Buffer.from(record?.key ?? []).toString()]).toEqual([1, 'router|192.0.2.1']);
    const labelled = (truth: string, right: string) =>
      bench.metrics.value('flowcast_infer_labelled_rows_total', { truth, right });
    expect(
      await Promise.all([
        labelled('benign', 'true'),
        labelled('attack', 'true'),
        labelled('attack', 'false'),
      ]),
    ).toEqual([1, 1, 0]);
  });

  it('can be those that are not benign only', async () => {
    await bench.publish(ports);
    await bench.start({ emit: 'nonBenign' });
    await bench.append(hostBatch(0, { '192.0.2.1': 3, '192.0.2.2': 300, '192.0.2.3': -1 }));
    await bench.drained();
    expect((await bench.classifications()).map((row) => row.class)).toEqual(['scan', 'unknown']);
  });

  it('come in the order of the rows whatever the runs', async () => {
    await bench.publish(ports);
    await bench.publish(fakeClassifierArtefact(5), 'shadow');
    const hosts = (minute: number) => Object.fromEntries([0, 1, 2].map((i) => [`192.0.2.${minute}${i}`, i]));
    await bench.append(...Array.from({ length: 20 }, (_, minute) => hostBatch(minute, hosts(minute))));
    await bench.start();
    await bench.drained();
    const rows = (await bench.classifications()).map((row) => `${minuteOf(row)} ${row.role} ${row.entity}`);
    expect(rows).toEqual(
      Array.from({ length: 20 }, (_, minute) =>
        ['CHAMPION', 'SHADOW'].flatMap((role) =>
          Object.keys(hosts(minute)).map((host) => `${minute} ${role} ${host}`),
        ),
      ).flat(),
    );
  });

  it('say so when no model serves a batch', async () => {
    await bench.start();
    await bench.append(hostBatch(0, { '192.0.2.1': 3 }));
    await bench.drained();
    expect(await bench.classifications()).toEqual([]);
    expect(await bench.metrics.value('flowcast_infer_batches_skipped_total', { reason: 'no_model' })).toBe(1);
  });

  it('of flows are of their own kind and have no window length', async () => {
    await bench.publish(fakeClassifierArtefact(100, { name: 'flow-ports', windowSeconds: [] }));
    await bench.start();
    const entity = '192.0.2.1:40000>192.0.2.2:80/6@1699833600000000';
    const flow = hostBatch(0, { [entity]: 300 }, { windowSeconds: 0 });
    await bench.log.append([featureRecord('t.features.flow.v1', 0, flow)]);
    await bench.drained();
    expect(await bench.classifications()).toMatchObject([{ entityKind: 'FLOW', entity, class: 'scan' }]);
  });
});
