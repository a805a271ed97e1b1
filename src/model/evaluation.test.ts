import { describe, expect, it } from 'vitest';
import { Evaluation } from './evaluation.ts';

function evaluate(rows: readonly [truth: string, benign: boolean, answer: number, p0: number][]) {
  const evaluation = new Evaluation(['benign', 'scan', 'flood'], ['benign']);
  for (const [truth, benign, answer, p0] of rows) {
    evaluation.add(truth, benign, answer, Float32Array.of(p0, 1 - p0, 0), 0);
  }
  return evaluation.report();
}

describe('an evaluation', () => {
  it('counts what the definitions say', () => {
    const report = evaluate([
      ['Benign', true, 0, 0.75],
      ['benign', true, 0, 0.75],
      ['benign', true, 1, 0.25],
      ['benign', true, -1, 0.75],
      ['scan', false, 1, 0.25],
      ['scan', false, 2, 0.25],
      ['scan', false, 0, 0.75],
      ['worm', false, 1, 0.25],
    ]);
    expect(report.rows).toBe(8);
    expect(report.accuracy).toBe(3 / 8);
    expect(report.falseAlarmRate).toBe(1 / 4);
    expect(report.attackRecall).toBe(3 / 4);
    expect(report.unknownRate).toBe(1 / 8);
    expect(report.perClass).toEqual({
      benign: { precision: 2 / 3, recall: 1 / 2, f1: 4 / 7, support: 4 },
      scan: { precision: 1 / 3, recall: 1 / 3, f1: 1 / 3, support: 3 },
      flood: { precision: 0, recall: 0, f1: 0, support: 0 },
      worm: { precision: 0, recall: 0, f1: 0, support: 1 },
    });
    expect(report.macroF1).toBeCloseTo((4 / 7 + 1 / 3) / 3);
    // All 8 claim 0.75; 3 benign and 2 scan are right: |8 * 0.75 - 5| / 8.
    expect(report.calibrationError).toBeCloseTo(1 / 8);
  });

  it('has no rate where there is nothing to count', () => {
    expect(evaluate([['benign', true, 0, 0.9]])).toMatchObject({
      attackRecall: null,
      falseAlarmRate: 0,
      accuracy: 1,
    });
    expect(evaluate([['scan', false, 0, 0.9]])).toMatchObject({ attackRecall: 0, falseAlarmRate: null });
    expect(evaluate([])).toMatchObject({ rows: 0, accuracy: 0, macroF1: 0, calibrationError: 0 });
  });
});
